"""What a controller's store entry holds, and whether an ON may be sent on the strength of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from holdfast.control import Memory, from_record, to_record
from holdfast.hub.ports import MemoryEntry

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from holdfast.control import Instant
    from holdfast.hub.hub import Hub

MEMORY: Final = "memory"
ENTERED: Final = "entered"
ASSIGNED: Final = "assigned"
"""Under these keys the store keeps what a controller remembers, what was set while it ran, and since when a sensor has
been its own."""
KEEP_PLACE_EVERY_S: Final = 60.0
"""How often the mere passing of time in a profile is written: a crash makes a step longer by so much at most."""

log = logging.getLogger("holdfast.control")


class Record:
    """One controller's part of the store. What changes is handed over at once; nothing here is waited for."""

    def __init__(self, hub: Hub, controller_id: str) -> None:
        self._hub = hub
        self._id = controller_id
        self._kept: tuple[dict[str, Any], float] | None = None
        self._safe: dict[str, Any] | None = None
        self._storing: asyncio.Task[None] | None = None

    def keep(self, key: str, value: Any) -> None:
        """Hand over one value."""
        self._hub.keep(MemoryEntry(self._id, key, value, self._hub.clock.now()))

    def keep_memory(self, memory: Memory, now: Instant, *, is_moving: bool) -> None:
        """Hand over what is remembered, if it is news; ``is_moving``: time that passes is news, too, now and then."""
        essence = _essence(memory)
        if self._kept is not None:
            kept, at_s = self._kept
            if kept == essence and not (is_moving and now.steady_s - at_s >= KEEP_PLACE_EVERY_S):
                return
        self._kept = (essence, now.steady_s)
        self.keep(MEMORY, to_record(memory, now))

    def keep_last(self, memory: Memory, now: Instant) -> None:
        """Hand over the memory with the moment until which its plugs were watched."""
        self._kept = None
        self.keep_memory(memory, now, is_moving=False)

    def is_safe(self, memory: Memory) -> bool:
        """Whether a killed hub would find what the next ON must respect."""
        return self._hub.keeper is None or self._safe == _essence(memory)

    def make_safe(self, memory: Memory, then: Callable[[], None]) -> None:
        """Call ``then`` once this is in the store, or cannot be: the beer is worth more than its record."""
        if self._storing is None:
            self._storing = self._hub.core.loop.create_task(
                self._store(_essence(memory), then), name=f"store {self._id}"
            )

    async def _store(self, essence: dict[str, Any], then: Callable[[], None]) -> None:
        await self._hub.written()
        self._safe = essence
        self._storing = None
        then()

    def forget(self) -> None:
        """The controller is of the site no more: whoever gets its id later begins anew."""
        for key in (MEMORY, ENTERED, ASSIGNED):
            self.keep(key, None)

    def close(self) -> None:
        """Nobody waits any more."""
        if self._storing is not None:
            self._storing.cancel()
        self._storing = None


def stored(record: object) -> Memory | None:
    """What an earlier run remembered; ``None`` where there is nothing, or nothing that can be read."""
    if not isinstance(record, dict):
        return None
    try:
        return from_record(record)
    except ValueError:
        log.warning("what a controller remembered cannot be read; it begins as if it had never run")
        return None


def _essence(memory: Memory) -> dict[str, Any]:
    """A record of it without what merely goes on with time."""
    record = to_record(memory)
    record.pop("started")
    record.pop("kept_at")
    for plug in record["plugs"].values():
        plug.pop("unread_since")
    position = dict(record["position"])
    for passing in ("at", "spent_s", "low_at"):
        position.pop(passing)
    return {**record, "position": position}
