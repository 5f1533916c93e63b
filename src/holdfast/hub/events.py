"""The event stream of a hub: one writer, one order, and two ways to listen.

*Latest* listeners want the present: what has not been read yet is replaced by what is newer (pages, MQTT). *Journal*
listeners want every record in order; when one is too slow, its queue ends in an explicit gap instead of growing.
Neither can slow the writer: publishing is a few list operations, whoever listens.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Hashable
    from datetime import datetime
    from types import TracebackType

RING_LENGTH = 4096
"""Events kept for those who come back: some minutes of a lively house."""
JOURNAL_LENGTH = 1024
"""Records that may wait for a slow journal listener before it gets a gap record."""


class Kind(StrEnum):
    """The kinds of records on the stream."""

    READING = "reading"
    AVAILABILITY = "availability"
    COMMAND = "command"
    ALARM = "alarm"
    EVENT = "event"
    GAP = "gap"
    """Records are missing here: ask for a snapshot."""


JOURNALED = frozenset({Kind.AVAILABILITY, Kind.COMMAND, Kind.ALARM, Kind.EVENT})


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that happened. ``key`` is what newer records of the same kind replace for latest listeners."""

    id: str
    seq: int
    kind: Kind
    key: Hashable
    at: datetime
    payload: Any


class Subscription:
    """Records waiting for one listener. An async iterator and an async context manager."""

    def __init__(self, stream: EventStream, wants: Callable[[Record], bool] | None) -> None:
        self._stream = stream
        self._wants = wants
        self._waiter: asyncio.Future[None] | None = None
        self._is_closed = False

    def offer(self, record: Record) -> None:
        """Called by the stream for each record; never blocks."""
        if self._is_closed or (self._wants is not None and not self._wants(record)):
            return
        self._keep(record)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _keep(self, record: Record) -> None:
        raise NotImplementedError

    def take(self) -> Record | None:
        """The next record, or ``None`` if nothing waits."""
        raise NotImplementedError

    def close(self) -> None:
        """Listen no more; whoever waits is let go."""
        self._is_closed = True
        self._stream.leave(self)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __aiter__(self) -> AsyncIterator[Record]:
        return self

    async def __anext__(self) -> Record:
        while True:
            record = self.take()
            if record is not None:
                return record
            if self._is_closed:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None


class Latest(Subscription):
    """Keeps one record a key; its memory is bounded by the number of keys."""

    def __init__(self, stream: EventStream, wants: Callable[[Record], bool] | None) -> None:
        super().__init__(stream, wants)
        self._waiting: dict[tuple[Kind, Hashable], Record] = {}

    def _keep(self, record: Record) -> None:
        place = (record.kind, record.key)
        self._waiting.pop(place, None)  # the newer one takes the later place, so order is kept
        self._waiting[place] = record

    def take(self) -> Record | None:
        """The oldest of the latest."""
        for place in self._waiting:
            return self._waiting.pop(place)
        return None


class Journal(Subscription):
    """Keeps every record in order, up to a bound; then a gap record stands for what is lost."""

    def __init__(
        self, stream: EventStream, wants: Callable[[Record], bool] | None, length: int = JOURNAL_LENGTH
    ) -> None:
        super().__init__(stream, wants)
        self._length = length
        self._waiting: deque[Record] = deque()

    def _keep(self, record: Record) -> None:
        if len(self._waiting) < self._length:
            self._waiting.append(record)
            return
        last = self._waiting[-1]
        lost = last.payload["lost"] + 1 if last.kind is Kind.GAP else 2
        self._waiting[-1] = Record(record.id, record.seq, Kind.GAP, "gap", record.at, {"lost": lost})

    def take(self) -> Record | None:
        """The oldest record."""
        return self._waiting.popleft() if self._waiting else None


class EventStream:
    """The writer's end. Ids are ``epoch:seq``."""

    def __init__(self, epoch: str, now: Callable[[], datetime], ring: int = RING_LENGTH) -> None:
        self.epoch = epoch
        self._now = now
        self._seq = 0
        self._ring: deque[Record] = deque(maxlen=ring)
        self._subscriptions: list[Subscription] = []
        self._taps: list[Callable[[Record], None]] = []

    @property
    def seq(self) -> int:
        """Number of the newest record, 0 before the first."""
        return self._seq

    def publish(self, kind: Kind, key: Hashable, payload: Any) -> Record:
        """Write one record and hand it to every listener's queue."""
        self._seq += 1
        record = Record(f"{self.epoch}:{self._seq}", self._seq, kind, key, self._now(), payload)
        self._ring.append(record)
        for tap in self._taps:
            tap(record)
        for subscription in self._subscriptions:
            subscription.offer(record)
        return record

    def tap(self, hear: Callable[[Record], None]) -> None:
        """Be handed every record synchronously (a recorder, an observer); it must return at once."""
        self._taps.append(hear)

    def latest(self, wants: Callable[[Record], bool] | None = None) -> Latest:
        """Listen for the present."""
        subscription = Latest(self, wants)
        self._subscriptions.append(subscription)
        return subscription

    def journal(self, wants: Callable[[Record], bool] | None = None, length: int = JOURNAL_LENGTH) -> Journal:
        """Listen for every record in order."""
        subscription = Journal(self, wants, length)
        self._subscriptions.append(subscription)
        return subscription

    def leave(self, subscription: Subscription) -> None:
        """Listen no more."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    def since(self, last_id: str) -> list[Record] | None:
        """Records after ``last_id``, or ``None`` when they are not all in the ring (or of another run)."""
        epoch, _, number = last_id.rpartition(":")
        if epoch != self.epoch or not number.isdigit():
            return None
        seq = int(number)
        if seq > self._seq:
            return None
        oldest = self._ring[0].seq if self._ring else self._seq + 1
        if seq + 1 < oldest:
            return None
        return [record for record in self._ring if record.seq > seq]

    def recent(self, kinds: frozenset[Kind] = JOURNALED) -> list[Record]:
        """What the ring still has of these kinds, oldest first."""
        return [record for record in self._ring if record.kind in kinds]
