"""The JSON that an iSpindel or a GravityMon posts, as values of ours. Pure.

Fields and units as in the iSpindel's generic HTTP format and in GravityMon's page "Data Formats", which calls its like
"iSpindle format": ``temperature`` in ``temp_units`` (C, F or K), ``gravity``, ``angle`` in degrees, ``battery`` in
volts, ``RSSI`` in dBm. GravityMon adds ``gravity-unit``: G for specific gravity, P for degrees Plato; an iSpindel does
not say which of the two its formula gives, so the owner does. GravityMon 0.8 wrote ``temp-units`` and ``rssi``.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from holdfast.model import Reject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FORM: Final = "ispindel"
"""The name of the form in paths and site files."""
UNITS: Final[Mapping[str, str]] = {
    "temperature": "°C",
    "gravity": "SG",
    "angle": "°",
    "battery": "V",
    "rssi": "dBm",
}
"""What is read, by capability, and the unit that it is given in."""
DISCONNECTED_C: Final = -127.0
"""°C: what the Dallas library that these devices use gives while it does not reach the sensor."""
_NEAR: Final = 0.01
"""°C: conversion to °F and two decimals cost less."""
_ABSOLUTE_ZERO: Final = 273.15


class GravityUnit(StrEnum):
    """In what a sender gives its gravity."""

    SG = "sg"
    PLATO = "plato"


_GRAVITY: Final[Mapping[str, GravityUnit]] = {
    "G": GravityUnit.SG,
    "SG": GravityUnit.SG,
    "P": GravityUnit.PLATO,
}
_CELSIUS: Final[Mapping[str, Callable[[float], float]]] = {
    "C": lambda degrees: degrees,
    "F": lambda degrees: (degrees - 32.0) * 5.0 / 9.0,
    "K": lambda degrees: degrees - _ABSOLUTE_ZERO,
}


def read_ispindel(document: Mapping[str, Any], gravity_unit: GravityUnit) -> Mapping[str, float | Reject]:
    """The values of a posted document in `UNITS`, none rounded, by capability; or why a field is no value.

    Fields that are absent or ``null`` are left out. ``gravity_unit``: that of senders that do not say theirs.
    """
    found: dict[str, float | Reject] = {}
    for key, names in _FIELDS.items():
        value = _first(document, names)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
            found[key] = Reject("type", f"{key} is not a number")
        elif key == "temperature":
            found[key] = _celsius(value, _first(document, ("temp_units", "temp-units")))
        elif key == "gravity":
            found[key] = _specific(value, _first(document, ("gravity-unit", "gravity_unit")), gravity_unit)
        else:
            found[key] = float(value)
    return found


_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "temperature": ("temperature",),
    "gravity": ("gravity",),
    "angle": ("angle",),
    "battery": ("battery",),
    "rssi": ("RSSI", "rssi"),
}


def _first(document: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((document[name] for name in names if document.get(name) is not None), None)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no float holds
        return False


def _celsius(degrees: float, unit: Any) -> float | Reject:
    convert = _CELSIUS.get("C" if unit is None else str(unit).upper())
    if convert is None:
        return Reject("unit", f"temp_units is {str(unit)[:16]!r}, not C, F or K")
    celsius = convert(float(degrees))
    if abs(celsius - DISCONNECTED_C) <= _NEAR:
        return Reject("sensor", "the sender does not reach its own temperature sensor (-127 °C)")
    return celsius


def _specific(gravity: float, unit: Any, default: GravityUnit) -> float | Reject:
    known = default if unit is None else _GRAVITY.get(str(unit).upper())
    if known is None:
        return Reject("unit", f"gravity-unit is {str(unit)[:16]!r}, not G or P")
    return float(gravity) if known is GravityUnit.SG else specific_gravity(float(gravity))


def specific_gravity(plato: float) -> float | Reject:
    """The specific gravity (20 °C/20 °C) of a wort of so many degrees Plato.

    The usual approximation of the tables of the American Society of Brewing Chemists. Nothing is brewed beyond -10 to
    60 °P, and further on the formula has no value.
    """
    if not -10.0 <= plato <= 60.0:
        return Reject("sanity", f"gravity is {plato:g} °P, which no wort has")
    return 1.0 + plato / (258.6 - plato / 258.2 * 227.1)
