"""The plug's own timer in service: armed with every ON, renewed without touching the relay, and what is said of it."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from holdfast.model import CommandState
from tests.drivers.kasa.fake_kasa import FakePlug, Trouble
from tests.drivers.kasa.home import Home, home_of, now, until

pytestmark = pytest.mark.virtual

SMART = "SMART.KASAPLUG"


def plug_of(language: str) -> FakePlug:
    """A plug with a timer."""
    return FakePlug() if language == "legacy" else FakePlug(family=SMART, encryption="KLAP")


def arms(home: Home) -> list[float]:
    """When the timer was set by itself."""
    return [t for t, what in home.plug.calls if what == "arm"]


@pytest.mark.parametrize("language", ["legacy", "smart"])
async def test_an_on_arms_and_renewals_keep_it_on(language: str) -> None:
    """Ten minutes, renewed every 200 s, for an hour: the relay is told once and never moves."""
    async with home_of(plug_of(language), dead_man_s=600) as home:
        await home.online()
        assert (await home.switch(True)).state is CommandState.VERIFIED
        assert home.plug.seconds_left == pytest.approx(600, abs=2)
        before = len(arms(home))
        await asyncio.sleep(3600)
        assert home.plug.is_on
        assert len(home.plug.sends()) == 1
        assert len(home.plug.moves) == 1
        times = arms(home)[before:]
        assert 16 <= len(times) <= 19
        assert all(190 < other - one < 215 for one, other in pairwise(times))
        assert home.value("dead_man_state") == "armed"


async def test_relay_and_timer_travel_together_in_the_legacy_language() -> None:
    """One message: a hub that dies between two could leave the relay on with nothing armed."""
    async with home_of(FakePlug(), dead_man_s=600) as home:
        await home.online()
        await home.switch(True)
        assert [what for what in home.plug.names() if what in ("on", "on+arm", "arm")] == ["on+arm"]


@pytest.mark.parametrize("language", ["legacy", "smart"])
async def test_a_hub_that_is_gone_lets_the_plug_switch_itself_off(language: str) -> None:
    """Nothing reaches the plug any more: it goes off by its own clock."""
    plug = plug_of(language)
    async with home_of(plug, dead_man_s=600) as home:
        await home.online()
        await home.switch(True)
        await asyncio.sleep(300)
        home.library.plugs.clear()
        plug.trouble = Trouble.SILENT
        gone_t = now()
        await until(lambda: not plug.is_on, 700)
        assert 390 <= now() - gone_t <= 605
        plug.well()


async def test_six_seconds_are_renewed_in_time() -> None:
    """The shortest useful time needs no poll to be renewed."""
    async with home_of(FakePlug(), dead_man_s=6) as home:
        await home.online()
        await home.switch(True)
        await asyncio.sleep(120)
        assert home.plug.is_on
        assert len(home.plug.moves) == 1


async def test_a_plug_found_on_is_armed() -> None:
    """It was on when the hub started, or somebody pressed the button: its timer runs within a poll."""
    plug = FakePlug()
    async with home_of(plug, dead_man_s=600) as home:
        await home.online()
        plug.press(is_on=True)
        await asyncio.sleep(12)
        assert plug.seconds_left is not None
        assert plug.sends() == []


async def test_a_renewal_that_does_not_count_is_followed_by_a_verified_on() -> None:
    """Newer plugs may not start their timer anew while on: then, late, they are told again to be on."""
    plug = plug_of("smart")
    plug.renewal_counts = False
    async with home_of(plug, dead_man_s=600) as home:
        await home.online()
        await home.switch(True)
        await asyncio.sleep(3600)
        assert plug.is_on
        assert len(plug.moves) == 1
        gaps = [other - one for one, other in pairwise(plug.sends())]
        assert all(380 < gap < 430 for gap in gaps)


async def test_a_plug_without_a_timer_is_switched_and_said_to_have_none() -> None:
    """Not supported is shown, and warned of while it is on."""
    for plug in (FakePlug(has_timer=False), FakePlug(family=SMART, encryption="KLAP", has_timer=False)):
        async with home_of(plug, dead_man_s=600) as home:
            await home.online()
            assert (await home.switch(True)).state is CommandState.VERIFIED
            await asyncio.sleep(12)
            assert home.value("dead_man_state") == "not supported"
            assert "no timer" in home.hub.devices["plug"].desk.warnings["dead_man"]
            await home.switch(False)
            await asyncio.sleep(12)
            assert home.hub.devices["plug"].desk.warnings == {}


async def test_arming_that_fails_is_warned_of_and_tried_again() -> None:
    """The plug lost power and its timer with it, and will not take a new one for a while."""
    plug = FakePlug()
    async with home_of(plug, dead_man_s=600) as home:
        await home.online()
        await home.switch(True)
        plug.troubles["arm"] = Trouble.SAYS_NO
        plug.power_cut()
        await asyncio.sleep(60)
        assert "not armed" in home.hub.devices["plug"].desk.warnings["dead_man"]
        plug.well()
        await asyncio.sleep(25)
        assert plug.seconds_left is not None
        assert home.hub.devices["plug"].desk.warnings == {}
        assert plug.is_on


async def test_nothing_is_renewed_while_off_is_wanted() -> None:
    """An OFF that does not get through must not be held up by a timer that is wound up again."""
    plug = FakePlug()
    async with home_of(plug, dead_man_s=60, fail_safe=False) as home:
        await home.online()
        await until(lambda: not home.hub.devices["plug"].desk.orders, 30)
        await home.switch(True)
        plug.troubles["off"] = Trouble.SAYS_NO
        home.hub.order("plug/switch", False, "a test")
        asked_t = now()
        await until(lambda: not plug.is_on, 70)
        assert [t for t in arms(home) if t > asked_t] == []


async def test_without_the_option_the_timer_is_left_alone() -> None:
    """The owner's own countdown stays, and costs no question."""
    plug = FakePlug()
    async with home_of(plug) as home:
        await home.online()
        plug.arm(1000)
        await home.switch(True)
        await asyncio.sleep(300)
        assert {"arm", "timer", "on+arm"}.isdisjoint(home.plug.names())
        assert plug.seconds_left == pytest.approx(700, abs=20)
