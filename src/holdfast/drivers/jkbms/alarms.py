"""The alarm bits of a live frame in words (JK fact sheet section 9)."""

from __future__ import annotations

from typing import Final

ALARMS: Final = (
    "balance wire resistance",
    "MOS over temperature",
    "cell count differs from setting",
    "current sensor",
    "cell over voltage",  # one source words it as "fully charged"
    "pack over voltage",
    "charge over current",
    "charge short circuit",
    "charge over temperature",
    "charge under temperature",
    "internal communication",
    "cell under voltage",
    "pack under voltage",
    "discharge over current",
    "discharge short circuit",
    "discharge over temperature",
    "charge MOS",
    "discharge MOS",
    "GPS disconnected",
    "change password reminder",
    "discharge switch-on failed",
    "battery over temperature",
    "temperature sensor",
    "parallel module",
    "short-circuit release failed",  # from here on one source
    "discharge over current II",
    "discharge over current III",
    "discharge under temperature",
    "GPS lock",
    "unknown alarm 29",
    "unknown alarm 30",
    "unknown alarm 31",
)
"""By bit. The closed list of what `alarm_names` may return."""

WARNINGS: Final = frozenset({ALARMS[0], ALARMS[18], ALARMS[19]})
"""Those that protect nothing."""


def alarm_names(bits: int) -> tuple[str, ...]:
    """The alarms that are set in a field of 32 bits, lowest bit first."""
    if not bits:
        return ()
    return tuple(name for place, name in enumerate(ALARMS) if bits >> place & 1)
