"""Which adapter serves a device, which ones are connected, and why: a pure decision over a snapshot of evidence.

The choice goes by fresh members covered, then by priority. No socket call is evidence: an adapter *delivers* when whole
data of members came through its present session and are within their deadline. Everything else is waiting, and the
rules say how long: a lost session is redialled before anything moves, a silent one is reopened at half the deadline
while a reserve is warmed beside it, and whoever comes back must have delivered for a hold time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.model import FailoverTiming

SETTLE_S = 1.0
"""A reserve must be the better one for so long before a session that is only quiet is left: both hear the same bus, and
one of them hears it a little later."""
LOOK_S = 0.5
"""How often to look while anything but the preferred adapter serves, waits or is tried."""
TURN_FIRST_S = 1.0
TURN_FACTOR = 2.0
TURN_CAP_S = 30.0
"""Least length of a reserve's turn, growing from round to round while all are down: the cap of a link's own backoff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterSight:
    """What is known of one adapter at one moment; times in seconds before now."""

    id: str
    priority: int = 1
    is_hot: bool = False
    is_exclusive: bool = False
    """Its path serves one client: it is never open together with another exclusive one of the device."""
    has_session: bool = False
    session_s: float = 0.0
    """Age of the open session."""
    covers: frozenset[str] = frozenset()
    """Members that it delivers now."""
    known: frozenset[str] = frozenset()
    """Members that it is configured for or has delivered before."""
    age_s: float = math.inf
    """Age of its newest data, from whatever session."""
    doubt_s: float | None = None
    """How long it has been in doubt: lost, or quiet for half of what it is allowed; ``None`` while it is not."""
    vain: int = 0
    """Tries in vain since it last delivered or was last called upon."""
    patience_s: float = 10.0
    """How long its first data may take."""
    delivers_s: float = 0.0
    """For how long it has been delivering without a break."""

    @property
    def delivers(self) -> bool:
        """Whether fresh data of any member come through it."""
        return bool(self.covers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What one decision leaves to the next; times in loop seconds."""

    active: str
    since: float
    pinned: str = ""
    asked: str = ""
    """An adapter that a person wants, until it serves or has failed."""
    asked_t: float = -math.inf
    rival: str = ""
    rival_t: float = math.inf
    """Who would be better than the active one, and since when without a break."""
    turn: str = ""
    turn_t: float = math.inf
    """The reserve that is being tried, and since when."""
    tried: frozenset[str] = frozenset()
    """Reserves tried in vain in this round."""
    rounds: int = 0
    """Rounds in which everything was tried in vain."""
    probe_t: float = -math.inf
    """When the next probe may begin."""
    probing: frozenset[str] = frozenset()


class Why(StrEnum):
    """The kinds of decision."""

    MOVED = "moved"
    TRYING = "trying"
    ALL_DOWN = "all_down"
    GAVE_UP = "gave_up"
    """What a person asked for could not be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One decision in words. ``age_s``: of the newest data through ``before``; ``attempts``: tries in vain on it."""

    why: Why
    before: str
    after: str
    text: str
    age_s: float
    attempts: int
    lost: tuple[str, ...] = ()
    """Members that ``before`` is known to cover and ``after`` is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Who serves, who is connected, what to tell, and when to look again without being called (loop time)."""

    connect: frozenset[str]
    memory: Memory
    notes: tuple[Note, ...] = ()
    look_t: float = math.inf


def preference(sights: Sequence[AdapterSight], memory: Memory) -> list[AdapterSight]:
    """The most preferred first: what a person pinned, then by priority, then as written."""
    return sorted(sights, key=lambda each: (each.id != memory.pinned, each.priority))


def decide(sights: Sequence[AdapterSight], memory: Memory, timing: FailoverTiming, now: float) -> Decision:
    """Who serves from now on. ``sights`` has one entry an adapter, the active one among them."""
    return _Deciding(sights, memory, timing, now).decision()


class _Deciding:
    """One decision under way: the memory that it goes on with, and what it has to tell."""

    def __init__(
        self, sights: Sequence[AdapterSight], memory: Memory, timing: FailoverTiming, now: float
    ) -> None:
        self.order = preference(sights, memory)
        self.by_id = {each.id: each for each in sights}
        self.memory = memory
        self.timing = timing
        self.now = now
        self.notes: list[Note] = []

    @property
    def active(self) -> AdapterSight:
        return self.by_id[self.memory.active]

    def decision(self) -> Decision:
        self._answer_person()
        self._choose()
        connect = self._connected()
        is_calm = (
            self.active is self.order[0]
            and self.active.delivers
            and self.active.doubt_s is None
            and not (self.memory.rival or self.memory.asked or self.memory.probing)
            and not self._unheard()
        )
        return Decision(
            connect=frozenset(connect),
            memory=self.memory,
            notes=tuple(self.notes),
            look_t=math.inf if is_calm else self.now + LOOK_S,
        )

    # --- who serves ----------------------------------------------------------------------------------------------

    def _answer_person(self) -> None:
        asked = self.by_id.get(self.memory.asked)
        if asked is None:
            return
        if asked is self.active:
            self.memory = replace(self.memory, asked="")
        elif asked.delivers:
            self._move(asked, "a person asked for it")
        elif asked.vain and self.now - self.memory.asked_t >= asked.patience_s:
            text = f"{asked.id} was asked for and does not deliver; {self.active.id} goes on"
            self._note(Why.GAVE_UP, asked, text)
            self.memory = replace(self.memory, asked="")

    def _choose(self) -> None:
        rival = self._rival()
        if rival is None:
            self.memory = replace(self.memory, rival="", rival_t=math.inf)
            return
        if rival.id != self.memory.rival:
            self.memory = replace(self.memory, rival=rival.id, rival_t=self.now)
        better_s = self.now - self.memory.rival_t
        stay_s = self.now - self.memory.since
        active = self.active
        if not active.delivers:
            if not active.has_session and active.vain:
                self._move(rival, f"{active.id} is lost and could not be reached again")
            elif better_s >= SETTLE_S:
                what = "says nothing" if active.has_session else "is lost"
                self._move(rival, f"{active.id} {what}, {rival.id} delivers")
        elif stay_s < self.timing.minimum_stay_s:
            return
        elif len(rival.covers) > len(active.covers):
            if better_s >= self.timing.hold_s:
                self._move(rival, f"{rival.id} covers {len(rival.covers)} members, {active.id} only "
                                  f"{len(active.covers)}")  # fmt: skip
        elif rival.delivers_s >= self.timing.hold_s:
            self._move(rival, f"{rival.id} is preferred and has delivered for {rival.delivers_s:.0f} s")

    def _rival(self) -> AdapterSight | None:
        """Who would serve better than the active one, if anybody."""
        active = self.active
        rank = {each.id: place for place, each in enumerate(self.order)}
        others = [each for each in self.order if each is not active and each.delivers]
        if not others:
            return None
        best = min(others, key=lambda each: (-len(each.covers), rank[each.id]))
        if not active.delivers:
            # What was reopened only now has not had the chance to hear what the other one heard before.
            has_had_chance = best.age_s < active.session_s or not active.has_session
            return best if has_had_chance else None
        if len(best.covers) > len(active.covers):
            return best
        return next(
            (
                each
                for each in others
                if rank[each.id] < rank[active.id] and len(each.covers) >= len(active.covers)
            ),
            None,
        )

    def _move(self, to: AdapterSight, why: str) -> None:
        before = self.active
        lost = tuple(sorted(before.known - to.known))
        text = f"{before.id} -> {to.id}: {why}"
        if lost:
            text += f"; {to.id} does not cover {', '.join(lost)}"
        self.notes.append(
            Note(
                why=Why.MOVED,
                before=before.id,
                after=to.id,
                text=text,
                age_s=before.age_s,
                attempts=before.vain,
                lost=lost,
            )
        )
        self.memory = replace(
            self.memory,
            active=to.id,
            since=self.now,
            asked="",
            rival="",
            rival_t=math.inf,
            turn="",
            turn_t=math.inf,
            tried=frozenset(),
            rounds=0,
            probing=frozenset(),
            probe_t=self.now + self.timing.probe_every_s,
        )

    def _note(self, why: Why, whom: AdapterSight, text: str) -> None:
        self.notes.append(
            Note(
                why=why,
                before=self.active.id,
                after=whom.id,
                text=text,
                age_s=self.active.age_s,
                attempts=self.active.vain,
            )
        )

    # --- who is connected ------------------------------------------------------------------------------------------

    def _connected(self) -> set[str]:
        """Those who are wanted, the more urgent first: of the exclusive ones only the first is connected."""
        active = self.active
        asked = self.by_id.get(self.memory.asked)
        wanted = [] if asked is None else [asked]
        if (
            active.doubt_s is not None
        ):  # a session that goes on may have gone quiet: values age though it delivers
            self.memory = replace(self.memory, probing=frozenset())
            wanted += self._tried()
        elif active.delivers:
            self.memory = replace(self.memory, turn="", turn_t=math.inf, tried=frozenset(), rounds=0)
            wanted += [active, *self._probed()]
        else:
            wanted.append(active)
        wanted += [each for each in self.order if each.is_hot or self._adds(each) or self._is_alone(each)]
        connected: set[str] = set()
        is_taken = False
        for each in wanted:
            if each.is_exclusive and each.id not in connected:
                if is_taken:
                    continue
                is_taken = True
            connected.add(each.id)
        return connected

    def _is_alone(self, each: AdapterSight) -> bool:
        """Whether it knows a member that nobody else knows: then it is no reserve but a part of the whole."""
        return bool(
            each.known - frozenset().union(*(other.known for other in self.order if other is not each))
        )

    def _adds(self, each: AdapterSight) -> bool:
        """Whether it delivers a member that the active one does not."""
        return bool(each.covers - self.active.covers) and self.active.delivers

    def _unheard(self) -> frozenset[str]:
        """Members that some adapter is known to cover, and the active one does not deliver."""
        return frozenset().union(*(each.known for each in self.order)) - self.active.covers

    def _tried(self) -> list[AdapterSight]:
        """The active one is in doubt: it and the reserve whose turn it is, the first of the list having precedence."""
        active, memory = self.active, self.memory
        reserves = [each for each in self.order if each is not active]
        ring = [active, *reserves] if active.is_exclusive else reserves
        turn = self.by_id.get(memory.turn)
        least_s = min(TURN_CAP_S, TURN_FIRST_S * TURN_FACTOR ** min(memory.rounds, 10))
        if turn is None:
            is_over = not active.is_exclusive or (active.vain > 0 and not active.has_session)
            tried = memory.tried | ({active.id} if active.is_exclusive else set())
        else:
            turn_s = self.now - memory.turn_t
            is_vain = turn.vain > 0 or turn_s >= turn.patience_s
            is_over = not turn.delivers and is_vain and turn_s >= least_s
            tried = memory.tried | {turn.id}
        if is_over:
            turn = next((each for each in ring if each.id not in tried), None)
            if turn is None:
                if not active.delivers:
                    if not memory.rounds:
                        self._note(Why.ALL_DOWN, active, "no adapter delivers; all are tried again and again")
                    memory = replace(memory, rounds=memory.rounds + 1)
                tried = frozenset()
                turn = ring[0] if ring else active
            elif not memory.rounds:
                self._note(Why.TRYING, turn, f"{active.id} is in doubt: trying {turn.id}")
            memory = replace(memory, turn=turn.id, turn_t=self.now, tried=frozenset(tried))
        self.memory = memory
        if turn is None:
            return [active]
        if memory.rounds:  # everything failed once: whoever returns first is welcome
            return [turn, active, *reserves]
        return [turn, active]

    def _probed(self) -> list[AdapterSight]:
        """The active one delivers: those that would be better and are worth a look now."""
        active, memory = self.active, self.memory
        unheard = self._unheard()
        place = self.order.index(active)
        worth = [
            each
            for number, each in enumerate(self.order)
            if each is not active
            and not each.is_hot
            and (number < place or each.known & unheard)
            and not (each.is_exclusive and active.is_exclusive)
        ]
        going_on = {each.id for each in worth if each.id in memory.probing and self._is_worth(each)}
        if memory.probing - going_on or (worth and memory.probe_t == -math.inf):
            memory = replace(memory, probe_t=self.now + self.timing.probe_every_s)
        if worth and not going_on and self.now >= memory.probe_t:
            going_on = {each.id for each in worth}
            memory = replace(memory, probe_t=self.now + self.timing.probe_every_s)
        self.memory = replace(memory, probing=frozenset(going_on))
        return [each for each in worth if each.id in going_on]

    def _is_worth(self, each: AdapterSight) -> bool:
        """Whether a probe goes on: it delivers what counts, or its time is not over yet."""
        if each.delivers and self.order.index(each) < self.order.index(self.active):
            return True
        begun_t = self.memory.probe_t - self.timing.probe_every_s
        return self._adds(each) or (each.vain == 0 and self.now - begun_t < each.patience_s)
