"""The core carries four unlike sources."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.model import Availability, CommandState, Quality
from tests.link.house import command, hub_of, loop, spec
from tests.link.toys import advert, library
from tests.link.toys.bus import Gateway, frame
from tests.link.toys.lockstep import LineDevice

pytestmark = pytest.mark.virtual


async def test_lockstep_is_read_and_written() -> None:
    """A polled stream comes online, keeps its grid, and a command is verified by a later poll."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(10)
        assert hub.device("lamp").availability is Availability.ONLINE
        assert hub.reading("lamp/level").value == 10
        assert device.polls == pytest.approx(10 / 0.35, abs=2)
        receipt = await command(hub, "lamp/lamp", True)
        assert receipt.state is CommandState.VERIFIED
        assert device.state["lamp"] == 1
        assert hub.reading("lamp/lamp").value is True
    assert device.goodbyes == 1


async def test_bus_shares_one_endpoint() -> None:
    """Two devices behind one gateway share its one link; one silent member is stale alone; nothing is sent."""
    gateway = Gateway()
    await gateway.listen("gw")
    async with hub_of(
        spec("one", "bus", "gw", members=["1", "2"]), spec("two", "bus", "gw", members=["3"])
    ) as hub:
        await asyncio.sleep(0.5)
        assert len(hub.links) == 1
        assert len(gateway.clients) == 1
        await gateway.chatter([1, 2, 3], seconds=20)
        assert hub.reading("one/2/voltage").value == pytest.approx(50.2, abs=0.01)
        assert hub.device("two").availability is Availability.ONLINE
        await gateway.chatter([1, 2], seconds=20)
        assert hub.reading("two/3/voltage").quality is Quality.STALE
        assert hub.reading("two/3/voltage").value is None
        assert hub.device("two").availability is Availability.OFFLINE
        assert hub.device("one").availability is Availability.ONLINE
    assert gateway.heard == b""


async def test_library_is_called_one_at_a_time() -> None:
    """A library's calls never overlap, and a command is proven by a read begun after the call's end."""
    plug = library.PLUGS["p"] = library.Plug()
    async with hub_of(spec("plug", "library", "p")) as hub:
        await asyncio.sleep(25)
        assert hub.reading("plug/switch").value is False
        receipt = await command(hub, "plug/switch", True)
        assert receipt.state is CommandState.VERIFIED
        assert receipt.attempts == 1
        assert plug.is_on
        assert plug.most_running == 1


async def test_listener_waits() -> None:
    """Where there is nothing to open, silence makes values stale and reopens nothing."""
    advert.ROOM.ears.clear()
    async with hub_of(spec("red", "advert", "red"), spec("blue", "advert", "blue")) as hub:
        await asyncio.sleep(1)
        advert.ROOM.shout("red", 19.5)
        advert.ROOM.shout("green", 1.0)
        assert hub.reading("red/temperature").value == 19.5
        assert hub.device("blue").availability is Availability.UNKNOWN
        await asyncio.sleep(130)
        assert hub.reading("red/temperature").quality is Quality.LATE
        await asyncio.sleep(120)
        assert hub.reading("red/temperature").quality is Quality.STALE
        (link,) = hub.links.values()
        assert link.report.sessions == 1
        assert loop().time() > 0
    assert frame(1, 2) == b"<1:2*9d>"
