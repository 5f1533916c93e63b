"""JSON as people leave it behind: with the line of every key, and forgiving what has one meaning only."""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from holdfast.hub.site.lines import Lines
from holdfast.hub.site.problems import Problem, cut, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[][{}:,]|[^][{}:,"\s]+', re.DOTALL)
"""A string (also one that never ends: looking for its end again and again would take for ever), a sign, or a word."""
_WIDE: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DEFAULTS: Final = "the earlier program could not read it and ran by its defaults; it is read here"


class Unreadable(ValueError):
    """Not JSON, not even nearly. ``problem`` says where and what, without repeating the content."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class JsonFile:
    """What a file holds, where each key stands, and what was forgiven."""

    value: Any
    lines: Lines = field(default_factory=lambda: Lines(1))
    remarks: tuple[Problem, ...] = ()


def read_json(data: bytes) -> JsonFile:
    """The value of a JSON file. Raises `Unreadable`.

    A byte order mark and commas behind the last item are forgiven; of keys that stand twice the last one counts, as
    it did. ``NaN`` and ``Infinity`` are numbers here, as they are for Python.
    """
    text, remarks = _decoded(data)
    if not text.strip():
        raise Unreadable(Problem((), "this file is empty", "the earlier program ran by its defaults", 1))
    tokens = list(_TOKEN.finditer(text))
    loose = _loose_commas(tokens)
    if loose:
        line = text.count("\n", 0, loose[0]) + 1
        remarks.append(Problem((), "a comma stands behind the last item", _DEFAULTS, line))
        characters = list(text)
        for place in loose:
            characters[place] = " "
        text = "".join(characters)
    doubles: list[str] = []
    value = _loaded(text, doubles)
    gone = frozenset(loose)
    lines = _lines(token for token in tokens if token.start() not in gone)
    remarks += [
        Problem((), f"the key {shown(cut(key))} stands twice in one place", "the last one counts, as it did")
        for key in dict.fromkeys(doubles)
    ]
    return JsonFile(value, lines, tuple(remarks))


def _decoded(data: bytes) -> tuple[str, list[Problem]]:
    is_wide = data.startswith(_WIDE)
    try:
        text = data.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as fault:
        line = None if is_wide else data.count(b"\n", 0, fault.start) + 1
        raise Unreadable(Problem((), "the file is not UTF-8 text", "save it as UTF-8", line)) from None
    if is_wide:
        return text, [Problem((), "the file is UTF-16 text and not UTF-8", _DEFAULTS, 1)]
    if data.startswith(codecs.BOM_UTF8):
        return text, [Problem((), "the file begins with a byte order mark", _DEFAULTS, 1)]
    return text, []


def _loose_commas(tokens: Sequence[re.Match[str]]) -> list[int]:
    return [
        here.start() for here, following in pairwise(tokens) if here[0] == "," and following[0] in ("}", "]")
    ]


def _loaded(text: str, doubles: list[str]) -> Any:
    def together(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                doubles.append(key)
            found[key] = value
        return found

    try:
        return json.loads(text, object_pairs_hook=together)
    except json.JSONDecodeError as fault:
        if fault.pos >= len(text.rstrip()):
            advice = "it was cut off, perhaps while it was written: look for a backup of it"
            raise Unreadable(Problem((), "the file ends too early", advice, fault.lineno)) from None
        advice = "mend the file or bring back a backup of it; nothing of it is taken over"
        raise Unreadable(Problem((), "this is not JSON from here on", advice, fault.lineno)) from None
    except (RecursionError, ValueError):  # nested without end, or a number of thousands of digits
        raise Unreadable(
            Problem((), "nobody meant what stands in this file", "bring back a backup")
        ) from None


class _Around:
    """A list or mapping that is not closed yet; ``step`` is the key or position within."""

    def __init__(self, lines: Lines, step: str | int | None) -> None:
        self.lines = lines
        self.step = step


def _lines(tokens: Iterator[re.Match[str]]) -> Lines:
    """Where each key and item stands, for tokens that are known to be JSON."""
    root = Lines(1)
    around: list[_Around] = []
    line, seen = 1, 0
    for token in tokens:
        line += token.string.count("\n", seen, token.start())
        seen = token.start()
        word = token[0]
        here = around[-1] if around else None
        if word in ("}", "]"):
            around.pop()
        elif word == ",":
            if here is not None:
                here.step = here.step + 1 if isinstance(here.step, int) else None
        elif word == ":":
            continue
        elif here is not None and here.step is None:
            here.step = str(json.loads(word))
            here.lines.inside[here.step] = Lines(line)
        else:
            into = root
            if here is not None and here.step is not None:
                into = here.lines.inside.setdefault(here.step, Lines(line))
            if word in ("{", "["):
                around.append(_Around(into, None if word == "{" else 0))
    return root
