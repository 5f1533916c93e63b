"""The head of the site: its name, time zone and unit."""

from __future__ import annotations

import zoneinfo
from typing import TYPE_CHECKING, Any, Final

from holdfast.hub.site.earlier.fermenter.leftovers import tell_leftovers
from holdfast.hub.site.earlier.plainly import line
from holdfast.hub.site.problems import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.hub.site.problems import Findings, Place

_UNITS: Final = {"fahrenheit": "fahrenheit", "f": "fahrenheit", "celsius": "celsius", "c": "celsius"}
_USUAL: Final = "fahrenheit"


def site_head(values: Mapping[str, Any], findings: Findings, comments: dict[Place, str]) -> dict[str, Any]:
    """The part ``site`` from the system's file; what else stands there is told of."""
    site: dict[str, Any] = {"id": "home"}
    if name := line(values.get("brewery_name")):
        site["name"] = name
    if timezone := _timezone(values.get("timezone"), findings, comments):
        site["timezone"] = timezone
    site["temperature_unit"] = unit_of(values)
    units = values.get("units")
    if units not in (None, "") and _unit(units) is None:
        findings.note(("units",), f"{shown(units)} is no unit of temperature", f"taken over as {_USUAL}")
    tell_leftovers(values, ("brewery_name", "timezone", "units"), findings)
    return site


def unit_of(values: Mapping[str, Any]) -> str:
    """In which unit the program showed temperatures: ``fahrenheit`` unless it says ``celsius``."""
    return _unit(values.get("units")) or _USUAL


def _unit(raw: object) -> str | None:
    return _UNITS.get(line(raw).lower().lstrip("°"))


def _timezone(raw: object, findings: Findings, comments: dict[Place, str]) -> str:
    name = line(raw)
    if not name or name == "UTC":
        return name
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        is_place = False
    else:
        is_place = "/" in name  # EST and the like are no places: they have no summer
    if is_place:
        return name
    findings.note(
        ("timezone",), f"{shown(raw)} is no time zone of a place", "left out: times are shown in UTC"
    )
    comments["site",] = "Fill in its time zone, such as timezone: America/New_York"
    return ""
