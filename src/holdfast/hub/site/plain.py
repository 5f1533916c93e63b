"""Anybody's mapping becomes a copy in plain values: dict, list, str, int, float, bool and ``None``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from holdfast.hub.site.problems import Findings, Place, kind_of, shown

DEEPEST = 32
"""Levels of nesting; a real site has about eight."""
WIDEST_BITS = 64
"""A number beyond 64 bits is a slip of the finger, and Python refuses to print the largest ones."""


def plain(raw: object, findings: Findings, place: Place = (), around: tuple[int, ...] = ()) -> Any:
    """A copy of ``raw`` that the rest of the reading can trust; what does not fit is noted, ``None`` instead.

    ``around`` are the containers being copied, by identity: one that holds itself would never end.
    """
    if raw is None or isinstance(raw, bool):
        return raw
    if isinstance(raw, str):
        return _text(raw, findings, place)
    if isinstance(raw, int):
        return _whole(raw, findings, place)
    if isinstance(raw, float):
        return _number(raw, findings, place)
    if not isinstance(raw, Mapping | list | tuple):
        findings.note(place, f"a site cannot hold {kind_of(raw)}", "use text, numbers, lists and mappings")
        return None
    if id(raw) in around:
        findings.note(place, "this holds itself")
        return None
    if len(around) >= DEEPEST:
        findings.note(place, f"this is nested more than {DEEPEST} levels deep")
        return None
    around = (*around, id(raw))
    if isinstance(raw, Mapping):
        return _mapping(raw, findings, place, around)
    return [plain(item, findings, (*place, index), around) for index, item in enumerate(raw)]


def _mapping(
    raw: Mapping[Any, Any], findings: Findings, place: Place, around: tuple[int, ...]
) -> dict[str | int, Any]:
    copy: dict[str | int, Any] = {}
    for key, value in raw.items():
        if isinstance(key, bool) or not isinstance(key, str | int):
            findings.note(place, f"{shown(key)} cannot be a key", "use text or a whole number")
            continue
        name = _text(key, findings, place) if isinstance(key, str) else _whole(key, findings, place)
        if name is not None:
            copy[name] = plain(value, findings, (*place, name), around)
    return copy


def _text(raw: str, findings: Findings, place: Place) -> str | None:
    text = str.__str__(raw)  # the characters, also of an enum's member
    try:
        text.encode()
    except UnicodeEncodeError:
        findings.note(place, "this text holds half a character (a lone surrogate)")
        return None
    return text


def _whole(raw: int, findings: Findings, place: Place) -> int | None:
    if raw.bit_length() > WIDEST_BITS:
        findings.note(place, f"this number has more than {WIDEST_BITS} bits")
        return None
    return int(raw)


def _number(raw: float, findings: Findings, place: Place) -> float | None:
    if not math.isfinite(raw):
        findings.note(place, f"{float(raw)} is not a number one can use")
        return None
    return float(raw)
