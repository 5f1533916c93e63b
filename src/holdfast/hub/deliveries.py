"""Readings that somebody posts: on their way to the device that waits for them, each with the time it was observed.

A reading is never younger than it says. Its age counts by the hub's wall clock from ``observed_at``; without one it was
observed when it came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from holdfast.errors import HoldfastError
from holdfast.link.inbox import SAME_S, HasInbox
from holdfast.model import Reject

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from holdfast.hub.hub import Hub
    from holdfast.link.attachment import Attachment
    from holdfast.link.device import LinkedDevice
    from holdfast.link.evidence import GroupEvidence
    from holdfast.link.inbox import Inbox
    from holdfast.model import Value

FUTURE_S: Final = 5.0
"""Seconds by which a sender's clock may be ahead of ours. Clocks that a time server sets differ by far less than one
second; what is further ahead has a clock that is wrong, and would look fresh when it is old."""
OLDEST_S: Final = 366.0 * 86400.0
"""Seconds: no sender keeps readings for more than a year, but one without a clock counts from 1970 or 2000."""


class NotPushed(HoldfastError):
    """The device's readings do not come by being posted."""


class NotListening(HoldfastError):
    """The device takes posted readings, but not at this moment."""

    is_retryable = True


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one reading. ``why`` is the reason for which it was not believed, ``None`` if it was."""

    target: str
    observed_at: datetime
    why: Reject | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """Where the readings of one capability are put, and where it shows what became of them."""

    target: str
    key: str
    inbox: Inbox
    evidence: GroupEvidence


def slot_of(hub: Hub, target: str) -> Slot:
    """The slot of a target; raises `UnknownTarget`, `NotPushed` or `NotListening`."""
    device, capability = hub.resolve(target)
    attachment, inbox = _inbox_of(device)
    evidence = attachment.groups.get((capability.member, capability.group))
    if evidence is None or capability.key not in evidence.keys:
        raise NotPushed(f"{target} is not posted: another adapter of {device.id} has it")
    return Slot(target, capability.key, inbox, evidence)


def deliver(hub: Hub, slot: Slot, value: Value, observed_at: datetime | None = None) -> Delivery:
    """Put a reading into its slot, and tell what became of it.

    Older than its deadline it is taken as last known, and is stale. Not taken is what is older than the evidence that
    is there, lies in the future, or is so old that the sender cannot have a clock.
    """
    hub.core.check_suspend()
    now = hub.clock.now()
    age_s = 0.0 if observed_at is None else (now - observed_at).total_seconds()
    seen_at = now if observed_at is None else observed_at
    evidence = slot.evidence
    stamp = hub.core.stamp()
    stamp = stamp._replace(t=stamp.t - max(0.0, age_s))
    why = misdated(age_s, by_s=evidence.t - stamp.t)
    if why is None and not evidence.attachment.link.has_session:  # the machine slept a moment ago
        why = Reject("not_listening", "nobody listens at the moment: send it again")
    if why is None:
        slot.inbox.receive(slot.key, value, stamp)
        if not _is_known(evidence, slot.key, value, stamp.t):
            why = slot.inbox.objection(slot.key, value) or Reject("rejected", "it was not believed")
    return Delivery(slot.target, seen_at, why)


def deliver_document(hub: Hub, device_id: str, form: str, document: Mapping[str, Any]) -> list[Delivery]:
    """Put what a sender of some make posted into the device's slots, observed now: it has no clock.

    Raises `UnknownTarget`, `NotPushed`, `NotListening`. Empty where nothing in it is a capability of the device.
    """
    _, inbox = _inbox_of(hub.device(device_id))
    values = inbox.read(form, document)
    if values is None:
        raise NotPushed(f"{device_id} does not take documents of the form {form}")
    found = []
    for key, value in values.items():
        slot = slot_of(hub, f"{device_id}/{key}")
        if isinstance(value, Reject):
            found.append(Delivery(slot.target, hub.clock.now(), value))
        else:
            found.append(deliver(hub, slot, value))
    return found


def misdated(age_s: float, by_s: float) -> Reject | None:
    """What is wrong with the time of a reading: ``age_s`` old by our clock, ``by_s`` older than what is known. Pure."""
    if age_s < -FUTURE_S:
        return Reject("future", f"it was observed {-age_s:.0f} s from now: one of the two clocks is wrong")
    if age_s > OLDEST_S:
        return Reject("too_old", "it was observed more than a year ago: the sender's clock is not set")
    if by_s > SAME_S:
        return Reject("overtaken", f"a reading that was observed {by_s:.1f} s later is known already")
    return None


def _is_known(evidence: GroupEvidence, key: str, value: Value, t: float) -> bool:
    """Whether it was believed, now or when it came before."""
    return key in evidence.values and evidence.values[key] == value and abs(evidence.t - t) <= SAME_S


def _inbox_of(device: LinkedDevice) -> tuple[Attachment, Inbox]:
    """The adapter that takes posted readings: one that listens, if there are several."""
    found: list[tuple[Attachment, Inbox]] = [
        (each, options.inbox)
        for each in device.attachments
        if isinstance(options := each.driver.options, HasInbox)
    ]
    if not found:
        raise NotPushed(
            f"the readings of {device.id} are not posted: the hub asks the device itself",
            advice="Readings are posted for devices with an enabled adapter of the driver push.",
        )
    for attachment, inbox in found:
        if attachment.link.has_session:
            return attachment, inbox
    raise NotListening(
        f"nobody listens for readings of {device.id} at the moment",
        advice="Send it again in a second; a reserve adapter listens only while it is needed.",
    )
