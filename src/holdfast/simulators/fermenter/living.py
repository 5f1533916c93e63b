"""A fermenter that lives along with a clock: it catches up whenever somebody looks or turns a switch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.simulators.fermenter.fermenter import Fermenter


class LivingFermenter:
    """``clock`` tells seconds, such as a loop's `time`. Needs no task: nothing happens between two looks.

    Tell it of each move of a relay as it happens (`heat`, `cool`), and every moment is exact.
    """

    def __init__(self, fermenter: Fermenter, clock: Callable[[], float]) -> None:
        self._fermenter = fermenter
        self._clock = clock
        self._at_s = clock()
        self._heater_on = False
        self._cooler_on = False
        self.heater_s = 0.0
        """For how long the heater was on."""
        self.cooler_s = 0.0
        """For how long the cooler was on."""
        self.both_s = 0.0
        """For how long both were; should stay 0."""

    @property
    def now(self) -> Fermenter:
        """How it is now."""
        now_s = self._clock()
        dt = now_s - self._at_s
        if dt > 0.0:
            on = (self._heater_on, self._cooler_on)
            self._fermenter = self._fermenter.step(dt, heater_on=on[0], cooler_on=on[1])
            self._at_s = now_s
            self.heater_s += dt * on[0]
            self.cooler_s += dt * on[1]
            self.both_s += dt * all(on)
        return self._fermenter

    def heat(self, is_on: bool) -> None:
        """From now on the heater has current, or none."""
        _ = self.now
        self._heater_on = is_on

    def cool(self, is_on: bool) -> None:
        """From now on the cooler has current, or none."""
        _ = self.now
        self._cooler_on = is_on
