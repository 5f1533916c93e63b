"""The way from the bus to the clients, on which bytes suffer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.simulators.jkbms.frames import FRAME_SIZE, HEADER, FrameKind, checksum
from holdfast.simulators.jkbms.truth import Damage, Harm

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

    from holdfast.simulators.jkbms.behaviour import Line, Packing
    from holdfast.simulators.jkbms.bus import Transmission

FIRST_DATA = 6
"""Offset of the first byte of a frame's data."""

KNOWN_JUNK = (
    b"AT\r\n",
    b"\x00",
    bytes.fromhex("aa5590ebc8010100000000000000000000000044"),
)
"""Junk that was really seen (JK fact sheet section 10)."""


class Passed(NamedTuple):
    """What came through of a transmission."""

    data: bytes
    frame_at: int | None
    """Where in it the frame begins if that is as its battery meant it; ``None`` if not, or if there was none."""
    is_answer_whole: bool
    """Whether an undamaged reply is right behind an undamaged frame."""
    damages: list[Damage]


class Way:
    """Carries one transmission after another. It remembers the last frames, to splice others with them."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._last: dict[FrameKind, dict[int, bytes]] = {}

    def carry(self, sent: Transmission, line: Line) -> Passed:
        """What comes through of ``sent``, and what was done to it."""
        return _Passage(sent, line, self._rng, self._last).result()


class _Passage:
    def __init__(
        self,
        sent: Transmission,
        line: Line,
        rng: random.Random,
        last: dict[FrameKind, dict[int, bytes]],
    ) -> None:
        self._sent = sent
        self._line = line
        self._rng = rng
        self._last = last
        self._data = bytearray(sent.data)
        self._frame_at = 0
        self._damages: list[Damage] = []

    def result(self) -> Passed:
        if self._sent.is_collided:
            self._note(Harm.COLLISION)
        if self._line.is_noise:
            self._data[:] = self._rng.randbytes(len(self._data))
            self._note(Harm.NOISE)
        elif self._sent.said is not None and not self._sent.is_collided:
            self._harm_frame(self._sent.said.address, self._sent.said.kind)
        if not self._line.is_noise:
            self._harm_unit()
        data, at, meant = bytes(self._data), self._frame_at, self._sent.meant
        # Judged by the result: a splice of two equal halves has done no harm.
        is_whole = self._sent.said is not None and data[at : at + FRAME_SIZE] == meant[:FRAME_SIZE]
        return Passed(
            data,
            at if is_whole else None,
            is_whole and data[at:] == meant,
            [damage._replace(data=data) for damage in self._damages],
        )

    # --- frames -------------------------------------------------------------------------------------------

    def _harm_frame(self, address: int, kind: FrameKind) -> None:
        line = self._line
        meant = bytes(self._data[:FRAME_SIZE])
        others = [frame for sender, frame in self._last.get(kind, {}).items() if sender != address]
        if self._happens(line.splice) and others:
            self._splice(self._rng.choice(others), kind)
        if self._happens(line.blank):
            self._data[FIRST_DATA : FRAME_SIZE - 1] = bytes(FRAME_SIZE - 1 - FIRST_DATA)
            self._data[FRAME_SIZE - 1] = checksum(self._data[: FRAME_SIZE - 1])
            self._note(Harm.BLANK)
        if self._happens(line.flip):
            at = self._rng.randrange(FRAME_SIZE)
            self._data[at] ^= 1 << self._rng.randrange(8)
            self._note(Harm.FLIP, at)
        if self._happens(line.flip_pair):
            self._flip_pair()
        if self._happens(line.cut):
            del self._data[line.cut_at :]
            self._note(Harm.CUT, line.cut_at)
        self._last.setdefault(kind, {})[address] = meant

    def _splice(self, other: bytes, kind: FrameKind) -> None:
        at = self._line.splice_at
        if at is None:
            at = self._rng.randrange(FIRST_DATA + 1, FRAME_SIZE - 1)
        spliced = other[:at] + bytes(self._data[at : FRAME_SIZE - 1])
        sender = next(address for address, frame in self._last[kind].items() if frame is other)
        self._data[:FRAME_SIZE] = spliced + bytes((checksum(spliced),))
        self._note(Harm.SPLICE, at, sender)

    def _flip_pair(self) -> None:
        rng, data = self._rng, self._data
        bit = 1 << rng.randrange(8)
        places = range(FIRST_DATA, FRAME_SIZE - 1)
        ones = [at for at in places if data[at] & bit]
        zeros = [at for at in places if not data[at] & bit]
        if ones and zeros:
            pair = rng.choice(ones), rng.choice(zeros)
            for at in pair:
                data[at] ^= bit
            self._note(Harm.FLIP_PAIR, *pair)

    # --- anything -----------------------------------------------------------------------------------------

    def _harm_unit(self) -> None:
        line, rng, data = self._line, self._rng, self._data
        if self._happens(line.lose):
            size = min(rng.randint(1, line.longest_loss), len(data))
            at = rng.randrange(len(data) - size + 1)
            del data[at : at + size]
            self._note(Harm.LOSS, at, size)
        if self._happens(line.junk):
            junk = self._junk()
            data[:0] = junk
            self._frame_at += len(junk)
            self._note(Harm.JUNK, len(junk))

    def _junk(self) -> bytes:
        if self._rng.random() < 0.5:
            return self._rng.choice(KNOWN_JUNK)
        junk = self._rng.randbytes(self._rng.randint(1, self._line.longest_junk))
        return junk.replace(HEADER, b"")

    # --- inside -------------------------------------------------------------------------------------------

    def _happens(self, probability: float) -> bool:
        # Nothing is drawn on a calm line, so that a fault does not shift what follows it.
        return probability > 0.0 and self._rng.random() < probability

    def _note(self, harm: Harm, *detail: int) -> None:
        said = self._sent.said
        address, kind = (said.address, said.kind) if said else (None, None)
        self._damages.append(Damage(self._sent.start_s, harm, address, kind, detail, b""))


def cut(data: bytes, packing: Packing, rng: random.Random) -> Iterable[bytes]:
    """The pieces in which a gateway writes ``data``."""
    at = 0
    while at < len(data):
        largest = packing.largest
        size = rng.randint(*largest) if isinstance(largest, tuple) else largest
        yield data[at : at + size]
        at += size
