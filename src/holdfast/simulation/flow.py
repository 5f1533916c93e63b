"""One direction of a connection: the sender's kernel, the wire, and the receiver's kernel.

Bytes are never lost from a stream. They are under way, held back by a fault, or waiting to be read, and the
window bounds all of that together. A segment never overtakes an earlier one.
"""

from __future__ import annotations

import errno
from collections import deque
from enum import Enum
from typing import TYPE_CHECKING

from holdfast.simulation.world import OfTheWorld

if TYPE_CHECKING:
    import asyncio
    from contextvars import Context

    from holdfast.simulation.connection import Connection
    from holdfast.simulation.transport import StreamTransport

WINDOW_BYTES = 65_536
"""Sent and not yet read before the sender must wait: TCP's largest window without scaling (RFC 9293)."""

FIRST_RETRY_S = 0.2
LAST_RETRY_S = 120.0
"""Pauses between a kernel's repetitions double from the first to the last of these (Linux, TCP_RTO_MIN and
TCP_RTO_MAX)."""

GIVE_UP_S = 924.6
"""Fifteen unanswered repetitions, then the connection is lost (Linux, ``tcp_retries2``)."""


class Mark(Enum):
    """What travels besides bytes."""

    OPEN = "accepted"
    FIN = "fin"
    RST = "rst"


class Flow(OfTheWorld):
    """Carries what ``sender`` writes to ``receiver``; either is ``None`` while that side has no open end.

    ``fault`` is what the receiver's kernel would report on its next call (reset, given up), ``is_finished``
    whether the end of the stream has arrived, ``in_flight`` the bytes handed over and not yet read.
    """

    def __init__(self, connection: Connection, *, is_inbound: bool, context: Context) -> None:
        self.connection = connection
        self.is_inbound = is_inbound
        self.context = context
        self.reverse: Flow = self  # the connection puts the other one here
        self.sender: StreamTransport | None = None
        self.receiver: StreamTransport | None = None
        self.in_flight = 0
        self.is_finished = False
        self.is_forgotten = False
        self.fault: OSError | None = None
        self._loop = connection.loop
        self._port = connection.port
        self._wire: deque[tuple[float, bytes | Mark]] = deque()
        self._unread: deque[bytes] = deque()
        self._timer: asyncio.Handle | None = None
        self._giving_up: asyncio.TimerHandle | None = None
        self._is_held = False
        self._is_black = False
        self._stalled_at: float | None = None
        self._last_due = 0.0
        self._line_free_at = 0.0

    # --- the sender's side -----------------------------------------------------------------------------

    @property
    def room(self) -> int:
        """Bytes that the sender may hand over now."""
        port = self._port
        return (port.window_bytes or port.host.window_bytes or WINDOW_BYTES) - self.in_flight

    def send(self, payload: bytes | Mark) -> None:
        """Put it on the wire, behind all that was sent before."""
        if isinstance(payload, Mark):
            self._put(payload, 0.0)
            return
        self.in_flight += len(payload)
        port = self._port
        split = port.split or port.host.split
        if split is None:
            self._put(payload, 0.0)
        else:
            for piece, gap_s in split.cut(payload, port.host.random):
                self._put(piece, gap_s)

    def forget_lost(self) -> None:
        """Repeat nothing: the sender's kernel has done with the connection. What travels still arrives."""
        if self._stalled_at is not None:
            if self._wire[0][1] is Mark.OPEN:
                self.connection.miss()
            self._wire.clear()
            self._stalled_at = None
            self._stop_giving_up()

    def _put(self, payload: bytes | Mark, gap_s: float) -> None:
        port = self._port
        host = port.host
        now = due = self._loop.time()
        size = 0 if isinstance(payload, Mark) else len(payload)
        if size and (speed := port.bytes_per_s or host.bytes_per_s):
            due = self._line_free_at = max(due, self._line_free_at) + size / speed
        if latency := port.latency or host.latency:
            due += latency.draw(host.random)
        due = max(due, self._last_due + gap_s)
        if size and (glue_s := port.glue_s or host.glue_s) and not now < due <= self._last_due:
            due += glue_s  # the first of its group; those behind it fall due with it
        self._last_due = due
        self._wire.append((due, payload))
        if self._timer is None and self._stalled_at is None:
            self._expect(due, now)

    def _expect(self, due: float, now: float) -> None:
        if due <= now:
            self._timer = self._loop.call_soon(self._arrive, context=self.context)
        else:
            self._timer = self._loop.call_at(due, self._arrive, context=self.context)

    # --- the wire --------------------------------------------------------------------------------------

    def reconsider(self, *, is_black: bool, is_mute: bool) -> None:
        """Conditions have changed: hold back what arrives from now on, or let go of what was held."""
        was_black, self._is_black = self._is_black, is_black
        self._is_held = is_black or is_mute
        if not is_black:
            self._stop_giving_up()
        if self._is_held or self._stalled_at is None:
            return
        now = self._loop.time()
        due = _next_retry(self._stalled_at, now) if was_black else now
        self._stalled_at = None
        self._expect(due, now)

    def _arrive(self) -> None:
        self._timer = None
        now = self._loop.time()
        if self._is_held:
            self._stalled_at = now
            if self.reverse.fault is not None:
                self.forget_lost()
            elif self._is_black:
                self._giving_up = self._loop.call_at(now + GIVE_UP_S, self._give_up, context=self.context)
            return
        wire = self._wire
        while wire and wire[0][0] <= now:
            self._land(wire.popleft()[1])
        if wire and self._timer is None:
            self._expect(wire[0][0], now)
        if self.receiver is not None:
            self.receiver.read_ready()

    def _land(self, payload: bytes | Mark) -> None:
        self.connection.note(self, payload)
        if isinstance(payload, bytes):
            if self.receiver is not None:
                self._unread.append(payload)
            else:
                self._object()
        elif payload is Mark.OPEN:
            if self.is_forgotten:
                self._object()
            else:
                self.connection.accept()
        elif payload is Mark.FIN:
            self.is_finished = True
            if self.is_forgotten:
                self._object()
        elif self.is_finished:  # Linux reports a reset after the end of the stream as a broken pipe
            self.fail(BrokenPipeError(errno.EPIPE, "Broken pipe"))
        else:
            self.fail(ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"))

    def _object(self) -> None:
        """Say that there is no such connection here (any more)."""
        self.reverse.send(Mark.RST)

    def _stop_giving_up(self) -> None:
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None

    def _give_up(self) -> None:
        self.reverse.fail(TimeoutError(errno.ETIMEDOUT, "Connection timed out"))
        if self.sender is not None:
            self.sender.read_ready()

    # --- the receiver's side ---------------------------------------------------------------------------

    def fail(self, fault: OSError) -> None:
        """The receiver's kernel learns that the connection is no more, and stops sending too."""
        if self.fault is None:
            self.fault = fault
            self.reverse.forget_lost()
            if self.receiver is not None:
                self.receiver.fault_arrived()

    @property
    def has_unread(self) -> bool:
        """Whether bytes have arrived that nobody has read."""
        return bool(self._unread)

    def take(self, most: int) -> bytes:
        """Read up to ``most`` bytes of what has arrived; makes room for the sender."""
        unread = self._unread
        if not unread:
            return b""
        data = unread[0] if len(unread) == 1 else b"".join(unread)
        unread.clear()
        if len(data) > most:
            unread.append(data[most:])
            data = data[:most]
        self.in_flight -= len(data)
        sender = self.sender
        if sender is not None and sender.has_backlog:
            self._loop.call_soon(sender.write_ready, context=sender.context)
        return data


def _next_retry(lost_at: float, now: float) -> float:
    """When the sender's kernel repeats what was lost at ``lost_at``: its first try not before ``now``."""
    pause_s = FIRST_RETRY_S
    due = lost_at + pause_s
    while due < now:
        pause_s = min(2 * pause_s, LAST_RETRY_S)
        due += pause_s
    return due
