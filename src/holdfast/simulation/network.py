"""The in-memory network: hosts by name and address, and what a loop asks of its network."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import random
import socket
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast.simulation.connection import dial
from holdfast.simulation.datagram import Datagram, VirtualDatagramTransport
from holdfast.simulation.host import Host
from holdfast.simulation.server import VirtualServer
from holdfast.simulation.world import Address, NetworkEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.simulation.loop import VirtualLoop

HERE = frozenset({"", "localhost", "127.0.0.1", "::1", "0.0.0.0", "::"})  # noqa: S104 - names, nothing is bound
"""Names by which a program means the machine that it runs on."""

_ProtocolT = TypeVar("_ProtocolT", bound=asyncio.BaseProtocol)


class Network:
    """Hosts, their names, and the traffic between them.

    ``names`` is the name table (name to IPv4 address), which tests may change; ``here`` is the host that the
    program under test runs on; each of ``watchers`` is called with every ``NetworkEvent``.
    """

    def __init__(self, loop: VirtualLoop, source: random.Random) -> None:
        self.loop = loop
        self.names: dict[str, str] = {}
        self.watchers: list[Callable[[NetworkEvent], object]] = []
        self._salt = source.getrandbits(64)
        self._hosts: dict[str, Host] = {}
        self._addresses: dict[str, Host] = {}
        self._addresses_given = 0
        self.here = self.host("here")

    def host(self, name: str) -> Host:
        """The host with that name or IPv4 address, made at the first mention.

        A name gets the next free address of 10.0.0.0/8. Jitter hangs on the name, not on the order of making.
        """
        found = self._hosts.get(name) or self._addresses.get(name)
        if found is None:
            address = name if _is_address(name) else self._next_address()
            found = Host(self, name, address, random.Random(f"{self._salt}/{name}"))
            self._hosts[name] = self._addresses[address] = found
            self.names[name] = address
        return found

    @property
    def hosts(self) -> list[Host]:
        """All hosts, oldest first."""
        return list(self._hosts.values())

    @property
    def open_connections(self) -> int:
        """Connections that either side still knows."""
        return len({connection for host in self.hosts for connection in host.connections()})

    def resolve(self, name: str | None) -> str:
        """The IPv4 address of a name, or ``socket.gaierror``. Addresses are their own names."""
        if name is None or name in HERE:
            return self.here.address
        if _is_address(name):
            return name
        try:
            return self.names[name]
        except KeyError:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None

    def leftovers(self) -> list[str]:
        """Sockets that the program under test still holds, which are those of ``here``."""
        here = self.here
        ends = [end for link in here.connections() for end in (link.client, link.server) if end is not None]
        return [
            *(repr(end) for end in ends if end.get_extra_info("sockname")[0] == here.address),
            *(repr(server) for server in here.servers.values()),
            *(repr(endpoint) for endpoint in here.datagrams.values()),
        ]

    # --- asked by the loop -----------------------------------------------------------------------------

    async def connect(
        self,
        factory: Callable[[], _ProtocolT],
        host: str | None,
        port: int,
        local_address: tuple[str, int] | None = None,
    ) -> tuple[asyncio.Transport, _ProtocolT]:
        """Dial; see ``VirtualLoop.create_connection``."""
        dialler = self._bound(local_address[0] if local_address else None)
        found = await self.loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        target = self._addresses.get(found[0][4][0])
        if target is None:
            raise OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))
        return await dial(self, dialler, target.port(port), factory)

    def listen(
        self, factory: Callable[[], asyncio.BaseProtocol], name: str | None, port: int
    ) -> VirtualServer:
        """Bind a server; see ``VirtualLoop.create_server``."""
        host = self._bound(name)
        number = host.take_port(port, host.servers)
        server = host.servers[number] = VirtualServer(self.loop, host, number, factory)
        return server

    async def open_datagrams(
        self, factory: Callable[[], Any], local: tuple[str, int] | None, remote: tuple[str, int] | None
    ) -> tuple[VirtualDatagramTransport, Any]:
        """Open a UDP socket; see ``VirtualLoop.create_datagram_endpoint``."""
        name, port = local or (None, 0)
        host = self._bound(name)
        peer = None if remote is None else (self.resolve(remote[0]), int(remote[1]))
        number = host.take_port(port, host.datagrams)
        protocol = factory()
        transport = host.datagrams[number] = VirtualDatagramTransport(self, host, number, protocol, peer)
        waiter = self.loop.create_future()
        transport.start(waiter)
        try:
            await waiter
        except BaseException:
            transport.close()
            raise
        return transport, protocol

    def send_datagram(self, sender: VirtualDatagramTransport, data: bytes, target: Address) -> None:
        """Send to one address, or to every other host that listens there."""
        name, port = target
        if name.endswith(".255") or name == "<broadcast>":
            hosts = [host for host in self.hosts if port in host.datagrams and host is not sender.host]
        else:
            host = self._addresses.get(self.resolve(name))
            hosts = [] if host is None else [host]
        for host in hosts:
            Datagram(sender, data, host.port(port), self).send()

    def tell(self, what: str, source: Address, target: Address, data: bytes = b"") -> None:
        """Tell those who watch."""
        if self.watchers:
            event = NetworkEvent(self.loop.time(), what, source, target, data)
            for watcher in self.watchers:
                watcher(event)

    def _bound(self, name: str | None) -> Host:
        return self.here if name is None or name in HERE else self.host(name)

    def _next_address(self) -> str:
        while True:
            block, last = divmod(self._addresses_given, 250)  # 250 to a block: none ends in .0 or .255
            self._addresses_given += 1
            address = f"10.{block >> 8}.{block & 255}.{last + 1}"
            if address not in self._addresses:
                return address


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
