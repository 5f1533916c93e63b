"""What a thermostat answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.control.alarm import Alarm
    from holdfast.control.limits import Limits
    from holdfast.control.memory import Memory
    from holdfast.control.pair import Pair, Role


class State(StrEnum):
    """What a thermostat does, in the words that a person reads."""

    OFF = "off"
    NO_READING = "safety: no reading"
    CONFIGURATION_ERROR = "configuration error"
    SWAPPED_PLUGS = "swapped plugs"
    PLUG_UNREACHABLE = "safety: plug unreachable"
    """A plug does not answer or does not obey. The other one may go on."""
    HEATING_MINIMUM_TIME = "heating minimum time"
    COOLING_MINIMUM_TIME = "cooling minimum time"
    HEATING = "heating"
    """The heater is proven ON. Until it is, the thermostat is waiting to heat."""
    COOLING = "cooling"
    WAITING_TO_HEAT = "waiting to heat"
    WAITING_TO_COOL = "waiting to cool"
    IDLE = "idle"


class Output(StrEnum):
    """What a plug is wanted to be."""

    ON = "on"
    OFF = "off"
    SAFETY_OFF = "safety off"
    """OFF until proven, whoever else wants the plug: a standing order."""
    RELEASED = "released"
    """Not the thermostat's: there is no such plug, or a person has taken it over and nothing is unsafe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to want of each plug, what to tell and what to remember.

    ``memory`` goes into the next decision, and into the store *before* an ON is sent: a killed program must find it.
    ``look_s``: decide again after so many seconds, or at once on new evidence. ``limits`` are those in force,
    ``None`` where they cannot be used. ``alarms`` are all that are active; one that was not there before is to be told.
    """

    outputs: Pair[Output]
    state: State
    reason: str
    alarms: tuple[Alarm, ...]
    memory: Memory
    look_s: float
    limits: Limits | None

    def is_wanted(self, role: Role) -> bool:
        """Whether this plug is wanted ON."""
        return self.outputs.of(role) is Output.ON
