"""A listening socket on a simulated host."""

from __future__ import annotations

import asyncio
import socket
from contextvars import copy_context
from typing import TYPE_CHECKING

from holdfast.simulation.transport import VirtualSocket

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.simulation.host import Host
    from holdfast.simulation.loop import VirtualLoop
    from holdfast.simulation.transport import StreamTransport


class VirtualServer(asyncio.AbstractServer):
    """Accepts connections to one port of one host, as ``asyncio.Server`` does (that of Python 3.13).

    The port is bound from creation to ``close``; while not serving, dials to it are refused.
    """

    def __init__(
        self, loop: VirtualLoop, host: Host, number: int, factory: Callable[[], asyncio.BaseProtocol]
    ) -> None:
        self.host = host
        self.port = number
        self.context = copy_context()
        self._loop = loop
        self._factory = factory
        self._socket = VirtualSocket(socket.SOCK_STREAM, (host.address, number), None)
        self._clients: dict[StreamTransport, None] = {}
        self._is_serving = False
        self._is_closed = False
        self._closing = loop.create_future()  # done once closed and the last client has gone
        self._forever: asyncio.Future[None] | None = None

    def __repr__(self) -> str:
        state = "serving" if self._is_serving else "closed" if self._is_closed else "bound"
        return f"<VirtualServer {self.host.name}:{self.port} {state}, {len(self._clients)} clients>"

    @property
    def sockets(self) -> tuple[VirtualSocket, ...]:
        """The listening socket, none once closed."""
        return () if self._is_closed else (self._socket,)

    def get_loop(self) -> VirtualLoop:
        """The loop it runs in."""
        return self._loop

    def is_serving(self) -> bool:
        """Whether connections are accepted."""
        return self._is_serving

    async def start_serving(self) -> None:
        """Accept from now on."""
        if self._is_closed:
            raise RuntimeError(f"server {self!r} is closed")
        self._is_serving = True

    async def serve_forever(self) -> None:
        """Accept until cancelled, then close."""
        await self.start_serving()
        self._forever = self._loop.create_future()
        try:
            await self._forever
        finally:
            self._forever = None
            self.close()
            await self.wait_closed()

    def close(self) -> None:
        """Listen no more; open connections live on."""
        if self._is_closed:
            return
        self._is_closed = True
        self._is_serving = False
        del self.host.servers[self.port]
        if self._forever is not None and not self._forever.done():
            self._forever.cancel()
        self._wake_if_over()

    def close_clients(self) -> None:
        """Close every connection accepted here."""
        for transport in list(self._clients):
            transport.close()

    def abort_clients(self) -> None:
        """Close every connection accepted here at once."""
        for transport in list(self._clients):
            transport.abort()

    async def wait_closed(self) -> None:
        """Return once closed and the last connection is lost."""
        await asyncio.shield(self._closing)

    # --- asked by connections --------------------------------------------------------------------------

    def make_protocol(self) -> asyncio.BaseProtocol | None:
        """A protocol for a new connection; ``None`` if the factory failed, which is reported."""
        try:
            return self._factory()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as fault:  # noqa: BLE001 - as asyncio: reported, and the server lives on
            message = "Error on transport creation for incoming connection"
            self._loop.call_exception_handler({"message": message, "exception": fault})
            return None

    def attach(self, transport: StreamTransport) -> None:
        """A connection has been accepted."""
        self._clients[transport] = None

    def detach(self, transport: StreamTransport) -> None:
        """A connection is lost."""
        self._clients.pop(transport, None)
        self._wake_if_over()

    def _wake_if_over(self) -> None:
        if self._is_closed and not self._clients and not self._closing.done():
            self._closing.set_result(None)
