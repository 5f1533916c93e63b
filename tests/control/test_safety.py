"""No ON without a fresh reading, usable settings, plugs that prove their state, and a person's consent."""

from __future__ import annotations

import math
from typing import Any

import pytest

from holdfast.control import (
    AlarmKind,
    Decision,
    EnteredBand,
    EnteredLimits,
    Output,
    State,
    acknowledge,
    replace_plug,
)
from holdfast.control.evidence import VERIFIED_S
from tests.control.bench import COOLER, HEATER, Bench, Quality, at_once, reading, replace, settings


def kinds(decision: Decision) -> list[AlarmKind]:
    return [alarm.kind for alarm in decision.alarms]


def heating(**other: Any) -> Bench:
    """A bench whose heater is proven ON."""
    bench = Bench(settings(**other))
    bench.run(19, 1800)
    assert bench.run(18, 100).state is State.HEATING
    return bench


@pytest.mark.parametrize(
    "sensed",
    [
        None,
        reading(17, age_s=240.0),
        reading(17, age_s=1e9),
        reading(17, age_s=-1.0),
        reading(17, age_s=math.nan),
        reading(17, is_suspect=True),
        reading(17, quality=Quality.STALE),
        reading(None, quality=Quality.UNKNOWN),
        reading(math.nan),
        reading(None),
        reading("cold"),
        reading(17, "K"),
    ],
)
def test_no_reading_no_heat(sensed: Any) -> None:
    """Whatever is wrong with the reading, both plugs are OFF at once: before the heater's shortest run is over."""
    bench = Bench(settings())
    bench.run(19, 1200)
    assert bench.run(18, 20).is_wanted(HEATER)
    bench.poll()
    decision = bench.look(sensed)
    assert decision.state is State.NO_READING
    assert (decision.outputs.heater, decision.outputs.cooler) == (Output.SAFETY_OFF, Output.SAFETY_OFF)
    assert kinds(decision) == [AlarmKind.NO_READING]
    bench.act(decision)
    assert bench.run(19, 10).state is not State.NO_READING
    assert kinds(bench.run(19, 10)) == []


def test_late_and_young_enough_is_fresh() -> None:
    """A late reading counts, up to just below the limit, and the next look is when it ends."""
    bench = heating()
    bench.poll()
    decision = bench.look(reading(17, age_s=239.0, quality=Quality.LATE))
    assert decision.state is State.HEATING
    assert decision.look_s == 1.0


def test_no_sensor_assigned() -> None:
    """A reading without an assignment, such as one left from another day, switches nothing."""
    bench = Bench(settings(sensor=""))
    decision = bench.run(17, 1200)
    assert decision.state is State.NO_READING
    assert "no sensor is assigned" in decision.reason
    assert bench.sent == []


def test_grace_suppresses_only_the_alarm() -> None:
    """After an assignment silence is told later, and no plug runs meanwhile."""
    bench = heating()
    bench.assigned_s = 899.0
    decision = bench.run(None, 10)
    assert (decision.state, decision.alarms) == (State.NO_READING, ())
    assert decision.outputs.heater is Output.SAFETY_OFF
    bench.assigned_s = 900.0
    assert kinds(bench.run(None, 10)) == [AlarmKind.NO_READING]


def test_the_start_is_no_alarm() -> None:
    """A sensor has its time to be heard for the first time; an alarm from before the restart goes on being one."""
    bench = Bench(settings())
    assert bench.run(None, 240).alarms == ()
    assert kinds(bench.run(None, 10)) == [AlarmKind.NO_READING]
    since = bench.memory.alarms[0].since
    bench.restart()
    assert bench.run(None, 10).alarms[0].since == since


@pytest.mark.parametrize(
    ("low", "high"), [(None, 20), (18, None), ("x", 20), (18, math.nan), (20, 18), (19, 19), ("66 F", "66 F")]
)
def test_unusable_limits(low: object, high: object) -> None:
    """Missing, text, not a number, swapped, equal: both OFF, said in words, whatever ran before."""
    bench = heating()
    bench.settings = bench.settings.with_band(low, high)
    bench.poll()
    decision = bench.look(reading(18))
    assert decision.state is State.CONFIGURATION_ERROR
    assert (decision.outputs.heater, decision.outputs.cooler) == (Output.SAFETY_OFF, Output.SAFETY_OFF)
    assert decision.limits is None
    assert kinds(decision) == [AlarmKind.CONFIGURATION]


def test_switched_off() -> None:
    """OFF is said until proven; then, and only then, a person may use a plug by hand."""
    bench = heating()
    bench.settings = replace(bench.settings, is_enabled=False)
    decision = bench.run(17)
    assert (decision.state, decision.outputs.heater) == (State.OFF, Output.SAFETY_OFF)
    bench.plugs.heater.taken_over = True
    decision = bench.run(17)
    assert (decision.outputs.heater, decision.outputs.cooler) == (Output.RELEASED, Output.SAFETY_OFF)
    bench.settings = replace(bench.settings, is_enabled=True)
    decision = bench.run(None)
    assert decision.outputs.heater is Output.SAFETY_OFF, "a safety condition is above a person"


@pytest.mark.parametrize(("role", "demand", "moved"), [(HEATER, 17, 16.16), (COOLER, 21, 21.84)])
def test_swapped_plugs(role: Any, demand: float, moved: float) -> None:
    """Ten minutes ON and more than 1.5 °F the wrong way: both OFF until a person has seen it, over a restart too."""
    bench = Bench(settings())
    bench.run(19, 1800)
    bench.run(demand, 20)
    exactly = demand + (-5 if role is HEATER else 5) / 6
    assert bench.run(moved, 590).state in (State.HEATING, State.COOLING), "too early to judge"
    assert bench.run(exactly, 10).state in (State.HEATING, State.COOLING), "1.5 °F is not more than 1.5 °F"
    decision = bench.run(moved, 10)
    assert decision.state is State.SWAPPED_PLUGS
    assert (decision.outputs.heater, decision.outputs.cooler) == (Output.SAFETY_OFF, Output.SAFETY_OFF)
    assert AlarmKind.SWAPPED_PLUGS in kinds(decision)
    bench.restart()
    assert bench.run(demand, 1200).state is State.SWAPPED_PLUGS
    bench.memory = acknowledge(bench.memory, AlarmKind.SWAPPED_PLUGS)
    assert bench.run(demand, 20).is_wanted(role)


def test_a_weak_heater_is_not_taken_for_swapped() -> None:
    """The beer sinks by half a degree an hour although the heater is on: it goes on, for it is all there is."""
    bench = Bench(settings())
    bench.run(19, 1800)
    bench.run(18, 600)
    for hour in range(24):
        assert bench.run(18 - 0.5 * (hour + 1), 3600).state is State.HEATING
    assert bench.run(18 - 12 - 1.0, 3000).state is State.SWAPPED_PLUGS, (
        "a degree within the hour is another matter"
    )


def test_the_other_plugs_aftermath_is_not_judged() -> None:
    """The chamber is cold from the cooler's run, and the beer falls on under the heater: that is no swap."""
    bench = Bench(settings())
    bench.run(21, 2400)
    assert bench.plugs.cooler.is_on
    bench.run(18, 620)
    assert bench.run(17.9, 30).state is State.HEATING
    assert bench.run(16.5, 900).state is State.HEATING
    assert bench.memory.plugs.heater.watch is None
    bench.run(16.4, 600)
    assert bench.memory.plugs.heater.watch is not None


def test_a_plug_that_went_off_is_watched_anew() -> None:
    """The ten minutes and the temperature count from this ON, not from an earlier one."""
    bench = heating()
    bench.run(20, 100)
    bench.run(18, 100)
    assert bench.memory.plugs.heater.watch is not None
    assert bench.memory.plugs.heater.watch.start == 18_000_000
    bench.memory = replace_plug(bench.memory, HEATER)
    assert bench.memory.plugs.heater.off_since is None


def test_the_alarm_is_acknowledged_once() -> None:
    """A person's glance marks the alarm and changes nothing else."""
    bench = heating()
    bench.run(None, 10)
    bench.memory = acknowledge(bench.memory, AlarmKind.NO_READING)
    assert bench.run(None, 10).alarms[0].is_acknowledged
    bench.run(19, 10)
    assert not any(alarm.is_acknowledged for alarm in bench.run(None, 10).alarms)


def test_a_silent_heater() -> None:
    """Wanted ON goes on being tried, is not shown as heating, and ends with its lease; OFF is then said for ever."""
    bench = heating()
    bench.plugs.heater.silent = True
    decision = bench.run(18, 60)
    assert (decision.state, decision.outputs.heater) == (State.PLUG_UNREACHABLE, Output.ON)
    decision = bench.run(18, VERIFIED_S + 600)
    assert decision.outputs.heater is Output.SAFETY_OFF
    assert "must answer first" in decision.reason
    assert kinds(decision) == [AlarmKind.HEATER_UNREACHABLE]
    sent = len(bench.sent)
    assert bench.run(18, 1000).outputs.heater is Output.SAFETY_OFF
    assert [each[1:] for each in bench.sent[sent:]] == [(HEATER, False)] * 100
    bench.plugs.heater.silent = False
    assert kinds(bench.run(18, 10)) == []
    bench.run(18, 20)
    assert bench.run(18, 100).state is State.HEATING


def test_a_deaf_heater() -> None:
    """It answers and does not obey: tried again each cycle, shown as trouble once that was told, one alarm."""
    bench = Bench(settings())
    bench.run(19, 1200)
    bench.plugs.heater.deaf = True
    assert bench.run(17, 20).state is State.WAITING_TO_HEAT
    bench.plugs.heater.error = "acknowledged without effect"
    decision = bench.run(17, 60)
    assert decision.state is State.PLUG_UNREACHABLE
    assert "does not obey: acknowledged without effect" in decision.reason
    since = decision.alarms[0].since
    bench.plugs.heater.open = True
    decision = bench.run(17)
    assert decision.state is State.PLUG_UNREACHABLE
    assert "has not proved its state yet" in decision.reason
    assert decision.alarms[0].since == since
    assert len(bench.sent) >= 9
    bench.plugs.heater.open, bench.plugs.heater.deaf, bench.plugs.heater.error = False, False, ""
    bench.run(17, 10)
    decision = bench.run(17, 10)
    assert (decision.state, kinds(decision)) == (State.HEATING, [AlarmKind.BELOW_LOW])


def test_a_plug_that_was_never_read() -> None:
    """At the start nothing is decided before both plugs answered; the lack of an answer is told after 30 s."""
    bench = Bench(at_once())
    bench.plugs.cooler.silent = True
    decision = bench.run(17, 10)
    assert decision.state is State.PLUG_UNREACHABLE
    assert (decision.outputs.heater, decision.outputs.cooler) == (Output.OFF, Output.SAFETY_OFF)
    assert "the cooler must be proven off first" in decision.reason
    assert kinds(bench.run(17, 20)) == [AlarmKind.BELOW_LOW]
    assert kinds(bench.run(17, 10)) == [AlarmKind.COOLER_UNREACHABLE, AlarmKind.BELOW_LOW]
    assert (HEATER, True) not in [each[1:] for each in bench.sent]
    bench.plugs.heater.silent, bench.plugs.cooler.silent = True, False
    bench.restart()
    assert "the heater's plug must answer first" in bench.run(17, 10).reason


def test_the_heater_goes_on_without_the_coolers_answer() -> None:
    """What is proven ON needs no command; but nothing is sent while the other is unknown."""
    bench = heating()
    bench.plugs.cooler.silent = True
    decision = bench.run(17, 100)
    assert (decision.state, decision.outputs.heater) == (State.PLUG_UNREACHABLE, Output.ON)
    assert decision.reason.endswith("heating")
    bench.plugs.heater.is_on = False
    assert not bench.run(17, 10).is_wanted(HEATER)


def test_both_seen_on() -> None:
    """Somebody pressed the cooler's button while the heater runs: both OFF."""
    bench = heating()
    bench.plugs.cooler.is_on = True
    decision = bench.run(17)
    assert (decision.outputs.heater, decision.outputs.cooler) == (Output.OFF, Output.OFF)
    assert decision.state is State.HEATING, "it is still on, and told to stop"
    assert "told to switch off" in decision.reason
    decision = bench.run(17)
    assert decision.state is State.WAITING_TO_HEAT
    assert "must rest" in decision.reason or "too short a time ago" in decision.reason


def test_a_person_takes_over() -> None:
    """That plug is left alone, the other one still obeys the rules."""
    bench = Bench(at_once())
    bench.run(19, 50)
    bench.plugs.heater.taken_over = True
    bench.plugs.heater.is_on = True
    decision = bench.run(19, 20)
    assert (decision.state, decision.outputs.heater) == (State.IDLE, Output.RELEASED)
    assert "a person has taken over the heater" in decision.reason
    decision = bench.run(21, 50)
    assert decision.state is State.WAITING_TO_COOL
    assert not decision.is_wanted(COOLER)
    bench.plugs.heater.taken_over = False
    assert bench.run(21, 50).state is State.COOLING
    assert not bench.plugs.heater.is_on


def test_an_open_command_proves_nothing() -> None:
    """The cooler's last answer was OFF, but a command is under way: the heater waits."""
    bench = Bench(at_once())
    bench.run(19, 50)
    bench.plugs.cooler.open = True
    assert bench.run(17, 20).state is State.WAITING_TO_HEAT
    bench.plugs.cooler.open = False
    assert bench.run(17, 20).state is State.HEATING


def test_excursions_are_told_once_and_strictly() -> None:
    """At the limit nothing is told; beyond it once, until the opposite limit was reached."""
    bench = Bench(at_once())
    sequence = (18, 17.9, 18, 19, 17.9, 20, 20.1, 19, 20.1, 18, 20)
    found = [[kind.value for kind in kinds(bench.run(temperature, 50))] for temperature in sequence]
    below, above = ["below_low"], ["above_high"]
    assert found == [[], below, below, below, below, [], above, above, above, [], []]
    bench.settings = replace(bench.settings, limits=EnteredLimits(EnteredBand(None, 20)))
    bench.run(17, 20)
    assert AlarmKind.BELOW_LOW not in kinds(bench.run(17, 20))


def test_exactly_the_allowed_move_in_fahrenheit() -> None:
    """From 64 to 62.5 °F is 1.5 °F, although its two ends are rounded apart; a tenth more is too much."""
    bench = Bench(at_once("64 °F", "68 °F"))
    bench.run(66, 1800, "°F")
    bench.run(64, 50, "°F")
    assert bench.run(62.5, 1000, "°F").state is State.HEATING
    assert bench.run(62.4, 10, "°F").state is State.SWAPPED_PLUGS
