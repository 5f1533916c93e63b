"""Keep one vessel for some days and measure how well: pure, on a clock that is moved by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.quality.thermostat import LONGEST_CYCLE_S, IdealThermostat
from holdfast.control import Position, Role
from holdfast.simulators.fermenter import LONGEST_STEP_S, Quality

if TYPE_CHECKING:
    from bench.quality.relays import Relays
    from bench.quality.setups import Setup

DAY_S = 86_400.0
MONTH_DAYS = 30.0
NEAR_K = 0.3
"""The wider count: a range entered so much narrower at either end would be kept as well as this says."""
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of it. ``settled`` and ``near`` count from the first moment inside the range, ``whole`` from the start.

    ``settled_s`` is that moment, ``None`` if it never came; ``stopped_s`` is the time for which the thermostat refused
    to control. ``worst_day`` is the smallest share inside of any whole day since ``settled_s``, 1 if there was none.
    Ranges are strict: on a limit is not inside.
    """

    days: float
    settled: Quality
    near: Quality
    whole: Quality
    worst_day: float
    settled_s: float | None
    stopped_s: float
    relays: Relays

    @property
    def inside(self) -> float:
        """The share of time inside since the first moment there; 0 if there was none."""
        return 0.0 if self.settled_s is None else self.settled.inside

    @property
    def nearly_inside(self) -> float:
        """The same for the wider count."""
        return 0.0 if self.settled_s is None else self.near.inside

    def starts_a_day(self, role: Role) -> float:
        """How often a plug is switched ON."""
        return self.relays.of(role).starts / self.days


def keep(setup: Setup, days: float = MONTH_DAYS, cycle_s: float = LONGEST_CYCLE_S) -> Kept:
    """Pitch, and keep what the owner wants: the true beer between the heating low and the cooling high limit."""
    limits = setup.settings.limits_at(Position())
    low_c, high_c = limits.heating.low / _MICRO, limits.cooling.high / _MICRO
    settled, whole = Quality(low_c, high_c), Quality(low_c, high_c)
    near = Quality(low_c - NEAR_K, high_c + NEAR_K)
    day, worst_day = Quality(low_c, high_c), 1.0
    settled_s, stopped_s = None, 0.0
    fermenter, thermostat = setup.begin(), IdealThermostat(setup.settings, cycle_s)
    for number in range(round(days * DAY_S / LONGEST_STEP_S)):
        at_s = number * LONGEST_STEP_S
        thermostat.look(at_s, fermenter.shown_c)
        heater_on, cooler_on = thermostat.relays.state
        fermenter = fermenter.step(LONGEST_STEP_S, heater_on=heater_on, cooler_on=cooler_on)
        if settled_s is None and low_c < fermenter.beer_c < high_c:
            settled_s = at_s
        for quality in (whole,) if settled_s is None else (whole, settled, near, day):
            quality.add(fermenter.beer_c, LONGEST_STEP_S)
        if day.total_s >= DAY_S:
            day, worst_day = Quality(low_c, high_c), min(worst_day, day.inside)
        stopped_s += LONGEST_STEP_S * thermostat.is_stopped
    return Kept(
        days=days,
        settled=settled,
        near=near,
        whole=whole,
        worst_day=worst_day,
        settled_s=settled_s,
        stopped_s=stopped_s,
        relays=thermostat.relays,
    )
