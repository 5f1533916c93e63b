"""The way of a write from the controller to its module: takes time, keeps the order, sometimes loses one."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from holdfast.simulators.ipcom.belt import Belt
from holdfast.simulators.ipcom.chance import draw_s
from holdfast.simulators.ipcom.house import LOG_LIMIT, Frame

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from holdfast.simulators.ipcom.behaviour import Behaviour


class FieldBus:
    """Carries frames to ``deliver``, as slowly and as faithfully as the behaviour of the moment says."""

    def __init__(
        self, behaviour: Callable[[], Behaviour], deliver: Callable[[Frame], None], rng: random.Random
    ) -> None:
        self.lost: deque[Frame] = deque(maxlen=LOG_LIMIT)
        self._behaviour = behaviour
        self._belt = Belt(deliver)
        self._rng = rng

    @property
    def is_idle(self) -> bool:
        """Whether every frame has arrived or is lost."""
        return self._belt.is_empty

    def carry(self, frame: Frame) -> None:
        """Take one frame. Lost ones never take effect and are kept in ``lost``."""
        behaviour = self._behaviour()
        if behaviour.bus_loss and self._rng.random() < behaviour.bus_loss:
            self.lost.append(frame)
            return
        self._belt.put(frame, draw_s(self._rng, behaviour.bus_delay_s))

    def clear(self) -> None:
        """The power is gone: what was under way never arrives."""
        self._belt.clear()
