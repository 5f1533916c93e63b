"""What the bytes of a Tilt mean."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.temperature import from_entry, on_grid
from holdfast.drivers.tilt.codec import COLOURS, TiltFirmware, TiltReport, decode, is_plausible
from holdfast.model import Reject
from tests.drivers.tilt.air import NUMBERS, ibeacon

# The example of the fact sheet, byte by byte.
EXAMPLE = bytes.fromhex("0215 a495bb10c5b14b44b5121370f02d74de 0044 03f8 c5")


def report(data: bytes) -> TiltReport:
    told = decode(data)
    assert isinstance(told, TiltReport)
    return told


def test_the_example_of_the_fact_sheet() -> None:
    """68 °F, 1.016."""
    told = report(EXAMPLE)
    assert told == TiltReport("red", False, 680, 10_160)
    assert told.temperature == 20
    assert float(told.gravity) == 1.016
    assert ibeacon("red", 68, 1016) == EXAMPLE


def test_a_pro_is_finer() -> None:
    told = report(ibeacon("blue", 684, 10_162))
    assert (told.is_pro, told.tenths_f, told.gravity_e4) == (True, 684, 10_162)
    assert told.temperature == (Fraction(684, 10) - 32) * 5 / 9
    assert not report(ibeacon("blue", 68, 4_999)).is_pro
    assert report(ibeacon("blue", 68, 5_000)).is_pro


@pytest.mark.parametrize("colour", COLOURS)
def test_every_colour_has_its_number(colour: str) -> None:
    assert report(ibeacon(colour, 68, 1016)).colour == colour
    assert len(NUMBERS) == len(COLOURS) == 8


def test_999_is_no_temperature() -> None:
    """It marks the firmware's version, on a Pro too."""
    assert decode(ibeacon("red", 999, 1006)) == TiltFirmware("red", 1006)
    assert decode(ibeacon("red", 999, 10_100)) == TiltFirmware("red", 10_100)


def test_the_power_may_be_the_age_of_the_battery() -> None:
    """And may be missing."""
    assert report(ibeacon("red", 68, 1016, 197)).battery_weeks is None
    assert report(ibeacon("red", 68, 1016, 52)).battery_weeks == 52
    assert report(ibeacon("red", 68, 1016, 0)).battery_weeks == 0
    assert report(ibeacon("red", 68, 1016, None)).battery_weeks is None


def test_what_is_no_tilt_is_nobodys() -> None:
    other = bytearray(EXAMPLE)
    other[8] ^= 1
    nobody = bytes.fromhex("0215a495bb90c5b14b44b5121370f02d74de004403f8c5")  # number 9
    for data in (b"", b"\x02\x15", bytes(other), nobody, b"\x10\x05" + EXAMPLE[2:]):
        assert decode(data) is None


def test_a_tilt_cut_short_is_rejected() -> None:
    for length in range(18, 22):
        told = decode(EXAMPLE[:length])
        assert isinstance(told, Reject)
        assert told.code == "short"
    assert decode(EXAMPLE[:17]) is None


@given(st.binary(max_size=40))
def test_any_bytes_are_something(data: bytes) -> None:
    """Garbage is nobody's, and behind a Tilt's name it is a report, a version, or too short."""
    assert decode(data) is None or data.startswith(b"\x02\x15")
    behind = decode(EXAMPLE[:18] + data)
    assert isinstance(behind, TiltReport | TiltFirmware | Reject)
    assert isinstance(behind, Reject) is (len(data) < 4)


@given(st.integers(0, 998), st.booleans())
def test_temperatures_compare_as_they_were_sent(number: int, is_pro: bool) -> None:
    """A reading equals a limit that was entered in its own unit, and is the nearest float to the truth."""
    told = report(ibeacon("red", number, 10_000 if is_pro else 1_000))
    sent = f"{number // 10}.{number % 10}" if is_pro else str(number)
    celsius = float(told.temperature)
    assert celsius == float((Fraction(sent) - 32) * 5 / 9)
    assert on_grid(celsius, "°C") == from_entry(f"{sent} °F")


@pytest.mark.parametrize(
    ("major", "minor", "is_ok"),
    [
        (25, 980, True),
        (120, 1200, True),
        (24, 1000, False),
        (121, 1000, False),
        (68, 979, False),
        (68, 1201, False),
        (250, 9_800, True),
        (1_200, 12_000, True),
        (249, 10_000, False),
        (1_201, 10_000, False),
        (680, 9_799, False),
        (680, 12_001, False),
    ],
)
def test_plausible_is_what_beer_can_have(major: int, minor: int, is_ok: bool) -> None:
    """25 to 120 °F and 0.980 to 1.200, both inclusive, classic and Pro."""
    assert is_plausible(report(ibeacon("red", major, minor))) is is_ok
