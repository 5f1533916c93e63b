"""A hundred links on one hub while its store is well, full, read-only, stalled: ``python -m bench store``.

Runs in the measured process (`bench.subject`); the responder, which sees late polls from outside, in another.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import random
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import wire
from bench.child import Peer
from bench.house import TARGET, House, open_house
from bench.machine import core_seconds, cores_for_two, pin
from bench.sick_store import Full, ReadOnly, Sickness, Stalled
from holdfast.app import FAMILIES
from holdfast.clock import SystemClock
from holdfast.hub.events import Kind
from holdfast.hub.hub import Hub
from holdfast.hub.site.read import read_site
from holdfast.hub.site.secret import SecretSource
from holdfast.link.report import Spread
from holdfast.store.sql import SqlStore
from holdfast.store.sqlite import SqliteDatabase

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.hub.events import Record

CONDITIONS = ("none", "well", "full", "read-only", "stalled")
"""``none`` is a hub without a store: what the others are compared with."""
FAULTS: dict[str, type[Full | ReadOnly | Stalled]] = {"full": Full, "read-only": ReadOnly, "stalled": Stalled}
STALL_S = 5.0
"""How long each stall lasts; between two the store has a second."""
PAUSE_S = 1.0
READY_S = 60.0
NOTE_EVERY_S = 0.1
"""Ten entries a second for the store: more than a lively house has."""
BIG = "x" * 20_000
"""An entry that does not fit into the pages that are there."""


KEY = TARGET.partition("/")[2]
_ORDERS_A_STALL = 10
"""They take some three seconds: less than the lock's patience, so that one stall is one stall."""


class Waits:
    """From a fault to the stream's word that the store is in trouble."""

    def __init__(self, hub: Hub) -> None:
        self.seconds: list[float] = []
        self._began_s: float | None = None
        hub.stream.tap(self._heard)

    def begin(self) -> None:
        """The fault begins now; only its first word counts."""
        self._began_s = time.monotonic()

    def _heard(self, record: Record) -> None:
        is_word = record.kind is Kind.AVAILABILITY and record.payload["device"] == "hub"
        if is_word and record.payload["availability"] == "degraded" and self._began_s is not None:
            self.seconds.append(time.monotonic() - self._began_s)
            self._began_s = None


async def store(options: dict[str, Any]) -> dict[str, Any]:
    """One condition: the figures of the responder, of the hub's own grid, and of the telling."""
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="holdfast-bench-"))
    try:
        return await _measured(folder, options)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder)


async def _measured(folder: Path, options: dict[str, Any]) -> dict[str, Any]:
    ours, theirs = cores_for_two()
    core = [] if theirs is None else ["--core", str(theirs)]
    count, condition = options["links"], options["condition"]
    with Peer("bench.responder", "--links", str(count), *core) as peer:
        pin(ours)
        database = await asyncio.to_thread(SqliteDatabase, folder / "holdfast.sqlite")
        kept = None if condition == "none" else SqlStore(database)
        if kept is not None:
            await kept.open()
        hub = Hub(SystemClock(asyncio.get_running_loop()), name="bench", store=kept)
        site = {
            "devices": [wire.device(f"house-{n}", *where) for n, where in enumerate(peer.hello["endpoints"])]
        }
        for device in read_site(site, FAMILIES, secrets=SecretSource(allow_plain_secrets=True)).devices:
            hub.add(device)
        kind = FAULTS.get(condition)
        waits = Waits(hub)
        hub.start()
        await _until(lambda: all(link.report.answers > 0 for link in hub.links.values()))
        gc.collect()
        gc.freeze()
        await asyncio.sleep(options["warm_up_s"])
        peer.ask("begin")
        lateness = Spread()
        for link in hub.links.values():
            link.report.lateness = lateness  # of all links together
        waited_s, began_s = core_seconds()[1], time.monotonic()
        noting = asyncio.create_task(_note(hub))
        sickening = asyncio.create_task(_sicken(hub, None if kind is None else kind(database), waits))
        await asyncio.sleep(options["seconds"])
        took_s, seen = time.monotonic() - began_s, peer.ask("counts")
        result = {
            "seen": seen,
            "lateness": lateness.as_dict(),
            "told_s": waits.seconds,
            "waited_s": core_seconds()[1] - waited_s,
            "took_s": took_s,
        }
        noting.cancel()
        sickening.cancel()
        await asyncio.gather(noting, sickening, return_exceptions=True)
        await hub.stop()
        if kept is not None:
            await kept.close()
        return result


async def _note(hub: Hub) -> None:
    """What a lively house gives the store to write."""
    for number in itertools.count():
        hub.note("bench", f"entry {number}")
        await asyncio.sleep(NOTE_EVERY_S)


async def _sicken(hub: Hub, fault: Sickness | None, waits: Waits) -> None:
    """The store is sick, well, sick again."""
    keeper = hub.keeper
    while fault is not None and keeper is not None:
        await asyncio.sleep(PAUSE_S)
        await asyncio.to_thread(fault.begin)
        waits.begin()
        hub.note("bench", BIG)
        await asyncio.sleep(STALL_S)
        await asyncio.to_thread(fault.end)
        await _until(lambda: keeper.state.is_well)


async def orders(options: dict[str, Any]) -> dict[str, Any]:
    """Standing orders to a controller that answers at once: seconds until verified, store well and store stalled."""
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="holdfast-bench-"))
    database = await asyncio.to_thread(SqliteDatabase, folder / "holdfast.sqlite")
    kept = SqlStore(database)
    await kept.open()
    try:
        async with open_house(kept) as house:
            stall = Stalled(database)
            well = [await _order(house, n) for n in range(options["orders"])]
            stalled: list[float] = []
            while len(stalled) < options["orders"]:
                await asyncio.to_thread(stall.begin)
                stalled += [await _order(house, n) for n in range(_ORDERS_A_STALL)]
                await asyncio.to_thread(stall.end)
                await asyncio.sleep(PAUSE_S)
            return {"well_s": well, "stalled_s": stalled}
    finally:
        await kept.close()
        await asyncio.to_thread(shutil.rmtree, folder)


async def _order(house: House, number: int) -> float:
    """At any phase of the grid; the order is released once it is verified."""
    await asyncio.sleep(random.uniform(0.0, wire.POLL_S))
    orders = house.hub.device("house").desk.orders
    began_t = time.monotonic()
    house.hub.order(TARGET, number % 2 == 0, "bench")
    took_s = await house.until(lambda: orders[KEY].order.is_verified) - began_t
    house.hub.release(TARGET)
    return took_s


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(READY_S):
        while not holds():  # noqa: ASYNC110  it rings no bell
            await asyncio.sleep(0.01)
