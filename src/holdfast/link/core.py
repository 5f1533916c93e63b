"""What all links of one loop share: time, order, randomness, the wheel, and the dial budget. No global state."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING

from holdfast.clock import Clock, SuspendCheck
from holdfast.link.budget import DialBudget
from holdfast.link.wheel import Entry, TimerWheel
from holdfast.model import Stamp

if TYPE_CHECKING:
    from collections.abc import Callable

SUSPEND_EVERY_S = 1.0
"""How often to look for a suspend; readings look as well, so this only bounds when pushes notice."""

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"

log = logging.getLogger("holdfast.core")


class Core:
    """The ground that links stand on. ``epoch`` names this run: ids and event numbers begin with it."""

    def __init__(
        self,
        clock: Clock,
        *,
        rng: random.Random | None = None,
        budget: DialBudget | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.loop = loop or asyncio.get_running_loop()
        self.clock = clock
        self.now = self.loop.time
        self.rng = rng or random.Random()
        self.wheel = TimerWheel(self.loop)
        self.budget = budget or DialBudget()
        self.n = 0
        self.epoch = _base36(int(clock.now().timestamp() * 1000))
        self.on_suspend: list[Callable[[float], None]] = []
        self._ids = 0
        self._suspend = SuspendCheck(clock)
        self._suspend_entry = Entry(self._look_for_suspend)
        self.wheel.arm(self._suspend_entry, self.now() + SUSPEND_EVERY_S)

    def stamp(self) -> Stamp:
        """The next point in the order of sends and arrivals."""
        self.n += 1
        return Stamp(self.now(), self.n)

    def new_id(self, kind: str) -> str:
        """An id unique over all runs: kind, epoch, number."""
        self._ids += 1
        return f"{kind}-{self.epoch}-{self._ids}"

    def check_suspend(self) -> None:
        """If the machine slept since the last look, tell everybody before anything else is believed."""
        slept_s = self._suspend.slept_s()
        if slept_s:
            log.warning(
                "the machine slept for %.0f s: all values are stale, all sessions begin anew", slept_s
            )
            for listener in list(self.on_suspend):
                listener(slept_s)

    def close(self) -> None:
        """Leave no timer behind."""
        self.wheel.close()

    def _look_for_suspend(self, now: float) -> None:
        self.check_suspend()
        self.wheel.arm(self._suspend_entry, now + SUSPEND_EVERY_S)


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = DIGITS[digit] + text
    return text or "0"
