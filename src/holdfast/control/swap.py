"""Notices plugs that are swapped: the one that is ON drives the temperature the wrong way. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from holdfast.control.pair import Pair, Role
from holdfast.control.plug import SwapWatch

if TYPE_CHECKING:
    from holdfast.control.instant import Instant
    from holdfast.control.plug import PlugMemory, Sight

SWAP_AFTER_S: Final = 600.0
"""A plug must be ON for so long before its effect is judged: fact sheet section 4, rule 7."""
SWAP_MOVE: Final = 833_334
"""A move of more than this the wrong way, in millionths of °C: 1.5 °F (fact sheet section 4, rule 7), rounded up to
the grid so that readings exactly 1.5 °F apart do not exceed it."""


SWAP_WITHIN_S: Final = 3600.0
"""The move must come within an hour of running: a swapped plug moves a vessel by 1 to 4 °C an hour, a heater that is
too weak for its room lets it sink by less than half a degree (docs/control_quality.md)."""
AFTER_S: Final = Pair(1800.0, 900.0)
"""For so long the heater is not judged after the cooler's stop, nor the cooler after the heater's: the vessel goes on
the old way meanwhile. Source: peak detection in fact sheet section 5."""


def watched(
    sight: Sight, other: Sight | None, temperature: int | None, now: Instant, role: Role
) -> PlugMemory:
    """The plug's memory with its watch, begun with a fresh temperature while it is proven ON, and anew each hour.

    ``other`` is the plug that works against it, ``None`` if there is none.
    """
    past = sight.past
    if not sight.is_on or temperature is None:
        return past
    if past.watch is not None:
        is_over = (now.since_s(past.watch.at) or 0.0) > SWAP_WITHIN_S
        return replace(past, watch=SwapWatch(start=temperature, at=now)) if is_over else past
    if other is not None:
        stopped = other.past.off_since
        if stopped is None or (now.since_s(stopped) or 0.0) < AFTER_S.of(role):
            return past
    return replace(past, watch=SwapWatch(start=temperature, at=now))


def is_swapped(role: Role, sight: Sight, temperature: int | None, now: Instant) -> bool:
    """Whether the plug, proven ON, has moved the temperature too far the wrong way."""
    watch = sight.past.watch
    if not sight.is_on or temperature is None or watch is None:
        return False
    if (now.since_s(watch.at) or 0.0) < SWAP_AFTER_S:
        return False
    wrong = watch.start - temperature if role is Role.HEATER else temperature - watch.start
    return wrong > SWAP_MOVE
