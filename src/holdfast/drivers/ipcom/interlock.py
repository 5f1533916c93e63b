"""When a motor may run. One relay of a cover must be off, and proven off, before the other goes on.

The rules and what they guard against (fact sheet section 9, core.md section 3):

- An ON in flight is a running motor: with bus latency, "seen off" in a snapshot asked for after a write is not enough.
  A relay starts no sooner than max(other seen off, last ON of the other + bus latency bound) + dead time.
- An ON that was sent must have an OFF sent behind it, and that OFF must have been asked about.
- What was sent before this process began is not known: the first snapshot of a session then counts as the last ON.
- A relay that runs is never kept running, by a write to its neighbours, while its partner may be on.

Everything here is pure; times are loop time in seconds. What was sent stands in the device's wire log, under `on_mark`
and `off_mark` of each relay and `write_tag` of each module, and outlives sessions.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.drivers.ipcom.wiring import OFF, RELAY_ON

if TYPE_CHECKING:
    from collections.abc import Hashable

    from holdfast.drivers.ipcom.wiring import Cover, Place
    from holdfast.link.planner import Sight, WireLog

FRESH_S: Final = 0.1
"""A write is built on a snapshot that arrived no longer ago than this: fact sheet section 10. It bounds how late a wall
switch can be pressed and still be undone by a write to a neighbour."""
STOP_CARRY_S: Final = 0.5
"""A stop waits for no fresh snapshot; one older than this (a poll period and a slow answer) keeps no other motor
running in the frame of a stop."""
REPEAT_S: Final = 1.5
"""An OFF that does not show is sent again after this time, as commands are: fact sheet section 10."""


def write_tag(module: int) -> Hashable:
    """The wire log's tag of writes to a module."""
    return ("write", module)


def on_mark(relay: Place) -> Hashable:
    """The wire log's mark of frames that had the relay on."""
    return ("on", *relay)


def off_mark(relay: Place) -> Hashable:
    """The wire log's mark of frames that had the relay off."""
    return ("off", *relay)


def guard_mark(cover: Cover) -> Hashable:
    """The wire log's mark of frames that switched a cover's motor off without a wish."""
    return ("guard", cover.key)


class Limits(NamedTuple):
    """Seconds: how late a write may show, and how long a motor rests between two directions."""

    bus_latency_s: float
    dead_time_s: float


class Verdict(Enum):
    """Whether a relay may be switched on now."""

    GO = "go"
    RELEASE = "release"
    """Its partner must be switched off first, or told off once more."""
    LOOK = "look"
    """An OFF was sent to its partner, and what is known was asked for before it."""
    WAIT = "wait"


class Start(NamedTuple):
    """The verdict; ``until`` is the loop time at which a `WAIT` is worth asking again."""

    verdict: Verdict
    until: float = 0.0


class Interlock:
    """The rules at one moment: what was last seen, what was ever sent, and the time."""

    __slots__ = ("_limits", "_now", "_sent", "_sight", "_state")

    def __init__(self, sight: Sight, sent: WireLog, now: float, limits: Limits) -> None:
        self._sight = sight
        self._state: bytes = sight.raw
        self._sent = sent
        self._now = now
        self._limits = limits

    def is_on(self, relay: Place) -> bool:
        """Whether it reads on."""
        return self._state[relay.offset] != OFF

    def is_blocked(self, cover: Cover) -> bool:
        """Whether both relays read on, which wall switches can do."""
        return self.is_on(cover.up) and self.is_on(cover.down)

    def may_be_on(self, relay: Place) -> bool:
        """Whether it reads on, or an ON that was sent may not have shown yet."""
        on = self._sent[on_mark(relay)]
        return (
            self.is_on(relay) or self._sight.as_of.n <= on.n or self._now < on.t + self._limits.bus_latency_s
        )

    def start(self, cover: Cover, relay: Place) -> Start:
        """Whether ``relay`` may be switched on, and if not, what must come before."""
        other = cover.partner(relay)
        on, off = self._sent[on_mark(other)], self._sent[off_mark(other)]
        if on.n > off.n:
            return Start(Verdict.RELEASE)
        if self._sight.as_of.n <= off.n:
            return Start(Verdict.LOOK)
        if self.is_on(other):
            repeat_t = off.t + REPEAT_S
            return Start(Verdict.RELEASE) if self._now >= repeat_t else Start(Verdict.WAIT, repeat_t)
        seen_off_t = self.since(cover)
        last_on_t = on.t if on.n >= 0 else seen_off_t
        ready_t = max(seen_off_t, last_on_t + self._limits.bus_latency_s) + self._limits.dead_time_s
        return Start(Verdict.GO) if self._now >= ready_t else Start(Verdict.WAIT, ready_t)

    def since(self, cover: Cover) -> float:
        """Loop time since when the cover reads as it does: a relay that is off now was off all that time."""
        cell = self._sight.cells.get(cover.key)
        return self._sight.at if cell is None else cell.since.t

    def is_running(self, cover: Cover) -> bool:
        """Whether one of its relays reads on."""
        return self.is_on(cover.up) or self.is_on(cover.down)

    def overrun_at(self, cover: Cover) -> float:
        """Loop time at which a running motor exceeds its maximum run; never, if it rests or has no limit."""
        if cover.maximum_run_s is None or not self.is_running(cover):
            return math.inf
        return self.since(cover) + cover.maximum_run_s

    def is_being_released(self, cover: Cover) -> bool:
        """Whether its motor was switched off without a wish, and what runs now is what was left of that.

        Of two OFFs one may be lost: what the wall began then runs on, and nobody wants it to.
        """
        guard = self._sent[guard_mark(cover)]
        was_started = any(self._sent[on_mark(relay)].n > guard.n for relay in cover.relays)
        return self.is_running(cover) and not was_started and self.since(cover) <= guard.t + REPEAT_S

    def is_on_its_way(self, relay: Place) -> bool:
        """Whether the last thing sent to it was an ON that may not have shown yet."""
        on, off = self._sent[on_mark(relay)], self._sent[off_mark(relay)]
        return on.n > off.n and self._now < on.t + self._limits.bus_latency_s

    def carried(self, cover: Cover, relay: Place) -> int:
        """What a write to its neighbours says of a relay that nobody has a wish for: what it reads.

        Off, where its partner may be on, or where the evidence is too old to keep a motor running by.
        """
        is_kept = (
            self.is_on(relay)
            and not self.may_be_on(cover.partner(relay))
            and self._now - self._sight.at <= STOP_CARRY_S
        )
        return RELAY_ON if is_kept else OFF

    def release_at(self, relay: Place, reason_t: float) -> float:
        """Loop time from which an OFF may be sent for a reason that arose at ``reason_t``: at once, then repeated."""
        off = self._sent[off_mark(relay)]
        return off.t + REPEAT_S if off.t >= reason_t else self._now
