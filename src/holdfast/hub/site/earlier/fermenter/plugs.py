"""What the earlier program called a plug's address."""

from __future__ import annotations

import ipaddress
import re
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from holdfast.hub.site.earlier.plainly import whole
from holdfast.hub.site.problems import shown

_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?", re.IGNORECASE)
_LONGEST_NAME: Final = 253
"""Both as DNS has them (RFC 1123 section 2.1), and the underscore that home routers allow."""
_BEHIND: Final = re.compile(r"[?#]")
_LAST_PORT: Final = 65_535


class PlugAddress(NamedTuple):
    """A plug's address as a site writes it, or why there is none; neither: none was entered."""

    url: str = ""
    remark: str = ""
    """What a person should know of an address that is taken over."""
    fault: str = ""
    """Why it is not."""


def plug_address(raw: object, port: object = None) -> PlugAddress:
    """Read an address and the port beside it (later versions have one). Logins and paths are never repeated.

    This machine's own addresses are what the program's template has in the place of real ones; only with a port does
    somebody mean them, a simulated plug.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return PlugAddress()
    if not isinstance(raw, str):
        return PlugAddress(fault=f"{shown(raw)} is not an address")
    if "@" in raw:
        return PlugAddress(fault="this address holds a login, which is not repeated")
    scheme, _, rest = raw.strip().rpartition("://")
    netloc, slash, _ = rest.removesuffix("/").partition("/")
    if slash or "?" in netloc or "#" in netloc:
        return PlugAddress(fault=f"{shown(_BEHIND.split(netloc)[0])} with something behind it is no plug")
    host, own_port = _split(netloc)
    entered = whole(port)
    if entered is not None and 1 <= entered <= _LAST_PORT:
        own_port = entered
    elif scheme.lower() in ("http", "https"):
        own_port = None  # of a web page; a plug has another one
    return _judged(netloc, host, own_port)


def _judged(netloc: str, host: str, port: int | None) -> PlugAddress:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if port == 0 or (address is None and not _is_name(host)):
        return PlugAddress(fault=f"{shown(netloc)} is no address in a network")
    if address is not None and (address.is_unspecified or address.is_multicast or address.is_reserved):
        return PlugAddress(fault=f"{shown(netloc)} is no address of a device")
    is_own = host.lower() == "localhost" or (address is not None and address.is_loopback)
    if is_own and port is None:
        text = f"{shown(netloc)} is this machine itself: the placeholder of the earlier program's template"
        return PlugAddress(fault=text)
    place = f"[{host}]" if address is not None and address.version == 6 else host
    url = f"kasa://{place.lower()}" + ("" if port is None else f":{port}")
    if is_own:
        return PlugAddress(url, f"{shown(netloc)} is this machine itself: right for a simulated plug only")
    if address is None:
        return PlugAddress(url, f"{shown(netloc)} is a name: it works as long as the network knows it")
    return PlugAddress(url)


def _split(netloc: str) -> tuple[str, int | None]:
    """Host and port; no host where it is neither."""
    try:
        return str(ipaddress.ip_address(netloc.strip("[]"))), None
    except ValueError:
        pass
    try:
        parts = urlsplit(f"//{netloc}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "", None
    return host, port


def _is_name(host: str) -> bool:
    """Whether a network may know it; one that ends in a number is an IPv4 address gone wrong."""
    labels = host.split(".")
    return len(host) <= _LONGEST_NAME and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdecimal()
