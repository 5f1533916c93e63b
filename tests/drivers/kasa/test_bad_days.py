"""Hours of whatever can happen to a plug: nothing escapes, nothing shown is false for long, and OFF arrives."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from holdfast.simulation import run_virtual
from tests.drivers.kasa.fake_kasa import FakePlug, Trouble
from tests.drivers.kasa.home import Home, home_of, now, until

if TYPE_CHECKING:
    from holdfast.simulation import VirtualLoop

HOURS = 2
RESTED = (Trouble.LOGIN, Trouble.UNSUPPORTED)
"""What is answered by a long rest, whatever else is open."""
BACK_S = 25.0
"""A safety OFF reaches a plug so soon after its return."""
DEADLINE_S = 30.0


def worsen(plug: FakePlug, rng: random.Random) -> None:
    """One of the things that happen."""
    trouble = rng.choice([each for each in Trouble if each not in RESTED])
    match rng.randrange(7):
        case 0:
            plug.trouble = trouble
        case 1:
            plug.troubles[rng.choice(["update", "on", "off", "connect", "timer", "arm"])] = trouble
        case 2:
            plug.answer_s = rng.choice([0.5, 2.0, 3.9, 4.5])
        case 3:
            plug.late_s = rng.uniform(0.1, 3.0)
        case 4:
            plug.is_ignoring = True
        case 5:
            plug.acts_without_answer = True
        case _:
            plug.press()


async def live(home: Home, rng: random.Random) -> None:
    """The days' events, with a sample of what is shown every second."""
    true_t = now()
    ends_t = now() + HOURS * 3600.0
    while now() < ends_t:
        worsen(home.plug, rng)
        if rng.random() < 0.5:
            home.order(rng.random() < 0.5)
        bad_s = rng.randrange(1, 120)
        for second in range(bad_s + rng.randrange(40)):
            if second == bad_s:
                home.plug.well()
            await asyncio.sleep(1.0)
            if home.value("switch") in (None, home.plug.is_on):
                true_t = now()
            assert now() - true_t <= DEADLINE_S, "shown is what has not been so for long"
        home.plug.well()


@pytest.mark.parametrize("language", ["legacy", "smart"])
@pytest.mark.parametrize("seed", range(3))
def test_bad_hours(seed: int, language: str) -> None:
    """A heater's plug through them, and at their end the hub wants it off while nothing reaches it."""

    async def main(loop: VirtualLoop) -> None:
        rng = random.Random(seed)
        plug = FakePlug() if language == "legacy" else FakePlug(family="SMART.KASAPLUG", encryption="KLAP")
        async with home_of(plug, fail_safe=False, dead_man_s=600) as home:
            await home.online()
            await live(home, rng)
            for outage in (Trouble.REFUSED, Trouble.SILENT, Trouble.RESET):
                plug.well()
                await home.online()
                await until(lambda: not home.hub.devices["plug"].desk.orders, 120)
                plug.press(is_on=True)
                plug.trouble = outage
                home.hub.order("plug/switch", False, "a test")
                await asyncio.sleep(rng.uniform(30.0, 400.0))
                plug.well()
                back_t = now()
                await until(lambda: not plug.is_on, 120)
                assert now() - back_t <= BACK_S
                home.hub.release("plug/switch")
            assert plug.most_running == 1

    run_virtual(main, seed=seed)
