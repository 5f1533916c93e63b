"""Random houses with a slow, lossy bus: the interlock judged from the relays' side."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from holdfast.drivers.ipcom.wiring import Place
from tests.drivers.ipcom.homes import APART, BLIND, LIGHTS, PORCH, options
from tests.drivers.ipcom.rig import Rig, World

if TYPE_CHECKING:
    from holdfast.drivers.ipcom.options import IpcomOptions
    from holdfast.model import Value

DEAD_S = 0.5
TICK_S = 1e-9
SECOND = {"kind": "cover", "up": {"module": 5, "output": 6}, "down": {"module": 5, "output": 5}}
HOUSE = {"blind": BLIND, "second": SECOND, "apart": APART, "porch": PORCH, "kitchen": LIGHTS["kitchen"]}
COVERS = ("blind", "second", "apart")


def house(maximum_run_s: float | None = None) -> IpcomOptions:
    limit = {} if maximum_run_s is None else {"maximum_run_s": maximum_run_s}
    return options({**HOUSE, "blind": {**BLIND, **limit}})


def wish(rig: Rig, rng: random.Random) -> None:
    key = rng.choice([*COVERS, *COVERS, "porch", "kitchen"])
    value: Value = (
        rng.choice(["open", "close", "close", "open", "stop"]) if key in COVERS else rng.random() < 0.5
    )
    rig.command(key, value)


def trial(
    seed: int, world: World, *, walls: bool = False, sessions: float = 0.0, restarts: float = 0.0
) -> Rig:
    """A minute of impatient people."""
    rng = random.Random(seed)
    rig = Rig(house(), rng, world)
    for _ in range(60):
        rig.run(rng.choice([0.01, 0.05, 0.2, 0.5, 1.0, 2.0]))
        if rng.random() < sessions:
            rig.lose_session()
        elif rng.random() < restarts:
            rig.lose_session(forget_all=True)
        elif walls and rng.random() < 0.3:
            rig.press(rng.choice([*rig.relays]), rng.choice([0, 0, 255]))
        else:
            wish(rig, rng)
    return rig


WORLDS = {
    "slow": World(),
    "disorderly": World(keeps_order=False),
    "prompt": World(latency_s=(0.0, 0.01), drops=0.0, reply_s=(0.001, 0.005), lost_replies=0.0),
    "at the bound": World(latency_s=(0.9, 0.99), drops=0.2),
    "deaf": World(drops=0.5, lost_replies=0.4),
}


@pytest.mark.parametrize("name", WORLDS)
def test_reversals_always_rest(name: str) -> None:
    """No start before the partner has physically rested for the dead time, whatever is lost and restarted meanwhile."""
    rests: list[float] = []
    for seed in range(40):
        rig = trial(seed, WORLDS[name], sessions=0.03, restarts=0.03)
        assert not list(rig.violations(DEAD_S - TICK_S)), f"seed {seed}"
        rests += [each.rest_s for each in rig.energised if each.rest_s < 1e9]
    assert rests, "nothing was reversed"
    assert min(rests) >= DEAD_S - TICK_S


def test_walls_are_the_only_excuse() -> None:
    """With wall switches: what starts too soon was switched by the wall behind the evidence, or never seen on."""
    excused = started = 0
    for seed in range(60):
        rng_world = World(latency_s=(0.0, 0.3), lost_replies=0.02)
        rig = WallRig(house(), random.Random(seed), rng_world)
        rig.live(60)
        started += len(rig.energised)
        excused += rig.excused
    assert started > 500
    assert excused / started < 0.1


class WallRig(Rig):
    """A rig that judges each start at once, knowing what the wall did."""

    excused = 0

    def live(self, steps: int) -> None:
        for _ in range(steps):
            self.run(self.rng.choice([0.05, 0.2, 0.5, 1.0, 2.0]))
            if self.rng.random() < 0.4:
                self.press(self.rng.choice([*self.relays]), self.rng.choice([0, 0, 255]))
            else:
                wish(self, self.rng)
            for each in self.energised:
                partner = self.relays[self.partners[each.relay]]
                if not (each.is_partner_on or each.rest_s < DEAD_S - TICK_S) or each in self._judged:
                    continue
                self._judged.append(each)
                was_pressed_behind = partner.by_wall and partner.on_t > each.as_of.t - 0.6
                assert was_pressed_behind or not partner.was_seen_on, each
                self.excused += 1

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._judged: list[object] = []


def test_wall_stops_are_not_revived() -> None:
    """Measured: a motor stopped at the wall runs again only if the press fell behind a frame's evidence."""
    revived = frames = 0
    for seed in range(150):
        rng = random.Random(seed)
        rig = Rig(
            house(), rng, World(latency_s=(0.01, 0.05), drops=0.0, reply_s=(0.002, 0.02), lost_replies=0.0)
        )
        rig.run(2.0)
        rig.command("blind", "open")
        rig.run(4.0)
        up = Place(5, 8)
        assert rig.state[up.offset]
        pressed_t = rig.now + rng.uniform(0.0, 0.4)
        rig.at(pressed_t, lambda rig=rig, up=up: rig.press(up, 0))  # type: ignore[misc]
        rig.run(0.2)
        rig.command("porch", True)
        rig.run(3.0)
        frames += 1
        if rig.state[up.offset]:
            revived += 1
            assert any(each.relay == up and each.as_of.t <= pressed_t <= each.t for each in rig.energised)
    # The original: 5 to 26 of 30, depending on the moment. One round trip and the bus remain.
    assert revived / frames < 0.2


@pytest.mark.parametrize("name", ["slow", "prompt", "at the bound"])
def test_quiet_houses_obey(name: str) -> None:
    """After any history, a command in a quiet house is verified within its deadline."""
    for seed in range(30):
        world = WORLDS[name]
        rig = trial(seed, world, walls=True, sessions=0.05)
        rig.run(15.0)
        rig.world = World(latency_s=world.latency_s, drops=0.0, reply_s=world.reply_s, lost_replies=0.0)
        for cover in COVERS:
            for value in ("open", "close", "stop"):
                rig.ended.clear()
                rig.command(cover, value)
                rig.run(10.5)
                assert rig.ended == [(cover, value, "verified")] or rig.ended == [(cover, value, "done")], (
                    seed
                )
        assert not rig.wishes


def test_stop_is_prompt() -> None:
    """A stop goes out as soon as the slot is free, whatever else is queued, and stops the motor."""
    for seed in range(60):
        rng = random.Random(seed)
        rig = Rig(house(), rng, World(latency_s=(0.0, 0.05), drops=0.0, lost_replies=0.0))
        rig.run(2.0)
        rig.command("blind", "open")
        rig.run(3.0)
        for key in ("kitchen", "porch"):
            rig.command(key, rng.random() < 0.5)
        rig.run(rng.uniform(0.0, 0.1))
        at = rig.now
        rig.command("blind", "stop")
        rig.run(2.0)
        first = next(t for t, write, step in rig.frames if t >= at and "blind" in step.final)
        assert first - at <= 0.13  # the answer in the slot, at most
        assert not rig.state[Place(5, 8).offset]


def test_second_cover_of_a_module_keeps_running() -> None:
    """Stopping one shutter does not stop its neighbour, though the stop waits for no fresh snapshot."""
    rig = Rig(house(), random.Random(1), World(latency_s=(0.0, 0.02), drops=0.0, lost_replies=0.0))
    rig.run(2.0)
    rig.command("blind", "open")
    rig.command("second", "close")
    rig.run(3.0)
    rig.command("blind", "stop")
    rig.run(1.0)
    assert rig.values["second"] == "closing"
    assert rig.values["blind"] == "stopped"


@pytest.mark.parametrize("drops", [0.0, 0.3, 0.6])
@pytest.mark.parametrize(("cover", "relays"), [("blind", BLIND), ("apart", APART)])
def test_both_relays_on_are_switched_off(cover: str, relays: dict[str, Any], drops: float) -> None:
    """Wall switches can do that: both off at once, until both are seen off, with a warning and no motion meanwhile."""
    for seed in range(20):
        rig = Rig(house(), random.Random(seed), World(latency_s=(0.4, 0.5), drops=drops, lost_replies=0.0))
        rig.run(2.0)
        for role in ("up", "down"):
            rig.press(Place(**relays[role]), 255)
        rig.run(0.36)  # seen by now
        rig.command(cover, "open")
        rig.run(20.0)
        assert rig.ended == [(cover, "open", "refused")]
        assert rig.values[cover] == "stopped"
        assert rig.warnings >= {"both of its relays are on; both are being switched off"}


def test_maximum_run() -> None:
    """A motor that has run for its maximum is switched off without a wish, again and again until it is."""
    rig = Rig(house(maximum_run_s=5.0), random.Random(3), World(drops=0.5, lost_replies=0.0))
    rig.run(2.0)
    up = Place(5, 8)
    rig.press(up, 255)
    rig.run(4.0)
    assert rig.state[up.offset]
    rig.run(12.0)
    assert not rig.state[up.offset]


class House(RuleBasedStateMachine):
    """Anything in any order: the interlock holds, and every wish ends."""

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig(house(maximum_run_s=20.0), random.Random(0), World(drops=0.0, lost_replies=0.0))
        self.rig.run(2.0)

    @rule(key=st.sampled_from(COVERS), value=st.sampled_from(["open", "close", "stop"]))
    def move(self, key: str, value: str) -> None:
        self.rig.command(key, value)

    @rule(key=st.sampled_from(["porch", "kitchen"]), value=st.booleans())
    def switch(self, key: str, value: bool) -> None:
        self.rig.command(key, value)

    @rule(seconds=st.sampled_from([0.001, 0.03, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.5, 3.0]))
    def wait(self, seconds: float) -> None:
        self.rig.run(seconds)

    @rule(drops=st.sampled_from([0.0, 1.0]), latency_s=st.sampled_from([0.0, 0.1, 0.6, 0.95]))
    def bus(self, drops: float, latency_s: float) -> None:
        self.rig.world.drops = drops
        self.rig.world.latency_s = (latency_s, latency_s)

    @rule(restarts=st.booleans())
    @precondition(lambda self: self.rig.sight is not None)
    def drop(self, restarts: bool) -> None:
        self.rig.lose_session(forget_all=restarts)

    @invariant()
    def rested(self) -> None:
        assert not list(self.rig.violations(DEAD_S - TICK_S))

    def teardown(self) -> None:
        self.rig.run(11.0)
        assert not self.rig.wishes


TestHouse = House.TestCase
TestHouse.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
