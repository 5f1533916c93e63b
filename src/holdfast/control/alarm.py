"""What a thermostat complains of. An alarm is one incident: raised once, kept until the condition that re-arms it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime


class AlarmKind(StrEnum):
    """The closed list of a thermostat's alarms, in the order in which they are listed."""

    NO_READING = "no_reading"
    CONFIGURATION = "configuration"
    SWAPPED_PLUGS = "swapped_plugs"
    HEATER_UNREACHABLE = "heater_unreachable"
    COOLER_UNREACHABLE = "cooler_unreachable"
    BELOW_LOW = "below_low"
    """Strictly below the low limit; over when the high limit is reached. Source: fact sheet section 7."""
    ABOVE_HIGH = "above_high"
    """Strictly above the high limit; over when the low limit is reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One incident, in the words of the moment when it was raised. Kept over a restart, so that it is told once."""

    kind: AlarmKind
    text: str
    since: datetime
    is_acknowledged: bool = False


def follow(
    active: tuple[Alarm, ...], raised: Mapping[AlarmKind, str], kept: Collection[AlarmKind], at: datetime
) -> tuple[Alarm, ...]:
    """The alarms now: those active that are ``raised`` again or ``kept``, and those that are new."""
    known = {alarm.kind: alarm for alarm in active}
    following = []
    for kind in AlarmKind:
        if kind in known and (kind in raised or kind in kept):
            following.append(known[kind])
        elif kind in raised:
            following.append(Alarm(kind=kind, text=raised[kind], since=at))
    return tuple(following)


def acknowledged(active: tuple[Alarm, ...], kind: AlarmKind) -> tuple[Alarm, ...]:
    """The same alarms, one of them marked as seen by a person."""
    return tuple(replace(alarm, is_acknowledged=True) if alarm.kind is kind else alarm for alarm in active)
