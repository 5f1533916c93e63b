"""The hub: which devices exist, their links, one event stream, and the front desk for commands."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections import OrderedDict
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from holdfast.errors import UnknownTarget
from holdfast.hub.attempts_told import cut_short, error_in_words, error_of, event_of
from holdfast.hub.controllers.ownership import Controllers
from holdfast.hub.controllers.thermostat import Thermostat
from holdfast.hub.events import EventStream, Kind
from holdfast.hub.partings import CAUSES, Partings
from holdfast.hub.ports import AlarmEntry, EventEntry, MemoryEntry, OrderEntry, ReceiptEntry, SwitchEntry
from holdfast.hub.roster import Roster
from holdfast.hub.site.plan import What
from holdfast.hub.storekeeper import Storekeeper
from holdfast.link.core import Core
from holdfast.link.supervisor import Hint
from holdfast.link.taps import Recording
from holdfast.model import (
    Adapter,
    Availability,
    Capability,
    CommandState,
    Issuer,
    Purpose,
    Reading,
    Reason,
    ReasonCode,
    Receipt,
    StandingOrder,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from holdfast.clock import Clock
    from holdfast.hub.ports import Entry, Saved, Store
    from holdfast.hub.site.plan import Step
    from holdfast.hub.site.spec import ControllerSpec, DeviceSpec, SiteSpec
    from holdfast.hub.storekeeper import StoreState
    from holdfast.link.device import LinkedDevice
    from holdfast.link.driver import Remembered
    from holdfast.link.failover import Note
    from holdfast.link.link import Link
    from holdfast.link.session import Endpoint
    from holdfast.link.supervisor import LinkSupervisor
    from holdfast.model import Attempt

ATTEMPTS_KEPT = 20
ATTEMPTS_KEPT_EACH = 75
"""Of a standing order's attempts the first so many are kept in the store, then one of so many: one in ten minutes."""
RECEIPTS_KEPT = 2000
"""Ended receipts that are kept at hand; older ones are in the store."""
FAIL_SAFE_STOP_S = 10.0
"""How long stopping may wait for the verified OFF of a fail-safe actuator (design: timing)."""
WRITTEN_S = 1.0
"""How long an answer may wait for the store: a healthy one needs milliseconds, a sick one is not waited for."""
PINNED = "pinned adapter"
"""Under this key the store remembers which adapter a person pinned for a device."""
ADAPTER = "adapter "
"""Keys that begin so keep what an adapter's driver must know again after a restart, and the address it is about."""
MEMBER = "member "
"""Keys that begin so remember what a member of a device showed of itself: the keys of its capabilities."""
STORE_TARGET = "hub/store"
"""Where alarms about the store belong; ``hub`` is no device."""

log = logging.getLogger("holdfast.hub")


class Hub:
    """Runs devices. Made, started and stopped in one event loop; it listens to every `LinkedDevice`."""

    def __init__(
        self, clock: Clock, *, core: Core | None = None, name: str = "", store: Store | None = None
    ) -> None:
        self.core = core or Core(clock)
        self.clock = clock
        self.name = name
        self.roster = Roster(self.core, self)
        self.stream = EventStream(self.core.epoch, clock.now)
        self.keeper = None if store is None else Storekeeper(store, clock, self._store_changed)
        self.receipts: OrderedDict[str, Receipt] = OrderedDict()
        self.alarms: dict[tuple[str, str], dict[str, Any]] = {}
        self.switches: dict[str, SwitchEntry] = {}
        """When fail-safe actuators were last seen to change, by target."""
        self.partings = Partings(self)
        self.controllers = Controllers(self)
        self.started_at: datetime | None = None
        self.is_running = False
        self._recordings: list[Recording] = []
        self._record_folder: Path | None = None
        self._order_ended = asyncio.Event()
        self.core.on_suspend.append(self._slept)

    @property
    def devices(self) -> dict[str, LinkedDevice]:
        """All devices by id."""
        return self.roster.devices

    @property
    def specs(self) -> dict[str, DeviceSpec]:
        """What each device was made from."""
        return self.roster.specs

    @property
    def links(self) -> dict[Endpoint, Link]:
        """All links by endpoint."""
        return self.roster.links

    @property
    def supervisors(self) -> dict[Endpoint, LinkSupervisor]:
        """Who keeps each link."""
        return self.roster.supervisors

    # --- devices ------------------------------------------------------------------------------------------------

    def add(self, spec: DeviceSpec) -> LinkedDevice:
        """Take a device in; adapters with equal endpoints share a link. A running hub dials it at once."""
        device = self.roster.add(spec)
        self._remember(device)
        if self.is_running:
            self.partings.newcomers.add(device.id)
            self._order_fail_safes([device], "the device is new, and nobody has decided yet")
        return device

    def add_controller(self, spec: ControllerSpec) -> Thermostat:
        """Take a controller in, behind the devices that it goes by."""
        return self.controllers.add(spec)

    def start(self) -> None:
        """Begin to keep all links. Fail-safe actuators are ordered to their fail-safe until somebody decides."""
        self.started_at = self.clock.now()
        self.is_running = True
        if self.keeper is not None:
            self.keeper.start()
        self.roster.start()
        self._order_fail_safes(self.devices.values(), "the hub has just started, and nobody has decided yet")
        self.note("hub", f"started with {len(self.devices)} devices on {len(self.links)} links")
        for device in self.devices.values():
            if device.fault:
                self.note("configuration", f"{device.id} is not used: {device.fault}", device=device.id)
        self._release_ownerless()
        self.controllers.start()

    async def stop(self, patience_s: float = FAIL_SAFE_STOP_S) -> None:
        """Say goodbye to every device and leave no task, timer or socket behind.

        Fail-safe actuators are first ordered to their fail-safe; that alone may take up to ``patience_s`` seconds.
        """
        if not self.is_running:
            self.core.close()
            return
        self.is_running = False
        self.controllers.stop()
        self.note("hub", "stopping")
        try:
            await self._make_safe(patience_s)
        finally:
            await asyncio.gather(*self.partings.farewells, return_exceptions=True)
            await self.roster.stop()
            await asyncio.gather(*(recording.close() for recording in self._recordings))
            if self.keeper is not None:
                await self.keeper.stop()
            self.core.close()

    # --- changes while running --------------------------------------------------------------------------------------

    async def reconfigure(self, site: SiteSpec, steps: Sequence[Step]) -> None:
        """Take the steps of a plan; only what they name reconnects."""
        new = {spec.device.id: spec for spec in site.devices}
        rebuilt: set[str] = set()
        self.controllers.release(site.controllers)
        for step in steps:
            self.note("site", step.text, device=step.device)
            if step.what is What.ADD:
                await self._welcome(new[step.device])
            elif step.what in CAUSES and self.partings.parts(step):
                rebuilt.add(step.device)
                left = self.partings.leaves(step.device)
                await self.partings.let_go(step)
                if step.device in new:
                    await self._welcome(new[step.device])
                    self.partings.inherit(self.devices[step.device], left)
            else:
                await self.roster.adapt(new[step.device], step.adapters)
                self._remember(self.devices[step.device])
        self.controllers.reconfigure(site.controllers, rebuilt)
        self._record_new()

    async def abandon(self, device_id: str) -> None:
        """A person says that a device which stays only to be switched off is not to be waited for any more.

        Raises `UnknownTarget` for a device that is not leaving.
        """
        if self.partings.raw(device_id) is None:
            raise UnknownTarget(f"{device_id} is not leaving", advice="Take it out of the site instead.")
        await self.partings.abandon(device_id)

    async def _welcome(self, spec: DeviceSpec) -> None:
        await self.partings.make_room(spec)
        self.add(spec)

    # --- what outlived the last run ---------------------------------------------------------------------------------

    def restore(self, saved: Saved, leaving: Mapping[str, DeviceSpec]) -> None:
        """Take over what a store kept, before `start`.

        ``leaving``: the devices of orders whose device is no longer of the site, by the order's id. What cannot be
        carried out any more is told, never dropped in silence.
        """
        self.switches.update(saved.switches)
        self.controllers.restore(saved.memories)
        for (ident, key), memory in saved.memories.items():
            device = self.devices.get(ident)
            if device is not None and key == PINNED:
                device.recall_pin(str(memory.value))
            elif device is not None and key.startswith(ADAPTER):
                _recall(device, key.removeprefix(ADAPTER), memory.value)
            elif device is not None and key.startswith(MEMBER) and isinstance(memory.value, list | tuple):
                device.recall_member(key.removeprefix(MEMBER), [str(each) for each in memory.value])
        for receipt in saved.open_receipts:
            ended = replace(
                receipt,
                state=CommandState.FAILED,
                reason="the hub ended before it was verified",
                may_have_executed=True,
                ended_at=self.clock.now(),
            )
            self.publish_receipt(ended)
        for sent in saved.open_attempts:
            event = cut_short(sent, self.clock.now())
            self.note(**event)
            self.note(**{**event, "kind": "error", "level": "error"})
        for alarm in saved.alarms:
            device_id, _, key = alarm.target.partition("/")
            payload = {"target": alarm.target, "text": alarm.text, "is_on": True, "since": alarm.since}
            if self.controllers.get(device_id) is not None:
                self.alarms[device_id, key] = payload
                continue
            device = self.devices.get(device_id)
            if device is None or key not in device.capabilities:  # nobody is left who could end it
                self.keep(replace(alarm, ended_at=self.clock.now()))
                continue
            self.alarms[device_id, key] = payload
            device.recall_alarm(key, alarm.text)
        for entry in saved.orders:
            self.partings.restore(entry, leaving.get(entry.order.id))

    def _remember(self, device: LinkedDevice) -> None:
        """Let the store have what a device's drivers must know again after a restart, whenever it changes."""
        for attachment in device.attachments:
            remembers, adapter = attachment.driver.remembers, attachment.adapter
            if remembers is not None:
                remembers.changed = partial(self._keep_remembered, device, adapter, remembers)

    def _keep_remembered(self, device: LinkedDevice, adapter: Adapter, remembers: Remembered) -> None:
        value = {"url": adapter.url, "known": dict(remembers.to_record())}
        self.keep(MemoryEntry(device.id, f"{ADAPTER}{adapter.id}", value, self.clock.now()))

    async def written(self) -> bool:
        """Wait until all that was told so far is in the store, for `WRITTEN_S` at most; false if it is not."""
        return self.keeper is not None and await self.keeper.written(WRITTEN_S)

    def keep(self, entry: Entry) -> None:
        """Let the store have this, if there is one. Returns at once."""
        if self.keeper is not None:
            self.keeper.keep(entry)

    def _store_changed(self, state: StoreState) -> None:
        """The store is in trouble, or well again: nothing of the devices depends on it, and everybody is told."""
        text = (
            f"the store is in trouble ({state.trouble}): {state.text}"
            if state.trouble
            else "the store is well"
        )
        reason = Reason(
            code=ReasonCode.OK if state.is_well else ReasonCode.STORAGE,
            text="" if state.is_well else text,
            since=state.since,
            advice=state.advice,
        )
        word = Availability.ONLINE if state.is_well else Availability.DEGRADED
        self.stream.publish(
            Kind.AVAILABILITY, "hub", {"device": "hub", "availability": word, "reason": reason}
        )
        self.note("store", text)
        self.tell_alarm("hub", "store", text, is_on=not state.is_well)

    # --- fail-safe ------------------------------------------------------------------------------------------------

    def _fail_safes(self, devices: Iterable[LinkedDevice]) -> Iterator[tuple[LinkedDevice, Capability]]:
        for device in devices:
            for capability in device.capabilities.values():
                if capability.fail_safe is not None and capability.writable:
                    yield device, capability

    def _order_fail_safes(self, devices: Iterable[LinkedDevice], cause: str) -> None:
        """Until somebody decides, every fail-safe actuator is to take its fail-safe; verified once, that is done.

        An order that stands already stays as it is, with its own cause.
        """
        for device, capability in self._fail_safes(devices):
            if capability.key in device.desk.orders:
                continue
            target = f"{device.id}/{capability.key}"
            self.order(target, capability.fail_safe, cause)
            self.release(target)

    def _release_ownerless(self) -> None:
        """Orders that an earlier run's controller held, and nobody holds in this one, end once they are verified."""
        for device in self.devices.values():
            for key in list(device.desk.orders):
                if self.controllers.owner_of(f"{device.id}/{key}")[0] is None:
                    self.release(f"{device.id}/{key}")

    async def _make_safe(self, patience_s: float) -> None:
        self._order_fail_safes(self.devices.values(), "the hub stops")
        for device, capability in self._fail_safes(self.devices.values()):
            self.release(f"{device.id}/{capability.key}")  # whoever held an order has stopped
        waiting = [device for device, _ in self._fail_safes(self.devices.values())]
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
        self._record_folder = folder
        self._record_new()

    def _record_new(self) -> None:
        """Record the links that are not recorded yet."""
        if self._record_folder is None:
            return
        for link in self.links.values():
            if any(isinstance(tap, Recording) for tap in link.taps):
                continue
            name = "_".join(dict.fromkeys(each.device.id for each in link.attachments))
            recording = Recording(self._record_folder / f"{name}.jsonl", self.core.loop, self.core.now)
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
            pinned = adapter_id if is_pinned else ""
            self.keep(MemoryEntry(device_id, PINNED, pinned, self.clock.now()))
            device.choice.activate(adapter_id, is_pinned=is_pinned)

    def retry(self, device_id: str) -> None:
        """A person asks to try again now; raises `UnknownTarget`."""
        for attachment in self.device(device_id).attachments:
            self.supervisors[attachment.link.endpoint].hint(Hint.RETRY_NOW)

    def _slept(self, slept_s: float) -> None:
        self.note("hub", f"the machine slept for {slept_s:.0f} s")
        for link in self.links.values():
            link.suspended(slept_s)
        self.controllers.suspended()

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

    def holder(self, ident: str) -> LinkedDevice | Thermostat:
        """Whoever has readings under this id, a device or a controller; raises `UnknownTarget`."""
        return self.controllers.get(ident) or self.device(ident)

    def find(self, target: str) -> tuple[LinkedDevice | Thermostat, Capability]:
        """Whoever has a target, and its capability; raises `UnknownTarget`."""
        ident, _, key = target.partition("/")
        holder = self.holder(ident)
        return holder, _capability(holder.id, holder.capabilities, key)

    def resolve(self, target: str) -> tuple[LinkedDevice, Capability]:
        """Device and capability of a target (``house/kitchen``); raises `UnknownTarget`."""
        device_id, _, key = target.partition("/")
        device = self.device(device_id)
        return device, _capability(device_id, device.capabilities, key)

    def reading(self, target: str) -> Reading:
        """What is known of a target now; raises `UnknownTarget`."""
        holder, capability = self.find(target)
        return holder.reading(capability)

    def readings(self, ident: str | None = None) -> Iterator[Reading]:
        """All readings, or those of one device or controller. They may be taken while devices come and go."""
        holders: list[LinkedDevice | Thermostat] = (
            [*self.devices.values(), *self.controllers] if ident is None else [self.holder(ident)]
        )
        for holder in holders:
            for capability in list(holder.capabilities.values()):
                yield holder.reading(capability)

    # --- commands -------------------------------------------------------------------------------------------------

    def command(
        self,
        target: str,
        value: object,
        issuer: Issuer,
        timeout_s: float | None = None,
        *,
        take_over_s: float | None = None,
    ) -> Receipt:
        """Take a command; raises `UnknownTarget`, everything else ends in the receipt.

        With ``take_over_s`` a person takes a plug over from its controller for so many seconds.
        """
        holder, capability = self.find(target)
        if isinstance(holder, Thermostat):
            return holder.command(capability.key, value, issuer, timeout_s)
        return self.controllers.command(holder, capability, value, issuer, timeout_s, take_over_s)

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
        self.lay(device, capability, order)
        return order

    def lay(self, device: LinkedDevice, capability: Capability, order: StandingOrder) -> None:
        """Lay an order that was made elsewhere; the one before it on the same actuator is over."""
        before = device.desk.orders.get(capability.key)
        device.desk.order(capability, order)
        if before is not None:
            self.keep(OrderEntry(before.order, before.is_released, self.clock.now()))
        self._keep_order(device, order, has_ended=False)

    def end_orders(self, device: LinkedDevice, why: str) -> None:
        """All orders of a device are over, since it goes or is called by another name."""
        for held in device.desk.drop_orders(why):
            self.note("order", f"standing order on {held.order.target} is over: {why}", device=device.id)
            self.keep(
                OrderEntry(held.order, held.is_released, self.clock.now(), self.partings.raw(device.id))
            )

    def release(self, target: str) -> None:
        """Release the standing order on a target; it ends as soon as it is verified."""
        device, capability = self.resolve(target)
        held = device.desk.orders.get(capability.key)
        device.desk.release(capability.key)
        if held is not None and capability.key in device.desk.orders:
            self._keep_order(device, held.order, has_ended=False)

    # --- Listener: what devices tell ------------------------------------------------------------------------------

    def readings_changed(self, device: LinkedDevice, keys: Sequence[str]) -> None:
        """See `link.device.Listener`."""
        for key in keys:
            capability = device.capabilities[key]
            reading = device.reading(capability)
            self.publish_reading(reading)
            if capability.fail_safe is not None and reading.quality.is_current:
                self._switched(reading)

    def publish_reading(self, reading: Reading) -> None:
        """Tell a reading that is different now; controllers that go by it look again."""
        self.stream.publish(Kind.READING, reading.target, reading)
        self.controllers.reading_changed(reading.target)

    def _switched(self, reading: Reading) -> None:
        """Remember when a fail-safe actuator was last seen to change: minimum times are counted from it."""
        before = self.switches.get(reading.target)
        if before is None or before.value != reading.value:
            entry = SwitchEntry(reading.target, reading.value, reading.observed_at or self.clock.now())
            self.switches[reading.target] = entry
            self.keep(entry)
            self.controllers.switched(entry)

    def receipt_changed(self, device: LinkedDevice, receipt: Receipt) -> None:
        """See `link.device.Listener`."""
        self.publish_receipt(receipt)
        self.controllers.receipt_changed(receipt)

    def publish_receipt(self, receipt: Receipt) -> None:
        """Keep and tell a receipt as it stands now."""
        self.receipts[receipt.id] = receipt
        if len(self.receipts) > RECEIPTS_KEPT:
            self._forget_one()
        self.stream.publish(Kind.COMMAND, receipt.id, receipt)
        self.keep(ReceiptEntry(receipt))

    def _forget_one(self) -> None:
        for receipt_id, receipt in self.receipts.items():
            if receipt.state.is_end:
                del self.receipts[receipt_id]
                return

    def availability_changed(self, device: LinkedDevice) -> None:
        """See `link.device.Listener`."""
        payload = {"device": device.id, "availability": device.availability, "reason": device.reason}
        record = self.stream.publish(Kind.AVAILABILITY, device.id, payload)
        told = {
            "availability": device.availability.value,
            "code": device.reason.code.value,
            "text": device.reason.text,
        }
        self.keep(EventEntry(record.id, "availability", device.id, record.at, told))

    def order_changed(self, device: LinkedDevice, order: StandingOrder, *, has_ended: bool) -> None:
        """See `link.device.Listener`."""
        if has_ended:
            self._order_ended.set()
        word = "ended" if has_ended else "verified" if order.is_verified else "open"
        self.note("order", f"standing order on {order.target} is {word}: {order.cause}", device=device.id)
        self._keep_order(device, order, has_ended=has_ended)
        self.controllers.order_changed(order.target)
        if has_ended:
            self.partings.order_ended(device)

    def _keep_order(self, device: LinkedDevice, order: StandingOrder, *, has_ended: bool) -> None:
        key = order.target.partition("/")[2]
        held = device.desk.orders.get(key)
        is_released = held is None or held.is_released
        ended_at = self.clock.now() if has_ended else None
        self.keep(OrderEntry(order, is_released, ended_at, self.partings.raw(device.id)))

    def alarm_changed(self, device: LinkedDevice, key: str, text: str, *, is_on: bool) -> None:
        """See `link.device.Listener`."""
        self.tell_alarm(device.id, key, text, is_on=is_on)

    def tell_alarm(self, device_id: str, key: str, text: str, *, is_on: bool) -> None:
        """An alarm began, or ended."""
        target = f"{device_id}/{key}"
        now = self.clock.now()
        before = self.alarms.get((device_id, key))
        since = now if before is None else before["since"]
        payload = {"target": target, "text": text, "is_on": is_on, "since": since if is_on else now}
        if is_on:
            self.alarms[device_id, key] = payload
        else:
            self.alarms.pop((device_id, key), None)
        self.stream.publish(Kind.ALARM, target, payload)
        self.keep(AlarmEntry(target, text, since, None if is_on else now))

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

    def attempt_sent(self, device: LinkedDevice, attempt: Attempt) -> None:
        """See `link.device.Listener`."""
        self._tell_attempt(event_of(attempt), attempt)

    def attempt_ended(self, device: LinkedDevice, attempt: Attempt) -> None:
        """See `link.device.Listener`. What failed is also an event of kind ``error``."""
        self._tell_attempt(event_of(attempt), attempt)
        if attempt.outcome is not None and attempt.outcome.is_failure:
            event = {"kind": "error", "text": error_in_words(attempt), **error_of(attempt)}
            self._tell_attempt(event, attempt)

    def _tell_attempt(self, event: dict[str, Any], attempt: Attempt) -> None:
        """All are told; what would push everything else out of the store's journal is not kept there.

        That is healthy renewals, 900 a day and plug, and the tries of an order that a plug has not obeyed for long.
        """
        is_monotonous = attempt.number > ATTEMPTS_KEPT and attempt.number % ATTEMPTS_KEPT_EACH
        if attempt.purpose is Purpose.RENEWAL or (attempt.purpose is Purpose.ORDER and is_monotonous):
            self.stream.publish(Kind.EVENT, (event["kind"], self.stream.seq), event)
        else:
            self.note(**event)

    def end_alarms(self, device_id: str, why: str) -> None:
        """Nobody is left who could end the alarms of a device that goes."""
        for ident, key in [each for each in self.alarms if each[0] == device_id]:
            self.tell_alarm(ident, key, why, is_on=False)

    def capabilities_learned(self, device: LinkedDevice, capabilities: Sequence[Capability]) -> None:
        """See `link.device.Listener`. Who is missing after a restart is told by what was learned before it."""
        for member in dict.fromkeys(each.member for each in capabilities):
            keys = sorted(key for key, each in device.capabilities.items() if each.member == member)
            self.keep(MemoryEntry(device.id, f"{MEMBER}{member}", keys, self.clock.now()))

    def note(self, kind: str, text: str, **more: Any) -> None:
        """Write an event that is nobody's reading or receipt."""
        record = self.stream.publish(
            Kind.EVENT, (kind, self.stream.seq), {"kind": kind, "text": text, **more}
        )
        self.keep(EventEntry(record.id, kind, str(more.get("device", "")), record.at, record.payload))


def _capability(ident: str, capabilities: Mapping[str, Capability], key: str) -> Capability:
    found = capabilities.get(key)
    if found is None:
        known = ", ".join(sorted(capabilities)) or "none"
        raise UnknownTarget(f"{ident} has no {key!r}", advice=f"Known there: {known}.")
    return found


def _recall(device: LinkedDevice, adapter_id: str, value: Any) -> None:
    """Only where the adapter still has the address that the record is about."""
    for attachment in device.attachments:
        remembers, adapter = attachment.driver.remembers, attachment.adapter
        if remembers is not None and adapter.id == adapter_id and isinstance(value, dict):
            known = value.get("known")
            if value.get("url") == adapter.url and isinstance(known, dict):
                remembers.recall(known)
