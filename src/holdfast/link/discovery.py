"""Device discovery: what a family finds when it looks around. For setting up only, never on the way of a command."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from holdfast.errors import HoldfastError
    from holdfast.model import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One look around. The login is for devices that tell more to whoever has one; it is left out of ``repr``."""

    seconds: float
    """How long to wait for answers, or to listen."""
    targets: Sequence[str] = ()
    """Whom to ask on the network, ``HOST`` or ``HOST:PORT`` each, broadcast addresses among them; none: everybody near.
    Families that only listen take no notice."""
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One device that was found, as far as it told of itself; empty or ``None`` where it said nothing."""

    driver: str
    url: str
    """As a site file names it."""
    name: str = ""
    """What its owner calls it."""
    model: str = ""
    mac: str = ""
    """Hardware address; on macOS, for Bluetooth, the UUID that stands for it."""
    kind: str = ""
    """What the family tells apart: the language of a plug, the colour of a Tilt."""
    signal_dbm: float | None = None
    values: Mapping[str, Value] = field(default_factory=dict)
    """What it measures or how it stands now, by capability; °C for temperatures."""
    is_supported: bool = True
    """Whether the driver can be used with it."""
    needs_login: bool = False
    note: str = ""
    """What is to be known of it, such as that it needs a login or why it is not supported."""
    advice: str = ""
    adapter: Mapping[str, Any] = field(default_factory=dict)
    """Keys of an adapter that are worth writing into a site file, beside ``driver`` and ``url``; never a secret."""


class Discovery(NamedTuple):
    """What a sweep brought, and the places where it could not look."""

    found: Sequence[Found]
    faults: Sequence[HoldfastError] = ()


Discover = Callable[[Sweep], Awaitable[Discovery]]
"""Looks around for as long as the sweep says, and some seconds more where there are logins. Leaves nothing open.

Raises `ConfigurationError` for a missing extra or a target that is none, and a `LinkFault` if it could look nowhere.
"""
