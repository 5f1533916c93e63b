"""Tilts at work in a hub: what is shown of what is shouted."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from bleak.exc import BleakError

from holdfast.clock import LoopClock
from holdfast.drivers.tilt.driver import family
from holdfast.hub.hub import Hub
from holdfast.hub.site.spec import DeviceSpec
from holdfast.model import Availability, Quality, ReasonCode, Value
from holdfast.transports.adverts import NOT_HEARD_DBM, QUIET_S
from tests.drivers.tilt.air import Air, ibeacon
from tests.drivers.tilt.bench import BLUE, GREEN, RED, tilt

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from holdfast.link.link import Link
    from holdfast.model import Device

pytestmark = pytest.mark.virtual

OTHER_RED = "C8:00:00:00:00:09"


class House:
    """A hub and a room full of Tilts."""

    def __init__(self) -> None:
        self.air = Air()
        self.family = family(self.air.scanner)
        self.hub = Hub(LoopClock(asyncio.get_running_loop()))

    def add(self, *devices: Device) -> None:
        for each in devices:
            self.hub.add(DeviceSpec(each, (self.family.prepare(each, each.adapters[0]),)))

    @property
    def link(self) -> Link:
        (link,) = self.hub.links.values()
        return link

    def value(self, target: str) -> Value:
        return self.hub.reading(target).value

    def shown(self, device: str) -> tuple[Value, Value]:
        return self.value(f"{device}/temperature"), self.value(f"{device}/gravity")


@asynccontextmanager
async def house(*devices: Device) -> AsyncIterator[House]:
    house = House()
    house.add(*devices)
    house.hub.start()
    await asyncio.sleep(1.0)
    try:
        yield house
    finally:
        await house.hub.stop()


async def test_tilts_of_a_room_share_one_scan() -> None:
    async with house(tilt("red"), tilt("blue")) as here:
        here.air.shout(RED, ibeacon("red", 68, 1016), -61)
        here.air.shout(BLUE, ibeacon("blue", 689, 10_162), -72)
        assert here.shown("red") == (20.0, 1.016)
        assert here.shown("blue") == (20.5, 1.0162)
        assert (here.value("red/rssi"), here.value("blue/rssi")) == (-61, -72)
        assert len(here.air.listeners) == 1
        assert here.hub.devices["red"].availability is Availability.ONLINE


async def test_a_colour_never_takes_the_place_of_another() -> None:
    """An assigned Tilt that is silent stays silent (fact sheet section 4 rule 4)."""
    async with house(tilt("red")) as here:
        for _ in range(300):
            here.air.shout(BLUE, ibeacon("blue", 68, 1016))
            await asyncio.sleep(1.0)
        assert here.value("red/temperature") is None
        assert here.hub.reading("red/temperature").quality is Quality.UNKNOWN
        assert {"blue", BLUE} <= here.link.found.keys()


async def test_values_are_stale_after_the_fresh_limit() -> None:
    """240 s unless said; the firmware's marker and old content keep nothing fresh."""
    async with house(tilt("red"), tilt("blue", stale_after_s=90)) as here:
        here.air.shout(RED, ibeacon("red", 68, 1016))
        here.air.shout(BLUE, ibeacon("blue", 68, 1016))
        for passed_s in range(0, 300, 10):
            assert (here.value("red/temperature") is not None) is (passed_s < 240), passed_s
            assert (here.value("blue/temperature") is not None) is (passed_s < 90), passed_s
            here.air.shout(RED, ibeacon("red", 999, 1006))
            here.air.shout(BLUE, ibeacon("blue", 70, 1010), NOT_HEARD_DBM)
            await asyncio.sleep(10.0)
        assert here.hub.reading("red/temperature").last_known == 20.0


async def test_one_wild_reading_is_dropped_and_counted() -> None:
    """It is not smoothed into those that follow, either."""
    async with house(tilt("red", smoothing={"middle": "mean", "last": 5})) as here:
        for major, minor in ((68, 1016), (68, 1016), (180, 1016), (68, 1300), (68, 1016)):
            here.air.shout(RED, ibeacon("red", major, minor))
            assert here.shown("red") == (20.0, 1.016)
            await asyncio.sleep(2.0)
        assert here.link.report.rejects == {"sanity": 2}


async def test_a_real_extreme_is_shown_as_suspect() -> None:
    """A heater that burns the beer is not hidden, and not used for control."""
    async with house(tilt("red")) as here:
        here.air.shout(RED, ibeacon("red", 68, 1016))
        for _ in range(3):
            here.air.shout(RED, ibeacon("red", 140, 1016))
            await asyncio.sleep(2.0)
        reading = here.hub.reading("red/temperature")
        assert reading.value == 60.0
        assert reading.suspect
        here.air.shout(RED, ibeacon("red", 68, 1016))
        assert not here.hub.reading("red/temperature").suspect


async def test_two_of_one_colour_are_never_mixed() -> None:
    """Nobody can tell which is meant: neither is believed, and both are found by their addresses."""
    async with house(tilt("red")) as here:
        for _ in range(300):
            here.air.shout(RED, ibeacon("red", 68, 1016))
            if here.link.report.answers:
                here.air.shout(OTHER_RED, ibeacon("red", 50, 1050))
            await asyncio.sleep(1.0)
        assert here.hub.reading("red/temperature").quality is Quality.STALE
        assert here.hub.reading("red/temperature").last_known == 20.0
        assert here.link.report.rejects.keys() == {"two_of_a_colour"}
        assert here.link.found.keys() == {RED, OTHER_RED}
        for _ in range(300):  # the neighbour has left
            here.air.shout(RED, ibeacon("red", 68, 1016))
            await asyncio.sleep(1.0)
        assert here.shown("red") == (20.0, 1.016)


async def test_addresses_tell_two_of_one_colour_apart() -> None:
    async with house(tilt("mine", f"ble://{RED}"), tilt("red")) as here:
        for _ in range(3):
            here.air.shout(RED, ibeacon("red", 68, 1016))
            here.air.shout(OTHER_RED, ibeacon("red", 50, 1050))
        assert here.shown("mine") == (20.0, 1.016)
        assert here.shown("red") == (10.0, 1.05)
        assert not here.link.report.rejects


@pytest.mark.parametrize("url", ["ble://green", f"ble://{GREEN}"])
async def test_a_device_that_is_added_later_is_heard_at_once(url: str) -> None:
    """By the session that is open."""
    async with house(tilt("red")) as here:
        here.add(tilt("new", url))
        here.air.shout(GREEN, ibeacon("green", 68, 1016))
        assert here.shown("new") == (20.0, 1.016)
        assert here.link.report.sessions == 1


async def test_the_strength_is_told_twice_a_minute() -> None:
    async with house(tilt("red")) as here:
        seen: list[Value] = []
        for rssi in range(-120, -60):
            here.air.shout(RED, ibeacon("red", 68, 1016), rssi)
            if here.value("red/rssi") not in seen:
                seen.append(here.value("red/rssi"))
            await asyncio.sleep(1.0)
        assert seen == [-120, -90]


async def test_junk_of_a_tilt_is_no_sign_of_life() -> None:
    async with house(tilt("red")) as here:
        here.air.shout(RED, ibeacon("red", 68, 1016)[:20])
        here.air.shout(RED, b"\x02\x15nonsense")
        here.air.shout(RED, ibeacon("red", 68, 1016), company=89)
        assert here.link.report.rejects == {"short": 1}
        assert here.value("red/temperature") is None


async def test_a_radio_that_fails_is_told_and_comes_back() -> None:
    """Each try is made in its turn, and the first report ends the outage."""
    async with house(tilt("red")) as here:
        here.air.shout(RED, ibeacon("red", 68, 1016))
        here.air.faults["start"] = BleakError("no adapter")
        await asyncio.sleep(QUIET_S + 30.0)
        assert here.link.reason.code is ReasonCode.UNREACHABLE
        assert "cannot scan (no adapter)" in here.link.reason.text
        here.air.faults.clear()
        await asyncio.sleep(10.0)
        here.air.shout(RED, ibeacon("red", 70, 1014))
        assert here.value("red/gravity") == 1.014
        assert here.air.most_running == 1
