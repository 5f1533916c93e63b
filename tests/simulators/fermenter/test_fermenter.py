"""The thermal model: physics that must hold, and the shape of what a brewer sees."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.simulators.fermenter import (
    AIR,
    BUCKET,
    CARBOY,
    DEAD,
    FINE,
    LONGEST_STEP_S,
    SENSORS,
    STILL_AIR,
    TAPED,
    TILT,
    VESSELS,
    WHOLE,
    Ambient,
    Fermenter,
    LivingFermenter,
    Quality,
    Sensor,
    Vessel,
    Yeast,
)

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S

each_vessel = pytest.mark.parametrize("vessel", VESSELS, ids=lambda vessel: vessel.name)


def after(
    fermenter: Fermenter, seconds: float, *, heater_on: bool = False, cooler_on: bool = False
) -> Fermenter:
    return fermenter.step(seconds, heater_on=heater_on, cooler_on=cooler_on)


@each_vessel
def test_left_alone_it_takes_the_rooms_temperature(vessel: Vessel) -> None:
    """Down from above and up from below, never beyond."""
    for start_c in (5.0, 30.0):
        now = Fermenter.begin(vessel, beer_c=start_c, ambient=Ambient(mean_c=18.0))
        for _ in range(30):
            later = after(now, DAY_S / 4)
            assert abs(later.beer_c - 18.0) <= abs(now.beer_c - 18.0)
            now = later
        assert now.beer_c == pytest.approx(18.0, abs=0.2)


@each_vessel
def test_heater_alone_ends_where_power_and_loss_meet(vessel: Vessel) -> None:
    """In the end all of the heater's power goes through the walls."""
    now = after(Fermenter.begin(vessel, beer_c=20.0), 40 * DAY_S, heater_on=True)
    in_beer_w = vessel.heater_share * vessel.heater_w
    assert now.chamber_c == pytest.approx(20.0 + vessel.heater_w / vessel.walls_w_per_k, rel=0.01)
    assert now.beer_c == pytest.approx(now.chamber_c + in_beer_w / vessel.beer_w_per_k, rel=0.01)


@each_vessel
def test_stated_time_constant(vessel: Vessel) -> None:
    """With the chamber held, 63 % of the way takes the time that is stated."""
    held = replace(vessel, chamber_j_per_k=1e12)
    now = replace(Fermenter.begin(held, beer_c=20.0), chamber_c=10.0)
    assert after(now, vessel.beer_time_s).beer_c == pytest.approx(10.0 + 10.0 / math.e, abs=0.02)


@each_vessel
def test_steps_are_fine_enough(vessel: Vessel) -> None:
    """Half the step gives the same week, and one long call the same as many short ones."""
    yeast, ambient = Yeast(), Ambient(mean_c=20.0, swing_c=5.0)
    coarse = fine = Fermenter.begin(vessel, beer_c=18.0, yeast=yeast, ambient=ambient)
    for hour in range(7 * 24):
        on = {"heater_on": hour % 5 == 0, "cooler_on": hour % 7 == 3}
        coarse = coarse.step(HOUR_S, **on)
        for _ in range(int(2 * HOUR_S / LONGEST_STEP_S)):
            fine = fine.step(LONGEST_STEP_S / 2, **on)
    assert coarse.beer_c == pytest.approx(fine.beer_c, abs=0.01)
    assert coarse.gravity == pytest.approx(fine.gravity, abs=1e-4)


def test_pure() -> None:
    """A step changes nothing, and the same step gives the same."""
    first = Fermenter.begin(CARBOY, beer_c=18.0, yeast=Yeast())
    copy = replace(first)
    assert after(first, 100.0, heater_on=True) == after(first, 100.0, heater_on=True) != first
    assert first == copy
    assert after(first, 0.0) == first
    for wrong in (-1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="forward"):
            after(first, wrong)


def test_both_actuators_lag() -> None:
    """What they have begun goes on after they are off: the reason for overshoot."""
    warm = after(
        Fermenter.begin(STILL_AIR, beer_c=18.0, ambient=Ambient(mean_c=18.0)), 1800.0, heater_on=True
    )
    assert after(warm, 900.0).beer_c > warm.beer_c + 0.05
    cold = after(
        Fermenter.begin(STILL_AIR, beer_c=18.0, ambient=Ambient(mean_c=18.0)), 1800.0, cooler_on=True
    )
    assert after(cold, 900.0).beer_c < cold.beer_c - 0.1


def test_compressor_takes_its_time() -> None:
    """Nothing is cooled before the pressure is there, and short runs never get there."""
    now = Fermenter.begin(CARBOY, beer_c=18.0, ambient=Ambient(mean_c=18.0))
    for _ in range(20):
        now = after(after(now, CARBOY.cooler_start_s, cooler_on=True), 60.0)
    assert now.beer_c == pytest.approx(18.0, abs=1e-6)
    assert after(now, 600.0, cooler_on=True).chamber_c < 15.0


@given(st.lists(st.tuples(st.floats(0.0, 7200.0), st.booleans(), st.booleans()), max_size=20))
def test_stays_within_physics(script: list[tuple[float, bool, bool]]) -> None:
    """Whatever is switched: gravity only falls, and temperatures stay within what the powers can do."""
    now = Fermenter.begin(BUCKET, beer_c=20.0, yeast=Yeast(), ambient=Ambient(mean_c=20.0, swing_c=5.0))
    for dt, heater_on, cooler_on in script:
        later = now.step(dt, heater_on=heater_on, cooler_on=cooler_on)
        assert later.gravity <= now.gravity
        assert 20.0 - 40.0 < later.beer_c < 20.0 + 40.0
        assert 0.0 <= later.done <= 1.0
        now = later


def test_fermentation_warms_the_beer() -> None:
    """An S of gravity, most heat in its middle, and all of the sugar's heat in sum."""
    yeast = Yeast(original=1.050, final=1.010)
    now = Fermenter.begin(CARBOY, beer_c=20.0, yeast=yeast)
    powers, gravities = [], []
    for _ in range(10 * 24):
        now = after(now, HOUR_S)
        powers.append(now.yeast_w)
        gravities.append(now.gravity)
    assert gravities == sorted(gravities, reverse=True)
    assert gravities[-1] == pytest.approx(1.010, abs=0.001)
    peak = powers.index(max(powers))
    assert 24 <= peak <= 4 * 24
    assert 3.0 < powers[peak] < 10.0
    # 40 points are 10 °P apparent, 8.1 real: 1.62 kg of sugar in 20 kg, 586.6 kJ each.
    assert sum(powers) * HOUR_S == pytest.approx(1.62 * 586_600.0, rel=0.05)


def test_yeast_likes_it_warm() -> None:
    """Cold it is slow, out of its range it rests, and without yeast nothing happens."""
    yeast = Yeast()
    assert yeast.speed(0.5, 10.0) < 0.5 * yeast.speed(0.5, 20.0)
    assert yeast.speed(0.5, -1.0) == yeast.speed(0.5, 45.0) == 0.0
    assert after(Fermenter.begin(CARBOY, yeast=DEAD), DAY_S).gravity == DEAD.original


def test_day_and_night() -> None:
    """Warmest in the afternoon, coldest twelve hours later."""
    room = Ambient(mean_c=18.0, swing_c=4.0)
    assert room.at(15 * HOUR_S) == pytest.approx(22.0)
    assert room.at(3 * HOUR_S) == pytest.approx(14.0)
    assert after(Fermenter.begin(CARBOY, second=23 * HOUR_S), 2 * HOUR_S).second == pytest.approx(HOUR_S)


@pytest.mark.parametrize("sensor", SENSORS, ids=lambda sensor: sensor.name)
def test_sensors_tell_in_steps(sensor: object) -> None:
    """Each reading is the nearest step, so never more than half of one away."""
    assert isinstance(sensor, type(FINE))
    step_c = sensor.step / 1.8 if sensor.is_fahrenheit else sensor.step
    for tenth in range(-50, 300):
        true_c = tenth / 10.0 + 0.013
        assert abs(sensor.show(true_c) - true_c) <= step_c / 2 + 1e-9


def test_known_readings() -> None:
    """A Tilt tells whole degrees Fahrenheit; an offset is felt before the steps."""
    assert TILT.show(20.1) == pytest.approx(20.0)  # 68 °F
    assert TILT.show(20.4) == pytest.approx((69 - 32) / 1.8)
    assert WHOLE.show(17.5) == 18.0
    assert replace(WHOLE, offset_c=-0.6).show(18.0) == 17.0


def test_sensor_lags() -> None:
    """It follows the beer in its own time."""
    now = replace(Fermenter.begin(CARBOY, beer_c=20.0, sensor=FINE), sensed_c=10.0)
    assert after(now, FINE.lag_s).sensed_c == pytest.approx(20.0 - 10.0 / math.e, abs=0.1)


@pytest.mark.parametrize(("sensor", "share"), [(FINE, 0.0), (TAPED, 0.2), (AIR, 1.0)], ids=str)
def test_where_a_sensor_is(sensor: Sensor, share: float) -> None:
    """In the beer, in the air, or on the wall between them: that is what it comes to show."""
    held = replace(CARBOY, chamber_j_per_k=1e12, beer_kg=1e9)
    now = replace(Fermenter.begin(held, beer_c=20.0, sensor=sensor), chamber_c=10.0)
    assert after(now, HOUR_S).sensed_c == pytest.approx(20.0 - 10.0 * share, abs=1e-3)


def test_on_a_limit_is_not_inside() -> None:
    """Inside is strictly between the limits."""
    quality = Quality(18.0, 20.0)
    quality.add(18.0, 1.0)
    quality.add(20.0, 1.0)
    assert quality.inside == 0.0


def test_living_along_with_a_clock() -> None:
    """It comes to the same as stepping by hand, however often somebody looks."""
    clock = [100.0]
    first = Fermenter.begin(CARBOY, beer_c=18.0)
    living = LivingFermenter(first, lambda: clock[0])
    living.heat(True)
    clock[0] += 500.0
    assert living.now.beer_c > 18.0 - 1e-9
    clock[0] += 500.0
    living.heat(False)
    living.cool(True)
    clock[0] += 1000.0
    by_hand = after(after(after(first, 500.0, heater_on=True), 500.0, heater_on=True), 1000.0, cooler_on=True)
    assert living.now == by_hand
    assert (living.heater_s, living.cooler_s, living.both_s) == (1000.0, 1000.0, 0.0)
    living.heat(True)
    clock[0] += 10.0
    assert living.now is living.now
    assert living.both_s == 10.0


def test_quality() -> None:
    """Shares of time and the farthest away on either side."""
    quality = Quality(18.0, 20.0)
    assert quality.inside == 1.0
    for beer_c, lasted_s in ((19.0, 90.0), (20.5, 5.0), (17.0, 5.0)):
        quality.add(beer_c, lasted_s)
    assert quality.inside == pytest.approx(0.9)
    assert (quality.above_c, quality.below_c) == (0.5, 1.0)
    assert "90.00%" in str(quality)
