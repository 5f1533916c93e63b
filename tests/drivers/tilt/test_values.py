"""Smoothing and calibration: exact, pure, and in this order."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.drivers.tilt.calibration import Offset, Points
from holdfast.drivers.tilt.codec import TiltReport
from holdfast.drivers.tilt.options import parse_options
from holdfast.drivers.tilt.smoothing import RAW, Middle, Smoothing
from holdfast.drivers.tilt.values import LIVE, SIGNAL, Sample, capabilities, projection
from holdfast.model import Periodic, Sanity, Value
from tests.drivers.tilt.bench import tilt

NUMBERS = st.integers(-100, 200).map(lambda each: Fraction(each, 10))


def points(*pairs: tuple[float, float]) -> Points:
    return Points(tuple((Fraction(str(one)), Fraction(str(other))) for one, other in pairs))


def values(*reports: tuple[float, int, int], **options: Any) -> dict[str, Value]:
    """What is made of reports (when, tenths of °F, ten-thousandths)."""
    device = tilt("red", **options)
    project = projection(parse_options(device, device.adapters[0]))
    raw = tuple(Sample(t, TiltReport("red", True, tenths, gravity)) for t, tenths, gravity in reports)
    return dict(project("red", LIVE, raw, {}))


def test_an_offset_is_exact() -> None:
    """1.016 - 0.002 is 1.014, and not a hair beside it."""
    assert float(Offset(Fraction("-0.002")).apply(Fraction(10_160, 10_000))) == 1.014
    shown = values(
        (0, 680, 10_160), calibration={"gravity": {"offset": -0.002}, "temperature": {"offset": 0.1}}
    )
    assert shown == {"temperature": 20.1, "gravity": 1.014}


def test_points_are_joined_by_lines() -> None:
    """And their corrections go on beyond the ends."""
    curve = points((1.0, 0.998), (1.05, 1.052), (1.1, 1.1))
    shown = [float(curve.apply(Fraction(each))) for each in ("0.99", "1", "1.025", "1.05", "1.1", "1.15")]
    assert shown == [0.988, 0.998, 1.025, 1.052, 1.1, 1.15]


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=6), NUMBERS, NUMBERS)
def test_every_calibration_rises(
    pairs: list[tuple[Fraction, Fraction]], one: Fraction, other: Fraction
) -> None:
    """A warmer beer is never shown as a colder one; points that would do that are refused."""
    measured, actual = ([each[place] for each in pairs] for place in (0, 1))
    rises = all(list(each) == sorted(set(each)) for each in (measured, actual))
    if not rises:
        with pytest.raises(ValueError, match="rise"):
            Points(tuple(pairs))
        return
    curve = Points(tuple(pairs))
    assert (one < other) is (curve.apply(one) < curve.apply(other))
    for known, is_so in pairs:
        assert curve.apply(known) == is_so


def test_one_point_is_no_line() -> None:
    with pytest.raises(ValueError, match="two points"):
        points((1.0, 1.0))


def test_median_and_mean_of_the_last() -> None:
    reports = [Fraction(each) for each in (9, 1, 2, 30)]
    assert RAW.of(reports) == 30
    assert Smoothing(Middle.MEDIAN, 3).of(reports) == 2
    assert Smoothing(Middle.MEDIAN, 4).of(reports) == Fraction(11, 2)
    assert Smoothing(Middle.MEAN, 3).of(reports) == 11
    assert Smoothing(Middle.MEAN, 60).of(reports) == Fraction(42, 4)
    with pytest.raises(ValueError, match="no values"):
        RAW.of([])


def test_smoothing_is_off_unless_asked_for() -> None:
    assert values((0, 680, 10_000), (1, 698, 10_100)) == {"temperature": 21.0, "gravity": 1.01}


def test_smoothing_comes_before_calibration() -> None:
    """Each quantity for itself."""
    reports = [(0, 680, 10_300), (1, 900, 10_100), (2, 698, 10_200)]
    shown = values(
        *reports,
        smoothing={"middle": "median", "last": 3},
        calibration={"gravity": {"points": [[1.0, 1.001], [1.04, 1.041]]}},
    )
    assert shown == {"temperature": 21.0, "gravity": 1.021}


def test_old_reports_do_not_count() -> None:
    """After a silence nothing is made of what was true before it."""
    reports = [(0.0, 320, 10_000), (1.0, 320, 10_000), (100.0, 680, 10_500)]
    smoothing = {"middle": "mean", "last": 5}
    assert values(*reports, smoothing=smoothing, stale_after_s=90) == {"temperature": 20.0, "gravity": 1.05}
    assert values(*reports, smoothing=smoothing)["temperature"] == pytest.approx(20 / 3)


def test_capabilities_of_the_contract() -> None:
    """°C, specific gravity and dBm; limits move with the calibration, so that they stay those of what is measured."""
    device = tilt("red", calibration={"temperature": {"offset": 2}})
    temperature, gravity, rssi = capabilities(parse_options(device, device.adapters[0]))
    assert [(each.key, each.unit) for each in (temperature, gravity, rssi)] == [
        ("temperature", "°C"),
        ("gravity", ""),
        ("rssi", "dBm"),
    ]
    assert temperature.freshness == gravity.freshness == rssi.freshness == Periodic(240.0)
    assert temperature.sanity == Sanity(float(Fraction(-70, 18) + 2), float(Fraction(880, 18) + 2))
    assert gravity.sanity == Sanity(0.98, 1.2)
    assert not rssi.essential
    assert rssi.group == SIGNAL
