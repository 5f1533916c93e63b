"""The people in the house, who press wall switches as they please."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.simulators.ipcom.chance import Span, draw_s
from holdfast.simulators.ipcom.house import House, ModuleKind, Pair, Spot

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

LEVELS = (0, 20, 50, 100)
"""What residents set a dimmer to, per cent of full."""


@dataclass(frozen=True, kw_only=True)
class Life:
    """Which switches are pressed and how often: one press every ``mean_pause_s`` seconds on average."""

    lights: tuple[Spot, ...] = ()
    shutters: tuple[Pair, ...] = ()
    mean_pause_s: float = 20.0
    shutter_run_s: Span = (4.0, 12.0)
    """How long a resident lets a shutter run before stopping it, in seconds."""


class Residents:
    """Lives one `Life` in a house, between `start` and `stop`.

    Residents are sensible: they press a moving shutter to a stop before anything else. But they cannot see a
    command on its way, so both relays may come on, as in real houses.
    """

    def __init__(self, life: Life, house: House, rng: random.Random) -> None:
        self._life = life
        self._house = house
        self._rng = rng
        self._timers: dict[Pair | None, asyncio.TimerHandle] = {}

    def start(self) -> None:
        """Begin with a pause."""
        if self._life.lights or self._life.shutters:
            self._later(None, self._rng.expovariate(1 / self._life.mean_pause_s), self._press_something)

    def stop(self) -> None:
        """Nobody presses anything any more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _press_something(self) -> None:
        switches: tuple[Spot | Pair, ...] = (*self._life.lights, *self._life.shutters)
        choice = self._rng.choice(switches)
        if isinstance(choice, Pair):
            self._use_shutter(choice)
        else:
            self._use_light(choice)
        self.start()

    def _use_light(self, spot: Spot) -> None:
        module = self._house.modules[spot.module]
        if module.kind is ModuleKind.DIMMER:
            self._house.press(*spot, module.full * self._rng.choice(LEVELS) // 100)
        else:
            self._house.press(*spot)

    def _use_shutter(self, pair: Pair) -> None:
        if self._halt(pair):
            return
        self._house.press(*self._rng.choice((pair.down, pair.up)))
        self._later(pair, draw_s(self._rng, self._life.shutter_run_s), lambda: self._halt(pair))

    def _halt(self, pair: Pair) -> bool:
        """Stop a moving shutter; whether there was anything to stop."""
        running = [spot for spot in (pair.down, pair.up) if self._house.value(*spot)]
        for spot in running:
            self._house.press(*spot, 0)
        return bool(running)

    def _later(self, who: Pair | None, delay_s: float, action: Callable[[], object]) -> None:
        earlier = self._timers.pop(who, None)
        if earlier is not None:
            earlier.cancel()
        self._timers[who] = asyncio.get_running_loop().call_later(delay_s, action)
