from __future__ import annotations

import random
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.simulators.ipcom import Behaviour, ControllerConfig, IpcomController

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Serve = Callable[..., Awaitable[IpcomController]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start a controller; keywords are fields of its configuration or of its behaviour."""
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> IpcomController:
            fixed = {
                name: settings.pop(name) for name in ControllerConfig.__dataclass_fields__ if name in settings
            }
            config = ControllerConfig(behaviour=Behaviour(**settings), **fixed)
            return await stack.enter_async_context(IpcomController(config, rng=random.Random(1)))

        yield start
