"""A hub with racks whose site is kept in a store, and its API on a free port."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import httpx

from holdfast.clock import SystemClock
from holdfast.hub.hub import Hub
from holdfast.hub.living_site import LivingSite
from holdfast.hub.site import SecretSource
from holdfast.hub.site.read import read_what_can_be_used
from holdfast.link.driver import Family
from holdfast.link.session import Endpoint
from holdfast.store import MemoryStore
from holdfast.web.server import ApiServer
from tests.web.house import NO_TLS, PATIENCE_S, House, Rack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from holdfast.hub.site.spec import SiteSpec
    from holdfast.link.driver import Driver
    from holdfast.model import Adapter, Device
    from holdfast.web.api.access import Tokens


@dataclass
class KeptHouse(House):
    """What a test has in hand."""

    site: LivingSite
    store: MemoryStore

    async def put(self, path: str, body: object, **query: Any) -> httpx.Response:
        return await self.client.put(f"/api/v1/{path}", json=body, params=query)

    async def delete(self, path: str, **query: Any) -> httpx.Response:
        return await self.client.delete(f"/api/v1/{path}", params=query)

    async def written(self) -> None:
        """Everything that was told is in the store."""
        keeper = self.hub.keeper
        assert keeper is not None
        assert await keeper.written(PATIENCE_S)


def rack_device(ident: str, *urls: str, **more: Any) -> dict[str, Any]:
    """A rack in a site, reached at each of these addresses."""
    adapters = [
        {"id": url, "driver": "rack", "url": url, "priority": number}
        for number, url in enumerate(urls or (ident,), 1)
    ]
    return {"id": ident, "adapters": adapters, **more}


def read(mapping: Mapping[str, Any]) -> SiteSpec:
    """The site, with a rack of its own behind every address."""
    racks: dict[str, Rack] = {}

    def prepare(device: Device, adapter: Adapter) -> Driver:
        (driver,) = racks.setdefault(adapter.url, Rack()).spec(device.id).drivers
        return replace(driver, endpoint=Endpoint("rack", adapter.url, adapter.url))

    return read_what_can_be_used(mapping, {"rack": Family("rack", prepare)}, secrets=SecretSource())


@asynccontextmanager
async def kept_house(
    *devices: dict[str, Any],
    store: MemoryStore | None = None,
    headers: Mapping[str, str] | None = None,
    tokens: Tokens | None = None,
) -> AsyncIterator[KeptHouse]:
    """The hub runs when the block begins. A ``store`` that was used before is gone on with."""
    store = store or MemoryStore()
    clock = SystemClock(asyncio.get_running_loop())
    mapping = {"devices": list(devices) or [rack_device("rack")]}
    revision = await store.save_site(mapping, clock.now())
    spec = read(mapping)
    hub = Hub(clock, store=store)
    for each in spec.devices:
        hub.add(each)
    hub.restore(await store.saved(), {})
    site = LivingSite(hub, store, read, mapping, revision)
    api = ApiServer(hub, site=site, port=0, tokens=tokens)
    hub.start()
    await api.start()
    try:
        async with httpx.AsyncClient(
            base_url=api.url, headers=headers, trust_env=False, verify=NO_TLS
        ) as client:
            yield KeptHouse(hub, api, Rack(), client, site, store)
    finally:
        store.fault, store.delay_s = None, 0.0
        await api.stop()
        await site.settled()
        await hub.stop()
