"""Where a server listens: names become addresses, and a port that is taken becomes a sentence with advice."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from typing import TYPE_CHECKING

from holdfast.errors import HoldfastError
from holdfast.model import ReasonCode

if TYPE_CHECKING:
    from collections.abc import Callable

BACKLOG = 128
"""Connections that may wait to be accepted."""
SEND_BUFFER = 65536
"""Bytes that the kernel may hold for one client: what is older than that is not worth keeping."""
ANYWHERE = ("0.0.0.0", "::")  # noqa: S104 - named in order to be told apart, and refused without a login
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")


class CannotListen(HoldfastError):
    """The address cannot be listened on."""

    code = ReasonCode.CONFIGURATION


class PortInUse(CannotListen):
    """Another program listens there already."""


async def addresses(host: str, port: int) -> list[str]:
    """The addresses that a host stands for; an empty one stands for all. Raises `CannotListen`."""
    if host in ("", "*"):
        return list(ANYWHERE)
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise CannotListen(
            f"the name {host!r} is not known here",
            advice="Give an address of this machine, such as 127.0.0.1.",
        ) from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach it."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


async def listen(
    protocol: Callable[[], asyncio.Protocol], found: list[str], port: int
) -> tuple[list[asyncio.Server], int]:
    """Servers on all ``found`` addresses, not yet accepting, and their one port; raises `CannotListen`."""
    loop = asyncio.get_running_loop()
    servers: list[asyncio.Server] = []
    try:
        for address in found:
            try:
                server = await loop.create_server(
                    protocol, address, port, backlog=BACKLOG, start_serving=False
                )
            except OSError as error:
                if servers and _code(error) in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    continue  # "all addresses" on a machine without IPv6
                raise explained(error, address, port) from error
            servers.append(server)
            port = server.sockets[0].getsockname()[1]
            for each in server.sockets:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    except BaseException:
        for server in servers:
            server.close()
        raise
    return servers, port


def authority(host: str, port: int) -> str:
    """Host and port as they stand in an address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def explained(error: OSError, address: str, port: int) -> CannotListen:
    """Why an address cannot be listened on, in words and with advice."""
    where = authority(address, port)
    code = _code(error)
    if code == errno.EADDRINUSE:
        return PortInUse(
            f"port {port} on {address} is in use",
            advice="Another hub may be running: stop it, or choose another port with --port.",
        )
    if code == errno.EACCES:
        return CannotListen(
            f"not allowed to listen on {where}", advice="Choose a port above 1023 with --port."
        )
    if code == errno.EADDRNOTAVAIL:
        return CannotListen(
            f"{address} is no address of this machine",
            advice="Choose one of its own with --host, or 127.0.0.1.",
        )
    return CannotListen(f"cannot listen on {where}: {error.strerror}")


def _code(error: OSError) -> int:
    # Newer versions of asyncio keep this one reason to themselves and raise an error without a number.
    return errno.EADDRNOTAVAIL if error.errno is None else error.errno
