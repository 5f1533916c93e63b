"""What people type for a value."""

from __future__ import annotations

import re

from holdfast.cli.exits import WrongUsage

_TRUE = ("true", "on", "yes")
_FALSE = ("false", "off", "no")
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")
_NUMBER = re.compile(r"[+-]?([0-9]{1,15}(\.[0-9]{0,15})?|\.[0-9]{1,15})(e[+-]?[0-9]{1,2})?", re.IGNORECASE)


def read_value(text: str) -> bool | int | float | str:
    """``on`` and ``true`` are true, ``off`` and ``false`` are false, what looks like a number is one."""
    word = text.strip()
    if word.lower() in _TRUE:
        return True
    if word.lower() in _FALSE:
        return False
    if _WHOLE.fullmatch(word):
        return int(word)
    return float(word) if _NUMBER.fullmatch(word) else word


def is_number(text: str) -> bool:
    """Whether it looks like a number."""
    return _NUMBER.fullmatch(text.strip()) is not None


def read_assignment(text: str) -> tuple[str, bool | int | float | str]:
    """``house/kitchen=true`` as target and value."""
    target, _, value = (part.strip() for part in text.partition("="))
    if not target or not value:
        raise WrongUsage(f"{text!r} says no value", advice="Write TARGET=VALUE, such as house/kitchen=true.")
    return target, read_value(value)
