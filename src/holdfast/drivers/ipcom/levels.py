"""Per cent and bytes: rounded half up, stable in both directions, and never 0 for what is on."""

from __future__ import annotations

import math


def to_byte(percent: float, scale: int) -> int:
    """The byte for a level of 0 to 100 per cent. What is above 0 stays above 0."""
    if percent <= 0:
        return 0
    return min(scale, max(1, math.floor(percent * scale / 100 + 0.5)))


def to_percent(byte: int, scale: int) -> int:
    """The level of a byte in whole per cent. Any byte but 0 is on, so it reads 1 at least.

    255 on a dimmer of scale 100 reads 100: the vendor's app writes it with a plain tap, and what the module then
    reports is unknown.
    """
    if byte == 0:
        return 0
    return min(100, max(1, math.floor(byte * 100 / scale + 0.5)))
