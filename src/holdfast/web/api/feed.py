"""The one listener of the API on the hub's event stream, and its distribution to the clients.

However many clients there are and however slowly they read, the hub writes to one queue, which is emptied at once.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from holdfast.errors import UnknownTarget
from holdfast.web.api.backlog import Backlog, GroupKey
from holdfast.web.api.encoding import Pace
from holdfast.web.api.shapes import FreshShape

if TYPE_CHECKING:
    from holdfast.hub.events import Journal
    from holdfast.hub.hub import Hub

FRESH_S = 1.0
"""Unchanged values are told to be fresh at most once in so many seconds (half of the shortest deadline we show)."""
JOURNAL_LENGTH = 65536
"""Records that may wait for one turn of the loop: all devices of the largest site going away at once."""


class Feed:
    """Carries records from the hub to every client's backlog, from `start` to `stop`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._backlogs: set[Backlog] = set()
        self._journal: Journal | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._told: dict[GroupKey, float] = {}
        self.seq = hub.stream.seq
        """Number of the last record that was carried."""

    def __len__(self) -> int:
        return len(self._backlogs)

    def start(self) -> None:
        """Begin to listen."""
        self.seq = self._hub.stream.seq
        self._journal = self._hub.stream.journal(length=JOURNAL_LENGTH)
        self._tasks = [
            asyncio.create_task(self._carry(self._journal), name="api feed"),
            asyncio.create_task(self._watch(), name="api freshness"),
        ]

    async def stop(self) -> None:
        """Listen no more, and let all clients go."""
        for backlog in self._backlogs:
            backlog.close()
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def join(self) -> Backlog:
        """A backlog for one more client: everything after ``seq`` will be offered to it."""
        backlog = Backlog(self.seq)
        self._backlogs.add(backlog)
        return backlog

    def leave(self, backlog: Backlog) -> None:
        """The client is gone."""
        self._backlogs.discard(backlog)

    def fresh(self, key: GroupKey) -> FreshShape | None:
        """How fresh a group is now; ``None`` when it is no longer current or no longer there."""
        try:
            device = self._hub.device(key.device)
        except UnknownTarget:
            return None
        for capability in device.capabilities.values():
            if (capability.member, capability.group) == (key.member, key.group):
                reading = device.reading(capability)
                if not reading.quality.is_current or reading.age_s is None:
                    return None
                as_of = self._hub.clock.now() - timedelta(seconds=reading.age_s)
                return FreshShape(*key, reading.adapter, as_of, reading.age_s, reading.deadline_s)
        return None

    async def _carry(self, journal: Journal) -> None:
        pace = Pace()
        async for record in journal:
            self.seq = record.seq
            for backlog in self._backlogs:
                backlog.offer(record)
            if pace.is_due():
                await pace.rest()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(FRESH_S)
            if self._backlogs:
                await self._look()
            else:
                self._told.clear()

    async def _look(self) -> None:
        """Offer every group whose evidence is newer than when it was last told."""
        pace = Pace()
        for device in list(self._hub.devices.values()):
            for member, group in device.groups():
                key = GroupKey(device.id, member, group)
                shown = device.evidence_of(member, group)
                seen_t = shown.seen_t()
                if shown.n >= 0 and self._told.get(key) != seen_t:
                    self._told[key] = seen_t
                    for backlog in self._backlogs:
                        backlog.offer_fresh(key)
                if pace.is_due():
                    await pace.rest()
