"""The device map of an earlier program, as outputs of a site file.

That program kept its house in one YAML file: categories (lights, shutters, later switches), one entry for each output,
and a shutter as two entries that name each other. Source: fact sheet section 9.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from holdfast.drivers.ipcom.messages import MODULES, OUTPUTS
from holdfast.drivers.ipcom.wiring import Place
from holdfast.options import shown

LIGHTS, SHUTTERS, SWITCHES = "lights", "shutters", "switches"
_CATEGORIES: Final = (LIGHTS, SHUTTERS, SWITCHES)
_TYPES: Final = ("switch", "dimmer", "light")
"""``light`` stands in the sample file and is read as ``switch``."""
_KNOWN: Final = frozenset(
    {"module", "output", "type", "display_name", "description", "relay_role", "paired_device"}
)
_ROLES: Final = {"up": "down", "down": "up"}
_NOT_IN_KEYS: Final = re.compile(r"[^a-z0-9_-]+")


class Problem(NamedTuple):
    """Something about one entry. A warning is told; anything else must be mended first."""

    path: tuple[str, ...]
    text: str
    is_warning: bool = False


@dataclass(slots=True)
class Imported:
    """What came of a device map: the ``outputs`` and ``modules`` of a site file, and what is wrong with it."""

    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    modules: dict[int, dict[str, Any]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def has_errors(self) -> bool:
        """Whether something must be mended before the result can be used."""
        return any(not problem.is_warning for problem in self.problems)


@dataclass(frozen=True, slots=True)
class _Entry:
    category: str
    key: str
    place: Place
    is_dimmer: bool
    name: str
    role: str
    partner: str

    @property
    def path(self) -> tuple[str, str]:
        return self.category, self.key


def read_device_map(raw: object) -> Imported:
    """Convert a parsed device map. Pure; never raises: what is wrong stands in ``problems``, all of it.

    Keys become lower case with ``_`` for what a site file does not allow. A shutter becomes one cover, named by what
    its two keys have in common (or its upper relay's key); both old keys stay as aliases.
    """
    reading = _Reading()
    if not isinstance(raw, Mapping):
        reading.note((), "a device map has the categories lights, shutters and switches")
        return reading.result
    for category in raw:
        if category not in _CATEGORIES:
            reading.note((str(category),), f"{shown(category)} is no category: lights, shutters, switches")
        elif raw[category] is not None:
            reading.read_category(category, raw[category])
    reading.check_places()
    reading.check_names()
    reading.convert()
    return reading.result


class _Reading:
    def __init__(self) -> None:
        self.result = Imported()
        self._entries: list[_Entry] = []

    def note(self, path: tuple[str, ...], text: str, *, is_warning: bool = False) -> None:
        self.result.problems.append(Problem(path, text, is_warning))

    # --- entries -------------------------------------------------------------------------------------------------

    def read_category(self, category: str, raw: object) -> None:
        if not isinstance(raw, Mapping):
            self.note((category,), "entries are expected here, each a name with module and output")
            return
        for key in raw:
            path = (category, str(key))
            if isinstance(raw[key], Mapping):
                entry = self._read_entry(path, raw[key])
                if entry is not None:
                    self._entries.append(entry)
            else:
                self.note(path, "module and output are expected here")

    def _read_entry(self, path: tuple[str, str], raw: Mapping[Any, Any]) -> _Entry | None:
        for key in raw:
            if key not in _KNOWN:
                self.note(
                    (*path, str(key)), f"{shown(key)} means nothing here and is left out", is_warning=True
                )
        module = self._number(path, raw, "module", MODULES)
        output = self._number(path, raw, "output", OUTPUTS)
        kind = raw.get("type", "switch")
        if kind not in _TYPES:
            self.note((*path, "type"), f"{shown(kind)} is no type: switch or dimmer")
        category, key = path
        role = partner = ""
        if category == SHUTTERS:
            role, partner = str(raw.get("relay_role", "")), str(raw.get("paired_device", ""))
            if role not in _ROLES:
                self.note((*path, "relay_role"), "a shutter needs relay_role: up or down")
            if not partner:
                self.note(
                    (*path, "paired_device"), "a shutter needs paired_device: the name of its other relay"
                )
            if kind == "dimmer":
                self.note((*path, "type"), "a dimmer cannot drive a motor")
        if module is None or output is None:
            return None
        name = raw.get("display_name") or key
        return _Entry(category, key, Place(module, output), kind == "dimmer", str(name), role, partner)

    def _number(self, path: tuple[str, str], raw: Mapping[Any, Any], key: str, most: int) -> int | None:
        value = raw.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most:
            return value
        what = "is missing" if value is None else f"{shown(value)} is out of range"
        self.note((*path, key), f"{key} {what}: 1 to {most}")
        return None

    # --- the whole house -----------------------------------------------------------------------------------------

    def check_places(self) -> None:
        taken: dict[Place, _Entry] = {}
        for entry in self._entries:
            other = taken.setdefault(entry.place, entry)
            if other is entry:
                continue
            is_one_cover = entry.category == other.category == SHUTTERS and entry.partner == other.key
            what = "both relays of one shutter are" if is_one_cover else f"{other.key} is already"
            self.note((*entry.path, "output"), f"{what} {entry.place}")

    def check_names(self) -> None:
        names: dict[str, _Entry] = {}
        for entry in self._entries:
            other = names.setdefault(entry.name, entry)
            if other is not entry and not (entry.category == SHUTTERS and entry.partner == other.key):
                text = f"{other.key} has the same display name, {shown(entry.name)}"
                self.note((*entry.path, "display_name"), text, is_warning=True)

    def convert(self) -> None:
        self._find_modules()
        for entry in self._entries:
            if entry.category != SHUTTERS:
                self._add(_slug(entry.key), self._plain_output(entry), entry)
        for up, down in self._pairs():
            cover: dict[str, Any] = {
                "kind": "cover",
                "up": {"module": up.place.module, "output": up.place.output},
                "down": {"module": down.place.module, "output": down.place.output},
                "name": up.name,
                "aliases": [up.key, down.key],
            }
            self._add(_common_name(up.key, down.key), cover, up)

    def _plain_output(self, entry: _Entry) -> dict[str, Any]:
        kind = "dimmer" if entry.is_dimmer else "switch" if entry.category == SWITCHES else "light"
        output: dict[str, Any] = {
            "module": entry.place.module,
            "output": entry.place.output,
            "kind": kind,
            "name": entry.name,
        }
        if _slug(entry.key) != entry.key:
            output["aliases"] = [entry.key]
            text = f"it is called {_slug(entry.key)} now: names are lower case letters, digits, _ and -"
            self.note(entry.path, text, is_warning=True)
        return output

    def _add(self, key: str, output: dict[str, Any], entry: _Entry) -> None:
        if key in self.result.outputs:
            self.note(entry.path, f"{key} is the name of two outputs now: rename one")
        else:
            self.result.outputs[key] = output

    def _find_modules(self) -> None:
        """Dimmers of scale 100, as in the only known house; shutters by their relays; everything else is relays."""
        for entry in self._entries:
            module = entry.place.module
            kind = "dimmer" if entry.is_dimmer else "shutter" if entry.category == SHUTTERS else ""
            known = self.result.modules.get(module)
            if kind and known is None:
                self.result.modules[module] = (
                    {"kind": "dimmer", "scale": 100} if kind == "dimmer" else {"kind": kind}
                )
            elif kind and known is not None and known["kind"] != kind:
                self.note((*entry.path, "module"), f"module {module} has both dimmers and shutters")

    def _pairs(self) -> list[tuple[_Entry, _Entry]]:
        """The two entries of each shutter, up first, as far as they agree with each other."""
        by_key = {entry.key: entry for entry in self._entries}
        pairs = []
        for entry in self._entries:
            if entry.category != SHUTTERS or not entry.partner:
                continue
            path = (*entry.path, "paired_device")
            other = by_key.get(entry.partner)
            if other is None:
                self.note(path, f"{entry.partner} is nowhere in the map")
            elif other.category != SHUTTERS:
                self.note(path, f"{other.key} is in the category {other.category}")
            elif other.partner != entry.key:
                self.note(path, f"{other.key} does not point back")
            elif entry.role in _ROLES and other.role == entry.role:
                self.note(path, f"{other.key} has the same role, {entry.role}")
            elif entry.role == "up":
                pairs.append((entry, other))
        return pairs


def _slug(key: str) -> str:
    return _NOT_IN_KEYS.sub("_", key.lower()).strip("_-") or "output"


def _common_name(up: str, down: str) -> str:
    """What the two keys of a shutter have in common; its upper relay's key where that is nothing."""
    one, other = _slug(up), _slug(down)
    length = next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    return one[:length].strip("_-") or one
