"""TCP: reach a host, in plain words when that fails."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from typing import TYPE_CHECKING

from holdfast.errors import LinkFault, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.link.stream import Dial

HAPPY_EYEBALLS_S = 0.25
"""Head start of the first address over the next (RFC 8305 section 5 recommends 250 ms)."""

_WORDS = {
    errno.ECONNREFUSED: (
        "refused the connection",
        "Check the port, and that the device's service is on.",
    ),
    errno.EHOSTUNREACH: ("cannot be reached (no route to host)", "Check the address, cable and Wi-Fi."),
    errno.ENETUNREACH: ("cannot be reached (no network)", "Check this machine's network."),
    errno.ETIMEDOUT: ("does not answer", "Check the device's power, address and network."),
    errno.ECONNRESET: (
        "reset the connection",
        "The device may be restarting, or serve one client at a time.",
    ),
}


def dial_tcp(host: str, port: int) -> Dial:
    """A way to open a TCP stream to ``host``; IPv4 and IPv6 names are tried side by side."""

    async def dial(factory: Callable[[], asyncio.Protocol], limit_s: float) -> asyncio.Transport:
        loop = asyncio.get_running_loop()
        where = f"{host}:{port}"
        try:
            async with asyncio.timeout(limit_s):
                if isinstance(loop, asyncio.BaseEventLoop):
                    delay_s = HAPPY_EYEBALLS_S
                    transport, _ = await loop.create_connection(
                        factory, host, port, happy_eyeballs_delay=delay_s
                    )
                else:  # uvloop tries the addresses of a name one after the other
                    transport, _ = await loop.create_connection(factory, host, port)
        except TimeoutError:
            raise Unreachable(
                f"{where} does not answer within {limit_s:g} s",
                advice="Check the device's power, address and network.",
            ) from None
        except socket.gaierror as error:
            raise Unreachable(
                f"the host name {host} is not known ({error.strerror})",
                advice="Check the spelling, or use the address in numbers.",
            ) from error
        except OSError as error:
            raise translate(error, where) from error
        keep_alive(transport)
        return transport

    return dial


def keep_alive(transport: asyncio.Transport) -> None:
    """Ask the kernel for TCP keep-alive and no delay. Welcome, never trusted: liveness is data."""
    sock = transport.get_extra_info("socket")
    if sock is None:
        return
    with contextlib.suppress(OSError, AttributeError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def translate(error: OSError, where: str) -> LinkFault:
    """A socket error in our words."""
    number = error.errno
    if number is None and "Connect call failed" in str(error):  # several addresses, all refused
        number = errno.ECONNREFUSED
    words, advice = _WORDS.get(
        number or 0, (f"failed: {error.strerror or error}", "Check the address and network.")
    )
    return Unreachable(f"{where} {words}", advice=advice)
