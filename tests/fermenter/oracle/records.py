"""I11: every command on the wire has one record of its sending and one of its result, and failures have reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from holdfast.hub.events import Kind
from tests.fermenter.oracle.check import Check
from tests.fermenter.plugs import SETS

if TYPE_CHECKING:
    from holdfast.hub.events import Record
    from holdfast.hub.hub import Hub
    from tests.fermenter.oracle.facts import PlugFacts
    from tests.fermenter.plugs import WireCall

RESULT_S: Final = 60.0
"""A command has ended forty seconds after it was given at the worst, and an order is sent again after 20."""
STEP_S: Final = 6.0
"""A step's call is over by then: 5 s, and the core's own deadline behind it."""


class Records(Check):
    """See the module."""

    name = "I11 records"

    def __init__(self, *more: object) -> None:
        super().__init__(*more)  # type: ignore[arg-type]
        self._open: dict[str, tuple[float, str]] = {}
        self._to_come: list[tuple[float, str, Any]] = []
        self._failed: set[str] = set()
        self._seen: set[str] = set()

    def hub_starts(self, hub: Hub) -> None:
        """See `Check`."""
        self._open, self._to_come, self._seen, self._failed = {}, [], set(), set()

    def hub_ended(self, *, is_killed: bool) -> None:
        """See `Check`."""
        if not is_killed:
            for ident, (_, target) in self._open.items():
                self.fail(f"attempt {ident} at {target} has no result although the hub has ended in order")
        self._open = {}

    def heard(self, record: Record) -> None:
        """See `Check`."""
        if record.kind is not Kind.EVENT:
            return
        told = record.payload
        match told["kind"]:
            case "sent":
                self._sent(told)
            case "result":
                self._result(told)
            case "error":
                self.judged += 1
                if not str(told.get("reason") or "").strip():
                    self.fail(f"an error without a reason: {told}")
                self._failed.discard(told["attempt"])

    def _sent(self, told: dict[str, Any]) -> None:
        self.judged += 1
        ident, device = told["attempt"], told["device"]
        # An order that ended before a late store could hear of it is carried out once more, by its old name.
        if ident in self._seen and self.facts.cellar.was_restored:
            self.fail(f"attempt {ident} is told as sent twice")
        self._seen.add(ident)
        self._open[ident] = (self.facts.now, told["target"])
        self._to_come.append((self.facts.now, device, told["value"]))

    def _result(self, told: dict[str, Any]) -> None:
        self.judged += 1
        if self._open.pop(told["attempt"], None) is None:
            self.fail(f"a result of an attempt that is not open: {told}")
        if told["outcome"] in ("failed", "expired"):
            self._failed.add(told["attempt"])
            if not str(told["reason"]).strip():
                self.fail(f"a failed result without a reason: {told}")

    def call_begun(self, plug: PlugFacts, call: WireCall) -> None:
        """See `Check`."""
        if call.what not in SETS or plug.is_rewound:
            return
        self.judged += 1
        wanted = call.what != "off"
        for place, (at, ident, value) in enumerate(self._to_come):
            if ident == plug.ident and value is wanted and self.facts.now - at <= STEP_S:
                del self._to_come[place]
                return
        self.fail(f"{call.what} goes to {plug.ident} and nobody told that it was sent")

    def look(self) -> None:
        """See `Check`."""
        now = self.facts.now
        self._to_come = [each for each in self._to_come if now - each[0] <= STEP_S]
        for ident, (at, target) in list(self._open.items()):
            plug = self.facts.plugs[target.partition("/")[0]]
            if not plug.is_well:  # its attempt may be open until it answers
                continue
            if now - max(at, plug.well_since or now) > RESULT_S and not self.facts.is_stopping:
                self._open.pop(ident)
                self.fail(f"attempt {ident} at {target} has no result after {RESULT_S:g} s")
        for ident in list(self._failed):
            self._failed.discard(ident)
            self.fail(f"the failed attempt {ident} has no line in the error log")
