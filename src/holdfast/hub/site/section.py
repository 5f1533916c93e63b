"""One mapping of a site, read key by key: what is wrong is noted, and reading goes on."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

from holdfast.hub.site.problems import Findings, Place, clipped, kind_of, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

_ID = re.compile(r"[a-z0-9][a-z0-9_-]*")
_ID_PATH = re.compile(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*")
_WORD = re.compile(r"[\w-]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_MISSPELT = 0.8
"""How alike (0 to 1) a key must be to one of ours to be taken for a slip where other keys are possible too:
``pass-word`` and ``user_name`` are that like, ``user`` and ``device_password`` are not."""
_SHORTEST_MISSPELT = 6
"""Shorter keys (``id``, ``url``) are too much like other short words for that."""


class Section:
    """A mapping under reading. Its methods note what is wrong and then give ``None`` or the default."""

    def __init__(self, raw: dict[Any, Any], place: Place, findings: Findings) -> None:
        self.raw = raw
        self.place = place
        self._findings = findings

    def note(self, key: str | int, text: str, advice: str = "") -> None:
        """Note a problem with one key's value."""
        self._findings.note((*self.place, key), text, advice)

    def has(self, key: str, advice: str) -> bool:
        """Whether a key that must be there is; notes it if not."""
        if key in self.raw:
            return True
        self._findings.note(self.place, f"{key!r} is missing", advice)
        return False

    def text(self, key: str) -> str | None:
        """One line of text that is not empty; ``None`` also where the key is absent."""
        if key not in self.raw:
            return None
        value = self.raw[key]
        if not isinstance(value, str):
            advice = "put it in quotes" if isinstance(value, bool | int | float) else ""
            self.note(key, f"text is expected here, not {kind_of(value)}", advice)
        elif not value.strip():
            self.note(key, "this text is empty", "write something or leave the key out")
        elif _CONTROL.search(value):
            self.note(key, "this text holds line breaks or control characters", "write one plain line")
        else:
            return value
        return None

    def ident(self, key: str) -> str | None:
        """An id, fit to be part of a target and a topic; ``None`` also where the key is absent."""
        name = self.text(key)
        return name if name is not None and self._is_id(name, (*self.place, key)) else None

    def whole(self, key: str, default: int, advice: str) -> int:
        """A whole number."""
        value = self.raw.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self.note(key, f"{shown(value)} is not a whole number", advice)
        return default

    def seconds(self, key: str, least: float, most: float, default: float) -> float:
        """A duration within limits."""
        value = self.raw.get(key, default)
        if isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most:
            return float(value)
        self.note(key, f"{shown(value)} is not possible here", f"use seconds from {least:g} to {most:g}")
        return default

    def flag(self, key: str, default: bool) -> bool:
        """True or false; the ``yes`` and ``off`` of older YAML are text."""
        value = self.raw.get(key, default)
        if isinstance(value, bool):
            return value
        self.note(key, f"{shown(value)} is neither true nor false", "use true or false")
        return default

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """One of a few words."""
        value = self.raw.get(key, default)
        if isinstance(value, str) and value in choices:
            return value
        self.note(key, f"{shown(value)} is not possible here", f"use {' or '.join(choices)}")
        return default

    def mapping(self, key: str) -> dict[Any, Any] | None:
        """A mapping; empty where the key is absent or nothing stands behind it."""
        value = self.raw.get(key)
        if value is None:
            return {}
        if isinstance(value, dict):
            return value
        self.note(key, f"a mapping is expected here, not {kind_of(value)}", "write 'key: value' below it")
        return None

    def named(self, key: str, *, is_path: bool = False) -> dict[str, dict[Any, Any]] | None:
        """A mapping of ids to mappings; with ``is_path`` a name may be several ids joined by ``/``."""
        raw = self.mapping(key)
        if raw is None:
            return None
        named: dict[str, dict[Any, Any]] = {}
        for name, value in raw.items():
            place = (*self.place, key, name)
            if isinstance(name, int):
                advice = f'write "{name}" in quotes'
                self._findings.note(place, f"{name} is a number where a name belongs", advice)
            elif self._is_id(name, place, is_path=is_path):
                if isinstance(value, dict):
                    named[name] = value
                else:
                    self._findings.note(place, f"a mapping is expected here, not {kind_of(value)}")
        return named if len(named) == len(raw) else None

    def sections(self, key: str) -> list[Section]:
        """A list of mappings; an item that is none is left out."""
        value = self.raw.get(key)
        if not isinstance(value, list):
            self.note(key, f"a list is expected here, not {kind_of(value)}", "begin each item with '- '")
            return []
        found: list[Section] = []
        for index, item in enumerate(value):
            place = (*self.place, key, index)
            if isinstance(item, dict):
                found.append(Section(item, place, self._findings))
            else:
                self._findings.note(place, f"a mapping is expected here, not {kind_of(item)}")
        return found

    def refuse_unknown(self, known: Sequence[str]) -> None:
        """Note every key that is none of ``known``, with the one that was probably meant."""
        for key in self.raw:
            if key not in known:
                self._unknown(key, known)

    def others(self, known: Sequence[str]) -> dict[str, Any]:
        """What is not ``known`` here but may be to somebody else.

        Keys that are no words, or look like a misspelt one of ours, are noted instead: a slip in ``password``
        must not reach a driver, which might repeat it.
        """
        left: dict[str, Any] = {}
        long = [name for name in known if len(name) >= _SHORTEST_MISSPELT]
        for key, value in self.raw.items():
            if key in known:
                continue
            if isinstance(key, int) or not _WORD.fullmatch(key) or closest(key, long, _MISSPELT):
                self._unknown(key, known)
            else:
                left[key] = value
        return left

    def _unknown(self, key: str | int, known: Sequence[str]) -> None:
        word = _leading_word(key)
        meant = closest(word, known)
        if word != str(key) and meant is not None:
            # "{password:x}" is one key to YAML. Only its first word is repeated: the rest may be the secret.
            advice = f"write '{meant}: …', with a space behind the colon"
        elif meant is not None:
            advice = f"did you mean {meant!r}?"
        else:
            advice = f"known here: {', '.join(known)}"
        self._findings.note(
            (*self.place, key if isinstance(key, int) else word or "…"),
            "unknown key",
            advice,
            at=(*self.place, key),
        )

    def _is_id(self, name: str, place: Place, *, is_path: bool = False) -> bool:
        if (_ID_PATH if is_path else _ID).fullmatch(name):
            return True
        slug = re.sub(r"[^a-z0-9_-]+", "-", clipped(name).lower()).strip("-_") or "house-1"
        advice = f"use a-z, 0-9, - and _, beginning with one of a-z and 0-9: {slug}"
        self._findings.note(place, f"{shown(name)} is not an id", advice)
        return False


def closest(word: str, known: Sequence[str], cutoff: float = 0.6) -> str | None:
    """The known word that was probably meant, if any is like it."""
    found = difflib.get_close_matches(clipped(word).lower(), known, n=1, cutoff=cutoff)
    return found[0] if found else None


def _leading_word(key: str | int) -> str:
    match = _WORD.match(str(key))
    return match.group() if match else ""
