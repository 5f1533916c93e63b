"""The link report: how well one link does, in numbers that a user can compare with the promises."""

from __future__ import annotations

import bisect
from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

BOUNDS_S: tuple[float, ...] = (
    0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.35,
    0.4, 0.45, 0.5, 0.65, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0, 60.0,
)  # fmt: skip
"""Upper edges of the buckets, densest where our limits lie (50 ms late polls, 120 ms commands)."""

OUTAGES_KEPT = 50
"""Outages kept in words; totals count them all."""

HOUR_S = 3600.0
DAY_S = 86400.0


class Spread:
    """A distribution in fixed buckets: constant size, no object a sample."""

    __slots__ = ("_counts", "longest_s", "samples")

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self.samples = 0
        self.longest_s = 0.0

    def add(self, seconds: float) -> None:
        """Count one sample."""
        self._counts[bisect.bisect_left(BOUNDS_S, seconds)] += 1
        self.samples += 1
        if seconds > self.longest_s:
            self.longest_s = seconds

    def quantile(self, q: float) -> float | None:
        """The upper edge of the bucket that holds the ``q`` quantile, in seconds; ``None`` without samples."""
        if not self.samples:
            return None
        bucket = bisect.bisect_left(list(accumulate(self._counts)), q * self.samples)
        return min((*BOUNDS_S, self.longest_s)[bucket], self.longest_s)

    def as_dict(self) -> dict[str, float | int | None]:
        """For the API: p50, p99 and the longest, in seconds."""
        return {
            "p50_s": self.quantile(0.5),
            "p99_s": self.quantile(0.99),
            "longest_s": self.longest_s if self.samples else None,
            "samples": self.samples,
        }


@dataclass(slots=True)
class Outage:
    """Time without fresh data. ``detect_s``: from the last sign of life to the verdict; ``recover_s``: to the next."""

    cause: str
    text: str
    began: float
    detect_s: float
    recover_s: float | None = None


@dataclass(slots=True)
class LinkReport:
    """Counters of one link since ``born`` (loop time, seconds)."""

    born: float
    up_s: float = 0.0
    polls: int = 0
    unanswered: int = 0
    skipped: int = 0
    answers: int = 0
    changes: int = 0
    sessions: int = 0
    dials: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    steps: int = 0
    strangers: int = 0
    """Whole messages of members that nobody configured."""
    rejects: Counter[str] = field(default_factory=Counter)
    lateness: Spread = field(default_factory=Spread)
    latency: Spread = field(default_factory=Spread)
    outages: deque[Outage] = field(default_factory=lambda: deque(maxlen=OUTAGES_KEPT))
    outage_count: int = 0
    losses: deque[float] = field(default_factory=lambda: deque(maxlen=4096))

    def lost(self, now: float, cause: str, text: str, last_life: float) -> None:
        """An outage begins."""
        self.outage_count += 1
        self.losses.append(now)
        self.outages.append(Outage(cause, text, last_life, now - last_life))

    def regained(self, now: float) -> None:
        """Evidence comes again."""
        if self.outages and self.outages[-1].recover_s is None:
            self.outages[-1].recover_s = now - self.outages[-1].began - self.outages[-1].detect_s

    def reconnects_within(self, now: float, seconds: float) -> int:
        """Losses in the last ``seconds``."""
        return len(self.losses) - bisect.bisect_left(self.losses, now - seconds)

    def as_dict(self, now: float, up_since: float | None) -> dict[str, Any]:
        """The report for API and command line; times in seconds, shares from 0 to 1."""
        age_s = max(now - self.born, 1e-9)
        up_s = self.up_s + (now - up_since if up_since is not None else 0.0)
        return {
            "age_s": age_s,
            "uptime_share": min(1.0, up_s / age_s),
            "up_since_s": None if up_since is None else now - up_since,
            "sessions": self.sessions,
            "dials": self.dials,
            "outage_count": self.outage_count,
            "reconnects_last_hour": self.reconnects_within(now, HOUR_S),
            "reconnects_last_day": self.reconnects_within(now, DAY_S),
            "polls": self.polls,
            "answers": self.answers,
            "changes": self.changes,
            "skipped_polls": self.skipped,
            "unanswered_share": self.unanswered / self.polls if self.polls else 0.0,
            "poll_lateness": self.lateness.as_dict(),
            "command_latency": self.latency.as_dict(),
            "steps": self.steps,
            "strangers": self.strangers,
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            "rejects": dict(self.rejects),
            "outages": [
                {
                    "cause": outage.cause,
                    "text": outage.text,
                    "ago_s": now - outage.began,
                    "detect_s": outage.detect_s,
                    "recover_s": outage.recover_s,
                }
                for outage in self.outages
            ],
        }
