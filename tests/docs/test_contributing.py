"""The driver that CONTRIBUTING.md shows: it works, and it keeps the contract."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from holdfast.errors import ConfigurationError
from holdfast.hub.site.spec import DeviceSpec
from holdfast.link.driver import Trait
from holdfast.model import Adapter, Availability, CommandState, Device, ReasonCode
from holdfast.testing import Bench, DriverContract
from tests.docs.lamp import LAMP
from tests.link.house import ME, hub_of
from tests.link.toys.lockstep import OPEN, LineDevice
from tests.testing.benches import LockstepBench

if TYPE_CHECKING:
    from holdfast.simulation import VirtualLoop


class TestLamp(DriverContract, traits=Trait.POLLED | Trait.WRITES | Trait.LOGIN):
    """The lamp of a toy speaks the same language; it was not written from this driver."""

    def make_bench(self, loop: VirtualLoop) -> Bench:
        return LockstepBench(loop, LAMP)


def lamp(url: str, password: str) -> DeviceSpec:
    """The device as a site would have it."""
    adapter = Adapter(id="lan", driver=LAMP.name, url=url, password=password)
    device = Device(id="desk", name="Desk", adapters=(adapter,))
    return DeviceSpec(device, (LAMP.prepare(device, adapter),))


@pytest.mark.virtual
async def test_the_lamp_is_read_and_set() -> None:
    device = LineDevice()
    server = await device.listen("lamp.example")
    try:
        async with hub_of(lamp("tcp://lamp.example", OPEN)) as hub:
            await asyncio.sleep(2.0)
            assert hub.device("desk").availability is Availability.ONLINE
            assert hub.reading("desk/level").value == 10
            receipt = await hub.ended(hub.command("desk/lamp", True, ME))
            assert receipt.state is CommandState.VERIFIED
            assert hub.reading("desk/lamp").value is True
        await asyncio.sleep(0.1)
        assert device.goodbyes == 1
    finally:
        server.close()


@pytest.mark.virtual
async def test_the_lamp_refuses_a_wrong_password() -> None:
    server = await LineDevice().listen("lamp.example")
    try:
        async with hub_of(lamp("tcp://lamp.example", "wrong")) as hub:
            await asyncio.sleep(2.0)
            assert hub.device("desk").reason.code is ReasonCode.LOGIN_REFUSED
    finally:
        server.close()


def test_the_lamp_needs_an_address() -> None:
    with pytest.raises(ConfigurationError, match="address is missing"):
        lamp("", OPEN)
