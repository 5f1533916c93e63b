"""Changes of a site as the command line asks for them: the call to a hub that runs, and the same for a store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from holdfast.hub.site import edit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Site = Mapping[str, Any]


SITE = "site"
"""The path of all of it."""


@dataclass(frozen=True, slots=True)
class SiteEdit:
    """One change. ``method``, ``path`` and ``body`` ask a hub for it; ``change`` makes it in a site's mapping."""

    method: str
    path: str
    body: object
    change: Callable[[Site], Site]


def whole(site: Site) -> SiteEdit:
    """Replace all of it."""
    return SiteEdit("PUT", SITE, site, lambda _: site)


def put_device(device: Site) -> SiteEdit:
    """Add or change a device."""
    return SiteEdit("PUT", _path("devices", device["id"]), device, lambda site: edit.put_device(site, device))


def remove_device(device: str) -> SiteEdit:
    """Remove a device."""
    return SiteEdit("DELETE", _path("devices", device), None, lambda site: edit.drop_device(site, device))


def put_adapter(device: str, adapter: Site) -> SiteEdit:
    """Add or change an adapter."""
    path = _path("devices", device, "adapters", adapter["id"])
    return SiteEdit("PUT", path, adapter, lambda site: edit.put_adapter(site, device, adapter))


def remove_adapter(device: str, adapter: str) -> SiteEdit:
    """Remove an adapter."""
    path = _path("devices", device, "adapters", adapter)
    return SiteEdit("DELETE", path, None, lambda site: edit.drop_adapter(site, device, adapter))


def enable_adapter(device: str, adapter: str, *, is_enabled: bool) -> SiteEdit:
    """Let an adapter be used, or no more."""
    path = _path("devices", device, "adapters", adapter)
    body = {"enabled": is_enabled}
    return SiteEdit(
        "PATCH", path, body, lambda site: edit.enable_adapter(site, device, adapter, is_enabled=is_enabled)
    )


def order_adapters(device: str, adapters: Sequence[str]) -> SiteEdit:
    """Prefer them in this order."""
    path = _path("devices", device, "adapters")
    return SiteEdit("PUT", path, [*adapters], lambda site: edit.order_adapters(site, device, adapters))


def put_output(device: str, key: str, output: Site) -> SiteEdit:
    """Add or change an output."""
    path = _path("devices", device, "outputs", key)
    return SiteEdit("PUT", path, output, lambda site: edit.put_output(site, device, key, output))


def remove_output(device: str, key: str) -> SiteEdit:
    """Remove an output."""
    path = _path("devices", device, "outputs", key)
    return SiteEdit("DELETE", path, None, lambda site: edit.drop_output(site, device, key))


def put_controller(controller: Site) -> SiteEdit:
    """Add or change a controller."""
    path = _path("controllers", controller["id"])
    return SiteEdit("PUT", path, controller, lambda site: edit.put_controller(site, controller))


def remove_controller(controller: str) -> SiteEdit:
    """Remove a controller."""
    path = _path("controllers", controller)
    return SiteEdit("DELETE", path, None, lambda site: edit.drop_controller(site, controller))


def _path(*parts: object) -> str:
    return "/".join(quote(str(each), safe="") for each in parts)
