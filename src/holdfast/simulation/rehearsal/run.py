"""Running a rehearsal from one seed: faults, residents, a restless household of commands, and the observer."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from holdfast.app import FAMILIES
from holdfast.clock import LoopClock
from holdfast.hub.hub import Hub
from holdfast.hub.site.read import read_site
from holdfast.hub.site.secret import SecretSource
from holdfast.link.core import Core
from holdfast.model import Authority, Issuer
from holdfast.simulation.rehearsal.observer import LOOK_S, Observer
from holdfast.simulation.rehearsal.truth import Truth
from holdfast.simulation.rehearsal.verdict import Verdict
from holdfast.simulation.run import run_virtual
from holdfast.simulators.ipcom import ControllerConfig, IpcomController, random_timetable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.simulation.loop import VirtualLoop

HOST = "house"
PORT = 5000
COMMAND_EVERY_S = 15.0
"""A command in so many seconds on average: more in an hour than most houses see in a day."""
BURST = 0.2
"""Share of commands that come together with a second one to the same or a neighbour's output."""
TIMEOUTS_S = (None, None, 1.0, 3.0, 10.0)
HOUR_S = 3600.0
LAST_WAIT_S = 40.0
"""After the last command, longer than any timeout: then every receipt has ended, or it never will."""
ISSUERS = (
    Issuer("resident", Authority.PERSON),
    Issuer("resident", Authority.PERSON),
    Issuer("schedule", Authority.AUTOMATION),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What is played: a house as a site mapping for ``HOST:PORT``, the same house to simulate, and how rough a day."""

    site: Mapping[str, Any]
    house: ControllerConfig
    seed: int = 0
    hours: float = 1.0
    profile: str = "rough"


def rehearse(rehearsal: Rehearsal) -> Verdict:
    """Play it in virtual time; the same seed gives the same verdict and event log, byte for byte."""
    verdict = Verdict(seed=rehearsal.seed, hours=rehearsal.hours, profile=rehearsal.profile)

    async def main(loop: VirtualLoop) -> list[str]:
        await _play(rehearsal, loop, verdict)
        return loop.leftovers()

    leftovers = run_virtual(main, seed=rehearsal.seed, allow_leftovers=True)
    verdict.left_behind = len(leftovers)
    for left in leftovers:
        verdict.broke(f"left behind: {left}")
    return verdict


async def _play(rehearsal: Rehearsal, loop: VirtualLoop, verdict: Verdict) -> None:
    rng = random.Random(f"{rehearsal.seed}/household")
    timetable = random_timetable(
        random.Random(f"{rehearsal.seed}/faults"), rehearsal.hours, rehearsal.profile
    )
    verdict.faults = len(timetable.entries)
    house = replace(rehearsal.house, timetable=timetable)
    controller = IpcomController(house, rng=loop.random, host=HOST, port=PORT)
    spec = read_site(rehearsal.site, FAMILIES, secrets=SecretSource(allow_plain_secrets=True))
    clock = LoopClock(loop)
    hub = Hub(clock, core=Core(clock, rng=loop.random), name=spec.name)
    for device in spec.devices:
        hub.add(device)
    (device_mapping,) = rehearsal.site["devices"]
    truth = Truth(controller.house, device_mapping["id"], device_mapping["outputs"], loop.time)
    observer = Observer(hub, controller, truth, verdict)
    hub.stream.tap(observer.hear)
    async with controller:
        hub.start()
        try:
            household = asyncio.create_task(_household(hub, truth, rng, rehearsal.hours * HOUR_S, verdict))
            end_t = loop.time() + rehearsal.hours * HOUR_S + LAST_WAIT_S
            look_t = loop.time()
            while look_t < end_t:
                look_t += LOOK_S
                await asyncio.sleep(look_t - loop.time())
                observer.look()
            await household
        finally:
            await hub.stop()
        observer.conclude()
        truth.close()


async def _household(hub: Hub, truth: Truth, rng: random.Random, seconds: float, verdict: Verdict) -> None:
    """People and schedules that want things, at random."""
    end_t = hub.core.now() + seconds
    while True:
        pause_s = rng.expovariate(1 / COMMAND_EVERY_S)
        if hub.core.now() + pause_s > end_t:
            return
        await asyncio.sleep(pause_s)
        for _ in range(2 if rng.random() < BURST else 1):
            target = rng.choice(truth.targets)
            value = _wanted(truth.kind(target), rng)
            hub.command(target, value, rng.choice(ISSUERS), rng.choice(TIMEOUTS_S))
            verdict.commands += 1


def _wanted(kind: str, rng: random.Random) -> bool | int | str:
    if kind == "cover":
        return rng.choice(("open", "close", "stop"))
    if kind == "dimmer":
        return rng.choice((0, 100, rng.randint(1, 99), True, False))
    return rng.random() < 0.5
