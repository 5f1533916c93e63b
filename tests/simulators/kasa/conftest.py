from __future__ import annotations

import random
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.simulators.kasa import LEGACY, Firmware, KasaPlug, Plug

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Serve = Callable[..., Awaitable[KasaPlug]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start a plug with this firmware; keywords are those of `KasaPlug`."""
    async with AsyncExitStack() as stack:

        async def start(firmware: Firmware = LEGACY, plug: Plug | None = None, **settings: Any) -> KasaPlug:
            station = KasaPlug(plug or Plug(), firmware, rng=random.Random(1), **settings)
            return await stack.enter_async_context(station)

        yield start
