"""What people call a thing: its target, its key or its display name, whatever the case."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, NamedTuple

from holdfast.cli.exits import WrongUsage
from holdfast.cli.words import clean
from holdfast.errors import UnknownTarget

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LISTED = 40
"""Names that an error lists: a house's lights fit, a battery's hundred values would not help."""


class Known(NamedTuple):
    """One thing that can be named."""

    target: str
    name: str = ""
    """Its display name."""
    aliases: tuple[str, ...] = ()
    """What it was called before: an imported shutter keeps the names of its two relays."""

    @property
    def key(self) -> str:
        """The target without its device."""
        return self.target.partition("/")[2]


def find(name: str, known: Iterable[Known]) -> str:
    """The one target that ``name`` means: a target before a key, an earlier name, a display name."""
    known = tuple(known)
    wanted = name.strip().casefold()
    for spellings in (_target, _key, _aliases, _name):
        found = sorted({each.target for each in known if wanted in map(str.casefold, spellings(each))})
        if len(found) == 1:
            return found[0]
        if found:
            raise WrongUsage(f"{clean(name)!r} is not unique", advice=f"Say which one: {', '.join(found)}.")
    raise UnknownTarget(f"there is nothing called {clean(name)!r}", advice=_advice(name, known))


def _target(known: Known) -> tuple[str, ...]:
    return (known.target,)


def _key(known: Known) -> tuple[str, ...]:
    return (known.key,)


def _aliases(known: Known) -> tuple[str, ...]:
    return known.aliases


def _name(known: Known) -> tuple[str, ...]:
    return (known.name,)


def of_devices(devices: Iterable[Mapping[str, Any]]) -> list[Known]:
    """Everything that can be set, of devices and controllers as the API has them."""
    return [
        Known(str(each["target"]), str(each.get("name") or ""), tuple(map(str, each.get("aliases") or ())))
        for device in devices
        for each in device.get("capabilities") or ()
        if each.get("writable")
    ]


def _advice(name: str, known: Sequence[Known]) -> str:
    if not known:
        return "No device has anything of that kind."
    spelled = {each.key.casefold(): each.target for each in known} | {
        each.name.casefold(): each.target for each in known if each.name
    }
    close = difflib.get_close_matches(name.strip().casefold(), spelled, n=1)
    meant = f"Did you mean {spelled[close[0]]}? " if close else ""
    names = [f"{each.target} ({clean(each.name)})" if _tells_more(each) else each.target for each in known]
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"{meant}Known: {', '.join(names[:LISTED])}{more}."


def _tells_more(known: Known) -> bool:
    return bool(known.name) and known.name.casefold() != known.key.casefold()
