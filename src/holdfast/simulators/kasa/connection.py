"""One TCP connection, from accept to close: what both transports have in common."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from holdfast.simulators.kasa.behaviour import Handling, Reply, Welcome

if TYPE_CHECKING:
    from holdfast.simulators.kasa.firmware import Firmware
    from holdfast.simulators.kasa.klap import Account
    from holdfast.simulators.kasa.sessions import Sessions

_LINGER_NOT = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)

GARBAGE_SIZE = 64
"""Bytes: whole blocks behind a signature, so that only the content is wrong."""


class Deal(NamedTuple):
    """What is to be said to one request, and how."""

    answer: bytes
    handling: Handling
    delay_s: float


class Station(Protocol):
    """The plug on the network, as its connections see it."""

    sessions: Sessions

    @property
    def firmware(self) -> Firmware:
        """What it speaks now."""

    @property
    def account(self) -> Account:
        """What logins are checked against now."""

    @property
    def is_there(self) -> bool:
        """Whether it has power."""

    def joined(self, connection: Connection) -> Welcome:
        """A connection is there; what becomes of it."""

    def left(self, connection: Connection) -> None:
        """A connection is gone."""

    def serve(self, number: int, text: bytes) -> Deal | None:
        """A request in clear; ``None`` if it means nothing."""

    def admit(self, number: int) -> Deal:
        """A step of a login, or a request that cannot be read for want of one."""

    def settled(self, requests: int) -> None:
        """So many requests were answered, or will never be."""

    def garbage(self, size: int) -> bytes:
        """Bytes that mean nothing."""


class Connection(asyncio.Protocol, ABC):
    """Bytes in, requests to the station, answers out."""

    def __init__(self, station: Station, number: int) -> None:
        self.number = number
        self.is_forgotten = False
        """Whether the plug lost its power while the connection was open."""
        self._station = station
        self._transport: asyncio.Transport | None = None
        self._in_flight = 0
        self._is_ended = False
        self._answers: set[asyncio.TimerHandle] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        welcome = self._station.joined(self)
        if welcome is Welcome.RESET:
            self.reset()
        elif welcome is Welcome.DROP:
            self.drop()

    def data_received(self, data: bytes) -> None:
        """Bytes from the client."""
        if self.is_forgotten:
            if self._station.is_there:
                self.reset()  # as any kernel answers to a connection that it does not know
        elif not self._is_ended:
            self._read(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whoever ended it."""
        self._end()
        self._station.left(self)

    # --- how it ends ------------------------------------------------------------------------------------------

    def drop(self) -> None:
        """Close with a FIN."""
        self._end()
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        """Close with an RST: on a real socket the peer's next read fails."""
        self._end()
        if self._transport is None:
            return
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self._transport.abort()

    def cut_off(self) -> None:
        """Close without waiting for the client to read what was sent."""
        self._end()
        if self._transport is not None:
            self._transport.abort()

    def forget(self) -> None:
        """The plug knows it no longer; the socket stays open, as nobody is told."""
        self.is_forgotten = True
        self._end()

    # --- for the transports -----------------------------------------------------------------------------------

    @abstractmethod
    def _read(self, data: bytes) -> None:
        """Cut it into requests and deal with them."""

    @abstractmethod
    def _noise(self) -> bytes:
        """An answer that means nothing."""

    def _forbid(self) -> bytes | None:
        """The word for 403; ``None`` where there is none."""
        return None

    def _arrived(self) -> None:
        self._in_flight += 1

    def _deliver(self, deal: Deal, wire: bytes) -> None:
        """Say ``wire``, or whatever the handling makes of it."""
        match deal.handling.reply:
            case Reply.NOTHING:
                return
            case Reply.HANG_UP:
                self.drop()
            case Reply.RESET:
                self.reset()
            case Reply.HALF:
                self._write(wire[: len(wire) // 2])
                self.reset()
            case Reply.GARBAGE:
                self._later(deal.delay_s, self._noise())
            case Reply.FORBIDDEN:
                refusal = self._forbid()
                if refusal is None:
                    self.drop()
                else:
                    self._later(deal.delay_s, refusal)
            case Reply.ANSWER:
                self._later(deal.delay_s, wire)

    def _later(self, delay_s: float, wire: bytes) -> None:
        if delay_s <= 0.0:
            self._say(wire)
            return

        def say() -> None:
            self._answers.discard(timer)
            self._say(wire)

        timer = asyncio.get_running_loop().call_later(delay_s, say)
        self._answers.add(timer)

    def _say(self, wire: bytes) -> None:
        self._write(wire)
        self._settle(1)

    def _write(self, wire: bytes) -> None:
        if self._transport is not None:
            self._transport.write(wire)

    def _settle(self, requests: int) -> None:
        self._in_flight -= requests
        self._station.settled(requests)

    def _end(self) -> None:
        self._is_ended = True
        for timer in self._answers:
            timer.cancel()
        self._answers.clear()
        if self._in_flight:
            self._settle(self._in_flight)
