"""Steadier values out of several reports, for Tilts that dance on rising bubbles. Pure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

MOST_REPORTS: Final = 60
"""As Fermentrack allows: fermentation fact sheet section 1."""


class Middle(StrEnum):
    """What stands for several values."""

    MEDIAN = "median"
    """The one in the middle: single outliers do not count."""
    MEAN = "mean"
    """Their average."""


@dataclass(frozen=True, slots=True)
class Smoothing:
    """``middle`` of the latest ``last`` reports (1 to `MOST_REPORTS`); 1 is no smoothing."""

    middle: Middle = Middle.MEDIAN
    last: int = 1

    def of(self, values: Sequence[Fraction]) -> Fraction:
        """What stands for the values, oldest first; exact. Raises `ValueError` if there is none."""
        latest = values[-self.last :]
        if not latest:
            raise ValueError("no values")
        if self.middle is Middle.MEDIAN:
            return statistics.median(latest)
        return statistics.mean(latest)


RAW: Final = Smoothing()
"""The latest report, as it is."""
