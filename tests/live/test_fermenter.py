"""Nothing that is shown of a heater's relay is false: real sockets, a real hub, and somebody who asks once a second."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from holdfast.simulators.kasa import klap_v2
from tests.cli.plugs import ACCOUNT, OWN_ADDRESSES
from tests.live.fermenter import killing, stories
from tests.live.fermenter.cellar import cellar
from tests.live.fermenter.stories import Tempo
from tests.live.fermenter.vessel import Vessel, new_plug
from tests.live.fermenter.waiting import side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

pytestmark = OWN_ADDRESSES

KLAP = klap_v2(ACCOUNT)
SHORT = Tempo(
    settings={
        "fresh_s": 5,
        "dead_man_s": 6,
        "heater_min_off_s": 1,
        "heater_min_on_s": 1,
        "cooler_min_off_s": 2,
        "cooler_min_on_s": 2,
        "dead_time_s": 2,
    },
    fresh_s=5.0,
    dead_man_s=6.0,
    rest_s=1.0,
    post_every_s=1.0,
    gone_s=32.0,
    start_s=40.0,
    hold_s=3.0,
    resume_s=40.0,
)
"""As short as the settings allow, so that all of it fits into a minute; deadlines are the product's own."""
LONG = Tempo(
    settings={},
    fresh_s=240.0,
    dead_man_s=600.0,
    rest_s=60.0,
    post_every_s=5.0,
    gone_s=120.0,
    start_s=700.0,
    hold_s=60.0,
    resume_s=150.0,
)
"""Everything as it is where nobody has set anything. A heater beside a fridge waits 600 s at the first start."""
MISHAPS_S = 1500.0
"""Then the hub is killed, and it takes ten minutes more until the plugs have switched themselves off."""


@pytest.mark.xdist_group("live fermenter troubles")
@pytest.mark.timeout(180)
async def test_troubles_of_sensors_plugs_hands_and_addresses(tmp_path: Path) -> None:
    """Six vessels of one hub, each with a trouble of its own, at the same time."""
    names = ("pulled", "refused", "unanswered", "unplugged", "pressed", "mistyped")
    vessels = {
        name: Vessel(name, number, SHORT.settings, *([KLAP] if number % 2 else []))
        for number, name in enumerate(names, 1)
    }
    spare = new_plug(99, "somebody else's")
    async with cellar(
        tmp_path, list(vessels.values()), post_every_s=SHORT.post_every_s, spare=[spare]
    ) as each:
        await side_by_side(
            (
                stories.silent_sensor(each, vessels["pulled"], SHORT),
                stories.refused(each, vessels["refused"], SHORT),
                stories.unanswered(each, vessels["unanswered"], SHORT),
                stories.unplugged(each, vessels["unplugged"], SHORT),
                stories.button(each, vessels["pressed"], SHORT),
                stories.wrong_address(each, vessels["mistyped"], SHORT, spare),
            )
        )
        each.judge()


@pytest.mark.xdist_group("live fermenter killed")
@pytest.mark.timeout(180)
async def test_a_hub_that_is_killed_and_one_that_is_stopped(tmp_path: Path) -> None:
    """Plugs switch themselves off; the next hub owes OFF to all, and heats again. A second one is refused."""
    long = {**SHORT.settings, "dead_man_s": 300}
    armed = [Vessel("legacy", 1, SHORT.settings), Vessel("klap", 2, SHORT.settings, KLAP)]
    kept_on, not_there = Vessel("kept-on", 3, long, KLAP), Vessel("not-there", 4, long)
    everyone = [*armed, kept_on, not_there]
    async with cellar(tmp_path, everyone, post_every_s=SHORT.post_every_s) as each:
        await killing.killed(each, armed, kept_on, not_there, SHORT)
        await killing.stopped(each, everyone)
        each.judge()


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_half_an_hour_of_mishaps(tmp_path: Path) -> None:
    """All of it again with the usual times, over and over, and at its end a hub that is killed."""
    with_fridge = [Vessel("pulled", 1, {}, KLAP), Vessel("pressed", 2, {})]
    names = ("refused", "unanswered", "unplugged", "mistyped", "forgotten")
    without = [
        Vessel(name, number, {}, *([KLAP] if number % 2 else []), has_fridge=False)
        for number, name in enumerate(names, 3)
    ]
    kept_on, not_there = (
        Vessel(name, number, {"dead_man_s": 1800}, has_fridge=False)
        for number, name in enumerate(("kept-on", "not-there"), 20)
    )
    pulled, pressed = with_fridge
    refused, unanswered, unplugged, mistyped, _ = without
    spare = new_plug(99, "somebody else's")
    everyone = [*with_fridge, *without, kept_on, not_there]
    async with cellar(tmp_path, everyone, post_every_s=LONG.post_every_s, spare=[spare]) as each:
        await side_by_side(
            (
                again(lambda: stories.silent_sensor(each, pulled, LONG)),
                again(lambda: stories.button(each, pressed, LONG)),
                again(lambda: stories.refused(each, refused, LONG)),
                again(lambda: stories.unanswered(each, unanswered, LONG)),
                again(lambda: stories.unplugged(each, unplugged, LONG)),
                again(lambda: stories.wrong_address(each, mistyped, LONG, spare)),
            )
        )
        await killing.killed(each, [*with_fridge, *without], kept_on, not_there, LONG)
        await killing.stopped(each, everyone)
        each.judge()


async def again(story: Callable[[], Coroutine[object, object, None]]) -> None:
    """Tell it over and over, as long as one more is likely to end in time."""
    loop = asyncio.get_running_loop()
    began_t = loop.time()
    longest_s = 0.0
    while (story_t := loop.time()) + longest_s <= began_t + MISHAPS_S:
        await story()
        longest_s = max(longest_s, loop.time() - story_t)
