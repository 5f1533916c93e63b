"""A fermenter with two plugs and a sensor, and the hub that keeps it; the hub may be killed and started again."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import copy
from typing import TYPE_CHECKING, Any

from holdfast.cli.catching_up import TRY_EVERY_S, of_earlier_runs
from holdfast.clock import LoopClock
from holdfast.drivers.kasa.driver import family
from holdfast.drivers.push.driver import PUSH
from holdfast.hub.deliveries import NotListening, deliver, slot_of
from holdfast.hub.hub import Hub
from holdfast.hub.living_site import LivingSite
from holdfast.hub.ports import Saved, StoreError
from holdfast.hub.site.plan import plan
from holdfast.hub.site.read import read_what_can_be_used
from holdfast.hub.site.secret import SecretSource
from holdfast.link.core import Core
from holdfast.model import Authority, Issuer
from holdfast.simulators.fermenter import CARBOY, Fermenter
from holdfast.store.memory import MemoryStore
from tests.drivers.kasa.fake_kasa import FakeKasa
from tests.fermenter.life import Life
from tests.fermenter.plugs import WatchedPlug

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from holdfast.hub.controllers.thermostat import Thermostat
    from holdfast.hub.site.spec import SiteSpec
    from holdfast.model import Reading, Receipt
    from holdfast.simulation import VirtualLoop

HEATER = "192.168.1.71"
FRIDGE = "192.168.1.72"
PERSON = Issuer("a person", Authority.PERSON)
SENSOR = "beer/temperature"
SPARE_SENSOR = "spare/temperature"
"""Another sensor of the site, which never sends anything."""
OPEN_S = 2.0
"""How long a start may wait for a store that does not answer: then the devices are kept without it."""


def site_of(**controller: object) -> dict[str, Any]:
    """The site of such a cellar; ``controller`` replaces keys of its thermostat."""
    return {
        "site": {"id": "cellar"},
        "devices": [
            {"id": "heater", "adapters": [{"id": "lan", "driver": "kasa", "url": f"kasa://{HEATER}"}]},
            {"id": "fridge", "adapters": [{"id": "lan", "driver": "kasa", "url": f"kasa://{FRIDGE}"}]},
            _sensor("beer"),
            _sensor("spare"),
        ],
        "controllers": [
            {
                "id": "fermenter",
                "kind": "thermostat",
                "sensor": SENSOR,
                "heater": "heater/switch",
                "cooler": "fridge/switch",
                "low": 18.0,
                "high": 20.0,
                **controller,
            }
        ],
    }


def _sensor(ident: str) -> dict[str, Any]:
    temperature = {"unit": "°C", "deadline_s": 240, "minimum": -20, "maximum": 60}
    return {
        "id": ident,
        "adapters": [{"id": "in", "driver": "push"}],
        "capabilities": {"temperature": temperature},
    }


class Beer:
    """The simulated fermenter, fed from the relays' real moves, in their order."""

    def __init__(
        self, loop: VirtualLoop, fermenter: Fermenter, heater: WatchedPlug, fridge: WatchedPlug
    ) -> None:
        self._loop = loop
        self.fermenter = fermenter
        self._plugs = (heater, fridge)
        self._on = [False, False]
        self._at = loop.time()

    def now(self) -> Fermenter:
        """How it is now."""
        moves = []
        for which, plug in enumerate(self._plugs):
            _ = plug.is_on
            moves += [(t, which, value) for t, value in plug.moves]
            plug.moves.clear()
        for t, which, value in sorted(moves):
            self._step_to(t)
            self._on[which] = value
        self._step_to(self._loop.time())
        return self.fermenter

    def _step_to(self, t: float) -> None:
        if t > self._at:
            heater_on, cooler_on = self._on
            self.fermenter = self.fermenter.step(t - self._at, heater_on=heater_on, cooler_on=cooler_on)
            self._at = t


class Onlooker:
    """Told of what the hub's surroundings do; does nothing with it."""

    def hub_starts(self, hub: Hub) -> None:
        """A new hub, before it does anything."""

    def hub_stops(self) -> None:
        """The hub was told to stop."""

    def hub_ended(self, *, is_killed: bool) -> None:
        """There is no hub any more."""

    def site_changes(self, site: Mapping[str, Any]) -> None:
        """The hub is about to take over another site."""

    def sent(self, value: object) -> None:
        """The sensor has sent something to a hub that listens."""


class Cellar:
    """Everything that outlives a hub: plugs, beer, sensor, clock and store."""

    def __init__(
        self,
        loop: VirtualLoop,
        *,
        beer_c: float = 19.0,
        sensor_every_s: float = 5.0,
        fermenter: Fermenter | None = None,
        heater: WatchedPlug | None = None,
        fridge: WatchedPlug | None = None,
        **controller: object,
    ) -> None:
        self.loop = loop
        self.clock = LoopClock(loop)
        self.heater = heater or WatchedPlug("AA:BB:CC:00:00:71")
        self.fridge = fridge or WatchedPlug("AA:BB:CC:00:00:72")
        self.library = FakeKasa({HEATER: self.heater, FRIDGE: self.fridge})
        self.beer = Beer(loop, fermenter or Fermenter.begin(CARBOY, beer_c=beer_c), self.heater, self.fridge)
        self.store = MemoryStore()
        self.site = site_of(**controller)
        """The site as it is now."""
        self.onlooker = Onlooker()
        self.is_sensing = True
        """Whether the sensor sends at all."""
        self.pretend: Callable[[float], object] | None = None
        """What the sensor makes of the truth, if it does not tell it."""
        self.sensor_every_s = sensor_every_s
        self.hub: Hub | None = None
        self.life: Life | None = None
        self.hubs = 0
        self.is_catching_up = False
        """Whether it still waits for the store to answer."""
        self.was_restored = True
        """Whether the present hub could read what the store kept."""
        self._lives: list[Life] = []
        self._sensor: asyncio.Task[None] | None = None
        self._errands: set[asyncio.Task[Any]] = set()
        self.living: LivingSite | None = None

    @property
    def plugs(self) -> Mapping[str, WatchedPlug]:
        """By the id of their device."""
        return {"heater": self.heater, "fridge": self.fridge}

    @property
    def thermostat(self) -> Thermostat:
        """The controller of the present hub."""
        assert self.hub is not None
        return self.hub.controllers.controller("fermenter")

    # --- the hub -----------------------------------------------------------------------------------------------------

    def read(self, mapping: Mapping[str, Any]) -> SiteSpec:
        """The site as a hub reads it."""
        families = {"kasa": family(self.library), "push": PUSH}
        return read_what_can_be_used(mapping, families, secrets=SecretSource())

    async def start(self) -> None:
        """A hub begins, with what the store has of earlier ones if it answers in time."""
        saved, revision, self.was_restored = Saved(), 0, False
        with contextlib.suppress(StoreError, TimeoutError):
            async with asyncio.timeout(OPEN_S):
                await self.store.open()
                found = await self.store.site()
                if found is None:
                    revision = await self.store.save_site(self.site, self.clock.now())
                else:
                    self.site, revision = copy.deepcopy(dict(found.mapping)), found.revision
                saved, self.was_restored = await self.store.saved(), True
        life = self.life = Life(self.loop)
        self._lives.append(life)
        life.within(lambda: self._start(saved, revision))
        self.hubs += 1
        if self._sensor is None:
            self._sensor = self.loop.create_task(self._sense(), name="sensor")

    def _start(self, saved: Saved, revision: int) -> None:
        spec = self.read(self.site)
        hub = Hub(self.clock, core=Core(self.clock, rng=self.loop.random), store=self.store)
        self.onlooker.hub_starts(hub)
        for device in spec.devices:
            hub.add(device)
        for controller in spec.controllers:
            hub.add_controller(controller)
        hub.restore(saved, {})
        self.living = LivingSite(hub, self.store, self.read, self.site, revision)
        self.hub = hub
        hub.start()
        self.is_catching_up = not self.was_restored
        if not self.was_restored:
            self.loop.create_task(self._catch_up(hub, self.living), name="catching up")

    async def _catch_up(self, hub: Hub, living: LivingSite) -> None:
        """The store did not answer at the start: what it has is taken over as soon as it does."""
        while True:
            await asyncio.sleep(TRY_EVERY_S)
            with contextlib.suppress(StoreError):
                saved = await self.store.saved()
                if living.revision == 0:
                    living.revision = await self.store.save_site(living.mapping, self.clock.now())
                hub.restore(of_earlier_runs(hub, saved), {})
                self.is_catching_up = False
                return

    @property
    def is_running(self) -> bool:
        """Whether there is a hub that decides."""
        return self.hub is not None and self.hub.is_running

    def kill(self) -> None:
        """The hub's process is gone, as with kill -9."""
        assert self.life is not None
        self.life.end()
        self._gone(is_killed=True)

    async def stop(self) -> None:
        """The hub says goodbye."""
        hub, life = self.hub, self.life
        assert hub is not None
        assert life is not None
        self.onlooker.hub_stops()
        await life.within(lambda: self.loop.create_task(hub.stop(), name="stop"))
        await asyncio.sleep(0.0)
        left = [each for each in life.tasks if each not in ("catching up", "errand")]
        # What does not let go of its call when it is told to outlives the hub, which waits for it for a while.
        assert not left or any(plug.is_stubborn for plug in self.plugs.values()), left
        assert left or all(plug.open_objects == 0 for plug in self.plugs.values())
        life.end()
        self._gone(is_killed=False)

    def _gone(self, *, is_killed: bool) -> None:
        for plug in self.plugs.values():
            plug.cut_off()
        self.hub = self.life = self.living = None
        self.onlooker.hub_ended(is_killed=is_killed)

    async def close(self) -> None:
        """The end of it all."""
        if self._sensor is not None:
            self._sensor.cancel()
            await asyncio.gather(self._sensor, return_exceptions=True)
        for life in self._lives:
            life.bury()

    # --- what people do ----------------------------------------------------------------------------------------------

    def command(self, target: str, value: object, **more: Any) -> Receipt:
        """A person gives a command; what is said of it at once."""
        hub, life = self.hub, self.life
        assert hub is not None
        assert life is not None
        return life.within(lambda: hub.command(target, value, PERSON, **more))

    def change(self, mapping: dict[str, Any]) -> None:
        """A changed site takes effect, whatever is wrong with it, as the reader takes it."""
        hub, life, living = self.hub, self.life, self.living
        assert hub is not None
        assert life is not None
        assert living is not None
        mapping = copy.deepcopy(mapping)

        async def act() -> None:
            living.revision = await self.store.save_site(mapping, self.clock.now())
            steps = tuple(plan(living.mapping, mapping))
            living.mapping = self.site = mapping
            self.onlooker.site_changes(mapping)
            await hub.reconfigure(self.read(mapping), steps)

        self._run(life, act(), _nothing)

    def save_again(self, mapping: dict[str, Any], then: Callable[[], None]) -> None:
        """A site is saved as a person saves it."""
        living, life = self.living, self.life
        assert living is not None
        assert life is not None
        mapping = copy.deepcopy(mapping)

        async def act() -> None:
            await living.apply(mapping)
            self.site = mapping

        self._run(life, act(), then)

    def _run(self, life: Life, act: Coroutine[Any, Any, None], then: Callable[[], None]) -> None:
        errand = life.within(lambda: self.loop.create_task(act, name="errand"))
        self._errands.add(errand)

        def done(errand: asyncio.Task[Any]) -> None:
            self._errands.discard(errand)
            error = errand.exception()
            if error is None:
                then()
            elif not isinstance(error, StoreError):
                raise error

        errand.add_done_callback(done, context=contextvars.Context())

    # --- the sensor --------------------------------------------------------------------------------------------------

    async def _sense(self) -> None:
        while True:
            if self.is_sensing:
                shown = self.beer.now().shown_c
                self.post(shown if self.pretend is None else self.pretend(shown))
            await asyncio.sleep(self.sensor_every_s)

    def post(self, value: Any) -> None:
        """The sensor sends a value now; a hub that does not run misses it."""
        hub, life = self.hub, self.life
        if hub is None or life is None or not hub.is_running:
            return
        with contextlib.suppress(NotListening):  # the hub has not begun to listen, or slept a moment ago
            found = life.within(lambda: deliver(hub, slot_of(hub, SENSOR), value))
            if found.why is None or found.why.code != "not_listening":
                self.onlooker.sent(value)

    # --- what the hub shows ------------------------------------------------------------------------------------------

    def reading(self, target: str) -> Reading:
        """What the hub shows now."""
        hub, life = self.hub, self.life
        assert hub is not None
        assert life is not None
        return life.within(lambda: hub.reading(target))

    def readings(self, ident: str) -> list[Reading]:
        """All that the hub shows of one device or controller now."""
        hub, life = self.hub, self.life
        assert hub is not None
        assert life is not None
        return life.within(lambda: list(hub.readings(ident)))

    def value(self, target: str) -> object:
        """The value that the hub shows now."""
        return self.reading(target).value


def _nothing() -> None:
    """Nobody waits."""
