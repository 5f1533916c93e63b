"""Asks a driver's family about the adapters of a device, and finds the places its complaints are about."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from holdfast.errors import ConfigurationError
from holdfast.hub.site.adapter import ADAPTER_KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.hub.site.problems import Findings, Place
    from holdfast.link.driver import Driver, Family
    from holdfast.model import Adapter, Device

DEVICE_KEYS = ("id", "name", "adapters", "options", "outputs", "capabilities")
"""What a device may say."""

_MASK = "***"
_SHORTEST_MASKED = 3
"""A password of one or two characters is part of every sentence; masking it would only point it out."""


class Preparing:
    """One device on its way to drivers. ``places`` leads from the ids of its adapters to where they stand."""

    def __init__(self, device: Device, place: Place, places: Mapping[str, Place], findings: Findings) -> None:
        self._device = device
        self._place = place
        self._places = places
        self._findings = findings

    def driver(self, adapter: Adapter, family: Family) -> Driver | None:
        """The driver of one adapter, or ``None`` with the family's complaint noted."""
        try:
            return family.prepare(self._device, adapter)
        except ConfigurationError as fault:
            self._findings.note(
                self._place_of(fault.path, adapter), self._masked(fault.text), self._masked(fault.advice)
            )
        except Exception as fault:  # noqa: BLE001  a driver's bug must not hide what else is wrong
            # Neither the exception's text nor its traceback is kept: both may hold the login.
            frame = traceback.extract_tb(fault.__traceback__)[-1]
            what = f"{type(fault).__name__} in {frame.name}, line {frame.lineno}"
            text = f"the driver {adapter.driver} failed on this ({what})"
            self._findings.note(self._places[adapter.id], text, "please report this fault of the driver")
        return None

    def _place_of(self, path: Place, adapter: Adapter) -> Place:
        """A driver's path starts at the device; one that starts with an adapter's key means its own adapter."""
        own = self._places[adapter.id]
        match path:
            case ():
                return own
            case ("adapters", str() as ident, *rest) if ident in self._places:
                return (*self._places[ident], *rest)
            case ("options", key, *rest) if key in adapter.options and key not in self._device.options:
                return (*own, key, *rest)
            case (key, *_) if key not in DEVICE_KEYS and (key in ADAPTER_KEYS or key in adapter.options):
                return (*own, *path)
            case _:
                return (*self._place, *path)

    def _masked(self, text: str) -> str:
        """A driver's words without the device's passwords, whatever the driver's author thought of."""
        for adapter in self._device.adapters:
            for form in (adapter.password, repr(adapter.password)[1:-1]):
                if len(form) >= _SHORTEST_MASKED:
                    text = text.replace(form, _MASK)
        return text
