"""The outside observer: compares what the hub shows with what is true at the device, and never with our own books."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.model import Periodic, WhileAlive

if TYPE_CHECKING:
    import asyncio

    from holdfast.testing.stage import Stage

LOOK_EVERY_S = 0.05
"""A person notices nothing shorter, and 20 looks a second find every value shown past a deadline of tenths."""


class Observer:
    """Looks at every reading `LOOK_EVERY_S` apart from `start` to `stop`; ``wrong`` says what was shown and untrue."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._timer: asyncio.TimerHandle | None = None
        self.wrong: list[str] = []
        self.looks = 0

    def start(self) -> None:
        """Begin to look."""
        self._look()

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        stage = self._stage
        self._timer = stage.loop.call_later(LOOK_EVERY_S, self._look)
        self.looks += 1
        now = stage.loop.time()
        for target in stage.targets:
            reading = stage.hub.reading(target)
            if not reading.quality.is_current:
                continue
            age_s = now - stage.truth_log.last_true(target, reading.value)
            if age_s > self._limit_s(target) + LOOK_EVERY_S:
                self.wrong.append(
                    f"{target} was shown as {reading.value!r} ({reading.quality}) at {stage.clock_s():.2f} s, "
                    f"though it had not been so at the device for {age_s:.2f} s"
                )

    def _limit_s(self, target: str) -> float:
        """How old a truth may be shown as the present one."""
        freshness = self._stage.capability(target).freshness
        if isinstance(freshness, Periodic):
            return freshness.deadline_s
        if isinstance(freshness, WhileAlive):
            return 2 * self._stage.timing.silence_s
        return float("inf")
