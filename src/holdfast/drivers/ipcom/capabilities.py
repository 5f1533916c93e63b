"""What a house can report and do: capabilities, the values of a snapshot, and what proves a command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from holdfast.drivers.ipcom.codec import GROUP, MEMBER
from holdfast.drivers.ipcom.levels import to_byte, to_percent
from holdfast.drivers.ipcom.wiring import Cover, Output, OutputKind
from holdfast.model import Capability, Periodic, Value, ValueType, VerifyPlan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.drivers.ipcom.options import IpcomOptions
    from holdfast.link.driver import Project
    from holdfast.link.planner import Shows

READING_DEADLINE_S: Final = 2.0
"""A snapshot older than this is stale: design.md."""
VERIFY_PAUSES_S: Final = (0.0, 1.5, 1.5)
"""Attempts at 0, 1.5 and 3 s: design.md, fact sheet section 10."""
VERIFY_WAIT_S: Final = 1.5
"""How long the last attempt may take to show: as long as the others."""

OPEN, CLOSE, STOP = "open", "close", "stop"
OPENING, CLOSING, STOPPED, BLOCKED = "opening", "closing", "stopped", "blocked"
_MOTIONS: Final = {
    (False, False): STOPPED,
    (True, False): OPENING,
    (False, True): CLOSING,
    (True, True): BLOCKED,
}
"""(up is on, down is on) -> what a cover reports. Blocked: both are, by wall switches; the driver ends that."""
_PROOFS: Final = {OPEN: OPENING, CLOSE: CLOSING, STOP: STOPPED}


def last_level_key(key: str) -> str:
    """The capability that remembers a dimmer's last level above 0, for "on" without a level.

    It is a reading of its own, since a planner is pure and remembers nothing. It survives reconnects, not restarts:
    nothing is switched on from a memory that another program wrote.
    """
    return f"{key}/last_level"


def capabilities(options: IpcomOptions) -> list[Capability]:
    """One capability for each named output and cover, and one for each dimmer's last level."""
    freshness = Periodic(READING_DEADLINE_S, options.poll_s)
    verify = VerifyPlan(VERIFY_PAUSES_S, bound_s=options.bus_latency_s, wait_s=VERIFY_WAIT_S)

    def capability(thing: Output | Cover, kind: ValueType, **more: Any) -> Capability:
        return Capability(
            key=thing.key,
            name=thing.name,
            type=kind,
            member=MEMBER,
            group=GROUP,
            writable=True,
            freshness=freshness,
            verify=verify,
            **more,
        )

    found = []
    for output in options.outputs:
        fail_safe = {"fail_safe": False, "urgent": (False,)} if output.must_end_off else {}
        role = output.kind.value
        if output.kind is OutputKind.DIMMER:
            level = {"unit": "%", "minimum": 0, "maximum": 100}
            found.append(capability(output, ValueType.NUMBER, role=role, **level, **fail_safe))
        else:
            found.append(capability(output, ValueType.BOOLEAN, role=role, **fail_safe))
    words = {"choices": (*_MOTIONS.values(),), "commands": (OPEN, CLOSE, STOP), "urgent": (STOP,)}
    found += [capability(cover, ValueType.CHOICE, role="cover", **words) for cover in options.covers]
    found += [
        Capability(
            key=last_level_key(output.key),
            name=f"{output.name}, last level",
            type=ValueType.NUMBER,
            member=MEMBER,
            group=GROUP,
            unit="%",
            minimum=0,
            maximum=100,
            essential=False,
            freshness=freshness,
        )
        for output in options.outputs
        if output.kind is OutputKind.DIMMER
    ]
    return found


def motion(cover: Cover, state: bytes) -> str:
    """What a cover's two relays say in a snapshot."""
    return _MOTIONS[bool(state[cover.up.offset]), bool(state[cover.down.offset])]


def projection(options: IpcomOptions) -> Project:
    """(member, group, snapshot, values before) -> the values of the configured outputs, and of nothing else."""
    outputs, covers = options.outputs, options.covers

    def project(member: str, group: str, raw: Any, before: Mapping[str, Value]) -> Mapping[str, Value]:
        state: bytes = raw
        values: dict[str, Value] = {}
        for output in outputs:
            byte = state[output.place.offset]
            if output.kind is not OutputKind.DIMMER:
                values[output.key] = byte != 0
                continue
            level = to_percent(byte, output.module.scale)
            values[output.key] = level
            memory = last_level_key(output.key)
            last = level or before.get(memory)
            if last is not None:
                values[memory] = last
        for cover in covers:
            values[cover.key] = motion(cover, state)
        return values

    return project


def proofs(options: IpcomOptions) -> Shows:
    """(key, wanted, shown) -> whether the shown value proves the wanted one.

    A dimmer told "on" is proven by any level above 0 (it may still be on its way up), one told a level by that level
    as the device can express it.
    """
    scales = {each.key: each.module.scale for each in options.outputs if each.kind is OutputKind.DIMMER}
    covers = {cover.key for cover in options.covers}

    def shows(key: str, wanted: Value, shown: Value) -> bool:
        if key in covers:
            return str(shown) == _PROOFS.get(str(wanted))
        if key not in scales:
            return bool(shown) is bool(wanted)
        if not isinstance(shown, int):
            return False
        if isinstance(wanted, bool):
            return wanted is (shown > 0)
        return isinstance(wanted, int | float) and shown == to_percent(
            to_byte(wanted, scales[key]), scales[key]
        )

    return shows
