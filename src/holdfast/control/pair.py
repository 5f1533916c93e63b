"""The two plugs of a thermostat, and whatever there is one of for each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class Role(StrEnum):
    """What a plug does to the vessel."""

    HEATER = "heater"
    COOLER = "cooler"

    @property
    def other(self) -> Role:
        """The one that works against it."""
        return Role.COOLER if self is Role.HEATER else Role.HEATER


@dataclass(frozen=True, slots=True)
class Pair(Generic[T]):
    """One thing for the heater and one for the cooler."""

    heater: T
    cooler: T

    def of(self, role: Role) -> T:
        """The one of this role."""
        return self.heater if role is Role.HEATER else self.cooler

    def put(self, role: Role, thing: T) -> Pair[T]:
        """The same pair with another thing for this role."""
        return replace(self, heater=thing) if role is Role.HEATER else replace(self, cooler=thing)
