"""What a site file says about a pack of JK batteries, read and checked before anything is dialled."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from holdfast.addresses import TcpAddress, parse_tcp
from holdfast.errors import ConfigurationError
from holdfast.options import Section, shown
from holdfast.transports.ble import BleAddress, parse_ble, require_ble
from holdfast.transports.serial import SerialPort, parse_serial, require_serial

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.model import Adapter, Device

PORT: Final = 8899
"""The usual factory setting of RS485 gateways: fact sheet section 1 (502, 5000 and 8887 are seen too)."""
STALE_AFTER_S: Final = 30.0
"""Four slow cycles of the master: fact sheet section 13."""
LEAST_STALE_S: Final = 15.0
"""Two slow cycles; with less, one lost frame makes a healthy battery stale: fact sheet section 13."""
DISCOVERY_GRACE_S: Final = 60.0
"""How long an adapter that never delivered may take until its first battery: design.md."""
POLL_EVERY_S: Final = 5.0
"""Active polling asks each battery as often as a master would: fact sheet section 2."""
POLLS_A_DEADLINE: Final = 3
"""Each battery is asked at least so often before its values are stale; the session is given up at half of that time."""
MOST_ADDRESS: Final = 15
"""Addresses are four DIP switches: fact sheet section 1."""
HIGHEST_S: Final = 3600.0

_NUMBER: Final = re.compile(r"[0-9]{1,2}", re.ASCII)
_OPTIONS: Final = (
    "batteries",
    "battery",
    "discovery_grace_s",
    "minimum_members",
    "poll_every_s",
    "polling",
    "stale_after_s",
)

Where = TcpAddress | SerialPort | BleAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class JkOptions:
    """One pack by one path. All durations are in seconds."""

    where: Where
    batteries: Mapping[str, str] = field(default_factory=dict)
    """Names by bus address; empty: whatever is heard is taken in."""
    battery: str = ""
    """Bluetooth: the address of the one battery behind it."""
    stale_after_s: float = STALE_AFTER_S
    discovery_grace_s: float = DISCOVERY_GRACE_S
    minimum_members: int | None = None
    polling: bool = False
    poll_every_s: float = POLL_EVERY_S

    @property
    def members(self) -> frozenset[str]:
        """The batteries that this adapter covers."""
        return frozenset({self.battery}) if self.battery else frozenset(self.batteries)

    def name_of(self, member: str) -> str:
        """What to call a battery."""
        return self.batteries.get(member, "") or f"battery {member}"


def parse_options(device: Device, adapter: Adapter) -> JkOptions:
    """Read a device and one of its adapters; raises `ConfigurationError` with the path to what is wrong.

    An option may stand with the device or with the adapter, which wins.
    """
    elsewhere = {key: ("adapters", adapter.id, key) for key in adapter.options}
    section = Section({**device.options, **adapter.options}, ("options",), elsewhere)
    section.allow(_OPTIONS)
    where = _where(adapter.url)
    batteries = _batteries(section)
    is_ble = isinstance(where, BleAddress)
    polling = section.flag("polling", default=False)
    if polling and is_ble:
        raise section.fail("polling", "Bluetooth is never polled", "leave it out: frames come by themselves")
    if polling and not batteries:
        raise section.fail("polling", "nobody knows whom to ask", "list the batteries: {0: front, 1: back}")
    least = section.raw.get("minimum_members")
    stale_after_s = section.seconds("stale_after_s", LEAST_STALE_S, HIGHEST_S, STALE_AFTER_S)
    return JkOptions(
        where=where,
        batteries=batteries,
        battery=_battery(section, batteries, is_ble=is_ble),
        stale_after_s=stale_after_s,
        discovery_grace_s=section.seconds("discovery_grace_s", 1.0, HIGHEST_S, DISCOVERY_GRACE_S),
        minimum_members=None if least is None else section.whole("minimum_members", 1, MOST_ADDRESS + 1),
        polling=polling,
        poll_every_s=section.seconds("poll_every_s", 1.0, stale_after_s / POLLS_A_DEADLINE, POLL_EVERY_S),
    )


def _where(url: str) -> Where:
    scheme = url.partition("://")[0]
    if scheme == "serial":
        require_serial()
        return parse_serial(url)
    if scheme == "ble":
        require_ble()
        return parse_ble(url)
    if scheme == "tcp" or not url:
        return parse_tcp(url, PORT, "a gateway")
    raise ConfigurationError(
        f"{shown(url)} is no way to a JK battery",
        advice="write tcp://HOST:PORT, serial:///dev/ttyUSB0 or ble://AA:BB:CC:DD:EE:FF",
        path=("url",),
    )


def _batteries(section: Section) -> dict[str, str]:
    raw = section.raw.get("batteries", {})
    advice = "map bus addresses to names, such as {0: front, 1: back}"
    if not isinstance(raw, dict):
        raise section.fail("batteries", f"{shown(raw)} is not a mapping", advice)
    names: dict[str, str] = {}
    for key in sorted(raw, key=str):
        address = _address(section, key, raw, advice)
        if address in names:
            raise ConfigurationError(
                f"battery {address} stands here twice", advice=advice, path=(*section.at("batteries"), key)
            )
        names[address] = str(raw[key])
    return names


def _address(section: Section, key: Any, raw: Mapping[Any, Any], advice: str) -> str:
    path = (*section.at("batteries"), key)
    address = int(key) if isinstance(key, str) and _NUMBER.fullmatch(key) else key  # stores keep keys as text
    if isinstance(address, bool) or not isinstance(address, int) or not 0 <= address <= MOST_ADDRESS:
        raise ConfigurationError(
            f"{shown(key)} is not a bus address",
            advice=f"use 0 to {MOST_ADDRESS}, as set by the switches",
            path=path,
        )
    name = raw[key]
    if not isinstance(name, str) or not name.strip():
        raise ConfigurationError(f"{shown(name)} is not a name", advice=advice, path=path)
    return str(address)


def _battery(section: Section, batteries: Mapping[str, str], *, is_ble: bool) -> str:
    if not is_ble:
        if "battery" in section.raw:
            text = "only Bluetooth reaches a single battery"
            raise section.fail("battery", text, "leave it out: the bus carries all of them")
        return ""
    member = str(section.whole("battery", 0, MOST_ADDRESS))
    if batteries and member not in batteries:
        text = f"battery {member} is not among the batteries of this pack"
        raise section.fail("battery", text, f"use one of: {', '.join(batteries)}")
    return member
