"""A hub in virtual time around the toys, and what tests ask of it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from holdfast.clock import LoopClock
from holdfast.hub.hub import Hub
from holdfast.hub.site.spec import DeviceSpec
from holdfast.link.core import Core
from holdfast.link.stream import StreamSession
from holdfast.model import Adapter, Device, Issuer, Receipt
from holdfast.simulation import VirtualLoop
from holdfast.transports.tcp import dial_tcp
from tests.link.toys.advert import ADVERT
from tests.link.toys.bus import BUS
from tests.link.toys.library import LIBRARY
from tests.link.toys.lockstep import LOCKSTEP, OPEN, PORT, LineCodec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from holdfast.hub.events import Record
    from holdfast.link.driver import Driver, Family
    from holdfast.link.session import Sink

FAMILIES: Mapping[str, Family] = {each.name: each for each in (LOCKSTEP, BUS, LIBRARY, ADVERT)}
ME = Issuer("me")


def spec(device_id: str, driver: str, url: str, *, password: str = "", **options: Any) -> DeviceSpec:
    """A device with one adapter of a toy family."""
    adapter = Adapter(id="a", driver=driver, url=url, password=password)
    device = Device(id=device_id, name=device_id, adapters=(adapter,), options=options)
    return DeviceSpec(device, (FAMILIES[driver].prepare(device, adapter),))


def loop() -> VirtualLoop:
    """The running virtual loop."""
    running = asyncio.get_running_loop()
    assert isinstance(running, VirtualLoop)
    return running


@asynccontextmanager
async def hub_of(*specs: DeviceSpec, start: bool = True) -> AsyncIterator[Hub]:
    """A running hub, with a journal of everything it said in ``hub.said``."""
    clock = LoopClock(loop())
    hub = Hub(clock, core=Core(clock, rng=loop().random))
    said: list[Record] = []
    hub.stream.tap(said.append)
    hub.said = said  # type: ignore[attr-defined]
    for each in specs:
        hub.add(each)
    if start:
        hub.start()
    try:
        yield hub
    finally:
        await hub.stop()
        ours = [left for left in loop().leftovers() if not left.startswith("timer _LineServer")]
        assert ours == []


async def command(hub: Hub, target: str, value: object, timeout_s: float | None = None) -> Receipt:
    """Give a command and wait for its end."""
    return await hub.ended(hub.command(target, value, ME, timeout_s))


def refitted(good: DeviceSpec, **parts: Any) -> DeviceSpec:
    """The device with other parts in its driver."""
    return DeviceSpec(good.device, tuple(replace(driver, **parts) for driver in good.drivers))


def lamp(codec: type[LineCodec]) -> DeviceSpec:
    """The lock-step toy with another codec."""

    def connect(drivers: Sequence[Driver], sink: Sink) -> StreamSession:
        return StreamSession(dial_tcp("lamp", PORT), codec(OPEN), sink)

    return refitted(spec("lamp", "lockstep", "lamp"), connect=connect)


def escaped() -> list[dict[str, Any]]:
    """What escapes into the loop from now on."""
    found: list[dict[str, Any]] = []
    loop().set_exception_handler(lambda _, context: found.append(context))
    return found
