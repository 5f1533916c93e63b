"""I8: an OFF that is decided is on the wire at once, and the control cycle goes on whatever the plugs do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.hub.events import Kind
from tests.fermenter.oracle.check import Check
from tests.fermenter.oracle.facts import ROLES

if TYPE_CHECKING:
    from holdfast.hub.events import Record
    from holdfast.hub.hub import Hub
    from tests.fermenter.oracle.facts import PlugFacts
    from tests.fermenter.plugs import WireCall

AT_ONCE_S: Final = 0.5
CYCLE_S: Final = 10.0
WELL_S: Final = 30.0
"""A plug that is well for so long has a session and nothing to catch up with."""


class Latency(Check):
    """See the module."""

    name = "I8 latency"

    def __init__(self, *more: object) -> None:
        super().__init__(*more)  # type: ignore[arg-type]
        self._wanted: dict[str, str] = {}
        self._due: dict[str, float] = {}
        self._reason: tuple[str, float] = ("", 0.0)

    def hub_starts(self, hub: Hub) -> None:
        """See `Check`."""
        self._wanted, self._due = {}, {}
        self._reason = ("", self.facts.now)

    def hub_stops(self) -> None:
        """See `Check`."""
        self._due = {}

    def heard(self, record: Record) -> None:
        """See `Check`."""
        if record.kind is not Kind.EVENT or record.payload["kind"] != "control":
            return
        wanted = record.payload.get("wanted")
        if wanted is None:
            return
        for ident, role in ROLES.items():
            before, now = self._wanted.get(role), wanted.get(role)
            plug = self.facts.plugs[ident]
            if before == "on" and now in ("off", "safety off") and self._is_idle(plug):
                self._due[ident] = self.facts.now
        self._wanted = dict(wanted)

    def _is_idle(self, plug: PlugFacts) -> bool:
        facts = self.facts
        has_been_well = plug.is_well and facts.now - max(plug.well_since or 0.0, facts.slept_s) > WELL_S
        look = plug.sure(facts.now)
        return (
            has_been_well
            and look is not None
            and look.is_on
            and not plug.open_calls
            and facts.up_s() > WELL_S
        )

    def call_begun(self, plug: PlugFacts, call: WireCall) -> None:
        """See `Check`."""
        begun_t = self._due.get(plug.ident)
        if call.what == "off" and begun_t is not None:
            self.judged += 1
            del self._due[plug.ident]
            if self.facts.now - begun_t > AT_ONCE_S:
                self.fail(f"OFF for {plug.ident} took {self.facts.now - begun_t:.2f} s to the wire")

    def look(self) -> None:
        """See `Check`."""
        facts = self.facts
        for ident, begun_t in list(self._due.items()):
            plug = facts.plugs[ident]
            look = plug.sure(facts.now)
            if plug.well_since is None or facts.is_taken(ident) or (look is not None and not look.is_on):
                del self._due[ident]
            elif facts.now - begun_t > AT_ONCE_S:
                del self._due[ident]
                self.fail(f"OFF for {ident} was decided at {begun_t:.2f} and is not on the wire")
        self._cycle()

    def _cycle(self) -> None:
        facts = self.facts
        if not facts.is_shown_anew:
            return
        reason = str(facts.value("fermenter/reason"))
        if reason != self._reason[0] or facts.is_stopping:
            self._reason = (reason, facts.now)
        elif " s yet" in reason:
            self.judged += 1
            if facts.now - self._reason[1] > CYCLE_S + 1.0:
                self.fail(f"no decision for {facts.now - self._reason[1]:.0f} s: it says {reason!r}")
