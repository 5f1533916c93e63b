"""A memory as plain JSON values, and back."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from holdfast.control.alarm import Alarm, AlarmKind
from holdfast.control.instant import Instant
from holdfast.control.memory import Memory
from holdfast.control.pair import Pair, Role
from holdfast.control.plug import PlugMemory
from holdfast.control.profile import Position

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIMES: Final = ("on_since", "off_since", "tried_at")


def to_record(memory: Memory, now: Instant | None = None) -> dict[str, Any]:
    """What survives a restart: switch times, the place in the profile, alarms. Wanted outputs do not.

    ``now``: until when the plugs were watched; without it nobody knows.
    """
    position = memory.position
    return {
        "started": _instant(memory.started),
        "kept_at": _instant(now),
        "plugs": {role.value: _plug(memory.plugs.of(role)) for role in Role},
        "position": {
            "index": position.index,
            "spent_s": position.spent_s,
            "at": _instant(position.at),
            "is_paused": position.is_paused,
            "low_run": position.low_run,
            "low_at": position.low_at and position.low_at.isoformat(),
        },
        "swapped": memory.swapped and memory.swapped.value,
        "alarms": [
            {
                "kind": alarm.kind.value,
                "text": alarm.text,
                "since": alarm.since.isoformat(),
                "is_acknowledged": alarm.is_acknowledged,
            }
            for alarm in memory.alarms
        ],
    }


def from_record(record: Mapping[str, Any]) -> Memory:
    """The memory that was recorded, to be given to `wake`. Raises `ValueError` where this is no such record."""
    try:
        position = record["position"]
        return Memory(
            started=_at(record["started"]),
            kept_at=_moment(record.get("kept_at")),
            plugs=Pair(*(_plug_from(record["plugs"][role.value]) for role in Role)),
            position=Position(
                index=int(position["index"]),
                spent_s=float(position["spent_s"]),
                at=_moment(position["at"]),
                is_paused=bool(position["is_paused"]),
                low_run=int(position["low_run"]),
                low_at=position["low_at"] and datetime.fromisoformat(position["low_at"]),
            ),
            swapped=record["swapped"] and Role(record["swapped"]),
            alarms=tuple(
                Alarm(
                    kind=AlarmKind(each["kind"]),
                    text=str(each["text"]),
                    since=datetime.fromisoformat(each["since"]),
                    is_acknowledged=bool(each["is_acknowledged"]),
                )
                for each in record["alarms"]
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"this is no thermostat's memory: {error!r}") from error


def _instant(instant: Instant | None) -> list[Any] | None:
    return None if instant is None else [instant.steady_s, instant.era, instant.wall.isoformat()]


def _moment(raw: Any) -> Instant | None:
    return None if raw is None else _at(raw)


def _at(raw: Any) -> Instant:
    steady_s, era, wall = raw
    return Instant(float(steady_s), str(era), datetime.fromisoformat(wall))


def _plug(plug: PlugMemory) -> dict[str, Any]:
    times = {name: _instant(getattr(plug, name)) for name in _TIMES}
    return {**times, "unread_since": _instant(plug.unread_since)}


def _plug_from(raw: Mapping[str, Any]) -> PlugMemory:
    on_since, off_since, tried_at = (_moment(raw[name]) for name in _TIMES)
    unread_since = _moment(raw.get("unread_since"))
    return PlugMemory(on_since=on_since, off_since=off_since, tried_at=tried_at, unread_since=unread_since)
