"""UDP: datagrams that are late, lost, out of order, or sent to everybody."""

from __future__ import annotations

import asyncio
import errno
import socket
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from holdfast.simulation.transport import VirtualSocket
from holdfast.simulation.world import OfTheWorld

if TYPE_CHECKING:
    from holdfast.simulation.host import Host, Port
    from holdfast.simulation.network import Network
    from holdfast.simulation.world import Address


class VirtualDatagramTransport(asyncio.DatagramTransport, OfTheWorld):
    """One UDP socket of a simulated host. ``peer`` is set if it talks to one address only."""

    def __init__(
        self,
        network: Network,
        host: Host,
        number: int,
        protocol: asyncio.DatagramProtocol,
        peer: Address | None,
    ) -> None:
        sockname = (host.address, number)
        dummy = VirtualSocket(socket.SOCK_DGRAM, sockname, peer)
        super().__init__({"socket": dummy, "sockname": sockname, "peername": peer})
        self.host = host
        self.number = number
        self.sockname = sockname
        self._network = network
        self._protocol: Any = protocol
        self._peer = peer
        self._context = copy_context()
        self._is_closing = False

    def __repr__(self) -> str:
        state = "closing" if self._is_closing else "open"
        return f"<VirtualDatagramTransport {self.host.name}:{self.number} {state}>"

    def start(self, waiter: asyncio.Future[None]) -> None:
        """Tell the protocol, then wake the one who opened it."""
        loop = self._network.loop
        loop.call_soon(self._protocol.connection_made, self, context=self._context)
        loop.call_soon(_wake, waiter, context=self._context)

    def sendto(self, data: bytes | bytearray | memoryview, addr: Any = None) -> None:
        """Send to ``addr``, an IPv4 address and a port; a broadcast address reaches every host there."""
        if self._peer is not None and addr not in (None, self._peer):
            raise ValueError(f"Invalid address: must be None or {self._peer}")
        target = addr or self._peer
        if target is None:
            raise ValueError("an address is needed")
        if not self._is_closing:
            self._network.send_datagram(self, bytes(data), (str(target[0]), int(target[1])))

    def is_closing(self) -> bool:
        """Whether it is closed."""
        return self._is_closing

    def close(self) -> None:
        """Close; ``connection_lost(None)`` follows."""
        if not self._is_closing:
            self._is_closing = True
            self.host.datagrams.pop(self.number, None)
            self._network.loop.call_soon(self._protocol.connection_lost, None, context=self._context)

    def abort(self) -> None:
        """As ``close``: nothing is ever buffered."""
        self.close()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Call this protocol from now on."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol called at present."""
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol

    # --- asked by datagrams ----------------------------------------------------------------------------

    def received(self, data: bytes, source: Address) -> None:
        """A datagram has arrived."""
        if not self._is_closing:
            self._context.run(self._protocol.datagram_received, data, source)

    def refused(self) -> None:
        """Word has come back that nobody listens; only a socket with one peer hears of it."""
        if self._peer is not None and not self._is_closing:
            fault = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
            self._context.run(self._protocol.error_received, fault)


class Datagram(OfTheWorld):
    """One packet to one port."""

    def __init__(self, sender: VirtualDatagramTransport, data: bytes, target: Port, network: Network) -> None:
        self._sender = sender
        self._data = data
        self._target = target
        self._network = network

    def send(self) -> None:
        """Put it on the wire: the delays of both hosts add up, and either may lose it."""
        origin, target = self._sender.host.port(self._sender.number), self._target
        delay_s, is_lost = 0.0, False
        for place in (origin, target):
            source = place.host.random
            if latency := place.latency or place.host.latency:
                delay_s += latency.draw(source)
            if loss := place.loss or place.host.loss:
                is_lost = source.random() < loss or is_lost
        if not is_lost and not _holds(origin, inbound=False):
            self._network.loop.call_later(delay_s, self._arrive)

    def _arrive(self) -> None:
        target, sender = self._target, self._sender
        if _holds(target, inbound=True):
            return
        address = (target.host.address, target.number)
        self._network.tell("datagram", sender.sockname, address, self._data)
        sender.host.bytes_out += len(self._data)
        target.host.bytes_in += len(self._data)
        receiver = target.host.datagrams.get(target.number)
        if receiver is not None:
            receiver.received(self._data, sender.sockname)
        else:
            sender.refused()


def _holds(port: Port, *, inbound: bool) -> bool:
    """Whether datagrams vanish here: a hung process is as good as none."""
    return any(place.is_mute or place.is_black(inbound=inbound) for place in (port, port.host))


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
