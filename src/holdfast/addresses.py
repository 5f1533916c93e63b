"""Network addresses as site files write them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from holdfast.errors import ConfigurationError
from holdfast.options import shown


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """Host and port; as text, an IPv6 address stands in brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_tcp(url: str, default_port: int, what: str) -> TcpAddress:
    """Read ``tcp://HOST`` or ``tcp://HOST:PORT``, the address of ``what``; raises `ConfigurationError`."""
    advice = f"write tcp://HOST or tcp://HOST:PORT, such as tcp://192.168.1.50:{default_port} or tcp://[::1]:{default_port}"

    def fail(text: str) -> ConfigurationError:
        return ConfigurationError(text, advice=advice, path=("url",))

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
    if parts.scheme != "tcp" or not parts.hostname or has_more:
        raise fail(f"{shown(url)} is not the address of {what}")
    if port == 0:
        raise fail("port 0 cannot be dialled")
    return TcpAddress(parts.hostname, default_port if port is None else port)
