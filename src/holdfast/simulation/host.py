"""The machines of the simulated network and their ports."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from holdfast.simulation.conditions import Answer, Conditions

if TYPE_CHECKING:
    import random
    from collections.abc import Container

    from holdfast.simulation.connection import Connection
    from holdfast.simulation.datagram import VirtualDatagramTransport
    from holdfast.simulation.network import Network
    from holdfast.simulation.server import VirtualServer

FIRST_FREE_PORT = 49152
"""Where ports given out by the kernel begin (IANA's dynamic range)."""


class Host(Conditions):
    """A machine with a name, an IPv4 address and its own random source (its jitter is its own affair).

    ``dials`` counts attempts that reached it, ``bytes_in`` and ``bytes_out`` what arrived at and from it.
    """

    def __init__(self, network: Network, name: str, address: str, source: random.Random) -> None:
        super().__init__()
        self.name = name
        self.address = address
        self.random = source
        self.dials = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.servers: dict[int, VirtualServer] = {}
        self.datagrams: dict[int, VirtualDatagramTransport] = {}
        self._network = network
        self._ports: dict[int, Port] = {}
        self._connections: dict[Connection, None] = {}
        self._next_free_port = FIRST_FREE_PORT

    def __repr__(self) -> str:
        met = self.answer.name.lower()
        return f"<Host {self.name} {self.address}, {met}, {self.open_connections} connections>"

    def port(self, number: int) -> Port:
        """The port, for faults of its own: ``host.port(9999).refuse()``."""
        if number not in self._ports:
            self._ports[number] = Port(self, number)
        return self._ports[number]

    @property
    def open_connections(self) -> int:
        """Connections of this host that either side still knows."""
        return len(self._connections)

    def connections(self) -> list[Connection]:
        """All of them, dialled here or elsewhere, oldest first."""
        return list(self._connections)

    def crash(self) -> None:
        """Cut the power: connections are forgotten here, nobody is told, and the host is a blackhole.

        The simulated device's own protocols get ``connection_lost(ConnectionAbortedError)``. After
        ``restore`` its servers listen again, and whatever still speaks on an old connection is reset.
        """
        for connection in self.connections():
            connection.forget(self)
        self.blackhole()

    def reboot(self, down_s: float) -> None:
        """Crash now and restore after ``down_s`` seconds."""
        self.crash()
        self._network.loop.call_later(down_s, self.restore)

    # --- asked by the network --------------------------------------------------------------------------

    def take_port(self, number: int, taken: Container[int]) -> int:
        """A port to bind: ``number`` itself, or the next free one for 0. Raises ``EADDRINUSE``."""
        if number == 0:
            return self.next_port(taken)
        if number in taken:
            raise OSError(
                errno.EADDRINUSE,
                f"error while attempting to bind on address {(self.address, number)}: address already in use",
            )
        return number

    def next_port(self, taken: Container[int] = ()) -> int:
        """The next port that the kernel would give out of its own accord."""
        while True:
            number = self._next_free_port
            self._next_free_port = number + 1 if number < 65535 else FIRST_FREE_PORT
            if number not in taken:
                return number

    def enter(self, connection: Connection) -> None:
        """Know the connection."""
        self._connections[connection] = None

    def leave(self, connection: Connection) -> None:
        """Know it no longer."""
        self._connections.pop(connection, None)


class Port(Conditions):
    """One port of a host, with conditions of its own."""

    def __init__(self, host: Host, number: int) -> None:
        super().__init__()
        self.host = host
        self.number = number

    def __repr__(self) -> str:
        return f"<Port {self.host.name}:{self.number}, {self.met().name.lower()}>"

    def connections(self) -> list[Connection]:
        """Connections dialled to this port, oldest first."""
        return [connection for connection in self.host.connections() if connection.port is self]

    def met(self) -> Answer:
        """How a dial to this port is met: by the host, the port and whether anybody listens."""
        server = self.host.servers.get(self.number)
        is_served = server is not None and server.is_serving()
        return max(self.host.answer, self.answer, Answer.ACCEPT if is_served else Answer.REFUSE)
