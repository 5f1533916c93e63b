"""How well simulated vessels are kept, and that no course of temperatures can hurry a compressor."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bench.quality.month import MONTH_DAYS, keep
from bench.quality.relays import Relay
from bench.quality.section import GOAL
from bench.quality.setups import GARAGE, HALVES, ONE, SETUPS, Setup
from bench.quality.table import NONE, head, line, named
from bench.quality.thermostat import IdealThermostat
from holdfast.control import EnteredBand, EnteredLimits, Role, State, ThermostatSettings
from holdfast.simulators.fermenter import BELTED, FINE, STILL_AIR, TILT_PRO
from tests.control.bench import at_once, settings

DAYS = 5.0
"""The first ones: pitched too warm, and the days with most heat of the yeast."""
REST_S = 300.0
PAUSE_S = 600.0
PAGE = Path(__file__).parents[2] / "docs" / "control_quality.md"
USUAL = Setup(vessel=BELTED, room=GARAGE, sensor=TILT_PRO, range=HALVES)
"""The row that is kept for a whole month here."""
HIGHEST_STEP_S = 13.0
"""Between two looks; no divisor of any minimum time."""

GOOD = [setup for setup in SETUPS if not setup.why]
ONE_OF_EACH = list({(setup.vessel, setup.plugs): setup for setup in reversed(GOOD)}.values())
"""For each vessel and its plugs the first one of the table."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("setup", ONE_OF_EACH, ids=lambda setup: setup.name)
def test_inside_from_the_first_days(setup: Setup) -> None:
    """Where nothing is in the way, the beer is inside for 95 % of the time, and nothing is hurried."""
    kept = keep(setup, DAYS)
    assert kept.settled_s is not None
    assert kept.inside >= GOAL, line(setup, kept)
    assert kept.relays.cooler.shortest_rest_s >= REST_S
    assert kept.relays.shortest_pause_s >= PAUSE_S
    assert not kept.relays.were_both_on
    assert not kept.stopped_s


@pytest.mark.soak
@pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: setup.name)
def test_every_month_is_as_the_page_shows_it(setup: Setup) -> None:
    """All rows, the bad ones included."""
    kept = keep(setup)
    assert line(setup, kept) in PAGE.read_text("utf-8").splitlines()
    assert (kept.inside >= GOAL) == (not setup.why)
    assert kept.relays.cooler.shortest_rest_s >= REST_S
    assert kept.relays.shortest_pause_s >= PAUSE_S
    assert not kept.relays.were_both_on


@pytest.mark.timeout(300)
def test_a_month_as_the_page_shows_it() -> None:
    """A whole month of the usual setup is what the page says, to the last digit."""
    kept = keep(USUAL, MONTH_DAYS)
    assert kept.inside >= GOAL
    assert kept.whole.inside >= GOAL
    assert line(USUAL, kept) in PAGE.read_text("utf-8").splitlines()


def test_the_page_shows_every_setup() -> None:
    """No row is missing, and none is of a setup that is measured no more."""
    page = PAGE.read_text("utf-8")
    assert head() in page
    rows = page.partition(head())[2].strip().splitlines()
    shown = rows[: rows.index("")] if "" in rows else rows
    assert len(shown) == len(SETUPS)
    for setup, row in zip(SETUPS, shown, strict=True):
        assert row.startswith(named(setup))
        share = row.split("|")[6].strip()
        is_kept = share != NONE and float(share.removesuffix(" %")) >= GOAL * 100
        assert is_kept == (not setup.why), row


def test_names_tell_setups_apart() -> None:
    """No two rows have the same name."""
    assert len({setup.name for setup in SETUPS}) == len(SETUPS)


def test_one_band_for_both_plays_ping_pong() -> None:
    """The table can show a bad figure: the control law is kept as it is, and this is what it costs."""
    kept = keep(replace(USUAL, sensor=FINE, range=ONE), 3.0)
    assert kept.inside < 0.8
    assert kept.starts_a_day(Role.HEATER) > 5
    assert kept.relays.cooler.shortest_rest_s >= REST_S
    assert kept.relays.shortest_pause_s >= PAUSE_S


def test_a_longer_cycle_changes_nothing() -> None:
    """Looking at an unchanged scene every 10 s switches at the same moments as looking when it is due."""
    setup = replace(USUAL, vessel=STILL_AIR, range=ONE)
    assert keep(setup, 1.0, cycle_s=10.0).relays.history == keep(setup, 1.0).relays.history != []


# --- whatever the temperature does ---------------------------------------------------------------------------

temperatures = st.one_of(
    st.floats(10, 30), st.integers(15, 23), st.sampled_from((18.0, 18.5, 19.0, 19.5, 20.0, 20.5))
)
"""Far outside, on the limits, and between them."""
courses = st.lists(st.tuples(temperatures, st.floats(1, 1500)), min_size=1, max_size=20)
gappy = st.lists(st.tuples(st.none() | temperatures, st.floats(1, 1500)), min_size=1, max_size=20)
"""With a sensor that falls silent: OFF at once, and a rest all the same."""
seconds = st.sampled_from((0.0, 20.0, 60.0, 180.0, 300.0, 600.0, 900.0))
chosen = st.builds(
    settings,
    cooling=st.sampled_from((None, EnteredBand(18, 20), EnteredBand(18.5, 20.5), EnteredBand(20, 21))),
    heater=st.sampled_from(("", "heater/switch", "heater/switch")),
    heater_min_off_s=seconds,
    heater_min_on_s=seconds,
    cooler_min_off_s=seconds,
    cooler_min_on_s=seconds,
    dead_time_s=seconds,
)


def driven(by: ThermostatSettings, course: list[tuple[float | None, float]]) -> tuple[IdealThermostat, bool]:
    """Take a thermostat along a course of temperatures, each for so long; whether anything ever stopped it."""
    thermostat, at_s, was_stopped = IdealThermostat(by), 0.0, False
    for shown_c, for_s in course:
        until_s = at_s + for_s
        while at_s < until_s:
            thermostat.look(at_s, shown_c)
            was_stopped |= thermostat.is_stopped
            at_s += min(HIGHEST_STEP_S, until_s - at_s)
    return thermostat, was_stopped


@given(chosen, gappy)
@hypothesis_settings(max_examples=60, deadline=None)
def test_no_course_shortens_a_rest(by: ThermostatSettings, course: list[tuple[float | None, float]]) -> None:
    """Rests and the pause between opposite actions are never shorter than configured, and never are both on."""
    relays = driven(by, course)[0].relays
    assert relays.heater.shortest_rest_s >= by.heater_min_off_s
    assert relays.cooler.shortest_rest_s >= by.cooler_min_off_s
    assert relays.shortest_pause_s >= by.dead_time_s
    assert not relays.were_both_on


@given(chosen, courses)
@hypothesis_settings(max_examples=30, deadline=None)
def test_no_course_shortens_a_run(by: ThermostatSettings, course: list[tuple[float | None, float]]) -> None:
    """Unless safety demands it, a plug that was switched on stays on for its shortest run."""
    thermostat, was_stopped = driven(by, course)
    if not was_stopped:
        assert thermostat.relays.heater.shortest_run_s >= by.heater_min_on_s
        assert thermostat.relays.cooler.shortest_run_s >= by.cooler_min_on_s


def test_the_judge_finds_what_is_too_short() -> None:
    """Without minimum times the same course shows rests, runs and pauses below those that are promised."""
    course: list[tuple[float | None, float]] = [(18.0, 30.0), (20.0, 30.0)] * 5
    hurried = driven(at_once(), course)[0].relays
    assert hurried.cooler.shortest_rest_s < REST_S
    assert hurried.cooler.shortest_run_s < 180.0
    assert hurried.shortest_pause_s < PAUSE_S
    calm = driven(settings(), course)[0].relays
    assert calm.history == []


def test_a_sensor_that_falls_silent() -> None:
    """Both are off at once, and stay off until there is a temperature again."""
    thermostat, was_stopped = driven(settings(), [(17.0, 900.0), (None, 60.0)])
    assert thermostat.relays.heater.starts == 1
    assert thermostat.relays.state == (False, False)
    assert was_stopped
    assert thermostat.decision is not None
    assert thermostat.decision.state is State.NO_READING


def test_relay() -> None:
    """Only what moves it counts; the start is the beginning of its first rest."""
    relay = Relay()
    relay.move(False, 10.0)
    assert relay.shortest_rest_s == math.inf
    for at_s, is_on in ((50.0, True), (60.0, True), (110.0, False), (115.0, True), (400.0, False)):
        relay.move(is_on, at_s)
    assert (relay.starts, relay.shortest_rest_s, relay.shortest_run_s) == (2, 5.0, 60.0)


def test_wanted_range_of_a_split_one() -> None:
    """The range is from where heating starts to where cooling starts."""
    limits = EnteredLimits(EnteredBand(18, 19), cooling=EnteredBand(19, 20))
    assert USUAL.settings.limits == limits
    assert (keep(USUAL, 0.01).whole.low_c, keep(USUAL, 0.01).whole.high_c) == (18.0, 20.0)
