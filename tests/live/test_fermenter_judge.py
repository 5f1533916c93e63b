"""The judgement of what is shown of a relay can fail: each kind of untruth is seen, and what is honest passes."""

from __future__ import annotations

import math

import pytest

from holdfast.simulators.kasa import Cause, Part, RelayChange, SetCommand
from tests.live.fermenter.judge import RelayLog, Sample, Shown, judge_posted, judge_relay
from tests.live.fermenter.vessel import Must, Vessel
from tests.live.fermenter.watch import wrong_acts

TARGET = "heater/switch"
HAND, COMMAND = Cause.BUTTON, Cause.COMMAND


def relay(cause: Cause = HAND) -> RelayLog:
    """Off until 100 s, then on, and off again from 200 s on."""
    return RelayLog([RelayChange(100.0, True, COMMAND), RelayChange(200.0, False, cause)])


def sample(t: float, value: object, age_s: float | None = 1.0, took_s: float = 0.1) -> Sample:
    return Sample(t, t + took_s, {TARGET: Shown(value, age_s, "good")})


def test_what_a_relay_was() -> None:
    """At a moment, between two, and for how long it had not been."""
    log = relay()
    assert (log.was_on(99.9), log.was_on(100.0), log.was_on(199.9), log.was_on(200.0)) == (
        False,
        True,
        True,
        False,
    )
    assert log.was(True, 50.0, 100.0)
    assert not log.was(True, 50.0, 99.0)
    assert log.was(False, 150.0, 200.0)
    assert log.unlike_s(True, 230.0, 231.0) == 30.0
    assert log.unlike_s(True, 199.0, 231.0) == 0.0
    assert log.unlike_s(True, 50.0, 51.0) == math.inf
    assert RelayLog([], at_first=True).was_on(0.0)
    assert not log.on_between(200.0, 200.0)
    assert not log.on_between(210.0, 205.0)


@pytest.mark.parametrize(
    ("t", "value", "age_s", "why"),
    [
        (150.0, True, 1.0, ""),
        (150.0, None, None, ""),
        (150.0, None, 1.0, ""),
        (220.0, True, 20.1, ""),  # a hand: told before it, and within the deadline
        (199.95, True, 0.0, ""),  # it moved while we asked
        (199.95, False, 0.0, ""),
        (120.0, False, 1.0, "command had made it untrue"),
        (220.0, True, 1.0, "not so 1.0 s before"),
        (231.0, True, 1.0, "not been so for 31.0 s"),
        (231.0, True, None, "not been so for 31.0 s"),
        (150.0, True, 31.0, "31.0 s old"),
        (50.0, True, 1.0, "not been so for inf s"),
    ],
)  # fmt: skip
def test_a_value_against_the_truth(t: float, value: object, age_s: float | None, why: str) -> None:
    """One sample after another a second earlier, so that its second counts."""
    verdict = judge_relay(TARGET, [sample(t - 1.0, None), sample(t, value, age_s)], relay())
    assert (verdict.samples, verdict.values) == (2, int(value is not None))
    if why:
        assert verdict.wrong_fresh_s == pytest.approx(1.0)
        assert why in verdict.wrong[0]
    else:
        assert verdict.wrong == []
        assert verdict.wrong_fresh_s == 0.0


def test_what_a_command_made_untrue_is_known_at_once() -> None:
    """A hand is seen at the next poll; of its own commands the hub knows. A sample that spans the move is no lie."""
    shown = [sample(199.0, True), sample(199.95, True), sample(200.5, True, 1.5)]
    assert judge_relay(TARGET, shown, relay(HAND)).wrong == []
    (wrong,) = judge_relay(TARGET, shown, relay(COMMAND)).wrong
    assert wrong == "200.5: heater/switch is shown True (good): a command had made it untrue for 0.5 s"


def test_how_long_nothing_was_known_and_what_was_not_true_any_more() -> None:
    """A hub that is away shows nothing, and that is not counted as unknown."""
    gone = Sample(204.0, 204.1, None)
    told = [sample(201.0, True, 1.5), sample(202.0, None), sample(203.0, None), gone, sample(205.0, None)]
    verdict = judge_relay(TARGET, told, relay())
    assert verdict.samples == 4
    assert verdict.unlike_s == 1.0
    assert verdict.unknown == [(202.0, 204.1), (205.0, 205.0)]
    assert "not known for 2.1 s, at once for at most 2.1 s" in str(verdict)


def test_a_reading_that_is_too_old() -> None:
    """As of when the hub must have taken it; one that is on its way may have been taken."""
    shown = [
        sample(9.0, 17.0),
        sample(14.9, 17.0),
        sample(15.1, 17.0),
        sample(16.0, None),
        sample(17.0, 17.0),
    ]
    verdict = judge_posted(TARGET, shown, [(7.9, 8.0), (9.5, 10.0), (17.05, 17.2)], 5.0)
    assert verdict.wrong == ["15.1: heater/switch is shown 17.0, 5.1 s after"]
    assert verdict.wrong_fresh_s == pytest.approx(0.2)
    assert len(judge_posted(TARGET, shown, [], 5.0).wrong) == 4


async def test_what_a_heater_must_not_do() -> None:
    """Be on when it had to be off, and be told on while the fridge runs."""
    vessel = Vessel("one", 1, {})
    heater, fridge = vessel.heater.plug, vessel.plugs["fridge"].plug
    assert wrong_acts(vessel, 30.0) == []
    heater.truth.relay.extend([RelayChange(100.0, True, COMMAND), RelayChange(131.0, False, COMMAND)])
    vessel.musts.append(Must(100.0, 130.0, "nothing yet"))
    assert wrong_acts(vessel, 30.0) == []
    vessel.musts.append(Must(100.5, 140.0, "a reading was old"))
    fridge.truth.relay.append(RelayChange(90.0, True, COMMAND))
    heater.truth.sets.extend([SetCommand(100.0, 1, Part.TIMER, 6.0), SetCommand(100.0, 1, Part.RELAY, True)])
    assert wrong_acts(vessel, 30.0) == [
        "one: the heater was on later than 30 s after a reading was old",
        "one: the heater was told ON at 100.0, while the fridge was on",
    ]
