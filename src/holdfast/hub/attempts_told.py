"""Attempts as the journal tells them; pure, in values that JSON has.

``sent`` and ``result`` are told of whatever serves a wish, ``renewal`` and ``guard`` of what nobody asked for, and
``error`` of what failed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.link.attempts import in_words
from holdfast.model import Next, Outcome, Purpose

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from holdfast.model import Attempt

SENT, RESULT = "sent", "result"
ERROR = "error"
WARNING = "warning"
"""Level of an error that another attempt follows."""


def event_of(attempt: Attempt) -> dict[str, Any]:
    """The event of an attempt that goes out, or, if it has an outcome, of its end.

    Times are ISO 8601, durations seconds.
    """
    phase = SENT if attempt.outcome is None else RESULT
    event: dict[str, Any] = {
        "kind": phase if attempt.purpose.has_a_wish else attempt.purpose.value,
        "text": _sent_in_words(attempt) if attempt.outcome is None else _result_in_words(attempt),
        "device": _device(attempt),
        "phase": phase,
        "attempt": attempt.id,
        "purpose": attempt.purpose.value,
        "target": attempt.target,
        "value": attempt.value,
        "by": attempt.by,
        "number": attempt.number,
        "step": attempt.step,
        "address": attempt.address,
        "sent_at": _time(attempt.sent_at),
        "before": attempt.before,
        "before_age_s": _seconds(attempt.before_age_s),
    }
    if attempt.outcome is not None:
        event |= {
            "outcome": attempt.outcome.value,
            "reason": attempt.reason,
            "next": attempt.next.value,
            "retry_in_s": _seconds(attempt.retry_in_s),
            "after": attempt.after,
            "after_at": _time(attempt.after_at),
            "ended_at": _time(attempt.ended_at),
        }
    return event


def open_of(
    sent: Iterable[Mapping[str, Any]], results: Iterable[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """The ``sent`` events that no ``result`` answers: what was on the wire when a hub was killed."""
    ended = {each.get("attempt") for each in results}
    return [each for each in sent if each.get("attempt") not in ended]


def cut_short(sent: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """The result of an attempt that a hub did not live to see."""
    reason = "the hub ended before it was known what became of it"
    head = str(sent.get("text", "")).partition(" for ")[0]
    return {
        **sent,
        "kind": RESULT,
        "phase": RESULT,
        "text": f"{head}: {Outcome.FAILED}, {reason}; {Next.GAVE_UP}",
        "outcome": Outcome.FAILED.value,
        "reason": reason,
        "next": Next.GAVE_UP.value,
        "retry_in_s": None,
        "after": None,
        "after_at": None,
        "ended_at": _time(at),
    }


def error_of(attempt: Attempt) -> dict[str, Any]:
    """What the error log says of an attempt that failed, beside its text."""
    return {
        "device": _device(attempt),
        "level": WARNING if attempt.next is Next.RETRY else ERROR,
        "target": attempt.target,
        "role": attempt.role,
        "action": action_in_words(attempt),
        "address": attempt.address,
        "reason": attempt.reason,
        "next": attempt.next.value,
        "retry_in_s": _seconds(attempt.retry_in_s),
        "attempt": attempt.id,
    }


def error_in_words(attempt: Attempt) -> str:
    """The failure as one sentence."""
    return f"{attempt.target}: {action_in_words(attempt)} failed: {attempt.reason}{_next_in_words(attempt)}"


def action_in_words(attempt: Attempt) -> str:
    """What was tried."""
    if not attempt.purpose.has_a_wish:
        return attempt.purpose.value
    action = f"set {in_words(attempt.value)}"
    return f"prepare to {action}" if attempt.purpose is Purpose.PREPARATION else action


def _sent_in_words(attempt: Attempt) -> str:
    who = f" for {attempt.by}" if attempt.purpose.has_a_wish else ""
    return f"{attempt.target}: {action_in_words(attempt)}, attempt {attempt.number}{who}"


def _result_in_words(attempt: Attempt) -> str:
    why = f", {attempt.reason}" if attempt.reason else ""
    head = f"{attempt.target}: {action_in_words(attempt)}, attempt {attempt.number}: {attempt.outcome}"
    return f"{head}{why}{_next_in_words(attempt)}"


def _next_in_words(attempt: Attempt) -> str:
    if attempt.next is Next.NOTHING:
        return ""
    if attempt.retry_in_s is None:
        return f"; {attempt.next}"
    return (
        f"; {attempt.next} in {attempt.retry_in_s:.1f} s" if attempt.retry_in_s else f"; {attempt.next} now"
    )


def _device(attempt: Attempt) -> str:
    return attempt.target.partition("/")[0]


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="milliseconds")


def _seconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
