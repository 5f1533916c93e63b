"""A toy that answers questions over a stream: one line asks, one line answers, a login first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from holdfast.errors import LoginRefused, Silent
from holdfast.link.driver import Driver, Family, LinkTiming, Poll, Trait
from holdfast.link.planner import one_wish_one_step
from holdfast.link.session import Endpoint, Sink
from holdfast.link.stream import StreamSession
from holdfast.model import (
    Adapter,
    Batch,
    Capability,
    Device,
    Event,
    Heard,
    HeardWhy,
    Identity,
    Junk,
    Periodic,
    Sanity,
    Say,
    Sign,
    Value,
    ValueType,
    VerifyPlan,
)
from holdfast.transports.tcp import dial_tcp

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

    from holdfast.link.stream_codec import Question

PORT = 7000
OPEN = "open"


class LineCodec:
    """`READ` is answered by `= name:value ...`, `SET name value` by `OK`."""

    gap_s = 0.05

    def __init__(self, password: str) -> None:
        self._password = password
        self._buffer = b""

    def login(self) -> Generator[Say, Heard, Identity | None]:
        heard = yield Say(f"LOGIN {self._password}\n".encode(), lambda data: b"\n" in data, 0.1, 1.0)
        if heard.why is not HeardWhy.ENOUGH:
            raise Silent("no answer to the login")
        if not heard.data.startswith(b"WELCOME"):
            raise LoginRefused("the password was refused")
        line, _, self._buffer = heard.data.partition(b"\n")
        return Identity(serial=line.split()[1].decode())

    def request(self, what: str) -> bytes:
        return what.encode() + b"\n"

    def encode(self, payload: Any) -> bytes:
        key, value = payload
        if value == 66:
            raise ValueError("66 must never be sent")
        return f"SET {key} {int(value)}\n".encode()

    def feed(self, data: bytes) -> Iterable[Event]:
        self._buffer += data
        while b"\n" in self._buffer:
            line, _, self._buffer = self._buffer.partition(b"\n")
            yield self._read(line)

    def _read(self, line: bytes) -> Event:
        if line == b"OK":
            return Sign("ack")
        try:
            pairs = [item.split(b":") for item in line.removeprefix(b"= ").split()]
            raw = tuple((name.decode(), int(value)) for name, value in pairs)
        except ValueError:
            return Junk("line", line)
        return Batch("", "live", raw, line + b"\n") if line.startswith(b"= ") else Junk("line", line)

    def answers(self, job: Question, event: Event) -> bool:
        return isinstance(event, Sign) if job.is_step else isinstance(event, Batch)

    @property
    def is_partial(self) -> bool:
        return bool(self._buffer)

    def flush(self) -> Iterable[Event]:
        junk, self._buffer = self._buffer, b""
        if junk:
            yield Junk("cut", junk)

    def goodbye(self) -> bytes:
        return b"BYE\n"


def project(member: str, group: str, raw: Any, before: Mapping[str, Value]) -> Mapping[str, Value]:
    values: dict[str, Value] = dict(raw)
    return {"lamp": bool(values["lamp"]), "level": values["level"]}


CAPABILITIES = (
    Capability(
        key="lamp", type=ValueType.BOOLEAN, writable=True, role="light", freshness=Periodic(2.0, 0.35),
        verify=VerifyPlan((0.0, 1.5, 1.5), wait_s=1.5, bound_s=1.0),
    ),
    Capability(
        key="level", type=ValueType.NUMBER, writable=True, minimum=0, maximum=100, freshness=Periodic(2.0, 0.35),
        sanity=Sanity(0, 100, jump=50), verify=VerifyPlan((0.0, 1.5, 1.5), wait_s=1.5, bound_s=1.0),
    ),
)  # fmt: skip


def prepare(device: Device, adapter: Adapter) -> Driver:
    host = adapter.url

    def connect(drivers: Sequence[Driver], sink: Sink) -> StreamSession:
        return StreamSession(dial_tcp(host, PORT), LineCodec(adapter.password or OPEN), sink)

    return Driver(
        name="lockstep",
        traits=Trait.POLLED | Trait.WRITES | Trait.LOGIN,
        endpoint=Endpoint("tcp", f"{host}:{PORT}", host),
        connect=connect,
        capabilities=CAPABILITIES,
        polls=[Poll("READ", "", "live", 0.35, 0.65)],
        timing=LinkTiming(silence_s=1.4, spacing_s=0.2),
        project=project,
        planner=one_wish_one_step,
    )


LOCKSTEP = Family("lockstep", prepare)


class LineDevice:
    """The device's side."""

    def __init__(self) -> None:
        self.state = {"lamp": 0, "level": 10}
        self.password = OPEN
        self.reply_s = 0.0
        self.effect_s = 0.0
        self.acks = True
        self.answers_as_asked = False
        self.is_deaf = False
        self.stuck: set[str] = set()
        self.logins = 0
        self.polls = 0
        self.sets: list[tuple[float, str, int]] = []
        self.goodbyes = 0
        self.open: list[asyncio.Transport] = []

    async def listen(self, host: str) -> asyncio.AbstractServer:
        return await asyncio.get_running_loop().create_server(lambda: _LineServer(self), host, PORT)


class _LineServer(asyncio.Protocol):
    def __init__(self, device: LineDevice) -> None:
        self.device = device
        self.buffer = b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.device.open.append(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.device.open.remove(self.transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\n" in self.buffer:
            line, _, self.buffer = self.buffer.partition(b"\n")
            self.heard(line.decode())

    def heard(self, line: str) -> None:
        device = self.device
        loop = asyncio.get_running_loop()
        words = line.split()
        if words[0] == "BYE":
            device.goodbyes += 1
        if device.is_deaf:
            return
        if words[0] == "LOGIN":
            device.logins += 1
            self.say(b"WELCOME toy\n" if words[1] == device.password else b"NO\n")
        elif words[0] == "READ":
            device.polls += 1
            loop.call_later(
                device.reply_s, self.report, dict(device.state) if device.answers_as_asked else None
            )
        elif words[0] == "SET":
            device.sets.append((loop.time(), words[1], int(words[2])))
            if words[1] not in device.stuck:
                loop.call_later(device.effect_s, device.state.__setitem__, words[1], int(words[2]))
            if device.acks:
                self.say(b"OK\n")

    def report(self, state: dict[str, int] | None) -> None:
        if not self.device.is_deaf:
            state = state or self.device.state
            self.say(b"= " + b" ".join(f"{k}:{v}".encode() for k, v in state.items()) + b"\n")

    def say(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)
