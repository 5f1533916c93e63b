"""The recipe for running the real python-kasa in virtual time.

The legacy transport needs nothing: it dials through the loop, and the simulated plug listens on a host of the
loop's network. KLAP goes through aiohttp, which opens TCP sockets behind the loop's back but leaves Unix sockets to
it, so its session dials ``sim://host:port`` (see `VirtualLoop.create_unix_connection`). Bare addresses and names
without a dot want the cookie jar in its "unsafe" mode.

Two limits. The KLAP and SMART transports ask `time.monotonic` for the age of a session and for the age of a
module's last update, and draw their seeds from `secrets`: decisions replay, bytes do not. And a session that is
to expire must be made to, by the plug (`LostSession`), as a virtual day does not pass for the library.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
from kasa import Device

from holdfast.simulators.kasa import HTTP_PORT, LEGACY, LEGACY_PORT, Encryption, KasaPlug, Plug
from tests.simulators.kasa.real import config

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from holdfast.simulators.kasa import Firmware


def client_session(station: KasaPlug) -> aiohttp.ClientSession:
    """An HTTP session whose every connection goes to that plug, wherever the URL points."""
    connector = aiohttp.UnixConnector(path=f"sim://{station.host}:{station.port}")
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.CookieJar(unsafe=True))


@asynccontextmanager
async def plugged_in(
    firmware: Firmware = LEGACY,
    plug: Plug | None = None,
    *,
    host: str = "plug",
    seed: int = 1,
    **settings: Any,
) -> AsyncIterator[KasaPlug]:
    """A plug on a host of its own in the virtual network, on the ports of real ones."""
    station = KasaPlug(
        plug,
        firmware,
        rng=random.Random(seed),
        host=host,
        legacy_port=LEGACY_PORT,
        http_port=HTTP_PORT,
        **settings,
    )
    async with station:
        yield station


@asynccontextmanager
async def connected(station: KasaPlug, limit_s: int = 2) -> AsyncIterator[Device]:
    """The real library's device, in virtual time."""
    async with AsyncExitStack() as stack:
        client = None
        if station.firmware.encryption is not Encryption.XOR:
            client = await stack.enter_async_context(client_session(station))
        device = await Device.connect(config=config(station, limit_s=limit_s, http_client=client))
        stack.push_async_callback(device.disconnect)
        yield device


async def took(call: Any) -> tuple[float, BaseException | None]:
    """How many seconds a call takes on the loop's clock, and how it fails, if it does."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        await call
    except Exception as error:  # noqa: BLE001 - whatever it is, it is looked at
        return loop.time() - began, error
    return loop.time() - began, None
