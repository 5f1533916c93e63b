"""What listens: a TCP server or a UDP socket that is open while it is wanted."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

REBIND_PAUSE_S = 0.1
"""Between attempts to listen again after a refusal, should the port be taken meanwhile."""


class Door(ABC):
    """``port`` 0 takes any free one, and keeps it from then on."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._is_wanted = False
        self._opening: asyncio.Task[None] | None = None
        self._open_again: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Listen. Raises `OSError` if the port cannot be had."""
        self._is_wanted = True
        if not self._is_open:
            await self._open()

    async def stop(self) -> None:
        """Listen no more; no timer or task is left."""
        self._is_wanted = False
        if self._open_again is not None:
            self._open_again.cancel()
            self._open_again = None
        if self._opening is not None:
            await asyncio.wait((self._opening,))
        await self._close_for_good()

    def want(self, is_wanted: bool) -> None:
        """Open or close it soon."""
        self._is_wanted = is_wanted
        self._open_or_close()

    @property
    @abstractmethod
    def _is_open(self) -> bool:
        """Whether it listens."""

    @abstractmethod
    async def _open(self) -> None:
        """Listen, and learn the port."""

    @abstractmethod
    def _close(self) -> None:
        """Listen no more, within one turn of the loop."""

    async def _close_for_good(self) -> None:
        if self._is_open:
            self._close()

    def _open_or_close(self) -> None:
        if not self._is_wanted:
            if self._is_open:
                self._close()
        elif not self._is_open and self._opening is None:
            loop = asyncio.get_running_loop()
            self._opening = loop.create_task(self._listen_again(), name="kasa simulator: listen again")

    async def _listen_again(self) -> None:
        try:
            await self._open()
        except OSError:
            loop = asyncio.get_running_loop()
            if self._is_wanted:
                self._open_again = loop.call_later(REBIND_PAUSE_S, self._open_or_close)
        finally:
            self._opening = None
        if self._is_open:
            self._open_or_close()  # it may not be wanted any more


class TcpDoor(Door):
    """``connect`` makes the protocol of each connection."""

    def __init__(self, host: str, port: int, connect: Callable[[], asyncio.BaseProtocol]) -> None:
        super().__init__(host, port)
        self._connect = connect
        self._server: asyncio.Server | None = None

    @property
    def _is_open(self) -> bool:
        return self._server is not None

    async def _open(self) -> None:
        self._server = await asyncio.get_running_loop().create_server(self._connect, self.host, self.port)
        if not self.port:
            self.port = self._server.sockets[0].getsockname()[1]

    def _close(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        # A selector loop loses a connection that it accepts in the very turn in which the server closes (it can
        # neither be attached nor is it closed, CPython 3.11 to 3.13). So accepting stops first.
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError):  # other loops do not have the fault, nor readers
            for sock in server.sockets:
                loop.remove_reader(sock.fileno())
        loop.call_soon(server.close)


class UdpDoor(Door):
    """``answer`` is asked for each datagram; ``None`` is silence."""

    def __init__(self, host: str, port: int, answer: Callable[[bytes], bytes | None]) -> None:
        super().__init__(host, port)
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def _is_open(self) -> bool:
        return self._transport is not None

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        protocol = _Answering(self._answer)
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: protocol, local_addr=(self.host, self.port)
        )
        if not self.port:
            self.port = self._transport.get_extra_info("sockname")[1]

    def _close(self) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()


class _Answering(asyncio.DatagramProtocol):
    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)  # CPython's own is none by inheritance

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._answer(data)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)
