"""What hangs on a controller: modules, named outputs, and covers made of two relays."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from holdfast.drivers.ipcom.messages import offset

OFF: Final = 0
RELAY_ON: Final = 255


class ModuleKind(StrEnum):
    """What a module drives. The vendor tells by type, never by number: Exo8, ExoDim, ExoStore."""

    RELAY = "relay"
    DIMMER = "dimmer"
    SHUTTER = "shutter"


class ModuleType(NamedTuple):
    """A module's kind and, for dimmers, the byte that means full (100 or 255)."""

    kind: ModuleKind = ModuleKind.RELAY
    scale: int = 100

    @property
    def is_dimmer(self) -> bool:
        """Whether its outputs know levels."""
        return self.kind is ModuleKind.DIMMER


RELAYS: Final = ModuleType()
"""What a module is that the site file does not speak of."""

RELAYS_OR_DIMMERS: Final = ModuleType(ModuleKind.DIMMER, 100)
"""What a module may look like that the site file does not speak of: 0 to 100, or 255."""


class Place(NamedTuple):
    """One output: module 1 to 16, output 1 to 8."""

    module: int
    output: int

    @property
    def offset(self) -> int:
        """Where it stands in the 128 bytes of state."""
        return offset(self.module, self.output)

    def __str__(self) -> str:
        return f"module {self.module} output {self.output}"


class OutputKind(StrEnum):
    """What a person would call an output."""

    LIGHT = "light"
    SWITCH = "switch"
    DIMMER = "dimmer"
    COVER = "cover"


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A named output: a light, a switch or a dimmer. ``must_end_off``: its fail-safe value is off."""

    key: str
    name: str
    kind: OutputKind
    place: Place
    module: ModuleType = RELAYS
    must_end_off: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """Two relays and one motor. ``maximum_run_s``: both go off after running so long, ``None``: no limit."""

    key: str
    name: str
    up: Place
    down: Place
    maximum_run_s: float | None = None
    aliases: tuple[str, ...] = ()

    @property
    def relays(self) -> tuple[Place, Place]:
        """Both relays, up first."""
        return self.up, self.down

    def partner(self, relay: Place) -> Place:
        """The relay that must be off while this one is on."""
        return self.down if relay == self.up else self.up
