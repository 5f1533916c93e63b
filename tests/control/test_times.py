"""Minimum times and dead time: kept through restarts, clock steps and suspends, and shown while they last."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.control import Output, PlugEvidence, PlugMemory, Role, State, from_record, to_record
from holdfast.control.plug import observe
from tests.control.bench import COOLER, HEATER, Bench, at_once, reading, settings


def until(bench: Bench, value: float, state: State, most_s: float = 3000.0) -> float:
    """Seconds until the thermostat says this."""
    start = bench.steady_s
    while bench.run(value).state is not state:
        assert bench.steady_s - start < most_s
    return bench.steady_s - start - 10.0


def until_on(bench: Bench, value: float, role: Role, most_s: float = 3000.0) -> float:
    """Seconds until this plug is wanted ON."""
    start = bench.steady_s
    while not bench.run(value).is_wanted(role):
        assert bench.steady_s - start < most_s
    return bench.steady_s - start - 10.0


@pytest.mark.parametrize(
    ("value", "waiting", "active", "minimum", "rest_s"),
    [
        (17, State.WAITING_TO_HEAT, State.HEATING, State.HEATING_MINIMUM_TIME, 60),
        (21, State.WAITING_TO_COOL, State.COOLING, State.COOLING_MINIMUM_TIME, 300),
    ],
)
def test_the_shortest_rest(
    value: float, waiting: State, active: State, minimum: State, rest_s: float
) -> None:
    """Without an opponent the plug's own rest decides, and the state says what is waited for."""
    bench = Bench(settings(cooler="") if value == 17 else settings(heater=""))
    assert bench.run(value).state is waiting
    assert "must rest" in bench.decision.reason  # type: ignore[union-attr]
    assert until_on(bench, value, HEATER if value == 17 else COOLER) == rest_s - 10
    assert bench.run(value).state is active
    opposite = 21 if value == 17 else 17
    decision = bench.run(opposite)
    assert decision.state is minimum
    assert decision.is_wanted(HEATER if value == 17 else COOLER)
    ended_s = until(bench, opposite, State.IDLE)
    assert ended_s == pytest.approx((60 if value == 17 else 180) - 10, abs=10)


def test_a_run_that_only_lasts_is_not_kept() -> None:
    """Back inside the band the heater stops when its shortest run is over: the law no longer wants it."""
    bench = Bench(settings())
    bench.run(19, 1200)
    bench.run(17, 20)
    bench.run(20, 10)
    assert bench.run(19, 10).state is State.HEATING_MINIMUM_TIME
    assert until(bench, 19, State.IDLE) < 60


def test_dead_time() -> None:
    """After heating the cooler waits, and a demand that ends meanwhile starts nothing inside the band."""
    bench = Bench(settings())
    bench.run(19, 1200)
    bench.run(17, 100)
    decision = bench.run(20.5, 20)
    assert decision.state is State.WAITING_TO_COOL
    assert "the heater has stopped too short a time ago" in decision.reason
    assert until_on(bench, 20.5, COOLER) >= 580
    bench.run(18, 300)
    bench.run(20.5, 100)
    assert bench.run(19, 900).state is State.IDLE


def test_the_next_look_is_when_the_wait_ends() -> None:
    """Not a cycle later, and never at once again for a rounding error."""
    bench = Bench(settings(cooler="", heater_min_off_s=66.0))
    bench.run(17, 60)
    assert bench.run(17).look_s == pytest.approx(6.0)
    bench.steady_s -= 4.0 + 1e-9
    assert bench.look(reading(17)).look_s == 0.1


@pytest.mark.parametrize("stepped_s", [3600.0, -3600.0])
def test_a_step_of_the_wall_clock_shortens_nothing(stepped_s: float) -> None:
    """An hour forward or back: the rest is as long as it was."""
    bench = Bench(settings(heater=""))
    bench.run(21, 100)
    bench.stepped_s += stepped_s
    assert until_on(bench, 21, COOLER) == 200


def test_a_restart_within_one_boot() -> None:
    """The rest goes on: what was seen before counts, and no ON is wanted at first."""
    bench = Bench(settings(heater=""))
    bench.run(21, 100)
    bench.memory = from_record(to_record(bench.memory, bench.now))
    bench.restart(down_s=30)
    assert until_on(bench, 21, COOLER) == 170


@pytest.mark.parametrize(("is_stamped", "down_s"), [(False, 5), (True, 90)])
def test_a_plug_that_nobody_watched_has_just_stopped(is_stamped: bool, down_s: float) -> None:
    """The program was killed, or away for long: somebody may have run the compressor by hand meanwhile."""
    bench = Bench(settings(heater=""))
    bench.run(19, 2000)
    bench.memory = from_record(to_record(bench.memory, bench.now if is_stamped else None))
    bench.restart(down_s=down_s)
    assert until_on(bench, 21, COOLER) == 300


def test_a_plug_that_was_silent_for_long_has_just_stopped() -> None:
    """OFF before and OFF after: its button may have been pressed twice between, also while the program was away."""
    bench = Bench(settings(heater=""))
    bench.run(19, 2000)
    bench.plugs.cooler.silent = True
    bench.run(19, 120)
    bench.memory = from_record(to_record(bench.memory, bench.now))
    bench.restart(down_s=5)
    bench.plugs.cooler.silent = False
    assert until_on(bench, 21, COOLER) == 300


@pytest.mark.parametrize("stepped_s", [0.0, 3600.0, -3600.0])
def test_a_restart_of_the_machine(stepped_s: float) -> None:
    """Only the wall clock tells how long that took, and it may lie: the plug has just stopped."""
    bench = Bench(settings(heater=""))
    bench.run(19, 2000)
    bench.stepped_s += stepped_s
    bench.restart(era="boot-2", down_s=1000)
    assert until_on(bench, 21, COOLER) == 300


def test_killed_while_heating() -> None:
    """After the start nothing is wanted; in the band it stays so, and the plug's rest begins when it is seen OFF."""
    bench = Bench(settings(cooler=""))
    bench.run(17, 120)
    assert bench.plugs.heater.is_on
    bench.restart(down_s=5)
    decision = bench.run(19)
    assert decision.outputs.heater is Output.OFF
    assert decision.state is State.HEATING, "truly: it is told to stop"
    assert until_on(bench, 17, HEATER) == 60
    bench.run(17)
    assert bench.memory.plugs.heater.on_since is not None
    bench.restart(era="boot-2")
    assert bench.run(17).state is State.HEATING, "still on and needed: it may go on"


def test_a_suspend() -> None:
    """Time asleep counts: the reading is old, and the plug's answers are."""
    bench = Bench(settings(cooler=""))
    bench.run(18, 120)
    bench.steady_s += 3600.0
    decision = bench.look(reading(18, age_s=3600.0))
    assert decision.state is State.NO_READING
    bench.plugs.heater.is_on = False
    assert bench.run(18).state is State.WAITING_TO_HEAT
    assert until_on(bench, 18, HEATER) == 50


def test_a_press_of_the_button_is_a_stop() -> None:
    """A cooler that somebody switched off rests before it is wanted again."""
    bench = Bench(settings(heater=""))
    bench.run(21, 400)
    bench.plugs.cooler.is_on = False
    assert bench.run(21).state is State.WAITING_TO_COOL
    assert until_on(bench, 21, COOLER) == 290


def test_a_try_that_failed_needs_no_rest() -> None:
    """The plug was silent while ON was tried, and comes back OFF: it is tried again at once."""
    bench = Bench(settings(heater=""))
    bench.run(19, 400)
    bench.plugs.cooler.silent = True
    bench.run(21, 80)  # it is missed after 30 s, and nobody knows for 50 s
    bench.plugs.cooler.silent = False
    assert bench.run(21).outputs.cooler is Output.ON
    assert bench.run(21).state is State.COOLING


def test_a_try_that_was_given_up_may_have_run() -> None:
    """ON and then OFF into the dark: the relay may have closed and opened, so the rest begins when OFF is seen."""
    bench = Bench(settings(heater=""))
    bench.run(19, 400)
    bench.plugs.cooler.silent = True
    bench.run(21, 50)
    bench.run(19, 50)
    bench.run(17, 50)
    bench.plugs.cooler.silent = False
    bench.run(19)
    assert until_on(bench, 21, COOLER) == 290


def test_a_try_longer_than_the_plugs_own_timer_may_have_run() -> None:
    """The relay may have closed, and its own timer opened it."""
    bench = Bench(settings(heater="", dead_man_s=60.0))
    bench.run(19, 400)
    bench.plugs.cooler.silent = True
    bench.run(21, 100)
    bench.plugs.cooler.silent = False
    assert until_on(bench, 21, COOLER) == 300


def test_an_answer_from_before_the_try_proves_nothing() -> None:
    """OFF as read before ON was sent does not let the other plug start."""
    bench = Bench(at_once())
    bench.run(19, 50)
    bench.poll()
    assert bench.look(reading(17)).is_wanted(HEATER)
    bench.steady_s += 1.0
    assert not bench.look(reading(21)).is_wanted(COOLER)
    bench.poll()
    assert bench.look(reading(21)).is_wanted(COOLER)


def test_a_run_cannot_be_older_than_its_answers() -> None:
    """Between two looks the relay was ON for a moment: the answers have shown OFF for less time than remembered."""
    bench = Bench(settings())
    past = PlugMemory(off_since=bench.now)
    bench.steady_s += 100.0
    said: dict[str, Any] = {"is_on": False, "age_s": 0.0}
    assert observe(
        PlugEvidence(**said, since_s=5.0), past, bench.now, 600
    ).past.off_since == bench.now.before(5.0)
    for since_s in (None, 100.0, 500.0):
        seen = observe(PlugEvidence(**said, since_s=since_s), past, bench.now, 600)
        assert seen.past.off_since == past.off_since


def test_a_cooler_that_ran_unasked_is_kept_if_needed() -> None:
    """Somebody switched it on, and it is wanted anyway: it goes on."""
    bench = Bench(settings(heater=""))
    bench.run(19)
    bench.plugs.cooler.is_on = True
    assert bench.run(21).state is State.COOLING
    assert bench.sent == []


@pytest.mark.parametrize(
    "record", [{}, {"position": None}, {"position": {}, "started": None}, {"started": 3}]
)
def test_no_record(record: dict[str, Any]) -> None:
    """What is no record is refused with words, and does not become a memory."""
    with pytest.raises(ValueError, match="this is no thermostat's memory"):
        from_record(record)


def test_a_record_of_everything() -> None:
    """Alarms, place in the profile and swapped plugs come back as they were, wanted outputs do not."""
    bench = Bench(settings())
    bench.run(19, 1800)
    bench.run(17, 20)
    bench.run(15, 600)
    record = to_record(bench.memory)
    found = from_record(record)
    assert to_record(found) == record
    assert (found.alarms, found.position, found.swapped) == (
        bench.memory.alarms,
        bench.memory.position,
        bench.memory.swapped,
    )
    assert found.swapped is HEATER
    assert not found.plugs.heater.is_wanted


def test_killed_while_a_try_was_open() -> None:
    """ON had been sent into the dark when the program died: the relay may have run until it is seen OFF."""
    bench = Bench(settings(heater=""))
    bench.run(19, 400)
    bench.plugs.cooler.silent = True
    bench.run(21, 50)
    bench.memory = from_record(to_record(bench.memory))
    bench.restart(down_s=5)
    bench.plugs.cooler.silent = False
    assert until_on(bench, 21, COOLER) == 300
