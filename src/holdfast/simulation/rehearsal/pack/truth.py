"""What the batteries said, and what else on the wire only looked like it: value by value, as far back as needed.

How a value lies in a frame is written here a second time, from the fact sheet and not from the driver: an observer that
used the driver's tables would share its mistakes.
"""

from __future__ import annotations

import struct
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from holdfast.simulators.jkbms import LiveFrame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.model import Value
    from holdfast.simulators.jkbms import Bus, Gateway, Transmission

KEPT_S = 120.0
"""How far back the truth is remembered, well beyond any deadline that is rehearsed."""
LIVE_TYPE = 2


class Field(NamedTuple):
    """One value of a live frame: offset and format on the wire (JK fact sheet section 6), and as a battery tells it."""

    offset: int
    format: str
    scale: float
    of: Callable[[LiveFrame], float]


FIELDS = {
    "voltage": Field(150, "<I", 1000.0, lambda frame: frame.pack_voltage_v),
    "current": Field(158, "<i", 1000.0, lambda frame: frame.pack_current_a),
    "remaining_capacity": Field(174, "<i", 1000.0, lambda frame: frame.remaining_ah),
    "runtime": Field(194, "<I", 1.0, lambda frame: float(frame.runtime_s)),
    "soc": Field(173, "<B", 1.0, lambda frame: float(frame.soc_pct)),
    "cells/1/voltage": Field(6, "<H", 1000.0, lambda frame: frame.cell_voltages[0]),
    "cells/16/voltage": Field(36, "<H", 1000.0, lambda frame: frame.cell_voltages[15]),
}
"""What is compared; the first four differ from frame to frame, so a value tells which frame it is from."""


class Truth:
    """What was said by whom, and when, over the last `KEPT_S` seconds. It hears the bus itself.

    What collided on the bus was said all the same: where a collision has only hurt the reply, or altered nothing, the
    values are the battery's own.
    """

    def __init__(self, bus: Bus, outlets: Sequence[Gateway]) -> None:
        self._outlets = outlets
        self._said: dict[int, deque[tuple[float, LiveFrame]]] = {
            battery.address: deque() for battery in bus.batteries
        }
        bus.attach(self)

    def hear(self, sent: Transmission) -> None:
        """A transmission on the bus is over."""
        said = sent.said
        if said is None or not isinstance(said.values, LiveFrame):
            return
        frames = self._said[said.address]
        frames.append((said.t, said.values))
        while frames[0][0] < said.t - KEPT_S:
            frames.popleft()

    def was_said(self, address: int, key: str, value: Value, since_t: float) -> bool:
        """Whether that battery said so at any moment from ``since_t`` until now."""
        told = FIELDS[key].of
        return any(told(frame) == value for t, frame in reversed(self._said[address]) if t >= since_t)

    def was_forged(self, key: str, value: Value, since_t: float) -> bool:
        """Whether something that was no frame of anybody's, but looked like one, said so."""
        field = FIELDS[key]
        for outlet in self._outlets:
            for deception in reversed(outlet.deceptions):
                if deception.t < since_t:
                    break
                (raw,) = struct.unpack_from(field.format, deception.data, field.offset)
                if deception.data[4] == LIVE_TYPE and raw / field.scale == value:
                    return True
        return False
