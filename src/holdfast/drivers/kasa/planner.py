"""What to do now for a plug: send, look again while it settles, and keep its own timer wound up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.drivers.kasa.dead_man import LAST_CALL_AT, RENEW_AT, armed_s
from holdfast.drivers.kasa.state import DEAD_MAN, LATE_EFFECT_S, POLL_S, SETTLE_S, SWITCH, PlugState
from holdfast.drivers.kasa.witness import Objection, objection_of
from holdfast.link.planner import Action, Read, Step, Wait, Warn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdfast.link.planner import Seen, Sight, WireLog, Wish

GROUP: Final = "live"
NOTHING: Final = ""
"""The group that a switching step names to be read at once: none. Before its settle time a look proves nothing, and of
a slow plug it costs the time in which the next one could."""
LOOK_AGAIN_S: Final = 0.75
"""Between two looks at a relay that may be slow: a few of them fit into the time that it may take."""
RENEW_PAUSE_SHARE: Final = 1 / 30
RENEW_PAUSE_LEAST_S: Final = 1.0
"""After a renewal that did not show, the next one comes so much later: 20 s of 600, so ten tries are left."""


@dataclass(frozen=True, slots=True)
class Switch:
    """Switch the relay; ``dead_man_s`` above 0 also makes the plug switch itself off so much later."""

    is_on: bool
    dead_man_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Renew:
    """Set the plug's own timer, and nothing else."""

    dead_man_s: float


@dataclass(frozen=True, slots=True)
class Rewind:
    """Start the timer of a newer plug by telling it to be on, if it still is: where a renewal did not show."""

    dead_man_s: float


Payload = Switch | Renew | Rewind


@dataclass(frozen=True, slots=True)
class KasaPlanner:
    """One wish, one step. While nobody wishes anything, a relay that is on keeps its timer (with ``dead_man_s``)."""

    dead_man_s: float = 0.0

    def __call__(self, wishes: Sequence[Wish], seen: Seen, sent: WireLog, now: float) -> Iterable[Action]:
        """See `Planner`."""
        sight = seen.get(("", GROUP))
        if sight is None:
            yield Wait(
                now + POLL_S
            )  # what a new session sees first may be what the last one saw, and tell nobody
        else:
            yield from self._doubt(sight, now)
        if self.dead_man_s and sight is not None:
            yield from self._warn(sight, sent)
        for wish in wishes:
            yield from self._serve(wish, sight, sent, now)
        if self.dead_man_s and not wishes and sight is not None:
            yield from self._keep_armed(sight, sent, now)

    def _serve(self, wish: Wish, sight: Sight | None, sent: WireLog, now: float) -> Iterable[Action]:
        if wish.try_at <= now:
            arms = bool(wish.value) and self.dead_man_s > 0.0
            yield Step(
                tag=SWITCH,
                payload=Switch(bool(wish.value), self.dead_man_s if arms else 0.0),
                serves=(wish.key,),
                final=(wish.key,),
                marks=(DEAD_MAN,) if arms else (),
                is_urgent=wish.is_urgent,
                group=NOTHING,
            )
            return
        sent_t = sent[SWITCH].t
        if wish.sends == 0 or now >= sent_t + SETTLE_S + LATE_EFFECT_S:
            yield Wait(wish.try_at, wish.key)
            return
        look_t = sent_t + SETTLE_S
        if sight is not None and sight.as_of.t >= look_t:
            look_t = sight.as_of.t + LOOK_AGAIN_S
        if now < look_t:
            yield Wait(min(look_t, wish.try_at), wish.key)
            return
        yield Wait(min(now + LOOK_AGAIN_S, wish.try_at), wish.key)  # an answer that is lost asks nobody
        yield Read("", GROUP)

    def _keep_armed(self, sight: Sight, sent: WireLog, now: float) -> Iterable[Action]:
        state: PlugState = sight.raw
        timer = state.timer
        if not state.is_on or timer is None or not timer.is_supported or sight.as_of.n < sent[SWITCH].n:
            return
        whole_s = armed_s(self.dead_man_s, is_smart=timer.is_smart)
        ends_t = sight.as_of.t + (timer.left_s or 0.0)
        pause_s = max(RENEW_PAUSE_LEAST_S, whole_s * RENEW_PAUSE_SHARE)
        due_t = max(ends_t - whole_s * RENEW_AT, sent[DEAD_MAN].t + pause_s)
        if now < due_t:
            yield Wait(due_t)
            return
        is_last_call = timer.is_smart and ends_t - now <= whole_s * LAST_CALL_AT
        was_tried = sent[DEAD_MAN].t > -float("inf")
        payload = Rewind if is_last_call and was_tried else Renew
        yield Step(tag=DEAD_MAN, payload=payload(self.dead_man_s), serves=(), final=())

    def _doubt(self, sight: Sight, now: float) -> Iterable[Action]:
        """What the meter says against the relay, each under the key of what is to be looked at."""
        state: PlugState = sight.raw
        if objection_of(is_on=state.is_on, power=state.power) is None:
            return
        witness = state.witness
        # Equal looks tell nobody, nor does a meter that vanished: so it is thought over with every poll.
        think_t = now + POLL_S
        if witness.objection is not None and witness.is_sure(now):
            key = "power" if witness.objection is Objection.IDLE else SWITCH
            yield Warn(key, witness.objection.value)
        elif witness.objection is not None and witness.due_t > now:
            think_t = min(think_t, witness.due_t)
        yield Wait(think_t)

    def _warn(self, sight: Sight, sent: WireLog) -> Iterable[Action]:
        state: PlugState = sight.raw
        if not state.is_on or state.timer is None:
            return
        if not state.timer.is_supported:
            yield Warn(DEAD_MAN, "the plug is on and has no timer of its own: only the hub can switch it off")
        elif state.timer.left_s is None and -1 < sent[DEAD_MAN].n < sight.as_of.n:
            yield Warn(
                DEAD_MAN, "the plug is on and its own timer is not armed: only the hub can switch it off"
            )
