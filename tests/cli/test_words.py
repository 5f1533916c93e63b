"""Values, ages and reasons as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from holdfast.cli import words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (float("inf"), "–"),
        (-1, "0 ms"),
        (0.0081, "8 ms"),
        (0.42, "0.4 s"),
        (9.96, "10.0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (7500, "2 h 5 min"),
        (7200, "2 h"),
        (90_000, "1 d 1 h"),
    ],
)
def test_durations_have_two_units_at_most(seconds: float | None, text: str) -> None:
    """An age can be read at a glance, whatever its size."""
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (True, "", "on"),
        (False, "", "off"),
        (40, "%", "40 %"),
        (3.3333333, "V", "3.33333 V"),
        (None, "%", "–"),
        ([], "", "none"),
        (["a", "b"], "", "a, b"),
        ("opening", "", "opening"),
    ],
)
def test_values_are_words(value: object, unit: str, text: str) -> None:
    """Booleans are on and off, numbers carry their unit."""
    assert words.value(value, unit) == text


def test_a_value_that_is_not_current_is_never_alone() -> None:
    """Promise 1 on the terminal: stale is said together with the age."""
    stale = {"quality": "stale", "value": None, "last_known": True, "age_s": 190.0, "unit": ""}
    assert words.reading(stale) == "stale: last known on, 3 min ago"
    assert words.reading({"quality": "unknown", "value": None, "last_known": None}) == "unknown"
    assert words.reading({"quality": "late", "value": 40, "unit": "%", "suspect": True}) == "40 % (suspect)"


def test_a_reason_says_what_when_and_what_to_do() -> None:
    """Cause, next try and advice in one line; nothing when all is well."""
    soon = (datetime.now(UTC) + timedelta(seconds=30.4)).isoformat()
    reason = {
        "code": "silent",
        "text": "no answer for 1.4 s",
        "next_try_at": soon,
        "advice": "Check the power.",
    }
    assert words.reason(reason) == "no answer for 1.4 s; next try in 30 s. Check the power."
    assert words.reason({"code": "ok"}) == words.reason(None) == ""


def test_a_receipt_says_how_it_ended() -> None:
    """State, target, time, attempts, reason and doubt."""
    receipt = {
        "state": "failed",
        "target": "house/kitchen",
        "value": True,
        "attempts": 3,
        "ended_at": "2026-01-01T00:00:05Z",
        "ended_after_s": 4.51,
        "reason": "not confirmed after 3 attempts",
        "may_have_executed": True,
    }
    assert words.receipt(receipt) == (
        "failed: house/kitchen on (after 4.5 s, 3 attempts): not confirmed after 3 attempts; "
        "the device may have done it all the same"
    )


def test_nothing_from_elsewhere_drives_the_terminal() -> None:
    """Escape sequences in a name or a reason are blanks."""
    assert words.clean("a\x1b[31mb\n") == "a [31mb "
    assert "\x1b" not in words.reason({"code": "silent", "text": "\x1b]0;title\x07"})
