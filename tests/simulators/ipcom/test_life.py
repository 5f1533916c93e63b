"""Residents: when and what they press."""

from __future__ import annotations

import asyncio
import random

import pytest

from holdfast.simulators.ipcom import (
    Cause,
    Change,
    House,
    InterlockJudge,
    Life,
    Module,
    ModuleKind,
    Pair,
    Residents,
    Spot,
)

pytestmark = pytest.mark.virtual

LIGHT, DIMMER = Spot(1, 1), Spot(6, 1)
BLIND = Pair(down=Spot(5, 7), up=Spot(5, 8))
LIFE = Life(lights=(LIGHT, DIMMER), shutters=(BLIND,), mean_pause_s=10.0)


async def live(seed: int, hours: float = 2.0, life: Life = LIFE) -> House:
    house = House({6: Module(ModuleKind.DIMMER)})
    residents = Residents(life, house, random.Random(seed))
    residents.start()
    await asyncio.sleep(hours * 3600)
    residents.stop()
    return house


async def test_residents_use_everything_now_and_then() -> None:
    """Lights, dimmers and both ways of a shutter are pressed, as often as asked, and only by hand."""
    house = await live(1)
    pressed = [change.spot for change in house.changes]
    assert set(pressed) == {LIGHT, DIMMER, BLIND.down, BLIND.up}
    assert {change.cause for change in house.changes} == {Cause.WALL}
    assert 400 < len(pressed) < 1200
    assert {change.new for change in house.changes if change.spot == DIMMER} == {0, 20, 50, 100}


async def test_residents_are_sensible_with_shutters() -> None:
    """Left alone, residents never have both relays on, and stop every shutter they started."""
    house = House()
    judge = InterlockJudge(house, [BLIND])
    both: list[tuple[Change, ...]] = []
    house.observe(lambda changes: both.append(changes) if house.value(5, 7) and house.value(5, 8) else None)
    residents = Residents(Life(shutters=(BLIND,), mean_pause_s=3.0), house, random.Random(2))
    residents.start()
    await asyncio.sleep(3600)
    assert not both
    assert not judge.violations
    runs = [change.t for change in house.changes]
    assert all(end - start <= 12.0 for start, end in zip(runs[::2], runs[1::2], strict=False))
    residents.stop()


async def test_equal_seeds_live_equal_lives() -> None:
    """The same seed presses the same switches at the same times, another seed others."""
    began_at = asyncio.get_running_loop().time()

    async def diary(seed: int) -> list[tuple[float, Spot, int]]:
        start = asyncio.get_running_loop().time()
        return [(round(c.t - start, 6), c.spot, c.new) for c in (await live(seed, 0.5)).changes]

    assert await diary(3) == await diary(3) != await diary(4)
    assert asyncio.get_running_loop().time() == began_at + 3 * 1800


async def test_an_empty_house() -> None:
    """Without switches to press nobody is at home."""
    assert not (await live(1, 0.1, Life())).changes
