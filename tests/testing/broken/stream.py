"""Drivers that trust the bytes, or tell what they should not."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from holdfast.errors import LoginRefused, SessionLost
from holdfast.link.stream import StreamSession
from holdfast.model import Batch, Heard, HeardWhy, Identity, Junk, Say, Sign
from tests.link.toys import lockstep
from tests.testing.broken.driver import BrokenDriver, Relay, lamp

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from holdfast.link.session import Session, Sink
    from holdfast.link.stream import Dial
    from holdfast.model import Event

log = logging.getLogger("holdfast.drivers.toy")


class PacketCodec(lockstep.LineCodec):
    """Believes that a message is what arrives at once."""

    def feed(self, data: bytes) -> Iterable[Event]:
        if data:
            yield self._read(data.rstrip(b"\n"))


class KindCodec(lockstep.LineCodec):
    """Takes whatever comes for a sign of life."""

    def feed(self, data: bytes) -> Iterable[Event]:
        self._buffer += data
        yield Sign("noise")
        while b"\n" in self._buffer:
            line, _, self._buffer = self._buffer.partition(b"\n")
            yield self._read(line)

    def flush(self) -> Iterable[Event]:
        self._buffer = b""
        yield Sign("noise")


class StrictCodec(lockstep.LineCodec):
    """Raises when it does not understand."""

    def _read(self, line: bytes) -> Event:
        line.decode("ascii")
        return super()._read(line)


class GullibleCodec(lockstep.LineCodec):
    """Makes a value of everything."""

    def _read(self, line: bytes) -> Event:
        event = super()._read(line)
        if isinstance(event, Junk):
            return Batch("", "live", (("lamp", 1), ("level", len(line) % 40)))
        return event


def _answer(codec: lockstep.LineCodec) -> Generator[Say, Heard, Heard]:
    return (yield Say(f"LOGIN {codec._password}\n".encode(), lambda data: b"\n" in data, 0.1, 1.0))


class RestlessCodec(lockstep.LineCodec):
    """Takes a refused login for a lost connection."""

    def login(self) -> Generator[Say, Heard, Identity | None]:
        try:
            return (yield from super().login())
        except LoginRefused as refused:
            raise SessionLost("the device hung up") from refused


class TouchyCodec(lockstep.LineCodec):
    """Takes silence at the door for a refusal."""

    def login(self) -> Generator[Say, Heard, Identity | None]:
        heard = yield from _answer(self)
        if heard.why is not HeardWhy.ENOUGH or not heard.data.startswith(b"WELCOME"):
            raise LoginRefused("the device does not let us in")
        return None


class ChattyCodec(lockstep.LineCodec):
    """Writes down what it says at the door."""

    def login(self) -> Generator[Say, Heard, Identity | None]:
        log.debug("logging in with %s", self._password)
        return (yield from super().login())


class OpenBookSession(StreamSession):
    """Shows itself whole."""

    def __repr__(self) -> str:
        return f"<OpenBookSession {vars(self._codec)}>"


class Unmarked(Relay):
    """Shows the login to whoever watches the wire."""

    def said(self, data: bytes, *, is_secret: bool = False) -> None:
        self.sink.said(data)


def _unmarked(dial: Dial, codec: lockstep.LineCodec, sink: Sink) -> Session:
    return StreamSession(dial, codec, Unmarked(sink))


class LoudCodec(lockstep.LineCodec):
    """Explains a refusal by what was refused."""

    def login(self) -> Generator[Say, Heard, Identity | None]:
        try:
            return (yield from super().login())
        except LoginRefused as refused:
            raise LoginRefused(f"the device refused {self._password}") from refused


def _kind(**parts: Any) -> Any:
    return lamp(codec=KindCodec, **parts)


BROKEN = (
    BrokenDriver(
        "a message is what arrives", "reads_bytes_cut_anywhere", "is offline", lamp(codec=PacketCodec)
    ),
    BrokenDriver("noise is life", "takes_garbage_for_no_sign_of_life", "lives on by garbage", _kind()),
    BrokenDriver("raises on content", "survives_garbage", "UnicodeDecodeError", lamp(codec=StrictCodec)),
    BrokenDriver("a value of everything", "survives_garbage", "was shown as", lamp(codec=GullibleCodec)),
    BrokenDriver(
        "a refusal is a loss",
        "tells_a_refused_login",
        "a wrong password was told as unreachable",
        lamp(codec=RestlessCodec),
    ),
    BrokenDriver(
        "silence is a refusal",
        "takes_a_silent_login_for_silence",
        "an unanswered login was told as login_refused",
        lamp(codec=TouchyCodec),
    ),
    BrokenDriver(
        "the password in a log", "keeps_its_secrets", "logged: holdfast.drivers.toy", lamp(codec=ChattyCodec)
    ),
    BrokenDriver(
        "the password unmarked", "keeps_its_secrets", "sent without a mark", lamp(session=_unmarked)
    ),
    BrokenDriver(
        "the password in a repr", "keeps_its_secrets", "<OpenBookSession", lamp(session=OpenBookSession)
    ),
    BrokenDriver(
        "the password in a reason",
        "keeps_its_secrets",
        "the device refused [the password]",
        lamp(codec=LoudCodec),
    ),
)
