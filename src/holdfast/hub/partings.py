"""Devices that leave the site while an actuator is not verified off: they stay until it is, also over a restart.

The order that a parting makes necessary is written before the changed site is: whoever pulls the plug in between finds
an order too many, never one too few.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from holdfast.hub.ports import OrderEntry
from holdfast.hub.site.plan import What
from holdfast.model import StandingOrder

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Mapping, Sequence

    from holdfast.hub.hub import Hub
    from holdfast.hub.site.plan import Step
    from holdfast.hub.site.spec import DeviceSpec
    from holdfast.link.device import LinkedDevice
    from holdfast.link.session import Endpoint
    from holdfast.model import Capability, Value

CAUSES = {
    What.REMOVE: "the device was removed",
    What.REBUILD: "the device was changed",
    What.ADAPT: "the device was moved",
}
"""Steps after which an actuator's old path may lead to something else, or be known to nobody."""


@dataclass(frozen=True, slots=True)
class Parting:
    """One device on its way out: what it is called from now on, its part of the site, and the orders it stays for."""

    old_id: str
    raw: Mapping[str, Any]
    orders: tuple[StandingOrder, ...]

    def entries(self, ended_at: Any = None) -> Iterable[OrderEntry]:
        """The orders as the store keeps them."""
        return (OrderEntry(order, True, ended_at, self.raw) for order in self.orders)


class Legacy(NamedTuple):
    """What a device that went left behind: actuators to be seen to, with their fail-safes, and its part of the site."""

    unsafe: Mapping[str, Value]
    raw: Mapping[str, Any]


class Partings:
    """The devices of one hub that are leaving."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._leaving: dict[str, Mapping[str, Any]] = {}
        self._foreseen: dict[str, Parting] = {}
        self._farewells: set[asyncio.Task[None]] = set()
        self.newcomers: set[str] = set()
        """Devices that came while the hub ran: what an earlier run did was done over other paths."""

    def raw(self, device_id: str) -> Mapping[str, Any] | None:
        """The part of the site that a leaving device had; ``None`` for a device that is of the site."""
        return self._leaving.get(device_id)

    @property
    def farewells(self) -> set[asyncio.Task[None]]:
        """Devices that are going right now."""
        return self._farewells

    # --- before the site is saved --------------------------------------------------------------------------------

    def foresee(self, steps: Sequence[Step]) -> bool:
        """Hand the orders that these steps will make necessary to the store; whether there are any."""
        for step in steps:
            device = self._hub.devices.get(step.device)
            if device is not None and step.what in CAUSES and self.parts(step):
                parting = self._parting(device, CAUSES[step.what])
                if parting.orders:
                    self._foreseen[step.device] = parting
                    self._keep(parting.entries())
        return bool(self._foreseen)

    def call_off(self) -> None:
        """The site was not saved: nobody leaves."""
        for parting in self._foreseen.values():
            self._keep(parting.entries(self._hub.clock.now()))
        self._foreseen.clear()

    def parts(self, step: Step) -> bool:
        """Whether the device that exists goes with this step: an actuator goes wherever one of its paths changes."""
        return step.what is not What.ADAPT or is_actuator(self._hub.devices[step.device])

    # --- carrying it out -----------------------------------------------------------------------------------------

    async def let_go(self, step: Step) -> None:
        """Remove a device; one whose actuator is not verified off stays under another name until it is."""
        hub, cause = self._hub, CAUSES[step.what]
        device = hub.devices[step.device]
        foreseen = self._foreseen.pop(step.device, None)
        hub.end_alarms(step.device, cause)
        unsafe = self._unsafe(device)
        self.newcomers.discard(step.device)
        if not unsafe or not device.attachments:
            if foreseen is not None:
                self._keep(foreseen.entries(hub.clock.now()))
            hub.end_orders(device, cause)
            await hub.roster.remove(step.device, cause)
            return
        parting = foreseen or self._parting(device, cause)
        device.desk.withdraw(cause)
        hub.end_orders(device, cause)
        hub.roster.rename(step.device, parting.old_id)
        self._leaving[parting.old_id] = parting.raw
        ordered = {order.target.partition("/")[2]: order for order in parting.orders}
        for capability in unsafe:
            order = ordered.pop(capability.key, None) or self._order(parting.old_id, capability, cause)
            hub.lay(device, capability, order)
            hub.release(order.target)
        for order in ordered.values():  # verified off meanwhile
            hub.keep(OrderEntry(order, True, hub.clock.now(), parting.raw))

    async def make_room(self, spec: DeviceSpec) -> None:
        """A device that is leaving over a path of this one need not be waited for: it is back."""
        endpoints = _endpoints(spec)
        for ident in list(self._leaving):
            if endpoints & {each.link.endpoint for each in self._hub.devices[ident].attachments}:
                await self._gone(ident, "its path belongs to a device of the site again")

    def leaves(self, device_id: str) -> Legacy:
        """What whoever comes over the same path must see to: actuators that are not verified at their fail-safe."""
        unsafe = {each.key: each.fail_safe for each in self._unsafe(self._hub.devices[device_id])}
        return Legacy(unsafe, self._hub.specs[device_id].raw)

    def inherit(self, device: LinkedDevice, legacy: Legacy) -> None:
        """A device came over the path of one that went: what was on there, and is the same thing here, goes off."""
        raw = self._hub.specs[device.id].raw
        for key, value in legacy.unsafe.items():
            capability = device.capabilities.get(key)
            is_same = _output(raw, key) == _output(legacy.raw, key)
            if capability is None or not capability.writable or not is_same or key in device.desk.orders:
                continue
            target = f"{device.id}/{key}"
            self._hub.order(target, value, "it was not off when its owner went")
            self._hub.release(target)

    def order_ended(self, device: LinkedDevice) -> None:
        """A device that stays for its orders goes with the last of them, as soon as the present call is over."""
        if device.id in self._leaving and not device.desk.orders:
            going = self._hub.core.loop.create_task(
                self._gone(device.id, "verified off"), name=f"farewell {device.id}"
            )
            self._farewells.add(going)
            going.add_done_callback(self._farewells.discard)

    def restore(self, entry: OrderEntry, spec: DeviceSpec | None) -> None:
        """A standing order of an earlier run goes on, with its device if that has left the site meanwhile."""
        hub, order = self._hub, entry.order
        device_id, _, key = order.target.partition("/")
        if spec is not None and device_id not in hub.devices:
            shared = _endpoints(spec) & hub.links.keys()
            if shared:
                self._cannot(entry, "its path belongs to a device of the site again")
                for heir in {each.device.id for path in shared for each in hub.links[path].attachments}:
                    self.inherit(hub.devices[heir], Legacy({key: order.value}, spec.raw))
                return
            hub.roster.add(replace(spec, device=replace(spec.device, id=device_id)))
            self._leaving[device_id] = spec.raw
        device = hub.devices.get(device_id)
        capability = None if device is None else device.capabilities.get(key)
        if device is None or capability is None:
            self._cannot(entry, "there is no such actuator any more")
            return
        device.desk.order(capability, replace(order, is_verified=False))
        if entry.is_released:
            device.desk.release(key)

    def _cannot(self, entry: OrderEntry, why: str) -> None:
        hub, target = self._hub, entry.order.target
        text = f"the standing order on {target} is not carried out any more: {why}"
        hub.note("order", text, device=target.partition("/")[0])
        hub.keep(replace(entry, ended_at=hub.clock.now()))

    def _parting(self, device: LinkedDevice, cause: str) -> Parting:
        taken = {*self._hub.devices, *(each.old_id for each in self._foreseen.values())}
        old_id = next(name for k in count(1) if (name := f"{device.id}-old-{k}") not in taken)
        orders = tuple(self._order(old_id, capability, cause) for capability in self._unsafe(device))
        return Parting(old_id, self._hub.specs[device.id].raw, orders)

    def _order(self, old_id: str, capability: Capability, cause: str) -> StandingOrder:
        return StandingOrder(
            id=self._hub.core.new_id("o"),
            target=f"{old_id}/{capability.key}",
            value=capability.fail_safe,
            cause=f"{cause} while it was not off",
            issued_at=self._hub.clock.now(),
        )

    def _unsafe(self, device: LinkedDevice) -> list[Capability]:
        """What a device owes: nothing, if over its path it was never reached by this run or any other."""
        is_reached = device.was_reached or any(each.link.has_session for each in device.attachments)
        if device.id in self.newcomers and not is_reached:
            return []
        return unsafe_of(device)

    async def abandon(self, device_id: str) -> None:
        """Let a leaving device go, whatever it is."""
        await self._gone(device_id, "a person gave it up")

    async def _gone(self, device_id: str, why: str) -> None:
        """A device that was leaving has nothing left to do."""
        if device_id not in self._leaving:
            return
        self._hub.end_orders(self._hub.devices[device_id], why)
        del self._leaving[device_id]
        await self._hub.roster.remove(device_id, why)
        self._hub.note("site", f"{device_id} is gone: {why}", device=device_id)

    def _keep(self, entries: Iterable[OrderEntry]) -> None:
        for entry in entries:
            self._hub.keep(entry)


def _endpoints(spec: DeviceSpec) -> set[Endpoint]:
    """The paths that a device uses."""
    if spec.fault:
        return set()
    pairs = zip(spec.device.adapters, spec.drivers, strict=True)
    return {driver.endpoint for adapter, driver in pairs if adapter.is_enabled}


def _output(raw: Mapping[str, Any], key: str) -> Any:
    """What a name means at a device; nothing where the device gives its own names."""
    outputs = raw.get("outputs")
    return outputs.get(key) if isinstance(outputs, dict) else None


def is_actuator(device: LinkedDevice) -> bool:
    """Whether something of the device must end at its fail-safe."""
    return any(each.fail_safe is not None for each in device.capabilities.values())


def unsafe_of(device: LinkedDevice) -> list[Capability]:
    """The actuators of a device that are not verified at their fail-safe now."""
    return [
        each
        for each in device.capabilities.values()
        if each.fail_safe is not None and device.reading(each).value != each.fail_safe
    ]
