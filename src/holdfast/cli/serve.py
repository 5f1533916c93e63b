"""A hub with its API, from start to stop: the one place where the parts of a real installation meet."""

from __future__ import annotations

import asyncio
import gc
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.cli.catching_up import catch_up
from holdfast.cli.error_log import errors_logged
from holdfast.cli.site_secrets import secrets_of
from holdfast.clock import SystemClock
from holdfast.hub.hub import Hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from holdfast.cli.opening import Opening
    from holdfast.hub.living_site import LivingSite
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
    """A hub at work without a store, and the address of its API; see `kept`."""
    hub = Hub(SystemClock(asyncio.get_running_loop()), name=spec.name)
    async with _at_work(hub, spec, door, None, record) as url:
        yield hub, url


@asynccontextmanager
async def kept(start: Opening, door: Door, record: Path | None = None) -> AsyncIterator[tuple[Hub, str]]:
    """A hub at work that keeps what must outlive it, and the address of its API.

    Raises `PortInUse` and `LoginRequired` before any device is touched. Where ``record`` names a folder, all traffic is
    recorded there, logins masked.
    """
    hub = Hub(SystemClock(asyncio.get_running_loop()), name=start.spec.name, store=start.store)
    living = start.living(hub)
    try:
        secrets = secrets_of([*start.spec.devices, *start.leaving.values()])
        async with (
            errors_logged(hub, start.folder, secrets),
            _at_work(hub, start.spec, door, living, record, start) as url,
        ):
            catching_up = asyncio.create_task(catch_up(hub, start, living), name="catch up with the store")
            try:
                yield hub, url
            finally:
                catching_up.cancel()
                await asyncio.gather(catching_up, return_exceptions=True)
                await living.settled()
    finally:
        await start.store.close()


@asynccontextmanager
async def _at_work(
    hub: Hub,
    spec: SiteSpec,
    door: Door,
    living: LivingSite | None,
    record: Path | None,
    start: Opening | None = None,
) -> AsyncIterator[str]:
    """The API is opened first: if the port is taken, another hub probably owns the very same devices."""
    from holdfast.web.server import ApiServer

    for device in spec.devices:
        hub.add(device)
    for controller in spec.controllers:
        hub.add_controller(controller)
    if start is not None:
        hub.restore(start.saved, start.leaving)
    if record is not None:
        hub.record(record)
    server = ApiServer(
        hub,
        site=living,
        host=door.host,
        port=door.port,
        tokens=door.tokens,
        require_login=door.require_login,
    )
    try:
        await server.start()
    except BaseException:
        await hub.stop()
        raise
    try:
        hub.start()
        yield server.url
    finally:
        # Side by side: a slow reader of the stream must not delay the goodbye to a device.
        for outcome in await asyncio.gather(hub.stop(), server.stop(), return_exceptions=True):
            if outcome is not None:
                raise outcome


async def serve(
    start: Opening,
    door: Door,
    announce: Callable[[str], None],
    stop: asyncio.Event,
    record: Path | None = None,
) -> None:
    """Keep the site's devices until ``stop``; ``announce`` is told the address once all is up."""
    async with kept(start, door, record) as (_, url):
        # What has been made until now stays: the collector need never look at it again.
        gc.collect()
        gc.freeze()
        announce(url)
        await stop.wait()
        log.info("stopping: taking leave of the devices")
