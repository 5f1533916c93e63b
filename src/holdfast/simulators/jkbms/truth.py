"""What an outside observer may know: every whole frame, every damaged one, and who could have heard what."""

from __future__ import annotations

from collections import Counter, deque
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from holdfast.simulators.jkbms.frames import FRAME_SIZE, HEADER, Frame, FrameKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

LOG_LIMIT = 10_000
"""Entries that any of the logs keeps; the counters go on."""

Key = tuple[int, FrameKind]
"""The address of a sender, and the kind of its frame."""


class Said(NamedTuple):
    """A battery spoke: at loop time ``t``, from ``address``, these values, with or without collision."""

    t: float
    address: int
    values: Frame
    kind: FrameKind


class WholeFrame(NamedTuple):
    """A frame that was written undamaged, with its reply undamaged right behind it.

    ``t`` is the loop time at which the battery spoke; ``start`` and ``end`` are places in the byte stream.
    """

    t: float
    address: int
    kind: FrameKind
    values: Frame
    start: int
    end: int

    @property
    def key(self) -> Key:
        """Sender and kind."""
        return self.address, self.kind


class Harm(StrEnum):
    """What was done to bytes on their way."""

    COLLISION = "collision"
    LOSS = "loss"
    CUT = "cut"
    JUNK = "junk"
    FLIP = "flip"
    FLIP_PAIR = "flip pair"
    SPLICE = "splice"
    BLANK = "blank"
    NOISE = "noise"


class Damage(NamedTuple):
    """Something was done to what ``address`` said, a poll if ``kind`` is ``None``.

    ``detail`` says where: byte offsets in the transmission, and for a splice the address of the other battery.
    """

    t: float
    harm: Harm
    address: int | None
    kind: FrameKind | None
    detail: tuple[int, ...]
    data: bytes
    """The transmission as it left."""


class Deception(NamedTuple):
    """300 bytes in the stream that look like a valid frame (header, kind, sum) and are none that was meant."""

    t: float
    start: int
    data: bytes


class Receiver:
    """What one client could have received whole: frames written from first to last byte while it was there.

    What was written shortly before a reset or a power failure may still not have arrived.
    """

    def __init__(self, number: int, joined_at: float, since: int) -> None:
        self.number = number
        self.joined_at = joined_at
        self.left_at: float | None = None
        self.frames: deque[WholeFrame] = deque(maxlen=LOG_LIMIT)
        self.counts: Counter[Key] = Counter()
        self.bytes_missed = 0
        self._since = since

    def __repr__(self) -> str:
        return f"<Receiver {self.number}, {self.counts.total()} frames>"

    def miss(self, size: int, until: int) -> None:
        """So many bytes, up to a place in the stream, were not written to it."""
        self.bytes_missed += size
        self._since = until

    def take(self, frames: Iterable[WholeFrame]) -> list[WholeFrame]:
        """The last bytes of these frames were written to it; returns those that it has whole."""
        whole = [frame for frame in frames if frame.start >= self._since]
        self.frames.extend(whole)
        self.counts.update(frame.key for frame in whole)
        return whole


class Lookout:
    """Watches a byte stream for whatever looks like a valid frame: the judge's list of possible deceptions.

    It goes by the stream alone. A reader that also minds pauses sees a subset.
    """

    def __init__(self) -> None:
        self._tail = bytearray()
        self._at = 0  # place of the tail's first byte

    def watch(self, data: bytes, t: float, meant: Collection[int]) -> list[Deception]:
        """What ``data`` completes; ``meant`` are the places at which frames begin that are as meant."""
        tail = self._tail
        tail += data
        found = []
        at = tail.find(HEADER)
        while 0 <= at <= len(tail) - FRAME_SIZE:
            frame = bytes(tail[at : at + FRAME_SIZE])
            if frame[4] in (1, 2, 3) and sum(frame[:-1]) & 0xFF == frame[-1] and self._at + at not in meant:
                found.append(Deception(t, self._at + at, frame))
            at = tail.find(HEADER, at + 1)
        done = at if at >= 0 else max(len(tail) - len(HEADER) + 1, 0)
        del tail[:done]
        self._at += done
        return found
