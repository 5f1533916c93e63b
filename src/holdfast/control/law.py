"""The control law: two points with hysteresis between them, and no set point. Source: fact sheet section 3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.control.pair import Role

if TYPE_CHECKING:
    from holdfast.control.limits import Limits


def demand(role: Role, limits: Limits, temperature: int, was_demanded: bool) -> bool:
    """Whether the temperature (millionths of °C) wants this plug ON. Between the limits what was wanted is kept."""
    low, high = limits.heating if role is Role.HEATER else limits.cooling
    if temperature <= low:
        return role is Role.HEATER
    if temperature >= high:
        return role is Role.COOLER
    return was_demanded
