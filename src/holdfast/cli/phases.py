"""What a test tells: one phase after the other, each with its verdict."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """How a phase ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Phase(NamedTuple):
    """One phase: its name, how it ended, how long it took (if it took any time), what was seen, what to do."""

    name: str
    verdict: Verdict
    text: str
    took_s: float | None = None
    advice: str = ""


NAMES = ("resolve", "route", "port", "login", "first data", "update rate", "command", "stability")
