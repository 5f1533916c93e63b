"""One device, one hub, a real socket between them: commands, faults, and a long quiet time.

These run in the measured process (`bench.subject`); the simulated controller runs in another.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import random
import time
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from bench import wire
from bench.child import Peer
from bench.machine import core_seconds, cores_for_two, pin, resident_bytes
from holdfast.app import FAMILIES
from holdfast.clock import SystemClock
from holdfast.hub.hub import Hub
from holdfast.hub.site.read import read_site
from holdfast.hub.site.secret import SecretSource
from holdfast.link.machine import State
from holdfast.model import Issuer, Quality, Receipt

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from holdfast.hub.ports import Store
    from holdfast.link.link import Link

LOOK_S = 0.001
"""How often an outcome is looked for: the error of what is timed so."""
LIMIT_S = 60.0
"""Nothing takes longer than this unless it is broken."""
SETTLE_POLLS = 11
"""Good polls after which a session has proved healthy and the next outage begins with a fresh backoff."""
ISSUER = Issuer("bench")
TARGET = f"house/{wire.light(1, 1)}"
LIGHTS = tuple(
    f"house/{wire.light(module, output)}" for output in wire.LIGHT_OUTPUTS for module in wire.LIGHT_MODULES
)


class House:
    """The hub of one device, and the hand on the device's faults."""

    def __init__(self, hub: Hub, peer: Peer) -> None:
        self.hub = hub
        self.peer = peer
        self.wanted: dict[str, bool] = {}

    @property
    def link(self) -> Link:
        """The one link."""
        (link,) = self.hub.links.values()
        return link

    @property
    def is_live(self) -> bool:
        """Whether data came in the present session."""
        return self.link.state is State.LIVE

    async def until(self, holds: Callable[[], bool], look_s: float = LOOK_S) -> float:
        """Wait until something holds; the moment at which it did."""
        limit_t = time.monotonic() + LIMIT_S
        while not holds():
            if time.monotonic() > limit_t:
                raise TimeoutError("this should not take so long")
            await asyncio.sleep(look_s)
        return time.monotonic()

    async def settled(self) -> None:
        """Wait until the session has proved healthy, and then for a random phase of the grid."""
        await self.until(lambda: self.is_live)
        proven = self.link.report.answers + SETTLE_POLLS
        await self.until(lambda: self.link.report.answers >= proven, 0.01)
        await asyncio.sleep(random.uniform(0.0, wire.POLL_S))

    def toggle(self, target: str, timeout_s: float | None = None) -> Receipt:
        """Want the opposite of what was wanted last."""
        value = self.wanted[target] = not self.wanted.get(target, False)
        return self.hub.command(target, value, ISSUER, timeout_s)

    async def timed(self, target: str) -> tuple[float, str]:
        """One command: seconds until its receipt has ended, and how."""
        began_t = time.monotonic()
        receipt = await self.hub.ended(self.toggle(target))
        return time.monotonic() - began_t, receipt.state.value


@asynccontextmanager
async def open_house(store: Store | None = None) -> AsyncIterator[House]:
    """Start the controller's process and a hub for it, with a store if one is given; wait for the first data."""
    ours, theirs = cores_for_two()
    core = [] if theirs is None else ["--core", str(theirs)]
    with Peer("bench.device", *core) as peer:
        pin(ours)
        site = {"devices": [wire.house(peer.hello["host"], peer.hello["port"])]}
        spec = read_site(site, FAMILIES, secrets=SecretSource(allow_plain_secrets=True))
        hub = Hub(SystemClock(asyncio.get_running_loop()), name="bench", store=store)
        for device in spec.devices:
            hub.add(device)
        hub.start()
        house = House(hub, peer)
        try:
            await house.until(lambda: house.is_live)
            gc.collect()
            gc.freeze()
            yield house
        finally:
            await hub.stop()


class Updates:
    """Watches snapshots come in, from `begin` to `end`."""

    def __init__(self, link: Link, look_s: float = 0.005) -> None:
        self._link = link
        self._look_s = look_s
        self._times: list[float] = []
        self._skipped = link.report.skipped
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        seen = self._link.report.answers
        while True:
            await asyncio.sleep(self._look_s)
            if self._link.report.answers != seen:
                self._times.extend([time.monotonic()] * (self._link.report.answers - seen))
                seen = self._link.report.answers

    async def end(self) -> dict[str, float]:
        """Updates a second, the longest time without one, and grid points that were skipped."""
        self._task.cancel()
        await asyncio.wait({self._task})
        times = self._times
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        return {
            "per_s": (len(times) - 1) / (times[-1] - times[0]) if len(times) > 2 else 0.0,
            "longest_gap_s": max(gaps, default=0.0),
            "skipped": self._link.report.skipped - self._skipped,
        }


async def commands(options: dict[str, Any]) -> dict[str, Any]:
    """Commands one by one at any phase of the grid, then in bursts."""
    async with open_house() as house:
        waited_s = core_seconds()[1]
        idle = Updates(house.link)
        await asyncio.sleep(options["idle_s"])
        while_idle = await idle.end()
        busy = Updates(house.link)
        loop = asyncio.get_running_loop()
        running = []
        began_t = loop.time()
        for number in range(options["commands"]):
            # The grids of 250 and 350 ms meet in steps of 50 ms: so much jitter makes every phase equally likely.
            due_t = began_t + number * options["every_s"] + random.uniform(0.0, 0.05)
            await asyncio.sleep(max(0.0, due_t - loop.time()))
            running.append(loop.create_task(house.timed(LIGHTS[number % len(LIGHTS)])))
        ends = await asyncio.gather(*running)
        while_busy = await busy.end()
        bursts = []
        for _ in range(options["bursts"]):
            await asyncio.sleep(random.uniform(1.0, 1.0 + wire.POLL_S))
            burst = await asyncio.gather(*(house.timed(target) for target in LIGHTS))
            bursts.append(
                {"last_s": max(took for took, _ in burst), "ends": Counter(end for _, end in burst)}
            )
        return {
            "idle": while_idle,
            "busy": while_busy,
            "latencies_s": [took for took, _ in ends],
            "ends": Counter(end for _, end in ends),
            "bursts": bursts,
            "waited_s": core_seconds()[1] - waited_s,
        }


async def faults(options: dict[str, Any]) -> dict[str, Any]:
    """The device goes silent, drops the connection, refuses for a while; commands meet an outage."""
    async with open_house() as house:
        waited_s = core_seconds()[1]
        result: dict[str, Any] = {
            "stale_s": [await _silence(house) for _ in range(options["stalls"])],
            "fin_s": [await _drop(house, "drop") for _ in range(options["drops"])],
            "rst_s": [await _drop(house, "reset") for _ in range(options["resets"])],
            "return_s": [await _refusal(house, options["refusal_s"]) for _ in range(options["refusals"])],
            "default": await _commands_in_outage(house, options["outage_s"], None),
            "short": await _commands_in_outage(house, options["outage_s"], 1.0),
        }
        return {**result, "waited_s": core_seconds()[1] - waited_s}


async def _silence(house: House) -> float:
    await house.settled()
    began_t: float = house.peer.ask("begin", fault="stall")["t"]
    stale_t = await house.until(lambda: house.hub.reading(TARGET).quality is Quality.STALE)
    house.peer.ask("end", fault="stall")
    return stale_t - began_t


async def _drop(house: House, how: str) -> float:
    await house.settled()
    life = house.link.life
    began_t: float = house.peer.ask(how)["t"]
    fresh_t = await house.until(lambda: house.link.life > life and house.is_live)
    assert house.hub.reading(TARGET).quality is Quality.GOOD
    return fresh_t - began_t


async def _refusal(house: House, lasts_s: float) -> float:
    await house.settled()
    house.peer.ask("begin", fault="refuse")
    await asyncio.sleep(lasts_s)
    ended_t: float = house.peer.ask("end", fault="refuse")["t"]
    return await house.until(lambda: house.is_live) - ended_t


async def _commands_in_outage(house: House, lasts_s: float, timeout_s: float | None) -> dict[str, int]:
    """Ten commands in the first half of an outage; how they ended. A lost one would show as a time-out here."""
    await house.settled()
    house.peer.ask("begin", fault="refuse")
    began_t = time.monotonic()
    await house.until(lambda: not house.is_live)
    receipts = []
    for target in LIGHTS[:10]:
        receipts.append(house.toggle(target, timeout_s))
        await asyncio.sleep(lasts_s / 20)
    await asyncio.sleep(began_t + lasts_s - time.monotonic())
    house.peer.ask("end", fault="refuse")
    async with asyncio.timeout(LIMIT_S):
        ended = await asyncio.gather(*(house.hub.ended(receipt) for receipt in receipts))
    for receipt in ended:
        if receipt.state.value != "verified":
            house.wanted[receipt.target] = not receipt.value
    return dict(Counter(receipt.state.value for receipt in ended))


async def steady(options: dict[str, Any]) -> dict[str, Any]:
    """Nothing happens for a long time."""
    async with open_house() as house:
        await asyncio.sleep(options["warm_up_s"])
        ran_s, waited_s = core_seconds()
        losses = house.link.report.outage_count
        before_bytes = resident_bytes()
        updates = Updates(house.link, 0.02)
        not_good = looks = 0
        end_t = time.monotonic() + options["seconds"]
        while time.monotonic() < end_t:
            await asyncio.sleep(0.05)
            looks += 1
            not_good += house.hub.reading(TARGET).quality is not Quality.GOOD
        after_bytes = resident_bytes()
        ran_after_s, waited_after_s = core_seconds()
        return {
            **await updates.end(),
            "losses": house.link.report.outage_count - losses,
            "before_bytes": before_bytes,
            "after_bytes": after_bytes,
            "not_good_share": not_good / looks,
            "ran_s": ran_after_s - ran_s,
            "waited_s": waited_after_s - waited_s,
        }
