"""The band that a thermostat keeps: as a person entered it, and as it is compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.control.temperature import Unit, from_entry, in_words, unit_of

if TYPE_CHECKING:
    from fractions import Fraction

WARM: Final = 50_000_000
"""A limit above this (millionths of °C) was probably meant in °F. Source: a Tilt measures up to 120 °F, 49 °C."""


class EnteredBand(NamedTuple):
    """Two limits exactly as entered: numbers in °C, texts such as ``"74 °F"``, or whatever else was written there."""

    low: object
    high: object


@dataclass(frozen=True, slots=True)
class EnteredLimits:
    """The band, and another one for cooling where the owner wants it separate."""

    band: EnteredBand
    cooling: EnteredBand | None = None

    @property
    def unit(self) -> Unit:
        """The unit in which the owner thinks."""
        return unit_of(self.band.low)


class Band(NamedTuple):
    """Two limits in millionths of °C, ``low`` below ``high``."""

    low: int
    high: int


class Limits(NamedTuple):
    """What is compared: where heating starts and ends, and where cooling ends and starts."""

    heating: Band
    cooling: Band


def exact(entered: EnteredLimits) -> Limits:
    """Limits that can be controlled by. Raises `ValueError` with what is wrong in words.

    A separate cooling band may not reach below the other one at either end: both plugs would be wanted at once.
    """
    heating = _exact_band(entered.band, "")
    cooling = heating if entered.cooling is None else _exact_band(entered.cooling, "cooling ")
    if cooling.low < heating.low or cooling.high < heating.high:
        raise ValueError("neither cooling limit may be below the limit of the same name for heating")
    return Limits(heating, cooling)


def between(start: Limits, end: Limits, part: Fraction) -> Limits:
    """Limits on the straight way from ``start`` to ``end``; ``part`` is 0 at the start and 1 at the end."""
    return Limits(_between(start.heating, end.heating, part), _between(start.cooling, end.cooling, part))


def warnings(limits: Limits) -> tuple[str, ...]:
    """What about usable limits is strange."""
    if limits.cooling.high > WARM:
        text = in_words(limits.cooling.high, Unit.CELSIUS)
        return (f'a limit of {text} is hot for a fermentation: numbers are °C, write "74 °F" for Fahrenheit',)
    return ()


def _exact_band(entered: EnteredBand, which: str) -> Band:
    ends = []
    for name, entry in zip(entered._fields, entered, strict=True):
        if entry is None:
            raise ValueError(f"the {which}{name} limit is missing")
        try:
            ends.append(from_entry(entry))
        except ValueError as error:
            raise ValueError(f"the {which}{name} limit cannot be used: {error}") from None
    band = Band(*ends)
    if not band.low < band.high:
        unit = unit_of(entered.low)
        low, high = in_words(band.low, unit), in_words(band.high, unit)
        raise ValueError(f"the {which}low limit, {low}, must be below the {which}high limit, {high}")
    return band


def _between(start: Band, end: Band, part: Fraction) -> Band:
    return Band(*(round(a + (b - a) * part) for a, b in zip(start, end, strict=True)))
