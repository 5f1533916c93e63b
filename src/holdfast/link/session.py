"""The seam between the core and one life of one path.

The core drives a `Session`; the session reports to a `Sink`. Both sides are synchronous except for opening and
closing: nothing on the hot path is a task.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from holdfast.model import Batch, Capability, Identity, Reject, Stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.errors import LinkFault


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One physical path. Adapters with equal endpoints share its one link and take turns there.

    ``scheme`` and ``address`` identify it; ``host`` is what the dial budget counts by; an exclusive endpoint
    serves one client at a time, so that a reserve behind it cannot be warmed in parallel.
    """

    scheme: str
    address: str
    host: str = ""
    is_exclusive: bool = False

    def __str__(self) -> str:
        return f"{self.scheme}://{self.address}"


class End(Enum):
    """How a job's turn in the slot ended."""

    OK = "ok"
    TIMEOUT = "timeout"
    """Nothing came within the reply deadline; an answer may still come."""
    DOUBT = "doubt"
    """The call was cut off: it may or may not have reached the device."""
    ERROR = "error"
    """The device or library said no."""


class Job:
    """One turn in the exchange slot: made once, stamped and reused by the core, finished once a turn.

    A poll's job lives as long as its link, so that polling makes no objects.
    """

    __slots__ = (
        "group",
        "is_optional",
        "is_step",
        "member",
        "payload",
        "reply_s",
        "sent_n",
        "sent_t",
        "what",
    )

    def __init__(self, what: str, member: str, group: str, payload: Any = None, *, reply_s: float) -> None:
        self.what = what
        self.member = member
        self.group = group
        self.payload = payload
        self.is_step = payload is not None
        self.is_optional = False  # nobody is surprised when no answer comes (keep-alive)
        self.reply_s = reply_s
        self.sent_t = float("-inf")
        self.sent_n = -1

    @property
    def stamp(self) -> Stamp:
        """When it was last sent."""
        return Stamp(self.sent_t, self.sent_n)

    def __repr__(self) -> str:
        kind = "step" if self.is_step else "poll"
        return f"<Job {kind} {self.what} {self.member}/{self.group} n={self.sent_n}>"


class OpenLimits(NamedTuple):
    """How long opening may take: reaching the peer, then each answer of the login, both in seconds."""

    dial_s: float
    login_s: float


class Sink(Protocol):
    """Where a session reports. It only records and never calls back into the session."""

    def observed(self, batch: Batch, as_of: Stamp | None = None) -> bool:
        """Values came; whether intake believes them.

        ``as_of``: the stamp of the question they answer, ``None`` when they came unasked.
        """

    def same(self, member: str, group: str, t: float, n: int) -> None:
        """The answer asked for at ``t``, ``n`` equals the one before it (the hot path: no values travel)."""

    def alive(self, member: str = "") -> None:
        """A valid frame without values. Never called for junk."""

    def rejected(self, why: Reject, raw: bytes = b"") -> None:
        """Something could not be understood or believed: no sign of life."""

    def finished(self, job: Job, end: End, text: str = "") -> None:
        """The job's turn is over; called exactly once a start, unless it was forgotten."""

    def lost(self, fault: LinkFault) -> None:
        """The session is over. May be called more than once; only the first counts."""

    def found(self, member: str, capabilities: Sequence[Capability]) -> None:
        """A member made itself known, with what it can do."""

    def heard(self, data: bytes, *, is_secret: bool = False) -> None:
        """These bytes came: counted, and shown to whoever watches the wire, unless they are secret (a login's)."""

    def said(self, data: bytes, *, is_secret: bool = False) -> None:
        """These bytes went; those of a login are secret and are never shown."""


class Session(Protocol):
    """One life of one path, from open to loss. Never reused; schedules no retry and no poll of its own."""

    async def open(self, limits: OpenLimits) -> Identity | None:
        """Reach the peer and log in. Raises a `LinkFault` or another error of ours, never a foreign one."""

    def start(self, job: Job) -> None:
        """Begin a job's turn. Synchronous; its end is reported to the sink."""

    def forget(self, job: Job) -> None:
        """The job's deadline has passed. A late answer must not be taken for the answer to a later job."""

    async def close(self, *, goodbye: bool) -> None:
        """Take leave (where there is a way to) and return when nothing of the session runs any more."""

    def abort(self) -> None:
        """End at once; the session is mute from here on."""
