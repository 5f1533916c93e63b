"""Holds and ramps, by time and by gravity."""

from __future__ import annotations

from datetime import timedelta

import pytest

from holdfast.control import (
    EnteredBand,
    EnteredLimits,
    Hold,
    HoldUntilGravity,
    Instant,
    Position,
    Ramp,
    continue_profile,
    pause_profile,
    skip_step,
    start_profile,
)
from holdfast.control.profile import Gravity, advance, entered_at, limits_at
from tests.control.bench import EPOCH, Bench, reading, settings


def band(low: object, high: object) -> EnteredLimits:
    return EnteredLimits(EnteredBand(low, high))


USUAL = band(10, 12)
STEPS = (
    Hold(band(18, 20), 100.0),
    HoldUntilGravity(band(18, 20), 1.02, 2),
    Ramp(band(20, 22), 200.0),
    Hold(band(4, 6), 50.0),
)


def instant(seconds: float, era: str = "a", stepped_s: float = 0.0) -> Instant:
    return Instant(seconds, era, EPOCH + timedelta(seconds=seconds + stepped_s))


def gravity(value: float, seconds: float) -> Gravity:
    return Gravity(value, EPOCH + timedelta(seconds=seconds))


def test_the_way_through() -> None:
    """Steps end in order, what is over of one counts for the next, and after the last its limits stay."""
    at = advance(STEPS, Position(), None, instant(0), is_enabled=True)
    at = advance(STEPS, at, gravity(1.01, 99), instant(99), is_enabled=True)
    assert (at.index, at.low_run) == (0, 0)
    at = advance(STEPS, at, None, instant(101), is_enabled=True)
    assert at.index == 1
    for seconds, value, run in [(110, 1.019, 1), (111, 1.02, 0), (112, 1.01, 1)]:
        at = advance(STEPS, at, gravity(value, seconds), instant(seconds), is_enabled=True)
        assert (at.index, at.low_run) == (1, run)
    at = advance(STEPS, at, gravity(1.01, 112), instant(113), is_enabled=True)
    assert at.index == 1, "the same reading counted twice"
    at = advance(STEPS, at, gravity(1.01, 114), instant(114), is_enabled=True)
    assert (at.index, at.spent_s) == (2, 0)
    at = advance(STEPS, at, None, instant(164), is_enabled=True)
    assert limits_at(STEPS, USUAL, at).heating == (18_500_000, 20_500_000)
    assert limits_at(STEPS, USUAL, at).cooling == (18_500_000, 20_500_000)
    at = advance(STEPS, at, None, instant(364), is_enabled=True)
    assert at.index == 4, "50 s of the hold were over as well"
    assert limits_at(STEPS, USUAL, at).heating == (4_000_000, 6_000_000)
    assert entered_at(STEPS, USUAL, at) == band(4, 6)
    assert advance(STEPS, at, None, instant(9999), is_enabled=True).index == 4


def test_a_first_ramp_starts_from_the_usual_limits() -> None:
    """There is always something to come from, and a ramp that took too long has arrived."""
    steps = (Ramp(band(20, 22), 100.0),)
    assert limits_at(steps, USUAL, Position(spent_s=50)).heating == (15_000_000, 17_000_000)
    assert limits_at(steps, USUAL, Position(spent_s=500)).heating == (20_000_000, 22_000_000)
    assert limits_at((), USUAL, Position()).heating == (10_000_000, 12_000_000)
    assert entered_at((), USUAL, Position()) == USUAL


def test_a_hold_without_end() -> None:
    """It stays until it is skipped."""
    steps = (Hold(band(18, 20)), Hold(band(4, 6)))
    at = advance(steps, Position(at=instant(0)), None, instant(10**7), is_enabled=True)
    assert at.index == 0


@pytest.mark.parametrize(("stepped_s", "spent_s"), [(0.0, 60.0), (3600.0, 60.0), (-3600.0, 60.0)])
def test_a_step_of_the_wall_clock_moves_nothing(stepped_s: float, spent_s: float) -> None:
    """Within one boot only the steady clock counts."""
    at = advance(STEPS, Position(at=instant(0)), None, instant(60, stepped_s=stepped_s), is_enabled=True)
    assert at.spent_s == spent_s


def test_a_restart_is_told_by_the_wall_clock() -> None:
    """A machine that was off for a minute is a minute further, one whose clock went back is where it was."""
    at = Position(at=instant(1000), spent_s=10)
    on = advance(STEPS, at, None, instant(5, "b", 1055), is_enabled=True)
    assert on.spent_s == 70
    back = advance(STEPS, at, None, instant(5, "b", -5000), is_enabled=True)
    assert back.spent_s == 10


def test_people() -> None:
    """Pause, go on, skip, begin anew; a thermostat that is switched off does not move either."""
    bench = Bench(settings(profile=STEPS))
    bench.run(19, 50)
    bench.memory = pause_profile(bench.memory)
    bench.run(19, 500)
    assert bench.memory.position.spent_s == 40
    bench.memory = continue_profile(bench.memory)
    bench.run(19, 10)
    assert bench.memory.position.spent_s == 50
    bench.settings = settings(profile=STEPS, is_enabled=False)
    bench.run(19, 500)
    assert bench.memory.position.spent_s == 50
    bench.settings = settings(profile=STEPS)
    bench.memory = skip_step(bench.memory, bench.now)
    assert bench.memory.position.index == 1
    bench.memory = start_profile(bench.memory, bench.now)
    assert (bench.memory.position.index, bench.memory.position.spent_s) == (0, 0)


@pytest.mark.parametrize(
    ("weighed", "index"),
    [
        ({"value": 1.01}, 2),
        ({"value": True}, 1),
        ({"value": "low"}, 1),
        ({"value": 1.01, "age_s": 300.0}, 1),
        ({"value": 1.01, "is_suspect": True}, 1),
        ({"value": 1.01, "observed_at": None}, 1),
    ],
)
def test_only_fresh_gravity_counts(weighed: dict[str, object], index: int) -> None:
    """What the temperature may not rest on does not end a step either."""
    bench = Bench(settings(profile=STEPS))
    bench.memory = skip_step(bench.memory, bench.now)
    for _ in range(2):
        usual: dict[str, object] = {"unit": "", "observed_at": bench.now.wall}
        bench.gravity = reading(**{**usual, **weighed})  # type: ignore[arg-type]
        bench.run(19)
    assert bench.memory.position.index == index


def test_the_limits_in_force_control() -> None:
    """19 °C is too cold once the profile says so."""
    bench = Bench(settings(profile=(Hold(band(16, 18), 2000.0), Hold(band(20, 22)))))
    bench.rested()
    decision = bench.run(19, 10)
    assert not decision.is_wanted(bench.settings.roles[0])
    decision = bench.run(19, 1500)
    assert decision.is_wanted(bench.settings.roles[0])
    assert decision.limits is not None
    assert decision.limits.heating == (20_000_000, 22_000_000)
