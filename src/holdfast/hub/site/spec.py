"""A site that has been read and checked: what the hub runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.link.driver import Driver
    from holdfast.model import Device


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """A device and how each of its adapters is spoken to.

    ``drivers`` has one entry for each of ``device.adapters``, in their order, disabled ones included. They
    are left out of ``repr``, since a driver may carry the login in its closures.
    """

    device: Device
    drivers: tuple[Driver, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSpec:
    """One site. ``timezone`` and ``temperature_unit`` are for display only: inside all is UTC, SI and °C."""

    id: str
    name: str
    timezone: str
    temperature_unit: str
    devices: tuple[DeviceSpec, ...]
