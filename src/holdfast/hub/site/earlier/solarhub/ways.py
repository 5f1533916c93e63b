"""Addresses of a site from one earlier adapter's settings.

Source for the keys: fact sheet section 14. Whatever was not said is not made up: then there is no address, and a
sentence says what is to be filled in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from holdfast.addresses import parse_tcp
from holdfast.errors import ConfigurationError
from holdfast.hub.site.earlier.plainly import items, line, whole
from holdfast.hub.site.problems import shown
from holdfast.transports.ble import parse_ble
from holdfast.transports.serial import parse_serial

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BUS: Final = "jkbms_tcpip"
"""The earlier program's passive listener, over a gateway or a serial port."""
RADIO: Final = "jkbms_ble"
KINDS: Final = (BUS, RADIO)
"""Types of earlier adapters for which there is a driver."""

_PORT: Final = 8899
"""What a site's address means without a port: fact sheet section 1."""
_SERIAL: Final = {"baudrate": "115200", "parity": "N", "stopbits": "1"}
"""What a site's address means where it says nothing else; the earlier program's defaults too: fact sheet section 14."""
_DATA_BITS: Final = 8
_SAID: Final = frozenset(
    {"type", "connection_type", "host", "port", "serial_port", "bytesize", "batteries", "battery_addresses"}
    | {"bt_addresses", "bt_address", "priority", "enabled", "cells_per_battery"}
    | set(_SERIAL)
)
"""Keys that are read, and the number of cells, which is in every frame: fact sheet section 6."""


class Way(NamedTuple):
    """One adapter of the site. ``todo`` says what is missing; ``nth`` counts the batteries behind Bluetooth, from 0."""

    name: str
    url: str
    todo: str = ""
    nth: int | None = None


def ways_of(kind: str, config: Mapping[Any, Any], say: Callable[[str, str, str], None]) -> list[Way]:
    """The adapters that one earlier adapter becomes: one for a bus, one for each battery over Bluetooth."""
    left = [str(key) for key, value in config.items() if key not in _SAID and value is not None]
    if left:
        say("", f"not needed or without a counterpart, and left out: {', '.join(map(line, left))}", "")
    if kind == RADIO:
        return _radios(config, say)
    return [_serial(config, say) if _is_serial(config, say) else _gateway(config, say)]


def _is_serial(config: Mapping[Any, Any], say: Callable[[str, str, str], None]) -> bool:
    stated = config.get("connection_type")
    has_host = bool(line(config.get("host")) or line(config.get("port")))
    has_port = bool(line(config.get("serial_port")))
    if stated in ("tcpip", "rtu"):
        return bool(stated == "rtu")
    if stated is not None:
        text = f"{shown(stated)} is no connection type: tcpip or rtu"
        say("connection_type", text, "it is told from host and serial_port")
    if has_host and has_port:
        say("host", "both host and serial_port stand here and no connection_type", "the host is taken")
    return has_port and not has_host


def _gateway(config: Mapping[Any, Any], say: Callable[[str, str, str], None]) -> Way:
    host, port = line(config.get("host")), line(config.get("port"))
    if not host:
        say("host", "the gateway's host is missing", "fill in the url")
        return Way("gateway", "", f'Fill in the gateway\'s address: url: "tcp://HOST:{_PORT}"')
    address = f"tcp://[{host}]" if ":" in host and not host.startswith("[") else f"tcp://{host}"
    todo = ""
    if not port:
        say("port", f"the gateway's port is missing, which means {_PORT} now", "check the gateway")
        todo = f"Check the port: none was said, and {_PORT} is used then."
    else:
        address += f":{port}"
    return _checked("gateway", address, "host", lambda url: parse_tcp(url, _PORT, "a gateway"), say, todo)


def _serial(config: Mapping[Any, Any], say: Callable[[str, str, str], None]) -> Way:
    path = line(config.get("serial_port"))
    if not path:
        say("serial_port", "the serial port is missing", "fill in the url")
        return Way("usb", "", 'Fill in the serial port: url: "serial:///dev/ttyUSB0"')
    bits = config.get("bytesize")
    if bits is not None and whole(bits) != _DATA_BITS:
        say("bytesize", f"{shown(bits)} data bits are not possible", f"{_DATA_BITS} are used")
    pairs = [
        f"{key}={quote(text, safe='')}"
        for key, usual in _SERIAL.items()
        if (text := line(config.get(key))) and text.upper() != usual
    ]
    address = f"serial:///{quote(path.lstrip('/'), safe='/:,')}" + ("?" + "&".join(pairs) if pairs else "")
    return _checked("usb", address, "serial_port", parse_serial, say)


def _radios(config: Mapping[Any, Any], say: Callable[[str, str, str], None]) -> list[Way]:
    stated = items(config.get("bt_addresses")) or [config.get("bt_address")]
    addresses = [text for each in stated if (text := line(each))]
    if not addresses:
        say("bt_addresses", "no Bluetooth address stands here", "fill in the url")
        return [Way("radio", "", 'Fill in the Bluetooth address: url: "ble://AA:BB:CC:DD:EE:FF"', 0)]
    ways: list[Way] = []
    for index, each in enumerate(addresses):
        if each.upper() in [other.upper() for other in addresses[:index]]:
            say("bt_addresses", f"{shown(each)} stands here twice", "it is taken over once")
            continue
        name = "radio" if len(addresses) == 1 else f"radio-{index + 1}"
        way = _checked(name, f"ble://{quote(each, safe=':')}", "bt_addresses", parse_ble, say)
        ways.append(way._replace(nth=index))
    return ways


def _checked(
    name: str,
    url: str,
    key: str,
    parse: Callable[[str], object],
    say: Callable[[str, str, str], None],
    todo: str = "",
) -> Way:
    """The way, if its address is one; an address that a driver would refuse is told and left out."""
    try:
        parse(url)
    except ConfigurationError as fault:
        # An address with a login is not repeated: it would stand in a comment.
        text = "this holds a login" if "@" in url else fault.text
        say(key, text, "fill in the url")
        return Way(name, "", f"Fill in the url: {fault.advice}.")
    return Way(name, url, todo)
