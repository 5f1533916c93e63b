"""I1 and I4: what is shown of a plug was answered of late, and a command counts as done only by an answer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from holdfast.hub.events import Kind
from holdfast.model import CommandState
from tests.fermenter.cellar import SENSOR
from tests.fermenter.oracle.check import Check
from tests.fermenter.oracle.facts import INSTANT_S, SHOWN_AS

if TYPE_CHECKING:
    from holdfast.hub.events import Record
    from holdfast.hub.hub import Hub
    from holdfast.model import Reading, Receipt
    from tests.fermenter.oracle.facts import PlugFacts

PROVEN_S: Final = 30.0
"""Three polls: fact sheet section 10."""
TOLD_S: Final = 0.05
"""The stream tells at once, or with the next tick of the hub's timers."""
STATES: Final = {"heating": "heater", "cooling": "fridge"}


class Display(Check):
    """No plug is shown ON or OFF without a look that says so, younger than three polls and later than any command."""

    name = "I1 display truth"

    def __init__(self, *more: object) -> None:
        super().__init__(*more)  # type: ignore[arg-type]
        self._unproven_t = math.inf
        """Since when the state says what no look does."""

    def hub_starts(self, hub: Hub) -> None:
        """See `Check`."""
        self._unproven_t = math.inf

    def look(self) -> None:
        """See `Check`."""
        facts = self.facts
        for ident, plug in facts.plugs.items():
            self._plug(plug, f"{ident}/switch", facts.cellar.reading(f"{ident}/switch"))
        if not facts.is_shown_anew:
            return
        for ident, plug in facts.plugs.items():
            self._plug(plug, SHOWN_AS[ident], facts.shown.get(SHOWN_AS[ident]))
        state = facts.value("fermenter/state")
        if state in STATES:
            plug = facts.plugs[STATES[str(state)]]
            self.judged += 1
            if plug.is_proven(is_on=True, now=facts.now, within_s=PROVEN_S):
                self._unproven_t = math.inf
            elif self._unproven_t == math.inf:  # it is decided anew in the same instant
                self._unproven_t = facts.now
            elif facts.now - self._unproven_t > INSTANT_S:
                self.fail(f"the state is {state} without proof since {self._unproven_t:.3f}")
        else:
            self._unproven_t = math.inf
        self._temperature()

    def _plug(self, plug: PlugFacts, target: str, reading: Reading | None) -> None:
        if reading is None or not isinstance(reading.value, bool):
            return
        self.judged += 1
        if not plug.is_proven(is_on=reading.value, now=self.facts.now, within_s=PROVEN_S):
            self.fail(f"{target} is shown {reading.value} without proof: {list(plug.looks)[-3:]}")

    def _temperature(self) -> None:
        facts = self.facts
        reading = facts.shown.get("fermenter/temperature")
        if reading is None or reading.value is None or facts.wanted.get("sensor") != SENSOR:
            return
        self.judged += 1
        if facts.sent is None:
            self.fail(f"a temperature of {reading.value} is shown that nobody sent")
            return
        sent_s, value = facts.sent
        age_s = facts.steady - sent_s
        if abs(float(str(reading.value)) - float(str(value))) > 1e-5:
            self.fail(f"{reading.value} °C is shown, {value} was sent")
        if age_s >= facts.fresh_s + INSTANT_S:
            self.fail(f"a temperature {age_s:.1f} s old is shown as the present one")
        if reading.age_s is None or reading.age_s < age_s - INSTANT_S:
            self.fail(f"a packet {age_s:.1f} s old is shown as {reading.age_s} s old")
        if reading.observed_at is None or reading.observed_at > facts.cellar.clock.now():
            self.fail(f"the packet is shown as from {reading.observed_at}")


class Told(Check):
    """What the stream told of a plug last is what is shown: nobody who listens goes on with an old value."""

    name = "I1 stream"

    def __init__(self, *more: object) -> None:
        super().__init__(*more)  # type: ignore[arg-type]
        self._told: dict[str, object] = {}
        self._other_since: dict[str, float] = {}

    def hub_starts(self, hub: Hub) -> None:
        """See `Check`."""
        self._told, self._other_since = {}, {}

    def heard(self, record: Record) -> None:
        """See `Check`."""
        if record.kind is Kind.READING:
            self._told[record.payload.target] = record.payload.value

    def look(self) -> None:
        """See `Check`."""
        now = self.facts.now
        for ident in self.facts.plugs:
            target = f"{ident}/switch"
            shown = self.value(target)
            self.judged += 1
            if self._told.get(target) is shown:
                self._other_since.pop(target, None)
            elif now - self._other_since.setdefault(target, now) > TOLD_S:
                self.fail(f"{target} is shown {shown}, and {self._told.get(target)} was told last")


class Evidence(Check):
    """A command is verified, also as "already so", only by a look that says so, of late, and later than any command."""

    name = "I4 evidence"

    def heard(self, record: Record) -> None:
        """See `Check`."""
        if record.kind is not Kind.COMMAND:
            return
        receipt: Receipt = record.payload
        ident, _, key = receipt.target.partition("/")
        if key != "switch" or receipt.state is not CommandState.VERIFIED:
            return
        self.judged += 1
        plug, wanted = self.facts.plugs[ident], receipt.value is True
        if not plug.is_proven(is_on=wanted, now=self.facts.now, within_s=PROVEN_S):
            self.fail(
                f"{receipt.id} ({receipt.value}) counts as verified without proof: {list(plug.looks)[-3:]}"
            )
