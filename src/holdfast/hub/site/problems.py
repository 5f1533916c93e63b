"""What is wrong with a site: every problem with its place, its line and what would be right."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from holdfast.errors import ConfigurationError

Place = tuple[str | int, ...]
"""The way from the top of a site to one of its values: ``("devices", 0, "outputs", "kitchen")``."""

Locate = Callable[[Place], int | None]
"""The line on which a place stands (or the nearest thing around it), ``None`` where nobody knows."""

_WORD = re.compile(r"[\w-]+…?")

LONGEST_SHOWN = 48
"""Characters of a value or key that a message repeats: enough to find it, too few to fill a terminal."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. ``text`` says what, ``advice`` what would be right; neither holds a secret."""

    path: Place
    text: str
    advice: str = ""
    line: int | None = None

    def rendered(self, source: str) -> str:
        """One line for people: ``site.yaml:12: devices[0].priority: 'high' is not a whole number; use 1``."""
        where = source if self.line is None else f"{source}:{self.line}"
        what = f"{self.text}; {self.advice}" if self.advice else self.text
        return f"{where}: {spelled(self.path)}: {what}" if self.path else f"{where}: {what}"


class SiteError(ConfigurationError):
    """A site cannot be used. ``problems`` holds all that was found, in the order of their lines."""

    def __init__(self, problems: Sequence[Problem], source: str) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line or 0))
        self.source = source
        first = self.problems[0]
        super().__init__("\n".join(each.rendered(source) for each in self.problems), path=first.path)


class Findings:
    """Collects problems while reading goes on, so that a person hears of all of them at once."""

    def __init__(self, source: str, locate: Locate | None = None) -> None:
        self._source = source
        self._locate = locate
        self._problems: list[Problem] = []

    def note(self, path: Place, text: str, advice: str = "", *, at: Place | None = None) -> None:
        """Add a problem, unless it is already known (two adapters may stumble over the same option).

        ``at`` is where its line is looked up, if not at ``path``.
        """
        line = self._locate(path if at is None else at) if self._locate else None
        self.add(Problem(path, text, advice, line))

    def add(self, problem: Problem) -> None:
        """Add a problem whose line is known."""
        if problem not in self._problems:
            self._problems.append(problem)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All that was noted."""
        return tuple(self._problems)

    def error(self) -> SiteError:
        """What has been noted, as an exception."""
        return SiteError(self._problems, self._source)

    def raise_any(self) -> None:
        """Raise `SiteError` if anything was noted."""
        if self._problems:
            raise self.error()


def spelled(path: Place) -> str:
    """A place as people write it: ``devices[0].outputs.kitchen``."""
    text = ""
    for step in path:
        name = cut(step) if isinstance(step, str) else ""
        if _WORD.fullmatch(name):
            text += f".{name}" if text else name
        else:
            text += f"[{shown(name or step)}]"
    return text


def cut(key: str) -> str:
    """A key as a message may repeat it: what follows a colon may be the secret in ``{password:x}``."""
    head, colon, _ = key.partition(":")
    return clipped(f"{head}…" if colon else head)


def shown(value: object) -> str:
    """A value as a message may repeat it: short, and without anything that disturbs a terminal."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return repr(clipped(value))
    if isinstance(value, int | float):
        return clipped(repr(value))
    return kind_of(value)


def clipped(text: str) -> str:
    """The beginning of a text that may be long."""
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def kind_of(value: object) -> str:
    """What sort of value it is, in words, without the value."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "text"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return f"a value of type {type(value).__name__}"
