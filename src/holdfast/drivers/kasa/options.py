"""What a site file says about a plug, read and checked before anything is dialled."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from holdfast.drivers.kasa.state import SWITCH
from holdfast.drivers.kasa.ways import Kind
from holdfast.errors import ConfigurationError
from holdfast.options import Section, shown

if TYPE_CHECKING:
    from holdfast.model import Adapter, Device

LONGEST_DEAD_MAN_S: Final = 7200.0
"""The newer plugs' timer takes up to two hours; more would protect nothing."""
SHORTEST_DEAD_MAN_S: Final = 3.0
"""Less than that cannot be renewed in time: a renewal is a question and an answer, at most 5 s of it."""
EVERYBODY: Final = "255.255.255.255"
"""The address that UDP discovery asks: everybody on the local network."""
HASH: Final = "hash:"
"""What a password begins with that is a stored hash of the login."""

_ADVICE: Final = "write kasa://HOST or kasa://HOST:PORT, such as kasa://192.168.1.71"
_OPTIONS: Final = ("broadcast", "dead_man_s", "expects_energy", "fail_safe", "kind", "mac")
_MAC: Final = re.compile(r"[0-9A-F]{2}([:-]?)(?:[0-9A-F]{2}\1){4}[0-9A-F]{2}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class KasaOptions:
    """One plug by one path; secrets are left out of ``repr``."""

    host: str
    port: int | None = None
    """``None``: the one of its kind (9999, 80, 4433, or what the plug announces)."""
    kind: Kind = Kind.AUTO
    """Where to begin; what discovery finds later wins, since firmware updates change it."""
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    credentials_hash: str = field(default="", repr=False)
    mac: str = ""
    """The plug's hardware address (``AA:BB:CC:DD:EE:FF``); empty: the first one that answers is remembered."""
    dead_man_s: float = 0.0
    """The plug switches itself off so many seconds after the last renewal; 0: it does not."""
    expects_energy: bool | None = None
    """Whether it has a meter; ``None``: whatever shows itself."""
    must_end_off: bool = False
    """Whether off is its fail-safe value."""
    broadcast: str = EVERYBODY

    @property
    def told(self) -> str:
        """Where and how to reach it, as the site says: what was found out otherwise holds for as long as this does."""
        return f"{self.address} {self.kind}"

    @property
    def address(self) -> str:
        """Host, and port if the owner named one, as one text."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


def parse_options(device: Device, adapter: Adapter) -> KasaOptions:
    """Read a device and one of its adapters; raises `ConfigurationError` with the path to what is wrong.

    An option may stand with the device or with the adapter, which wins. A plug that a controller owns (`Device.owned`)
    must end off, and keeps its own timer wound up for as long as the controller says, unless the site says how long.
    """
    elsewhere = {key: ("adapters", adapter.id, key) for key in adapter.options}
    section = Section({**device.options, **adapter.options}, ("options",), elsewhere)
    section.allow(_OPTIONS)
    if device.outputs:
        raise ConfigurationError(
            "a plug has no outputs to name: its relay is 'switch'",
            advice="leave out 'outputs'; give the device itself the name you want",
            path=("outputs",),
        )
    host, port = _where(adapter.url)
    is_hash = adapter.password.startswith(HASH)
    return KasaOptions(
        host=host,
        port=port,
        kind=Kind(section.choice("kind", list(Kind), Kind.AUTO)),
        username="" if is_hash else adapter.username,
        password="" if is_hash else adapter.password,
        credentials_hash=adapter.password.removeprefix(HASH) if is_hash else "",
        mac=_mac(section),
        dead_man_s=_dead_man_s(section, device.owned.get(SWITCH, 0.0)),
        expects_energy=section.flag("expects_energy", default=False)
        if "expects_energy" in section.raw
        else None,
        must_end_off=_must_end_off(section) or SWITCH in device.owned,
        broadcast=section.text("broadcast", EVERYBODY),
    )


def _where(url: str) -> tuple[str, int | None]:
    def fail(text: str) -> ConfigurationError:
        return ConfigurationError(text, advice=_ADVICE, path=("url",))

    if not url:
        raise fail("the address is missing")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise fail(f"{shown(url)} is not an address") from None
    if "@" in parts.netloc:
        raise ConfigurationError(
            "this address holds a login", advice="use the keys username and password", path=("url",)
        )
    has_more = parts.path not in ("", "/") or bool(parts.query) or bool(parts.fragment)
    if parts.scheme != "kasa" or not parts.hostname or has_more:
        raise fail(f"{shown(url)} is not the address of a plug")
    if port == 0:
        raise fail("port 0 cannot be dialled")
    return parts.hostname, port


def _mac(section: Section) -> str:
    text = section.text("mac", "")
    if text and not _MAC.fullmatch(text):
        raise section.fail("mac", f"{shown(text)} is not a hardware address", "write AA:BB:CC:DD:EE:FF")
    return plain_mac(text)


def _dead_man_s(section: Section, owned_s: float) -> float:
    if (
        "dead_man_s" not in section.raw and owned_s > 0.0
    ):  # a controller's wish, as near as plugs can come to it
        return min(max(owned_s, SHORTEST_DEAD_MAN_S), LONGEST_DEAD_MAN_S)
    value = section.seconds("dead_man_s", 0.0, LONGEST_DEAD_MAN_S, 0.0)
    if 0.0 < value < SHORTEST_DEAD_MAN_S:
        advice = f"use 0 for none, or seconds from {SHORTEST_DEAD_MAN_S:g} to {LONGEST_DEAD_MAN_S:g}"
        raise section.fail("dead_man_s", f"dead_man_s {value:g} is too short to be renewed", advice)
    return value


def _must_end_off(section: Section) -> bool:
    value = section.raw.get("fail_safe")
    if value is not None and value is not False:
        text = f"{shown(value)} is no fail-safe value of a plug"
        raise section.fail("fail_safe", text, "use false, or leave it out")
    return value is False


def plain_mac(text: str) -> str:
    """A hardware address in one form, ``AA:BB:CC:DD:EE:FF``, however it was written; empty for what is none."""
    digits = re.sub(r"[^0-9A-F]", "", text.upper())
    if len(digits) != 12:
        return ""
    return ":".join(digits[place : place + 2] for place in range(0, 12, 2))
