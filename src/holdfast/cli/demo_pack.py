"""The demo's battery pack: two simulated batteries on a bus, and two ways to hear it; the better one fails at times."""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from holdfast.errors import ConfigurationError
from holdfast.simulators.jkbms import (
    DEMO_BATTERIES,
    Fault,
    Gateway,
    Refuse,
    SerialPort,
    Stall,
    Timing,
    demo_bus,
)
from holdfast.transports.serial import require_serial

if TYPE_CHECKING:
    from collections.abc import Callable

PACK = "pack-1"
GATEWAY = "gateway"
PACE = 4.0
"""How much faster than a real bus this one is: each battery is heard about once a second."""
DAY_SPEED = 6.0
"""How much faster than the clock the pack's day passes: the charge moves by a per cent or two a minute."""
OPTIONS: Final[dict[str, Any]] = {
    "batteries": {address: name for name, address in DEMO_BATTERIES.items()},
    "stale_after_s": 15.0,
    "minimum_stay_s": 5.0,
    "hold_s": 6.0,
    "probe_every_s": 5.0,
}
"""Livelier than the defaults, so that a watcher sees the move and the return within a minute."""


class Mishap(NamedTuple):
    """What the demo does to the gateway, with its words: after a calm time it begins, and lasts; seconds."""

    calm_s: float
    lasts_s: float
    fault: Fault
    begins: str
    ends: str


MISHAPS: Final = (
    Mishap(12.0, 12.0, Refuse(), "the demo pulls the gateway's plug", "the gateway has its plug back"),
    Mishap(30.0, 30.0, Stall(), "the demo mutes the gateway; its socket stays open", "the gateway speaks again"),
)  # fmt: skip
"""Played over and over: an end that is certain, and then a silence that only the missing data tell of."""


class DemoPack:
    """The pack, from start to end of an ``async with`` block.

    The second way is a serial port; without ``has_serial`` it is another gateway.
    """

    def __init__(self, seed: int | None = None, *, has_serial: bool = True) -> None:
        rng = random.Random(seed)
        self.bus = demo_bus(rng=rng, timing=Timing().at_pace(PACE), speed=DAY_SPEED)
        self.gateway = Gateway(self.bus, rng=rng)
        self.second: SerialPort | Gateway
        self.second = SerialPort(self.bus, rng=rng) if has_serial else Gateway(self.bus, rng=rng)
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            for each in (self.bus, self.gateway, self.second):
                await opening.enter_async_context(each)
            self._open = opening.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._open.aclose()

    def mapping(self) -> dict[str, Any]:
        """The pack as a site file would have it."""
        gateway = {"id": GATEWAY, "driver": "jkbms", "url": _address(self.gateway), "priority": 1}
        if isinstance(self.second, SerialPort):
            second = {"id": "serial", "driver": "jkbms", "url": f"serial://{self.second.path}", "priority": 2}
        else:
            second = {"id": "gateway-2", "driver": "jkbms", "url": _address(self.second), "priority": 2}
        return {"id": PACK, "name": "Pack", "adapters": [gateway, second], "options": OPTIONS}

    async def suffer(self, tell: Callable[[str], None]) -> None:
        """Play the mishaps, each told when it begins and when it ends, until cancelled."""
        while True:
            for each in MISHAPS:
                await asyncio.sleep(each.calm_s)
                self.gateway.begin(each.fault)
                tell(each.begins)
                try:
                    await asyncio.sleep(each.lasts_s)
                finally:
                    self.gateway.end(each.fault)
                tell(each.ends)


def can_have_serial() -> bool:
    """Whether this machine has pseudo-terminals and the library for serial ports. Slow at first."""
    try:
        require_serial()
    except ConfigurationError:
        return False
    return hasattr(os, "openpty")


def _address(gateway: Gateway) -> str:
    return f"tcp://{gateway.host}:{gateway.port}"
