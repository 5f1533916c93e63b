"""What waits for one client of the stream: bounded, in order, and never in anybody's way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from holdfast.hub.events import RING_LENGTH, Kind, Record

if TYPE_CHECKING:
    from collections.abc import Hashable

MOST_WAITING = RING_LENGTH
"""Records other than readings that may wait: whoever comes back gets the whole ring."""


class GroupKey(NamedTuple):
    """What goes fresh together: a group of a member of a device."""

    device: str
    member: str
    group: str


class Backlog:
    """The records that one client has not been sent yet.

    A reading that was overtaken is replaced by the newer one, which takes the later place, so that the order is that
    of the stream. Everything else is kept, up to `MOST_WAITING`. Then all of it is dropped, and what stands in
    ``lost`` tells the client to begin anew.
    """

    def __init__(self, seq: int) -> None:
        """``seq``: number of the last record before the first that the feed will offer."""
        self.seq = seq
        self.lost = 0
        self.is_closed = False
        self._waiting: dict[Hashable, Record] = {}
        self._kept = 0
        self._fresh: dict[GroupKey, None] = {}
        self._bell = asyncio.Event()

    def offer(self, record: Record) -> None:
        """One more record. Called in the order of the stream."""
        self.seq = max(self.seq, record.seq)  # a client that comes back is offered old ones first
        if record.kind is Kind.GAP:
            self._overflow(record.payload["lost"])
        elif self.lost:
            self.lost += 1
        elif record.kind is Kind.READING:
            self._waiting.pop(record.key, None)
            self._waiting[record.key] = record
        elif self._kept < MOST_WAITING:
            self._kept += 1
            self._waiting[record.kind, record.seq] = record
        else:
            self._overflow(1)
        self._bell.set()

    def offer_fresh(self, key: GroupKey) -> None:
        """A group was seen again, unchanged. Told once, however long it waits."""
        if not self.lost:
            self._fresh[key] = None
            self._bell.set()

    def take(self) -> Record | GroupKey | None:
        """The oldest of what waits, records first; ``None`` if nothing does."""
        for place, record in self._waiting.items():
            del self._waiting[place]
            self._kept -= record.kind is not Kind.READING
            return record
        for key in self._fresh:
            del self._fresh[key]
            return key
        return None

    def begin_anew(self) -> int:
        """Take note that records were lost: how many. What is offered from now on counts again."""
        lost, self.lost = self.lost, 0
        return lost

    async def wait(self, timeout_s: float) -> bool:
        """Wait until something is there, or the backlog is closed; whether that came within the time."""
        if not self._bell.is_set():
            try:
                async with asyncio.timeout(timeout_s):
                    await self._bell.wait()
            except TimeoutError:
                return False
        self._bell.clear()
        return True

    def close(self) -> None:
        """Nothing more will be sent; whoever waits is let go."""
        self.is_closed = True
        self._bell.set()

    def _overflow(self, lost: int) -> None:
        self.lost += lost + len(self._waiting)
        self._waiting.clear()
        self._fresh.clear()
        self._kept = 0
