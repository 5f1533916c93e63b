"""Device discovery of Tilts: a fake radio, virtual time."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.drivers.tilt.discovery import discovery
from holdfast.errors import LinkFault, Unreachable
from holdfast.link.discovery import Found, Sweep
from tests.drivers.tilt.air import Air, ibeacon

# The first import of the Bluetooth library reads files.
pytestmark = [pytest.mark.virtual, pytest.mark.blocking_allowed]
RED, GREEN, OTHER = "AA:BB:CC:00:00:01", "AA:BB:CC:00:00:02", "AA:BB:CC:00:00:03"


async def hear(air: Air, *adverts: tuple[str, bytes, int], seconds: float = 5.0) -> list[Found]:
    """What is found while these are shouted, half a second apart."""
    sweep = asyncio.ensure_future(discovery(air.scanner)(Sweep(seconds=seconds)))
    await asyncio.sleep(0.1)  # by then it listens
    for address, data, rssi in adverts:
        air.shout(address, data, rssi)
        await asyncio.sleep(0.5)
    return list((await sweep).found)


async def test_who_is_heard() -> None:
    """Colour, address, signal and both numbers, the latest ones; whatever is no Tilt is passed over."""
    air = Air()
    found = await hear(
        air,
        (RED, ibeacon("red", 68, 1016), -60),
        (GREEN, ibeacon("green", 685, 10164), -70),
        (OTHER, b"\x10\x05\x01", -40),
        (RED, ibeacon("red", 86, 1010), -62),
    )
    green, red = found
    assert red == Found(
        driver="tilt",
        url="ble://red",
        name="Tilt red",
        model="Tilt",
        mac=RED,
        kind="red",
        signal_dbm=-62.0,
        values={"temperature": 30.0, "gravity": 1.01},
    )
    assert (green.model, green.values["gravity"]) == ("Tilt Pro", 1.0164)
    assert air.listeners == []


async def test_it_listens_for_as_long_as_it_was_told() -> None:
    begun_t = asyncio.get_running_loop().time()
    assert await hear(Air(), seconds=30.0) == []
    assert 30.0 <= asyncio.get_running_loop().time() - begun_t < 31.0


async def test_two_of_a_colour_are_told_apart_by_their_addresses() -> None:
    """By its colour neither would be believed."""
    found = await hear(Air(), (RED, ibeacon("red", 68, 1016), -60), (OTHER, ibeacon("red", 70, 1050), -90))
    assert [each.url for each in found] == [f"ble://{RED}", f"ble://{OTHER}"]
    assert all("several Tilts of this colour" in each.note for each in found)


async def test_a_tilt_that_told_only_its_firmware() -> None:
    """It is there. Later readings count, and its firmware's version takes none away."""
    firmware = ibeacon("red", 999, 1006)
    (found,) = await hear(Air(), (RED, firmware, -60))
    assert found.values == {}
    assert "listen longer" in found.note
    (found,) = await hear(Air(), (RED, ibeacon("red", 68, 1016), -60), (RED, firmware, -60))
    assert found.values == {"temperature": 20.0, "gravity": 1.016}
    assert found.note == ""


async def test_numbers_that_no_beer_has_are_told_as_such() -> None:
    (found,) = await hear(Air(), (RED, ibeacon("red", 200, 1016), -60))
    assert "no reading of a beer" in found.note


async def test_a_packet_that_is_cut_off_is_passed_over() -> None:
    assert await hear(Air(), (RED, ibeacon("red", 68, 1016)[:20], -60)) == []


async def test_a_radio_that_cannot_be_listened_to() -> None:
    """In words, and nothing is left running."""
    air = Air(faults={"start": OSError(2, "no such file")})
    with pytest.raises(LinkFault):
        await hear(air)
    hung = Air()
    hung.hang("start")
    with pytest.raises(Unreachable, match="does not answer"):
        await hear(hung)
    hung.release()


async def test_cut_short_it_stops_listening() -> None:
    air = Air()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.0):
            await discovery(air.scanner)(Sweep(seconds=60.0))
    await asyncio.sleep(1.0)
    assert air.listeners == []
    assert air.running == 0
