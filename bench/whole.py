"""The whole job: a hub with real drivers, deadlines, evidence, availability, and three listeners on its stream."""

from __future__ import annotations

import asyncio
import gc

from bench import wire
from holdfast.app import FAMILIES
from holdfast.clock import SystemClock
from holdfast.hub.events import Kind, Subscription
from holdfast.hub.hub import Hub
from holdfast.hub.site.read import read_site
from holdfast.hub.site.secret import SecretSource
from holdfast.link.report import Spread


class Whole:
    """A hub as a subject of the link benchmark. Nothing in it is switched off."""

    def __init__(self, endpoints: list[tuple[str, int]]) -> None:
        self._endpoints = endpoints
        self._hub: Hub
        self._tasks: list[asyncio.Task[None]] = []
        self.records = [0, 0, 0]
        self._before: dict[str, int] = {}

    async def start(self) -> None:
        """Read the site, start the hub, listen."""
        loop = asyncio.get_running_loop()
        site = {"devices": [wire.device(f"house-{n}", *where) for n, where in enumerate(self._endpoints)]}
        spec = read_site(site, FAMILIES, secrets=SecretSource(allow_plain_secrets=True))
        hub = self._hub = Hub(SystemClock(loop), name="bench")
        for device in spec.devices:
            hub.add(device)
        del site, spec
        gc.collect()
        gc.freeze()  # as `serve` does; without it a collection during the start takes longer than a silence deadline
        # A page and MQTT want the newest readings, history wants everything in order.
        listeners: list[Subscription] = [
            hub.stream.latest(lambda record: record.kind is Kind.READING),
            hub.stream.latest(),
            hub.stream.journal(),
        ]
        self._tasks = [loop.create_task(self._listen(n, each)) for n, each in enumerate(listeners)]
        hub.start()

    async def _listen(self, number: int, records: Subscription) -> None:
        async for _ in records:
            self.records[number] += 1

    def ready(self) -> int:
        """Links that have data."""
        return sum(link.report.answers > 0 and link.has_session for link in self._hub.links.values())

    def reset(self) -> None:
        """A measurement begins."""
        self.records = [0, 0, 0]
        for link in self._hub.links.values():
            link.report.lateness = Spread()
        self._before = self._sums()

    def _sums(self) -> dict[str, int]:
        reports = [link.report for link in self._hub.links.values()]
        return {
            "polls": sum(report.polls for report in reports),
            "answers": sum(report.answers for report in reports),
            "changes": sum(report.changes for report in reports),
            "skipped": sum(report.skipped for report in reports),
            "unanswered": sum(report.unanswered for report in reports),
            "losses": sum(report.outage_count for report in reports),
        }

    def counts(self) -> dict[str, float]:
        """What happened since the last `reset`."""
        spreads = [link.report.lateness for link in self._hub.links.values()]
        counts: dict[str, float] = {key: value - self._before[key] for key, value in self._sums().items()}
        counts["worst_s"] = max(spread.longest_s for spread in spreads)
        counts["records"] = sum(self.records)
        counts["readings_fresh"] = sum(reading.quality.is_current for reading in self._hub.readings())
        return counts

    async def stop(self) -> None:
        """Take leave of every device."""
        await self._hub.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
