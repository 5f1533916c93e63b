"""I6: rests and pauses are kept, and nothing chatters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from holdfast.hub.events import Kind
from tests.fermenter.oracle.check import Check
from tests.fermenter.oracle.facts import OTHER
from tests.fermenter.plugs import SETS, Cause

if TYPE_CHECKING:
    from holdfast.hub.events import Record
    from holdfast.hub.hub import Hub
    from tests.fermenter.oracle.facts import PlugFacts
    from tests.fermenter.plugs import Move, WireCall

REST_S: Final = {"heater": 60.0, "fridge": 300.0}
DEAD_TIME_S: Final = 600.0
SENDS: Final = 4
"""Set commands on the wire for one attempt at most, whatever the library does within it."""
ATTEMPTS_S: Final = 12.0
"""From one attempt of a command to the next: a set of 5 s, its settling, a read of 4 s and a pause."""
TWO_SESSIONS_S: Final = 1.0
ROUNDING_S: Final = 0.05


class Rests(Check):
    """A relay that the hub closes has rested, and so has the other one, counted from when it was seen open."""

    name = "I6 rests"

    def moved(self, plug: PlugFacts, move: Move) -> None:
        """See `Check`."""
        if not move.is_on or move.cause is not Cause.HUB:
            return
        told = next((c for c in reversed(plug.sets) if c.what != "off" and c.begun_t <= move.t), None)
        if told is None:
            return  # told by a hub that is gone
        self.judged += 1
        if not self._is_tried_again(plug, told):
            self._rested(plug, move, plug, REST_S[plug.ident], told.begun_t, "its own rest")
        other = self.facts.plugs[OTHER[plug.ident]]
        self._rested(plug, move, other, DEAD_TIME_S, told.begun_t, f"since {other.ident}")

    def _is_tried_again(self, plug: PlugFacts, told: WireCall) -> bool:
        """Whether it follows the attempt before it: a hand in between looks like a plug that did not obey."""
        before = [each for each in plug.sets if each.what != "off" and each.begun_t < told.begun_t]
        return bool(before) and told.begun_t - before[-1].begun_t < ATTEMPTS_S

    def _rested(
        self, plug: PlugFacts, move: Move, which: PlugFacts, least_s: float, told_t: float, what: str
    ) -> None:
        facts = self.facts
        opened_t = which.opened_t(move.t)
        if opened_t == -math.inf:
            return
        rest_s = facts.steady_at(move.t) - facts.steady_at(opened_t)
        if rest_s >= least_s - ROUNDING_S:
            return
        if not which.was_seen(is_on=False, since_t=opened_t, until_t=told_t) and opened_t > facts.up_since:
            return  # nobody could know that it had opened
        closed = next(
            (m for m in reversed(which.moves) if m.is_on and m.t <= opened_t and m is not move), None
        )
        if closed is None or closed.cause is not Cause.HUB:
            begun_t = -math.inf if closed is None else closed.t
            if not which.was_seen(is_on=True, since_t=begun_t, until_t=opened_t + 4.0):
                return  # a person closed and opened it, and nobody could see it
        self.fail(
            f"the hub closes {plug.ident} {rest_s:.1f} s after {which.ident} opened ({what}: {least_s:g} s)"
        )


class Wire(Check):
    """One request at a time and one session for each plug, and few commands for one attempt."""

    name = "I6 wire"

    def __init__(self, *more: object) -> None:
        super().__init__(*more)  # type: ignore[arg-type]
        self._two_since: dict[str, float] = {}
        self._sends: dict[str, int] = {"heater": 0, "fridge": 0}

    def hub_starts(self, hub: Hub) -> None:
        """See `Check`."""
        self._two_since.clear()
        self._sends = dict.fromkeys(self._sends, 0)

    def heard(self, record: Record) -> None:
        """See `Check`."""
        if record.kind is Kind.EVENT and record.payload["kind"] in ("sent", "renewal"):
            self._sends[record.payload["device"]] = 0

    def call_begun(self, plug: PlugFacts, call: WireCall) -> None:
        """See `Check`."""
        self.judged += 1
        if len(plug.open_calls) > 1:
            names = [each.what for each in plug.open_calls]
            self.fail(f"{len(names)} requests are in flight to {plug.ident} at once: {names}")
        if call.life is None or call.life.is_over:
            self.fail(f"a hub that is gone sends {call.what} to {plug.ident}")
        if call.what in SETS:
            self._sends[plug.ident] += 1
            if self._sends[plug.ident] > SENDS:
                self.fail(f"{self._sends[plug.ident]} commands to {plug.ident} for one attempt")

    def look(self) -> None:
        """See `Check`."""
        for ident, plug in self.facts.plugs.items():
            if plug.plug.open_objects < 2:
                self._two_since.pop(ident, None)
            elif self.facts.now - self._two_since.setdefault(ident, self.facts.now) > TWO_SESSIONS_S + 1.0:
                self.fail(f"{plug.plug.open_objects} sessions with {ident} at once")
