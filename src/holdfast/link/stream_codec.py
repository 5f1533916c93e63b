"""What `StreamSession` asks of a codec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from holdfast.model import Event, Heard, Identity, Say


class Question(Protocol):
    """What a codec may know of a job."""

    what: str
    member: str
    group: str
    is_step: bool


class Codec(Protocol):
    """A pure encoder and decoder of one wire format; one object per session."""

    @property
    def gap_s(self) -> float:
        """Silence inside a message after which the rest is not coming any more, in seconds."""

    def login(self) -> Generator[Say, Heard, Identity | None]:
        """The login as a conversation; returns what the device said of itself.

        Bytes behind the last answer are the codec's to keep: it is fed an empty piece right after the login.

        Raises `LoginRefused`, `InsecureRefused`, `Silent`, `Nonsense` or `SessionLost`.
        """

    def request(self, what: str) -> bytes:
        """The bytes that ask for ``what``; empty, where answers name their question, when nothing may be asked now."""

    def encode(self, payload: Any) -> bytes:
        """The bytes of a step: the last gate, raises `ValueError` for what must never be sent."""

    def feed(self, data: bytes) -> Iterable[Event]:
        """Take bytes, cut anywhere, and say what they mean. Never raises on content."""

    def answers(self, job: Question, event: Event) -> bool:
        """Whether the event can be the answer to the job."""

    @property
    def is_partial(self) -> bool:
        """Whether the beginning of a message is waiting for its rest."""

    def flush(self) -> Iterable[Event]:
        """The rest is not coming: say what can be said of what is there and begin anew."""

    def goodbye(self) -> bytes:
        """The bytes of taking leave; empty where there is no such thing."""
