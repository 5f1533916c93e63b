"""Running a day of a pack from one seed: two gateways on its bus, each with a timetable of faults of its own."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from holdfast.app import FAMILIES
from holdfast.clock import LoopClock
from holdfast.hub.hub import Hub
from holdfast.hub.site.read import read_site
from holdfast.hub.site.secret import SecretSource
from holdfast.link.core import Core
from holdfast.simulation.rehearsal.pack.observer import LOOK_S, Observer
from holdfast.simulation.rehearsal.pack.truth import Truth
from holdfast.simulation.rehearsal.pack.verdict import PackVerdict
from holdfast.simulation.run import run_virtual
from holdfast.simulators.jkbms import DEMO_BATTERIES, Bus, Gateway, Timing, demo_pack, random_timetable

if TYPE_CHECKING:
    from holdfast.simulation.loop import VirtualLoop

DEVICE = "pack"
PORT = 8899
PREFERRED, RESERVE = "gateway", "reserve"
"""The adapters, each named like the host of its gateway."""
HOUR_S = 3600.0
LAST_WAIT_S = 420.0
"""Calm at the end: the longest fault goes on for four minutes, then a wait, a probe and a hold of a minute each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackRehearsal:
    """What is played: how long and how rough a day, and how fast the master speaks."""

    seed: int = 0
    hours: float = 1.0
    profile: str = "rough"
    timing: Timing = field(default_factory=Timing)


def pack_site() -> dict[str, Any]:
    """The demo pack behind two gateways, as a site mapping."""
    adapters = [
        {"id": name, "driver": "jkbms", "url": f"tcp://{name}:{PORT}", "priority": priority}
        for priority, name in enumerate((PREFERRED, RESERVE), 1)
    ]
    options = {"batteries": {address: name for name, address in DEMO_BATTERIES.items()}}
    return {"devices": [{"id": DEVICE, "name": "Pack", "adapters": adapters, "options": options}]}


def rehearse_pack(rehearsal: PackRehearsal) -> PackVerdict:
    """Play it in virtual time; the same seed gives the same verdict and event log, byte for byte."""
    verdict = PackVerdict(seed=rehearsal.seed, hours=rehearsal.hours, profile=rehearsal.profile)

    async def main(loop: VirtualLoop) -> list[str]:
        await _play(rehearsal, loop, verdict)
        return loop.leftovers()

    leftovers = run_virtual(main, seed=rehearsal.seed, allow_leftovers=True)
    verdict.left_behind = len(leftovers)
    for left in leftovers:
        verdict.broke(f"left behind: {left}")
    return verdict


async def _play(rehearsal: PackRehearsal, loop: VirtualLoop, verdict: PackVerdict) -> None:
    rng = random.Random(f"{rehearsal.seed}/bus")
    bus = Bus(demo_pack(seed=rehearsal.seed), rng=rng, timing=rehearsal.timing)
    gateways = {}
    for name in (PREFERRED, RESERVE):
        chance = random.Random(f"{rehearsal.seed}/faults of {name}")
        timetable = random_timetable(chance, rehearsal.hours, rehearsal.profile)
        verdict.faults += len(timetable.entries)
        gateways[name] = Gateway(bus, rng=rng, host=name, port=PORT, timetable=timetable)
    spec = read_site(pack_site(), FAMILIES, secrets=SecretSource(allow_plain_secrets=True))
    clock = LoopClock(loop)
    hub = Hub(clock, core=Core(clock, rng=loop.random), name=spec.name)
    for device in spec.devices:
        hub.add(device)
    truth = Truth(bus, tuple(gateways.values()))
    observer = Observer(hub, DEVICE, bus, gateways, truth, verdict)
    hub.stream.tap(observer.hear)
    async with bus, gateways[PREFERRED], gateways[RESERVE]:
        hub.start()
        try:
            end_t = loop.time() + rehearsal.hours * HOUR_S + LAST_WAIT_S
            look_t = loop.time()
            while look_t < end_t:
                look_t += LOOK_S
                await asyncio.sleep(look_t - loop.time())
                observer.look()
            observer.conclude()
        finally:
            await hub.stop()
