"""One step on the wire and what became of it: the evidence behind a receipt or a standing order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from holdfast.model.capability import Value


class Purpose(StrEnum):
    """What a step was sent for."""

    COMMAND = "command"
    ORDER = "order"
    """A standing order."""
    PREPARATION = "preparation"
    """It clears the way for a wish without being an attempt at it: a motor is stopped before it may turn round."""
    GUARD = "guard"
    """The driver's interlock switched an output; nobody had asked."""
    RENEWAL = "renewal"
    """A device's own timer was wound up; no output was told anything, and nobody had asked."""

    @property
    def has_a_wish(self) -> bool:
        """Whether it serves a command or a standing order."""
        return self not in (Purpose.GUARD, Purpose.RENEWAL)


class Outcome(StrEnum):
    """What became of an attempt; reached exactly once."""

    VERIFIED = "verified"
    """Read back after it."""
    DONE = "done"
    """The call ended without an error; nothing is proven by that, and nothing had to be."""
    FAILED = "failed"
    EXPIRED = "expired"
    """The command's time was up before it was proven."""
    SUPERSEDED = "superseded"
    """Somebody wants something else by now."""
    DROPPED = "dropped"
    """Nobody waits for it any more: somebody else answers for the actuator, or nobody has to."""

    @property
    def is_failure(self) -> bool:
        """Whether it belongs into the error log."""
        return self in (Outcome.FAILED, Outcome.EXPIRED)


class Next(StrEnum):
    """What follows an attempt."""

    NOTHING = ""
    RETRY = "will retry"
    GAVE_UP = "gave up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One step that went out for one target, and, once that is known, what became of it.

    A frame that carries several wishes makes one attempt a wish; they share ``step``, the number of the send in the
    core's order. ``number`` counts the attempts of one wish in this run, from 1; ``id`` is the id of its receipt or
    order and that number. A preparation has the number of the attempt that it prepares. ``by`` is the issuer of a
    command, the cause of an order, the driver where nobody asked. ``address`` is the endpoint that it went over.

    ``before`` is what was verified when it went out, ``before_age_s`` how old that was; ``None`` where it was unknown.
    ``after`` is what was read back, ``after_at`` when; ``None`` where nothing that counts has been. While it is open
    ``outcome`` is ``None``, and ``reason`` says at most why its call failed. A failed one always has a reason.
    """

    id: str
    purpose: Purpose
    target: str
    role: str = ""
    value: Value = None
    by: str
    number: int
    step: int
    address: str
    sent_at: datetime
    before: Value = None
    before_age_s: float | None = None
    outcome: Outcome | None = None
    reason: str = ""
    next: Next = Next.NOTHING
    retry_in_s: float | None = None
    after: Value = None
    after_at: datetime | None = None
    ended_at: datetime | None = None
