"""The interlock's judge: what it calls a violation, what a race, and how it measures a reversal."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.simulators.ipcom import Frame, House, InterlockJudge, Pair, Spot
from holdfast.simulators.ipcom.judge import BOTH_IN_FRAME, BOTH_ON, STARTS_AGAINST

pytestmark = pytest.mark.virtual

PAIR = Pair(down=Spot(5, 7), up=Spot(5, 8), name="blind")
FAR = Pair(down=Spot(3, 1), up=Spot(4, 1), name="gate")
DOWN, UP, OFF = (255, 0), (0, 255), (0, 0)


class Scene:
    def __init__(self) -> None:
        self.house = House()
        self.judge = InterlockJudge(self.house, [PAIR, FAR])

    def send(self, down: int, up: int) -> Frame:
        """A frame is received."""
        frame = Frame(asyncio.get_running_loop().time(), 5, bytes((0, 0, 0, 0, 0, 0, down, up)), 1)
        self.judge.hear(frame)
        return frame

    def do(self, down: int, up: int) -> None:
        """A frame is received and takes effect."""
        self.house.write(self.send(down, up))

    @property
    def found(self) -> list[str]:
        return [violation.why for violation in self.judge.violations]

    @property
    def races(self) -> list[str]:
        return [violation.why for violation in self.judge.races]


async def test_a_decent_reversal() -> None:
    """Stop, wait, start the other way: no violation, and the gap is measured from one contact to the other."""
    scene = Scene()
    scene.do(*DOWN)
    scene.do(*OFF)
    await asyncio.sleep(1.5)
    scene.do(*UP)
    assert (scene.found, scene.races) == ([], [])
    assert [(reversal.pair, reversal.gap_s) for reversal in scene.judge.reversals] == [(PAIR, 1.5)]
    assert scene.judge.smallest_gap_s == 1.5


async def test_no_reversal_yet() -> None:
    """Before any reversal the smallest gap is infinite; starting the same way again is none."""
    scene = Scene()
    for _ in range(2):
        scene.do(*DOWN)
        scene.do(*OFF)
    assert scene.judge.smallest_gap_s == float("inf")


async def test_both_relays_in_one_frame() -> None:
    """A frame with both relays is a violation as it is received, and once more if it takes effect."""
    scene = Scene()
    frame = scene.send(255, 255)
    assert scene.found == [BOTH_IN_FRAME]
    scene.house.write(frame)
    assert scene.found == [BOTH_IN_FRAME, BOTH_ON]


async def test_reversing_in_one_frame() -> None:
    """One off and the other on in the same frame starts against a running motor, with a gap of nothing."""
    scene = Scene()
    scene.do(*DOWN)
    scene.do(*UP)
    assert scene.found == [STARTS_AGAINST]
    assert scene.judge.smallest_gap_s == 0.0


async def test_a_frame_still_under_way() -> None:
    """Two starts that overtake the bus show as both relays on, whatever was observed before."""
    scene = Scene()
    first, second = scene.send(*DOWN), scene.send(0, 255)
    scene.house.write(first)
    scene.house.write(Frame(second.t, 5, bytes((0, 0, 0, 0, 0, 0, 255, 255)), 1))
    assert scene.found == [BOTH_ON]


async def test_relays_on_different_modules() -> None:
    """A pair across two modules is judged by the truth of the other module."""
    scene = Scene()
    scene.house.press(3, 1)
    await asyncio.sleep(1)
    frame = Frame(asyncio.get_running_loop().time(), 4, bytes((255, 0, 0, 0, 0, 0, 0, 0)), 1)
    scene.judge.hear(frame)
    scene.house.write(frame)
    assert scene.found == [STARTS_AGAINST, BOTH_ON]
    assert {violation.pair for violation in scene.judge.violations} == {FAR}


@pytest.mark.parametrize("pause_s", [0.1, 0.5])
async def test_a_wall_switch_that_nobody_could_know_of(pause_s: float) -> None:
    """Pressed just before the frame it is a race; pressed long before, the sender should have seen it."""
    scene = Scene()
    scene.house.press(5, 7)
    await asyncio.sleep(pause_s)
    scene.do(*UP)
    is_race = pause_s < scene.judge.race_s
    assert (scene.races if is_race else scene.found) == [STARTS_AGAINST]
    assert (scene.found if is_race else scene.races) == []
    assert len(scene.judge.reversals) == (0 if is_race else 1)


async def test_a_wall_switch_while_the_frame_is_under_way() -> None:
    """A hand that starts the other relay between frame and effect is a race, not the sender's fault."""
    scene = Scene()
    frame = scene.send(*UP)
    await asyncio.sleep(0.3)
    scene.house.press(5, 7)
    scene.house.stick(5, 7)
    scene.house.write(frame)
    assert (scene.found, scene.races) == ([], [BOTH_ON])


async def test_hands_on_the_wall_are_not_judged() -> None:
    """What wall switches do alone is neither violation nor race."""
    scene = Scene()
    scene.house.press(5, 7)
    scene.house.press(5, 8)
    assert (scene.found, scene.races, scene.judge.smallest_gap_s) == ([], [], float("inf"))
