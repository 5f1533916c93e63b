"""A conveyor belt: items wait, none overtakes another."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Belt(Generic[T]):
    """Delivers each item no sooner than its own delay and never before the item put on before it.

    With no delay and nothing waiting an item is delivered inside `put`.
    """

    def __init__(self, deliver: Callable[[T], None]) -> None:
        self._deliver = deliver
        self._waiting: deque[tuple[float, T]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    def put(self, item: T, delay_s: float = 0.0) -> None:
        """Deliver ``item`` in ``delay_s`` seconds, or later if one before it takes longer."""
        if delay_s <= 0.0 and not self._waiting:
            self._deliver(item)
            return
        due = asyncio.get_running_loop().time() + max(delay_s, 0.0)
        self._waiting.append((due, item))
        self._arm()

    def clear(self) -> None:
        """Forget everything that waits."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        if self._waiting and self._timer is None:
            due = self._waiting[0][0]
            self._timer = asyncio.get_running_loop().call_at(due, self._release, due)

    def _release(self, due: float) -> None:
        # Judged by the timer's own moment: a real loop may fire a hair early and would then re-arm endlessly.
        self._timer = None
        while self._waiting and self._waiting[0][0] <= due:
            self._deliver(self._waiting.popleft()[1])
        self._arm()
