"""Waiting for what has to come, and for several stories at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

LOOK_S = 0.02
"""Between two looks: little against the seconds that are measured."""


async def side_by_side(stories: Iterable[Coroutine[object, object, None]]) -> None:
    """All at the same time: a trouble of one is none of the others'. The first failure is told."""
    async with asyncio.TaskGroup() as group:
        for story in stories:
            group.create_task(story)


async def until(condition: Callable[[], object], within_s: float, what: str) -> float:
    """Wait until it holds, in seconds; fails if it does not in time."""
    loop = asyncio.get_running_loop()
    began_t = loop.time()
    while not condition():
        if loop.time() - began_t > within_s:
            raise AssertionError(f"not within {within_s:g} s: {what}")
        await asyncio.sleep(LOOK_S)
    return loop.time() - began_t
