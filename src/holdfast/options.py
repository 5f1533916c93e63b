"""Reading a mapping of a site file key by key; whatever does not fit is a `ConfigurationError` that says what would."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from holdfast.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Collection

Path = tuple[str | int, ...]


class Section:
    """One mapping and the path to it. ``elsewhere`` leads to keys that stand in another place of the site file."""

    def __init__(self, raw: object, path: Path, elsewhere: Mapping[str, Path] | None = None) -> None:
        if not isinstance(raw, Mapping):
            raise ConfigurationError(
                f"{shown(raw)} is not a mapping", advice="write keys and values here", path=path
            )
        self.raw: Mapping[Any, Any] = raw
        self.path = path
        self._elsewhere = elsewhere or {}

    def at(self, key: Any) -> Path:
        """The path to one key."""
        return self._elsewhere.get(key, (*self.path, key))

    def fail(self, key: Any, text: str, advice: str) -> ConfigurationError:
        """A complaint about one key's value."""
        return ConfigurationError(text, advice=advice, path=self.at(key))

    def allow(self, known: Collection[str]) -> None:
        """Complain about keys that mean nothing here."""
        for key in self.raw:
            if key not in known:
                close = difflib.get_close_matches(str(key), known, n=1)
                meant = f"did you mean {close[0]!r}? " if close else ""
                raise self.fail(key, f"{key!r} means nothing here", f"{meant}known: {', '.join(known)}")

    def require(self, key: str, advice: str) -> Any:
        """The value of a key that must be there."""
        if key not in self.raw:
            raise ConfigurationError(f"{key!r} is missing", advice=advice, path=self.path)
        return self.raw[key]

    def whole(self, key: str, least: int, most: int, default: int | None = None) -> int:
        """A whole number within limits; without a default it must be there."""
        advice = f"use a whole number from {least} to {most}"
        value = self.require(key, advice) if default is None else self.raw.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.fail(key, f"{shown(value)} is not a whole number", advice)
        if not least <= value <= most:
            raise self.fail(key, f"{key} {value} is out of range", advice)
        return value

    def seconds(self, key: str, least: float, most: float, default: float) -> float:
        """A duration within limits."""
        advice = f"use seconds from {least:g} to {most:g}"
        value = self.raw.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fail(key, f"{shown(value)} is not a number", advice)
        if not least <= value <= most:  # no comparison holds for NaN
            raise self.fail(key, f"{key} {shown(value)} is out of range", advice)
        return float(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self.raw.get(key, default)
        if not isinstance(value, bool):
            raise self.fail(key, f"{shown(value)} is neither true nor false", "use true or false")
        return value

    def choice(self, key: str, allowed: Collection[str], default: str | None = None) -> str:
        """One of a few words; without a default it must be there."""
        advice = f"use one of: {', '.join(allowed)}"
        value = self.require(key, advice) if default is None else self.raw.get(key, default)
        if not isinstance(value, str) or value not in allowed:
            close = difflib.get_close_matches(str(value), allowed, n=1)
            meant = f"did you mean '{close[0]}'? " if close else ""
            raise self.fail(key, f"{shown(value)} is no {key}", meant + advice)
        return str(value)

    def text(self, key: str, default: str) -> str:
        """A line of text."""
        value = self.raw.get(key, default)
        if not isinstance(value, str):
            raise self.fail(key, f"{shown(value)} is not text", "put it in quotes")
        return value

    def names(self, key: str) -> tuple[str, ...]:
        """A list of texts, empty if it is not there."""
        value = self.raw.get(key, ())
        if isinstance(value, str) or not isinstance(value, list | tuple):
            raise self.fail(key, f"{shown(value)} is not a list", "write a list of names")
        for each in value:
            if not isinstance(each, str) or not each:
                raise self.fail(key, f"{shown(each)} is not a name", "write a list of names")
        return tuple(value)


def shown(value: object) -> str:
    """A value as it may stand in an error: short, and in one line."""
    try:
        text = repr(value)
    except ValueError:  # a whole number of thousands of digits
        return "a number too long to be shown"
    return text if len(text) <= 40 else f"{text[:37]}..."
