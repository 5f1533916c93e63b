"""One timer wheel for all links of a core: polls, reply deadlines, silence and freshness.

A loop timer per poll would be two tracked objects a poll and a heap of thousands. Entries live as long as what they
watch, lie in slots of one tick and are never cancelled: whoever is woken looks at the stamps and arms itself anew.
"""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

TICK_S = 0.01
"""Width of a slot. Everything measured in tenths of a second can bear 10 ms; 350 ms polls spread over 35 slots."""


class Entry:
    """Something to be woken: ``fire(now)`` runs at or after the armed time, at most one tick late."""

    __slots__ = ("fire", "tick")

    def __init__(self, fire: Callable[[float], None]) -> None:
        self.fire = fire
        self.tick = 0  # the slot it counts in; lying in others is harmless

    def disarm(self) -> None:
        """Make every slot it lies in forget it."""
        self.tick = 0

    @property
    def is_armed(self) -> bool:
        """Whether it will be woken."""
        return self.tick != 0


class TimerWheel:
    """Slots of `TICK_S`, kept only where something lies in them; the loop has one timer, for the next of them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._slots: dict[int, list[Entry]] = {}
        self._order: list[int] = []
        self._timer: asyncio.TimerHandle | None = None
        self._timer_tick = 0
        self._done_tick = 0
        self._is_turning = False

    def arm(self, entry: Entry, when: float) -> None:
        """Wake ``entry`` at loop time ``when`` (rounded up to a tick), or earlier if it is already armed so."""
        tick = math.ceil(when / TICK_S)
        if tick <= self._done_tick:  # a fire that re-arms must land later, or an instant never ends
            tick = self._done_tick + 1
        if entry.tick and entry.tick <= tick:
            return
        entry.tick = tick
        slot = self._slots.get(tick)
        if slot is None:
            self._slots[tick] = [entry]
            heapq.heappush(self._order, tick)
            if not self._is_turning and (self._timer is None or tick < self._timer_tick):
                self._set_timer(tick)
        else:
            slot.append(entry)

    def close(self) -> None:
        """Forget everything; the loop keeps no timer of this wheel."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._slots.clear()
        self._order.clear()

    def _report(self, error: Exception) -> None:
        context = {"message": "an entry of the timer wheel failed", "exception": error}
        self._loop.call_exception_handler(context)

    def _set_timer(self, tick: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_tick = tick
        self._timer = self._loop.call_at(tick * TICK_S, self._turn)

    def _turn(self) -> None:
        self._timer = None
        now = self._loop.time()
        # The loop may wake a hair early (its clock has a resolution): this slot's turn has come all the same.
        due = max(math.floor(now / TICK_S), self._timer_tick)
        order, slots = self._order, self._slots
        self._is_turning = True
        try:
            while order and order[0] <= due:
                tick = heapq.heappop(order)
                self._done_tick = tick
                for entry in slots.pop(tick):
                    if entry.tick == tick:
                        entry.tick = 0
                        try:
                            entry.fire(now)
                        except Exception as error:  # noqa: BLE001 - the others in the slot are other links'
                            self._report(error)
        finally:
            self._is_turning = False
            if order:
                self._set_timer(order[0])
