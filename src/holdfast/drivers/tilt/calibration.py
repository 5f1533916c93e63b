"""What an owner knows of a Tilt's error. Pure and exact: numbers are fractions until the very end."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final


@dataclass(frozen=True, slots=True)
class Offset:
    """The same correction everywhere."""

    by: Fraction

    def apply(self, measured: Fraction) -> Fraction:
        """The corrected value."""
        return measured + self.by


@dataclass(frozen=True, slots=True)
class Points:
    """Pairs of measured and actual values, both rising; straight lines in between.

    Beyond the first and last pair their corrections go on: a line would magnify the error of both.
    Raises `ValueError` for fewer than two pairs, and for any that do not rise.
    """

    pairs: tuple[tuple[Fraction, Fraction], ...]

    def __post_init__(self) -> None:
        if len(self.pairs) < 2:
            raise ValueError("at least two points make a line")
        for (measured, actual), (next_measured, next_actual) in pairwise(self.pairs):
            if not (measured < next_measured and actual < next_actual):
                raise ValueError("both numbers must rise from point to point")

    def apply(self, measured: Fraction) -> Fraction:
        """The corrected value."""
        for low, high in ((self.pairs[0], self.pairs[0]), *pairwise(self.pairs)):
            if measured <= high[0]:
                return _between(low, high, measured)
        last = self.pairs[-1]
        return _between(last, last, measured)


Calibration = Offset | Points
NONE: Final = Offset(Fraction(0))


def _between(low: tuple[Fraction, Fraction], high: tuple[Fraction, Fraction], measured: Fraction) -> Fraction:
    if low == high:
        return measured + low[1] - low[0]
    slope = (high[1] - low[1]) / (high[0] - low[0])
    return low[1] + (measured - low[0]) * slope
