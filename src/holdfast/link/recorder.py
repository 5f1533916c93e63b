"""The flight recorder: the last things that happened on a link, cheap enough to be always on."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

RING_LENGTH = 256
"""Entries kept a link: a few minutes of a bad day, about 30 kB when full of short texts."""


class Moment(NamedTuple):
    """One entry: loop time, what kind of thing, and a sentence."""

    t: float
    kind: str
    text: str


class FlightRecorder:
    """A ring of moments. Equal replies are not recorded: they are counted by the link report."""

    __slots__ = ("_ring",)

    def __init__(self, length: int = RING_LENGTH) -> None:
        self._ring: deque[Moment] = deque(maxlen=length)

    def note(self, t: float, kind: str, text: str) -> None:
        """Add a moment; the oldest one falls out."""
        self._ring.append(Moment(t, kind, text))

    def moments(self) -> list[Moment]:
        """What is remembered, oldest first."""
        return list(self._ring)
