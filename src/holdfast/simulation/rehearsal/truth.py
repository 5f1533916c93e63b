"""What is true about the simulated house, target by target, for as long back as any deadline reaches."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from holdfast.model import Value
    from holdfast.simulators.ipcom import House

KEPT_S = 120.0
"""How far back the truth is remembered; no deadline and no command's life of this family is longer."""


class Truth:
    """The house's own state as the values of the site's targets, with history.

    How a target follows from outputs is written here a second time, from the site mapping and not from the driver: an
    observer that used the driver's projection would share its mistakes.
    """

    def __init__(
        self, house: House, device: str, outputs: Mapping[str, Mapping[str, Any]], now: Callable[[], float]
    ) -> None:
        self._now = now
        self.device = device
        self._house = house
        self._of: dict[str, Mapping[str, Any]] = {
            f"{device}/{name}": entry for name, entry in outputs.items()
        }
        self._history: dict[str, deque[tuple[float, Value]]] = {}
        for target in self._of:
            self._history[target] = deque([(now(), self.value(target))])
        self._leave = house.observe(lambda _: self._look())

    @property
    def targets(self) -> list[str]:
        """All targets that are judged."""
        return list(self._of)

    def kind(self, target: str) -> str:
        """light, dimmer or cover."""
        return str(self._of[target]["kind"])

    def value(self, target: str) -> Value:
        """What is true now."""
        entry = self._of[target]
        if entry["kind"] == "cover":
            up, down = (bool(self._house.value(**entry[side])) for side in ("up", "down"))
            if up and down:
                return "both"
            return "opening" if up else "closing" if down else "stopped"
        byte = self._house.value(entry["module"], entry["output"])
        return byte if entry["kind"] == "dimmer" else bool(byte)

    def held(self, target: str, value: Value, since_t: float) -> bool:
        """Whether ``value`` was true at any moment from ``since_t`` until now."""
        history = self._history[target]
        for start_t, held in reversed(history):
            if held == value:
                return True
            if start_t <= since_t:
                return False
        return False

    def close(self) -> None:
        """Stop looking."""
        self._leave()

    def _look(self) -> None:
        now = self._now()
        for target, history in self._history.items():
            value = self.value(target)
            if history[-1][1] != value:
                history.append((now, value))
                while len(history) > 1 and history[1][0] < now - KEPT_S:
                    history.popleft()
