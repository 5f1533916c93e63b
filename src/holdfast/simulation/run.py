"""Running a program in virtual time, from a seed to a clean end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast.simulation.loop import VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_T = TypeVar("_T")


class LeftBehind(AssertionError):
    """The program ended and left something running or open; ``leftovers`` says what, one line each."""

    def __init__(self, leftovers: list[str]) -> None:
        super().__init__("left behind: " + "; ".join(leftovers))
        self.leftovers = leftovers


def run_virtual(
    main: Callable[[VirtualLoop], Coroutine[Any, Any, _T]] | Coroutine[Any, Any, _T],
    *,
    seed: int = 0,
    settle_s: float = 0.0,
    allow_leftovers: bool = False,
) -> _T:
    """Run ``main`` in a virtual loop of its own and return its result.

    After ``main`` the loop runs for ``settle_s`` virtual seconds more (0: not at all), for what may honestly
    take a moment to end. What is then left of the program raises ``LeftBehind``, unless ``allow_leftovers``.
    However it ends, tasks are cancelled, asynchronous generators closed, and the loop with them.
    """
    loop = VirtualLoop(seed)
    try:
        result = loop.run_until_complete(main(loop) if callable(main) else main)
        if settle_s > 0.0:
            loop.run_until_complete(asyncio.sleep(settle_s))
        leftovers = loop.leftovers()
    finally:
        wind_up(loop)
    if leftovers and not allow_leftovers:
        raise LeftBehind(leftovers)
    return result


def wind_up(loop: VirtualLoop) -> None:
    """Cancel what runs in order of creation, close asynchronous generators, and close the loop."""
    try:
        tasks = loop.pending_tasks()
        for task in tasks:
            task.cancel()
        if tasks:
            ends = loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            for task, end in zip(tasks, ends, strict=True):
                if isinstance(end, Exception):
                    message = "unhandled exception while the program was wound up"
                    loop.call_exception_handler({"message": message, "exception": end, "task": task})
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
