"""Which sensor a controller goes by, and since when: a new one may be silent for a while without an alarm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.control import Instant


@dataclass(frozen=True, slots=True)
class Assignment:
    """``at`` is UTC, ``None`` where nobody knows. The plugs stay off in any case until the sensor is heard."""

    sensor: str = ""
    at: datetime | None = None

    @classmethod
    def from_record(cls, record: object) -> Assignment:
        """What an earlier run stored; nothing where it cannot be read."""
        if not isinstance(record, Mapping):
            return cls()
        try:
            return cls(str(record["sensor"]), datetime.fromisoformat(record["at"]))
        except (KeyError, TypeError, ValueError):
            return cls()

    def to_record(self) -> dict[str, str | None]:
        """As JSON values."""
        return {"sensor": self.sensor, "at": None if self.at is None else self.at.isoformat()}

    def age_s(self, now: Instant) -> float | None:
        """For how long it has been assigned, by the wall clock: it must count through a restart."""
        return None if self.at is None else max(0.0, (now.wall - self.at).total_seconds())
