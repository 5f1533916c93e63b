"""Devices, controllers, readings and receipts as the API's JSON has them: those of this process take the same shape."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from holdfast.model import Reading, Reason, ReasonCode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.hub.controllers.thermostat import Thermostat
    from holdfast.hub.hub import Hub
    from holdfast.link.attachment import Attachment
    from holdfast.link.device import LinkedDevice
    from holdfast.model import Adapter, Capability, Receipt


Record = Mapping[str, Any]
"""One object of the API: a device, a reading, a receipt …"""


def stamp(at: datetime | None) -> str | None:
    """ISO 8601 in UTC."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def device_record(device: LinkedDevice) -> dict[str, Any]:
    """A device with its adapters."""
    active = device.active.adapter if device.attachments else None
    return {
        "id": device.id,
        "name": device.device.name,
        "driver": active.driver if active else "",
        "availability": device.availability.value,
        "reason": reason_record(device.present_reason()),
        "active_adapter": active.id if active else None,
        "redundancy": dict(zip(("state", "text"), device.redundancy(), strict=True)),
        "adapters": [
            *(_adapter_record(each) for each in device.attachments),
            *(_disabled_record(each) for each in device.device.adapters if not each.is_enabled),
        ],
        "capabilities": [
            _capability_record(device.id, each, device.device.outputs.get(each.key, {}).get("aliases", ()))
            for each in device.capabilities.values()
        ],
    }


def _adapter_record(attachment: Attachment) -> dict[str, Any]:
    adapter, link = attachment.adapter, attachment.link
    choice, now = attachment.device.choice, link.core.now()
    deadlines = [each.deadline_s for each in attachment.groups.values() if each.deadline_s < math.inf]
    return {
        "id": adapter.id,
        "driver": adapter.driver,
        "priority": adapter.priority,
        "role": "active" if attachment.is_active else "standby",
        "standby": adapter.standby.value,
        "is_pinned": choice is not None and choice.pinned == adapter.id,
        "state": link.state.value,
        "reason": reason_record(link.reason),
        "deadline_s": min(deadlines, default=None),
        "silence_s": attachment.driver.timing.silence_s,
        "endpoint": str(link.endpoint),
        "members": sorted(attachment.members - {""}, key=lambda member: (len(member), member)),
        "found": [{"member": member, **each.as_dict(now)} for member, each in link.found.items()],
    }


def _disabled_record(adapter: Adapter) -> dict[str, Any]:
    reason = Reason(code=ReasonCode.CONFIGURATION, text="switched off in the site")
    return {
        "id": adapter.id,
        "driver": adapter.driver,
        "priority": adapter.priority,
        "role": "standby",
        "standby": adapter.standby.value,
        "is_pinned": False,
        "state": "disabled",
        "reason": reason_record(reason),
        "deadline_s": None,
        "silence_s": None,
        "endpoint": "",
        "members": [],
        "found": [],
    }


def _capability_record(holder_id: str, capability: Capability, aliases: Iterable[str] = ()) -> dict[str, Any]:
    return {
        "key": capability.key,
        "target": f"{holder_id}/{capability.key}",
        "aliases": list(aliases),
        "type": capability.type.value,
        "role": capability.role,
        "name": capability.name,
        "unit": capability.unit,
        "minimum": capability.minimum,
        "maximum": capability.maximum,
        "choices": list(capability.choices),
        "commands": list(capability.commands),
        "writable": capability.writable,
        "essential": capability.essential,
        "fail_safe": capability.fail_safe,
        "member": capability.member,
        "group": capability.group,
        "deadline_s": capability.deadline_s,
    }


def controller_record(hub: Hub, controller: Thermostat) -> dict[str, Any]:
    """A controller: its report, and what it can do."""
    from holdfast.hub.controllers.report import report_of

    report = report_of(hub, controller)
    known = controller.capabilities.values()
    return {
        **{key: _plain(value) for key, value in report.members().items()},
        "capabilities": [_capability_record(controller.id, each) for each in known],
    }


def _plain(value: Any) -> Any:
    """A part of a report as JSON has it."""
    if isinstance(value, Reading):
        return reading_record(value)
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.value if isinstance(value, Enum) else value


def reason_record(reason: Reason) -> dict[str, Any]:
    """Why something is as it is."""
    return {
        "code": reason.code.value,
        "text": reason.text,
        "since": stamp(reason.since),
        "next_try_at": stamp(reason.next_try_at),
        "advice": reason.advice,
    }


def reading_record(reading: Reading) -> dict[str, Any]:
    """A reading."""
    return {
        "target": reading.target,
        "value": reading.value,
        "unit": reading.unit,
        "quality": reading.quality.value,
        "suspect": reading.suspect,
        "observed_at": stamp(reading.observed_at),
        "age_s": reading.age_s,
        "deadline_s": reading.deadline_s,
        "adapter": reading.adapter,
        "last_known": reading.last_known,
        "missing": list(reading.missing),
    }


def receipt_record(receipt: Receipt) -> dict[str, Any]:
    """A receipt."""
    return {
        "id": receipt.id,
        "target": receipt.target,
        "value": receipt.value,
        "issuer": receipt.issuer,
        "state": receipt.state.value,
        "reason": receipt.reason,
        "attempts": receipt.attempts,
        "may_have_executed": receipt.may_have_executed,
        "timeout_s": receipt.timeout_s,
        "created_at": stamp(receipt.created_at),
        "sent_at": stamp(receipt.sent_at),
        "ended_at": stamp(receipt.ended_at),
        "sent_after_s": receipt.sent_after_s,
        "ended_after_s": receipt.ended_after_s,
    }
