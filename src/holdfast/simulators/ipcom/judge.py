"""An outside observer of the shutters' interlock, who knows the truth and every frame received."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from holdfast.simulators.ipcom.house import LOG_LIMIT, Cause, Change, Frame, House, Pair, Spot, offset

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RACE_S = 0.25
"""Seconds before a frame within which its sender could not know of a wall switch.

A write is built from a snapshot that arrived up to 0.1 s before it (fact sheet, section 10) and was asked for
a reply time earlier.
"""


class Violation(NamedTuple):
    """The interlock was broken at ``t`` by the write ``frame``."""

    t: float
    pair: Pair
    why: str
    frame: Frame


class Reversal(NamedTuple):
    """A write started one relay ``gap_s`` seconds after the other had physically gone off."""

    t: float
    pair: Pair
    gap_s: float


BOTH_IN_FRAME = "both relays in one frame"
STARTS_AGAINST = "one relay started while the other runs"
BOTH_ON = "both relays on"


class InterlockJudge:
    """Watches pairs of relays for as long as the house stands.

    ``violations`` are what no client may do. ``races`` look the same, but a wall switch had started the other
    relay too shortly before the frame (``race_s``) or after it: no client could have known. What hands on the
    wall do alone is neither.
    """

    def __init__(self, house: House, pairs: Iterable[Pair], *, race_s: float = RACE_S) -> None:
        self.violations: deque[Violation] = deque(maxlen=LOG_LIMIT)
        self.races: deque[Violation] = deque(maxlen=LOG_LIMIT)
        self.reversals: deque[Reversal] = deque(maxlen=LOG_LIMIT)
        self.race_s = race_s
        self._house = house
        self._pairs = tuple(pairs)
        self._started: dict[Spot, Change] = {}
        self._stopped: dict[Spot, Change] = {}
        house.observe(self._see)

    @property
    def smallest_gap_s(self) -> float:
        """The shortest time from one relay physically off to the other on by a write; infinite if none."""
        return min((reversal.gap_s for reversal in self.reversals), default=float("inf"))

    def hear(self, frame: Frame) -> None:
        """A frame was received; it counts as sent whatever the field bus makes of it."""
        for pair, starting, other in self._sides():
            if starting.module != frame.module or not frame.values[starting.output - 1]:
                continue
            if other.module == frame.module and frame.values[other.output - 1]:
                if starting is pair.down:
                    self._record(frame.t, pair, BOTH_IN_FRAME, frame)
            elif not self._is_on(starting) and self._is_on(other):
                self._record(frame.t, pair, STARTS_AGAINST, frame, other)

    def _see(self, changes: tuple[Change, ...]) -> None:
        started = {change.spot: change for change in changes if change.new and not change.old}
        self._started.update(started)
        self._stopped.update({change.spot: change for change in changes if not change.new})
        for pair, spot, other in self._sides():
            if spot in started and not (spot is pair.up and other in started):
                self._judge_start(started[spot], pair, other)

    def _judge_start(self, start: Change, pair: Pair, other: Spot) -> None:
        if start.frame is None:
            return
        stop = self._stopped.get(other)
        if self._is_on(other):
            self._record(start.t, pair, BOTH_ON, start.frame, other)
        elif stop is not None and not self._is_race(start.frame, other):
            self.reversals.append(Reversal(start.t, pair, start.t - stop.t))

    def _record(self, t: float, pair: Pair, why: str, frame: Frame, other: Spot | None = None) -> None:
        is_race = other is not None and self._is_race(frame, other)
        (self.races if is_race else self.violations).append(Violation(t, pair, why, frame))

    def _is_race(self, frame: Frame, other: Spot) -> bool:
        start = self._started.get(other)
        return start is not None and start.cause is Cause.WALL and start.t >= frame.t - self.race_s

    def _is_on(self, spot: Spot) -> bool:
        return bool(self._house.outputs[offset(spot)])

    def _sides(self) -> Iterator[tuple[Pair, Spot, Spot]]:
        for pair in self._pairs:
            yield pair, pair.down, pair.up
            yield pair, pair.up, pair.down
