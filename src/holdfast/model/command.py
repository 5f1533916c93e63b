"""A wish and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from holdfast.model.capability import Value


class Authority(IntEnum):
    """Who asks. A higher one wins; within one class the newest wins."""

    AUTOMATION = 1
    CONTROLLER = 2
    PERSON = 3
    INTERLOCK = 4
    STANDING_ORDER = 5

    @property
    def word(self) -> str:
        """The class in words, for reasons and pages."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who gave a command: a name for the record and the class that decides precedence."""

    name: str
    authority: Authority = Authority.PERSON


class CommandState(StrEnum):
    """A receipt's state; everything but the first two is an end, reached exactly once."""

    ACCEPTED = "accepted"
    SENT = "sent"
    VERIFIED = "verified"
    FAILED = "failed"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    REFUSED = "refused"

    @property
    def is_end(self) -> bool:
        """Whether nothing more can happen to the receipt."""
        return self not in (CommandState.ACCEPTED, CommandState.SENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What is known about one command at one moment. ``timeout_s`` counts from ``created_at``.

    ``may_have_executed`` is true wherever the command was sent and not verified: the device may have done it.
    """

    id: str
    target: str
    value: Value
    issuer: str
    state: CommandState
    reason: str = ""
    attempts: int = 0
    may_have_executed: bool = False
    timeout_s: float
    created_at: datetime
    sent_at: datetime | None = None
    ended_at: datetime | None = None
    sent_after_s: float | None = None
    ended_after_s: float | None = None
    """Seconds from creation on the monotonic clock: what durations are reported from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingOrder:
    """A safety obligation without a deadline: repeated until the device reports the value.

    It ends only when verified *and* its cause is gone or a person has released it.
    """

    id: str
    target: str
    value: Value
    cause: str
    issued_at: datetime
    is_verified: bool = False
    attempts: int = 0
