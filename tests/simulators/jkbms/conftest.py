from __future__ import annotations

import random
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.simulators.jkbms import Bus, Gateway, stack_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from holdfast.simulators.jkbms import Battery, Timing

    Serve = Callable[..., Awaitable[Gateway]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start a bus and a gateway to it; `batteries` are batteries or how many."""
    async with AsyncExitStack() as stack:

        async def start(
            batteries: int | tuple[Battery, ...] = 2,
            *,
            seed: int = 1,
            timing: Timing | None = None,
            **settings: Any,
        ) -> Gateway:
            rng = random.Random(seed)
            if isinstance(batteries, int):
                batteries = stack_of(batteries, seed=seed)
            bus = await stack.enter_async_context(Bus(batteries, rng=rng, timing=timing))
            return await stack.enter_async_context(Gateway(bus, rng=rng, **settings))

        yield start
