"""What was shown against what was: samples with the moments before and after them, and the relays' own logs. Pure.

A value is judged as of a sample that took from ``began_t`` to ``ended_t``: whatever was true at any moment in between
was true. All times are those of one loop.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from holdfast.simulators.kasa import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from holdfast.simulators.kasa import RelayChange

DEADLINE_S = 30.0
"""After three polls of 10 s a plug's reading is stale. Source: fact sheet on control, section 6."""
ANSWER_S = 4.0
"""A question to a plug may take so long (Kasa fact sheet section 6), and its answer is dated to the question."""
ROUNDED_S = 0.1
"""Ages are told in figures of a few digits."""


class Shown(NamedTuple):
    """What a hub told of one target; ``age_s`` is ``None`` where it tells none."""

    value: object
    age_s: float | None = None
    quality: str = ""


@dataclass(frozen=True)
class Sample:
    """What was shown between two moments, by target; ``None`` as a whole: no hub was there to show anything."""

    began_t: float
    ended_t: float
    shown: Mapping[str, Shown] | None


@dataclass
class RelayLog:
    """A relay's moves, oldest first, and its state before the first of them."""

    moves: Sequence[RelayChange]
    at_first: bool = False

    def move_before(self, t: float) -> RelayChange | None:
        """The last move until then."""
        place = bisect_right(self.moves, t, key=lambda move: move.t)
        return self.moves[place - 1] if place else None

    def was_on(self, t: float) -> bool:
        """Its state at that moment."""
        move = self.move_before(t)
        return self.at_first if move is None else move.is_on

    def was(self, value: bool, begin_t: float, end_t: float) -> bool:
        """Whether it was so at any moment between."""
        moves = (move.is_on for move in self.moves if begin_t <= move.t <= end_t)
        return self.was_on(begin_t) is value or value in moves

    def unlike_s(self, value: bool, begin_t: float, end_t: float) -> float:
        """For how long it had been otherwise at ``begin_t``, without a break until ``end_t``; 0 if it had not."""
        if self.was(value, begin_t, end_t):
            return 0.0
        move = self.move_before(begin_t)
        return math.inf if move is None else begin_t - move.t

    def on_between(self, begin_t: float, end_t: float) -> bool:
        """Whether it was on at any moment between."""
        return begin_t < end_t and self.was(True, begin_t, end_t)


@dataclass
class Verdict:
    """What the samples of one target come to. ``wrong`` tells each sample that showed what it must not."""

    target: str
    samples: int = 0
    """Those in which a hub was there."""
    values: int = 0
    """Those that showed a value."""
    wrong: list[str] = field(default_factory=list)
    wrong_fresh_s: float = 0.0
    unlike_s: float = 0.0
    """The longest time for which a value within its deadline was not true any more: a hand, a pulled plug."""
    unknown: list[tuple[float, float]] = field(default_factory=list)
    """From when to when no value was shown, while a hub was there."""

    def __str__(self) -> str:
        longest_s = max((end_t - begin_t for begin_t, end_t in self.unknown), default=0.0)
        unknown_s = sum(end_t - begin_t for begin_t, end_t in self.unknown)
        return (
            f"{self.target}: {self.values} values in {self.samples} samples, wrong-fresh {self.wrong_fresh_s:.1f} s, "
            f"untrue within the deadline for at most {self.unlike_s:.1f} s, "
            f"not known for {unknown_s:.1f} s, at once for at most {longest_s:.1f} s"
        )


def judge_relay(target: str, samples: Iterable[Sample], relay: RelayLog) -> Verdict:
    """Judge what was shown of a relay.

    Wrong is a value that has not been true for longer than the deadline; one that was not true when the plug is said to
    have told it; one that is told to be older than the deadline; and one that a command of the hub's own has made
    untrue: of those it knows without asking.
    """
    verdict = Verdict(target)
    for sample, shown, length_s in _shown(target, samples, verdict):
        value = shown.value
        if not isinstance(value, bool):
            continue
        verdict.values += 1
        unlike_s = relay.unlike_s(value, sample.began_t, sample.ended_t)
        why = ""
        if unlike_s > DEADLINE_S:
            why = f"the relay had not been so for {unlike_s:.1f} s"
        elif unlike_s > 0.0 and _was_commanded(relay, sample.began_t):
            why = f"a command had made it untrue for {unlike_s:.1f} s"
        elif shown.age_s is not None and shown.age_s > DEADLINE_S:
            why = f"it is {shown.age_s:.1f} s old"
        elif shown.age_s is not None and not _was_told(relay, value, sample, shown.age_s):
            why = f"it was not so {shown.age_s:.1f} s before, when the plug is said to have told it"
        else:
            verdict.unlike_s = max(verdict.unlike_s, unlike_s)
        if why:
            verdict.wrong_fresh_s += length_s
            verdict.wrong.append(f"{sample.began_t:.1f}: {target} is shown {value} ({shown.quality}): {why}")
    return verdict


def judge_posted(
    target: str, samples: Iterable[Sample], posted: Sequence[tuple[float, float]], fresh_s: float
) -> Verdict:
    """Judge what was shown of a sensor: its readings were taken at some moments between each two of ``posted``."""
    verdict = Verdict(target)
    for sample, shown, length_s in _shown(target, samples, verdict):
        if shown.value is None:
            continue
        verdict.values += 1
        place = bisect_right(posted, sample.ended_t, key=lambda each: each[0])
        old_s = sample.began_t - posted[place - 1][1] if place else math.inf
        if old_s > fresh_s:
            verdict.wrong_fresh_s += length_s
            verdict.wrong.append(
                f"{sample.began_t:.1f}: {target} is shown {shown.value}, {old_s:.1f} s after"
            )
    return verdict


def _shown(target: str, samples: Iterable[Sample], verdict: Verdict) -> Iterable[tuple[Sample, Shown, float]]:
    """Each sample of the target with the time since the one before; counts them, and for how long nothing was shown."""
    before_t: float | None = None
    unknown_t: float | None = None
    for sample in samples:
        shown = None if sample.shown is None else sample.shown.get(target)
        if unknown_t is not None and (shown is None or shown.value is not None):
            verdict.unknown.append((unknown_t, sample.ended_t))
            unknown_t = None
        if shown is not None:
            verdict.samples += 1
            if shown.value is None and unknown_t is None:
                unknown_t = sample.began_t
            yield sample, shown, 0.0 if before_t is None else sample.began_t - before_t
        before_t = sample.began_t
    if unknown_t is not None and before_t is not None:
        verdict.unknown.append((unknown_t, before_t))


def _was_commanded(relay: RelayLog, t: float) -> bool:
    move = relay.move_before(t)
    return move is not None and move.cause is Cause.COMMAND


def _was_told(relay: RelayLog, value: bool, sample: Sample, age_s: float) -> bool:
    begin_t = sample.began_t - age_s - ROUNDED_S
    return relay.was(value, begin_t, sample.ended_t - age_s + ANSWER_S + ROUNDED_S)
