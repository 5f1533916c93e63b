"""I2: heater and cooler are never both wanted, and no ON goes out unless the other one is proven off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.hub.events import Kind
from tests.fermenter.oracle.check import Check
from tests.fermenter.oracle.display import PROVEN_S
from tests.fermenter.oracle.facts import OTHER

if TYPE_CHECKING:
    from holdfast.hub.events import Record
    from tests.fermenter.oracle.facts import PlugFacts
    from tests.fermenter.plugs import WireCall


class Exclusion(Check):
    """See the module."""

    name = "I2 exclusion"

    def heard(self, record: Record) -> None:
        """See `Check`."""
        if record.kind is Kind.EVENT and record.payload["kind"] == "control" and "wanted" in record.payload:
            self.judged += 1
            wanted = record.payload["wanted"]
            if list(wanted.values()).count("on") > 1:
                self.fail(f"both are wanted: {wanted}")

    def call_begun(self, plug: PlugFacts, call: WireCall) -> None:
        """See `Check`."""
        if call.what not in ("on", "on+arm"):
            return
        self.judged += 1
        # A newer plug is told about its timer first; the decision was made before that.
        when = call.begun_t if call.what == "on+arm" else plug.prepared_t
        other = self.facts.plugs[OTHER[plug.ident]]
        # A plug that is told once more to be on, for its timer, is on already.
        if plug.is_rewound and plug.plug.is_on:
            return
        if not other.is_proven(is_on=False, now=when, within_s=PROVEN_S):
            self.fail(
                f"{plug.ident} is told ON while {other.ident} is not proven off: "
                f"looks {list(other.looks)[-3:]}, its last command ended at {other.set_ended_t}"
            )
