"""A family of lamps on TCP: `READ` is answered by `= lamp:1 level:10`, `SET lamp 1` by `OK`, after a login."""

# ruff: noqa: TC001, TC003, I001
from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any

from holdfast.errors import ConfigurationError, LoginRefused, Silent
from holdfast.link.driver import Driver, Family, LinkTiming, Poll, Trait
from holdfast.link.planner import one_wish_one_step
from holdfast.link.session import Endpoint, Session, Sink
from holdfast.link.stream import StreamSession
from holdfast.link.stream_codec import Question
from holdfast.model import (
    Adapter, Batch, Capability, Device, Event, Heard, HeardWhy, Identity, Junk, Periodic, Sanity, Say, Sign, Value,
    ValueType, VerifyPlan,
)  # fmt: skip
from holdfast.transports.tcp import dial_tcp

PORT = 7000


class LampCodec:
    """The wire format, without I/O; one object a session."""

    gap_s = 0.05

    def __init__(self, password: str) -> None:
        self._password = password
        self._buffer = b""

    def login(self) -> Generator[Say, Heard, Identity | None]:
        # Say this, then listen until a line is complete, 0.1 s without a byte, or 1 s in all.
        heard = yield Say(f"LOGIN {self._password}\n".encode(), lambda data: b"\n" in data, 0.1, 1.0)
        if heard.why is not HeardWhy.ENOUGH:
            raise Silent("no answer to the login")
        line, _, self._buffer = heard.data.partition(b"\n")
        if not line.startswith(b"WELCOME"):
            raise LoginRefused("the password was refused")
        return Identity(model=line.removeprefix(b"WELCOME").decode("ascii", "replace").strip())

    def request(self, what: str) -> bytes:
        return f"{what}\n".encode()

    def encode(self, payload: Any) -> bytes:
        key, value = payload  # as `one_wish_one_step` makes it; raise ValueError for what must never be sent
        return f"SET {key} {int(value)}\n".encode()

    def feed(self, data: bytes) -> Iterable[Event]:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return [self._read(line) for line in lines]

    def _read(self, line: bytes) -> Event:
        if line == b"OK":
            return Sign("ack")
        try:
            pairs = [item.split(b":") for item in line.removeprefix(b"= ").split()]
            raw = tuple((name.decode("ascii"), int(number)) for name, number in pairs)
        except ValueError:
            return Junk("line", line)
        is_whole = [name for name, _ in raw] == ["lamp", "level"]
        return Batch("", "live", raw, line + b"\n") if is_whole else Junk("line", line)

    def answers(self, job: Question, event: Event) -> bool:
        return isinstance(event, Sign if job.is_step else Batch)

    @property
    def is_partial(self) -> bool:
        return bool(self._buffer)

    def flush(self) -> Iterable[Event]:
        cut, self._buffer = self._buffer, b""
        return [Junk("cut", cut)] if cut else []

    def goodbye(self) -> bytes:
        return b"BYE\n"


def project(member: str, group: str, raw: Any, before: Mapping[str, Value]) -> Mapping[str, Value]:
    """What a batch says of each capability."""
    numbers: dict[str, int] = dict(raw)
    return {"lamp": bool(numbers["lamp"]), "level": numbers["level"]}


FRESH = Periodic(deadline_s=2.0, interval_s=0.35)
VERIFY = VerifyPlan(pauses_s=(0.0, 1.5, 1.5), bound_s=1.0, wait_s=1.5)  # three attempts
CAPABILITIES = (
    Capability(key="lamp", type=ValueType.BOOLEAN, role="light", writable=True, freshness=FRESH, verify=VERIFY),
    Capability(key="level", type=ValueType.NUMBER, unit="%", minimum=0, maximum=100, writable=True,
               freshness=FRESH, verify=VERIFY, sanity=Sanity(0, 100, jump=50)),
)  # fmt: skip


def prepare(device: Device, adapter: Adapter) -> Driver:
    """One adapter of one device, ready to be linked."""
    host = adapter.url.removeprefix("tcp://")
    if not host:
        raise ConfigurationError("the address is missing", advice="write url: tcp://HOST", path=("url",))

    def connect(drivers: Sequence[Driver], sink: Sink) -> Session:
        return StreamSession(dial_tcp(host, PORT), LampCodec(adapter.password), sink)

    return Driver(
        name=LAMP.name,
        traits=Trait.POLLED | Trait.WRITES | Trait.LOGIN,
        endpoint=Endpoint("tcp", f"{host}:{PORT}", host),
        connect=connect,
        capabilities=CAPABILITIES,
        polls=[Poll("READ", member="", group="live", every_s=0.35, reply_s=0.65)],
        timing=LinkTiming(silence_s=1.4, spacing_s=0.2),
        project=project,
        planner=one_wish_one_step,
    )


LAMP = Family("lamp", prepare)
