"""What becomes of a running hub when its site changes: which devices come, go, change, and what of them reconnects."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from holdfast.hub.site.controllers import owned
from holdfast.hub.site.failover import FAILOVER_KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping

RANKING_KEYS = ("priority", "standby", "enabled")
"""Keys of an adapter that say when it is used, not how it is reached. One that is not enabled does not exist."""


class What(StrEnum):
    """What becomes of a device."""

    ADD = "add"
    REMOVE = "remove"
    REBUILD = "rebuild"
    """Something changed that all of its adapters go by: they reconnect."""
    ADAPT = "adapt"
    """Only some adapters come, go or change; the others stay connected."""
    KEEP = "keep"
    """Only what is shown, or when an adapter is used, is different."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One device's part of a plan. ``adapters``: those that come, go or reconnect. ``text``: in words."""

    what: What
    device: str
    text: str
    adapters: tuple[str, ...] = ()


def plan(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Step]:
    """The steps from one site's mapping to another's, removals first. Empty if nothing of the devices changes."""
    old, new = _by_id(before, "devices"), _by_id(after, "devices")
    owned_before, owned_after = owned(before), owned(after)
    steps = [Step(what=What.REMOVE, device=ident, text=f"{ident}: goes") for ident in old if ident not in new]
    for ident, device in new.items():
        if ident not in old:
            steps.append(Step(what=What.ADD, device=ident, text=f"{ident}: comes"))
        elif owned_before.get(ident) != owned_after.get(ident):
            text = f"{ident}: another controller owns it, or none, or another timer: it reconnects"
            steps.append(Step(what=What.REBUILD, device=ident, text=text))
        elif device != old[ident]:
            steps.append(_changed(ident, old[ident], device))
    return steps


def others(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """In words, what changes of the site apart from its devices."""
    keys = ("site", "arrays")
    lines = [f"{key}: changes" for key in keys if (before.get(key) or None) != (after.get(key) or None)]
    old, new = _by_id(before, "controllers"), _by_id(after, "controllers")
    lines += [f"controller {ident}: goes" for ident in old if ident not in new]
    for ident, controller in new.items():
        if ident not in old:
            lines.append(f"controller {ident}: comes")
        elif controller != old[ident]:
            lines.append(f"controller {ident}: changes")
    return lines


def changed_controllers(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """The controllers that come or change."""
    old, new = _by_id(before, "controllers"), _by_id(after, "controllers")
    return {ident for ident, controller in new.items() if controller != old.get(ident)}


def _changed(ident: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Step:
    shared = sorted(
        key for key in {*old, *new} - {"id", "name", "adapters"} if _of(old, key) != _of(new, key)
    )
    if shared:
        text = f"{ident}: {', '.join(shared)} changed, it reconnects"
        return Step(what=What.REBUILD, device=ident, text=text)
    was, now = _adapters(old), _adapters(new)
    coming = [each for each in now if each not in was]
    going = [each for each in was if each not in now]
    moved = [each for each in now if each in was and _reach(was[each]) != _reach(now[each])]
    if coming or going or moved:
        words = [
            f"{', '.join(names)} {verb}"
            for names, verb in ((going, "goes"), (coming, "comes"), (moved, "reconnects"))
            if names
        ]
        return Step(
            what=What.ADAPT,
            device=ident,
            text=f"{ident}: {'; '.join(words)}",
            adapters=(*going, *coming, *moved),
        )
    return Step(what=What.KEEP, device=ident, text=f"{ident}: changes without reconnecting")


def _of(device: Mapping[str, Any], key: str) -> Any:
    """A part of a device that all of its adapters go by; how calmly it fails over is no such thing."""
    value = device.get(key)
    if key == "options" and isinstance(value, dict):
        value = {name: each for name, each in value.items() if name not in FAILOVER_KEYS}
    return value or None


def _reach(adapter: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in adapter.items() if key not in RANKING_KEYS}


def _by_id(site: Mapping[str, Any], key: str) -> dict[str, Mapping[str, Any]]:
    items = site.get(key)
    found = items if isinstance(items, list) else ()
    return {str(each.get("id")): each for each in found if isinstance(each, dict)}


def _adapters(device: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The adapters that are used, by id."""
    given = (each for each in device.get("adapters") or () if isinstance(each, dict))
    return {str(each.get("id")): each for each in given if each.get("enabled", True)}
