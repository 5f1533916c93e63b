"""What a thermostat reports and takes, described as for any device."""

from __future__ import annotations

from typing import Final

from holdfast.control import State
from holdfast.model import Capability, ValueType

LOW: Final = "low"
HIGH: Final = "high"
ENABLED: Final = "enabled"
STATE: Final = "state"
REASON: Final = "reason"
HEATING: Final = "heating"
COOLING: Final = "cooling"
TEMPERATURE: Final = "temperature"

CAPABILITIES: Final = {
    each.key: each
    for each in (
        Capability(key=LOW, type=ValueType.NUMBER, name="Low limit", unit="°C", writable=True),
        Capability(key=HIGH, type=ValueType.NUMBER, name="High limit", unit="°C", writable=True),
        Capability(key=ENABLED, type=ValueType.BOOLEAN, name="Enabled", role="switch", writable=True),
        Capability(key=STATE, type=ValueType.CHOICE, name="State", choices=tuple(State)),
        Capability(key=REASON, type=ValueType.TEXT, name="Reason"),
        Capability(key=HEATING, type=ValueType.BOOLEAN, name="Heating"),
        Capability(key=COOLING, type=ValueType.BOOLEAN, name="Cooling"),
        Capability(key=TEMPERATURE, type=ValueType.NUMBER, name="Temperature", unit="°C"),
    )
}
"""By key. The limits are those in force; ``heating`` and ``cooling`` are what the plugs themselves report."""
