"""What is wrong with a site, as a hub tells it, with the lines of the file that it came from."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from holdfast.cli.words import clean
from holdfast.hub.site.problems import Problem, SiteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from holdfast.hub.site.problems import Locate, Place

_STEP = re.compile(r"\.?([\w-]+…?)|\[(\d+)\]|\['([^']*)'\]")
"""One step of a place as `spelled` writes it."""


def told(problems: Iterable[Mapping[str, Any]]) -> SiteError:
    """The hub's list of problems as the error that reading the site here would have raised."""
    found = [
        Problem(place_of(str(each.get("path", ""))), clean(each.get("text")), clean(each.get("advice", "")))
        for each in problems
    ]
    return SiteError(found or [Problem((), "the hub does not take this site")], "site")


def place_of(path: str) -> Place:
    """``devices[0].outputs.kitchen`` as steps."""
    return tuple(int(number) if number else word or quoted for word, number, quoted in _STEP.findall(path))


def located(error: SiteError, locate: Locate, source: str) -> SiteError:
    """The same problems with the lines of a file."""
    return SiteError([replace(each, line=locate(each.path)) for each in error.problems], source)
