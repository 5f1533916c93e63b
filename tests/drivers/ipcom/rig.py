"""A little core and a little bus around the planner, in time of its own: what the desk does, in a hundred lines.

The bus carries writes with a latency of their own and loses some; wall switches move relays behind everybody's back.
The rig judges from the relays' side: what each frame energised, and how long its partner had rested.
"""

from __future__ import annotations

import heapq
import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.drivers.ipcom.capabilities import capabilities, projection, proofs
from holdfast.drivers.ipcom.planner import IpcomPlanner
from holdfast.drivers.ipcom.wiring import Place
from holdfast.link.planner import Cell, Done, Read, Refuse, Sight, Step, Wait, WireLog, Wish
from holdfast.model import Authority, Stamp, Value

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from holdfast.drivers.ipcom.messages import ModuleWrite
    from holdfast.drivers.ipcom.options import IpcomOptions

SPACING_S, ACK_S, REPLY_S, POLL_S, REREAD_S = 0.2, 0.03, 0.65, 0.35, 0.1


@dataclass
class World:
    """How the bus and the network behave."""

    latency_s: tuple[float, float] = (0.0, 0.6)
    keeps_order: bool = True
    drops: float = 0.1
    reply_s: tuple[float, float] = (0.0, 0.12)
    lost_replies: float = 0.05


@dataclass
class Open:
    """A wish as the rig keeps it."""

    wish: Wish
    sent_n: int = -1
    fresh_after_t: float = -math.inf
    deadline_t: float = math.inf


@dataclass
class Energised:
    """A relay that a frame switched on: when, and what was known when the frame was made."""

    relay: Place
    t: float
    rest_s: float
    is_partner_on: bool
    as_of: Stamp
    was_wished: bool


@dataclass
class Relay:
    """The physical side of one relay."""

    is_on: bool = False
    on_t: float = -math.inf
    off_t: float = -math.inf
    by_wall: bool = False
    was_seen_on: bool = True
    ons: list[float] = field(default_factory=list)


class Rig:
    """One house under random treatment."""

    def __init__(self, options: IpcomOptions, rng: random.Random, world: World | None = None) -> None:
        self.options = options
        self.rng = rng
        self.world = world or World()
        self.planner = IpcomPlanner(options)
        self.project = projection(options)
        self.shows = proofs(options)
        self.capabilities = {each.key: each for each in capabilities(options)}
        self.now = 100.0
        self.n = 0
        self.log = WireLog()
        self.wishes: dict[str, Open] = {}
        self.doubts: dict[str, tuple[Value, Stamp]] = {}
        self.ended: list[tuple[str, Value, str]] = []
        self.frames: list[tuple[float, ModuleWrite, Step]] = []
        self.energised: list[Energised] = []
        self.warnings: set[str] = set()
        self.state = bytearray(128)
        self.relays = {relay: Relay() for cover in options.covers for relay in cover.relays}
        self.partners = {relay: cover.partner(relay) for cover in options.covers for relay in cover.relays}
        self.sight: Sight | None = None
        self.values: dict[str, Value] = {}
        self.life = 0
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._slot_free_t = self.now
        self._slot: object | None = None
        self._last_step_t = -math.inf
        self._bus_free_t = self.now
        self._confirm = 0
        self.at(self.now, self._grid)

    # --- time -------------------------------------------------------------------------------------------------

    def at(self, t: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (max(t, self.now), next(self._order), action))

    def run(self, seconds: float) -> None:
        end_t = self.now + seconds
        while self._queue and self._queue[0][0] <= end_t:
            self.now, _, action = heapq.heappop(self._queue)
            action()
        self.now = end_t

    def stamp(self) -> Stamp:
        self.n += 1
        return Stamp(self.now, self.n)

    # --- wishes -----------------------------------------------------------------------------------------------

    def command(self, key: str, value: Value, authority: Authority = Authority.PERSON) -> None:
        before = self.wishes.pop(key, None)
        if before is not None:
            self.ended.append((key, before.wish.value, "superseded"))
        issued = self.stamp()
        is_urgent = value in self.capabilities[key].urgent
        self.wishes[key] = Open(
            Wish(key, value, authority, 0, self.now, issued, is_urgent), deadline_t=self.now + 10
        )
        self.at(self.now + 10.0, self.expire)
        self.ask()

    def expire(self) -> None:
        for key, each in list(self.wishes.items()):
            if each.deadline_t <= self.now:
                self._end(key, "expired")

    def _end(self, key: str, how: str) -> None:
        each = self.wishes.pop(key, None)
        if each is not None:
            self.ended.append((key, each.wish.value, how))

    # --- the desk ---------------------------------------------------------------------------------------------

    def ask(self) -> None:
        if self._slot is not None or (self.sight is None and not self.wishes):
            return
        wishes = [each.wish for each in self.wishes.values()]
        hold_until_t = self._last_step_t + SPACING_S
        seen = {} if self.sight is None else {("", "outputs"): self.sight}
        wake_t = math.inf
        for action in self.planner(wishes, seen, self.log, self.now):
            match action:
                case Wait(until):
                    wake_t = min(wake_t, until)
                case Refuse(key, _):
                    self._end(key, "refused")
                case Done(key):
                    self._end(key, "done")
                case Read():
                    self._read()
                    return
                case Step():
                    if self.now < hold_until_t and not action.is_urgent:
                        wake_t = min(wake_t, hold_until_t)
                        continue
                    self._step(action)
                    return
                case warning:
                    self.warnings.add(warning.text)
        if wake_t < math.inf:
            self.at(max(wake_t, self.now + 1e-6), self.ask)

    def _step(self, step: Step) -> None:
        write: ModuleWrite = step.payload
        stamp = self.stamp()
        self._last_step_t = self.now
        self.check_frame(write)
        self.frames.append((self.now, write, step))
        for tag in (step.tag, *step.marks):
            self.log.note(tag, stamp)
        for key in step.final:
            each = self.wishes[key]
            doubt = self.doubts.get(key)
            if doubt is not None and doubt[0] != each.wish.value:
                each.fresh_after_t = doubt[1].t + self.options.bus_latency_s
            self.doubts[key] = (each.wish.value, stamp)
            each.sent_n = stamp.n
            each.wish = each.wish._replace(sends=each.wish.sends + 1, try_at=math.inf)
        self._put_on_bus(write, step)
        slot = self._slot = object()
        self.at(self.now + ACK_S, lambda: self._step_ended(step, slot))

    def _step_ended(self, step: Step, slot: object) -> None:
        if self._slot is not slot:
            return
        self._slot = None
        for key in step.final:
            each = self.wishes.get(key)
            if each is not None and each.wish.try_at == math.inf and each.wish.sends < 3:
                each.wish = each.wish._replace(try_at=self.now + 1.5)
        self._read()
        self.at(self.now + REREAD_S, self._read)

    def _grid(self) -> None:
        self.at(self.now + POLL_S, self._grid)
        self._read()

    def _read(self) -> None:
        if self._slot is not None:
            return
        asked = self.stamp()
        slot, life = object(), self.life
        self._slot = slot
        if self.rng.random() < self.world.lost_replies:
            self.at(self.now + REPLY_S, lambda: self._timed_out(slot))
            return
        one, two = (self.rng.uniform(*self.world.reply_s) / 2 for _ in range(2))
        self.at(self.now + one, lambda: self._look(asked, slot, life, two))

    def _timed_out(self, slot: object) -> None:
        if self._slot is slot:
            self._slot = None
            self.ask()

    def _look(self, asked: Stamp, slot: object, life: int, back_s: float) -> None:
        state = bytes(self.state)
        self.at(self.now + back_s, lambda: self._observed(state, asked, slot, life))

    def _observed(self, state: bytes, asked: Stamp, slot: object, life: int) -> None:
        if self._slot is slot:
            self._slot = None
        if life != self.life:
            return
        for place, relay in self.relays.items():
            if state[place.offset] and relay.is_on:
                relay.was_seen_on = True
        self.values = dict(self.project("", "outputs", state, self.values))
        before = {} if self.sight is None else self.sight.cells
        seen = Stamp(self.now, asked.n)
        cells = {
            key: before[key] if key in before and before[key].value == value else Cell(value, seen)
            for key, value in self.values.items()
        }
        self.n += 1
        self.sight = Sight(asked, self.now, state, cells)
        for key, each in list(self.wishes.items()):
            is_after = each.wish.sends > 0 and asked.n > each.sent_n and asked.t >= each.fresh_after_t
            if is_after and self.shows(key, each.wish.value, self.values[key]):
                self.doubts.pop(key, None)
                self._end(key, "verified")
        self.ask()

    # --- trouble ----------------------------------------------------------------------------------------------

    def lose_session(self, *, forget_all: bool = False) -> None:
        """The connection drops and comes back; with ``forget_all`` the program restarts."""
        self.life += 1
        self.sight = None
        self._slot = None
        if forget_all:
            self.log = WireLog()
            self.wishes.clear()
            self.doubts.clear()
            self.values = {}
        for each in self.wishes.values():
            if each.wish.try_at == math.inf and each.wish.sends < 3:
                each.wish = each.wish._replace(try_at=self.now + 1.5)
        self._read()

    # --- the bus and the house ----------------------------------------------------------------------------------

    def check_frame(self, write: ModuleWrite) -> None:
        """Never both relays of a pair in one frame."""
        for cover in self.options.covers:
            on = [r for r in cover.relays if r.module == write.module and write.values[r.output - 1]]
            assert len(on) < 2, f"both relays of {cover.key} in one frame"

    def _put_on_bus(self, write: ModuleWrite, step: Step) -> None:
        if self.rng.random() < self.world.drops:
            return
        due_t = self.now + self.rng.uniform(*self.world.latency_s)
        if self.world.keeps_order:
            due_t = self._bus_free_t = max(due_t, self._bus_free_t)
        assert self.sight is not None
        as_of = self.sight.as_of
        covers = {cover.key: cover for cover in self.options.covers}
        wished = {key for key in step.serves if key in covers}
        self.at(due_t, lambda: self._execute(write, as_of, wished))

    def _execute(self, write: ModuleWrite, as_of: Stamp, wished: set[str]) -> None:
        for index, value in enumerate(write.values):
            place = Place(write.module, index + 1)
            if value and place in self.relays and not self.relays[place].is_on:
                partner = self.relays[self.partners[place]]
                cover = next(c.key for c in self.options.covers if place in c.relays)
                rest_s = 0.0 if partner.is_on else self.now - partner.off_t
                entry = Energised(place, self.now, rest_s, partner.is_on, as_of, cover in wished)
                self.energised.append(entry)
            self._set(place, value, by_wall=False)

    def press(self, place: Place, value: int) -> None:
        """A wall switch."""
        self._set(place, value, by_wall=True)

    def _set(self, place: Place, value: int, *, by_wall: bool) -> None:
        self.state[place.offset] = value
        relay = self.relays.get(place)
        if relay is None:
            return
        if value and not relay.is_on:
            relay.is_on, relay.on_t, relay.by_wall, relay.was_seen_on = True, self.now, by_wall, False
        elif not value and relay.is_on:
            relay.is_on, relay.off_t = False, self.now

    def violations(self, dead_time_s: float) -> Iterator[Energised]:
        """Starts that came too soon after the partner's rest began."""
        return (each for each in self.energised if each.is_partner_on or each.rest_s < dead_time_s)
