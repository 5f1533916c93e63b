"""The controllers of a hub, and which plug belongs to which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.control import Role
from holdfast.errors import UnknownTarget
from holdfast.hub.controllers.thermostat import Thermostat

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from holdfast.hub.hub import Hub
    from holdfast.hub.ports import MemoryEntry, SwitchEntry
    from holdfast.hub.site.spec import ControllerSpec
    from holdfast.link.device import LinkedDevice
    from holdfast.model import Capability, Issuer, Receipt


class Controllers:
    """All controllers of one hub, by id."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._all: dict[str, Thermostat] = {}
        self._saved: dict[str, dict[str, object]] = {}
        self._by_target: dict[str, list[Thermostat]] = {}
        self._is_running = False

    def __iter__(self) -> Iterator[Thermostat]:
        return iter(list(self._all.values()))

    def __len__(self) -> int:
        return len(self._all)

    def get(self, controller_id: str) -> Thermostat | None:
        """A controller by id, if there is one."""
        return self._all.get(controller_id)

    def controller(self, controller_id: str) -> Thermostat:
        """A controller by id; raises `UnknownTarget` naming the known ones."""
        found = self._all.get(controller_id)
        if found is None:
            known = ", ".join(sorted(self._all)) or "none"
            raise UnknownTarget(
                f"there is no controller {controller_id!r}", advice=f"Known controllers: {known}."
            )
        return found

    # --- coming and going --------------------------------------------------------------------------------------------

    def restore(self, memories: Mapping[tuple[str, str], MemoryEntry]) -> None:
        """What the store kept of controllers, for those that are there and those that are added later."""
        for (ident, key), entry in memories.items():
            self._saved.setdefault(ident, {})[key] = entry.value
        for ident, controller in self._all.items():
            saved = self._saved.pop(ident, None)
            if saved is None:
                continue
            if controller.is_running:
                controller.catch_up(saved)
            else:
                self._all[ident] = Thermostat(self._hub, controller.spec, saved)
        self._index()

    def add(self, spec: ControllerSpec) -> Thermostat:
        """Take a controller in; it begins at once where the hub runs."""
        controller = Thermostat(self._hub, spec, self._saved.pop(spec.id, None))
        self._all[spec.id] = controller
        self._index()
        if self._is_running:
            controller.start()
        return controller

    def start(self) -> None:
        """Begin to control."""
        self._is_running = True
        for controller in self._all.values():
            controller.start()

    def stop(self) -> None:
        """Control nothing any more."""
        self._is_running = False
        for controller in self._all.values():
            controller.stop()

    def release(self, specs: Sequence[ControllerSpec]) -> None:
        """Controllers that are not among ``specs``, or own other plugs there, decide nothing from here on."""
        coming = {spec.id: spec for spec in specs}
        for ident, controller in list(self._all.items()):
            spec = coming.get(ident)
            if spec is None:
                controller.retire()
                del self._all[ident]
                self._hub.end_alarms(ident, "the controller was removed")
                self._hub.note("site", f"controller {ident} is gone", device=ident)
            elif spec.settings.targets != controller.settings.targets:
                controller.stop()
        self._index()

    def reconfigure(self, specs: Sequence[ControllerSpec], rebuilt: Collection[str]) -> None:
        """The controllers of the new site, once its devices are there; those of ``rebuilt`` may be other things now."""
        for known in self._all.values():
            known.plugs_replaced(rebuilt)
        for spec in specs:
            controller = self._all.get(spec.id)
            if controller is None:
                self.add(spec)
            elif controller.spec != spec or not controller.is_running:
                controller.adapt(spec)
                if self._is_running and not controller.is_running:
                    controller.start()
            elif {target.partition("/")[0] for target in controller.sources} & set(rebuilt):
                controller.ask()
        self._index()

    def _index(self) -> None:
        self._by_target = {}
        for controller in self._all.values():
            for target in controller.sources:
                self._by_target.setdefault(target, []).append(controller)

    def laid_over(self, site: Mapping[str, Any]) -> dict[str, Any]:
        """A site with what was set of its controllers while they ran."""
        controllers = site.get("controllers")
        if not isinstance(controllers, list):
            return dict(site)

        def in_force(raw: Any) -> Any:
            known = self._all.get(str(raw.get("id"))) if isinstance(raw, dict) else None
            return raw if known is None else known.entered.laid_over(raw)

        return {**site, "controllers": [in_force(raw) for raw in controllers]}

    # --- what the hub tells ------------------------------------------------------------------------------------------

    def reading_changed(self, target: str) -> None:
        """A value or its quality is different now."""
        for controller in self._by_target.get(target, ()):
            controller.ask()

    def receipt_changed(self, receipt: Receipt) -> None:
        """A command took a step."""
        for controller in self._by_target.get(receipt.target, ()):
            controller.receipt_changed(receipt)

    def order_changed(self, target: str) -> None:
        """A standing order was verified, doubted, or has ended."""
        for controller in self._by_target.get(target, ()):
            controller.ask()

    def switched(self, entry: SwitchEntry) -> None:
        """An actuator was seen to change: heating and cooling are told by what the plugs report."""
        owner, role = self.owner_of(entry.target)
        if owner is None or role is None or not isinstance(entry.value, bool):
            return
        kind = "heating" if role is Role.HEATER else "cooling"
        word = "on" if entry.value else "off"
        text = f"the {role} is {word}"
        self._hub.note(
            kind, text, device=owner.id, target=entry.target, is_on=entry.value, observed_at=entry.at
        )

    def suspended(self) -> None:
        """The machine slept: everything is to be looked at anew."""
        for controller in self._all.values():
            controller.ask()

    # --- who owns what -----------------------------------------------------------------------------------------------

    def owner_of(self, target: str) -> tuple[Thermostat, Role] | tuple[None, None]:
        """The controller that owns a plug, and what the plug is to it."""
        for controller in self._by_target.get(target, ()):
            for role in Role:
                if controller.settings.targets.of(role) == target:
                    return controller, role
        return None, None

    def command(
        self,
        device: LinkedDevice,
        capability: Capability,
        value: object,
        issuer: Issuer,
        timeout_s: float | None,
        take_over_s: float | None,
    ) -> Receipt:
        """A command on a device: what a controller owns is commanded through it, all else directly."""
        owner, role = self.owner_of(f"{device.id}/{capability.key}")
        if owner is None or role is None:
            return device.command(capability.key, value, issuer, timeout_s)
        return owner.command_plug(role, device, capability, value, issuer, timeout_s, take_over_s)
