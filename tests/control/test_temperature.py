"""Temperatures and limits compare as they were entered."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control import EnteredBand, EnteredLimits, Unit
from holdfast.control.limits import exact, warnings
from holdfast.control.temperature import from_entry, in_words, on_grid


@given(st.integers(-40, 250))
def test_whole_fahrenheit_is_exact(degrees: int) -> None:
    """A source of whole °F meets its limit exactly, whether the hub converted it to °C or not, and no neighbour."""
    limit = from_entry(f"{degrees} °F")
    for celsius in ((degrees - 32) * 5 / 9, (degrees - 32) / 1.8, (degrees - 32) * (5 / 9)):
        assert on_grid(celsius, "°C") == limit
    assert on_grid(degrees, "°F") == limit
    assert on_grid(degrees + 1, "°F") != limit
    assert in_words(limit, Unit.FAHRENHEIT) == f"{degrees} °F"


@given(st.integers(-400, 2500))
def test_tenths_are_exact(tenths: int) -> None:
    """The same for the tenths of a Tilt Pro, and for °C as a number and as text."""
    assert on_grid((tenths / 10 - 32) * 5 / 9, "°C") == from_entry(f"{tenths / 10} F")
    assert on_grid(tenths / 10, "°C") == from_entry(tenths / 10) == from_entry(f"{tenths / 10} °C")


@given(st.floats(-50, 150), st.floats(-50, 150))
def test_order_is_kept(one: float, other: float) -> None:
    """The grid never turns an order around."""
    low, high = on_grid(min(one, other), "°C"), on_grid(max(one, other), "°C")
    assert low is not None
    assert high is not None
    assert low <= high


@pytest.mark.parametrize("value", [None, "18", True, math.nan, math.inf, -math.inf, (18,)])
def test_no_number_is_no_temperature(value: object) -> None:
    """What a sensor says is a finite number in a known unit, or nothing."""
    assert on_grid(value, "°C") is None
    assert on_grid(18, "K") is None


@pytest.mark.parametrize(
    "entry", ["warm", "18", "18 K", "", "nan °C", "1e3 °C", math.nan, math.inf, True, [18], {}]
)
def test_entries_that_are_no_temperatures(entry: object) -> None:
    """The complaint names the entry's fault and what would be right."""
    with pytest.raises(ValueError, match="is no temperature: use °C as a number"):
        from_entry(entry)


@pytest.mark.parametrize(
    ("band", "cooling", "words"),
    [
        ((None, 20), None, "the low limit is missing"),
        ((18, None), None, "the high limit is missing"),
        (("warm", 20), None, "the low limit cannot be used: 'warm' is no temperature"),
        ((18, math.nan), None, "the high limit cannot be used: nan is no temperature"),
        ((20, 18), None, "the low limit, 20 °C, must be below the high limit, 18 °C"),
        (("74 °F", "74 °F"), None, "the low limit, 74 °F, must be below the high limit, 74 °F"),
        ((18, 20), (19, None), "the cooling high limit is missing"),
        ((18, 20), (17, 21), "neither cooling limit may be below"),
        ((18, 20), (19, 19.5), "neither cooling limit may be below"),
    ],
)
def test_unusable_limits(
    band: tuple[object, object], cooling: tuple[object, object] | None, words: str
) -> None:
    """Each way in which limits cannot be controlled by is told in words."""
    entered = EnteredLimits(EnteredBand(*band), None if cooling is None else EnteredBand(*cooling))
    with pytest.raises(ValueError, match=words):
        exact(entered)


def test_a_hot_limit_is_strange() -> None:
    """74 without a unit is 74 °C, which nobody ferments at."""
    assert "hot" in warnings(exact(EnteredLimits(EnteredBand(66, 74))))[0]
    assert not warnings(exact(EnteredLimits(EnteredBand("66 F", "74 F"))))
