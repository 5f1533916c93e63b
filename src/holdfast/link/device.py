"""A device at work: its adapters, the one that serves, its readings, its availability and its command desk."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from holdfast.link.attachment import Attachment
from holdfast.link.availability import AdapterView, DeviceView, judge
from holdfast.link.choice import AdapterChoice
from holdfast.link.desk import CommandDesk
from holdfast.link.evidence import GOOD, LATE, STALE, UNKNOWN, GroupEvidence
from holdfast.link.wishes import Gate, always_open
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

    from holdfast.link.aggregate import Aggregate
    from holdfast.link.core import Core
    from holdfast.link.driver import Driver
    from holdfast.link.failover import Note
    from holdfast.link.link import Link
    from holdfast.link.planner import Planner
    from holdfast.link.session import End, Job
    from holdfast.model import Attempt


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

    def adapter_decided(self, device: LinkedDevice, note: Note) -> None:
        """A decision about which adapter serves."""

    def attempt_sent(self, device: LinkedDevice, attempt: Attempt) -> None:
        """A step went out. Each is told here once, and once by `attempt_ended`."""

    def attempt_ended(self, device: LinkedDevice, attempt: Attempt) -> None:
        """What became of a step is known. The reading that shows it has been told before, its receipt comes after."""

    def capabilities_learned(self, device: LinkedDevice, capabilities: Sequence[Capability]) -> None:
        """A member of the device made itself known, or showed more of itself."""


class LinkedDevice:
    """One device over its adapters."""

    def __init__(self, core: Core, device: Device, listener: Listener, *, fault: str = "") -> None:
        self.core = core
        self.device = device
        self.id = device.id
        self.listener = listener
        self.fault = fault
        """Why it cannot be used at all; empty if it can."""
        self.attachments: list[Attachment] = []
        self.active: Attachment
        self.capabilities: dict[str, Capability] = {}
        self.availability, self.reason = judge(
            DeviceView(essential=0, current=0, missing=(), adapters=(), fault=fault)
        )
        self.is_watching = False
        self.was_reached = False
        """Whether it ever had a session: without one nothing was ever sent to it."""
        self.aggregates: dict[str, Aggregate] = {}
        self._made_of: dict[str, list[str]] = {}  # aggregates by the group that they are made of
        self.choice: AdapterChoice | None = None
        """Who serves; ``None`` where there is nothing to choose."""
        self._doubtful: dict[tuple[str, str], dict[str, str]] = {}
        self.desk = CommandDesk(self)

    def attach(self, adapter: Adapter, driver: Driver, link: Link) -> Attachment:
        """Add an adapter; the first one serves."""
        attachment = Attachment(self, adapter, driver, link)
        self.attachments.append(attachment)
        if len(self.attachments) == 1:
            self.active = attachment
            self.availability = Availability.UNKNOWN
            self.reason = Reason(code=ReasonCode.CONNECTING, text="not tried yet")
        for aggregate in driver.aggregates:
            key = aggregate.capability.key
            if key not in self.aggregates:
                self.aggregates[key] = aggregate
                self._made_of.setdefault(aggregate.group, []).append(key)
            self.capabilities.setdefault(key, aggregate.capability)
        for capability in driver.capabilities:
            self.capabilities.setdefault(capability.key, capability)
        link.attach(attachment)
        self.rank()
        return attachment

    def detach(self, attachment: Attachment) -> None:
        """An adapter goes; if it served, the most preferred of the others takes its place. Never the last one."""
        self.attachments.remove(attachment)
        if self.choice is not None:
            self.choice.close()
        if self.active is attachment:
            self.serve_through(self.attachments[0])
        self.rank()
        attachment.link.detach(attachment)

    def rank(self) -> None:
        """Adapters came, went or changed their priorities: choose anew among those that are there."""
        self.attachments.sort(key=lambda each: each.adapter.priority)
        pinned = ""
        if self.choice is not None:
            pinned = self.choice.pinned
            self.choice.close()
        self.choice = AdapterChoice(self, pinned) if len(self.attachments) > 1 else None
        for attachment in self.attachments:
            if self.choice is None:
                attachment.is_wanted = True
            attachment.link.reconsider_need()
        self.reconsider()

    def learned(self, capabilities: Sequence[Capability]) -> None:
        """A member showed more of itself."""
        new = [each for each in capabilities if each.key not in self.capabilities]
        for capability in new:
            self.capabilities[capability.key] = capability
        if new:
            self.listener.capabilities_learned(self, new)

    def recall_member(self, member: str, keys: Sequence[str]) -> None:
        """A member that made itself known in an earlier run is expected through every adapter that may reach it."""
        for attachment in self.attachments:
            attachment.recall(member, keys)

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

    def evidence_of(self, member: str, group: str) -> GroupEvidence:
        """The serving adapter's evidence while it is current, else the newest that came through any adapter."""
        key = (member, group)
        chosen = self.active.groups.get(key)
        if len(self.attachments) > 1 and (
            chosen is None or not chosen.quality_at(self.core.now()).is_current
        ):
            for attachment in self.attachments:
                other = attachment.groups.get(key)
                if other is not None and (chosen is None or other.seen_t() > chosen.seen_t()):
                    chosen = other
        assert chosen is not None
        return chosen

    def reading(self, capability: Capability) -> Reading:
        """What is known of a capability at this moment. No I/O."""
        core = self.core
        core.check_suspend()
        now = core.now()
        if (aggregate := self.aggregates.get(capability.key)) is not None:
            return self._of_all(aggregate, now)
        evidence = self.evidence_of(capability.member, capability.group)
        target = f"{self.id}/{capability.key}"
        if evidence.n < 0 or capability.key not in evidence.values:
            return self._unseen(capability)
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

    def _unseen(self, capability: Capability, missing: tuple[str, ...] = ()) -> Reading:
        return Reading(
            target=f"{self.id}/{capability.key}",
            value=None,
            unit=capability.unit,
            quality=UNKNOWN,
            deadline_s=capability.deadline_s,
            adapter="",
            missing=missing,
        )

    def _of_all(self, aggregate: Aggregate, now: float) -> Reading:
        """A value made of the members': as old as the oldest of them, and nothing at all without those that count."""
        capability = aggregate.capability
        parts = {
            member: self.evidence_of(member, aggregate.group) for member in self.members(aggregate.group)
        }
        current = {member: each for member, each in parts.items() if each.quality_at(now).is_current}
        missing = tuple(member for member in parts if member not in current)
        least = len(parts) if aggregate.minimum_members is None else aggregate.minimum_members
        is_current = bool(current) and len(current) >= least
        made_of = current if is_current else parts
        if not made_of or any(each.n < 0 for each in made_of.values()):
            return self._unseen(capability, missing)
        value = aggregate.combine({member: each.values for member, each in made_of.items()})
        oldest = min(made_of.values(), key=lambda each: each.seen_t())
        age_s = max(0.0, now - oldest.seen_t())
        qualities = {each.quality_at(now) for each in made_of.values()}
        quality = GOOD if qualities == {GOOD} else LATE
        return Reading(
            target=f"{self.id}/{capability.key}",
            value=value if is_current else None,
            unit=capability.unit,
            quality=quality if is_current else STALE,
            suspect=any(each.intake.suspects for each in made_of.values()),
            observed_at=self.core.clock.now() - timedelta(seconds=age_s),
            age_s=age_s,
            deadline_s=capability.deadline_s,
            adapter=oldest.attachment.adapter.id,
            last_known=value,
            missing=missing,
        )

    def members(self, group: str) -> list[str]:
        """The members with evidence of that kind, through whatever adapter."""
        found = {member for each in self.attachments for member, other in each.groups if other == group}
        return sorted(found, key=lambda member: (len(member), member))

    def last_value(self, key: str) -> Value:
        """The last value seen, however old."""
        capability = self.capabilities[key]
        return self.evidence_of(capability.member, capability.group).values.get(key)

    # --- what happens -------------------------------------------------------------------------------------------

    def values_changed(
        self, evidence: GroupEvidence, changed: Sequence[str], *, quality_changed: bool
    ) -> None:
        """New values came, or a group became fresh again."""
        if quality_changed:
            self.group_changed(evidence)
        elif evidence is self.evidence_of(evidence.member, evidence.group):
            self._tell(evidence, changed)

    def group_changed(self, evidence: GroupEvidence) -> None:
        """A group's quality changed."""
        self._tell(evidence, [each.key for each in evidence.capabilities])
        self.judged(evidence)
        self.reconsider()

    def recall_pin(self, adapter_id: str) -> None:
        """The adapter that a person pinned in an earlier run is preferred again, if it still exists."""
        pinned = next((each for each in self.attachments if each.adapter.id == adapter_id), None)
        if pinned is not None and self.choice is not None:
            self.choice.close()
            self.active = pinned
            self.choice = AdapterChoice(self, adapter_id)
            for attachment in self.attachments:
                attachment.link.reconsider_need()

    def recall_alarm(self, key: str, text: str) -> None:
        """An alarm of an earlier run: it goes on, or ends, by what is seen from now on."""
        capability = self.capabilities[key]
        if capability.writable:
            self.desk.warnings[key] = text
        else:
            self._doubtful.setdefault((capability.member, capability.group), {})[key] = text

    def judged(self, evidence: GroupEvidence) -> None:
        """What intake thinks of the values that are shown: alarms begin and end with it."""
        place = (evidence.member, evidence.group)
        intake = self.evidence_of(*place).intake
        texts = {**intake.warnings, **intake.suspicions}
        before = self._doubtful.get(place, {})
        if texts == before:
            return
        self._doubtful[place] = texts
        for key, text in before.items():
            if key not in texts:
                self.cleared(key, text)
        for key, text in texts.items():
            if before.get(key) != text:
                self.warned(key, text)

    def _tell(self, evidence: GroupEvidence, keys: Sequence[str]) -> None:
        """These readings are different now, and with them what is made of them."""
        made = self._made_of.get(evidence.group)
        self.listener.readings_changed(self, [*keys, *made] if made else keys)

    def shown_changed(self, key: str) -> None:
        """What may be shown of a value changed, because a command did."""
        self.listener.readings_changed(self, [key])

    def link_changed(self, attachment: Attachment) -> None:
        """An adapter's link has another state or reason."""
        self.reconsider()

    def session_opened(self, attachment: Attachment) -> None:
        """A new session of one of its adapters."""
        self.was_reached = True
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

    def take_turn(self, link: Link) -> None:
        """The slot of ``link`` is free; if another one serves by now, its own line is the one to stand in."""
        if link is self.active.link:
            self.desk.take_turn(self.active)
        else:
            self.desk.ask()

    # --- who serves -----------------------------------------------------------------------------------------------

    def serve_through(self, attachment: Attachment) -> None:
        """From now on this adapter serves."""
        self.active = attachment
        self.desk.session_opened()
        self.listener.readings_changed(self, list(self.capabilities))
        self.reconsider()

    def decided(self, note: Note) -> None:
        """Tell of a decision about the adapters."""
        self.listener.adapter_decided(self, note)

    def redundancy(self) -> tuple[str, str]:
        """``none``, ``full`` or ``reduced``, and why: a reserve in use or a broken one is a note, not an outage."""
        if self.choice is None:
            return "none", "there is no second adapter"
        preferred = self.choice.preferred()
        if self.active.adapter.id != preferred:
            return "reduced", f"{self.active.adapter.id} serves in place of {preferred}"
        for attachment in self.attachments:
            if attachment.is_wanted and attachment.link.outage_t < math.inf:
                return "reduced", f"{attachment.adapter.id}: {attachment.link.reason.text}"
        return "full", ""

    def receipt_changed(self, receipt: Receipt) -> None:
        """Tell a command's next step."""
        self.listener.receipt_changed(self, receipt)

    def attempt_sent(self, attempt: Attempt) -> None:
        """Tell of a step that went out."""
        self.listener.attempt_sent(self, attempt)

    def attempt_ended(self, attempt: Attempt) -> None:
        """Tell what became of it."""
        self.listener.attempt_ended(self, attempt)

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
        for evidence in [self.evidence_of(*each) for each in self.groups()]:
            if not evidence.is_essential:
                continue
            is_current = evidence.quality_at(now).is_current
            count = sum(capability.essential for capability in evidence.capabilities)
            essential += count
            current += count if is_current else 0
            fresh[evidence.member] = fresh.get(evidence.member, True) and is_current
        missing = tuple(sorted(member for member, is_fresh in fresh.items() if not is_fresh and member))
        ordered = [self.active, *(each for each in self.attachments if each is not self.active)]
        return DeviceView(
            essential=essential,
            current=current,
            missing=missing,
            fault=self.fault,
            adapters=[
                AdapterView(each.link.has_session, each.has_tried(now), each.link.reason)
                for each in ordered
                if self.attachments and (each.is_wanted or each is self.active)
            ],
        )

    def groups(self) -> list[tuple[str, str]]:
        """Every member and group that some adapter has evidence of, or waits for."""
        return list(dict.fromkeys(key for each in self.attachments for key in each.groups))

    def reconsider(self) -> None:
        """Judge the availability anew and tell if it changed; look who should serve."""
        if self.choice is not None:
            self.choice.ask()
        availability, reason = judge(self.view())
        told = (self.availability, self.reason.code, self.reason.text)
        self.availability, self.reason = availability, reason
        if told != (availability, reason.code, reason.text):  # another time of the next try is no news
            self.listener.availability_changed(self)

    def present_reason(self) -> Reason:
        """The reason in the words of this moment: while members are looked for it counts seconds, bytes and frames."""
        if self.reason.code in (ReasonCode.DISCOVERING, ReasonCode.MEMBER_MISSING):
            return judge(self.view())[1]
        return self.reason

    # --- commands ---------------------------------------------------------------------------------------------------

    @property
    def has_open_order(self) -> bool:
        """Whether a standing order is not proven now; without a session none is."""
        if self.attachments and not self.active.link.has_session:
            return bool(self.desk.orders)
        return self.desk.has_open_order

    def command(
        self,
        key: str,
        value: object,
        issuer: Issuer,
        timeout_s: float | None = None,
        *,
        gate: Gate = always_open,
    ) -> Receipt:
        """Take a command; raises `KeyError` for an unknown capability. ``gate`` is asked before every send of it."""
        return self.desk.command(self.capabilities[key], value, issuer, timeout_s, gate)

    def ending(self, key: str, receipt: Receipt) -> asyncio.Future[Receipt] | None:
        """A future for the end of that command; ``None`` if it has ended."""
        return self.desk.ending(key, receipt)

    def why_not_sent(self) -> str:
        """In words, what stands between a command and the wire."""
        link = self.active.link
        if not link.has_session:
            return link.reason.text or "not connected"
        return "the device gave no fresh evidence to plan from"

    def retire(self, why: str = "the hub stopped before it was verified") -> None:
        """End open commands, saying why; keep no timer."""
        if self.choice is not None:
            self.choice.close()
        self.desk.close(why)
        for attachment in self.attachments:
            attachment.retire()
