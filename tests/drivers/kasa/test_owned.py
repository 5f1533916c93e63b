"""A plug that a controller owns: it ends off, by the hub's word or by its own timer, whatever becomes of the hub."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from holdfast.model import CommandState
from holdfast.simulators.kasa import Cause, Plug, Refuse, Stall, TimerHabits, Which
from tests.drivers.kasa.home import now, until
from tests.drivers.kasa.real_home import one_plug
from tests.simulators.kasa.real import KINDS

if TYPE_CHECKING:
    from holdfast.simulators.kasa import KasaPlug

# python-kasa reads certificates and time zones from disk in the loop.
pytestmark = [pytest.mark.virtual, pytest.mark.blocking_allowed]

LEAST_S = {"legacy": 3.0, "klap1": 3.0, "klap2": 3.0, "smart": 60.0}
"""Newer plugs count in whole minutes."""
HABITS = [
    TimerHabits(),
    TimerHabits(setting_restarts=True),
    TimerHabits(on_restarts=False, setting_restarts=True),
]
"""What is not known of real timers; one of the two restarts it, or nothing could."""


def causes(station: KasaPlug) -> list[Cause]:
    """Who moved the relay."""
    return [change.cause for change in station.truth.relay]


@pytest.mark.parametrize("owned_s", [3.0, 10.0, 60.0, 600.0])
@pytest.mark.parametrize("name", list(KINDS))
async def test_it_stays_on_for_as_long_as_the_hub_is_there(name: str, owned_s: float) -> None:
    """Ten times its dead man long: renewed in time, the relay untouched, and the reading says how long is left."""
    armed_s = max(owned_s, LEAST_S[name])
    async with one_plug(name, owned=owned_s) as (street, station):
        await until(lambda: not street.hub.devices["plug"].desk.has_open_order, 30.0)
        receipt = await street.switch(True)
        assert receipt.state is CommandState.VERIFIED
        end_t = now() + 10 * armed_s
        while now() < end_t:
            await asyncio.sleep(armed_s / 7)
            assert station.plug.is_on
            left_s = street.value("dead_man")
            assert isinstance(left_s, float)
            assert 0.0 < left_s <= armed_s
            assert street.value("dead_man_state") == "armed"
        assert causes(station) == [Cause.COMMAND]
        assert street.hub.alarms == {}


@pytest.mark.parametrize("owned_s", [3.0, 60.0, 600.0])
@pytest.mark.parametrize("fault", [Stall(), Refuse()], ids=["stall", "refuse"])
@pytest.mark.parametrize("name", list(KINDS))
async def test_it_goes_off_by_itself_when_the_hub_is_gone(
    name: str, fault: Stall | Refuse, owned_s: float
) -> None:
    """No longer after the last renewal than it was told, at whatever moment the network goes."""
    armed_s = max(owned_s, LEAST_S[name])
    async with one_plug(name, owned=owned_s) as (street, station):
        await street.switch(True)
        await asyncio.sleep(1.37 * armed_s)
        assert station.plug.is_on
        station.begin(fault)
        gone_t = now()
        await until(lambda: not station.plug.is_on, armed_s + 1.0)
        assert now() - gone_t <= armed_s + 0.1
        assert causes(station)[-1] is Cause.TIMER


@pytest.mark.parametrize("habits", HABITS, ids=["on restarts", "both restart", "setting restarts"])
async def test_whatever_restarts_a_newer_plug_s_timer(habits: TimerHabits) -> None:
    """By the setting alone, or by being told once more to be on: it stays on, and never flickers."""
    async with one_plug("smart", Plug(habits=habits), owned=60.0) as (street, station):
        await street.switch(True)
        await asyncio.sleep(1800.0)
        assert station.plug.is_on
        assert causes(station) == [Cause.COMMAND]


async def test_a_button_that_clears_the_rule() -> None:
    """Off and on by hand, and the countdown is forgotten: armed again within a poll."""
    async with one_plug("legacy", Plug(habits=TimerHabits(button_clears_rule=True)), owned=60.0) as (
        street,
        station,
    ):
        await street.switch(True)
        await asyncio.sleep(25.0)
        station.plug.press()
        station.plug.press()
        assert not station.plug.countdown.remaining_s
        await asyncio.sleep(11.0)
        assert station.plug.countdown.remaining_s
        assert station.plug.is_on


@pytest.mark.parametrize("name", list(KINDS))
async def test_a_plug_without_a_timer_says_so(name: str) -> None:
    """`not supported`, an alarm while it is on, and it is switched all the same."""
    firmware = replace(KINDS[name], has_timer=False)
    async with one_plug(name, firmware=firmware, owned=600.0) as (street, _):
        assert (await street.switch(True)).state is CommandState.VERIFIED
        await asyncio.sleep(12.0)
        assert street.value("dead_man_state") == "not supported"
        assert street.value("dead_man") == 0.0
        assert "no timer" in street.hub.alarms["plug", "dead_man"]["text"]
        assert (await street.switch(False)).state is CommandState.VERIFIED
        await asyncio.sleep(12.0)
        assert street.hub.alarms == {}


@pytest.mark.parametrize("name", list(KINDS))
async def test_it_is_switched_off_when_the_hub_starts_and_stops(name: str) -> None:
    """Found on, it is off within a second; and the hub leaves it off behind."""
    plug = Plug(is_on=True)
    async with one_plug(name, plug, owned=600.0) as (street, _):
        began_t = now()
        await until(lambda: not plug.is_on, 1.0)
        assert now() - began_t < 1.0
        await until(lambda: not street.hub.devices["plug"].desk.has_open_order, 30.0)
        assert (await street.switch(True)).state is CommandState.VERIFIED
        await street.hub.stop()
        assert [change.is_on for change in plug.truth.relay] == [False, True, False]


@pytest.mark.parametrize("name", list(KINDS))
async def test_a_renewal_is_no_command(name: str) -> None:
    """It sets the timer, and no relay."""
    async with one_plug(name, Plug(habits=TimerHabits(setting_restarts=True)), owned=60.0) as (
        street,
        station,
    ):
        await street.switch(True)
        await asyncio.sleep(5.0)
        relay_sets, timer_sets = len(station.truth.relay_sets), len(station.truth.timer_sets)
        await asyncio.sleep(300.0)
        assert len(station.truth.relay_sets) == relay_sets
        assert len(station.truth.timer_sets) >= timer_sets + 4
        assert station.truth.counts[Which.SET] >= 4
