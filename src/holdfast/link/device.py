"""A device at work: its adapters, the one that serves, its readings, its availability and its command desk."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from holdfast.link.attachment import Attachment
from holdfast.link.availability import AdapterView, DeviceView, judge
from holdfast.link.desk import CommandDesk
from holdfast.link.evidence import UNKNOWN, GroupEvidence
from holdfast.model import (
    Adapter,
    Availability,
    Capability,
    Device,
    Issuer,
    Reading,
    Reason,
    ReasonCode,
    Receipt,
    StandingOrder,
    Value,
)

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from holdfast.link.core import Core
    from holdfast.link.driver import Driver
    from holdfast.link.link import Link
    from holdfast.link.planner import Planner
    from holdfast.link.session import End, Job


class Listener(Protocol):
    """Who is told what happens to devices. Called synchronously, in order; must return at once."""

    def readings_changed(self, device: LinkedDevice, keys: Sequence[str]) -> None:
        """Values or qualities of these capabilities are different now."""

    def receipt_changed(self, device: LinkedDevice, receipt: Receipt) -> None:
        """A command took a step in its life. The reading that verifies it has been told before."""

    def availability_changed(self, device: LinkedDevice) -> None:
        """The device's availability or its reason is different now."""

    def order_changed(self, device: LinkedDevice, order: StandingOrder, *, has_ended: bool) -> None:
        """A standing order was verified, doubted again, or has ended."""

    def alarm_changed(self, device: LinkedDevice, key: str, text: str, *, is_on: bool) -> None:
        """Something a person should know began or ended."""


class LinkedDevice:
    """One device over its adapters."""

    def __init__(self, core: Core, device: Device, listener: Listener) -> None:
        self.core = core
        self.device = device
        self.id = device.id
        self.listener = listener
        self.attachments: list[Attachment] = []
        self.active: Attachment
        self.capabilities: dict[str, Capability] = {}
        self.availability, self.reason = judge(DeviceView(essential=0, current=0, missing=(), adapters=()))
        self.is_watching = False
        self.desk = CommandDesk(self)

    def attach(self, adapter: Adapter, driver: Driver, link: Link) -> Attachment:
        """Add an adapter; the first one serves."""
        attachment = Attachment(self, adapter, driver, link)
        self.attachments.append(attachment)
        if len(self.attachments) == 1:
            self.active = attachment
            self.availability = Availability.UNKNOWN
            self.reason = Reason(code=ReasonCode.CONNECTING, text="not tried yet")
        for capability in driver.capabilities:
            self.capabilities.setdefault(capability.key, capability)
        link.attach(attachment)
        return attachment

    def __repr__(self) -> str:
        return f"<LinkedDevice {self.id} {self.availability}>"

    @property
    def planner(self) -> Planner | None:
        """The serving adapter's planner, ``None`` where it is read-only."""
        return self.active.driver.planner

    def shows(self, key: str, wanted: Value, shown: Value) -> bool:
        """Whether a shown value proves a wanted one."""
        return self.active.driver.shows(key, wanted, shown)

    # --- what is known ------------------------------------------------------------------------------------------

    def evidence_of(self, capability: Capability) -> GroupEvidence:
        """The serving adapter's evidence, or that of another one while the serving one has seen nothing yet."""
        key = (capability.member, capability.group)
        chosen = self.active.groups.get(key)
        if chosen is None or chosen.n < 0:
            for attachment in self.attachments:
                other = attachment.groups.get(key)
                if other is not None and (chosen is None or other.n > chosen.n):
                    chosen = other
        assert chosen is not None
        return chosen

    def reading(self, capability: Capability) -> Reading:
        """What is known of a capability at this moment. No I/O."""
        core = self.core
        core.check_suspend()
        now = core.now()
        evidence = self.evidence_of(capability)
        target = f"{self.id}/{capability.key}"
        if evidence.n < 0 or capability.key not in evidence.values:
            return Reading(
                target=target,
                value=None,
                unit=capability.unit,
                quality=UNKNOWN,
                deadline_s=capability.deadline_s,
                adapter="",
            )
        quality = evidence.quality_at(now)
        if quality.is_current and self.desk.is_in_doubt(capability, evidence.t, evidence.n, now):
            quality = UNKNOWN
        value = evidence.values[capability.key]
        age_s = max(0.0, now - evidence.seen_t())
        return Reading(
            target=target,
            value=value if quality.is_current else None,
            unit=capability.unit,
            quality=quality,
            suspect=capability.key in evidence.intake.suspects,
            observed_at=core.clock.now() - timedelta(seconds=age_s),
            age_s=age_s,
            deadline_s=capability.deadline_s,
            adapter=evidence.attachment.adapter.id,
            last_known=value,
        )

    def last_value(self, key: str) -> Value:
        """The last value seen, however old."""
        return self.evidence_of(self.capabilities[key]).values.get(key)

    # --- what happens -------------------------------------------------------------------------------------------

    def values_changed(
        self, evidence: GroupEvidence, changed: Sequence[str], *, quality_changed: bool
    ) -> None:
        """New values came, or a group became fresh again."""
        if quality_changed:
            self.listener.readings_changed(self, [each.key for each in evidence.capabilities])
            self.reconsider()
        else:
            self.listener.readings_changed(self, changed)

    def group_changed(self, evidence: GroupEvidence) -> None:
        """A group's quality changed without new values."""
        self.listener.readings_changed(self, [each.key for each in evidence.capabilities])
        self.reconsider()

    def shown_changed(self, key: str) -> None:
        """What may be shown of a value changed, because a command did."""
        self.listener.readings_changed(self, [key])

    def link_changed(self, attachment: Attachment) -> None:
        """An adapter's link has another state or reason."""
        self.reconsider()

    def session_opened(self, attachment: Attachment) -> None:
        """A new session of one of its adapters."""
        attachment.expect()
        self.reconsider()
        if attachment is self.active:
            self.desk.session_opened()

    def evidence_came(self, evidence: GroupEvidence) -> None:
        """Evidence of the serving adapter, while something waits for it."""
        if evidence.attachment is self.active:
            self.desk.evidence_came(evidence)

    def step_ended(self, job: Job, end: End, text: str) -> None:
        """A step's turn in the slot is over."""
        self.desk.step_ended(job, end, text)

    def stand_in_line(self, link: Link) -> None:
        """Wait for the slot, once."""
        if self not in link.queue:
            link.enqueue(self)

    def take_turn(self) -> None:
        """The slot is free."""
        self.desk.take_turn(self.active)

    def receipt_changed(self, receipt: Receipt) -> None:
        """Tell a command's next step."""
        self.listener.receipt_changed(self, receipt)

    def order_changed(self, order: StandingOrder) -> None:
        """Tell that an order was verified or doubted."""
        self.listener.order_changed(self, order, has_ended=False)

    def order_ended(self, order: StandingOrder) -> None:
        """Tell that an order is over."""
        self.listener.order_changed(self, order, has_ended=True)

    def warned(self, key: str, text: str) -> None:
        """Tell of something that began."""
        self.listener.alarm_changed(self, key, text, is_on=True)

    def cleared(self, key: str, text: str) -> None:
        """Tell of something that ended."""
        self.listener.alarm_changed(self, key, text, is_on=False)

    # --- availability ---------------------------------------------------------------------------------------------

    def view(self) -> DeviceView:
        """The facts that availability is judged by."""
        now = self.core.now()
        essential = current = 0
        fresh: dict[str, bool] = {}
        for attachment_group in self._served_groups():
            is_current = attachment_group.quality_at(now).is_current
            count = sum(capability.essential for capability in attachment_group.capabilities)
            essential += count
            current += count if is_current else 0
            member = attachment_group.member
            fresh[member] = fresh.get(member, False) or is_current
        missing = tuple(sorted(member for member, is_fresh in fresh.items() if not is_fresh and member))
        ordered = [self.active, *(each for each in self.attachments if each is not self.active)]
        return DeviceView(
            essential=essential,
            current=current,
            missing=missing,
            adapters=[
                AdapterView(each.link.has_session, each.has_tried(now), each.link.reason) for each in ordered
            ],
        )

    def _served_groups(self) -> Sequence[GroupEvidence]:
        served: dict[tuple[str, str], GroupEvidence] = {}
        for attachment in (self.active, *self.attachments):
            for key, evidence in attachment.groups.items():
                served.setdefault(key, evidence)
        return list(served.values())

    def reconsider(self) -> None:
        """Judge the availability anew and tell if it changed."""
        availability, reason = judge(self.view())
        told = (self.availability, self.reason.code, self.reason.text)
        self.availability, self.reason = availability, reason
        if told != (availability, reason.code, reason.text):  # another time of the next try is no news
            self.listener.availability_changed(self)

    # --- commands ---------------------------------------------------------------------------------------------------

    @property
    def has_open_order(self) -> bool:
        """Whether a standing order still waits to be verified."""
        return self.desk.has_open_order

    def command(self, key: str, value: object, issuer: Issuer, timeout_s: float | None = None) -> Receipt:
        """Take a command; raises `KeyError` for an unknown capability."""
        return self.desk.command(self.capabilities[key], value, issuer, timeout_s)

    def ending(self, key: str, receipt: Receipt) -> asyncio.Future[Receipt] | None:
        """A future for the end of that command; ``None`` if it has ended."""
        return self.desk.ending(key, receipt)

    def why_not_sent(self) -> str:
        """In words, what stands between a command and the wire."""
        link = self.active.link
        if not link.has_session:
            return link.reason.text or "not connected"
        return "the device gave no fresh evidence to plan from"

    def retire(self) -> None:
        """End open commands, keep no timer."""
        self.desk.close()
        for attachment in self.attachments:
            attachment.retire()
