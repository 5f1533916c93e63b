"""What happened before the records at hand: asked of the store, which nobody waits for when it is in trouble."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from holdfast.hub.ports import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from holdfast.hub.hub import Hub
    from holdfast.hub.ports import EventEntry, Store
    from holdfast.model import Receipt

ANSWER_S = 2.0
"""Seconds that a look into the store may take: a healthy one needs milliseconds."""
MOST = 2000
"""Rows of one look. They become values in the hub's own loop, some 10 us each: 20 ms, of the 50 that a poll may be
late."""

Row = TypeVar("Row")


async def older_receipts(hub: Hub, target: str | None, limit: int) -> list[Receipt]:
    """The newest receipts in the store, the oldest first; none if it cannot be asked."""
    return await _asked(hub, lambda store: store.receipts(target=target, limit=min(limit, MOST)))


async def older_events(hub: Hub, kind: str | None, device: str | None, limit: int) -> list[EventEntry]:
    """The newest events in the store, the oldest first; none if it cannot be asked."""
    return await _asked(hub, lambda store: store.events(kind=kind, device=device, limit=min(limit, MOST)))


async def _asked(hub: Hub, ask: Callable[[Store], Awaitable[list[Row]]]) -> list[Row]:
    if hub.keeper is None or not hub.keeper.state.is_well:
        return []
    try:
        async with asyncio.timeout(ANSWER_S):
            return await ask(hub.keeper.store)
    except (StoreError, TimeoutError):
        return []
