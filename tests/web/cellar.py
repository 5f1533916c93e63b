"""A fermenter with two plugs and a posted temperature, its hub, and the API on a real loopback socket."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from holdfast.clock import SystemClock
from holdfast.drivers.kasa.driver import family
from holdfast.drivers.push.driver import PUSH
from holdfast.hub.hub import Hub
from holdfast.hub.living_site import LivingSite
from holdfast.hub.site import SecretSource
from holdfast.hub.site.read import read_what_can_be_used
from holdfast.store import MemoryStore
from holdfast.web.server import ApiServer
from tests.drivers.kasa.fake_kasa import FakeKasa, FakePlug
from tests.web.house import NO_TLS, House, Rack, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from holdfast.hub.controllers.thermostat import Thermostat
    from holdfast.hub.site.spec import SiteSpec
    from holdfast.web.api.access import Tokens

HEATER = "192.168.1.71"
FRIDGE = "192.168.1.72"
AT_ONCE: Mapping[str, float] = {
    "heater_min_off_s": 0, "heater_min_on_s": 0, "cooler_min_off_s": 0, "cooler_min_on_s": 0, "dead_time_s": 0,
}  # fmt: skip
"""Rests and runs of no length, so that a test on the wall clock need not wait for them."""


def site_of(**controller: Any) -> dict[str, Any]:
    """The site; ``controller`` replaces keys of its thermostat."""
    return {
        "site": {"id": "cellar", "temperature_unit": "fahrenheit"},
        "devices": [
            {"id": "heater", "adapters": [{"id": "lan", "driver": "kasa", "url": f"kasa://{HEATER}"}]},
            {"id": "fridge", "adapters": [{"id": "lan", "driver": "kasa", "url": f"kasa://{FRIDGE}"}]},
            {
                "id": "beer",
                "adapters": [{"id": "in", "driver": "push"}],
                "capabilities": {
                    "temperature": {"unit": "°C", "deadline_s": 240, "minimum": -20, "maximum": 90}
                },
            },
        ],
        "controllers": [thermostat(**controller)],
    }


def thermostat(**keys: Any) -> dict[str, Any]:
    """The thermostat's part of the site; a key that is ``None`` is left out."""
    usual = {
        "id": "fermenter", "name": "Fermenter", "kind": "thermostat", "sensor": "beer/temperature",
        "heater": "heater/switch", "cooler": "fridge/switch", "low": 18.0, "high": 20.0, **AT_ONCE,
    }  # fmt: skip
    return {key: value for key, value in {**usual, **keys}.items() if value is not None}


@dataclass
class Cellar(House):
    """What a test has in hand."""

    heater: FakePlug
    fridge: FakePlug
    store: MemoryStore

    @property
    def thermostat(self) -> Thermostat:
        """The controller itself."""
        return self.hub.controllers.controller("fermenter")

    async def controller(self) -> dict[str, Any]:
        """The controller as the API tells it."""
        answer = await self.get("/api/v1/controllers/fermenter")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def ask(self, method: str, path: str, body: object) -> httpx.Response:
        """Ask something of the controller."""
        return await self.client.request(method, f"/api/v1/controllers/fermenter/{path}", json=body)

    async def warm(self, value: float) -> None:
        """The sensor sends a temperature, and the controller has looked."""
        answer = await self.client.post(
            "/api/v1/readings", json={"target": "beer/temperature", "value": value}
        )
        assert answer.json()["accepted"], answer.text
        await until(lambda: self.hub.reading("fermenter/temperature").value == value)
        await asyncio.sleep(0)

    async def until_state(self, state: str) -> None:
        """Wait for a state."""
        await until(lambda: self.hub.reading("fermenter/state").value == state)


@asynccontextmanager
async def cellar(
    *,
    tokens: Tokens | None = None,
    headers: Mapping[str, str] | None = None,
    store: MemoryStore | None = None,
    **controller: Any,
) -> AsyncIterator[Cellar]:
    """It runs when the block begins, with both plugs proven off. A ``store`` that was used before is gone on with."""
    heater, fridge = FakePlug("AA:BB:CC:00:00:71"), FakePlug("AA:BB:CC:00:00:72")
    families = {"kasa": family(FakeKasa({HEATER: heater, FRIDGE: fridge})), "push": PUSH}

    def read(mapping: Mapping[str, Any]) -> SiteSpec:
        return read_what_can_be_used(mapping, families, secrets=SecretSource())

    store = store or MemoryStore()
    clock = SystemClock(asyncio.get_running_loop())
    mapping = site_of(**controller)
    revision = await store.save_site(mapping, clock.now())
    spec = read(mapping)
    hub = Hub(clock, store=store)
    for device in spec.devices:
        hub.add(device)
    for each in spec.controllers:
        hub.add_controller(each)
    hub.restore(await store.saved(), {})
    site = LivingSite(hub, store, read, mapping, revision)
    api = ApiServer(hub, site=site, port=0, tokens=tokens)
    hub.start()
    await api.start()
    try:
        async with httpx.AsyncClient(
            base_url=api.url, headers=headers, trust_env=False, verify=NO_TLS
        ) as client:
            plugs = ("heater/switch", "fridge/switch")
            await until(lambda: all(hub.reading(each).value is False for each in plugs))
            await until(lambda: all(link.has_session for link in hub.links.values()))
            yield Cellar(hub, api, Rack(), client, heater, fridge, store)
    finally:
        heater.well()
        fridge.well()
        await api.stop()
        await site.settled()
        await hub.stop()
