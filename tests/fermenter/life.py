"""A hub's life in virtual time that can end as a process does: from one instant to the next, without a goodbye."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.simulation import VirtualLoop

T = TypeVar("T")
_LIFE: contextvars.ContextVar[object] = contextvars.ContextVar("life", default=None)


class Life:
    """Whatever is begun in `within` belongs to it: tasks, timers, and what these begin."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._context = contextvars.copy_context()
        self._context.run(_LIFE.set, self)
        self._tasks: set[asyncio.Task[Any]] = set()
        self.is_over = False
        watch(loop)

    def within(self, act: Callable[[], T]) -> T:
        """Call ``act`` as a part of this life."""
        return act() if _LIFE.get() is self else self._context.run(act)

    def own(self, task: asyncio.Task[Any]) -> None:
        """A task of this life began."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard, context=contextvars.Context())

    @property
    def tasks(self) -> list[str]:
        """The tasks that have not ended, by name."""
        return sorted(task.get_name() for task in self._tasks if not task.done())

    def end(self) -> None:
        """Nothing of it runs any more: its timers never fire, its tasks never go on.

        The tasks are not cancelled, for that would be a goodbye: they stay where they are until the loop is closed.
        """
        self.is_over = True
        for handle in [*self._loop._scheduled, *self._loop._ready]:
            if handle._context.get(_LIFE) is self:  # type: ignore[attr-defined]  # not in the type stubs
                handle.cancel()

    def bury(self) -> None:
        """Let go of what `end` left where it was. Whatever that still wants to do comes to nothing."""
        while self._tasks:
            task = self._tasks.pop()
            number = next((number for number, each in self._loop._tasks.items() if each is task), None)
            if number is not None:
                del self._loop._tasks[number]  # nobody waits for it
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # not in the type stubs
            with contextlib.suppress(RuntimeError):  # it awaits something in its last breath
                self._context.copy().run(task.get_coro().close)
        self.end()


def present_life() -> Life | None:
    """The life to which the code that asks belongs."""
    life = _LIFE.get()
    return life if isinstance(life, Life) else None


def watch(loop: VirtualLoop) -> None:
    """Let each task be known to the life that begins it."""

    def begin(loop: asyncio.AbstractEventLoop, coro: Any, context: Any = None, **more: Any) -> Any:
        task = asyncio.Task(coro, loop=loop, context=context, **more)
        life = _LIFE.get() if context is None else context.get(_LIFE)
        if isinstance(life, Life):
            life.own(task)
        return task

    if loop.get_task_factory() is None:
        loop.set_task_factory(begin)
