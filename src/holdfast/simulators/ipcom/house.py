"""The house behind the controller: what its outputs really do, and everything that ever changed them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from holdfast.simulators.ipcom.messages import MODULES, OUTPUTS

FULL = 255
"""An energised relay, as reported."""

LOG_LIMIT = 100_000
"""Entries kept of each log: weeks of a lively house, yet bounded for one that is served for ever."""


class ModuleKind(StrEnum):
    """What is screwed to the wall."""

    RELAY = "relay"
    DIMMER = "dimmer"
    SHUTTER = "shutter"


class Over(StrEnum):
    """What a dimmer does with a value beyond its scale (255 on a scale of 100; unknown for real ones)."""

    CLAMP = "clamp"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Module:
    """One module of eight outputs. ``scale`` is a dimmer's full brightness, 100 or 255."""

    kind: ModuleKind = ModuleKind.RELAY
    scale: int = 100
    over: Over = Over.CLAMP

    @property
    def full(self) -> int:
        """The value of an output that is fully on."""
        return self.scale if self.kind is ModuleKind.DIMMER else FULL

    def settle(self, old: int, asked: int) -> int:
        """What an output at ``old`` becomes when asked for ``asked``."""
        if self.kind is not ModuleKind.DIMMER:
            return FULL if asked else 0
        if asked <= self.scale:
            return asked
        return self.scale if self.over is Over.CLAMP else old


class Spot(NamedTuple):
    """One output: its module (1..16) and its number there (1..8)."""

    module: int
    output: int


class Pair(NamedTuple):
    """The two relays of one shutter motor, which must never be on together."""

    down: Spot
    up: Spot
    name: str = ""


class Cause(StrEnum):
    """Who changed an output."""

    WRITE = "write"
    WALL = "wall"


class Frame(NamedTuple):
    """A write as the controller received it at loop time ``t``: module, all eight values, connection."""

    t: float
    module: int
    values: bytes
    connection: int


class Change(NamedTuple):
    """One output changed at loop time ``t``; ``frame`` is the write that did it, if one did."""

    t: float
    module: int
    output: int
    old: int
    new: int
    cause: Cause
    frame: Frame | None = None

    @property
    def spot(self) -> Spot:
        """The output that changed."""
        return Spot(self.module, self.output)


Watcher = Callable[[tuple[Change, ...]], None]
"""Is told, after the fact, of all outputs that changed in one instant."""


def offset(spot: tuple[int, int]) -> int:
    """Where an output stands among the 128 bytes of a snapshot."""
    module, output = spot
    if not (1 <= module <= MODULES and 1 <= output <= OUTPUTS):
        raise ValueError(f"there is no output {output} on module {module}")
    return (module - 1) * OUTPUTS + output - 1


class House:
    """The truth: 128 outputs, wall switches, relays that stick. Modules not named are relay modules.

    Changes bear the time of the running event loop, so they can only be made inside one.
    """

    def __init__(
        self, modules: Mapping[int, Module] | None = None, outputs: bytes = bytes(MODULES * OUTPUTS)
    ) -> None:
        if len(outputs) != MODULES * OUTPUTS:
            raise ValueError(f"a house has {MODULES * OUTPUTS} outputs, not {len(outputs)}")
        self.modules = dict.fromkeys(range(1, MODULES + 1), Module()) | dict(modules or {})
        self.changes: deque[Change] = deque(maxlen=LOG_LIMIT)
        self._outputs = outputs
        self._levels: dict[Spot, int] = {}
        self._stuck: set[Spot] = set()
        self._watchers: list[Watcher] = []

    @property
    def outputs(self) -> bytes:
        """All outputs as they are now; the same object until one changes."""
        return self._outputs

    def value(self, module: int, output: int) -> int:
        """One output as it is now."""
        return self._outputs[offset((module, output))]

    def write(self, frame: Frame) -> None:
        """A frame reaches its module: all eight outputs are set at once."""
        first = offset((frame.module, 1))
        self._set({first + index: value for index, value in enumerate(frame.values)}, Cause.WRITE, frame)

    def press(self, module: int, output: int, value: int | None = None) -> int:
        """A hand on the wall switch: to ``value``, or toggled (a dimmer comes back at its last level).

        Works at once, without the controller. Returns the value the output has now.
        """
        spot = Spot(module, output)
        at = offset(spot)
        if value is None:
            value = 0 if self._outputs[at] else self._levels.get(spot, self.modules[module].full)
        self._set({at: value}, Cause.WALL)
        return self._outputs[at]

    def stick(self, module: int, output: int) -> None:
        """From now on the output stays as it is, whoever asks."""
        offset((module, output))
        self._stuck.add(Spot(module, output))

    def release(self, module: int, output: int) -> None:
        """The output moves again."""
        self._stuck.discard(Spot(module, output))

    def observe(self, watcher: Watcher) -> Callable[[], None]:
        """Tell ``watcher`` of every change from now on; returns how to stop that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def _set(self, wanted: Mapping[int, int], cause: Cause, frame: Frame | None = None) -> None:
        now = asyncio.get_running_loop().time()
        outputs = bytearray(self._outputs)
        changes: list[Change] = []
        for at, asked in wanted.items():
            spot = Spot(at // OUTPUTS + 1, at % OUTPUTS + 1)
            old = outputs[at]
            new = old if spot in self._stuck else self.modules[spot.module].settle(old, asked)
            if new != old:
                outputs[at] = new
                self._levels[spot] = new or old
                changes.append(Change(now, *spot, old, new, cause, frame))
        if changes:
            self._outputs = bytes(outputs)
            self.changes.extend(changes)
            for watcher in tuple(self._watchers):
                watcher(tuple(changes))
