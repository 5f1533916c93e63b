"""Limits that change while a batch ferments: holds and ramps, and the place reached in them. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from holdfast.control.limits import EnteredLimits, Limits, between, exact

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from holdfast.control.instant import Instant

READINGS: Final = 3
"""Consecutive readings that must agree before a step ends by gravity: as for the notice that fermentation started
(fact sheet section 7); one reading of a floating Tilt may be foam."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep these limits for ``duration_s`` seconds; ``None``: until a person skips the step."""

    limits: EnteredLimits
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class HoldUntilGravity:
    """Keep these limits until ``readings`` consecutive readings of the specific gravity are below ``below``."""

    limits: EnteredLimits
    below: float
    readings: int = READINGS


@dataclass(frozen=True, slots=True)
class Ramp:
    """Move in a straight line from the limits before to these within ``duration_s`` seconds (more than 0)."""

    limits: EnteredLimits
    duration_s: float


Step = Hold | HoldUntilGravity | Ramp


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The place in a profile. ``index`` counts from 0; one past the last step: the profile has ended.

    ``spent_s`` seconds of the step are over, counted until ``at``. ``low_run`` consecutive readings of the
    gravity were low enough, the last of them observed at ``low_at``.
    """

    index: int = 0
    spent_s: float = 0.0
    at: Instant | None = None
    is_paused: bool = False
    low_run: int = 0
    low_at: datetime | None = None

    def skipped(self, now: Instant) -> Position:
        """The start of the next step."""
        return Position(index=self.index + 1, at=now, is_paused=self.is_paused)


@dataclass(frozen=True, slots=True)
class Gravity:
    """A fresh specific gravity and when it was observed, which tells one reading from the next."""

    value: float
    observed_at: datetime


def advance(
    steps: Sequence[Step], position: Position, gravity: Gravity | None, now: Instant, *, is_enabled: bool
) -> Position:
    """The place in the profile now. Time goes on through a restart, told by the wall clock where nothing better can.

    Neither a paused profile nor one whose controller is switched off moves.
    """
    passed_s = 0.0 if position.at is None else now.told_since_s(position.at)
    position = replace(position, at=now)
    if position.is_paused or not is_enabled:
        return position
    position = replace(position, spent_s=position.spent_s + passed_s)
    while position.index < len(steps):
        step = steps[position.index]
        if isinstance(step, HoldUntilGravity):
            position = _weighed(step, position, gravity)
            if position.low_run < step.readings:
                break
            position = position.skipped(now)
        elif step.duration_s is None or position.spent_s < step.duration_s:
            break
        else:
            position = replace(position.skipped(now), spent_s=position.spent_s - step.duration_s)
    return position


def limits_at(steps: Sequence[Step], usual: EnteredLimits, position: Position) -> Limits:
    """The limits in force: of the step reached, of the last one when all are over, ``usual`` without a profile.

    Raises `ValueError` where any of the limits cannot be used, now or later.
    """
    ways = [exact(usual), *(exact(step.limits) for step in steps)]
    if position.index >= len(steps):
        return ways[-1]
    step = steps[position.index]
    start, end = ways[position.index], ways[position.index + 1]
    if isinstance(step, Ramp):
        return between(start, end, min(Fraction(1), Fraction(position.spent_s) / Fraction(step.duration_s)))
    return end


def entered_at(steps: Sequence[Step], usual: EnteredLimits, position: Position) -> EnteredLimits:
    """The limits as entered that stand behind those in force."""
    return steps[min(position.index, len(steps) - 1)].limits if steps else usual


def _weighed(step: HoldUntilGravity, position: Position, gravity: Gravity | None) -> Position:
    if gravity is None or gravity.observed_at == position.low_at:
        return position
    run = position.low_run + 1 if gravity.value < step.below else 0
    return replace(position, low_run=run, low_at=gravity.observed_at)
