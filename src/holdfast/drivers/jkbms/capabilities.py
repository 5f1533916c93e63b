"""What a battery and a pack of them can report: capabilities, and the values of a record under their keys.

Sensors and cells show themselves in the first frames; everything else is known beforehand. Limits are wide enough for
every real event within the deadline, and narrow enough for damage that kept its checksum: what is beyond them passes
when it comes three times alike.
"""

from __future__ import annotations

from functools import cache, lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdfast.drivers.jkbms.alarms import alarm_names
from holdfast.drivers.jkbms.calls import ABOUT, LIVE, SETTINGS
from holdfast.drivers.jkbms.checks import MOST_CELLS
from holdfast.drivers.jkbms.fields import RAW_UNITS
from holdfast.drivers.jkbms.live import NOT_FITTED_DC, SENSORS, numbers_in
from holdfast.drivers.jkbms.settings import CONTROLS, SettingsRecord
from holdfast.model import Capability, Periodic, Sanity, Setting, Value, ValueType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from holdfast.drivers.jkbms.about import AboutRecord
    from holdfast.drivers.jkbms.live import LiveRecord
    from holdfast.drivers.jkbms.options import JkOptions

FROZEN_S: Final = 1800.0
"""A pack voltage that has stood still to the millivolt for half an hour, while the BMS counts on, is not measured any
more. A resting battery drifts by some millivolts in that time (captures), so this only warns."""
APART_C: Final = 3.0
"""Two sensors that differed by more and are then equal to the tenth of a degree: one of them shows the other's."""

NUMBER, BOOLEAN, TEXT, LIST = ValueType.NUMBER, ValueType.BOOLEAN, ValueType.TEXT, ValueType.LIST


class Line(NamedTuple):
    """One value of a battery: its key behind the address, what it is, and what it must be like."""

    key: str
    name: str
    unit: str = ""
    type: ValueType = NUMBER
    sanity: Sanity | None = None


LINES: Final = (
    Line("voltage", "voltage", "V", sanity=Sanity(4.0, 130.0, jump=12.0)),
    Line("current", "current", "A", sanity=Sanity(-1000.0, 1000.0)),
    Line("power", "power", "W", sanity=Sanity(-130_000.0, 130_000.0)),
    Line("soc", "state of charge", "%", sanity=Sanity(0.0, 100.0, jump=10.0)),
    Line("soh", "state of health", "%", sanity=Sanity(0.0, 100.0, jump=3.0)),
    Line("cell_min", "lowest cell", "V", sanity=Sanity(0.5, 5.0, jump=0.7)),
    Line("cell_min_at", "number of the lowest cell"),
    Line("cell_max", "highest cell", "V", sanity=Sanity(0.5, 5.0, jump=0.7)),
    Line("cell_max_at", "number of the highest cell"),
    Line("cell_spread", "highest less lowest cell", "V"),
    Line("cell_average", "mean of the cells", "V"),
    Line("cell_count", "cells in use", sanity=Sanity(1.0, 32.0, jump=0.5)),
    Line("remaining_capacity", "remaining capacity", "Ah", sanity=Sanity(-100.0, 5000.0, jump=10.0)),
    Line("full_capacity", "full capacity", "Ah", sanity=Sanity(0.0, 5000.0, jump=5.0)),
    Line("cycles", "cycles", sanity=Sanity(0.0, 100_000.0, jump=2.0)),
    Line("throughput", "charge moved in all", "Ah", sanity=Sanity(0.0, 4_300_000.0, jump=20.0)),
    Line("runtime", "time since it was first switched on", "s", sanity=Sanity(jump=600.0)),
    Line("alarms", "alarms", type=LIST),
    Line("charging", "charging allowed (MOSFET on)", type=BOOLEAN),
    Line("discharging", "discharging allowed (MOSFET on)", type=BOOLEAN),
    Line("balancing", "balancing", type=BOOLEAN),
    Line("balance_current", "balancing current", "A", sanity=Sanity(-15.0, 15.0)),
    Line("heating", "heating", type=BOOLEAN),
    # What the frame says twice, one less the other: near 0 in a true frame, whatever the battery does.
    Line(
        "deviations/sum", "pack voltage less the sum of the cells", "V", sanity=Sanity(-0.5, 0.5, jump=0.15)
    ),
    Line("deviations/average", "mean of the cells, told less computed", "V", sanity=Sanity(-0.005, 0.005)),
    Line("deviations/spread", "spread of the cells, told less computed", "V", sanity=Sanity(-0.01, 0.01)),
    Line("deviations/power", "power, told less computed", "%", sanity=Sanity(-15.0, 15.0)),
    Line("deviations/soc", "state of charge, told less computed", "%", sanity=Sanity(-20.0, 20.0)),
)
"""What every live frame carries."""
LEARNED_LINES: Final = (
    Line("deviations/voltage", "pack voltage, told twice", "V", sanity=Sanity(-0.03, 0.03)),
    Line("heat_current", "heating current", "A", sanity=Sanity(-100.0, 100.0)),
)
"""What only the 32S layout carries."""
TEMPERATURES: Final = dict(zip(SENSORS, ("mos", "1", "2", "3", "4"), strict=True))
"""Names of the sensors: 256 is the third and 258 the fourth, though sources disagree which is which (section 12)."""
_TEMPERATURE: Final = Sanity(-40.0, 130.0, jump=10.0)
_CELL: Final = Sanity(0.5, 5.0, jump=0.7)
_POWER_FLOOR_MW: Final = 100_000
"""Below this power a share of it means nothing."""

ABOUT_LINES: Final = {
    "vendor_id": Line("model", "model", type=TEXT),
    "hw_version": Line("hardware", "hardware version", type=TEXT),
    "sw_version": Line("firmware", "software version", type=TEXT),
    "device_name": Line("device_name", "name in the BMS", type=TEXT),
    "manufactured": Line("manufactured", "date of manufacture", type=TEXT),
    "serial_number": Line("serial_number", "serial number", type=TEXT),
}


class _LiveKeys(NamedTuple):
    """The keys of one battery with its cells, made once."""

    always: tuple[str, ...]
    voltage_again: str
    heat_current: str
    sensors: tuple[str, ...]


@lru_cache(maxsize=256)  # masks come from the wire
def _live_keys(member: str, mask: int) -> _LiveKeys:
    lines = [f"{member}/{line.key}" for line in LINES]
    cells = [f"{member}/cells/{number}/voltage" for number in numbers_in(mask)]
    again, heat_current = (f"{member}/{line.key}" for line in LEARNED_LINES)
    sensors = tuple(f"{member}/temperatures/{short}" for short in TEMPERATURES.values())
    return _LiveKeys((*lines, *cells), again, heat_current, sensors)


_sensors: Final = attrgetter(*TEMPERATURES)


# --- values --------------------------------------------------------------------------------------------------------


def project(member: str, group: str, raw: Any, before: Mapping[str, Value]) -> dict[str, Value]:
    """The values of a record by key."""
    if group == LIVE:
        return live_values(member, raw, before)
    return settings_values(member, raw) if group == SETTINGS else about_values(member, raw)


def live_values(member: str, live: LiveRecord, before: Mapping[str, Value]) -> dict[str, Value]:
    """The values of a live frame. A sensor that reads "not fitted" has none, unless it has had one before."""
    keys = _live_keys(member, live.cell_mask)
    cells = live.cells_mv
    count = len(cells)
    lowest, highest, total = min(cells), max(cells), sum(cells)
    numbers = live.cell_numbers
    pack_mv, current_ma = live.pack_voltage_mv, live.pack_current_ma
    power_mw = (pack_mv * current_ma + 500) // 1000
    size_mw = abs(power_mw)
    full, remaining, soc = live.full_mah, live.remaining_mah, live.soc_pct
    # Whole numbers throughout: rounding floats would take as long as all the rest.
    values: dict[str, Value] = dict(
        zip(
            keys.always,
            (
                pack_mv / 1000,
                current_ma / 1000,
                power_mw / 1000,
                soc,
                live.soh_pct,
                lowest / 1000,
                numbers[cells.index(lowest)],
                highest / 1000,
                numbers[cells.index(highest)],
                (highest - lowest) / 1000,
                live.cell_avg_mv / 1000,
                count,
                remaining / 1000,
                full / 1000,
                live.cycles,
                live.cycle_mah / 1000,
                live.runtime_s,
                alarm_names(live.alarms) if live.alarms else (),
                live.charge_mos == 1,
                live.discharge_mos == 1,
                live.balance_state != 0,
                live.balance_current_ma / 1000,
                live.heating == 1,
                (pack_mv - total) / 1000,
                (live.cell_avg_mv * count - total) * 10 // count / 10_000,  # tenths of mV
                (live.cell_delta_mv - highest + lowest) / 1000,
                (live.pack_power_mw - size_mw) * 1000 // max(size_mw, _POWER_FLOOR_MW) / 10,  # tenths of %
                (soc * full - remaining * 100) * 10 // full / 10 if full else 0.0,
                *[each / 1000 for each in cells],
            ),
            strict=True,
        )
    )
    for key, raw in zip(keys.sensors, _sensors(live), strict=True):
        if raw and raw != NOT_FITTED_DC:
            values[key] = raw / 10
        elif raw == 0 and key in before:  # freezing point, by a sensor that is there
            values[key] = 0.0
    if live.pack_voltage_10mv is not None and live.heat_current_ma is not None:
        values[keys.voltage_again] = (live.pack_voltage_10mv * 10 - pack_mv) / 1000
        values[keys.heat_current] = live.heat_current_ma / 1000
    return values


def settings_values(member: str, settings: SettingsRecord) -> dict[str, Value]:
    """The values of a settings frame; what the layout lacks is left out."""
    values: dict[str, Value] = {}
    for name, key, divisor in _settings_keys(member):
        raw = getattr(settings, name)
        if raw is not None:
            values[key] = raw / divisor if divisor != 1 else raw
    if settings.control_mask is not None:
        values[f"{member}/settings/controls"] = tuple(
            name for place, name in enumerate(CONTROLS) if settings.control_mask >> place & 1
        )
    return values


def about_values(member: str, about: AboutRecord) -> dict[str, Value]:
    """The values of a device info frame."""
    return {f"{member}/{line.key}": getattr(about, name) for name, line in ABOUT_LINES.items()}


class _SettingsField(NamedTuple):
    name: str
    key: str
    divisor: int


@cache
def _settings_keys(member: str) -> tuple[_SettingsField, ...]:
    return tuple(
        _SettingsField(name, f"{member}/settings/{stem}", divisor)
        for name in SettingsRecord._fields
        if name != "control_mask"
        for stem, _, divisor in (_setting(name),)
    )


def _setting(name: str) -> tuple[str, str, int]:
    """(key, unit, divisor) of a settings field, from the raw unit that its name ends with."""
    if name == "smart_sleep_h":  # there is a voltage of that name, too
        return "smart_sleep_delay", "h", 1
    stem, _, suffix = name.rpartition("_")
    unit = RAW_UNITS.get(suffix)
    if unit is not None:
        return stem, unit.symbol, unit.divisor
    plain = {"s": "s", "us": "µs", "h": "h", "c": "°C"}.get(suffix)
    return (stem, plain, 1) if plain and stem else (name, "", 1)


# --- capabilities --------------------------------------------------------------------------------------------------


def capabilities(options: JkOptions) -> list[Capability]:
    """What is known of the configured batteries before anything was heard."""
    return [each for member in sorted(options.members, key=int) for each in _known(options, member)]


def _known(options: JkOptions, member: str) -> list[Capability]:
    lines = [_live_capability(options, member, line) for line in LINES]
    return [*lines, *_settings_capabilities(options, member)]


def learn(options: JkOptions, member: str, group: str, raw: Any) -> list[Capability]:
    """Everything that a record shows a battery to have."""
    if group == SETTINGS:
        return _settings_capabilities(options, member)
    if group == ABOUT:
        return [_capability(options, member, line, ABOUT, Setting()) for line in ABOUT_LINES.values()]
    found = _live_lines(member, raw.cell_numbers)
    values = live_values(member, raw, {})
    return [_live_capability(options, member, line) for line in found if f"{member}/{line.key}" in values]


def recalled(options: JkOptions, member: str, keys: Sequence[str]) -> list[Capability]:
    """What a battery had shown of itself in an earlier run, by the keys of its capabilities."""
    every = [
        *(_live_capability(options, member, line) for line in _live_lines(member, range(1, MOST_CELLS + 1))),
        *_settings_capabilities(options, member),
        *(_capability(options, member, line, ABOUT, Setting()) for line in ABOUT_LINES.values()),
    ]
    return [each for each in every if each.key in keys]


def _live_lines(member: str, cell_numbers: Iterable[int]) -> list[Line]:
    """All values that a live frame of a battery with these cells can have."""
    cells = [Line(f"cells/{number}/voltage", f"cell {number}", "V", sanity=_CELL) for number in cell_numbers]
    sensors = [
        Line(f"temperatures/{short}", f"temperature {short}", "°C", sanity=_sensor(member, short))
        for short in TEMPERATURES.values()
    ]
    return [*LINES, *LEARNED_LINES, *cells, *sensors]


def _sensor(member: str, short: str) -> Sanity:
    if short != "1":
        return _TEMPERATURE
    return Sanity(-40.0, 130.0, jump=10.0, independent_of=(f"{member}/temperatures/2",), apart=APART_C)


def _live_capability(options: JkOptions, member: str, line: Line) -> Capability:
    if line.key == "voltage" and line.sanity is not None:
        counter = f"{member}/runtime"
        sanity = Sanity(
            line.sanity.minimum, line.sanity.maximum, line.sanity.jump, frozen_s=FROZEN_S, counter=counter
        )
        line = line._replace(sanity=sanity)
    return _capability(options, member, line, LIVE, Periodic(options.stale_after_s))


def _settings_capabilities(options: JkOptions, member: str) -> list[Capability]:
    lines = []
    for name in SettingsRecord._fields:
        if name == "control_mask":
            lines.append(Line("settings/controls", "switched on in the BMS", type=LIST))
            continue
        key, unit, _ = _setting(name)
        lines.append(Line(f"settings/{key}", f"setting {key.replace('_', ' ')}", unit))
    return [_capability(options, member, line, SETTINGS, Setting()) for line in lines]


def _capability(
    options: JkOptions, member: str, line: Line, group: str, freshness: Periodic | Setting
) -> Capability:
    return Capability(
        key=f"{member}/{line.key}",
        name=f"{options.name_of(member)}: {line.name}",
        type=line.type,
        unit=line.unit,
        member=member,
        group=group,
        freshness=freshness,
        essential=group == LIVE,
        sanity=line.sanity,
    )
