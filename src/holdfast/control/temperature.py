"""Temperatures that compare exactly as they were entered.

Inside they are whole millionths of a degree Celsius. A whole degree Fahrenheit is a ninth of something in Celsius,
which a float holds only nearly: on the grid the reading 23.333333333333332 °C and the limit "74 °F" are one number.
The grid is a thousand times finer than any sensor and a thousand times coarser than a float's error.
"""

from __future__ import annotations

import re
from enum import StrEnum
from fractions import Fraction
from typing import Final

from holdfast.options import shown

MICRO: Final = 1_000_000
"""Steps of the grid in one degree Celsius."""
HOTTEST: Final = 1e6
"""Degrees that nothing measures; numbers beyond them (whole ones may be of any size) are not finite for us."""
ADVICE: Final = 'use °C as a number, or text such as "74 °F"'
_ENTERED: Final = re.compile(r"\s*([+-]?\d{1,4}(?:\.\d{1,6})?)\s*°?\s*([CF])\s*", re.ASCII)


class Unit(StrEnum):
    """The units in which people and sensors speak of temperatures."""

    CELSIUS = "°C"
    FAHRENHEIT = "°F"


def on_grid(value: object, unit: str) -> int | None:
    """A measured number in millionths of °C; ``None`` for what is no number, not finite, or in another unit."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -HOTTEST < value < HOTTEST:
        return None
    if unit not in (Unit.CELSIUS, Unit.FAHRENHEIT):
        return None
    return _grid(Fraction(repr(value)), Unit(unit))


def from_entry(entry: object) -> int:
    """A limit as entered, in millionths of °C. Raises `ValueError` with what is wrong."""
    if isinstance(entry, str):
        match = _ENTERED.fullmatch(entry)
        if match is None:
            raise ValueError(f"{shown(entry)} is no temperature: {ADVICE}")
        return _grid(Fraction(match[1]), Unit(f"°{match[2]}"))
    exact = on_grid(entry, Unit.CELSIUS)
    if exact is None:
        raise ValueError(f"{shown(entry)} is no temperature: {ADVICE}")
    return exact


def unit_of(entry: object) -> Unit:
    """The unit in which a limit was entered."""
    return Unit.FAHRENHEIT if isinstance(entry, str) and "F" in entry else Unit.CELSIUS


def in_words(grid: int, unit: Unit) -> str:
    """A temperature as a person reads it, to a hundredth: ``74 °F``, ``18.25 °C``."""
    celsius = Fraction(grid, MICRO)
    number = celsius if unit is Unit.CELSIUS else celsius * 9 / 5 + 32
    return f"{round(float(number), 2) + 0.0:g} {unit}"  # + 0.0: no minus before a zero


def _grid(number: Fraction, unit: Unit) -> int:
    celsius = number if unit is Unit.CELSIUS else (number - 32) * 5 / 9
    return round(celsius * MICRO)
