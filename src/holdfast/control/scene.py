"""Everything known at the moment of one decision, taken in and put side by side. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from holdfast.control.pair import Pair, Role
from holdfast.control.plug import Sight, observe
from holdfast.control.profile import Gravity, Position, advance, entered_at
from holdfast.control.swap import is_swapped, watched
from holdfast.control.temperature import Unit, in_words

if TYPE_CHECKING:
    from holdfast.control.evidence import Evidence, SensorEvidence
    from holdfast.control.instant import Instant
    from holdfast.control.limits import Limits
    from holdfast.control.memory import Memory
    from holdfast.control.settings import ThermostatSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One moment. ``temperature`` is in millionths of °C, ``None`` unless fresh; ``missing`` says why then.

    ``fault`` says why the settings cannot be used, and ``limits`` are ``None`` then.
    """

    settings: ThermostatSettings
    evidence: Evidence
    memory: Memory
    now: Instant
    sights: Pair[Sight]
    temperature: int | None
    missing: str
    position: Position
    fault: str
    limits: Limits | None
    unit: Unit
    swapped: Role | None

    def said(self, grid: int) -> str:
        """A temperature in the owner's unit."""
        return in_words(grid, self.unit)


def take_in(settings: ThermostatSettings, evidence: Evidence, memory: Memory, now: Instant) -> Scene:
    """Read the evidence against the memory."""
    missing, temperature = _temperature(settings, evidence)
    gravity = _gravity(evidence.gravity, settings.fresh_s)
    position = advance(settings.profile, memory.position, gravity, now, is_enabled=settings.is_enabled)
    seen = Pair(*(_sight(settings, evidence, memory, role, now) for role in Role))
    sights = Pair(*(_watched(settings, seen, role, temperature, now) for role in Role))
    moved = (role for role in settings.roles if is_swapped(role, sights.of(role), temperature, now))
    fault = settings.fault
    return Scene(
        settings=settings,
        evidence=evidence,
        memory=memory,
        now=now,
        sights=sights,
        temperature=temperature,
        missing=missing,
        position=position,
        fault=fault,
        limits=None if fault else settings.limits_at(position),
        unit=entered_at(settings.profile, settings.limits, position).unit,
        swapped=memory.swapped or next(moved, None),
    )


def _sight(
    settings: ThermostatSettings, evidence: Evidence, memory: Memory, role: Role, now: Instant
) -> Sight:
    return observe(evidence.plugs.of(role), memory.plugs.of(role), now, settings.dead_man_s)


def _watched(
    settings: ThermostatSettings, seen: Pair[Sight], role: Role, temperature: int | None, now: Instant
) -> Sight:
    sight = seen.of(role)
    other = seen.of(role.other) if settings.targets.of(role.other) else None
    return replace(sight, past=watched(sight, other, temperature, now, role))


def _temperature(settings: ThermostatSettings, evidence: Evidence) -> tuple[str, int | None]:
    reading = evidence.reading
    if not settings.sensor:
        return "no sensor is assigned", None
    if reading is None:
        return f"{settings.sensor} has given no reading yet", None
    missing = reading.staleness(settings.fresh_s)
    if missing:
        return missing, None
    if reading.grid is None:
        return f"{settings.sensor} gave no temperature: {reading.value!r} {reading.unit}".rstrip(), None
    return "", reading.grid


def _gravity(reading: SensorEvidence | None, fresh_s: float) -> Gravity | None:
    if reading is None or reading.observed_at is None or reading.staleness(fresh_s):
        return None
    if isinstance(reading.value, bool) or not isinstance(reading.value, int | float):
        return None
    return Gravity(reading.value, reading.observed_at)
