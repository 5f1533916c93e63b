"""Whatever happens to sensor, plugs, clocks, settings and program: the invariants of fact sheet section 10."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from holdfast.control import AlarmKind, Decision, Output, Role, State, acknowledge, from_record, to_record
from tests.control.bench import COOLER, HEATER, Bench, Plug, reading, replace, settings

HIGHEST_AGE_S = 30.0
REST_S = {HEATER: 60.0, COOLER: 300.0}
DEAD_TIME_S = 600.0


class TruthfulPlug(Plug):
    """A plug that also knows when its relay really opened, and when it was last commanded.

    ``mute`` ones obey and their answers get lost.
    """

    def __init__(self, steady_s: float) -> None:
        super().__init__()
        self.mute = False
        self.opened_s = steady_s
        self.commanded_s = -math.inf

    def switch(self, on: bool, steady_s: float) -> None:
        if self.is_on and not on:
            self.opened_s = steady_s
        self.is_on = on


class World(Bench):
    """A bench with faults, and a judge that looks at the relays and not at the thermostat's memory."""

    plugs: Any

    def __init__(self, has_presses: bool) -> None:
        super().__init__(settings())
        self.has_presses = has_presses
        self.plugs = type(self.plugs)(TruthfulPlug(self.steady_s), TruthfulPlug(self.steady_s))
        self.sensed: Any = 19.0
        self.observed_s = self.steady_s
        self.is_suspect = False

    def poll(self) -> None:
        for role in Role:
            plug = self.plugs.of(role)
            if not plug.silent and not plug.mute:
                plug.read = (plug.is_on, self.steady_s)

    def cycle(self) -> None:
        """One control cycle, judged."""
        self.poll()
        sensed = reading(self.sensed, age_s=self.steady_s - self.observed_s, is_suspect=self.is_suspect)
        decision = self.look(sensed)
        self.judge(decision)
        for role in Role:
            self.send(role, decision.outputs.of(role))

    def judge(self, decision: Decision) -> None:
        wants = [role for role in Role if decision.is_wanted(role)]
        assert len(wants) < 2, "I2: both wanted ON"
        low, high = self.settings.limits.band
        may_not = (
            not self.settings.is_enabled
            or not self.steady_s - self.observed_s < self.settings.fresh_s
            or self.is_suspect
            or self.sensed is None
            or math.isnan(self.sensed)
            or (low, high) != (18, 20)
        )
        assert not (may_not and wants), "I3: ON under a safety condition"
        for role in Role:
            assert not may_not or decision.outputs.of(role) in (Output.SAFETY_OFF, Output.RELEASED)
        if decision.state is State.HEATING or decision.state is State.COOLING:
            shown = self.plugs.of(HEATER if decision.state is State.HEATING else COOLER)
            assert shown.read is not None, "I1: shown as ON without an answer"
            assert shown.read[0], "I1: shown as ON against the answer"
            assert self.steady_s - shown.read[1] <= HIGHEST_AGE_S, "I1: shown as ON by an old answer"

    def send(self, role: Role, output: Output) -> None:
        plug, other = self.plugs.of(role), self.plugs.of(role.other)
        if output is Output.RELEASED:
            return
        on = output is Output.ON
        is_read = plug.read is not None and self.steady_s - plug.read[1] <= HIGHEST_AGE_S
        if is_read and plug.read[0] is on and plug.read[1] > plug.commanded_s:
            return
        if on:
            assert other.read is not None, "I2: the other one was never read"
            assert not other.read[0], "I2: the other one was last seen ON"
            assert self.steady_s - other.read[1] <= HIGHEST_AGE_S, "I2: the other one was seen too long ago"
            assert other.read[1] > other.commanded_s, "I2: the other one was not read after its last command"
        plug.commanded_s = self.steady_s
        if plug.silent or plug.deaf:
            return
        if on and not plug.is_on and not self.has_presses:
            assert not other.is_on, "both relays closed"
            assert self.steady_s - plug.opened_s >= REST_S[role], "I6: too short a rest"
            assert self.steady_s - other.opened_s >= DEAD_TIME_S, "I6: opposite actions too close"
        plug.switch(on, self.steady_s)

    # --- what may happen ---------------------------------------------------------------------------------

    def happen(self, what: str, role: Role, number: float) -> None:
        plug = self.plugs.of(role)
        match what:
            case "temperature":
                self.sensed, self.is_suspect = number, False
            case "nonsense":
                self.sensed = None if number < 19 else math.nan
            case "suspect":
                self.is_suspect = True
            case "silent" | "mute" | "deaf":
                setattr(plug, what, not getattr(plug, what))
            case "press" if self.has_presses:
                plug.switch(not plug.is_on, self.steady_s)
            case "take over" if self.has_presses:
                plug.taken_over = not plug.taken_over
            case "restart":
                self.memory = from_record(to_record(self.memory))
                self.restart(down_s=number)
            case "reboot":
                self.reboot(number)
            case "wall":
                self.stepped_s += 3600.0 if number < 19 else -3600.0
            case "suspend":
                self.steady_s += number * 60
            case "switch":
                self.settings = replace(self.settings, is_enabled=not self.settings.is_enabled)
            case "limits":
                low, high = [(18, 20), (None, 20), (20, 18), (18, math.nan), (18, 20)][int(number) % 5]
                self.settings = self.settings.with_band(low, high)
            case "acknowledge":
                self.memory = acknowledge(self.memory, AlarmKind.SWAPPED_PLUGS)

    def reboot(self, down_s: float) -> None:
        """The machine starts anew: its steady clock with it, and the judge's figures move along."""
        before_s = self.steady_s + down_s
        self.memory = from_record(to_record(self.memory))
        self.restart(era=f"boot-{before_s}", down_s=down_s)
        moved_s = self.steady_s - before_s
        self.observed_s += moved_s
        for role in Role:
            plug = self.plugs.of(role)
            plug.opened_s += moved_s
            plug.commanded_s += moved_s


EVENTS = st.tuples(
    st.sampled_from(
        ["temperature"] * 8
        + ["silent", "mute", "deaf"] * 2
        + ["press", "take over", "restart", "reboot", "wall", "suspend"]
        + ["switch", "limits", "nonsense", "suspect", "acknowledge", "nothing"]
    ),
    st.sampled_from([HEATER, COOLER]),
    st.sampled_from([15.0, 17.9, 18.0, 19.0, 20.0, 20.1, 23.0]),
    st.sampled_from([1, 1, 2, 5, 20, 40, 70]),
    st.booleans(),
)


@pytest.mark.parametrize("has_presses", [False, True])
@hypothesis_settings(max_examples=60)
@given(st.lists(EVENTS, min_size=1, max_size=25))
def test_invariants(has_presses: bool, events: list[tuple[str, Role, float, int, bool]]) -> None:
    """I1 to I4 and I6, judged from outside, under any script of faults."""
    world = World(has_presses)
    for _ in range(65):
        world.observed_s = world.steady_s
        world.cycle()
        world.steady_s += 10
    for what, role, number, cycles, is_heard in events:
        world.happen(what, role, number)
        for _ in range(cycles):
            if is_heard:
                world.observed_s = world.steady_s
            world.cycle()
            world.steady_s += 10


def swing(world: World, cycles: int) -> set[State]:
    """Warm, cold, warm, cold; the states on the way."""
    states = set()
    for number in (19.0, 17.0, 21.0, 17.0):
        world.happen("temperature", HEATER, number)
        for _ in range(cycles):
            world.observed_s = world.steady_s
            world.cycle()
            assert world.decision is not None
            states.add(world.decision.state)
            world.steady_s += 10
        world.memory = acknowledge(world.memory, AlarmKind.SWAPPED_PLUGS)
    return states


def test_the_judge_sees_both_run() -> None:
    """In the world without faults both plugs run in turn, so that the invariants have something to hold for."""
    states = swing(World(has_presses=False), 150)
    assert {State.HEATING, State.COOLING, State.WAITING_TO_COOL, State.WAITING_TO_HEAT, State.IDLE} <= states


def test_the_judge_is_awake() -> None:
    """Without dead time and rest the judge finds fault: it can fail."""
    world = World(has_presses=False)
    world.settings = replace(world.settings, dead_time_s=0.0, cooler_min_off_s=0.0, heater_min_off_s=0.0)
    with pytest.raises(AssertionError, match="I6"):
        swing(world, 40)
