"""A hub in virtual time with plugs behind the faked library."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from holdfast.clock import LoopClock
from holdfast.drivers.kasa.driver import family
from holdfast.hub.hub import Hub
from holdfast.hub.site.spec import DeviceSpec
from holdfast.link.core import Core
from holdfast.model import Issuer, Quality
from holdfast.simulation import VirtualLoop
from tests.drivers.kasa.bench import HOST, plug_device
from tests.drivers.kasa.fake_kasa import FakeKasa, FakePlug

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from holdfast.link.link import Link
    from holdfast.model import Receipt

ME = Issuer("me")


class Home:
    """One hub, one plug that it knows, perhaps others on the network."""

    def __init__(self, hub: Hub, library: FakeKasa, plug: FakePlug) -> None:
        self.hub = hub
        self.library = library
        self.plug = plug

    @property
    def link(self) -> Link:
        """The plug's link."""
        (link,) = self.hub.links.values()
        return link

    def value(self, key: str) -> object:
        """What is shown."""
        return self.hub.reading(f"plug/{key}").value

    def order(self, value: object, timeout_s: float | None = None) -> Receipt:
        """Give a command."""
        return self.hub.command("plug/switch", value, ME, timeout_s)

    async def switch(self, value: object, timeout_s: float | None = None) -> Receipt:
        """Give a command and wait for its end."""
        return await self.hub.ended(self.order(value, timeout_s))

    async def online(self, within_s: float = 60.0) -> None:
        """Wait until the state of the relay is known by the present session."""
        await until(lambda: self.hub.reading("plug/switch").quality is Quality.GOOD, within_s)


def now() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()


async def until(condition: Callable[[], object], within_s: float = 60.0) -> None:
    """Wait until it holds."""
    end_t = now() + within_s
    while not condition():
        assert now() < end_t, "it never came to hold"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def home_of(
    plug: FakePlug, *others: tuple[str, FakePlug], host: str = HOST, password: str = "", **options: object
) -> AsyncIterator[Home]:
    """A running hub that knows ``plug``, and nothing of the ``others``; all device objects are closed in the end."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    library = FakeKasa({host: plug, **dict(others)})
    device = plug_device(username="me" if password else "", password=password, options=options)
    driver = family(library).prepare(device, device.adapters[0])
    clock = LoopClock(loop)
    hub = Hub(clock, core=Core(clock, rng=loop.random))
    hub.add(DeviceSpec(device, (driver,)))
    hub.start()
    try:
        yield Home(hub, library, plug)
    finally:
        await hub.stop(patience_s=0.0)
        assert loop.leftovers() == []
        assert [each.open_objects for each in (plug, *dict(others).values())] == [0] * (1 + len(others))
