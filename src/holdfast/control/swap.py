"""Notices plugs that are swapped: the one that is ON drives the temperature the wrong way. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from holdfast.control.pair import Role
from holdfast.control.plug import SwapWatch

if TYPE_CHECKING:
    from holdfast.control.instant import Instant
    from holdfast.control.plug import PlugMemory, Sight

SWAP_AFTER_S: Final = 600.0
"""A plug must be ON for so long before its effect is judged: fact sheet section 4, rule 7."""
SWAP_MOVE: Final = 833_334
"""A move of more than this the wrong way, in millionths of °C: 1.5 °F (fact sheet section 4, rule 7), rounded up to
the grid so that readings exactly 1.5 °F apart do not exceed it."""


def watched(sight: Sight, temperature: int | None, now: Instant) -> PlugMemory:
    """The plug's memory with its watch: begun with the first fresh temperature while it is proven ON."""
    past = sight.past
    if not sight.is_on or temperature is None or past.watch is not None:
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
