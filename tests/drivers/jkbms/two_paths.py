"""A pack of batteries on one bus, two gateways to it, a hub, and somebody who writes down what is shown and decided.

All time is the loop's, so it runs on the real loop and sockets as well as in virtual time.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from holdfast.app import FAMILIES
from holdfast.clock import LoopClock
from holdfast.hub.events import Kind, Record
from holdfast.hub.hub import Hub
from holdfast.hub.site.read import read_site
from holdfast.hub.site.secret import SecretSource
from holdfast.link.core import Core
from holdfast.model import Availability
from holdfast.simulation.rehearsal.pack.observer import TRANSIT_S
from holdfast.simulation.rehearsal.pack.truth import Truth
from holdfast.simulators.jkbms import Bus, Gateway, stack_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from holdfast.link.device import LinkedDevice
    from holdfast.simulators.jkbms import Fault, Timing

DEVICE = "pack"
COLD, HOT = "cold", "hot"
LOOK_S = 1.0
KEY = "voltage"
"""One value tells of which frame it is, and a frame brings all or none of them."""


@dataclass(frozen=True, slots=True)
class Told:
    """One decision, at loop time ``t``."""

    t: float
    decision: str
    before: str
    after: str
    text: str
    lost: tuple[str, ...]


@dataclass(slots=True)
class Watch:
    """What was decided and shown since the start."""

    told: list[Told] = field(default_factory=list)
    shown: list[tuple[float, str]] = field(default_factory=list)
    """When the values of battery 0 had been observed that were published as current, and by which adapter."""
    stale: list[tuple[float, str]] = field(default_factory=list)
    """Moments at which something that had been seen was not current."""
    wrong: list[str] = field(default_factory=list)
    """What was shown as current, though nobody said so within the deadline."""

    def moves(self) -> list[Told]:
        return [each for each in self.told if each.decision == "moved"]

    def longest_gap_s(self) -> float:
        """Between two pieces of evidence that were shown."""
        times = sorted({t for t, _ in self.shown})
        return max(after - before for before, after in pairwise(times))


class Pack:
    """The rig. ``a`` is preferred, ``b`` its reserve."""

    def __init__(self, bus: Bus, a: Gateway, b: Gateway, hub: Hub) -> None:
        self.bus = bus
        self.a = a
        self.b = b
        self.hub = hub
        self.watch = Watch()
        self._truth = Truth(bus, (a, b))
        self._loop = asyncio.get_running_loop()
        hub.stream.tap(self._hear)

    @property
    def device(self) -> LinkedDevice:
        return self.hub.device(DEVICE)

    @property
    def serving(self) -> str:
        return self.device.active.adapter.id

    def is_online(self) -> bool:
        return self.device.availability is Availability.ONLINE

    def now(self) -> float:
        return self._loop.time()

    def last_frame_t(self, gateway: Gateway) -> float:
        """When the last whole frame that a client of the gateway got had been said."""
        frame_s = 308 * self.bus.timing.character_s
        return gateway.frames[-1].t + frame_s

    async def until(self, holds: Callable[[], bool], limit_s: float) -> float:
        """Look at all that is shown until something holds; the time at which it did."""
        end_t = self.now() + limit_s
        while not holds():
            assert self.now() < end_t, f"not within {limit_s:g} s: {self.watch.told[-5:]}"
            await asyncio.sleep(LOOK_S)
            self.look()
        return self.now()

    async def pass_s(self, seconds: float) -> None:
        """Let time pass, looking."""
        end_t = self.now() + seconds
        while self.now() < end_t:
            await asyncio.sleep(LOOK_S)
            self.look()

    async def befall(self, gateway: Gateway, fault: Fault, seconds: float) -> None:
        """Let a fault last so long; 0: only strike."""
        gateway.begin(fault)
        if seconds:
            await self.pass_s(seconds)
        gateway.end(fault)

    def look(self) -> None:
        """Compare what is shown with what was said."""
        now = self.now()
        for battery in self.bus.batteries:
            reading = self.hub.reading(f"{DEVICE}/{battery.address}/{KEY}")
            if not reading.quality.is_current:
                if reading.last_known is not None:
                    self.watch.stale.append((now, reading.target))
                continue
            since_t = now - (reading.deadline_s or 0.0) - TRANSIT_S
            if not self._truth.was_said(battery.address, KEY, reading.value, since_t):
                self.watch.wrong.append(f"{now:.2f}: {reading.target} = {reading.value!r}")

    def _hear(self, record: Record) -> None:
        now = self.now()
        if record.kind is Kind.EVENT and record.payload["kind"] == "failover":
            what = record.payload
            self.watch.told.append(
                Told(now, what["decision"], what["before"], what["after"], what["text"], tuple(what["lost"]))
            )
        elif record.kind is Kind.READING and record.key == f"{DEVICE}/0/remaining_capacity":
            reading = record.payload
            if reading.quality.is_current:
                self.watch.shown.append((now - (reading.age_s or 0.0), reading.adapter))


@asynccontextmanager
async def pack_of(
    batteries: int = 2,
    *,
    seed: int = 1,
    timing: Timing | None = None,
    standby: str = COLD,
    options: Mapping[str, Any] | None = None,
    of_b: Mapping[str, Any] | None = None,
    adapters: int = 2,
    host: str = "",
    start: bool = True,
) -> AsyncIterator[Pack]:
    """The rig, running; on the loopback ``host`` or, without one, on hosts of the virtual network.

    ``of_b`` are options of the reserve alone; with one of the ``adapters`` there is none.
    """
    loop = asyncio.get_running_loop()
    rng = random.Random(seed)
    bus = Bus(stack_of(batteries, seed=seed), rng=rng, timing=timing)
    places = [(host, 0), (host, 0)] if host else [("a", 8899), ("b", 8899)]
    a, b = (Gateway(bus, rng=rng, host=where, port=port) for where, port in places)
    async with bus, a, b:
        ways: list[dict[str, Any]] = [
            {"id": name, "driver": "jkbms", "url": f"tcp://{each.host}:{each.port}", "priority": priority}
            for priority, (name, each) in enumerate((("a", a), ("b", b)), 1)
        ]
        ways[1] |= {"standby": standby, **(of_b or {})}
        names = {address: f"battery {address}" for address in range(batteries)}
        device: dict[str, Any] = {"id": DEVICE, "name": "Pack", "adapters": ways[:adapters]}
        device["options"] = {"batteries": names, **(options or {})}
        spec = read_site({"devices": [device]}, FAMILIES, secrets=SecretSource(allow_plain_secrets=True))
        clock = LoopClock(loop)
        hub = Hub(clock, core=Core(clock, rng=random.Random(seed)), name="test")
        for each in spec.devices:
            hub.add(each)
        pack = Pack(bus, a, b, hub)
        if start:
            hub.start()
        try:
            yield pack
        finally:
            await hub.stop()
