"""One end of a connection: asyncio's transport over two flows.

What is called when, and with which exception, follows asyncio's own transport over a Linux socket; the tests
run the same programs against both.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from asyncio import transports
from collections import deque
from typing import TYPE_CHECKING, Any

from holdfast.simulation.flow import Mark

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextvars import Context

    from holdfast.simulation.connection import Connection
    from holdfast.simulation.flow import Flow
    from holdfast.simulation.server import VirtualServer
    from holdfast.simulation.world import Address

log = logging.getLogger(__name__)

READ_BYTES = 256 * 1024
"""The most that one ``data_received`` carries (asyncio's own limit)."""

USELESS_WRITES = 5
"""Writes after the loss before each one is logged (asyncio's own limit)."""


class VirtualSocket:
    """What ``get_extra_info("socket")`` shows: options are remembered, and that is all.

    One option has an effect: ``SO_LINGER`` with a time of 0 makes closing reset the connection.
    """

    family = socket.AF_INET

    def __init__(self, kind: socket.SocketKind, sockname: Address, peername: Address | None) -> None:
        self.type = kind
        self.proto = socket.IPPROTO_TCP if kind is socket.SOCK_STREAM else socket.IPPROTO_UDP
        self._sockname = sockname
        self._peername = peername
        self._options: dict[tuple[int, int], int | bytes | None] = {}

    def setsockopt(self, level: int, option: int, value: int | bytes | None, length: int = 0) -> None:
        """Remember the option."""
        self._options[level, option] = value

    def getsockopt(self, level: int, option: int, length: int = 0) -> int | bytes | None:
        """The value set before, else 0."""
        return self._options.get((level, option), 0)

    def getsockname(self) -> Address:
        """The address of this end."""
        return self._sockname

    def getpeername(self) -> Address:
        """The address of the other end."""
        if self._peername is None:
            raise OSError("not connected")
        return self._peername

    def fileno(self) -> int:
        """-1: there is no descriptor behind it."""
        return -1

    @property
    def resets_on_close(self) -> bool:
        """Whether ``SO_LINGER`` says to reset instead of finish."""
        value = self._options.get((socket.SOL_SOCKET, socket.SO_LINGER))
        return isinstance(value, bytes) and struct.unpack("ii", value) == (1, 0)


class StreamTransport(transports._FlowControlMixin):  # noqa: SLF001 - the stock buffer limits, unchanged
    """One end of a simulated connection; keeps the contract of ``asyncio.Transport``."""

    _protocol_paused: bool

    if TYPE_CHECKING:  # in the stock mixin, not in the stubs

        def _maybe_pause_protocol(self) -> None: ...
        def _maybe_resume_protocol(self) -> None: ...

    def __init__(
        self,
        connection: Connection,
        protocol: asyncio.BaseProtocol,
        incoming: Flow,
        outgoing: Flow,
        context: Context,
        server: VirtualServer | None = None,
    ) -> None:
        names = (connection.client_address, connection.server_address)
        self._sockname, self._peername = names if server is None else names[::-1]
        self._socket = VirtualSocket(socket.SOCK_STREAM, self._sockname, self._peername)
        extra = {"socket": self._socket, "sockname": self._sockname, "peername": self._peername}
        super().__init__(extra, connection.loop)
        self.context = context
        self._loop: asyncio.AbstractEventLoop = connection.loop
        self._connection = connection
        self._protocol: Any = protocol
        self._server = server
        self._in = incoming
        self._out = outgoing
        self._buffer: deque[bytes] = deque()
        self._buffered = 0
        self._can_read = False  # from connection_made to the end of the stream
        self._is_paused = False
        self._is_closing = False
        self._is_eof_written = False
        self._lost = 0  # > 0 once connection_lost is due; then counts useless writes
        incoming.receiver = self
        outgoing.sender = self
        if server is not None:
            server.attach(self)

    def __repr__(self) -> str:
        state = "closed" if self._lost else "closing" if self._is_closing else "open"
        near, far = (f"{host}:{port}" for host, port in (self._sockname, self._peername))
        return f"<StreamTransport {near} -> {far} {state}, {self._buffered} bytes buffered>"

    def start(self, waiter: asyncio.Future[None] | None = None) -> None:
        """Tell the protocol, then begin to read, then wake the one who dialled."""
        self._later(self._protocol.connection_made, self)
        self._later(self._begin_reading)
        if waiter is not None:
            self._later(_wake, waiter)

    # --- reading ---------------------------------------------------------------------------------------

    def is_reading(self) -> bool:
        """Whether data is wanted: neither paused nor closing."""
        return not self._is_closing and not self._is_paused

    def pause_reading(self) -> None:
        """Leave what arrives in the kernel; once the window is full the peer must wait."""
        if self.is_reading():
            self._is_paused = True

    def resume_reading(self) -> None:
        """Read again, from the next turn of the loop on."""
        if self._is_paused and not self._is_closing:
            self._is_paused = False
            self._later(self.read_ready)

    def _begin_reading(self) -> None:
        self._can_read = True
        self.read_ready()

    def read_ready(self) -> None:
        """Something may have arrived: hand over one of data, fault or end of stream."""
        if self._is_paused or self._is_closing or not self._can_read:
            return
        incoming = self._in
        data = incoming.take(READ_BYTES)
        if data:
            try:
                self._protocol.data_received(data)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as fault:  # noqa: BLE001 - as asyncio: it ends the connection, and is reported
                self._fatal_error(fault, "Fatal error: protocol.data_received() call failed.")
                return
            if incoming.has_unread or incoming.fault is not None or incoming.is_finished:
                self._later(self.read_ready)
        elif incoming.fault is not None:
            self._fatal_error(incoming.fault, "Fatal read error on socket transport")
        elif incoming.is_finished:
            self._end_of_stream()

    def _end_of_stream(self) -> None:
        self._can_read = False
        try:
            keep_open = self._protocol.eof_received()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as fault:  # noqa: BLE001 - as above
            self._fatal_error(fault, "Fatal error: protocol.eof_received() call failed.")
            return
        if not keep_open:
            self.close()

    def fault_arrived(self) -> None:
        """The kernel knows of a fault. As with a socket, only a reader or a waiting writer finds out now."""
        if self._buffer:
            self._fatal_error(self._in.fault, "Fatal write error on socket transport")

    # --- writing ---------------------------------------------------------------------------------------

    @property
    def has_backlog(self) -> bool:
        """Whether bytes wait for room in the flow."""
        return bool(self._buffer)

    def get_write_buffer_size(self) -> int:
        """Bytes that the kernel has not taken yet."""
        return self._buffered

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send; what exceeds the window is buffered. Nothing arrives anywhere before the next turn."""
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"data argument must be a bytes-like object, not {type(data).__name__!r}")
        if self._is_eof_written:
            raise RuntimeError("Cannot call write() after write_eof()")
        if not data:
            return
        if self._lost:
            if self._lost >= USELESS_WRITES:
                log.warning("write() on a connection that is lost: %r", self)
            self._lost += 1
            return
        if self._in.fault is not None:
            self._fatal_error(self._in.fault, "Fatal write error on socket transport")
            return
        self._buffer.append(bytes(data))
        self._buffered += len(data)
        if len(self._buffer) == 1:
            self._flush()
        if self._buffer:
            self._maybe_pause_protocol()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Send all of it as one."""
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        """Yes."""
        return True

    def write_eof(self) -> None:
        """End the outgoing stream once all is sent; data may still come in."""
        if self._is_closing or self._is_eof_written:
            return
        self._is_eof_written = True
        if not self._buffer:
            self._out.send(Mark.FIN)

    def write_ready(self) -> None:
        """The flow has room again."""
        if self._lost or not self._buffer:
            return
        self._flush()
        self._maybe_resume_protocol()  # may write more
        if not self._buffer:
            if self._is_closing:
                self._lost += 1
                self._connection_lost(None)
            elif self._is_eof_written:
                self._out.send(Mark.FIN)

    def _flush(self) -> None:
        while self._buffer and (room := self._out.room) > 0:
            data = self._buffer.popleft()
            if len(data) > room:
                self._buffer.appendleft(data[room:])
                data = data[:room]
            self._buffered -= len(data)
            self._out.send(data)

    # --- the end ---------------------------------------------------------------------------------------

    def is_closing(self) -> bool:
        """Whether ``close`` was called or the connection is lost."""
        return self._is_closing

    def close(self) -> None:
        """Read no more, send what is buffered, then finish: ``connection_lost(None)`` follows."""
        if self._is_closing:
            return
        self._is_closing = True
        if not self._buffer:
            self._lost += 1
            self._later(self._connection_lost, None)

    def abort(self) -> None:
        """Drop what is buffered and close: ``connection_lost(None)`` follows.

        As with a socket the peer sees the end of the stream, not a reset, unless ``SO_LINGER`` says so.
        """
        self._force_close(None)

    def die(self, fault: BaseException | None) -> None:
        """The host lost its power: the protocol learns it, the peer does not."""
        self._force_close(fault)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Call this protocol from now on."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol called at present."""
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol

    def _fatal_error(self, fault: BaseException | None, message: str) -> None:
        if not isinstance(fault, OSError):
            self._loop.call_exception_handler(
                {"message": message, "exception": fault, "transport": self, "protocol": self._protocol}
            )
        self._force_close(fault)

    def _force_close(self, fault: BaseException | None) -> None:
        if self._lost:
            return
        self._buffer.clear()
        self._buffered = 0
        self._is_closing = True
        self._lost += 1
        self._later(self._connection_lost, fault)

    def _connection_lost(self, fault: BaseException | None) -> None:
        try:
            self._protocol.connection_lost(fault)
        finally:
            self._hang_up()
            if self._server is not None:
                self._server.detach(self)
                self._server = None

    def _hang_up(self) -> None:
        """Close the socket: as in a kernel, a reset if data was left unread, else the end of the stream."""
        if self._in.fault is None:
            if self._socket.resets_on_close or self._in.has_unread:
                self._out.send(Mark.RST)
            elif not self._is_eof_written:
                self._out.send(Mark.FIN)
        self._in.receiver = None
        self._out.sender = None
        self._connection.closed(self)

    def _later(self, callback: Any, *args: Any) -> None:
        self._loop.call_soon(callback, *args, context=self.context)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
