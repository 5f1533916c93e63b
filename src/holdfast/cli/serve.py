"""A hub with its API, from start to stop: the one place where the parts of a real installation meet."""

from __future__ import annotations

import asyncio
import gc
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.clock import SystemClock
from holdfast.hub.hub import Hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from holdfast.hub.site.spec import SiteSpec
    from holdfast.web.api.access import Tokens

log = logging.getLogger("holdfast.serve")


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where the API listens, and whom it lets in."""

    host: str
    port: int
    tokens: Tokens | None = None
    require_login: bool = False


@asynccontextmanager
async def running(spec: SiteSpec, door: Door, record: Path | None = None) -> AsyncIterator[tuple[Hub, str]]:
    """A hub at work and the address of its API. Raises `PortInUse` and `LoginRequired` before any device is touched.

    The API is opened first: if the port is taken, another hub probably owns the very same devices. Where ``record``
    names a folder, all traffic is recorded there, logins masked.
    """
    from holdfast.web.server import ApiServer

    hub = Hub(SystemClock(asyncio.get_running_loop()), name=spec.name)
    for device in spec.devices:
        hub.add(device)
    if record is not None:
        hub.record(record)
    server = ApiServer(
        hub, host=door.host, port=door.port, tokens=door.tokens, require_login=door.require_login
    )
    try:
        await server.start()
    except BaseException:
        await hub.stop()
        raise
    try:
        hub.start()
        yield hub, server.url
    finally:
        # Side by side: a slow reader of the stream must not delay the goodbye to a device.
        for outcome in await asyncio.gather(hub.stop(), server.stop(), return_exceptions=True):
            if outcome is not None:
                raise outcome


async def serve(
    spec: SiteSpec,
    door: Door,
    announce: Callable[[str], None],
    stop: asyncio.Event,
    record: Path | None = None,
) -> None:
    """Keep the site's devices until ``stop``; ``announce`` is told the address once all is up."""
    async with running(spec, door, record) as (_, url):
        # What has been made until now stays: the collector need never look at it again.
        gc.collect()
        gc.freeze()
        announce(url)
        await stop.wait()
        log.info("stopping: taking leave of the devices")
