"""A hub in virtual time whose plugs are simulated ones, reached by the real python-kasa.

Nothing inside the library is patched. Each device object gets an HTTP session of its own, as it would make one, whose
connections go through the virtual network to the host and port that the library dials.
"""

from __future__ import annotations

import random
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import kasa

from holdfast.clock import LoopClock
from holdfast.drivers.kasa.driver import family
from holdfast.hub.hub import Hub
from holdfast.hub.site.spec import DeviceSpec
from holdfast.link.core import Core
from holdfast.model import Adapter, Device
from holdfast.simulators.kasa import (
    DEMO_ACCOUNT,
    DISCOVERY_PORT,
    HTTP_PORT,
    LEGACY,
    LEGACY_PORT,
    Encryption,
    Identity,
    KasaPlug,
    Plug,
)
from tests.drivers.kasa.home import ME, now, until
from tests.link.house import loop
from tests.simulators.kasa.real import KINDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from holdfast.drivers.kasa.library import KasaLibrary
    from holdfast.drivers.kasa.memory import PlugMemory
    from holdfast.link.link import Link
    from holdfast.model import Receipt
    from holdfast.simulators.kasa import Fault, Firmware

WORDS = {"legacy": "legacy", "klap1": "klap", "klap2": "klap", "smart": "smart"}
"""What an owner calls the simulated kinds."""


class RealLibrary:
    """The installed library; only its HTTP goes through the virtual network."""

    def __init__(self) -> None:
        self.dials: list[tuple[float, str]] = []
        self.Device = SimpleNamespace(connect=self._connect)

    def __getattr__(self, name: str) -> Any:
        return getattr(kasa, name)

    async def _connect(self, *, config: Any) -> Any:
        self.dials.append((now(), config.host))
        way = config.connection_type
        port = config.port_override or way.http_port or (4433 if way.https else HTTP_PORT)
        connector = aiohttp.UnixConnector(path=f"sim://{config.host}:{port}")
        client = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.CookieJar(unsafe=True))
        config.http_client = client
        try:
            device = await kasa.Device.connect(config=config)
        except BaseException:
            await client.close()
            raise
        device.disconnect = partial(_disconnect, device.disconnect, client)  # type: ignore[method-assign]
        return device


async def _disconnect(leave: Any, client: aiohttp.ClientSession) -> None:
    try:
        await leave()
    finally:
        await client.close()


@dataclass
class Street:
    """One hub and its plugs, by their hosts."""

    hub: Hub
    library: RealLibrary
    stations: dict[str, KasaPlug] = field(default_factory=dict)

    def link(self, host: str = "plug") -> Link:
        """The link of one of them."""
        return next(link for link in self.hub.links.values() if host in link.name.split(", "))

    def memory(self, host: str = "plug") -> PlugMemory:
        """What the driver remembers of one of them."""
        remembers = self.hub.devices[host].active.driver.remembers
        assert remembers is not None
        return cast("PlugMemory", remembers)

    def is_current(self, host: str = "plug") -> bool:
        """Whether the state of its relay is known."""
        return self.hub.reading(f"{host}/switch").quality.is_current

    def value(self, key: str, host: str = "plug") -> object:
        """What is shown."""
        return self.hub.reading(f"{host}/{key}").value

    async def switch(self, value: object, host: str = "plug", timeout_s: float | None = None) -> Receipt:
        """Give a command and wait for its end."""
        return await self.hub.ended(self.hub.command(f"{host}/switch", value, ME, timeout_s))

    async def took(self, value: object, host: str = "plug") -> tuple[Receipt, float]:
        """The same, and how long it took."""
        began_t = now()
        return await self.switch(value, host), now() - began_t


def device_of(
    host: str,
    kind: str,
    *,
    password: str = DEMO_ACCOUNT.password,
    owned: float | None = None,
    **options: object,
) -> Device:
    """A plug as a site describes it."""
    adapter = Adapter(
        id="lan", driver="kasa", url=f"kasa://{host}", username=DEMO_ACCOUNT.user, password=password
    )
    return Device(
        id=host,
        name=host,
        adapters=(adapter,),
        options={"kind": kind, **options},
        owned={} if owned is None else {"switch": owned},
    )


def station_of(
    firmware: Firmware = LEGACY, plug: Plug | None = None, *, host: str = "plug", **settings: Any
) -> KasaPlug:
    """A plug on a host of its own, on the ports of real ones."""
    ports = {"legacy_port": LEGACY_PORT, "http_port": HTTP_PORT, "discovery_port": DISCOVERY_PORT, **settings}
    return KasaPlug(plug, firmware, rng=random.Random(1), host=host, **ports)


def metered(mac: str = "50:C7:BF:00:00:01", **settings: Any) -> Plug:
    """A plug with a meter."""
    return Plug(Identity(mac=mac, has_meter=True), **settings)


@asynccontextmanager
async def street_of(
    *devices: tuple[Device, KasaPlug],
    strangers: tuple[KasaPlug, ...] = (),
    records: Mapping[str, Mapping[str, Any]] | None = None,
    waits: bool = True,
) -> AsyncIterator[Street]:
    """A running hub that knows the devices; ``records`` is what drivers knew in an earlier run, by device."""
    async with AsyncExitStack() as stack:
        for station in (*(each for _, each in devices), *strangers):
            await stack.enter_async_context(station)
        library = RealLibrary()
        clock = LoopClock(loop())
        hub = Hub(clock, core=Core(clock, rng=loop().random))
        street = Street(hub, library, {device.id: station for device, station in devices})
        for device, _ in devices:
            driver = family(lambda: cast("KasaLibrary", library)).prepare(device, device.adapters[0])
            if records is not None and driver.remembers is not None and device.id in records:
                driver.remembers.recall(records[device.id])
            hub.add(DeviceSpec(device, (driver,)))
        hub.start()
        stack.push_async_callback(hub.stop, patience_s=0.0)
        if waits:
            await until(lambda: all(street.is_current(device.id) for device, _ in devices), 60)
        yield street


@asynccontextmanager
async def one_plug(
    name: str,
    plug: Plug | None = None,
    *,
    firmware: Firmware | None = None,
    waits: bool = True,
    **options: Any,
) -> AsyncIterator[tuple[Street, KasaPlug]]:
    """A hub with one plug of that kind."""
    station = station_of(firmware or KINDS[name], plug)
    async with street_of((device_of("plug", WORDS[name], **options), station), waits=waits) as street:
        yield street, station


def most_connections(station: KasaPlug, *, beyond_s: float = 0.0) -> int:
    """How many were open at once, but for more that lasted no longer than ``beyond_s`` at a stretch."""
    most, crowds = 0, list(station.truth.crowds)
    ends = [each.t for each in crowds[1:]] + [now()]
    for count in range(1, station.truth.most_connections + 1):
        since = None
        longest_s = 0.0
        for crowd, end in zip(crowds, ends, strict=True):
            since = (crowd.t if since is None else since) if crowd.connections >= count else None
            if since is not None:
                longest_s = max(longest_s, end - since)
        if longest_s > beyond_s:
            most = count
    return most


def is_legacy(station: KasaPlug) -> bool:
    """Whether it speaks the old cipher, without a login."""
    return station.firmware.encryption is Encryption.XOR


def begin(station: KasaPlug, fault: Fault) -> Fault:
    """Let a fault begin."""
    station.begin(fault)
    return fault
