"""What an outside observer may know: relay changes with their causes, and what clients put on the wire."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, deque
from enum import Flag, StrEnum, auto
from typing import NamedTuple

LOG_LIMIT = 100_000
"""Entries that any of the logs keeps: a week of polls every 10 s. The counters go on."""


class Cause(StrEnum):
    """Who moved the relay."""

    COMMAND = "command"
    BUTTON = "button"
    TIMER = "timer"
    """The plug's own clock."""
    POWER_CUT = "power cut"
    BOOT = "boot"
    """Restored after a power cut."""


class RelayChange(NamedTuple):
    """The relay moved at loop time ``t``."""

    t: float
    is_on: bool
    cause: Cause


class Which(Flag):
    """Kinds of request. One that both reads and sets counts as a set."""

    LOGIN = auto()
    READ = auto()
    SET = auto()
    ALL = LOGIN | READ | SET


class Part(Flag):
    """What a set command sets."""

    RELAY = auto()
    TIMER = auto()
    BOTH = RELAY | TIMER


class SetCommand(NamedTuple):
    """One wish in a request as it came over the wire, whatever became of it.

    ``value`` is the wanted relay state; for a timer the delay in seconds, or ``None`` where it is to be cleared.
    """

    t: float
    connection: int
    part: Part
    value: float | bool | None


class WireRequest(NamedTuple):
    """A whole request arrived."""

    t: float
    connection: int
    which: Which


class Crowd(NamedTuple):
    """From loop time ``t`` on so many connections were open."""

    t: float
    connections: int


class Truth:
    """The logs of one plug."""

    def __init__(self) -> None:
        self.relay: deque[RelayChange] = deque(maxlen=LOG_LIMIT)
        self.sets: deque[SetCommand] = deque(maxlen=LOG_LIMIT)
        self.requests: deque[WireRequest] = deque(maxlen=LOG_LIMIT)
        self.crowds: deque[Crowd] = deque(maxlen=LOG_LIMIT)
        self.counts: Counter[Which] = Counter()
        self.connections = 0
        """Open now."""
        self.most_connections = 0
        """Open at once so far."""
        self.in_flight = 0
        """Requests without an answer now; one whose connection is gone is in flight no more."""
        self.most_in_flight = 0

    def __repr__(self) -> str:
        return (
            f"<Truth {len(self.relay)} relay changes, {len(self.sets)} sets, {self.connections} connections>"
        )

    @property
    def relay_sets(self) -> list[SetCommand]:
        """Set commands for the relay, oldest first."""
        return [command for command in self.sets if command.part is Part.RELAY]

    @property
    def timer_sets(self) -> list[SetCommand]:
        """Set commands for the plug's own timer, oldest first."""
        return [command for command in self.sets if command.part is Part.TIMER]

    def was_on(self, t: float, *, at_first: bool = False) -> bool:
        """The relay's state at loop time ``t``; ``at_first`` is what it was before the first change."""
        place = bisect_right(self.relay, t, key=lambda change: change.t)
        return self.relay[place - 1].is_on if place else at_first

    def joined(self, t: float) -> None:
        """A connection is there."""
        self._crowd(t, self.connections + 1)

    def left(self, t: float) -> None:
        """A connection is gone."""
        self._crowd(t, self.connections - 1)

    def arrived(self, request: WireRequest) -> None:
        """A whole request is in."""
        self.requests.append(request)
        self.counts[request.which] += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def settled(self, requests: int = 1) -> None:
        """So many requests were answered, or will never be."""
        self.in_flight -= requests

    def _crowd(self, t: float, connections: int) -> None:
        self.connections = connections
        self.most_connections = max(self.most_connections, connections)
        self.crowds.append(Crowd(t, connections))
