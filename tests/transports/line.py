"""A codec of lines and a sink that writes down, for sessions over a transport."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from holdfast.model import Batch, Heard, HeardWhy, Identity, Reject, Say

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from holdfast.errors import LinkFault
    from holdfast.link.session import End, Job
    from holdfast.link.stream_codec import Question
    from holdfast.model import Capability, Event, Stamp


class LineCodec:
    """Asks for a name; then each line is a batch."""

    gap_s = 1.0

    def __init__(self) -> None:
        self._rest = b""

    def login(self) -> Generator[Say, Heard, Identity | None]:
        heard = yield Say(b"who?\n", lambda data: data.endswith(b"\n"), gap_s=5.0, limit_s=5.0)
        assert heard.why is HeardWhy.ENOUGH
        return Identity(serial=heard.data.decode().strip())

    def request(self, what: str) -> bytes:
        return what.encode() + b"\n"

    def encode(self, payload: Any) -> bytes:
        return bytes(payload)

    def feed(self, data: bytes) -> Iterable[Event]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [Batch("", "line", line) for line in lines]

    def answers(self, job: Question, event: Event) -> bool:
        return True

    @property
    def is_partial(self) -> bool:
        return bool(self._rest)

    def flush(self) -> Iterable[Event]:
        self._rest = b""
        return []

    def goodbye(self) -> bytes:
        return b"bye\n"


class Notes:
    """A sink that writes down."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.faults: list[LinkFault] = []
        self.news = asyncio.Event()

    def observed(self, batch: Batch, as_of: Stamp | None = None) -> bool:
        self.batches.append(batch)
        self.news.set()
        return True

    def lost(self, fault: LinkFault) -> None:
        self.faults.append(fault)
        self.news.set()

    def same(self, member: str, group: str, t: float, n: int) -> None: ...

    def alive(self, member: str = "") -> None: ...

    def rejected(self, why: Reject, raw: bytes = b"") -> None: ...

    def finished(self, job: Job, end: End, text: str = "") -> None: ...

    def found(self, member: str, capabilities: Sequence[Capability]) -> None: ...

    def heard(self, data: bytes, *, is_secret: bool = False) -> None: ...

    def said(self, data: bytes, *, is_secret: bool = False) -> None: ...
