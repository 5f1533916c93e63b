"""Changes to a site's mapping, one small function each. Pure: they leave the mapping as it is and give a changed copy.

Nothing is checked here but that what is meant exists; whether the result is a site is the reader's business.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from holdfast.errors import UnknownTarget

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SiteMapping = dict[str, Any]
"""A site in plain values: the keys of a site file."""


def put_device(site: Mapping[str, Any], device: Mapping[str, Any]) -> SiteMapping:
    """Add a device, or put it in the place of the one with its id."""
    return _put(site, "devices", device)


def drop_device(site: Mapping[str, Any], device_id: str) -> SiteMapping:
    """Take a device out; also out of the arrays that name it. Raises `UnknownTarget`."""
    changed = _dropped(site, "devices", device_id)
    for array in changed.get("arrays") or ():
        if device_id in (array.get("packs") or ()):
            array["packs"] = [each for each in array["packs"] if each != device_id]
    return changed


def put_array(site: Mapping[str, Any], array: Mapping[str, Any]) -> SiteMapping:
    """Add an array of packs, or put it in the place of the one with its id."""
    return _put(site, "arrays", array)


def drop_array(site: Mapping[str, Any], array_id: str) -> SiteMapping:
    """Take an array out; its packs stay. Raises `UnknownTarget`."""
    return _dropped(site, "arrays", array_id)


def put_controller(site: Mapping[str, Any], controller: Mapping[str, Any]) -> SiteMapping:
    """Add a controller, or put it in the place of the one with its id."""
    return _put(site, "controllers", controller)


def drop_controller(site: Mapping[str, Any], controller_id: str) -> SiteMapping:
    """Take a controller out. Raises `UnknownTarget`."""
    return _dropped(site, "controllers", controller_id)


def put_adapter(site: Mapping[str, Any], device_id: str, adapter: Mapping[str, Any]) -> SiteMapping:
    """Add an adapter to a device, or put it in the place of the one with its id. Raises `UnknownTarget`."""
    changed = _copy(site)
    device = _found(changed, "devices", device_id)
    device["adapters"] = _with(device.get("adapters") or [], adapter)
    return changed


def drop_adapter(site: Mapping[str, Any], device_id: str, adapter_id: str) -> SiteMapping:
    """Take an adapter from a device. Raises `UnknownTarget`."""
    changed = _copy(site)
    device = _found(changed, "devices", device_id)
    _found(device, "adapters", adapter_id)
    device["adapters"] = [each for each in device["adapters"] if each.get("id") != adapter_id]
    return changed


def enable_adapter(
    site: Mapping[str, Any], device_id: str, adapter_id: str, *, is_enabled: bool
) -> SiteMapping:
    """Let an adapter be used, or no more. Raises `UnknownTarget`."""
    changed = _copy(site)
    adapter = _found(_found(changed, "devices", device_id), "adapters", adapter_id)
    if is_enabled:
        adapter.pop("enabled", None)
    else:
        adapter["enabled"] = False
    return changed


def order_adapters(site: Mapping[str, Any], device_id: str, adapter_ids: Sequence[str]) -> SiteMapping:
    """Give a device's adapters the priorities 1, 2, … in this order; those not named follow as they were.

    Raises `UnknownTarget`.
    """
    changed = _copy(site)
    device = _found(changed, "devices", device_id)
    for adapter_id in adapter_ids:
        _found(device, "adapters", adapter_id)
    rest = sorted(
        (each for each in device["adapters"] if each.get("id") not in adapter_ids),
        key=lambda each: each.get("priority", 1),
    )
    ranked = [*adapter_ids, *(each.get("id") for each in rest)]
    for adapter in device["adapters"]:
        adapter["priority"] = ranked.index(adapter.get("id")) + 1
    return changed


def put_output(site: Mapping[str, Any], device_id: str, key: str, output: Mapping[str, Any]) -> SiteMapping:
    """Add a named output to a device, or replace it. Raises `UnknownTarget`."""
    changed = _copy(site)
    device = _found(changed, "devices", device_id)
    device["outputs"] = {**(device.get("outputs") or {}), key: deepcopy(dict(output))}
    return changed


def drop_output(site: Mapping[str, Any], device_id: str, key: str) -> SiteMapping:
    """Take a named output from a device. Raises `UnknownTarget`."""
    changed = _copy(site)
    device = _found(changed, "devices", device_id)
    outputs = device.get("outputs") or {}
    if key not in outputs:
        known = ", ".join(map(str, outputs)) or "none"
        raise UnknownTarget(f"{device_id} has no output {key!r}", advice=f"Its outputs are: {known}.")
    device["outputs"] = {name: output for name, output in outputs.items() if name != key}
    return changed


# --- what they share -----------------------------------------------------------------------------------------------


def _copy(site: Mapping[str, Any]) -> SiteMapping:
    return deepcopy(dict(site))


def _put(site: Mapping[str, Any], key: str, item: Mapping[str, Any]) -> SiteMapping:
    changed = _copy(site)
    changed[key] = _with(changed.get(key) or [], item)
    return changed


def _with(items: Sequence[Any], item: Mapping[str, Any]) -> list[Any]:
    """The list with the item in the place of the one with its id, or at the end."""
    new = deepcopy(dict(item))
    if any(each.get("id") == new.get("id") for each in items):
        return [new if each.get("id") == new.get("id") else each for each in items]
    return [*items, new]


def _dropped(site: Mapping[str, Any], key: str, ident: str) -> SiteMapping:
    changed = _copy(site)
    _found(changed, key, ident)
    changed[key] = [each for each in changed[key] if each.get("id") != ident]
    return changed


def _found(around: Mapping[str, Any], key: str, ident: str) -> dict[str, Any]:
    items: Sequence[dict[str, Any]] = around.get(key) or []
    for each in items:
        if each.get("id") == ident:
            return each
    known = ", ".join(str(each.get("id")) for each in items) or "none"
    raise UnknownTarget(f"there is no {key[:-1]} {ident!r}", advice=f"There are: {known}.")
