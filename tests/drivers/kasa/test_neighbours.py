"""One plug's trouble is nobody else's: a healthy plug behind a sick one, and what a plug's wire ever carries."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from holdfast.model import CommandState
from holdfast.simulation import run_virtual
from tests.drivers.kasa.home import ME, now, until
from tests.drivers.kasa.real_home import (
    WORDS,
    device_of,
    metered,
    most_connections,
    one_plug,
    station_of,
    street_of,
)
from tests.drivers.kasa.test_safety_off import LASTING
from tests.simulators.kasa.real import KINDS

if TYPE_CHECKING:
    from holdfast.simulation import VirtualLoop

# python-kasa reads certificates and time zones from disk in the loop.
pytestmark = pytest.mark.blocking_allowed

NORMAL_S = 0.5
"""What a healthy plug takes here: its settle time."""
MORE_S = 0.1
SICK, WELL = "50:C7:BF:00:00:0A", "50:C7:BF:00:00:0B"


@pytest.mark.parametrize("fault", LASTING)
@pytest.mark.parametrize("name", ["legacy", "klap2", "smart"])
def test_a_healthy_plug_behind_a_sick_one(name: str, fault: str) -> None:
    """It answers within 0.1 s of its normal time, whatever the other one does, and however often it is asked."""

    async def main(loop: VirtualLoop) -> None:
        sick = station_of(KINDS[name], metered(SICK), host="sick")
        well = station_of(KINDS[name], metered(WELL), host="well")
        devices = (device_of("sick", WORDS[name]), sick), (device_of("well", WORDS[name]), well)
        async with street_of(*devices) as street:
            await asyncio.sleep(3.0)
            sick.begin(LASTING[fault])
            for number in range(12):
                street.hub.command("sick/switch", number % 2 == 0, ME)
                receipt, took_s = await street.took(number % 2 == 0, "well")
                assert (receipt.state, receipt.attempts) == (CommandState.VERIFIED, 1)
                assert took_s <= NORMAL_S + MORE_S
                await asyncio.sleep(3.3)
            assert street.link("well").report.outage_count == 0
            assert street.link("well").report.skipped == 0
            assert well.truth.most_connections == 1
            for station in (sick, well):
                assert station.truth.most_in_flight == 1
                assert most_connections(station, beyond_s=1.0) == 1
                assert station.truth.most_connections <= 2

    run_virtual(main, seed=1)


@pytest.mark.parametrize("name", list(KINDS))
def test_a_hundred_commands_take_one_connection(name: str) -> None:
    """A poll, a person and an order share it: the next one waits for the call before, and none is left open."""

    async def main(loop: VirtualLoop) -> None:
        async with one_plug(name) as (street, station):
            for number in range(100):
                pending = street.hub.command("plug/switch", number % 2 == 0, ME)
                await asyncio.sleep(0.3)
                street.hub.command("plug/switch", number % 2 == 1, ME)
                assert (await street.hub.ended(pending)).state is CommandState.SUPERSEDED
            await asyncio.sleep(10.0)
            assert station.truth.most_in_flight == 1
            assert station.truth.most_connections == 1
            assert len(street.library.dials) == (
                2 if name == "klap1" else 1
            )  # the newer login is tried first
            assert station.plug.is_on  # the last wish
        assert station.truth.connections == 0

    run_virtual(main, seed=2)


def test_plugs_are_dialled_side_by_side() -> None:
    """Twenty plugs, half of which accept and say nothing: the other half is there at once."""

    async def main(loop: VirtualLoop) -> None:
        stations = [
            station_of(KINDS["legacy"], metered(f"50:C7:BF:00:01:{n:02X}"), host=f"p{n}") for n in range(20)
        ]
        for station in stations[::2]:
            station.begin(LASTING["stall"])
        devices = [(device_of(station.host, "legacy"), station) for station in stations]
        async with street_of(*devices, waits=False) as street:
            began_t = now()
            await until(lambda: all(street.is_current(station.host) for station in stations[1::2]))
            assert now() - began_t < 1.0

    run_virtual(main, seed=3)
