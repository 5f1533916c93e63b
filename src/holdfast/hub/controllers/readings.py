"""What a thermostat shows: its own settings and decisions, and what its sensor and plugs say. No I/O."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from holdfast.control import Role
from holdfast.control.temperature import MICRO, on_grid
from holdfast.hub.controllers import capabilities as names
from holdfast.hub.controllers.evidence import PlugWatch, sensed
from holdfast.model import Quality, Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.control import Decision, ThermostatSettings
    from holdfast.hub.hub import Hub
    from holdfast.model import Capability, Value

_ROLES = {names.HEATING: Role.HEATER, names.COOLING: Role.COOLER}


def capabilities_of(settings: ThermostatSettings) -> Mapping[str, Capability]:
    """What a thermostat with these settings reports and takes, by key: without a plug no word of it."""
    without = {key for key, role in _ROLES.items() if role not in settings.roles}
    return {key: each for key, each in names.CAPABILITIES.items() if key not in without}


def reading_of(
    hub: Hub, ident: str, settings: ThermostatSettings, decision: Decision | None, capability: Capability
) -> Reading:
    """One of its readings at this moment."""
    target = f"{ident}/{capability.key}"
    match capability.key:
        case names.TEMPERATURE:
            return _temperature(hub, target, settings, capability)
        case names.HEATING | names.COOLING:
            found = PlugWatch(settings.targets.of(_ROLES[capability.key])).find(hub)
            if found is None:
                return _own(hub, target, capability, None)
            device, switch = found
            return replace(device.reading(switch), target=target)
        case names.ENABLED:
            value: Value = settings.is_enabled
        case names.STATE:
            value = None if decision is None else decision.state.value
        case names.REASON:
            value = None if decision is None else decision.reason
        case _:
            value = _limit(decision, capability.key)
    return _own(hub, target, capability, value)


def _limit(decision: Decision | None, key: str) -> float | None:
    if decision is None or decision.limits is None:
        return None
    band = decision.limits.heating
    return (band.low if key == names.LOW else band.high) / MICRO


def _own(hub: Hub, target: str, capability: Capability, value: Value) -> Reading:
    """What the hub itself knows, and therefore knows now."""
    return Reading(
        target=target,
        value=value,
        unit=capability.unit,
        quality=Quality.UNKNOWN if value is None else Quality.GOOD,
        observed_at=None if value is None else hub.clock.now(),
        age_s=None if value is None else 0.0,
        last_known=value,
    )


def _temperature(hub: Hub, target: str, settings: ThermostatSettings, capability: Capability) -> Reading:
    """The sensor's reading in °C, current only as long as it may be acted upon."""
    said = sensed(hub, settings.sensor) if settings.sensor else None
    if said is None:
        return _own(hub, target, capability, None)
    source = hub.reading(settings.sensor)
    known = on_grid(source.last_known, source.unit)
    is_fresh = said.grid is not None and not said.staleness(settings.fresh_s)
    not_fresh = Quality.STALE if said.quality.is_current else said.quality
    return replace(
        source,
        target=target,
        value=said.grid / MICRO if is_fresh and said.grid is not None else None,
        unit=capability.unit,
        quality=source.quality if is_fresh else not_fresh,
        deadline_s=min(settings.fresh_s, source.deadline_s or settings.fresh_s),
        last_known=None if known is None else known / MICRO,
    )
