"""A site that has been read and checked: what the hub runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.control import ThermostatSettings
    from holdfast.hub.site.problems import Problem
    from holdfast.link.driver import Driver
    from holdfast.model import Device


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """A device and how each of its adapters is spoken to.

    ``drivers`` has one entry for each of ``device.adapters``, in their order, disabled ones included. They
    are left out of ``repr``, since a driver may carry the login in its closures. ``raw`` is the device's part of the
    site, with secrets as they are written there. ``fault`` says why the device cannot be used; then it has no driver.
    """

    device: Device
    drivers: tuple[Driver, ...] = field(repr=False)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArraySpec:
    """Packs that belong together, and what they are attached to now (empty: nothing)."""

    id: str
    name: str
    packs: tuple[str, ...]
    attached_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerSpec:
    """A thermostat as the site has it. ``raw`` is its part of the site."""

    id: str
    name: str
    settings: ThermostatSettings
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSpec:
    """One site. ``timezone`` and ``temperature_unit`` are for display only: inside all is UTC, SI and °C.

    ``problems`` is what was wrong with it and did not keep the rest from being used.
    """

    id: str
    name: str
    timezone: str
    temperature_unit: str
    devices: tuple[DeviceSpec, ...]
    arrays: tuple[ArraySpec, ...] = ()
    controllers: tuple[ControllerSpec, ...] = ()
    problems: tuple[Problem, ...] = ()
