"""A connection: two flows, the two ends between them, and how it comes about."""

from __future__ import annotations

import asyncio
import errno
import os
from contextvars import copy_context
from typing import TYPE_CHECKING, TypeVar

from holdfast.simulation.conditions import Answer
from holdfast.simulation.flow import Flow, Mark
from holdfast.simulation.transport import StreamTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.simulation.host import Host, Port
    from holdfast.simulation.network import Network

_ProtocolT = TypeVar("_ProtocolT", bound=asyncio.BaseProtocol)

DIAL_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""A kernel that hears nothing asks again after these pauses and gives up after the last (Linux,
``tcp_syn_retries`` 6: 127 s in all)."""


class Connection:
    """What the network knows of one connection; ``inbound`` runs to the server, ``outbound`` to the client.

    An end is ``None`` before it is opened and after it is closed or forgotten.
    """

    def __init__(self, network: Network, dialler: Host, port: Port) -> None:
        self.network = network
        self.loop = network.loop
        self.dialler = dialler
        self.port = port
        self.client_address = (dialler.address, dialler.next_port())
        self.server_address = (port.host.address, port.number)
        self.client: StreamTransport | None = None
        self.server: StreamTransport | None = None
        context = copy_context()
        self.inbound = Flow(self, is_inbound=True, context=context)
        self.outbound = Flow(self, is_inbound=False, context=context)
        self.inbound.reverse, self.outbound.reverse = self.outbound, self.inbound
        self._is_accept_due = True
        dialler.enter(self)
        port.host.enter(self)
        self.reconsider()

    def __repr__(self) -> str:
        (ip, number), here = self.client_address, self.port
        return f"<Connection {self.dialler.name} {ip}:{number} -> {here.host.name}:{here.number}>"

    # --- its life --------------------------------------------------------------------------------------

    def open(self, protocol: asyncio.BaseProtocol, waiter: asyncio.Future[None]) -> StreamTransport:
        """Open the client's end; the server accepts once this news has reached it, before any byte does."""
        self.client = StreamTransport(self, protocol, self.outbound, self.inbound, self.outbound.context)
        self.client.start(waiter)
        self.inbound.send(Mark.OPEN)
        return self.client

    def accept(self) -> None:
        """Hand the connection to whoever listens; nobody any more resets it."""
        server = self.port.host.servers.get(self.port.number)
        if server is None or not server.is_serving():
            self.outbound.send(Mark.RST)
            self.miss()
            return
        self.inbound.context = context = server.context.run(copy_context)
        protocol = context.run(server.make_protocol)
        if protocol is None:
            self.outbound.send(Mark.FIN)
            self.miss()
            return
        self._is_accept_due = False
        self.server = StreamTransport(self, protocol, self.inbound, self.outbound, context, server)
        self.server.start()

    def miss(self) -> None:
        """The server will never hear of it."""
        self._is_accept_due = False
        self._leave_if_over()

    def closed(self, end: StreamTransport) -> None:
        """One end is closed: its kernel answers for it from now on."""
        if end is self.client:
            self.client = None
        elif end is self.server:
            self.server = None
        self._leave_if_over()

    def _leave_if_over(self) -> None:
        if self.client is None and self.server is None and not self._is_accept_due:
            self.dialler.leave(self)
            self.port.host.leave(self)

    # --- its faults ------------------------------------------------------------------------------------

    def reconsider(self) -> None:
        """Conditions at one of the three places that rule this connection have changed."""
        near, far, port = self.dialler, self.port.host, self.port
        is_mute = near.is_mute or far.is_mute or port.is_mute
        for flow in (self.inbound, self.outbound):
            there, back = flow.is_inbound, not flow.is_inbound
            is_black = (
                near.is_black(inbound=back) or far.is_black(inbound=there) or port.is_black(inbound=there)
            )
            flow.reconsider(is_black=is_black, is_mute=is_mute)

    def reset(self) -> None:
        """Send a reset to both ends, as a broken middlebox does."""
        self.inbound.send(Mark.RST)
        self.outbound.send(Mark.RST)

    def finish(self) -> None:
        """Close the server's end in good order."""
        if self.server is not None:
            self.server.close()

    def forget(self, host: Host) -> None:
        """The power went at ``host``: its ends are gone without a word to the other side."""
        for place, flow in ((self.port.host, self.inbound), (self.dialler, self.outbound)):
            if place is host:
                self._is_accept_due = False
                end, flow.receiver = flow.receiver, None
                flow.is_forgotten = True
                flow.fail(ConnectionAbortedError(errno.ECONNABORTED, "Power failure"))
                if end is not None:
                    end.die(flow.fault)
        self._leave_if_over()

    # --- its traces ------------------------------------------------------------------------------------

    def note(self, flow: Flow, payload: bytes | Mark) -> None:
        """Count what arrives, and tell those who watch."""
        source, target = self.client_address, self.server_address
        if not flow.is_inbound:
            source, target = target, source
        if isinstance(payload, bytes):
            size, near, far = len(payload), self.dialler, self.port.host
            sender, receiver = (near, far) if flow.is_inbound else (far, near)
            sender.bytes_out += size
            receiver.bytes_in += size
            if self.network.watchers:
                self.network.tell("data", source, target, payload)
        elif self.network.watchers:
            self.network.tell(payload.value, source, target)


async def dial(
    network: Network, dialler: Host, port: Port, factory: Callable[[], _ProtocolT]
) -> tuple[StreamTransport, _ProtocolT]:
    """Connect, or raise what a kernel would. Cancelled at any point, it leaves nothing behind."""
    source, target = (dialler.address, 0), (port.host.address, port.number)
    network.tell("dial", source, target)
    for pause_s in DIAL_PAUSES_S:
        asked_at = network.loop.time()
        await asyncio.sleep(_delay_s(port))
        answer = max(dialler.answer, port.met())
        if answer is not Answer.SILENCE:
            break
        await asyncio.sleep(asked_at + pause_s - network.loop.time())
    else:
        network.tell("timeout", target, source)
        raise TimeoutError(errno.ETIMEDOUT, f"Connect call failed {target!r}")
    if answer is Answer.UNREACHABLE:
        place = next(place for place in (dialler, port.host, port) if place.answer is answer)
        await asyncio.sleep(place.unreachable_after_s)
        network.tell("unreachable", target, source)
        raise OSError(place.unreachable_errno, os.strerror(place.unreachable_errno))
    port.host.dials += 1
    await asyncio.sleep(_delay_s(port))
    if answer is Answer.REFUSE:
        network.tell("refused", target, source)
        raise ConnectionRefusedError(errno.ECONNREFUSED, f"Connect call failed {target!r}")
    protocol = factory()
    waiter = network.loop.create_future()
    connection = Connection(network, dialler, port)
    transport = connection.open(protocol, waiter)
    network.tell("connected", connection.server_address, connection.client_address)
    try:
        await waiter
    except BaseException:
        transport.close()
        raise
    return transport, protocol


def _delay_s(port: Port) -> float:
    latency = port.latency or port.host.latency
    return latency.draw(port.host.random) if latency else 0.0
