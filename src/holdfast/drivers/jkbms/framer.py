"""Finds whole units in a damaged stream of bytes, cut anywhere (JK fact sheet sections 2, 3, 10). No meaning, no time.

Rules that keep it honest:

- A frame counts with all of its 300 bytes, a known type and a fitting sum. Otherwise only its header is dropped and
  the rest is looked at again, so that a whole frame behind a false or cut header survives.
- Polls and replies count as whole, known byte strings; see `calls`.
- All that waits for more bytes is shorter than a frame with its reply, so the buffer bounds itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple
from zlib import adler32

from holdfast.drivers.jkbms.calls import GROUPS, POLL_LENGTH, POLLS, REPLIES, REPLY_LENGTH, Call

if TYPE_CHECKING:
    from holdfast.drivers.jkbms.counters import JkCounters

HEADER: Final = b"\x55\xaa\xeb\x90"
FRAME_LENGTH: Final = 300
LOGBOOK: Final = 5
"""A frame type that only Bluetooth knows (section 3)."""

ACK_HEADER: Final = b"\xaa\x55\x90\xeb\xc8"
ACK_LENGTH: Final = 20
"""The answer to a Bluetooth command (section 11)."""

REPLY_S: Final = 0.2
"""Silence behind a whole frame after which its reply is not coming (section 10, rule 5)."""
CUT_S: Final = 0.5
"""Silence inside a unit after which the rest of it is not coming (section 10, rule 3)."""


class Frame(NamedTuple):
    """A whole frame with a good sum. Everything that may tell whose it is stands beside it.

    ``reply``: the CRC-correct reply right behind it. ``is_reply_bad``: there is one, and it is damaged.
    ``poll``: the CRC-correct poll that is the unit directly in front. ``offset``: bytes of the stream in front.
    """

    data: bytes
    kind: int
    offset: int
    reply: Call | None = None
    is_reply_bad: bool = False
    poll: Call | None = None

    def __repr__(self) -> str:
        """Without the bytes: device info holds passcodes."""
        return (
            f"<Frame {GROUPS.get(self.kind, self.kind)} at {self.offset} reply={self.reply} poll={self.poll}>"
        )


class Poll(NamedTuple):
    """A CRC-correct poll; ``data`` are its bytes."""

    data: bytes
    call: Call


class Reply(NamedTuple):
    """A CRC-correct reply without a frame in front of it."""

    call: Call


class Ack(NamedTuple):
    """The answer to a Bluetooth command."""


class Waste(NamedTuple):
    """Bytes that belong to no unit, and why: ``noise``, ``sum``, ``type`` or ``cut`` (a header that led nowhere)."""

    why: str
    data: bytes


Unit = Frame | Poll | Reply | Ack | Waste
_Step = tuple[int, Unit | None]


def byte_sum(frame: bytes) -> int:
    """What byte 299 of a frame must be: the sum of the bytes in front of it, modulo 256.

    The low half of Adler-32 begun at 0 is the sum itself while that stays below 65521, as of two times 150 bytes;
    a fifth of the time of `sum`.
    """
    return (adler32(frame[:150], 0) + adler32(frame[150:299], 0)) & 0xFF


def _begins_across(data: bytes, behind: bytes) -> bool:
    """Whether a header begins in the last bytes of ``data`` and goes on in those behind, as far as they are known."""
    return bool(behind) and any(
        data.endswith(HEADER[:size]) and HEADER[size:].startswith(behind[: len(HEADER) - size])
        for size in range(1, len(HEADER))
    )


def _starts(*units: bytes) -> frozenset[bytes]:
    """All real beginnings of the units."""
    return frozenset(unit[:length] for unit in units for length in range(1, len(unit)))


class Framer:
    """Frames alone, as over Bluetooth: what is behind one does not belong to it. `BusFramer` knows the bus."""

    _kinds = frozenset({*GROUPS, LOGBOOK})
    _candidate = re.compile(re.escape(HEADER) + b"|" + re.escape(ACK_HEADER))
    _beginnings = _starts(HEADER, ACK_HEADER)

    def __init__(self, counters: JkCounters) -> None:
        self._counters = counters
        self._buffer = b""
        self._offset = 0  # bytes of the stream in front of what is looked at
        self._before: Unit | None = None  # the unit directly in front of it
        self._why = "noise"  # what the bytes that are being dropped began with
        self._dropped = 0  # bytes dropped since the last unit
        self._is_over = False
        self._is_whole = False  # a whole frame waits for its reply

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {len(self._buffer)} bytes waiting>"

    @property
    def gap_s(self) -> float:
        """Silence after which `flush` is due, in seconds; depends on what waits."""
        return REPLY_S if self._is_whole else CUT_S

    @property
    def is_partial(self) -> bool:
        """Whether bytes wait for more."""
        return bool(self._buffer)

    def keep(self, data: bytes) -> None:
        """Take bytes in, to be looked at together with those of the next `feed`."""
        self._counters.bytes += len(data)
        self._buffer += data

    def feed(self, data: bytes) -> list[Unit]:
        """Take bytes, cut anywhere, and give the units that are whole. Never raises on content."""
        self._counters.bytes += len(data)
        self._buffer = self._buffer + data if self._buffer else bytes(data)
        return self._scan()

    def flush(self) -> list[Unit]:
        """No more bytes are coming: a whole frame is good without its reply, and nothing else that waits is."""
        self._is_over = True
        units = self._scan()
        self._is_over = False
        self._why = "noise"
        return units

    def _scan(self) -> list[Unit]:
        buffer = self._buffer
        units: list[Unit] = []
        at, end = 0, len(buffer)
        self._is_whole = False
        while at < end:
            size, unit = self._read(buffer, at)
            if unit is not None:
                self._before = unit
                self._dropped = 0
                self._why = "noise"
            elif size == _NOTHING:
                size, unit = self._drop(buffer, at)
            if size == 0:
                break
            if unit is not None:
                units.append(unit)
            at += size
            self._offset += size
        self._buffer = buffer[at:]
        return units

    # --- units -------------------------------------------------------------------------------------------------

    def _read(self, buffer: bytes, at: int) -> _Step:
        """The unit that begins here and its size."""
        if buffer.startswith(HEADER, at):
            return self._read_frame(buffer, at)
        return self._read_short(buffer, at)

    def _read_frame(self, buffer: bytes, at: int) -> _Step:
        if len(buffer) < at + FRAME_LENGTH:
            if not self._is_over:
                return _WAIT
            self._counters.cut += 1
            return self._refuse("cut")
        data = buffer[at : at + FRAME_LENGTH]
        kind = data[4]
        if byte_sum(data) != data[-1]:
            self._counters.bad_sums += 1
            return self._refuse("sum")
        if kind not in self._kinds:
            self._counters.bad_types += 1
            return self._refuse("type")
        return self._close(data, kind, buffer, at)

    def _refuse(self, why: str) -> _Step:
        self._why = why
        return _MISS

    def _close(self, data: bytes, kind: int, buffer: bytes, at: int) -> _Step:
        """A frame with a good sum, together with what belongs to it."""
        return self._close_alone(data, kind)

    def _close_alone(
        self,
        data: bytes,
        kind: int,
        *,
        behind: bytes = b"",
        is_reply_bad: bool = False,
        poll: Call | None = None,
    ) -> _Step:
        if data.find(HEADER, 1) > 0 or _begins_across(data, behind):
            # Another frame begins within, so this one was cut; in 1 of 256 such cases the sum fits.
            self._counters.cut += 1
            return self._refuse("cut")
        return FRAME_LENGTH, Frame(data, kind, self._offset, None, is_reply_bad, poll)

    def _read_short(self, buffer: bytes, at: int) -> _Step:
        """A unit other than a frame."""
        data = buffer[at : at + ACK_LENGTH]
        if not data.startswith(ACK_HEADER):
            return _MISS
        if len(data) < ACK_LENGTH:
            return _MISS if self._is_over else _WAIT
        return (ACK_LENGTH, Ack()) if sum(data[:-1]) & 0xFF == data[-1] else _MISS

    # --- junk --------------------------------------------------------------------------------------------------

    def _drop(self, buffer: bytes, at: int) -> _Step:
        """Everything up to where the next unit may begin."""
        found = self._candidate.search(buffer, at + 1)
        end = len(buffer) if self._is_over else self._tail(buffer, at)
        size = (found.start() if found else end) - at
        if size == 0:
            return _WAIT
        self._counters.junk_bytes += size
        waste = buffer[at : at + size]
        is_stray = waste == b"\0" and self._dropped == 0
        self._dropped += size
        if is_stray:  # some wirings put one around each reply (section 2): no unit, and no news
            return size, None
        self._before = None
        return size, Waste(self._why, waste)

    def _tail(self, buffer: bytes, at: int) -> int:
        """Where at the end of the buffer a unit may begin."""
        end = len(buffer)
        for begin in range(max(at, end - _LONGEST_TAIL), end):
            if buffer[begin:] in self._beginnings:
                return begin
        return end


class BusFramer(Framer):
    """Frames, polls and replies, as on the RS485 bus (section 2)."""

    _kinds = frozenset(GROUPS)
    _candidate = re.compile(re.escape(HEADER) + rb"|[\x00-\x0f]\x10\x16[\x1c\x1e\x20]\x00\x01")
    _beginnings = _starts(HEADER, *POLLS, *REPLIES)

    def _close(self, data: bytes, kind: int, buffer: bytes, at: int) -> _Step:
        before = self._before
        poll = before.call if type(before) is Poll else None
        behind = buffer[at + FRAME_LENGTH : at + FRAME_LENGTH + 1 + REPLY_LENGTH]
        reply = REPLIES.get(behind[:REPLY_LENGTH])
        size = FRAME_LENGTH + REPLY_LENGTH
        is_shifted = reply is None and behind.startswith(b"\0")
        if is_shifted:
            reply = REPLIES.get(behind[1:])
            size += 1
        if reply is not None:
            return size, Frame(data, kind, self._offset, reply, False, poll)
        if not self._is_over and (
            behind in _REPLY_BEGINNINGS or (is_shifted and behind[1:] in _REPLY_BEGINNINGS)
        ):
            self._is_whole = True
            return _WAIT
        is_reply_bad = bool(_LIKE_A_REPLY.search(behind)) and not (
            behind in self._beginnings or (is_shifted and behind[1:] in self._beginnings)
        )
        return self._close_alone(data, kind, behind=behind, is_reply_bad=is_reply_bad, poll=poll)

    def _read_short(self, buffer: bytes, at: int) -> _Step:
        data = buffer[at : at + POLL_LENGTH]
        call = POLLS.get(data)
        if call is not None:
            return POLL_LENGTH, Poll(data, call)
        call = REPLIES.get(data[:REPLY_LENGTH])
        if call is not None:
            return REPLY_LENGTH, Reply(call)
        return _WAIT if data in self._beginnings and not self._is_over else _MISS


_NOTHING: Final = -1
_WAIT: Final[_Step] = (0, None)
_MISS: Final[_Step] = (_NOTHING, None)
_LONGEST_TAIL: Final = POLL_LENGTH - 1
_REPLY_BEGINNINGS: Final = _starts(*REPLIES) | {b""}
_LIKE_A_REPLY: Final = re.compile(rb"\x10\x16|[\x1c\x1e\x20]\x00\x01")
"""One damaged, lost or added byte leaves one of the two."""
