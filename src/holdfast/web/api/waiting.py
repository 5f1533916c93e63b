"""Answers that wait for the store, so that a crash does not take back what they said."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.hub.hub import Hub


async def written(hub: Hub, closing: asyncio.Event) -> None:
    """Wait until what was told so far is safe, or cannot be, or the server closes."""
    if hub.keeper is None:
        return
    written = asyncio.create_task(hub.written(), name="wait for the store")
    closed = asyncio.create_task(closing.wait(), name="server closes")
    try:
        await asyncio.wait({written, closed}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (written, closed):
            task.cancel()
        await asyncio.wait({written, closed})
