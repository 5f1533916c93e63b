"""The energy meter: what flows now, and how much it was by day and month."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

HOUR_S = 3600.0
MAINS_V = 230.0
LAG_S = 2.0
"""For so long after switching on the meter still shows 0 W (Kasa fact sheet section 5, pitfall 18)."""


class Flow(NamedTuple):
    """What the meter shows at one moment."""

    power_w: float
    voltage_v: float
    total_wh: float

    @property
    def current_a(self) -> float:
        """Current in A."""
        return self.power_w / self.voltage_v


class Meter:
    """Adds up energy in Wh. ``power_w`` is what flows since the last call of `set_power`."""

    def __init__(self) -> None:
        self.power_w = 0.0
        self.total_wh = 0.0
        self.days: defaultdict[tuple[int, int, int], float] = defaultdict(float)
        self._until: datetime | None = None
        self._since: datetime | None = None

    def set_power(self, power_w: float, now: datetime) -> None:
        """From now on this much flows."""
        self.count(now)
        if power_w > 0.0 and self.power_w == 0.0:
            self._since = now
        self.power_w = power_w

    def count(self, now: datetime) -> None:
        """Add what has flowed until now, each day to its own account."""
        at = self._until or now
        while at < now:
            midnight = at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
            end = min(midnight, now)
            self._add(at, self.power_w * (end - at).total_seconds() / HOUR_S)
            at = end
        self._until = now

    def read(self, now: datetime) -> Flow:
        """What the display shows."""
        self.count(now)
        is_lagging = self._since is not None and (now - self._since).total_seconds() < LAG_S
        return Flow(0.0 if is_lagging else self.power_w, MAINS_V, self.total_wh)

    def day_wh(self, now: datetime) -> float:
        """Energy of that day in Wh."""
        return self.days_of(now.year, now.month).get(now.day, 0.0)

    def month_wh(self, year: int, month: int) -> float:
        """Energy of a month in Wh."""
        return sum(self.days_of(year, month).values())

    def days_of(self, year: int, month: int) -> dict[int, float]:
        """Day of the month to Wh."""
        return {day: wh for (y, m, day), wh in self.days.items() if (y, m) == (year, month)}

    def months_of(self, year: int) -> dict[int, float]:
        """Month to Wh."""
        months = {month for y, month, _ in self.days if y == year}
        return {month: self.month_wh(year, month) for month in sorted(months)}

    def _add(self, at: datetime, energy_wh: float) -> None:
        self.total_wh += energy_wh
        self.days[at.year, at.month, at.day] += energy_wh
