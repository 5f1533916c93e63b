"""An RS485-to-TCP gateway in transparent mode: every client hears the bus, and may speak on it."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from holdfast.simulators.jkbms.behaviour import Crowding, OutletBehaviour, Welcome
from holdfast.simulators.jkbms.outlet import Outlet, Piece

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from holdfast.simulators.jkbms.bus import Bus
    from holdfast.simulators.jkbms.timetable import Timetable
    from holdfast.simulators.jkbms.truth import Receiver

REBIND_PAUSE_S = 0.1
"""Between attempts to listen again after a refusal, should the port be taken meanwhile."""

CLOSE_LIMIT_S = 0.2
"""How long stopping waits for clients that read nothing before it cuts them off."""

_LINGER_NOT = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Gateway(Outlet):
    """It can be dialled at ``host`` and ``port`` (0: any free one) between `start` and `stop`."""

    def __init__(
        self,
        bus: Bus,
        *,
        rng: random.Random,
        host: str = "127.0.0.1",
        port: int = 0,
        behaviour: OutletBehaviour | None = None,
        timetable: Timetable | None = None,
    ) -> None:
        super().__init__(bus, rng=rng, behaviour=behaviour, timetable=timetable)
        self.host = host
        self.port = port
        self._clients: dict[Client, None] = {}  # all that are open, oldest first
        self._ghosts: deque[asyncio.TimerHandle] = deque()  # places of the dead, oldest first
        self._server: asyncio.Server | None = None
        self._opening: asyncio.Task[None] | None = None
        self._open_again: asyncio.TimerHandle | None = None
        self._all_gone: asyncio.Future[None] | None = None

    # --- life ---------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen to the bus and for clients. Raises `OSError` if the port cannot be had."""
        if self._is_running:
            raise RuntimeError("the gateway is running")
        if self.behaviour.is_listening:
            await self._listen()
        self._begin()

    async def stop(self) -> None:
        """Pull the plug: no connection, timer or task is left. It may be started again."""
        if not self._is_running:
            return
        self._cease()
        for timer in (self._open_again, *self._ghosts):
            if timer is not None:
                timer.cancel()
        self._ghosts.clear()
        if self._opening is not None:
            await asyncio.wait((self._opening,))
        server, self._server = self._server, None
        if server is not None:
            _hang_up(server)
        await self._close_all()
        if server is not None:
            await server.wait_closed()
        self._troubles.end_all()

    async def __aenter__(self) -> Gateway:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    # --- what it looks like -------------------------------------------------------------------------------

    @property
    def connections(self) -> int:
        """Connections open now, served or not."""
        return len(self._clients)

    @property
    def places_taken(self) -> int:
        """Places that clients take, those included who have gone and are not known to be."""
        return sum(client.is_served for client in self._clients) + len(self._ghosts)

    # --- what faults do -----------------------------------------------------------------------------------

    def drop_all(self) -> None:
        """Close every connection with a FIN."""
        for client in tuple(self._clients):
            client.drop()

    def reset_all(self) -> None:
        """Close every connection with an RST."""
        for client in tuple(self._clients):
            client.reset()

    def forget_all(self) -> None:
        """Know no connection any more, and tell nobody."""
        for client in tuple(self._clients):
            client.forget()

    # --- what its connections call ------------------------------------------------------------------------

    def joined(self, client: Client) -> Welcome:
        """A connection is there; what becomes of it."""
        behaviour = self.behaviour
        self._clients[client] = None
        if not self._is_running:
            return Welcome.DROP
        if behaviour.welcome is not Welcome.SERVE:
            return behaviour.welcome
        if not self._has_room() and behaviour.crowding is Crowding.OLDEST:
            self._make_room()
        if self._has_room():
            client.serve(self._new_receiver())
        elif behaviour.crowding is Crowding.CLOSE:
            return Welcome.DROP
        return Welcome.SERVE

    def left(self, client: Client) -> None:
        """A connection is gone, or no longer served."""
        was_served = client.is_served
        client.is_served = False
        self._clients.pop(client, None)
        dead_s = self.behaviour.dead_s
        if was_served and dead_s > 0.0 and self._is_running and not client.was_ended_here:
            self._haunt(dead_s)
        else:
            self._invite()
        if not self._clients and self._all_gone is not None and not self._all_gone.done():
            self._all_gone.set_result(None)

    # --- inside -------------------------------------------------------------------------------------------

    def _write(self, piece: Piece) -> Iterator[Receiver]:
        behaviour = self.behaviour
        for client in tuple(self._clients):
            receiver = client.receiver
            if receiver is None or not client.is_served:
                continue
            is_full = client.unread_bytes() + len(piece.data) > behaviour.client_buffer_bytes
            if behaviour.is_stalled or is_full:
                receiver.miss(len(piece.data), piece.end)
            else:
                client.transport.write(piece.data)
                yield receiver

    def _has_room(self) -> bool:
        places = self.behaviour.clients
        return places is None or self.places_taken < places

    def _make_room(self) -> None:
        if self._ghosts:
            self._ghosts.popleft().cancel()
        else:
            oldest = next((client for client in self._clients if client.is_served), None)
            if oldest is not None:
                oldest.drop()

    def _haunt(self, dead_s: float) -> None:
        def bury() -> None:
            self._ghosts.remove(ghost)
            self._invite()

        ghost = asyncio.get_running_loop().call_later(dead_s, bury)
        self._ghosts.append(ghost)

    def _invite(self) -> None:
        """A place may be free: whoever waits longest has it."""
        for client in tuple(self._clients):
            if self._is_running and client.is_waiting and self._has_room():
                client.serve(self._new_receiver())

    def _reconsider(self) -> None:
        if not self._is_running:
            return
        if self.behaviour.dead_s <= 0.0:
            for ghost in self._ghosts:
                ghost.cancel()
            self._ghosts.clear()
        self._invite()
        self._open_or_close()

    def _open_or_close(self) -> None:
        if not (self._is_running and self.behaviour.is_listening):
            if self._server is not None:
                _hang_up(self._server)
                self._server = None
        elif self._server is None and self._opening is None:
            loop = asyncio.get_running_loop()
            self._opening = loop.create_task(self._listen_again(), name="jkbms simulator: listen again")

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Client(self), self.host, self.port)
        if not self.port:
            self.port = self._server.sockets[0].getsockname()[1]

    async def _listen_again(self) -> None:
        try:
            await self._listen()
        except OSError:
            loop = asyncio.get_running_loop()
            self._open_again = loop.call_later(REBIND_PAUSE_S, self._open_or_close)
        finally:
            self._opening = None
        if self._server is not None:
            self._open_or_close()  # it may not be wanted any more

    async def _close_all(self) -> None:
        for _ in range(3):  # what the server has accepted appears within so many turns of the loop
            await asyncio.sleep(0)
        for close in (Client.drop, Client.cut_off):
            if self._clients:
                self._all_gone = asyncio.get_running_loop().create_future()
                for client in tuple(self._clients):
                    close(client)
                await asyncio.wait((self._all_gone,), timeout=CLOSE_LIMIT_S)


class Client(asyncio.Protocol):
    """One TCP connection, from accept to close."""

    def __init__(self, gateway: Gateway) -> None:
        self.receiver: Receiver | None = None
        self.is_served = False
        self.was_ended_here = False
        self.transport: asyncio.Transport
        self._gateway = gateway
        self._is_forgotten = False

    @property
    def is_waiting(self) -> bool:
        """Whether it was accepted, but there is no place for it yet."""
        return not (self.is_served or self._is_forgotten or self.was_ended_here)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        welcome = self._gateway.joined(self)
        if welcome is Welcome.RESET:
            self.reset()
        elif welcome is Welcome.DROP:
            self.drop()

    def data_received(self, data: bytes) -> None:
        """Bytes from the client go to the bus."""
        if self._is_forgotten and self._gateway.behaviour.is_listening:
            self.reset()  # as any kernel answers to a connection that it does not know
        elif self.is_served:
            self._gateway.send_to_bus(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whoever ended it."""
        self._leave()
        self._gateway.left(self)

    def serve(self, receiver: Receiver) -> None:
        """From now on it hears the bus."""
        self.receiver = receiver
        self.is_served = True

    def unread_bytes(self) -> int:
        """What was written and waits in memory to be sent."""
        return self.transport.get_write_buffer_size()

    def drop(self) -> None:
        """Close with a FIN."""
        self._end()
        self.transport.close()

    def reset(self) -> None:
        """Close with an RST: on a real socket the peer's next read fails."""
        self._end()
        sock = self.transport.get_extra_info("socket")
        if sock is not None:
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self.transport.abort()

    def cut_off(self) -> None:
        """Close without waiting for the client to read what was sent."""
        self._end()
        self.transport.abort()

    def forget(self) -> None:
        """The gateway knows it no longer; the socket stays open, as nobody is told."""
        self._is_forgotten = True
        self._end()

    def _end(self) -> None:
        self.was_ended_here = True
        self.is_served = False
        self._leave()

    def _leave(self) -> None:
        if self.receiver is not None and self.receiver.left_at is None:
            self.receiver.left_at = asyncio.get_running_loop().time()


def _hang_up(server: asyncio.Server) -> None:
    """Listen no more, within one turn of the loop.

    A selector loop loses a connection that it accepts in the very turn in which the server closes (it can
    neither be attached nor is it closed, CPython 3.11 to 3.13). So accepting stops first.
    """
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):  # other loops do not have the fault, nor readers
        for sock in server.sockets:
            loop.remove_reader(sock.fileno())
    loop.call_soon(server.close)
