"""The advertisement of a Tilt: an iBeacon whose name is its colour and whose numbers are its readings.

Layout, numbers and examples: fermentation fact sheet section 1. Everything is exact: whole tenths of a degree
Fahrenheit and whole ten-thousandths of gravity, until a value is made of them.
"""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import Final, NamedTuple

from holdfast.model import Reject

APPLE: Final = 0x004C
"""The manufacturer's id of iBeacons, whoever made them."""
COLOURS: Final = ("red", "green", "black", "purple", "orange", "blue", "yellow", "pink")
"""In the order of their numbers in the UUID, which begin at 1."""

_IBEACON: Final = bytes.fromhex("0215")
_UUIDS: Final = {
    bytes.fromhex(f"a495bb{number}0c5b14b44b5121370f02d74de"): colour
    for number, colour in enumerate(COLOURS, 1)
}
_UUID_END: Final = len(_IBEACON) + 16
_NUMBERS: Final = struct.Struct(">HH")
_LEAST: Final = _UUID_END + _NUMBERS.size
"""22 bytes; the 23rd, the power, is not always there."""
_NO_TEMPERATURE: Final = 999
"""In the place of the temperature: the other number is the firmware's version. On a Pro it would be 99.9 °F, and is
not believed either."""
_PRO_FROM: Final = 5000
"""From here on the second number is gravity in ten-thousandths, and temperature is in tenths: a Pro."""
_PLAIN_POWER: Final = 197
"""-59 dBm, as every Tilt sends it; newer ones put their battery's age in weeks in its place every other time."""


class TiltReport(NamedTuple):
    """One measurement, as it was sent."""

    colour: str
    is_pro: bool
    tenths_f: int
    """Tenths of a degree Fahrenheit; a classic sends whole degrees."""
    gravity_e4: int
    """Ten-thousandths of specific gravity; a classic sends thousandths."""
    battery_weeks: int | None = None
    """Age of the battery, where this packet tells it."""

    @property
    def temperature(self) -> Fraction:
        """Degrees Celsius, not rounded."""
        return Fraction(self.tenths_f - 320, 18)

    @property
    def gravity(self) -> Fraction:
        """Specific gravity, not rounded."""
        return Fraction(self.gravity_e4, 10_000)


class TiltFirmware(NamedTuple):
    """The version of a Tilt's firmware: a sign of life without a measurement."""

    colour: str
    version: int


def decode(data: bytes) -> TiltReport | TiltFirmware | Reject | None:
    """What Apple's manufacturer data say; ``None`` for whatever is no Tilt. Never raises."""
    if not data.startswith(_IBEACON):
        return None
    colour = _UUIDS.get(data[len(_IBEACON) : _UUID_END])
    if colour is None:
        return None
    if len(data) < _LEAST:
        return Reject("short", f"{len(data)} bytes of a {colour} Tilt, and {_LEAST} are the least")
    first, second = _NUMBERS.unpack_from(data, _UUID_END)
    if first == _NO_TEMPERATURE:
        return TiltFirmware(colour, second)
    power = data[_LEAST] if len(data) > _LEAST else _PLAIN_POWER
    weeks = None if power == _PLAIN_POWER else power
    if second >= _PRO_FROM:
        return TiltReport(colour, True, first, second, weeks)
    return TiltReport(colour, False, first * 10, second * 10, weeks)


# --- plausibility --------------------------------------------------------------------------------------------------

COLDEST: Final = TiltReport("", False, 250, 9_800)
"""25 °F and 0.980: less is no reading of a beer (fact sheet section 1)."""
HOTTEST: Final = TiltReport("", False, 1_200, 12_000)
"""120 °F and 1.200: the same."""


def is_plausible(report: TiltReport) -> bool:
    """Whether both numbers are what fermenting beer can have."""
    return (
        COLDEST.tenths_f <= report.tenths_f <= HOTTEST.tenths_f
        and COLDEST.gravity_e4 <= report.gravity_e4 <= HOTTEST.gravity_e4
    )
