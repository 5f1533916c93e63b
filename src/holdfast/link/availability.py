"""Availability as one pure table: from what is fresh and what the adapters say to one word and its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.model import OK, PRECEDENCE, Availability, Reason, ReasonCode

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class AdapterView:
    """One adapter, as availability sees it."""

    has_session: bool
    has_tried: bool
    """Whether an attempt has ended, either way."""
    reason: Reason


@dataclass(frozen=True, slots=True)
class DeviceView:
    """A device's evidence in numbers, and its adapters, the active one first."""

    essential: int
    current: int
    """How many essential capabilities have a good or late value."""
    missing: tuple[str, ...]
    """Members without a current value, while others have one."""
    adapters: Sequence[AdapterView]
    fault: str = ""
    """Why the device cannot be used at all."""


def judge(view: DeviceView) -> tuple[Availability, Reason]:
    """The word for a device, and why."""
    if view.fault or not view.adapters:
        text = view.fault or "no adapter is enabled"
        return Availability.OFFLINE, Reason(code=ReasonCode.CONFIGURATION, text=text)
    active = view.adapters[0]
    worst = _worst([adapter.reason for adapter in view.adapters])
    if view.current == 0 and view.essential > 0:
        if not any(adapter.has_tried for adapter in view.adapters):
            return Availability.UNKNOWN, worst if worst.code is not ReasonCode.OK else _expecting(active)
        return Availability.OFFLINE, worst if worst.code is not ReasonCode.OK else _stale(active)
    if view.current < view.essential:
        reason = active.reason if active.reason.code is not ReasonCode.OK else _missing(view)
        return Availability.DEGRADED, reason
    if not active.has_session:
        return Availability.DEGRADED, active.reason
    return Availability.ONLINE, OK


def _worst(reasons: Sequence[Reason]) -> Reason:
    return min(reasons, key=lambda reason: PRECEDENCE.index(reason.code))


def _expecting(adapter: AdapterView) -> Reason:
    return Reason(
        code=ReasonCode.CONNECTING, text="connected, waiting for first data", since=adapter.reason.since
    )


def _stale(adapter: AdapterView) -> Reason:
    return Reason(code=ReasonCode.SILENT, text="no fresh data", since=adapter.reason.since)


def _missing(view: DeviceView) -> Reason:
    if view.missing:
        return Reason(code=ReasonCode.MEMBER_MISSING, text=f"no fresh data from {', '.join(view.missing)}")
    return Reason(
        code=ReasonCode.SILENT, text=f"{view.essential - view.current} of {view.essential} values are stale"
    )
