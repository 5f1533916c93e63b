"""What a thermostat is told: the sensor's last reading and the plugs as they answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from holdfast.control.pair import Pair
from holdfast.control.temperature import on_grid
from holdfast.model import Quality, Value

if TYPE_CHECKING:
    from datetime import datetime

VERIFIED_S: Final = 30.0
"""A plug's answer older than three polls of 10 s proves nothing any more. Source: fact sheet section 10."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorEvidence:
    """A sensor's last reading. ``age_s`` counts from its observation on a clock that also counts sleep."""

    value: Value
    unit: str
    age_s: float
    quality: Quality = Quality.GOOD
    is_suspect: bool = False
    observed_at: datetime | None = None

    def staleness(self, fresh_s: float) -> str:
        """Why this reading may not be acted upon, in words; empty where it may: good or late, and young enough."""
        if not self.quality.is_current:
            return f"the sensor's last reading is {self.quality}"
        if self.is_suspect:
            return "the sensor's reading is suspect"
        if not 0 <= self.age_s < fresh_s:
            return f"the sensor's last reading is {self.age_s:.0f} s old, {fresh_s:g} s are allowed"
        return ""

    @property
    def grid(self) -> int | None:
        """The temperature in millionths of °C; ``None`` if this is none."""
        return on_grid(self.value, self.unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlugEvidence:
    """A plug as it last answered.

    ``is_on`` is ``None`` where nothing is known, a send in doubt included. ``age_s`` is the age of that answer,
    ``since_s`` for how long answers have shown nothing else, gaps included (``None``: not known). ``error`` tells the
    last failure until something succeeds. ``was_on``: nothing is known, and the last answer, however old or doubtful,
    showed ON. ``has_open_command``: a command on the relay has not ended (a renewal of
    the plug's own timer is none). ``is_taken_over``: a person commands the plug for a time.
    """

    is_on: bool | None
    age_s: float = 0.0
    since_s: float | None = None
    was_on: bool = False
    error: str = ""
    has_open_command: bool = False
    is_taken_over: bool = False

    @property
    def answered(self) -> bool | None:
        """What the plug said of late, ``None`` if nothing."""
        return self.is_on if self.age_s <= VERIFIED_S else None


UNREAD: Final = PlugEvidence(is_on=None)
"""A plug that has not answered yet, or is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything a decision rests on. ``reading`` and ``gravity`` come from the assigned sensors and no others.

    ``assigned_s``: seconds since a person assigned the sensor, ``None`` if that is long ago or not known.
    """

    reading: SensorEvidence | None = None
    gravity: SensorEvidence | None = None
    plugs: Pair[PlugEvidence] = field(default_factory=lambda: Pair(UNREAD, UNREAD))
    assigned_s: float | None = None
