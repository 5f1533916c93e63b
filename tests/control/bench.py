"""A thermostat on the bench: plugs that obey, a clock that is moved by hand, and faults on demand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from holdfast.control import (
    Decision,
    EnteredBand,
    EnteredLimits,
    Evidence,
    Instant,
    Output,
    Pair,
    PlugEvidence,
    Role,
    SensorEvidence,
    ThermostatSettings,
    decide,
    wake,
)
from holdfast.model import Quality

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
HEATER, COOLER = Role.HEATER, Role.COOLER


def settings(
    low: object = 18, high: object = 20, cooling: EnteredBand | None = None, **other: Any
) -> ThermostatSettings:
    """A thermostat with both plugs, unless said otherwise."""
    usual: dict[str, Any] = {
        "sensor": "tilt/temperature",
        "heater": "heater/switch",
        "cooler": "fridge/switch",
    }
    return ThermostatSettings(limits=EnteredLimits(EnteredBand(low, high), cooling), **{**usual, **other})


def at_once(low: object = 18, high: object = 20, **other: Any) -> ThermostatSettings:
    """The same without minimum times and dead time."""
    times = ("heater_min_off_s", "heater_min_on_s", "cooler_min_off_s", "cooler_min_on_s", "dead_time_s")
    return settings(low, high, **{**dict.fromkeys(times, 0.0), **other})


def reading(value: Any, unit: str = "°C", age_s: float = 0.0, **other: Any) -> SensorEvidence:
    """A sensor's reading."""
    return SensorEvidence(value=value, unit=unit, age_s=age_s, **other)


class Plug:
    """A plug that obeys, unless it is told to be ``silent`` or ``deaf``."""

    def __init__(self) -> None:
        self.is_on = False
        self.silent = False
        self.deaf = False
        self.read: tuple[bool, float] | None = None
        self.error = ""
        self.open = False
        self.taken_over = False

    def evidence(self, steady_s: float) -> PlugEvidence:
        """What the hub would tell of it."""
        extra: dict[str, Any] = {
            "error": self.error,
            "has_open_command": self.open,
            "is_taken_over": self.taken_over,
        }
        if self.read is None:
            return PlugEvidence(is_on=None, **extra)
        return PlugEvidence(is_on=self.read[0], age_s=steady_s - self.read[1], **extra)


class Bench:
    """Runs decisions and does what they want. ``started``: each ON that was sent; ``seen_off``: first sights of OFF."""

    def __init__(self, chosen: ThermostatSettings) -> None:
        self.settings = chosen
        self.steady_s = 1000.0
        self.era = "boot-1"
        self.stepped_s = 0.0
        self.plugs = Pair(Plug(), Plug())
        self.memory = wake(None, self.now)
        self.sent: list[tuple[float, Role, bool]] = []
        self.decision: Decision | None = None
        self.gravity: SensorEvidence | None = None
        self.assigned_s: float | None = None

    @property
    def now(self) -> Instant:
        wall = EPOCH + timedelta(seconds=self.steady_s + self.stepped_s)
        return Instant(self.steady_s, self.era, wall)

    def poll(self) -> None:
        """Read the plugs that answer."""
        for role in Role:
            plug = self.plugs.of(role)
            if not plug.silent:
                plug.read = (plug.is_on, self.steady_s)

    def look(self, sensed: SensorEvidence | None) -> Decision:
        """One decision, without acting on it."""
        evidence = Evidence(
            reading=sensed,
            gravity=self.gravity,
            plugs=Pair(*(self.plugs.of(role).evidence(self.steady_s) for role in Role)),
            assigned_s=self.assigned_s,
        )
        decision = decide(self.settings, evidence, self.memory, self.now)
        assert decision.reason
        assert 0 < decision.look_s <= self.settings.cycle_s
        self.memory, self.decision = decision.memory, decision
        return decision

    def act(self, decision: Decision) -> None:
        """Send what is not proven yet."""
        for role in self.settings.roles:
            plug, output = self.plugs.of(role), decision.outputs.of(role)
            if output is Output.RELEASED or (plug.read and plug.read[0] is (output is Output.ON)):
                continue
            self.sent.append((self.steady_s, role, output is Output.ON))
            if not plug.silent and not plug.deaf:
                plug.is_on = output is Output.ON

    def run(self, value: Any, seconds: float = 10.0, unit: str = "°C", **other: Any) -> Decision:
        """Poll, decide and act every cycle for so long; the last decision."""
        decision = None
        for _ in range(max(1, round(seconds / self.settings.cycle_s))):
            self.poll()
            decision = self.look(None if value is None else reading(value, unit, **other))
            self.act(decision)
            self.steady_s += self.settings.cycle_s
        assert decision is not None
        return decision

    def restart(self, era: str | None = None, down_s: float = 0.0) -> None:
        """Kill the program and start it again, perhaps with the machine."""
        self.steady_s += down_s
        if era is not None:
            self.stepped_s += self.steady_s - 5.0
            self.steady_s, self.era = 5.0, era
        for role in Role:
            self.plugs.of(role).read = None
        self.memory = wake(self.memory, self.now)

    def rested(self) -> Bench:
        """The same after so long a rest that no minimum time is open."""
        self.run(19, 1200)
        return self


__all__ = [
    "COOLER",
    "EPOCH",
    "HEATER",
    "Bench",
    "Plug",
    "Quality",
    "at_once",
    "reading",
    "replace",
    "settings",
]
