"""Fermentation: gravity that falls along an S, and the heat of it.

A logistic curve is the shape that hydrometers in beer show; the yeast works faster when warm. Both are a model,
good for the size and the timing of the heat and not for a forecast of any beer.
"""

from __future__ import annotations

from dataclasses import dataclass

HEAT_J_PER_KG = 586_600.0
"""Heat of fermentation per kg of real extract (586.6 kJ/kg, the figure that brewing handbooks give)."""

REAL_SHARE = 0.81
"""Real extract fermented for each apparent one, as alcohol pulls the hydrometer down (Balling's rule)."""

POINTS_PER_PLATO = 0.004
"""One degree Plato is some 0.004 of specific gravity."""

REFERENCE_C = 20.0
Q10 = 2.2
"""How many times faster at 10 K more, within the range in which yeast is well."""

COLDEST_C = 0.0
HOTTEST_C = 40.0
"""Beyond these the yeast rests."""


@dataclass(frozen=True, kw_only=True)
class Yeast:
    """``days`` from 5 % to 95 % of the way at 20 °C; ``start`` is the share done at pitching (sets the lag)."""

    original: float = 1.050
    final: float = 1.010
    days: float = 3.0
    start: float = 0.02

    def gravity(self, done: float) -> float:
        """Specific gravity when that share is done, 0 to 1."""
        return self.original - (self.original - self.final) * done

    def speed(self, done: float, beer_c: float) -> float:
        """Share a second."""
        if not COLDEST_C < beer_c < HOTTEST_C:
            return 0.0
        # From 5 % to 95 % a logistic curve takes 2 ln 19 = 5.89 of its time constants.
        rate = 5.89 / (self.days * 86_400.0)
        return float(rate * Q10 ** ((beer_c - REFERENCE_C) / 10.0) * done * (1.0 - done))

    def heat_w(self, speed: float, beer_kg: float) -> float:
        """Power in W at that speed."""
        plato = (self.original - self.final) / POINTS_PER_PLATO
        return speed * beer_kg * plato / 100.0 * REAL_SHARE * HEAT_J_PER_KG


DEAD = Yeast(start=0.0)
"""Nothing ferments: water, or beer that is done."""
