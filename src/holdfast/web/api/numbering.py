"""Keys of mappings that are whole numbers, such as bus addresses: JSON has only text for keys. Pure."""

from __future__ import annotations

from typing import Any

LONGEST_NUMBER = 15
"""Digits of a key that is read as a number: what any program can hold exactly."""
NAMED = ("outputs", "capabilities")
"""Mappings whose keys are names, also where they look like numbers."""


def numbered(value: Any, *, are_names: bool = False) -> Any:
    """The value with keys that are whole numbers as numbers, as in a site file: JSON has only text for keys."""
    if isinstance(value, list):
        return [numbered(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key if are_names else _number_or(key): numbered(each, are_names=key in NAMED)
        for key, each in value.items()
    }


def _number_or(key: str) -> str | int:
    is_number = key.isascii() and key.isdigit() and len(key) <= LONGEST_NUMBER
    return int(key) if is_number and str(int(key)) == key else key
