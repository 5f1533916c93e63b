"""An eye on the loop: who makes tasks, timers and sleeps, and what is still there at the end."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from holdfast.testing.side import SIDE, Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from holdfast.simulation import VirtualLoop
    from holdfast.testing.conduct import Conduct

SLEEP = asyncio.sleep.__code__
WAIT_FOR = asyncio.wait_for.__code__
"""Up to Python 3.11 it makes a task, which is not the caller's doing."""
RUN = asyncio.Handle._run.__code__  # noqa: SLF001
"""Where the loop ends and what it calls begins."""
WORLD = "holdfast.simulation."


class LoopWatch:
    """Watches one virtual loop from its making to its end."""

    def __init__(self, loop: VirtualLoop, conduct: Conduct) -> None:
        self._loop = loop
        self._conduct = conduct
        self._tasks: list[tuple[Side, asyncio.Task[Any]]] = []
        self._timers: list[tuple[Side, str, asyncio.TimerHandle]] = []
        self.escaped: list[str] = []
        self._create_task: Callable[..., Any] = loop.create_task
        self._call_at: Callable[..., Any] = loop.call_at
        loop.create_task = self._made_task  # type: ignore[method-assign]
        loop.call_at = self._made_timer  # type: ignore[method-assign,assignment]
        loop.set_exception_handler(self._failed)

    def leftovers(self) -> list[str]:
        """Tasks, timers and sockets that the driver or the core still holds, one line each."""
        now = self._loop.time()
        current = asyncio.current_task()
        left = [
            f"the {side.value}'s task {task.get_name()}"
            for side, task in self._tasks
            if side is not Side.BENCH and not task.done() and task is not current
        ]
        left += [
            f"the {side.value}'s timer {name}, due in {timer.when() - now:.3f} s"
            for side, name, timer in self._timers
            if side is not Side.BENCH and not timer.cancelled() and timer.when() > now
        ]
        return left + self._loop.network.leftovers()

    @contextmanager
    def no_blocking(self) -> Iterator[None]:
        """Inside, a driver's `time.sleep` is noted instead of slept."""
        sleep = time.sleep

        def noted(seconds: Any) -> None:
            if self._is_drivers():
                self._conduct.sleeps.append(f"time.sleep({seconds})")
            else:
                sleep(seconds)

        time.sleep = noted
        try:
            yield
        finally:
            time.sleep = sleep

    def _made_task(self, coro: Any, **options: Any) -> Any:
        if self._is_drivers() and not _is_below(WAIT_FOR):
            self._conduct.tasks.append(f"a task of {getattr(coro, '__qualname__', coro)}")
        task = self._create_task(coro, **options)
        self._tasks.append((SIDE.get(), task))
        return task

    def _made_timer(self, when: float, callback: Callable[..., object], *args: Any, **options: Any) -> Any:
        if _is_below(SLEEP) and self._is_drivers() and not _sleeper().startswith(WORLD):
            self._conduct.sleeps.append(f"asyncio.sleep({when - self._loop.time():g}) in {_sleeper()}")
        timer = self._call_at(when, callback, *args, **options)
        if not _is_below(SLEEP):  # a sleep ends with the task that sleeps
            name = getattr(callback, "__qualname__", repr(callback))
            self._timers.append((SIDE.get(), name, timer))
        return timer

    def _is_drivers(self) -> bool:
        if SIDE.get() is Side.DRIVER:
            return True
        sessions = {id(session.inner) for session in self._conduct.sessions}
        return any(_is_method_of(frame, sessions) for frame in _frames())

    def _failed(self, loop: object, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.escaped.append(f"{context['message']}: {type(error).__name__}: {error}")


def _frames() -> Iterator[FrameType]:
    """Who calls, up to the loop."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - the documented way to see who calls
    while frame is not None and frame.f_code is not RUN:
        yield frame
        frame = frame.f_back


def _is_method_of(frame: FrameType, objects: set[int]) -> bool:
    return frame.f_code.co_varnames[:1] == ("self",) and id(frame.f_locals.get("self")) in objects


def _is_below(code: object) -> bool:
    return any(frame.f_code is code for frame in _frames())


def _sleeper() -> str:
    """The module that sleeps."""
    is_found = False
    for frame in _frames():
        if is_found:
            return str(frame.f_globals.get("__name__", "?"))
        is_found = frame.f_code is SLEEP
    return "?"
