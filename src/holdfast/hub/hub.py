"""The hub: which devices exist, their links, one event stream, and the front desk for commands."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from holdfast.errors import UnknownTarget
from holdfast.hub.events import EventStream, Kind
from holdfast.link.core import Core
from holdfast.link.device import LinkedDevice
from holdfast.link.link import Link
from holdfast.link.supervisor import Hint, LinkSupervisor
from holdfast.link.taps import Recording
from holdfast.model import Capability, Issuer, Reading, Receipt, StandingOrder, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from holdfast.clock import Clock
    from holdfast.hub.site.spec import DeviceSpec
    from holdfast.link.failover import Note
    from holdfast.link.session import Endpoint

RECEIPTS_KEPT = 2000
"""Ended receipts that can still be asked for (until the store keeps them)."""
FAIL_SAFE_STOP_S = 10.0
"""How long stopping may wait for the verified OFF of a fail-safe actuator (design: timing)."""
START_SPREAD_S = 0.35
"""First dials of many links spread over one poll period, so that their grids do not coincide."""
SPREAD_FROM = 20
"""With fewer links than this nobody gains from waiting."""

log = logging.getLogger("holdfast.hub")


class Hub:
    """Runs devices. Made, started and stopped in one event loop; it listens to every `LinkedDevice`."""

    def __init__(self, clock: Clock, *, core: Core | None = None, name: str = "") -> None:
        self.core = core or Core(clock)
        self.clock = clock
        self.name = name
        self.devices: dict[str, LinkedDevice] = {}
        self.specs: dict[str, DeviceSpec] = {}
        self.links: dict[Endpoint, Link] = {}
        self.supervisors: dict[Endpoint, LinkSupervisor] = {}
        self.stream = EventStream(self.core.epoch, clock.now)
        self.receipts: OrderedDict[str, Receipt] = OrderedDict()
        self.alarms: dict[tuple[str, str], dict[str, Any]] = {}
        self.started_at: datetime | None = None
        self.is_running = False
        self._recordings: list[Recording] = []
        self._order_ended = asyncio.Event()
        self.core.on_suspend.append(self._slept)

    # --- devices ------------------------------------------------------------------------------------------------

    def add(self, spec: DeviceSpec) -> LinkedDevice:
        """Take a device in; adapters with equal endpoints share a link."""
        device = LinkedDevice(self.core, spec.device, self)
        for adapter, driver in sorted(
            zip(spec.device.adapters, spec.drivers, strict=True), key=lambda pair: pair[0].priority
        ):
            if not adapter.is_enabled:
                continue
            link = self.links.get(driver.endpoint)
            if link is None:
                link = self.links[driver.endpoint] = Link(self.core, driver.endpoint)
                self.supervisors[driver.endpoint] = LinkSupervisor(link)
            device.attach(adapter, driver, link)
        self.devices[device.id] = device
        self.specs[device.id] = spec
        return device

    def start(self) -> None:
        """Begin to keep all links. Fail-safe actuators are ordered to their fail-safe until somebody decides."""
        self.started_at = self.clock.now()
        self.is_running = True
        spread_s = START_SPREAD_S if len(self.links) >= SPREAD_FROM else 0.0
        for supervisor in self.supervisors.values():
            supervisor.start(self.core.rng.uniform(0.0, spread_s) if spread_s else 0.0)
        self._order_fail_safes("the hub has just started, and nobody has decided yet")
        self.note("hub", f"started with {len(self.devices)} devices on {len(self.links)} links")

    async def stop(self, patience_s: float = FAIL_SAFE_STOP_S) -> None:
        """Say goodbye to every device and leave no task, timer or socket behind.

        Fail-safe actuators are first ordered to their fail-safe; that alone may take up to ``patience_s`` seconds.
        """
        if not self.is_running:
            self.core.close()
            return
        self.is_running = False
        self.note("hub", "stopping")
        try:
            await self._make_safe(patience_s)
        finally:
            for device in self.devices.values():
                device.retire()
            await asyncio.gather(*(supervisor.stop() for supervisor in self.supervisors.values()))
            await asyncio.gather(*(recording.close() for recording in self._recordings))
            self.core.close()

    # --- fail-safe ------------------------------------------------------------------------------------------------

    def _fail_safes(self) -> Iterator[tuple[LinkedDevice, Capability]]:
        for device in self.devices.values():
            for capability in device.capabilities.values():
                if capability.fail_safe is not None and capability.writable:
                    yield device, capability

    def _order_fail_safes(self, cause: str) -> None:
        """Until somebody decides, every fail-safe actuator is to take its fail-safe; verified once, that is done."""
        for device, capability in self._fail_safes():
            target = f"{device.id}/{capability.key}"
            self.order(target, capability.fail_safe, cause)
            self.release(target)

    async def _make_safe(self, patience_s: float) -> None:
        self._order_fail_safes("the hub stops")
        waiting = [device for device, _ in self._fail_safes()]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while any(device.desk.orders for device in waiting):
                    self._order_ended.clear()
                    await self._order_ended.wait()
        for device in waiting:
            for order in device.desk.orders.values():
                text = f"{order.order.target} could not be verified {order.value!r} before the hub stopped"
                log.warning("%s", text)
                self.note("order", text, device=device.id)

    # --- watching the wire ------------------------------------------------------------------------------------------

    def debug(self, device_id: str, *, is_on: bool) -> None:
        """Switch one device's links to debug level, frames masked, or back; raises `UnknownTarget`."""
        for attachment in self.device(device_id).attachments:
            attachment.link.debug(is_on=is_on)

    def record(self, folder: Path) -> None:
        """Record all links' traffic into files in ``folder``, one a link, named after its devices; logins masked."""
        for link in self.links.values():
            name = "_".join(dict.fromkeys(each.device.id for each in link.attachments))
            recording = Recording(folder / f"{name}.jsonl", self.core.loop, self.core.now)
            link.taps.append(recording)
            self._recordings.append(recording)

    def activate(self, device_id: str, adapter_id: str, *, is_pinned: bool = False) -> None:
        """A person chooses the adapter that serves; raises `UnknownTarget`.

        It serves as soon as it delivers. Pinned, it is preferred from now on, until another choice; else the usual
        rules go on and the preferred adapter returns after its hold time.
        """
        device = self.device(device_id)
        known = [each.adapter.id for each in device.attachments]
        if adapter_id not in known:
            raise UnknownTarget(
                f"{device_id} has no enabled adapter {adapter_id!r}",
                advice=f"Its adapters are: {', '.join(known) or 'none'}.",
            )
        if device.choice is not None:
            log.info("%s: a person asks for %s%s", device_id, adapter_id, ", pinned" if is_pinned else "")
            device.choice.activate(adapter_id, is_pinned=is_pinned)

    def retry(self, device_id: str) -> None:
        """A person asks to try again now; raises `UnknownTarget`."""
        for attachment in self.device(device_id).attachments:
            self.supervisors[attachment.link.endpoint].hint(Hint.RETRY_NOW)

    def _slept(self, slept_s: float) -> None:
        self.note("hub", f"the machine slept for {slept_s:.0f} s")
        for link in self.links.values():
            link.suspended(slept_s)

    # --- what is known --------------------------------------------------------------------------------------------

    def device(self, device_id: str) -> LinkedDevice:
        """A device by id; raises `UnknownTarget` naming the known ones."""
        try:
            return self.devices[device_id]
        except KeyError:
            known = ", ".join(sorted(self.devices)) or "none"
            raise UnknownTarget(
                f"there is no device {device_id!r}", advice=f"Known devices: {known}."
            ) from None

    def resolve(self, target: str) -> tuple[LinkedDevice, Capability]:
        """Device and capability of a target (``house/kitchen``); raises `UnknownTarget`."""
        device_id, _, key = target.partition("/")
        device = self.device(device_id)
        capability = device.capabilities.get(key)
        if capability is None:
            known = ", ".join(sorted(device.capabilities)) or "none"
            raise UnknownTarget(f"{device_id} has no {key!r}", advice=f"Known there: {known}.")
        return device, capability

    def reading(self, target: str) -> Reading:
        """What is known of a target now; raises `UnknownTarget`."""
        device, capability = self.resolve(target)
        return device.reading(capability)

    def readings(self, device_id: str | None = None) -> Iterator[Reading]:
        """All readings, or those of one device."""
        devices: Iterable[LinkedDevice] = (
            self.devices.values() if device_id is None else [self.device(device_id)]
        )
        for device in devices:
            for capability in device.capabilities.values():
                yield device.reading(capability)

    # --- commands -------------------------------------------------------------------------------------------------

    def command(self, target: str, value: object, issuer: Issuer, timeout_s: float | None = None) -> Receipt:
        """Take a command; raises `UnknownTarget`, everything else ends in the receipt."""
        device, capability = self.resolve(target)
        return device.command(capability.key, value, issuer, timeout_s)

    async def ended(self, receipt: Receipt) -> Receipt:
        """Wait for a receipt's end."""
        current = self.receipts.get(receipt.id, receipt)
        if current.state.is_end:
            return current
        device, capability = self.resolve(receipt.target)
        ending = device.ending(capability.key, receipt)
        if ending is None:
            return self.receipts.get(receipt.id, receipt)
        return await asyncio.shield(ending)

    def order(self, target: str, value: Value, cause: str) -> StandingOrder:
        """Lay a standing order on a target until it is verified and released; raises `UnknownTarget`."""
        device, capability = self.resolve(target)
        order = StandingOrder(
            id=self.core.new_id("o"), target=target, value=value, cause=cause, issued_at=self.clock.now()
        )
        self.note("order", f"{target} must be {value}: {cause}", device=device.id)
        device.desk.order(capability, order)
        return order

    def release(self, target: str) -> None:
        """Release the standing order on a target; it ends as soon as it is verified."""
        device, capability = self.resolve(target)
        device.desk.release(capability.key)

    # --- Listener: what devices tell ------------------------------------------------------------------------------

    def readings_changed(self, device: LinkedDevice, keys: Sequence[str]) -> None:
        """See `link.device.Listener`."""
        for key in keys:
            reading = device.reading(device.capabilities[key])
            self.stream.publish(Kind.READING, reading.target, reading)

    def receipt_changed(self, device: LinkedDevice, receipt: Receipt) -> None:
        """See `link.device.Listener`."""
        self.receipts[receipt.id] = receipt
        if len(self.receipts) > RECEIPTS_KEPT:
            self._forget_one()
        self.stream.publish(Kind.COMMAND, receipt.id, receipt)

    def _forget_one(self) -> None:
        for receipt_id, receipt in self.receipts.items():
            if receipt.state.is_end:
                del self.receipts[receipt_id]
                return

    def availability_changed(self, device: LinkedDevice) -> None:
        """See `link.device.Listener`."""
        payload = {"device": device.id, "availability": device.availability, "reason": device.reason}
        self.stream.publish(Kind.AVAILABILITY, device.id, payload)

    def order_changed(self, device: LinkedDevice, order: StandingOrder, *, has_ended: bool) -> None:
        """See `link.device.Listener`."""
        if has_ended:
            self._order_ended.set()
        word = "ended" if has_ended else "verified" if order.is_verified else "open"
        self.note("order", f"standing order on {order.target} is {word}: {order.cause}", device=device.id)

    def alarm_changed(self, device: LinkedDevice, key: str, text: str, *, is_on: bool) -> None:
        """See `link.device.Listener`."""
        target = f"{device.id}/{key}"
        payload = {"target": target, "text": text, "is_on": is_on, "since": self.clock.now()}
        if is_on:
            self.alarms[device.id, key] = payload
        else:
            self.alarms.pop((device.id, key), None)
        self.stream.publish(Kind.ALARM, target, payload)

    def adapter_decided(self, device: LinkedDevice, note: Note) -> None:
        """See `link.device.Listener`."""
        log.info("%s: %s", device.id, note.text)
        self.note(
            "failover",
            note.text,
            device=device.id,
            decision=note.why.value,
            before=note.before,
            after=note.after,
            data_age_s=note.age_s if math.isfinite(note.age_s) else None,
            attempts=note.attempts,
            lost=list(note.lost),
        )

    def note(self, kind: str, text: str, **more: Any) -> None:
        """Write an event that is nobody's reading or receipt."""
        self.stream.publish(Kind.EVENT, (kind, self.stream.seq), {"kind": kind, "text": text, **more})
