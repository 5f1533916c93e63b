"""Faults on a timetable: written by hand, or drawn from a seed after the temper of a profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.simulators import timetable
from holdfast.simulators.jkbms.behaviour import Crowding
from holdfast.simulators.jkbms.faults import (
    Blank,
    DeadSockets,
    DropBytes,
    Fault,
    Finish,
    FlipBit,
    FlipPair,
    HalfFrames,
    Junk,
    NoiseOnly,
    NoMaster,
    Reboot,
    Refuse,
    Repack,
    Reset,
    SecondMaster,
    SilentBattery,
    Splice,
    Stall,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

Entry = timetable.Entry[Fault]
Timetable = timetable.Timetable[Fault]
Habit = timetable.Habit[Fault]
Moment = timetable.Moment[Fault]


CALM: tuple[Habit, ...] = (
    Habit(0.2, (0.0, 0.0), lambda _: Finish()),
    Habit(1.0, (5.0, 20.0), lambda _: DropBytes(0.02)),
    Habit(1.0, (5.0, 20.0), lambda _: FlipBit(0.02)),
)
"""A good installation: now and then a byte or a connection is lost."""

ROUGH: tuple[Habit, ...] = (
    Habit(1.0, (0.0, 0.0), lambda _: Finish()),
    Habit(1.0, (0.0, 0.0), lambda _: Reset()),
    Habit(0.3, (2.0, 30.0), lambda _: Refuse()),
    Habit(0.3, (5.0, 60.0), lambda rng: Reboot(is_silent=rng.random() < 0.3)),
    Habit(0.5, (1.0, 90.0), lambda _: Stall()),
    Habit(2.0, (10.0, 120.0), lambda rng: DropBytes(rng.uniform(0.02, 0.3))),
    Habit(2.0, (10.0, 120.0), lambda rng: HalfFrames(rng.uniform(0.1, 0.5))),
    Habit(2.0, (10.0, 120.0), lambda rng: Junk(rng.uniform(0.05, 0.5))),
    Habit(2.0, (10.0, 120.0), lambda rng: FlipBit(rng.uniform(0.02, 0.3))),
    Habit(2.0, (10.0, 120.0), lambda rng: Repack(rng.choice((1, 7, (1, 300), 1024)), rng.choice((0.0, 0.5)))),
    Habit(1.0, (10.0, 90.0), lambda rng: SilentBattery(rng.randint(1, 15))),
    Habit(0.3, (5.0, 60.0), lambda _: NoMaster()),
)
"""Long wires, a cheap gateway, and a battery with a loose plug."""

HOSTILE: tuple[Habit, ...] = (
    Habit(6.0, (0.0, 3.0), lambda _: Finish()),
    Habit(6.0, (0.0, 3.0), lambda _: Reset()),
    Habit(3.0, (0.5, 40.0), lambda rng: Refuse(keeps_connections=rng.random() < 0.2)),
    Habit(3.0, (1.0, 60.0), lambda rng: Reboot(is_silent=rng.random() < 0.5)),
    Habit(4.0, (0.5, 90.0), lambda _: Stall()),
    Habit(2.0, (10.0, 240.0), lambda rng: DeadSockets(60.0, 1, rng.choice(tuple(Crowding)))),
    Habit(6.0, (5.0, 90.0), lambda rng: DropBytes(rng.uniform(0.05, 1.0), rng.choice((1, 12, 300)))),
    Habit(6.0, (5.0, 90.0), lambda rng: HalfFrames(rng.uniform(0.1, 1.0), rng.choice((8, 256, 299, 300)))),
    Habit(6.0, (5.0, 90.0), lambda rng: Junk(rng.uniform(0.1, 1.0), rng.randint(1, 400))),
    Habit(6.0, (5.0, 90.0), lambda rng: FlipBit(rng.uniform(0.1, 1.0))),
    Habit(3.0, (5.0, 60.0), lambda rng: FlipPair(rng.uniform(0.1, 1.0))),
    Habit(3.0, (5.0, 60.0), lambda rng: Splice(rng.uniform(0.1, 1.0))),
    Habit(3.0, (5.0, 60.0), lambda rng: Blank(rng.uniform(0.1, 1.0))),
    Habit(2.0, (5.0, 60.0), lambda _: NoiseOnly()),
    Habit(6.0, (5.0, 90.0), lambda rng: Repack(rng.choice((1, 7, (1, 300), 1024)), rng.uniform(0.0, 1.0))),
    Habit(4.0, (5.0, 90.0), lambda rng: SilentBattery(rng.randint(1, 15))),
    Habit(2.0, (2.0, 60.0), lambda _: NoMaster()),
    Habit(2.0, (2.0, 60.0), lambda _: SecondMaster()),
)
"""Everything a listener must survive, all day. Addresses stay: a swap cannot be seen in a live frame."""

PROFILES: Mapping[str, tuple[Habit, ...]] = {"none": (), "calm": CALM, "rough": ROUGH, "hostile": HOSTILE}
"""What `random_timetable` knows by name."""


def random_timetable(rng: random.Random, hours: float, profile: str) -> Timetable:
    """Faults for so many hours, each habit of the profile at its own random times."""
    return timetable.drawn(rng, hours, PROFILES[profile])
