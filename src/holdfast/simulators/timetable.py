"""Faults at times: what a simulator of any family suffers, and when. Random ones are drawn from habits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable

HOUR_S = 3600.0

Fault = TypeVar("Fault")
"""A family's own faults."""


class Entry(NamedTuple, Generic[Fault]):
    """``fault`` begins ``at_s`` seconds after the start and lasts ``duration_s`` seconds."""

    at_s: float
    duration_s: float
    fault: Fault


class Moment(NamedTuple, Generic[Fault]):
    """A fault begins or ends, so many seconds after the start; one without duration is only a moment."""

    at_s: float
    is_end: bool
    fault: Fault
    is_lasting: bool


class Timetable(Generic[Fault]):
    """Entries in order of time. Different faults may overlap, and so may equal ones."""

    def __init__(self, entries: Iterable[tuple[float, float, Fault]] = ()) -> None:
        self.entries = tuple(sorted((Entry(*entry) for entry in entries), key=lambda entry: entry.at_s))
        if any(entry.at_s < 0 or entry.duration_s < 0 for entry in self.entries):
            raise ValueError("nothing can happen before the start or last less than no time")

    @property
    def end_s(self) -> float:
        """Seconds after the start at which the last fault is over."""
        return max((entry.at_s + entry.duration_s for entry in self.entries), default=0.0)

    def moments(self) -> list[Moment[Fault]]:
        """All beginnings and ends in order; of those in one instant the ends come first."""
        moments = [Moment(at_s, False, fault, duration_s > 0) for at_s, duration_s, fault in self.entries]
        moments += [
            Moment(at_s + duration_s, True, fault, True)
            for at_s, duration_s, fault in self.entries
            if duration_s
        ]
        return sorted(moments, key=lambda moment: (moment.at_s, not moment.is_end))

    def __str__(self) -> str:
        return "\n".join(
            f"{at_s:10.3f} s  for {duration_s:8.3f} s  {fault}" for at_s, duration_s, fault in self.entries
        )


class Habit(NamedTuple, Generic[Fault]):
    """A fault that comes so often an hour on average, and lasts a random time from a range of seconds."""

    per_hour: float
    lasts_s: tuple[float, float]
    draw: Callable[[random.Random], Fault]


def drawn(rng: random.Random, hours: float, habits: Iterable[Habit[Fault]]) -> Timetable[Fault]:
    """Faults for so many hours, each habit at its own random times."""
    entries: list[Entry[Fault]] = []
    for habit in habits:
        at_s = rng.expovariate(habit.per_hour / HOUR_S)
        while at_s < hours * HOUR_S:
            duration_s = rng.uniform(*habit.lasts_s)
            entries.append(Entry(at_s, duration_s, habit.draw(rng)))
            at_s += duration_s + rng.expovariate(habit.per_hour / HOUR_S)
    return Timetable(entries)
