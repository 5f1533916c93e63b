"""Durations that may be a range, drawn from the one injected source of randomness."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

Span = float | tuple[float, float]
"""Seconds: always the same, or drawn anew from a range each time."""


def draw_s(rng: random.Random, span: Span) -> float:
    """One duration in seconds. A fixed span draws nothing, so that it does not shift what follows."""
    return rng.uniform(*span) if isinstance(span, tuple) else span
