"""The three files of the earlier program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdfast.hub.site.earlier.fermenter.json_file import Unreadable, read_json
from holdfast.hub.site.problems import Problem, kind_of

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.hub.site.problems import Locate

TEMPERATURE, TILTS, SYSTEM = "temp_control_config.json", "tilt_config.json", "system_config.json"
NAMES: Final = (TEMPERATURE, TILTS, SYSTEM)
"""How they are called: fact sheet section 2 and the README of the program's folder ``config``."""
LARGEST_FILE: Final = 100_000
"""Bytes; the program itself writes some thousands."""
_LOST: Final = {
    TEMPERATURE: "without it there is no controller and no plug",
    TILTS: "without it only Tilts that a controller names are taken over",
    SYSTEM: "without it the site has no name and no time zone",
}


@dataclass(frozen=True, slots=True)
class EarlierFile:
    """One file: what stands in it (nothing, where it cannot be read), where, and what is wrong with it as a whole."""

    name: str
    values: Mapping[str, Any]
    locate: Locate | None = None
    problems: tuple[Problem, ...] = ()


class EarlierFiles(NamedTuple):
    """All of them."""

    temperature: EarlierFile
    tilts: EarlierFile
    system: EarlierFile


def earlier_file(name: str, data: bytes) -> EarlierFile:
    """A file of which the content is known; never raises."""
    try:
        found = read_json(data)
    except Unreadable as fault:
        return EarlierFile(name, {}, problems=(fault.problem,))
    if found.value == {}:
        return EarlierFile(name, {}, problems=(Problem((), "nothing stands in this file", _LOST[name], 1),))
    if isinstance(found.value, Mapping):
        return EarlierFile(name, found.value, found.lines, found.remarks)
    text = f"a mapping is expected in this file, not {kind_of(found.value)}"
    return EarlierFile(name, {}, problems=(*found.remarks, Problem((), text, _LOST[name], 1)))


def read_folder(folder: Path) -> EarlierFiles:
    """All three from one folder; never raises: what is missing or cannot be read says so. Blocks."""
    return EarlierFiles(*(_read(folder / name) for name in NAMES))


def _read(path: Path) -> EarlierFile:
    lost = _LOST[path.name]
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        return EarlierFile(path.name, {}, problems=(Problem((), "there is no such file", lost),))
    except (OSError, ValueError) as fault:
        why = (isinstance(fault, OSError) and fault.strerror) or "not a usable path"
        return EarlierFile(path.name, {}, problems=(Problem((), f"it cannot be read ({why})", lost),))
    if len(data) > LARGEST_FILE:
        text = f"it has more than {LARGEST_FILE:,} bytes and is not read"
        return EarlierFile(path.name, {}, problems=(Problem((), text, lost),))
    return earlier_file(path.name, data)
