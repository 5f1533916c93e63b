"""What one device can report or do, described once for every surface."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Value = bool | int | float | str | tuple[str, ...] | None
"""What a capability can hold. ``None`` means that there is no current value."""


class ValueType(StrEnum):
    """The shape of a capability's values."""

    BOOLEAN = "boolean"
    NUMBER = "number"
    CHOICE = "choice"
    TEXT = "text"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Periodic:
    """Fresh while evidence keeps coming: stale once it is older than ``deadline_s`` seconds.

    ``interval_s`` is the expected distance of two pieces of evidence, ``None`` when nothing can be expected.
    """

    deadline_s: float
    interval_s: float | None = None


@dataclass(frozen=True, slots=True)
class WhileAlive:
    """For sources that push on change: fresh as long as the session that delivered it is proven alive."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Never ages: a thing that changes only when somebody changes it."""


Freshness = Periodic | WhileAlive | Setting


@dataclass(frozen=True, slots=True)
class Sanity:
    """What a value must be like to be believed at once, and what about it is strange (see intake).

    ``minimum`` and ``maximum`` are in the capability's unit; ``jump`` is the largest step between two
    consecutive values. A value beyond them is rejected until it repeats consistently.

    The rest only warns. ``independent_of`` names capabilities of the same group that measure something else: from
    further than ``apart`` (in the unit) to exactly equal in one step is strange. A value that has stood still for
    ``frozen_s`` seconds while ``counter``, a capability of the same group, went on is not being measured any more.

    Raises `ValueError` where the declaration contradicts itself or is half of one.
    """

    minimum: float | None = None
    maximum: float | None = None
    jump: float | None = None
    independent_of: tuple[str, ...] = ()
    apart: float | None = None
    frozen_s: float | None = None
    counter: str = ""

    def __post_init__(self) -> None:
        if self.minimum is not None and self.maximum is not None and not self.minimum <= self.maximum:
            raise ValueError(f"minimum {self.minimum:g} is above maximum {self.maximum:g}")
        if self.jump is not None and not self.jump > 0:
            raise ValueError(f"a jump is more than 0, not {self.jump:g}")
        if bool(self.independent_of) != (self.apart is not None):
            raise ValueError("independent_of and apart belong together")
        if self.apart is not None and not self.apart >= 0:
            raise ValueError(f"apart is 0 or more, not {self.apart:g}")
        if bool(self.counter) != (self.frozen_s is not None):
            raise ValueError("frozen_s and counter belong together")
        if self.frozen_s is not None and not self.frozen_s > 0:
            raise ValueError(f"frozen_s is more than 0 seconds, not {self.frozen_s:g}")


@dataclass(frozen=True, slots=True)
class VerifyPlan:
    """How a command on this capability is proven.

    ``pauses_s``: one entry an attempt, the pause in seconds before it, counted from the end of the attempt
    before. ``settle_s``: evidence younger than this after a send does not count. ``bound_s``: how long an
    earlier, unverified, opposite send may still take to show. ``wait_s``: how long after the last attempt the
    device may still report the result.
    """

    pauses_s: tuple[float, ...] = (0.0,)
    settle_s: float = 0.0
    bound_s: float = 0.0
    wait_s: float = 1.5

    @property
    def worst_case_s(self) -> float:
        """Seconds from the command to the moment when every attempt has had its chance."""
        return sum(self.pauses_s) + self.settle_s + self.bound_s + self.wait_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """One thing a device can report or do.

    ``key`` is the path behind the device's id in a target (``kitchen``, ``0/cells/3/voltage``). ``member`` and
    ``group`` say which evidence carries it. ``role`` is what a person would call it: light, switch, dimmer,
    cover, sensor. ``fail_safe`` is the value an actuator must take when anything is in doubt, ``None`` if
    there is none. ``choices`` lists the values accepted by a choice, ``commands`` those accepted when writing
    if they differ from the values reported (a cover is told ``open`` and reports ``opening``).
    """

    key: str
    type: ValueType
    member: str = ""
    group: str = "live"
    name: str = ""
    role: str = "sensor"
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    writable: bool = False
    essential: bool = True
    freshness: Freshness = Setting()
    fail_safe: Value = None
    sanity: Sanity | None = None
    verify: VerifyPlan = VerifyPlan()
    urgent: tuple[Value, ...] = ()
    """Values whose commands overtake spacing and queues (a cover's ``stop``)."""

    @property
    def deadline_s(self) -> float | None:
        """Seconds after which a value is stale, ``None`` where it does not age by itself."""
        return self.freshness.deadline_s if isinstance(self.freshness, Periodic) else None


class NotAccepted(ValueError):
    """A value does not fit a capability; the text says what would fit."""


def accept(capability: Capability, value: object) -> Value:
    """The value as the capability holds it; raises `NotAccepted` with what would be right."""
    if not capability.writable:
        raise NotAccepted(f"{capability.key} can be read but not set")
    if capability.commands or capability.type is ValueType.CHOICE:
        allowed = capability.commands or capability.choices
        if isinstance(value, str) and value in allowed:
            return value
        raise NotAccepted(f"{capability.key} takes one of {', '.join(allowed)}, not {value!r}")
    if capability.type is ValueType.BOOLEAN:
        if isinstance(value, bool):
            return value
        raise NotAccepted(f"{capability.key} takes true or false, not {value!r}")
    if capability.type is ValueType.NUMBER:
        return _number(capability, value)
    raise NotAccepted(f"{capability.key} of type {capability.type} cannot be set")


def _number(capability: Capability, value: object) -> Value:
    if isinstance(value, bool) and capability.role == "dimmer":
        return value  # true restores the last level, false is 0: the driver knows the level
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise NotAccepted(f"{capability.key} takes a number, not {value!r}")
    low, high = capability.minimum, capability.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        unit = f" {capability.unit}" if capability.unit else ""
        raise NotAccepted(f"{capability.key} takes {low:g} to {high:g}{unit}, not {value:g}")
    return value
