"""Faults on a timetable: written by hand, or drawn from a seed after the temper of a profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.simulators.kasa.faults import (
    ButtonPress,
    Drop,
    ErrorCode,
    Fault,
    Forbidden,
    Garbage,
    HangUp,
    LateEffect,
    LostSession,
    NoAnswer,
    NoEffect,
    Reboot,
    Refuse,
    Reset,
    ResetMidAnswer,
    Slow,
    StaleRead,
    Stall,
    WrongLogin,
    WrongMac,
)
from holdfast.simulators.kasa.truth import Which

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Mapping

HOUR_S = 3600.0


class Entry(NamedTuple):
    """``fault`` begins ``at_s`` seconds after the plug starts and lasts ``duration_s`` seconds."""

    at_s: float
    duration_s: float
    fault: Fault


class Moment(NamedTuple):
    """A fault begins or ends, so many seconds after the start; one without duration is only a moment."""

    at_s: float
    is_end: bool
    fault: Fault
    is_lasting: bool


class Timetable:
    """Entries in order of time. Different faults may overlap, and so may equal ones."""

    def __init__(self, entries: Iterable[tuple[float, float, Fault]] = ()) -> None:
        self.entries = tuple(sorted((Entry(*entry) for entry in entries), key=lambda entry: entry.at_s))
        if any(entry.at_s < 0 or entry.duration_s < 0 for entry in self.entries):
            raise ValueError("nothing can happen before the start or last less than no time")

    @property
    def end_s(self) -> float:
        """Seconds after the start at which the last fault is over."""
        return max((entry.at_s + entry.duration_s for entry in self.entries), default=0.0)

    def moments(self) -> list[Moment]:
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


class Habit(NamedTuple):
    """A fault that comes so often an hour on average, and lasts a random time from a range of seconds."""

    per_hour: float
    lasts_s: tuple[float, float]
    draw: Callable[[random.Random], Fault]


def _which(rng: random.Random) -> Which:
    return rng.choice((Which.ALL, Which.READ, Which.SET))


CALM = (
    Habit(0.5, (5.0, 20.0), lambda _: Slow(delay_s=(0.02, 0.15))),
    Habit(0.1, (0.0, 0.0), lambda _: Drop()),
)
"""A good house: WLAN that takes its time now and then."""

ROUGH = (
    Habit(1.0, (5.0, 60.0), lambda _: Slow(delay_s=(0.1, 2.0))),
    Habit(1.0, (0.0, 0.0), lambda _: Drop()),
    Habit(0.5, (0.0, 0.0), lambda _: Reset()),
    Habit(0.3, (5.0, 90.0), lambda _: Refuse()),
    Habit(0.5, (8.0, 60.0), lambda rng: Stall(which=_which(rng))),
    Habit(0.5, (60.0, 60.0), lambda rng: NoEffect(times=rng.randint(1, 2))),
    Habit(0.5, (60.0, 60.0), lambda _: NoAnswer(which=Which.SET, times=1)),
    Habit(0.5, (60.0, 60.0), lambda rng: LateEffect(delay_s=rng.uniform(0.5, 2.0), times=1)),
    Habit(0.3, (0.0, 0.0), lambda _: LostSession()),
    Habit(0.1, (0.0, 0.0), lambda _: ButtonPress()),
    Habit(0.1, (0.0, 0.0), lambda rng: Reboot(restores_relay=rng.random() < 0.7)),
)
"""A bad WLAN and tired plugs."""

HOSTILE = (
    Habit(3.0, (5.0, 60.0), lambda _: Slow(delay_s=(0.1, 4.5))),
    Habit(3.0, (0.0, 5.0), lambda _: Drop()),
    Habit(3.0, (0.0, 5.0), lambda _: Reset()),
    Habit(2.0, (0.4, 60.0), lambda rng: Refuse(keeps_connections=rng.random() < 0.2)),
    Habit(0.2, (120.0, 900.0), lambda _: Refuse()),
    Habit(4.0, (8.0, 60.0), lambda rng: Stall(which=_which(rng))),
    Habit(0.2, (120.0, 900.0), lambda rng: Stall(which=_which(rng))),
    Habit(2.0, (5.0, 60.0), lambda rng: HangUp(which=_which(rng), is_done=rng.random() < 0.5)),
    Habit(2.0, (5.0, 60.0), lambda rng: ResetMidAnswer(which=_which(rng))),
    Habit(3.0, (5.0, 60.0), lambda _: NoAnswer(which=Which.SET)),
    Habit(3.0, (5.0, 60.0), lambda rng: NoEffect(times=rng.choice((1, 2, None)))),
    Habit(3.0, (5.0, 60.0), lambda rng: LateEffect(delay_s=rng.choice((1.0, 5.0)))),
    Habit(2.0, (5.0, 60.0), lambda rng: StaleRead(lag_s=rng.choice((1.0, 5.0)))),
    Habit(1.0, (5.0, 60.0), lambda rng: ErrorCode(which=_which(rng))),
    Habit(1.0, (5.0, 30.0), lambda rng: Garbage(which=_which(rng))),
    Habit(1.0, (5.0, 30.0), lambda _: Forbidden()),
    Habit(3.0, (0.0, 0.0), lambda _: LostSession()),
    Habit(0.5, (5.0, 60.0), lambda _: WrongLogin()),
    Habit(0.5, (5.0, 60.0), lambda _: WrongMac()),
    Habit(3.0, (0.0, 0.0), lambda _: ButtonPress()),
    Habit(1.0, (0.0, 0.0), lambda rng: Reboot(restores_relay=rng.random() < 0.5)),
)
"""Everything that a controller must survive, all day."""

PROFILES: Mapping[str, tuple[Habit, ...]] = {"none": (), "calm": CALM, "rough": ROUGH, "hostile": HOSTILE}
"""What `random_timetable` knows by name."""


def random_timetable(rng: random.Random, hours: float, profile: str) -> Timetable:
    """Faults for so many hours, each habit of the profile at its own random times."""
    entries: list[Entry] = []
    for habit in PROFILES[profile]:
        at_s = rng.expovariate(habit.per_hour / HOUR_S)
        while at_s < hours * HOUR_S:
            duration_s = rng.uniform(*habit.lasts_s)
            entries.append(Entry(at_s, duration_s, habit.draw(rng)))
            at_s += duration_s + rng.expovariate(habit.per_hour / HOUR_S)
    return Timetable(entries)
