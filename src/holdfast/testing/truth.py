"""What was true when, as somebody knows who stands beside the device."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.model import Value


def same_value(one: Value, other: Value) -> bool:
    """Equal, but for rounding in the last places."""
    if isinstance(one, float) or isinstance(other, float):
        if not isinstance(one, int | float) or not isinstance(other, int | float):
            return False
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return type(one) is type(other) and one == other


class TruthLog:
    """For each target and value: the last moment at which it was true."""

    def __init__(
        self, now: Callable[[], float], truth: Callable[[str], Value], targets: Sequence[str]
    ) -> None:
        self._now = now
        self._truth = truth
        self._last: dict[str, list[tuple[Value, float]]] = {target: [] for target in targets}

    def note(self) -> None:
        """Look at every device now: to be called before and after each change."""
        for target in self._last:
            self._note(target)

    def last_true(self, target: str, value: Value) -> float:
        """Loop time until which the value was true (now, if it still is); minus infinity if it never was."""
        self._note(target)
        return next((t for known, t in self._last[target] if same_value(known, value)), -math.inf)

    def _note(self, target: str) -> None:
        value = self._truth(target)
        moments = self._last[target]
        for place, (known, _) in enumerate(moments):
            if same_value(known, value):
                moments[place] = (value, self._now())
                return
        moments.append((value, self._now()))
