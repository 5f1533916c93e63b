"""A hub with a thermostat, its plugs behind the faked library, a posted temperature, and a living site."""

from __future__ import annotations

import asyncio
import contextlib
import copy
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from holdfast.clock import LoopClock
from holdfast.drivers.kasa.driver import family
from holdfast.drivers.push.driver import PUSH
from holdfast.hub.deliveries import NotListening, deliver, slot_of
from holdfast.hub.events import Kind
from holdfast.hub.hub import Hub
from holdfast.hub.living_site import LivingSite
from holdfast.hub.site.read import read_what_can_be_used
from holdfast.hub.site.secret import SecretSource
from holdfast.link.core import Core
from holdfast.model import Authority, CommandState, Issuer
from holdfast.simulation import VirtualLoop
from holdfast.store.memory import MemoryStore
from tests.drivers.kasa.fake_kasa import FakeKasa, FakePlug

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from holdfast.hub.controllers.thermostat import Thermostat
    from holdfast.hub.site.spec import SiteSpec
    from holdfast.model import Receipt

PERSON = Issuer("a person", Authority.PERSON)
ROBOT = Issuer("a script", Authority.AUTOMATION)
PROMPT: dict[str, object] = {
    "heater_min_off_s": 0,
    "heater_min_on_s": 0,
    "cooler_min_off_s": 0,
    "cooler_min_on_s": 0,
    "dead_time_s": 0,
}
"""No rests: a test that is about something else need not wait for them."""


def plug(ident: str, number: int) -> dict[str, Any]:
    """A plug as a site file has it."""
    return {"id": ident, "adapters": [{"id": "lan", "driver": "kasa", "url": f"kasa://10.0.0.{number}"}]}


def sensor(ident: str) -> dict[str, Any]:
    """A posted temperature."""
    temperature = {"unit": "°C", "deadline_s": 240, "minimum": -20, "maximum": 60}
    return {
        "id": ident,
        "adapters": [{"id": "in", "driver": "push"}],
        "capabilities": {"temperature": temperature},
    }


def site_of(**controller: object) -> dict[str, Any]:
    """Two plugs in use, one spare, two sensors, and a thermostat; ``controller`` replaces keys of it."""
    usual = {
        "id": "fermenter",
        "kind": "thermostat",
        "sensor": "beer/temperature",
        "heater": "heater/switch",
        "cooler": "fridge/switch",
        "low": 18.0,
        "high": 20.0,
    }
    merged = {key: value for key, value in {**usual, **PROMPT, **controller}.items() if value is not ...}
    return {
        "devices": [plug("heater", 1), plug("fridge", 2), plug("spare", 3), sensor("beer"), sensor("other")],
        "controllers": [merged],
    }


class House:
    """The hub of the moment, and what outlives it."""

    def __init__(self, loop: VirtualLoop, site: dict[str, Any]) -> None:
        self.loop = loop
        self.clock = LoopClock(loop)
        self.heater, self.fridge, self.spare = (FakePlug(f"AA:BB:CC:00:00:0{n}") for n in (1, 2, 3))
        self.library = FakeKasa({"10.0.0.1": self.heater, "10.0.0.2": self.fridge, "10.0.0.3": self.spare})
        self.store = MemoryStore()
        self.site = site
        self.hub: Hub
        self.living: LivingSite
        self.records: list[Any] = []
        self._posting: asyncio.Task[None] | None = None
        self.temperature: object = None
        """What the sensor posts, every five seconds; ``None``: nothing."""

    @property
    def thermostat(self) -> Thermostat:
        """The controller."""
        return self.hub.controllers.controller("fermenter")

    def read(self, mapping: Any) -> SiteSpec:
        """The site as the hub reads it."""
        families = {"kasa": family(self.library), "push": PUSH}
        return read_what_can_be_used(mapping, families, secrets=SecretSource())

    async def start(self) -> None:
        """A hub begins with what the store has."""
        spec = self.read(self.site)
        self.hub = Hub(self.clock, core=Core(self.clock, rng=self.loop.random), store=self.store)
        self.hub.stream.tap(self.records.append)
        for device in spec.devices:
            self.hub.add(device)
        for controller in spec.controllers:
            self.hub.add_controller(controller)
        await self.store.open()
        revision = await self.store.save_site(self.site, self.clock.now())
        self.hub.restore(await self.store.saved(), {})
        self.living = LivingSite(self.hub, self.store, self.read, self.site, revision)
        self.hub.start()
        self._posting = asyncio.create_task(self._post(), name="posting")

    async def stop(self, patience_s: float = 10.0) -> None:
        """The hub ends."""
        if self._posting is not None:
            self._posting.cancel()
            await asyncio.gather(self._posting, return_exceptions=True)
        await self.hub.stop(patience_s)
        self.site = copy.deepcopy(dict(self.living.mapping))

    async def _post(self) -> None:
        while True:
            if self.temperature is not None:
                self.post(self.temperature)
            await asyncio.sleep(5.0)

    def post(self, value: Any, target: str = "beer/temperature") -> None:
        """A reading arrives."""
        with contextlib.suppress(NotListening):  # the hub has not begun to listen, or slept a moment ago
            deliver(self.hub, slot_of(self.hub, target), value)

    def value(self, target: str) -> object:
        """What is shown."""
        return self.hub.reading(target).value

    def state(self) -> object:
        """What the thermostat does."""
        return self.value("fermenter/state")

    async def until(self, condition: Callable[[], object], within_s: float = 120.0) -> float:
        """Wait until it holds; for how long that took."""
        began_t = self.loop.time()
        while not condition():
            assert self.loop.time() - began_t < within_s, "it never came to hold"
            await asyncio.sleep(0.05)
        return self.loop.time() - began_t

    async def settled(self) -> None:
        """Wait until the orders of the start are over: both plugs are proven off, and somebody decides."""
        devices = self.hub.devices.values()
        await self.until(lambda: self.value("fermenter/temperature") is not None)
        await self.until(lambda: not any(device.desk.orders for device in devices))

    async def command(self, target: str, value: object, issuer: Issuer = PERSON, **more: Any) -> Receipt:
        """Give a command and wait for its end."""
        return await self.hub.ended(self.hub.command(target, value, issuer, **more))

    async def done(self, target: str, value: object, **more: Any) -> None:
        """Give a command that works."""
        receipt = await self.command(target, value, **more)
        assert receipt.state is CommandState.VERIFIED, receipt

    def texts(self, kind: str) -> list[str]:
        """The events of one kind."""
        found = [each.payload for each in self.records if each.kind is Kind.EVENT]
        return [each["text"] for each in found if each["kind"] == kind]

    def alarms(self) -> list[tuple[str, bool]]:
        """What was alarmed and ended, in order."""
        found = [each.payload for each in self.records if each.kind is Kind.ALARM]
        return [(each["target"], each["is_on"]) for each in found]


@asynccontextmanager
async def house(temperature: object = None, **controller: object) -> AsyncIterator[House]:
    """A house at work."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    home = House(loop, site_of(**controller))
    home.temperature = temperature
    await home.start()
    try:
        yield home
    finally:
        await home.stop(patience_s=0.0)
