"""Faults on a timetable: written by hand, or drawn from a seed after the temper of a profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.simulators import timetable
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
    from collections.abc import Mapping

Entry = timetable.Entry[Fault]
Timetable = timetable.Timetable[Fault]
Habit = timetable.Habit[Fault]
Moment = timetable.Moment[Fault]


def _which(rng: random.Random) -> Which:
    return rng.choice((Which.ALL, Which.READ, Which.SET))


CALM: tuple[Habit, ...] = (
    Habit(0.5, (5.0, 20.0), lambda _: Slow(delay_s=(0.02, 0.15))),
    Habit(0.1, (0.0, 0.0), lambda _: Drop()),
)
"""A good house: WLAN that takes its time now and then."""

ROUGH: tuple[Habit, ...] = (
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

HOSTILE: tuple[Habit, ...] = (
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
    return timetable.drawn(rng, hours, PROFILES[profile])
