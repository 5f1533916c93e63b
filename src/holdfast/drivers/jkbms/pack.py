"""Values of a whole pack: batteries in parallel, so currents add up and voltages are one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from holdfast.drivers.jkbms.alarms import ALARMS
from holdfast.drivers.jkbms.calls import LIVE
from holdfast.link.aggregate import Aggregate
from holdfast.model import Capability, Periodic, Value, ValueType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from holdfast.drivers.jkbms.options import JkOptions


def aggregates(options: JkOptions) -> list[Aggregate]:
    """The pack's capabilities and how they are made; how many batteries are enough is the owner's to say."""
    freshness = Periodic(options.stale_after_s)
    made: list[Aggregate] = []
    for key, (name, unit, kind, combine) in _TABLE.items():
        capability = Capability(
            key=key, name=name, unit=unit, type=kind, group=LIVE, freshness=freshness, essential=False
        )
        # How many report is true also when some do not.
        least = 1 if key == "batteries" else options.minimum_members
        made.append(Aggregate(capability=capability, group=LIVE, combine=combine, minimum_members=least))
    return made


def _numbers(parts: Mapping[str, Mapping[str, Value]], key: str) -> dict[str, float]:
    return {member: cast("float", values[f"{member}/{key}"]) for member, values in parts.items()}


def _voltage(parts: Mapping[str, Mapping[str, Value]]) -> Value:
    found = _numbers(parts, "voltage").values()
    return round(sum(found) / len(found), 3)


def _sum_of(key: str) -> Callable[[Mapping[str, Mapping[str, Value]]], Value]:
    return lambda parts: round(sum(_numbers(parts, key).values()), 3)


def _soc(parts: Mapping[str, Mapping[str, Value]]) -> Value:
    """Weighted by what each battery holds when full; alike where none says."""
    shares, sizes = _numbers(parts, "soc"), _numbers(parts, "full_capacity")
    total = sum(sizes.values())
    if total <= 0:
        return round(sum(shares.values()) / len(shares), 1)
    return round(sum(shares[member] * sizes[member] for member in shares) / total, 1)


def _lowest(parts: Mapping[str, Mapping[str, Value]]) -> tuple[float, str]:
    return min((value, member) for member, value in _numbers(parts, "cell_min").items())


def _highest(parts: Mapping[str, Mapping[str, Value]]) -> tuple[float, str]:
    return max((value, member) for member, value in _numbers(parts, "cell_max").items())


def _cell_min_at(parts: Mapping[str, Mapping[str, Value]]) -> Value:
    member = _lowest(parts)[1]
    return f"{member}/cells/{parts[member][f'{member}/cell_min_at']}"


def _cell_max_at(parts: Mapping[str, Mapping[str, Value]]) -> Value:
    member = _highest(parts)[1]
    return f"{member}/cells/{parts[member][f'{member}/cell_max_at']}"


def _spread(parts: Mapping[str, Mapping[str, Value]]) -> Value:
    return round(_highest(parts)[0] - _lowest(parts)[0], 3)


def _temperatures(parts: Mapping[str, Mapping[str, Value]]) -> list[float]:
    """Of all battery sensors; that of the switching stage is none."""
    return [
        value
        for values in parts.values()
        for key, value in values.items()
        if "/temperatures/" in key and not key.endswith("/mos") and isinstance(value, int | float)
    ]


def _alarms(parts: Mapping[str, Mapping[str, Value]]) -> Value:
    found = {
        name
        for member, values in parts.items()
        for name in cast("tuple[str, ...]", values[f"{member}/alarms"])
    }
    return tuple(name for name in ALARMS if name in found)


_NUMBER: Final = ValueType.NUMBER
_TABLE: Final[dict[str, tuple[str, str, ValueType, Callable[[Mapping[str, Mapping[str, Value]]], Value]]]] = {
    "voltage": ("voltage", "V", _NUMBER, _voltage),
    "current": ("current", "A", _NUMBER, _sum_of("current")),
    "power": ("power", "W", _NUMBER, _sum_of("power")),
    "soc": ("state of charge", "%", _NUMBER, _soc),
    "remaining_capacity": ("remaining capacity", "Ah", _NUMBER, _sum_of("remaining_capacity")),
    "full_capacity": ("full capacity", "Ah", _NUMBER, _sum_of("full_capacity")),
    "cell_min": ("lowest cell", "V", _NUMBER, lambda parts: _lowest(parts)[0]),
    "cell_min_at": ("place of the lowest cell", "", ValueType.TEXT, _cell_min_at),
    "cell_max": ("highest cell", "V", _NUMBER, lambda parts: _highest(parts)[0]),
    "cell_max_at": ("place of the highest cell", "", ValueType.TEXT, _cell_max_at),
    "cell_spread": ("highest less lowest cell", "V", _NUMBER, _spread),
    "temperature_min": (
        "coldest sensor",
        "°C",
        _NUMBER,
        lambda parts: min(_temperatures(parts), default=None),
    ),
    "temperature_max": (
        "warmest sensor",
        "°C",
        _NUMBER,
        lambda parts: max(_temperatures(parts), default=None),
    ),
    "alarms": ("alarms", "", ValueType.LIST, _alarms),
    "batteries": ("batteries that report", "", _NUMBER, len),
}
