"""A toy that speaks unasked: packs behind one gateway, told apart by the address in each frame."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from holdfast.link.driver import Driver, Family, LinkTiming, Trait
from holdfast.link.session import Endpoint, Sink
from holdfast.link.stream import StreamSession
from holdfast.model import (
    Adapter,
    Batch,
    Capability,
    Device,
    Event,
    Heard,
    Identity,
    Junk,
    Periodic,
    Sanity,
    Say,
    Value,
    ValueType,
)
from holdfast.transports.tcp import dial_tcp

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

    from holdfast.link.stream_codec import Question

PORT = 7100


def frame(address: int, millivolts: int) -> bytes:
    body = f"{address}:{millivolts}"
    return f"<{body}*{sum(body.encode()) % 256:02x}>".encode()


class FrameCodec:
    """Frames `<address:millivolts*checksum>`, anything between them is junk."""

    gap_s = 0.2

    def __init__(self) -> None:
        self._buffer = b""

    def login(self) -> Generator[Say, Heard, Identity | None]:
        return None
        yield

    def request(self, what: str) -> bytes:
        raise AssertionError("a listener asks nothing")

    def encode(self, payload: Any) -> bytes:
        raise AssertionError("a listener sends nothing")

    def feed(self, data: bytes) -> Iterable[Event]:
        self._buffer += data
        while b">" in self._buffer:
            unit, _, self._buffer = self._buffer.partition(b">")
            junk, mark, body = unit.rpartition(b"<")
            if junk:
                yield Junk("between", junk)
            content, _, checksum = body.partition(b"*")
            if not mark or f"{sum(content) % 256:02x}".encode() != checksum:
                yield Junk("checksum", unit)
                continue
            address, _, millivolts = content.decode("ascii", "replace").partition(":")
            yield Batch(address, "live", int(millivolts))

    def answers(self, job: Question, event: Event) -> bool:
        return False

    @property
    def is_partial(self) -> bool:
        return bool(self._buffer)

    def flush(self) -> Iterable[Event]:
        junk, self._buffer = self._buffer, b""
        yield Junk("cut", junk)

    def goodbye(self) -> bytes:
        return b""


def project(member: str, group: str, raw: Any, before: Mapping[str, Value]) -> Mapping[str, Value]:
    return {f"{member}/voltage": raw / 1000}


def prepare(device: Device, adapter: Adapter) -> Driver:
    host = adapter.url
    members: Sequence[str] = device.options["members"]

    def connect(drivers: Sequence[Driver], sink: Sink) -> StreamSession:
        return StreamSession(dial_tcp(host, PORT), FrameCodec(), sink)

    return Driver(
        name="bus",
        traits=Trait.PASSIVE | Trait.MEMBERS,
        endpoint=Endpoint("tcp", f"{host}:{PORT}", host),
        connect=connect,
        capabilities=[
            Capability(
                key=f"{member}/voltage",
                type=ValueType.NUMBER,
                unit="V",
                member=member,
                freshness=Periodic(15.0, 5.0),
                sanity=Sanity(10.0, 60.0, jump=5.0),
            )
            for member in members
        ],
        timing=LinkTiming(silence_s=10.0, first_data_s=30.0),
        project=project,
        members=frozenset(members),
    )


BUS = Family("bus", prepare)


class Gateway:
    """The device's side: writes whatever it is told to every client."""

    def __init__(self) -> None:
        self.clients: list[asyncio.Transport] = []
        self.heard = bytearray()

    async def listen(self, host: str) -> asyncio.AbstractServer:
        return await asyncio.get_running_loop().create_server(lambda: _Client(self), host, PORT)

    def say(self, data: bytes) -> None:
        for client in self.clients:
            client.write(data)

    async def chatter(self, addresses: Sequence[int], *, every_s: float = 5.0, seconds: float) -> None:
        """Batteries in turn for so long, at 50 V and a bit."""
        loop = asyncio.get_running_loop()
        end_t = loop.time() + seconds
        k = 0
        while loop.time() < end_t:
            for address in addresses:
                self.say(frame(address, 50_000 + address * 100 + k % 7))
            k += 1
            await asyncio.sleep(every_s)


class _Client(asyncio.Protocol):
    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.gateway.clients.append(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.gateway.clients.remove(self.transport)

    def data_received(self, data: bytes) -> None:
        self.gateway.heard += data
