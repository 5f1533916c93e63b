"""What outputs do when they are written to, pressed or stuck."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.simulators.ipcom import Cause, Change, Frame, House, Module, ModuleKind, Over

pytestmark = pytest.mark.virtual


def frame(module: int, *values: int) -> Frame:
    return Frame(0.0, module, bytes(values), 1)


async def test_a_write_sets_all_eight_outputs() -> None:
    """A module takes a frame whole and the log names every output that changed, with time and frame."""
    house = House()
    house.press(2, 8)
    await asyncio.sleep(1.5)
    now, written = asyncio.get_running_loop().time(), frame(2, 255, 0, 1, 0, 0, 0, 0, 0)
    house.write(written)
    assert house.outputs[8:16] == bytes((255, 0, 255, 0, 0, 0, 0, 0))
    assert list(house.changes) == [
        Change(now - 1.5, 2, 8, 0, 255, Cause.WALL),
        Change(now, 2, 1, 0, 255, Cause.WRITE, written),
        Change(now, 2, 3, 0, 255, Cause.WRITE, written),
        Change(now, 2, 8, 255, 0, Cause.WRITE, written),
    ]


async def test_outputs_are_one_object_until_something_changes() -> None:
    """Whoever caches by identity sees a new object exactly when an output changed."""
    house = House()
    before = house.outputs
    house.write(frame(1, *bytes(8)))
    assert house.outputs is before
    house.press(1, 1)
    assert house.outputs is not before
    assert before == bytes(128)


@pytest.mark.parametrize(
    ("module", "asked", "becomes"),
    [
        (Module(), 1, 255),
        (Module(ModuleKind.SHUTTER), 200, 255),
        (Module(ModuleKind.DIMMER), 37, 37),
        (Module(ModuleKind.DIMMER), 255, 100),
        (Module(ModuleKind.DIMMER, over=Over.IGNORE), 255, 40),
        (Module(ModuleKind.DIMMER, scale=255), 200, 200),
    ],
)
async def test_kinds_of_modules(module: Module, asked: int, becomes: int) -> None:
    """Relays know on and off only; a dimmer clamps or ignores what is beyond its scale."""
    house = House({6: module}, outputs=bytes(40) + bytes((40,)) + bytes(87))
    house.write(frame(6, asked, *bytes(7)))
    assert house.value(6, 1) == becomes


async def test_a_wall_switch_toggles() -> None:
    """Pressed without a value, relays go full on and off and dimmers come back at their last level."""
    house = House({6: Module(ModuleKind.DIMMER)})
    assert [house.press(1, 1), house.press(1, 1)] == [255, 0]
    assert house.press(6, 1) == 100
    assert house.press(6, 1, 30) == 30
    assert [house.press(6, 1), house.press(6, 1)] == [0, 30]


async def test_a_stuck_relay_stays() -> None:
    """Neither writes nor hands move a stuck output, until it is released."""
    house = House()
    house.press(1, 1)
    house.stick(1, 1)
    assert house.press(1, 1) == 255
    house.write(frame(1, *bytes(8)))
    assert house.value(1, 1) == 255
    house.release(1, 1)
    assert house.press(1, 1) == 0


async def test_observers_hear_of_an_instant_at_once() -> None:
    """What changes together is told together, after the fact, until the observer leaves."""
    house, told = House(), list[tuple[Change, ...]]()
    leave = house.observe(told.append)
    house.write(frame(1, 255, 255, *bytes(6)))
    leave()
    house.press(1, 1)
    assert [[change.output for change in changes] for changes in told] == [[1, 2]]


@pytest.mark.parametrize("spot", [(0, 1), (17, 1), (1, 0), (1, 9)])
async def test_there_is_no_such_output(spot: tuple[int, int]) -> None:
    """Outputs that do not exist are errors, not neighbours."""
    house = House()
    for act in (house.press, house.value, house.stick):
        with pytest.raises(ValueError, match="there is no output"):
            act(*spot)
    with pytest.raises(ValueError, match="128"):
        House(outputs=bytes(8))
