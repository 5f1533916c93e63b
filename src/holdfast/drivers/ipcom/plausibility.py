"""What a snapshot can look like in a given house. It carries no checksum: this is all there is to judge it by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.drivers.ipcom.messages import OUTPUTS, SNAPSHOT_LENGTH, STATE_LENGTH
from holdfast.drivers.ipcom.wiring import ModuleKind, ModuleType

if TYPE_CHECKING:
    from collections.abc import Callable

_EXTREME, _LEVEL, _OTHER = 0, 1, 2
_CLASSES: Final = bytes(
    _EXTREME if byte in (0, 255) else _LEVEL if byte <= 100 else _OTHER for byte in range(256)
)
"""Each byte's class: 0 and 255, a level in per cent, or neither."""

NEGLIGIBLE: Final = 1e-12
"""Chance below which foreign bytes are taken not to look plausible: at one joined snapshot a second, once in 30,000
years."""


class Plausibility:
    """The shapes of snapshots that the modules of a house can produce.

    Relays read 0 or 255, dimmers of scale 100 read 0 to 100 or 255 (the vendor's app writes 255 to them with a plain
    tap, and what they report then is unknown), dimmers of scale 255 anything.
    """

    __slots__ = ("_forbidden", "is_on", "weighs_from")

    def __init__(self, module: Callable[[int], ModuleType], *, is_on: bool = True) -> None:
        self.is_on = is_on
        types = [module(index // OUTPUTS + 1) for index in range(STATE_LENGTH)]
        self._forbidden = int.from_bytes(bytes(map(_forbidden, types)), "big")
        self.weighs_from = _weighs_from(types) if is_on else 1
        """First byte of a snapshot from which on a foreign tail could pass for real with more than a negligible
        chance: what lies before is proven by its own look."""

    def doubt(self, state: bytes) -> int | None:
        """The number of the first module whose outputs cannot read so, ``None`` if all can."""
        wrong = int.from_bytes(state.translate(_CLASSES), "big") & self._forbidden
        if not wrong or not self.is_on:
            return None
        first = STATE_LENGTH - (wrong.bit_length() + 7) // 8
        return first // OUTPUTS + 1


def _forbidden(module: ModuleType) -> int:
    if module.kind is not ModuleKind.DIMMER:
        return _LEVEL | _OTHER
    return _OTHER if module.scale == 100 else 0


def _weighs_from(types: list[ModuleType]) -> int:
    chance = 1.0
    start = SNAPSHOT_LENGTH
    for module in reversed(types):
        chance *= _share(module)
        if chance < NEGLIGIBLE:
            return start
        start -= 1
    return 1


def _share(module: ModuleType) -> float:
    """The share of all bytes that an output of this module can read."""
    if module.kind is not ModuleKind.DIMMER:
        return 2 / 256
    return 102 / 256 if module.scale == 100 else 1.0
