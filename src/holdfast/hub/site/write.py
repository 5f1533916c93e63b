"""Writes a site as YAML that people like to read. Standard library only."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holdfast.hub.site.problems import Place

WIDEST_LINE = 100
"""Characters up to which a small mapping or list stays on one line."""

_STEP = "  "
_PLAIN = re.compile(r"[^\W\d_][\w ./+-]*(?<! )")
_AMBIGUOUS = re.compile(r"(true|false|null|yes|no|on|off|y|n)", re.IGNORECASE)
"""Words that some version of YAML takes for something other than text."""


def dump_site(mapping: Mapping[str, Any], *, comments: Mapping[Place, str] | None = None) -> str:
    """The mapping as YAML; reading it back gives equal values.

    ``comments`` stand above the key or item that their path leads to; the one for ``()`` opens the file.
    """
    return "".join(f"{line}\n" for line in _Writer(comments or {}).file(mapping))


class _Writer:
    def __init__(self, comments: Mapping[Place, str]) -> None:
        self._comments = comments
        self._above = {path[:depth] for path in comments for depth in range(len(path))}

    def file(self, mapping: Mapping[str, Any]) -> list[str]:
        head = self._comment((), "")
        return [*head, *([""] if head else []), *(self._block(mapping, (), "") if mapping else ["{}"])]

    def _block(self, value: Any, place: Place, indent: str) -> list[str]:
        """The lines of a mapping or list that is not empty, one key or item each."""
        lines: list[str] = []
        if isinstance(value, Mapping):
            for key, inner in value.items():
                lines += self._comment((*place, key), indent)
                lines += self._entry(f"{indent}{_scalar(key)}:", inner, (*place, key), indent)
            return lines
        for index, inner in enumerate(value):
            lines += self._comment((*place, index), indent)
            lines += self._item(inner, (*place, index), indent)
        return lines

    def _entry(self, head: str, value: Any, place: Place, indent: str) -> list[str]:
        if (short := self._short(value, place, head)) is not None:
            return [f"{head} {short}"]
        return [head, *self._block(value, place, indent + _STEP)]

    def _item(self, value: Any, place: Place, indent: str) -> list[str]:
        if (short := self._short(value, place, f"{indent}-")) is not None:
            return [f"{indent}- {short}"]
        lines = self._block(value, place, indent + _STEP)
        if lines[0].lstrip().startswith("#"):
            return [f"{indent}-", *lines]
        return [f"{indent}- {lines[0].lstrip()}", *lines[1:]]

    def _short(self, value: Any, place: Place, head: str) -> str | None:
        """The value on one line, if it is a scalar or a small collection of scalars without comments."""
        if not _is_collection(value):
            return _scalar(value)
        inner = list(value.values()) if isinstance(value, Mapping) else list(value)
        if inner and (place in self._above or any(_is_collection(each) for each in inner)):
            return None
        if isinstance(value, Mapping):
            text = "{" + ", ".join(f"{_scalar(key)}: {_scalar(each)}" for key, each in value.items()) + "}"
        else:
            text = "[" + ", ".join(_scalar(each) for each in inner) + "]"
        return text if not inner or len(head) + 1 + len(text) <= WIDEST_LINE else None

    def _comment(self, place: Place, indent: str) -> list[str]:
        text = self._comments.get(place)
        return [f"{indent}# {line}".rstrip() for line in text.splitlines()] if text else []


def _is_collection(value: Any) -> bool:
    return isinstance(value, Mapping | Sequence) and not isinstance(value, str)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        raise TypeError(f"a site cannot hold a value of type {type(value).__name__}")
    if _PLAIN.fullmatch(value) and value.isprintable() and not _AMBIGUOUS.fullmatch(value):
        return value
    return _quoted(value)


def _number(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    return repr(value)


def _quoted(text: str) -> str:
    """Double quotes as in JSON, which YAML reads alike, with everything invisible escaped."""
    return "".join(
        each if each.isprintable() else _escaped(each) for each in json.dumps(text, ensure_ascii=False)
    )


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
