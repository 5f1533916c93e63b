"""Writes down what must outlive the hub, behind everybody's back: no device ever waits for a disk.

What the hub hands over is kept in order and written in batches by one task. State (orders, switch times, alarms,
receipts) is never dropped: a newer entry takes the place of an older one that still waits, so memory is bounded by what
there is. Events are dropped beyond a bound while the store is in trouble, and counted.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.hub.ports import EventEntry, StoreError, Trouble, place

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from datetime import datetime

    from holdfast.clock import Clock
    from holdfast.hub.ports import Entry, Store

GATHER_S = 0.05
"""Entries that arrive within this time share a transaction; a person who waits for the answer does not notice it."""
BATCH = 500
"""Entries a transaction: some hundred kilobytes, milliseconds on any disk."""
SLOW_S = 1.5
"""A write that takes longer is told as trouble; with the stream's own delay this stays within two seconds."""
RETRY_FIRST_S = 0.5
RETRY_CAP_S = 5.0
"""Pauses between tries while the store is in trouble: recovery without a restart, and no busy disk."""
EVENTS_WAITING = 20_000
"""Events that may wait for a store in trouble: an hour of a lively house."""
STOP_S = 2.0
"""How long stopping waits for what is not written yet."""
PRUNE_EVERY_S = 3600.0
"""Old rows go once an hour, so that no table grows without end and no single sweep takes long."""

log = logging.getLogger("holdfast.store")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreState:
    """How the store does. ``waiting``: entries that are not written; ``dropped``: events lost since the start."""

    trouble: Trouble | None = None
    text: str = ""
    advice: str = ""
    since: datetime | None = None
    waiting: int = 0
    dropped: int = 0

    @property
    def is_well(self) -> bool:
        """Whether what is handed over gets written."""
        return self.trouble is None


class Storekeeper:
    """One store's writer, from `start` to `stop`."""

    def __init__(self, store: Store, clock: Clock, tell: Callable[[StoreState], None]) -> None:
        self.store = store
        self._clock = clock
        self._tell = tell
        # By place: since which hand-over it has not been safe, and what is to be written. In that order.
        self._waiting: dict[Hashable, tuple[int, Entry]] = {}
        self._under_way: dict[Hashable, tuple[int, Entry]] = {}
        self._handed = 0
        self._events_waiting = 0
        self._dropped = 0
        self._is_open = False
        self._trouble: StoreError | None = None
        self._since: datetime | None = None
        self._is_stopping = False
        self._wake = asyncio.Event()
        self._progress: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None
        self._pruner: asyncio.Task[None] | None = None

    # --- what the hub does ------------------------------------------------------------------------------------------

    def keep(self, entry: Entry) -> None:
        """Hand over an entry; returns at once."""
        if isinstance(entry, EventEntry):
            if self._events_waiting >= EVENTS_WAITING:
                self._dropped += 1
                return
            self._events_waiting += 1
        self._handed += 1
        where = place(entry)
        since, _ = self._waiting.get(where, (self._handed, entry))
        self._waiting[where] = (since, entry)
        self._wake.set()

    @property
    def state(self) -> StoreState:
        """How it does now."""
        trouble = self._trouble
        return StoreState(
            trouble=None if trouble is None else trouble.trouble,
            text="" if trouble is None else trouble.text,
            advice="" if trouble is None else trouble.advice,
            since=self._since,
            waiting=len(self._waiting) + len(self._under_way),
            dropped=self._dropped,
        )

    async def written(self, limit_s: float) -> bool:
        """Wait until all that was handed over is safe, at most ``limit_s`` seconds; does not wait while in trouble."""
        loop = asyncio.get_running_loop()
        wanted, deadline_t = self._handed, loop.time() + limit_s
        while self._oldest() <= wanted:
            left_s = deadline_t - loop.time()
            if left_s <= 0.0 or self._trouble is not None or self._task is None:
                return False
            progress: asyncio.Future[None] = loop.create_future()
            self._progress.append(progress)
            await asyncio.wait({progress}, timeout=left_s)
        return True

    def _oldest(self) -> int:
        """The hand-over since which something has not been safe."""
        for waiting in (self._under_way, self._waiting):
            for since, _ in waiting.values():
                return since
        return self._handed + 1

    async def open(self) -> bool:
        """Open the store; false, and told, if it cannot be: then it is tried again before each write."""
        try:
            await self.store.open()
        except StoreError as error:
            self._in_trouble(error)
            return False
        self._is_open = True
        return True

    def start(self) -> None:
        """Begin to write."""
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._run(), name="storekeeper")
        self._pruner = loop.create_task(self._prune(), name="store retention")

    async def stop(self) -> None:
        """Write what waits, for `STOP_S` at most, and end."""
        if self._task is None or self._pruner is None:
            return
        self._is_stopping = True
        self._wake.set()
        self._pruner.cancel()
        await asyncio.wait({self._task, self._pruner}, timeout=STOP_S)
        if not self._task.done():
            log.warning("%d entries could not be written before the end", self.state.waiting)
            self._task.cancel()
            await asyncio.wait({self._task})
        self._task = self._pruner = None

    # --- the writer --------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        pause_s = RETRY_FIRST_S
        while self._waiting or not self._is_stopping:
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
                if not self._is_stopping:
                    await asyncio.sleep(GATHER_S)
                continue
            if await self._write():
                pause_s = RETRY_FIRST_S
                continue
            await asyncio.sleep(pause_s)
            pause_s = min(RETRY_CAP_S, pause_s * 2)

    async def _write(self) -> bool:
        """One batch; whether it is safe. A slow store is told of while it works, and never asked twice at once."""
        if not self._is_open and not await self.open():
            return False
        self._under_way = {where: self._waiting.pop(where) for where in list(self._waiting)[:BATCH]}
        batch = [entry for _, entry in self._under_way.values()]
        writing = asyncio.ensure_future(self.store.write(batch))
        try:
            done, _ = await asyncio.wait({writing}, timeout=SLOW_S)
            if not done:
                self._in_trouble(StoreError(Trouble.SLOW, f"writing takes longer than {SLOW_S:g} s"))
                await asyncio.wait({writing})
        except asyncio.CancelledError:
            writing.cancel()
            raise
        error = writing.exception()
        if error is not None:
            self._put_back()
            self._in_trouble(_as_trouble(error))
            return False
        self._events_waiting -= sum(isinstance(entry, EventEntry) for entry in batch)
        self._under_way = {}
        self._well()
        self._let_look()
        return True

    def _let_look(self) -> None:
        """Whoever waits for something to be safe may look again."""
        for progress in self._progress:
            if not progress.done():
                progress.set_result(None)
        self._progress.clear()

    def _put_back(self) -> None:
        """What could not be written waits again, before what came later, which replaces it where it is newer."""
        waiting, self._waiting = self._waiting, self._under_way
        self._under_way = {}
        for where, (since, entry) in waiting.items():
            self._waiting[where] = (self._waiting.get(where, (since, entry))[0], entry)

    def _in_trouble(self, error: StoreError) -> None:
        before = self._trouble
        self._trouble = error
        self._let_look()
        if before is None or before.trouble is not error.trouble:
            self._since = self._clock.now()
            log.warning("the store is in trouble (%s): %s", error.trouble, error.text)
            self._tell(self.state)

    def _well(self) -> None:
        if self._trouble is not None:
            self._trouble = None
            self._since = self._clock.now()
            log.warning("the store is well again")
            self._tell(self.state)

    async def _prune(self) -> None:
        while True:
            await asyncio.sleep(PRUNE_EVERY_S)
            try:
                await self.store.prune(self._clock.now())
            except StoreError as error:
                log.warning("old rows could not be removed: %s", error.text)


def _as_trouble(error: BaseException) -> StoreError:
    if isinstance(error, StoreError):
        return error
    log.error("the store failed", exc_info=error)
    return StoreError(Trouble.FAILED, f"{type(error).__name__}: {error}")
