"""Where concrete parts meet: the known families, and a site running in the caller's own loop."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from holdfast.clock import Clock, SystemClock
from holdfast.drivers.ipcom.driver import IPCOM
from holdfast.drivers.jkbms.driver import JKBMS
from holdfast.drivers.kasa.driver import KASA
from holdfast.drivers.push.driver import PUSH
from holdfast.drivers.tilt.driver import TILT
from holdfast.hub.events import Kind
from holdfast.hub.hub import Hub
from holdfast.hub.site.read import read_site
from holdfast.hub.site.secret import SecretSource
from holdfast.model import Authority, Issuer, Reading, Receipt

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from holdfast.hub.site.spec import SiteSpec
    from holdfast.link.driver import Family

FAMILIES: Mapping[str, Family] = {family.name: family for family in (IPCOM, JKBMS, KASA, TILT, PUSH)}
"""The device families that this installation can speak to, by the name that site files use."""


class Site:
    """A running site, as programs use it. Everything but `command` and `changes` answers at once, without I/O."""

    def __init__(self, hub: Hub, spec: SiteSpec) -> None:
        self.hub = hub
        self.spec = spec

    def reading(self, target: str) -> Reading:
        """What is known of ``target`` (``house/kitchen``) now; raises `UnknownTarget`."""
        return self.hub.reading(target)

    def readings(self) -> list[Reading]:
        """Everything that is known now."""
        return list(self.hub.readings())

    async def changes(self) -> AsyncIterator[Reading]:
        """Readings as they change. A slow reader misses what was overtaken, never what is newest."""
        async with self.hub.stream.latest(lambda record: record.kind is Kind.READING) as records:
            async for record in records:
                yield record.payload

    async def command(
        self,
        target: str,
        value: object,
        *,
        timeout_s: float | None = None,
        issuer: str = "program",
        wait: bool = True,
    ) -> Receipt:
        """Set ``target`` and wait for the receipt's end (or, without ``wait``, for its beginning).

        Raises `UnknownTarget`; everything else that can go wrong is told by the receipt. ``timeout_s`` defaults to
        the worst case of the capability's verify plan, at least 10 s. Cancelling the wait leaves the command open.
        """
        receipt = self.hub.command(target, value, Issuer(issuer, Authority.PERSON), timeout_s)
        return await self.hub.ended(receipt) if wait else receipt

    def links(self) -> list[dict[str, Any]]:
        """The link report of every endpoint."""
        return [link.as_dict() for link in self.hub.links.values()]


@asynccontextmanager
async def run_site(spec: SiteSpec, clock: Clock | None = None) -> AsyncIterator[Site]:
    """Run a site that has been read, from here to the end of the block."""
    hub = Hub(clock or SystemClock(asyncio.get_running_loop()), name=spec.name)
    for device in spec.devices:
        hub.add(device)
    for controller in spec.controllers:
        hub.add_controller(controller)
    hub.start()
    try:
        yield Site(hub, spec)
    finally:
        await hub.stop()


@asynccontextmanager
async def open_site(mapping: Mapping[str, Any], *, clock: Clock | None = None) -> AsyncIterator[Site]:
    """Run the site that ``mapping`` describes (the same keys as a site file); raises `SiteError` with all problems.

    It runs in the caller's event loop and needs nothing but the standard library.
    """
    # Time zones and secret files are read from disk, which must not hold up the caller's loop.
    spec = await asyncio.to_thread(
        read_site, mapping, FAMILIES, secrets=SecretSource(allow_plain_secrets=True)
    )
    async with run_site(spec, clock) as site:
        yield site
