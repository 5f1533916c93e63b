"""What a site file says about a device whose readings are posted, read and checked before anybody posts one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.drivers.push.ispindel import FORM, UNITS, GravityUnit
from holdfast.errors import ConfigurationError
from holdfast.model import Capability, Periodic, Sanity, ValueType
from holdfast.options import Section, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.model import Adapter, Device

SHORTEST_DEADLINE_S: Final = 1.0
"""Below it a loaded network alone makes values stale."""
LONGEST_DEADLINE_S: Final = 31.0 * 86400.0
"""A month: what reports more seldom is no measurement of now."""
ISPINDEL_DEADLINE_S: Final = 2400.0
"""An iSpindel and a GravityMon sleep 900 s between two readings unless told otherwise, and need some seconds for the
Wi-Fi: one reading may be lost, and half the deadline is still more than one interval."""
LONGEST_TEXT: Final = 256
"""Characters of a text value, as everywhere in the API."""

_TYPES: Final = (ValueType.NUMBER, ValueType.BOOLEAN, ValueType.TEXT, ValueType.CHOICE)
_FIELDS: Final = ("type", "name", "unit", "deadline_s", "minimum", "maximum", "choices", "essential")
_OPTIONS: Final = ("format", "gravity_unit", "deadline_s")
_FOREIGN_TEMPERATURES: Final = ("F", "°F", "K", "°K")
_ADVICE: Final = 'name what is posted, such as capabilities: {temperature: {unit: "°C", deadline_s: 240}}'
_ESSENTIAL: Final = ("temperature", "gravity")
_SANE: Final = {
    "temperature": Sanity(minimum=-20.0, maximum=60.0),
    "gravity": Sanity(minimum=0.9, maximum=1.25),
}
"""What wort and beer can be; a sender that posts degrees Plato and is not known to do so falls out of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One device as its site file has it. ``gravity_unit``: of iSpindel senders that do not say theirs."""

    capabilities: tuple[Capability, ...]
    gravity_unit: GravityUnit = GravityUnit.SG

    @property
    def shortest_deadline_s(self) -> float:
        """Seconds after which the first of its values is stale."""
        return min(each.deadline_s for each in self.capabilities if each.deadline_s is not None)


def parse_options(device: Device, adapter: Adapter) -> Declared:
    """Read a device and one of its adapters; raises `ConfigurationError` with the path to what is wrong.

    Without ``capabilities`` the option ``format: ispindel`` gives those of an iSpindel, stale after ``deadline_s``
    (2400 s unless said). An option may stand with the device or with the adapter, which wins.
    """
    if adapter.url:
        advice = "leave the address out; readings are posted to the hub"
        raise ConfigurationError("nobody is dialled here", advice=advice, path=("url",))
    elsewhere = {key: ("adapters", adapter.id, key) for key in adapter.options}
    section = Section({**device.options, **adapter.options}, ("options",), elsewhere)
    section.allow(_OPTIONS)
    form = section.choice("format", [FORM]) if "format" in section.raw else ""
    gravity_unit = GravityUnit(section.choice("gravity_unit", list(GravityUnit), GravityUnit.SG))
    deadline_s = section.seconds("deadline_s", SHORTEST_DEADLINE_S, LONGEST_DEADLINE_S, ISPINDEL_DEADLINE_S)
    if device.capabilities:
        capabilities: Sequence[Capability] = [
            _capability(str(key), Section(raw, ("capabilities", key)))
            for key, raw in device.capabilities.items()
        ]
    elif form == FORM:
        capabilities = ispindel_capabilities(deadline_s)
    else:
        raise ConfigurationError(
            "nothing is declared that could be posted", advice=_ADVICE, path=("capabilities",)
        )
    return Declared(capabilities=tuple(capabilities), gravity_unit=gravity_unit)


def ispindel_capabilities(deadline_s: float) -> Sequence[Capability]:
    """What an iSpindel reports, each stale ``deadline_s`` seconds after it was observed."""
    return [
        Capability(
            key=key,
            group=key,
            type=ValueType.NUMBER,
            unit=unit,
            essential=key in _ESSENTIAL,
            freshness=Periodic(deadline_s),
            sanity=_SANE.get(key),
        )
        for key, unit in UNITS.items()
    ]


def _capability(key: str, section: Section) -> Capability:
    section.allow(_FIELDS)
    kind = ValueType(section.choice("type", list(_TYPES), ValueType.NUMBER))
    section.require("deadline_s", "say after how many seconds a value is stale, such as deadline_s: 240")
    deadline_s = section.seconds("deadline_s", SHORTEST_DEADLINE_S, LONGEST_DEADLINE_S, 0.0)
    minimum, maximum = _limit(section, "minimum", kind), _limit(section, "maximum", kind)
    if minimum is not None and maximum is not None and not minimum < maximum:
        text = f"minimum {minimum:g} is not below maximum {maximum:g}"
        raise section.fail("minimum", text, "exchange or correct them")
    has_limits = minimum is not None or maximum is not None
    return Capability(
        key=key,
        group=key,  # a freshness of its own
        type=kind,
        name=section.text("name", ""),
        unit=_unit(section),
        minimum=minimum,
        maximum=maximum,
        choices=_choices(section, kind),
        essential=section.flag("essential", default=True),
        freshness=Periodic(deadline_s),
        sanity=Sanity(minimum=minimum, maximum=maximum) if has_limits else None,
    )


def _unit(section: Section) -> str:
    unit = section.text("unit", "")
    if unit in _FOREIGN_TEMPERATURES:
        # A controller would take the number for °C: see the design's rule of °C inside.
        raise section.fail("unit", f"{unit!r} is no unit of ours", "let the sender convert, and write °C")
    return unit


def _choices(section: Section, kind: ValueType) -> tuple[str, ...]:
    choices = section.names("choices")
    if bool(choices) != (kind is ValueType.CHOICE):
        advice = "write type: choice and choices: [one, other]"
        raise section.fail("choices", "a list of choices and the type choice belong together", advice)
    return choices


def _limit(section: Section, key: str, kind: ValueType) -> float | None:
    value = section.raw.get(key)
    if value is None:
        return None
    if kind is not ValueType.NUMBER:
        raise section.fail(key, f"a {kind} has no {key}", "leave it out, or write type: number")
    try:
        is_number = not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value)
    except OverflowError:  # a whole number that no float holds
        is_number = False
    if not is_number:
        raise section.fail(key, f"{shown(value)} is not a number", "use a number in the capability's unit")
    return float(value)
