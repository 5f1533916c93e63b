"""Currents over a day: what sun and household do to one battery."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR_S = 3600.0

SUNRISE_S = 7 * HOUR_S
SUNSET_S = 19 * HOUR_S
EVENING_S = (17.5 * HOUR_S, 22.5 * HOUR_S)
"""When people are at home and cook."""


def day_of(sun_a: float, base_a: float, evening_a: float) -> Callable[[float], float]:
    """A profile: second of the day to A; the sun's peak, the load all day, and what the evening adds."""

    def current_a(second: float) -> float:
        sun = math.sin(math.pi * (second - SUNRISE_S) / (SUNSET_S - SUNRISE_S))
        evening = math.sin(math.pi * (second - EVENING_S[0]) / (EVENING_S[1] - EVENING_S[0]))
        is_evening = EVENING_S[0] <= second <= EVENING_S[1]
        is_day = SUNRISE_S <= second <= SUNSET_S
        return (sun_a * sun if is_day else 0.0) - base_a - (evening_a * evening if is_evening else 0.0)

    return current_a


sunny_day = day_of(sun_a=38.0, base_a=6.0, evening_a=30.0)
"""One of several batteries in a house with enough sun."""


def idle(_second: float) -> float:
    """Nothing flows."""
    return 0.0
