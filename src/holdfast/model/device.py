"""Devices and the ways to reach them, as configured."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Standby(StrEnum):
    """What a reserve adapter does while another one serves."""

    COLD = "cold"
    """Connected only when needed."""
    HOT = "hot"
    """Connected and watched all the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """One configured way to reach a device.

    ``priority``: lower is preferred. ``username`` and ``password`` are already resolved secrets and are left
    out of ``repr``. ``options`` are the driver's own, for this path only.
    """

    id: str
    driver: str
    url: str = ""
    priority: int = 1
    standby: Standby = Standby.COLD
    is_enabled: bool = True
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailoverTiming:
    """How calmly a device moves between its adapters; seconds (design: timing).

    ``minimum_stay_s``: least time on one adapter before a better one is preferred to it. ``hold_s``: how long a
    preferred adapter must have delivered without a break before it serves again. ``probe_every_s``: how often a
    preferred one that is down is tried meanwhile.
    """

    minimum_stay_s: float = 30.0
    hold_s: float = 60.0
    probe_every_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A physical thing with a stable identity, independent of its address.

    ``owned`` names the actuators that a controller owns, by capability: they must end in their fail-safe, and where
    the device has a timer of its own it takes them there after so many seconds without renewal.
    """

    id: str
    name: str
    adapters: tuple[Adapter, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    capabilities: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    failover: FailoverTiming = FailoverTiming()
    owned: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a device said about itself when a session was opened; empty where it said nothing."""

    serial: str = ""
    model: str = ""
    firmware: str = ""
