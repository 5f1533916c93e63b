"""What a driver did while it was watched, as far as the contract forbids or counts it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.testing.watched import WatchedSession


@dataclass(slots=True)
class Conduct:
    """One sentence for each thing seen; ``reports`` are the sink calls, as names with their times."""

    sessions: list[WatchedSession] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    sleeps: list[str] = field(default_factory=list)
    escaped: list[str] = field(default_factory=list)
    """Exceptions that are none of ours, or where none may come from."""
    unfinished: list[str] = field(default_factory=list)
    """Turns that were finished twice, or were nobody's."""
    while_starting: list[str] = field(default_factory=list)
    waiting_starts: list[str] = field(default_factory=list)
    after_end: list[str] = field(default_factory=list)
    reused: list[str] = field(default_factory=list)
    reports: list[tuple[float, str]] = field(default_factory=list)
    listeners: list[Callable[[str], object]] = field(default_factory=list)
    """Called with the name of each report, right after the core has taken it."""
    said: list[bytes] = field(default_factory=list)
    """What was sent without being marked as secret."""
    steps: list[float] = field(default_factory=list)
    """When steps were begun."""

    def reported(self, t: float, name: str) -> None:
        """A sink call has been taken by the core."""
        self.reports.append((t, name))
        for listener in self.listeners:
            listener(name)

    def last_report(self, *names: str) -> float:
        """When one of these was last reported; minus infinity for never."""
        return max((t for t, name in self.reports if name in names), default=float("-inf"))
