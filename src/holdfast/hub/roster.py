"""Which devices exist and over which links: they come, go and change while the others stay connected."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from holdfast.link.device import LinkedDevice, Listener
from holdfast.link.link import Link
from holdfast.link.supervisor import LinkSupervisor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.hub.site.spec import DeviceSpec
    from holdfast.link.attachment import Attachment
    from holdfast.link.core import Core
    from holdfast.link.session import Endpoint

START_SPREAD_S = 0.35
"""First dials of many links spread over one poll period, so that their grids do not coincide."""
SPREAD_FROM = 20
"""With fewer links than this nobody gains from waiting."""


class Roster:
    """The devices of a hub, and the links that they share."""

    def __init__(self, core: Core, listener: Listener) -> None:
        self._core = core
        self._listener = listener
        self.devices: dict[str, LinkedDevice] = {}
        self.specs: dict[str, DeviceSpec] = {}
        self.links: dict[Endpoint, Link] = {}
        self.supervisors: dict[Endpoint, LinkSupervisor] = {}
        self._is_running = False

    def add(self, spec: DeviceSpec) -> LinkedDevice:
        """Take a device in; adapters with equal endpoints share a link. Dialled at once if the roster runs."""
        device = LinkedDevice(self._core, spec.device, self._listener, fault=spec.fault)
        self.devices[device.id] = device
        self.specs[device.id] = spec
        self._attach(device, spec, [each.id for each in spec.device.adapters])
        return device

    def start(self) -> None:
        """Begin to keep all links."""
        self._is_running = True
        spread_s = START_SPREAD_S if len(self.links) >= SPREAD_FROM else 0.0
        for supervisor in self.supervisors.values():
            supervisor.start(self._core.rng.uniform(0.0, spread_s) if spread_s else 0.0)

    async def stop(self) -> None:
        """Say goodbye to every device; nothing is left."""
        self._is_running = False
        for device in self.devices.values():
            device.retire()
        await asyncio.gather(*(supervisor.stop() for supervisor in self.supervisors.values()))

    async def remove(self, device_id: str, why: str) -> None:
        """Let a device go; the links that nobody else uses are closed when this returns."""
        device = self.devices.pop(device_id)
        del self.specs[device_id]
        device.retire(why)
        idle = [each.link for each in device.attachments]
        for attachment in device.attachments:
            attachment.link.detach(attachment)
        await self._close(idle)

    def rename(self, device_id: str, new_id: str) -> LinkedDevice:
        """Call a device by another id from now on; its links stay."""
        device = self.devices.pop(device_id)
        self.devices[new_id] = device
        spec = self.specs.pop(device_id)
        device.device = replace(spec.device, id=new_id)
        device.id = new_id
        self.specs[new_id] = replace(spec, device=device.device)
        return device

    async def adapt(self, spec: DeviceSpec, changed: Sequence[str]) -> None:
        """Let a device's adapters come, go and reconnect; all that ``changed`` does not name stays connected."""
        device = self.devices[spec.device.id]
        now = {each.id: each for each in spec.device.adapters if each.is_enabled}
        going = [
            each for each in device.attachments if each.adapter.id in changed or each.adapter.id not in now
        ]
        kept = [each for each in device.attachments if each not in going]
        self.specs[device.id] = spec
        device.device = spec.device
        for attachment in kept:
            attachment.adapter = now[attachment.adapter.id]
        here = {each.adapter.id for each in kept}
        coming = [ident for ident in now if ident not in here]
        # A device is never without an adapter while it has one to come or to keep.
        if kept:
            await self._detach(device, going)
            self._attach(device, spec, coming)
        else:
            for attachment in going:
                attachment.link.detach(attachment)
            idle = [each.link for each in going]
            device.attachments.clear()
            await self._close(idle)
            self._attach(device, spec, coming)
        device.rank()

    # --- links ---------------------------------------------------------------------------------------------------

    def _attach(self, device: LinkedDevice, spec: DeviceSpec, adapter_ids: Sequence[str]) -> None:
        pairs = zip(spec.device.adapters, spec.drivers, strict=not spec.fault)
        for adapter, driver in sorted(pairs, key=lambda pair: pair[0].priority):
            if adapter.id not in adapter_ids or not adapter.is_enabled:
                continue
            link = self.links.get(driver.endpoint)
            if link is None:
                link = self.links[driver.endpoint] = Link(self._core, driver.endpoint)
                supervisor = self.supervisors[driver.endpoint] = LinkSupervisor(link)
                device.attach(adapter, driver, link)
                if self._is_running:
                    supervisor.start()
            else:
                device.attach(adapter, driver, link)

    async def _detach(self, device: LinkedDevice, going: Sequence[Attachment]) -> None:
        for attachment in going:
            device.detach(attachment)
        await self._close([each.link for each in going])

    async def _close(self, links: Sequence[Link]) -> None:
        """Close those that nobody uses any more."""
        idle = {link.endpoint: link for link in links if not link.attachments}
        for endpoint in idle:
            del self.links[endpoint]
        supervisors = [self.supervisors.pop(endpoint) for endpoint in idle]
        if self._is_running:
            await asyncio.gather(*(supervisor.stop() for supervisor in supervisors))
