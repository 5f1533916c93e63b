"""What a thermostat carries from one decision to the next, and what a start or a person changes in it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from holdfast.control.alarm import Alarm, AlarmKind, acknowledged
from holdfast.control.pair import Pair, Role
from holdfast.control.plug import UNSEEN_S, PlugMemory
from holdfast.control.profile import Position

if TYPE_CHECKING:
    from holdfast.control.instant import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """A thermostat's past. ``started``: the start of the program. ``swapped``: the plug that works the wrong way.

    ``kept_at``: of a memory of an earlier run, until when its plugs were watched; ``None`` where nobody knows.
    """

    started: Instant
    kept_at: Instant | None = None
    plugs: Pair[PlugMemory] = field(default_factory=lambda: Pair(PlugMemory(), PlugMemory()))
    position: Position = field(default_factory=Position)
    swapped: Role | None = None
    alarms: tuple[Alarm, ...] = ()
    has_had_reading: bool = False


def wake(stored: Memory | None, now: Instant) -> Memory:
    """The memory at the start of the program. Nothing is wanted; what happened before counts as far as it is proven.

    Where the steady clock cannot bridge the restart, nothing was stored, or nobody watched the plugs for a while, they
    have just stopped.
    """
    if stored is None:
        return Memory(started=now)
    unseen_s = None if stored.kept_at is None else now.since_s(stored.kept_at)
    is_bridged = unseen_s is not None and unseen_s < UNSEEN_S
    plugs = Pair(*(_woken(stored.plugs.of(role), now, is_bridged=is_bridged) for role in Role))
    return replace(stored, started=now, plugs=plugs, kept_at=None, has_had_reading=False)


def _woken(plug: PlugMemory, now: Instant, *, is_bridged: bool) -> PlugMemory:
    def proven(past: Instant | None) -> Instant | None:
        return None if past is None or now.since_s(past) is None else past

    off_since = proven(plug.off_since) if is_bridged else None
    return PlugMemory(
        on_since=proven(plug.on_since),
        off_since=off_since,
        tried_at=proven(plug.tried_at),
        unread_since=proven(plug.unread_since),
    )


def acknowledge(memory: Memory, kind: AlarmKind) -> Memory:
    """A person has seen an alarm. Swapped plugs may be used again; the watch on them starts anew."""
    memory = replace(memory, alarms=acknowledged(memory.alarms, kind))
    if kind is not AlarmKind.SWAPPED_PLUGS:
        return memory
    fresh = (replace(plug, watch=None) for plug in (memory.plugs.heater, memory.plugs.cooler))
    return replace(memory, swapped=None, plugs=Pair(*fresh))


def replace_plug(memory: Memory, role: Role) -> Memory:
    """Another plug took this role: of its past nothing is known, so it has just stopped."""
    return replace(memory, plugs=memory.plugs.put(role, PlugMemory()), swapped=None)


def start_profile(memory: Memory, now: Instant) -> Memory:
    """Begin the profile at its first step."""
    return replace(memory, position=Position(at=now))


def pause_profile(memory: Memory) -> Memory:
    """Keep the limits reached until `continue_profile`."""
    return replace(memory, position=replace(memory.position, is_paused=True))


def continue_profile(memory: Memory) -> Memory:
    """Go on where the profile was paused."""
    return replace(memory, position=replace(memory.position, is_paused=False))


def skip_step(memory: Memory, now: Instant) -> Memory:
    """Go to the start of the next step; a ramp that is skipped has arrived."""
    return replace(memory, position=memory.position.skipped(now))
