"""The two limits: whole degrees Fahrenheit as a rule, and whatever else was left in their place."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from holdfast.control.limits import EnteredBand, EnteredLimits, exact
from holdfast.control.temperature import Unit, from_entry
from holdfast.hub.site.problems import shown

COLDEST, HOTTEST = "25 °F", "120 °F"
"""What a Tilt measures: fact sheet section 1. A limit beyond is never reached, so its plug would never go off."""
_BARE: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?", re.ASCII)
_PLACES: Final = 6
"""Decimals that a limit may have."""


class Limit(NamedTuple):
    """A limit as a site writes it, or why it cannot be used."""

    text: str = ""
    remark: str = ""
    fault: str = ""


def limit_of(raw: object) -> Limit:
    """One limit. Numbers were °F, whatever unit the program showed: fact sheet section 2."""
    text, remark = "", ""
    if isinstance(raw, str):
        text = raw.strip()
        if _BARE.fullmatch(text):
            text, remark = f"{text} {Unit.FAHRENHEIT}", f"{shown(raw)} is a number in quotes"
    elif isinstance(raw, bool) or not isinstance(raw, int | float):
        text = ""
    elif isinstance(raw, float) and round(raw, _PLACES) != raw:
        text = f"{round(raw, _PLACES)!r} {Unit.FAHRENHEIT}"
        remark = f"{shown(raw)} is rounded to {_PLACES} decimals"
    else:
        text = f"{raw!r} {Unit.FAHRENHEIT}"
    try:
        reach = from_entry(text)
    except ValueError:
        return Limit(fault="there is no limit here" if raw is None else f"{shown(raw)} is no temperature")
    if not from_entry(COLDEST) <= reach <= from_entry(HOTTEST):
        return Limit(text, remark, f"{text} is beyond what a Tilt measures, {COLDEST} to {HOTTEST}")
    return Limit(text, remark)


def band_fault(low: Limit, high: Limit) -> str:
    """What is wrong with the two together, in words; empty if nothing is, or one of them has a fault of its own."""
    if low.fault or high.fault:
        return ""
    try:
        exact(EnteredLimits(EnteredBand(low.text, high.text)))
    except ValueError as error:
        return str(error)
    return ""
