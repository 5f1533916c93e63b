"""Faults on a timetable: written by hand, or drawn from a seed after the temper of a profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.simulators import timetable
from holdfast.simulators.ipcom.behaviour import WriteReply
from holdfast.simulators.ipcom.faults import (
    Drop,
    Duplicate,
    Fault,
    Garbage,
    Glue,
    Goodbye,
    Late,
    LoseReplies,
    LoseWrites,
    NewKeys,
    Refuse,
    Reset,
    SlowBus,
    Split,
    Stall,
    Truncate,
    Unsolicited,
    WriteReplies,
    WrongPassword,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

Entry = timetable.Entry[Fault]
Timetable = timetable.Timetable[Fault]
Habit = timetable.Habit[Fault]
Moment = timetable.Moment[Fault]


CALM: tuple[Habit, ...] = (
    Habit(0.2, (0.0, 0.0), lambda _: Drop()),
    Habit(1.0, (5.0, 20.0), lambda _: Late((0.02, 0.12))),
    Habit(0.5, (5.0, 20.0), lambda _: LoseReplies(0.02)),
)
"""A good house: now and then a lost reply or a dropped connection."""

ROUGH: tuple[Habit, ...] = (
    Habit(1.5, (0.0, 0.0), lambda _: Drop()),
    Habit(1.0, (0.0, 0.0), lambda _: Reset()),
    Habit(0.3, (2.0, 30.0), lambda _: Refuse()),
    Habit(0.5, (1.0, 20.0), lambda _: Stall()),
    Habit(2.0, (5.0, 60.0), lambda rng: Late((0.05, rng.uniform(0.1, 0.6)))),
    Habit(2.0, (5.0, 60.0), lambda rng: LoseReplies(rng.uniform(0.05, 0.4))),
    Habit(2.0, (5.0, 60.0), lambda rng: Split(rng.choice((1, 7, 60)))),
    Habit(1.0, (5.0, 60.0), lambda rng: LoseWrites(rng.uniform(0.1, 0.5))),
    Habit(1.0, (5.0, 60.0), lambda _: SlowBus((0.05, 0.6))),
    Habit(1.0, (10.0, 300.0), lambda rng: WriteReplies(rng.choice(tuple(WriteReply)))),
    Habit(1.0, (10.0, 300.0), lambda _: NewKeys()),
)
"""A bad line in an old house."""

HOSTILE: tuple[Habit, ...] = (
    Habit(10.0, (0.0, 3.0), lambda _: Drop()),
    Habit(10.0, (0.0, 3.0), lambda _: Reset()),
    Habit(4.0, (0.5, 40.0), lambda rng: Refuse(keeps_connections=rng.random() < 0.2)),
    Habit(4.0, (0.0, 0.0), lambda _: Goodbye()),
    Habit(6.0, (0.5, 40.0), lambda rng: Stall(answers_late=rng.random() < 0.3)),
    Habit(2.0, (5.0, 60.0), lambda _: WrongPassword()),
    Habit(4.0, (10.0, 300.0), lambda _: NewKeys()),
    Habit(8.0, (2.0, 60.0), lambda rng: Late((0.0, rng.uniform(0.1, 2.5)))),
    Habit(8.0, (2.0, 60.0), lambda rng: LoseReplies(rng.uniform(0.05, 1.0))),
    Habit(8.0, (2.0, 60.0), lambda rng: Truncate(rng.uniform(0.05, 0.6))),
    Habit(8.0, (2.0, 60.0), lambda rng: Duplicate(rng.uniform(0.05, 1.0))),
    Habit(8.0, (2.0, 60.0), lambda rng: Garbage(rng.uniform(0.05, 0.6), rng.randint(1, 200))),
    Habit(8.0, (2.0, 60.0), lambda rng: Split(rng.choice((1, 2, 7, 60)))),
    Habit(8.0, (2.0, 60.0), lambda rng: Glue(rng.uniform(0.05, 1.0))),
    Habit(30.0, (0.0, 0.0), lambda _: Unsolicited()),
    Habit(10.0, (5.0, 120.0), lambda rng: WriteReplies(rng.choice(tuple(WriteReply)))),
    Habit(6.0, (2.0, 60.0), lambda rng: LoseWrites(rng.uniform(0.1, 1.0))),
    Habit(6.0, (2.0, 60.0), lambda rng: SlowBus((0.0, rng.uniform(0.1, 0.9)))),
)
"""Everything a client must survive, all day. The bus stays within a client's usual latency bound of 1 s."""

PROFILES: Mapping[str, tuple[Habit, ...]] = {"none": (), "calm": CALM, "rough": ROUGH, "hostile": HOSTILE}
"""What `random_timetable` knows by name."""


def random_timetable(rng: random.Random, hours: float, profile: str) -> Timetable:
    """Faults for so many hours, each habit of the profile at its own random times."""
    return timetable.drawn(rng, hours, PROFILES[profile])
