"""The thermostat's decisions on a clock that is moved by hand, with plugs that obey."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bench.quality.relays import Relays
from holdfast.control import Evidence, Instant, SensorEvidence, State, Unit, decide, wake

if TYPE_CHECKING:
    from holdfast.control import Decision, ThermostatSettings

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
LONGEST_CYCLE_S = 60.0
"""The longest cycle that the settings allow. A decision tells when to look again, and new evidence is looked at without
delay, so a longer cycle changes no switching; it saves five of six looks at an unchanged scene."""
STOPPED = frozenset(
    {State.NO_READING, State.CONFIGURATION_ERROR, State.SWAPPED_PLUGS, State.PLUG_UNREACHABLE}
)
"""States in which the control law is not asked."""


class IdealThermostat:
    """Asks `decide` whenever it must be asked: on new evidence, and when the last decision wanted to look again."""

    def __init__(self, settings: ThermostatSettings, cycle_s: float = LONGEST_CYCLE_S) -> None:
        self.settings = replace(settings, cycle_s=cycle_s)
        self.relays = Relays()
        self.decision: Decision | None = None
        self._memory = wake(None, _instant(0.0))
        self._look_at_s = 0.0
        self._seen: tuple[float | None, tuple[bool, bool]] | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether the control law was not even asked."""
        return self.decision is not None and self.decision.state in STOPPED

    def look(self, at_s: float, shown_c: float | None) -> None:
        """The sensor shows this, ``None`` if nothing; decide where that is due, and switch."""
        seen = (shown_c, self.relays.state)
        if at_s < self._look_at_s and seen == self._seen:
            return
        reading = None if shown_c is None else SensorEvidence(value=shown_c, unit=Unit.CELSIUS, age_s=0.0)
        evidence = Evidence(reading=reading, plugs=self.relays.evidence(at_s))
        self.decision = decide(self.settings, evidence, self._memory, _instant(at_s))
        self._memory = self.decision.memory
        self._look_at_s, self._seen = at_s + self.decision.look_s, seen
        self.relays.obey(self.decision, at_s)


def _instant(at_s: float) -> Instant:
    return Instant(at_s, "run", EPOCH + timedelta(seconds=at_s))
