"""What a site file says about a Tilt, read and checked before anything is listened to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from holdfast.drivers.tilt.calibration import NONE, Calibration, Offset, Points
from holdfast.drivers.tilt.codec import COLOURS
from holdfast.drivers.tilt.smoothing import MOST_REPORTS, RAW, Middle, Smoothing
from holdfast.errors import ConfigurationError
from holdfast.options import Path, Section, shown
from holdfast.transports.ble import parse_ble, require_ble

if TYPE_CHECKING:
    from holdfast.model import Adapter, Device

STALE_AFTER_S: Final = 240.0
"""The fresh limit of the fermentation fact sheet, section 4."""
LEAST_STALE_S: Final = 90.0
"""A scan that heard nothing for a minute begins anew; with less it would never save a reading."""
MOST_STALE_S: Final = 900.0
"""Beyond a quarter of an hour nothing may be controlled by it: fermentation fact sheet section 4."""
MOST_POINTS: Final = 20

_OPTIONS: Final = ("calibration", "radio", "smoothing", "stale_after_s")
_RADIO: Final = re.compile(r"hci[0-9]{1,2}", re.ASCII)
_ADVICE: Final = (
    f"write ble://COLOUR ({', '.join(COLOURS)}), or ble://AA:BB:CC:DD:EE:FF where two share a colour"
)


@dataclass(frozen=True, slots=True)
class Scale:
    """One of the two quantities: its name, and what an owner may say of it."""

    name: str
    least: float
    most: float
    most_off: float
    """The largest correction that is a calibration and not a mistake."""


TEMPERATURE: Final = Scale("temperature", -20.0, 110.0, 10.0)
"""In °C: from ice with salt to boiling water, and a bit."""
GRAVITY: Final = Scale("gravity", 0.9, 1.3, 0.1)
"""Specific: from spirit to syrup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TiltOptions:
    """One Tilt, as one radio hears it."""

    member: str
    """Its colour, or its hardware address in capitals."""
    radio: str = ""
    """Which of the machine's radios (Linux: ``hci1``); empty: the system's choice."""
    stale_after_s: float = STALE_AFTER_S
    temperature: Calibration = NONE
    gravity: Calibration = NONE
    smoothing: Smoothing = RAW


def parse_options(device: Device, adapter: Adapter) -> TiltOptions:
    """Read a device and one of its adapters; raises `ConfigurationError` with the path to what is wrong.

    An option may stand with the device or with the adapter, which wins.
    """
    elsewhere = {key: ("adapters", adapter.id, key) for key in adapter.options}
    section = Section({**device.options, **adapter.options}, ("options",), elsewhere)
    section.allow(_OPTIONS)
    member = _member(adapter.url)
    require_ble()
    calibration = _inner(section, "calibration", (TEMPERATURE.name, GRAVITY.name))
    return TiltOptions(
        member=member,
        radio=_radio(section),
        stale_after_s=section.seconds("stale_after_s", LEAST_STALE_S, MOST_STALE_S, STALE_AFTER_S),
        temperature=_calibration(calibration, TEMPERATURE),
        gravity=_calibration(calibration, GRAVITY),
        smoothing=_smoothing(section),
    )


def _member(url: str) -> str:
    if not url:
        raise ConfigurationError("the address is missing", advice=_ADVICE, path=("url",))
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigurationError(f"{shown(url)} is not an address", advice=_ADVICE, path=("url",)) from None
    colour = parts.netloc.lower()
    if url.lower() in (f"ble://{colour}", f"ble://{colour}/") and colour in COLOURS:
        return colour
    try:
        return parse_ble(url).address
    except ConfigurationError as error:
        raise ConfigurationError(error.text, advice=_ADVICE, path=("url",)) from None


def _radio(section: Section) -> str:
    radio = section.text("radio", "")
    if radio and not _RADIO.fullmatch(radio):
        raise section.fail(
            "radio", f"{shown(radio)} is not a radio", "use its name, such as hci1, or leave it out"
        )
    return radio


def _inner(section: Section, key: str, known: tuple[str, ...]) -> Section:
    inner = Section(section.raw.get(key, {}), section.at(key))
    inner.allow(known)
    return inner


def _smoothing(section: Section) -> Smoothing:
    if "smoothing" not in section.raw:
        return RAW
    inner = _inner(section, "smoothing", ("middle", "last"))
    middle = Middle(inner.choice("middle", list(Middle), Middle.MEDIAN))
    return Smoothing(middle, inner.whole("last", 1, MOST_REPORTS))


def _calibration(section: Section, scale: Scale) -> Calibration:
    if scale.name not in section.raw:
        return NONE
    inner = _inner(section, scale.name, ("offset", "points"))
    if len(inner.raw) != 1:
        text = "a calibration is either an offset or points"
        raise section.fail(scale.name, text, "write {offset: -0.5} or {points: [[MEASURED, ACTUAL], ...]}")
    if "offset" in inner.raw:
        return Offset(_number(inner.at("offset"), inner.raw["offset"], -scale.most_off, scale.most_off))
    return _points(inner, scale)


def _points(section: Section, scale: Scale) -> Points:
    raw = section.raw["points"]
    advice = f"write 2 to {MOST_POINTS} pairs [MEASURED, ACTUAL], the lowest first"
    if not isinstance(raw, list | tuple) or not 2 <= len(raw) <= MOST_POINTS:
        raise section.fail("points", f"{shown(raw)} is no list of points", advice)
    pairs: list[tuple[Fraction, Fraction]] = []
    for place, pair in enumerate(raw):
        path = (*section.at("points"), place)
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ConfigurationError(f"{shown(pair)} is no point", advice=advice, path=path)
        measured, actual = (_number(path, each, scale.least, scale.most) for each in pair)
        if abs(actual - measured) > Fraction(str(scale.most_off)):
            text = f"{shown(pair)} is a correction by more than {scale.most_off:g}"
            raise ConfigurationError(text, advice="check the two numbers", path=path)
        pairs.append((measured, actual))
    try:
        return Points(tuple(pairs))
    except ValueError as error:
        raise section.fail("points", str(error), advice) from None


def _number(path: Path, value: Any, least: float, most: float) -> Fraction:
    """A number as it was written: 0.1 is a tenth."""
    advice = f"use a number from {least:g} to {most:g}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigurationError(f"{shown(value)} is not a number", advice=advice, path=path)
    if not least <= value <= most:  # nor is what is not finite
        raise ConfigurationError(f"{value:g} is out of range", advice=advice, path=path)
    return Fraction(str(value))
