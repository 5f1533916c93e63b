"""I3 and I5: while anything is unsafe no ON goes out, OFF is tried without end, and arrives where it can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.drivers.kasa.state import SET_S
from tests.fermenter.oracle.check import Check
from tests.fermenter.oracle.display import PROVEN_S
from tests.fermenter.plugs import Cause

if TYPE_CHECKING:
    from holdfast.hub.hub import Hub
    from tests.fermenter.oracle.facts import PlugFacts
    from tests.fermenter.plugs import Move, WireCall

ACTS_S: Final = 30.0
"""T_off: time to act on a safety condition."""
BETWEEN_S: Final = 10.0 + 5.5
"""From the end of one attempt to the next: T_cycle, and a read that may be in the way."""
ARRIVES_S: Final = 10.0 + 15.0
"""T_cycle + 15 s after a plug became reachable."""
LINGERS_S: Final = 25.0
"""The library itself gives up after 23 s (fact sheet on plugs, section 3), also where it swallows its cancellation."""
MIN_ON_S: Final = {"heater": 60.0, "fridge": 180.0}
DEAD_MAN_S: Final = 600.0


class FailSafe(Check):
    """No ON while unsafe, and OFF attempts without end."""

    name = "I3 fail-safe"

    def __init__(self, *more: object) -> None:
        super().__init__(*more)  # type: ignore[arg-type]
        self._unproven: dict[str, float | None] = {"heater": None, "fridge": None}
        self._held: dict[str, float] = {}

    def hub_starts(self, hub: Hub) -> None:
        """See `Check`."""
        self._unproven = dict.fromkeys(self._unproven)

    def call_begun(self, plug: PlugFacts, call: WireCall) -> None:
        """See `Check`."""
        if call.what not in ("on", "on+arm") or plug.is_rewound:
            return
        self.facts.look()
        self.judged += 1
        since = self.facts.unsafe(plug.ident)
        if since is not None and plug.prepared_t - since > 0.01:
            self.fail(
                f"{plug.ident} is told ON {self.facts.now - since:.1f} s into: {self.facts.why_unsafe(plug.ident)}"
            )

    def look(self) -> None:
        """See `Check`."""
        facts = self.facts
        for ident, plug in facts.plugs.items():
            since = facts.unsafe(ident)
            if since is None or plug.is_proven(is_on=False, now=facts.now, within_s=PROVEN_S):
                self._unproven[ident] = None
                continue
            start = self._unproven[ident]
            if start is None:
                start = self._unproven[ident] = facts.now
            if any(call.what in ("connect", "off") for call in plug.open_calls):
                continue
            # One request at a time: a call that does not let go when it is cancelled holds up the next one.
            if any(SET_S < facts.now - call.begun_t < LINGERS_S for call in plug.open_calls):
                self._held[ident] = facts.now
                continue
            if plug.is_rebuffing:
                continue
            held_t = self._held.get(ident, 0.0)
            due = max(start, since + ACTS_S - BETWEEN_S, plug.tried_t, held_t) + BETWEEN_S
            self.judged += 1
            if facts.now > due:
                self.fail(
                    f"{ident} is not proven off for {facts.now - start:.0f} s ({facts.why_unsafe(ident)}), and the last"
                    f" attempt ended {facts.now - plug.tried_t:.0f} s ago"
                )


class NoLockout(Check):
    """A needed OFF arrives at a plug that can be reached, and a needed ON too; a plug left alone ends by itself."""

    name = "I5 no lockout"

    def __init__(self, *more: object) -> None:
        super().__init__(*more)  # type: ignore[arg-type]
        self._needed: dict[tuple[str, str], float] = {}
        self._armed_t: dict[str, float] = {}

    def hub_starts(self, hub: Hub) -> None:
        """See `Check`."""
        self._needed.clear()

    def moved(self, plug: PlugFacts, move: Move) -> None:
        """See `Check`."""
        for key in [key for key in self._needed if key[0] == plug.ident]:
            del self._needed[key]
        if move.is_on and move.cause is not Cause.HUB:
            self._armed_t.pop(plug.ident, None)

    def call_ended(self, plug: PlugFacts, call: WireCall) -> None:
        """See `Check`."""
        if call.what in ("on+arm", "arm", "on") and call.acted_t < float("inf"):
            self._armed_t[plug.ident] = call.acted_t

    def look(self) -> None:
        """See `Check`."""
        facts = self.facts
        for ident, plug in facts.plugs.items():
            is_on = plug.plug.is_on
            if not is_on or not plug.is_well or facts.is_stopping:
                self._forget(ident)
                continue
            self._due(ident, "unsafe", ARRIVES_S, is_needed=facts.unsafe(ident) is not None)
            limits, t = facts.limits(), facts.temperature
            is_beyond = limits is not None and t is not None and not facts.is_taken(ident)
            if is_beyond and limits is not None and t is not None:
                is_beyond = t >= limits[1] if ident == "heater" else t <= limits[0]
            # A run that has just begun is not cut short.
            self._due(ident, "beyond the limit", ARRIVES_S + MIN_ON_S[ident], is_needed=is_beyond)

    def look_down(self) -> None:
        """See `Check`."""
        facts = self.facts
        for ident, plug in facts.plugs.items():
            armed_t = self._armed_t.get(ident)
            last = plug.moves[-1] if plug.moves else None
            if armed_t is None or not plug.plug.is_on or last is None or last.cause is not Cause.HUB:
                continue
            self.judged += 1
            has_timer = plug.has_lost_power_at is None or plug.has_lost_power_at < armed_t
            if has_timer and facts.now > armed_t + DEAD_MAN_S + 1.0:
                self.fail(f"{ident} is on without a hub, {facts.now - armed_t:.0f} s after its timer was set")

    def _due(self, ident: str, why: str, within_s: float, *, is_needed: bool) -> None:
        key = (ident, why)
        if not is_needed:
            self._needed.pop(key, None)
            return
        facts = self.facts
        since = self._needed.setdefault(key, facts.now)
        well_since = facts.plugs[ident].well_since
        assert well_since is not None
        start = max(since, well_since, facts.up_since, facts.plugs[ident].rebuffing_until_t)
        self.judged += 1
        if facts.now > start + within_s + 1.0:
            what = facts.why_unsafe(ident) if why == "unsafe" else why
            self.fail(f"{ident} is on and reachable, and should be off for {facts.now - start:.0f} s: {what}")

    def _forget(self, ident: str) -> None:
        for key in [key for key in self._needed if key[0] == ident]:
            del self._needed[key]
