"""Which value is which: Holdfast's capabilities beside aiobmsble's names, and the comparison of one frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ROUNDING = 0.000_6
"""Both sides give thousandths; the peer rounds products to them."""


@dataclass(frozen=True, slots=True)
class Name:
    """One value that both sides decode. ``ours`` has no battery address in front; ``is_floored``: whole Ah there."""

    ours: str
    theirs: str
    is_floored: bool = False


NAMES = (
    Name("voltage", "voltage"),
    Name("current", "current"),
    Name("power", "power"),
    Name("soc", "battery_level"),
    Name("soh", "battery_health"),
    Name("remaining_capacity", "cycle_charge"),
    Name("full_capacity", "design_capacity", is_floored=True),
    Name("cycles", "cycles"),
    Name("cell_spread", "delta_voltage"),
    Name("balance_current", "balance_current"),
    Name("balancing", "balancer"),
    Name("charging", "chrg_mosfet"),
    Name("discharging", "dischrg_mosfet"),
    Name("heating", "heater"),
    Name("heat_current", "heater_current"),
    # Sensor 254 mirrors the MOS sensor (fact sheet section 12): the peer reports it, Holdfast does not.
    Name("temperatures/mos", "temp_values/1"),
    Name("temperatures/1", "temp_values/2"),
    Name("temperatures/2", "temp_values/3"),
    Name("temperatures/3", "temp_values/5"),
    Name("temperatures/4", "temp_values/6"),
    *(Name(f"cells/{cell}/voltage", f"cell_voltages/{cell}") for cell in range(1, 33)),
)
"""Not compared: alarms, of which the peer gives the lower 16 bits as a number and Holdfast names (see `ALARMS`)."""

ALARMS = Name("alarms", "problem_code")


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """What the two sides read differently in one frame, in words; a value that only one of them has counts, too."""
    theirs = flat(theirs)
    found = []
    for name in NAMES:
        mine, other = ours.get(name.ours), theirs.get(name.theirs)
        if not _is_same(name, mine, other):
            found.append(f"{name.ours} {mine} / {name.theirs} {other}")
    is_alarmed, has_problem = bool(ours.get(ALARMS.ours)), bool(theirs.get(ALARMS.theirs))
    if is_alarmed is not has_problem:
        found.append(f"{ALARMS.ours} {ours.get(ALARMS.ours)} / {ALARMS.theirs} {theirs.get(ALARMS.theirs)}")
    return found


def flat(sample: Mapping[str, Any]) -> dict[str, Any]:
    """Lists as one entry each, counted from 1."""
    found: dict[str, Any] = {}
    for key, value in sample.items():
        if isinstance(value, list):
            found |= {f"{key}/{number}": each for number, each in enumerate(value, 1)}
        else:
            found[key] = value
    return found


def _is_same(name: Name, mine: Any, other: Any) -> bool:
    if mine is None or other is None:
        return mine is other
    if name.is_floored:
        return int(mine) == int(other)
    return abs(float(mine) - float(other)) <= ROUNDING
