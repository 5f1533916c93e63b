"""How values are written into columns: alike in every database, and read back exactly as they were.

JSON is kept as text of our own making. The JSON types of databases differ in what they refuse (a NUL, half a
character) and one of them reorders keys; and a cell that somebody damaged by hand must be found by whoever reads that
cell, not by the query that reads all of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNFIT = re.compile(r"[\x00\ud800-\udfff]")
"""What a text column cannot hold: PostgreSQL refuses NUL, and half a character (a lone surrogate) has no UTF-8."""
_NUMBER_KEY = "#"
"""JSON has only text for keys: ``6`` becomes ``"#6"``, and text that begins with ``#`` gets one more."""


def micros(moment: datetime) -> int:
    """Microseconds since 1970 in UTC. Raises `TypeError` for a moment without a time zone."""
    return (moment - _EPOCH) // _MICROSECOND


def maybe_micros(moment: datetime | None) -> int | None:
    """The same for a moment that may not have come."""
    return None if moment is None else micros(moment)


def moment_of(stamp: int) -> datetime:
    """The moment in UTC."""
    return _EPOCH + stamp * _MICROSECOND


def maybe_moment(stamp: int | None) -> datetime | None:
    """The same for a moment that may not have come."""
    return None if stamp is None else moment_of(stamp)


def fits_text(value: object) -> bool:
    """Whether a value is text that any database can hold as it is."""
    return isinstance(value, str) and _UNFIT.search(value) is None


def fitting(text: str) -> str:
    """The text with a replacement character for what no database holds: a journal's words must never be refused."""
    return _UNFIT.sub("�", text)


def encoded(value: object) -> str:
    """A value as ASCII text: exact for plain values (numeric keys of mappings included).

    Tuples become lists, and what JSON does not know (a date, an enum's member) becomes its words: nothing that is
    handed over may be refused, or everything behind it would wait for ever.
    """
    return json.dumps(_escaped(value), separators=(",", ":"), default=str)


def decoded(text: str) -> Any:
    """The value. Raises `ValueError` for text that `encoded` cannot have written."""
    try:
        return _restored(json.loads(text))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _escaped(value: object) -> object:
    if isinstance(value, Mapping):
        return {_key(key): _escaped(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(inner) for inner in value]
    if isinstance(value, set | frozenset):
        return sorted((_escaped(inner) for inner in value), key=str)
    return value


def _key(key: object) -> str:
    if isinstance(key, int) and not isinstance(key, bool):
        return f"{_NUMBER_KEY}{int(key)}"
    text = str(key)
    return _NUMBER_KEY + text if text.startswith(_NUMBER_KEY) else text


def _restored(value: Any) -> Any:
    if isinstance(value, dict):
        return {_restored_key(key): _restored(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_restored(inner) for inner in value]
    return value


def _restored_key(key: str) -> str | int:
    if not key.startswith(_NUMBER_KEY):
        return key
    rest = key.removeprefix(_NUMBER_KEY)
    return rest if rest.startswith(_NUMBER_KEY) else int(rest)
