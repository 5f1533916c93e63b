"""What a thermostat is told: the hub's readings and open commands, at one moment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.control import Instant, PlugEvidence, SensorEvidence
from holdfast.errors import UnknownTarget

if TYPE_CHECKING:
    from holdfast.clock import Clock
    from holdfast.hub.hub import Hub
    from holdfast.link.device import LinkedDevice
    from holdfast.model import Capability, Value

ORDER_FIRST_S: Final = 10.0
"""A standing order counts as a command under way for so long: a set, its settling and the read-back take as much at
the worst (fact sheet on plugs, section 6). After that the plug does not answer, or does not obey."""
ORDER_SENDS: Final = 3
"""So many sends of an order without effect are disobedience, also where every call succeeded: one whole command."""


def instant(clock: Clock) -> Instant:
    """Now, as control counts it."""
    return Instant(clock.boottime(), clock.era, clock.now())


def sensed(hub: Hub, target: str) -> SensorEvidence | None:
    """The last reading of a sensor; ``None`` where there is none yet, or no such sensor."""
    try:
        reading = hub.reading(target)
    except UnknownTarget:
        return None
    if reading.age_s is None:
        return None
    return SensorEvidence(
        value=reading.last_known if reading.value is None else reading.value,
        unit=reading.unit,
        age_s=reading.age_s,
        quality=reading.quality,
        is_suspect=reading.suspect,
        observed_at=reading.observed_at,
    )


@dataclass(slots=True)
class PlugWatch:
    """One plug of a controller: where it is, what it has shown since the start, and what failed last."""

    target: str
    shown: bool | None = None
    shown_since_s: float | None = None
    """On the steady clock; ``None`` before the first change that was seen: how long it was so before, nobody knows."""
    error: str = ""
    taken_over_until_s: float = -math.inf
    proven: tuple[str, int] = ("", 0)
    """The last order that was seen verified, and its sends until then: what comes after is another story."""

    def find(self, hub: Hub) -> tuple[LinkedDevice, Capability] | None:
        """The plug, if it is there."""
        device_id, _, key = self.target.partition("/")
        device = hub.devices.get(device_id)
        capability = None if device is None else device.capabilities.get(key)
        return None if device is None or capability is None else (device, capability)

    def look(self, hub: Hub, now: Instant) -> PlugEvidence:
        """What is known of it now. Remembers when the answers began to show what they show."""
        found = self.find(hub)
        if found is None:
            device = hub.devices.get(self.target.partition("/")[0])
            return PlugEvidence(is_on=None, error=_why_missing(device, self.target))
        device, capability = found
        reading = device.reading(capability)
        value = reading.value if isinstance(reading.value, bool) else None
        self._note(value, now)
        age_s = math.inf if reading.age_s is None else reading.age_s
        is_taken_over = now.steady_s < self.taken_over_until_s
        if value is None:
            return PlugEvidence(
                is_on=None,
                was_on=reading.last_known is True,
                error=self.error or self._order_error(device, capability) or _why_silent(device),
                has_open_command=self._is_commanded(device, capability),
                is_taken_over=is_taken_over,
            )
        return PlugEvidence(
            is_on=value,
            age_s=age_s,
            since_s=None if self.shown_since_s is None else now.steady_s - self.shown_since_s,
            error=self.error or self._order_error(device, capability),
            has_open_command=self._is_commanded(device, capability),
            is_taken_over=is_taken_over,
        )

    def _note(self, value: Value, now: Instant) -> None:
        if not isinstance(value, bool) or value is self.shown:
            return
        if self.shown is not None:
            self.shown_since_s = now.steady_s
        self.shown = value

    def _is_commanded(self, device: LinkedDevice, capability: Capability) -> bool:
        desk = device.desk
        order = desk.orders.get(capability.key)
        if order is not None and not order.order.is_verified:
            return device.core.now() - order.issued.t < ORDER_FIRST_S
        return capability.key in desk.commands

    def _order_error(self, device: LinkedDevice, capability: Capability) -> str:
        order = device.desk.orders.get(capability.key)
        if order is None:
            return ""
        if order.order.is_verified:
            self.proven = (order.order.id, order.sends)
            return ""
        if order.last_error:
            return order.last_error
        ident, before = self.proven
        sends = order.sends - (before if ident == order.order.id else 0)
        return f"told off {sends} times without effect" if sends >= ORDER_SENDS else ""


def _why_missing(device: LinkedDevice | None, target: str) -> str:
    """In words, why there is no such plug."""
    if device is None:
        return f"there is no {target}"
    return device.fault or ("it has no such switch" if device.attachments else "no adapter is enabled")


def _why_silent(device: LinkedDevice) -> str:
    """In words, why there is no answer; empty while all is well and the answer is only under way."""
    link = device.active.link if device.attachments else None
    if link is None or link.has_session:
        return ""
    return link.reason.text
