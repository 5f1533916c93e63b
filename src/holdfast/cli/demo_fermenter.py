"""The demo's fermenter: a simulated vessel, two simulated plugs on real ports, and a sensor that fails at times."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final, Self

from holdfast.drivers.kasa.library import load_library
from holdfast.errors import ConfigurationError
from holdfast.hub.deliveries import NotListening, deliver, slot_of
from holdfast.simulators.fermenter import BELTED, Ambient, Fermenter, LivingFermenter, Yeast
from holdfast.simulators.kasa import RelayChange, Unplugged, demo_plugs

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.hub.hub import Hub

CONTROLLER: Final = "fermenter"
SENSOR: Final = "beer"
HEATER: Final = "heater"
FRIDGE: Final = "fridge"
SPEED: Final = 240.0
"""How much faster than the clock the beer lives: four hours a minute, so that a watcher sees it warm and cool."""
BEGINS_C: Final = 18.6
ROOM: Final = Ambient(mean_c=14.0)
SENSOR_EVERY_S: Final = 0.5
SILENT_FROM_S: Final = 30.0
SILENT_FOR_S: Final = 12.0
UNPLUGGED_FROM_S: Final = 25.0
UNPLUGGED_FOR_S: Final = 45.0
"""What befalls the fermenter, over and over: first its sensor is silent, then the heater's plug is pulled."""
_RESTS: Final = {
    "heater_min_off_s": 2,
    "heater_min_on_s": 2,
    "cooler_min_off_s": 5,
    "cooler_min_on_s": 3,
    "dead_time_s": 10,
}
"""As many times shorter than usual as the beer lives faster, or a little longer."""
FRESH_S: Final = 5.0
"""A reading of the fast beer is old as soon; outside a demo this would be far too little, and says so."""


class DemoFermenter:
    """The vessel and its plugs, from start to end of an ``async with`` block."""

    def __init__(self, seed: int = 1) -> None:
        self.heater, self.fridge = demo_plugs(seed=seed)
        self._vessel: LivingFermenter | None = None
        self._is_sensing = True
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        begun_t = loop.time()
        beer = Fermenter.begin(BELTED, beer_c=BEGINS_C, ambient=ROOM, yeast=Yeast())
        vessel = LivingFermenter(beer, lambda: (loop.time() - begun_t) * SPEED)
        async with AsyncExitStack() as opening:
            for plug, act in ((self.heater, vessel.heat), (self.fridge, vessel.cool)):
                await opening.enter_async_context(plug)
                opening.callback(plug.plug.watch(_live(act)))
            self._open = opening.pop_all()
        self._vessel = vessel
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._open.aclose()

    @property
    def now(self) -> Fermenter:
        """The beer as it is now."""
        assert self._vessel is not None  # noqa: S101 - only within the block
        return self._vessel.now

    def devices(self) -> list[dict[str, Any]]:
        """The plugs and the sensor as a site file would have them."""
        plugs = [
            {
                "id": ident,
                "name": ident.capitalize(),
                "adapters": [{"id": "lan", "driver": "kasa", "url": f"kasa://{plug.host}:{plug.port}"}],
                "options": {"kind": "legacy"},
            }
            for ident, plug in ((HEATER, self.heater), (FRIDGE, self.fridge))
        ]
        temperature = {"unit": "°C", "deadline_s": 30, "minimum": -10, "maximum": 60}
        gravity = {"deadline_s": 30, "minimum": 0.98, "maximum": 1.2}
        sensor = {
            "id": SENSOR,
            "name": "Beer",
            "adapters": [{"id": "in", "driver": "push"}],
            "capabilities": {"temperature": temperature, "gravity": gravity},
        }
        return [*plugs, sensor]

    def controller(self) -> dict[str, Any]:
        """The thermostat as a site file would have it."""
        return {
            "id": CONTROLLER,
            "name": "Fermenter",
            "kind": "thermostat",
            "sensor": f"{SENSOR}/temperature",
            "gravity": f"{SENSOR}/gravity",
            "heater": f"{HEATER}/switch",
            "cooler": f"{FRIDGE}/switch",
            "low": 18.0,
            "high": 19.0,
            "cooling": {"low": 18.5, "high": 19.5},
            "fresh_s": FRESH_S,
            **_RESTS,
        }

    async def sense(self, hub: Hub) -> None:
        """Post what the sensor shows, as any sensor would that can send HTTP, until cancelled."""
        while True:
            if self._is_sensing:
                beer = self.now
                with contextlib.suppress(NotListening):
                    deliver(hub, slot_of(hub, f"{SENSOR}/temperature"), round(beer.shown_c, 2))
                    deliver(hub, slot_of(hub, f"{SENSOR}/gravity"), round(beer.gravity, 4))
            await asyncio.sleep(SENSOR_EVERY_S)

    async def suffer(self, tell: Callable[[str], None]) -> None:
        """Silence and a pulled plug in turns, each told when it begins and ends, until cancelled."""
        while True:
            await asyncio.sleep(SILENT_FROM_S)
            self._is_sensing = False
            tell("the demo takes the battery out of the sensor")
            await asyncio.sleep(SILENT_FOR_S)
            self._is_sensing = True
            tell("the sensor has its battery back")
            await asyncio.sleep(UNPLUGGED_FROM_S)
            away = Unplugged()
            self.heater.begin(away)
            tell("the demo pulls the heater's plug out of the wall")
            await asyncio.sleep(UNPLUGGED_FOR_S)
            self.heater.end(away)
            tell("the heater's plug is in the wall again")


def _live(act: Callable[[bool], None]) -> Callable[[RelayChange], None]:
    """Let the vessel feel each move of a relay."""
    return lambda change: act(change.is_on)


def can_have_plugs() -> bool:
    """Whether the library for plugs is installed. Slow at first."""
    try:
        load_library()
    except ConfigurationError:
        return False
    return True
