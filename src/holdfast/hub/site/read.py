"""The one validator of sites: any mapping in, a `SiteSpec` or every problem out. Standard library only."""

from __future__ import annotations

import zoneinfo
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from holdfast.hub.site.adapter import read_adapter
from holdfast.hub.site.controllers import PLUGS, kept_off, owned, read_controller
from holdfast.hub.site.failover import FAILOVER_KEYS, read_failover
from holdfast.hub.site.plain import plain
from holdfast.hub.site.preparing import DEVICE_KEYS, Preparing
from holdfast.hub.site.problems import Findings, Locate, Place, Problem, kind_of, shown, spelled
from holdfast.hub.site.section import Section, closest
from holdfast.hub.site.sharing import check_sharing
from holdfast.hub.site.spec import ArraySpec, ControllerSpec, DeviceSpec, SiteSpec
from holdfast.model import Adapter, Device

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.hub.site.secret import SecretSource
    from holdfast.link.driver import Driver, Family

_TOP_KEYS = ("site", "devices", "controllers", "arrays")
_SITE_KEYS = ("id", "name", "timezone", "temperature_unit")
ARRAY_KEYS = ("id", "name", "packs", "attached_to")

_DEFAULT_ID = "home"
_DEFAULT_TIMEZONE = "UTC"
_TEMPERATURE_UNITS = ("celsius", "fahrenheit")


def read_site(
    mapping: Mapping[str, Any],
    families: Mapping[str, Family],
    *,
    secrets: SecretSource,
    locate: Locate | None = None,
    source: str = "site",
) -> SiteSpec:
    """Check a site and prepare its drivers; raises `SiteError` with all problems, and nothing else.

    ``mapping`` is copied, never kept. ``locate`` adds line numbers and ``source`` names the file. Reads time
    zones and secrets from disk, so a running loop should call it in a thread.
    """
    findings = Findings(source, locate)
    raw = _plain(mapping, findings)
    findings.raise_any()
    spec = _Reading(families, secrets, findings).site(Section(raw, (), findings))
    findings.raise_any()
    return spec


def read_what_can_be_used(
    mapping: Mapping[str, Any],
    families: Mapping[str, Family],
    *,
    secrets: SecretSource,
    source: str = "site",
) -> SiteSpec:
    """The same for a site that must run, whatever is wrong with some of it: one bad device never stops the rest.

    A device with a problem has no driver and says why in its ``fault``; a controller with one keeps its plugs off and
    says why. Raises `SiteError` only for what is no site at all.
    """
    findings = Findings(source)
    reading = _Reading(families, secrets, findings)
    spec = reading.site(Section(_plain(mapping, findings), (), findings))
    problems = findings.problems
    devices = [
        _disabled(device, faults)
        if (faults := [each for each in problems if each.path[:2] == place])
        else device
        for place, device in zip(reading.places, spec.devices, strict=True)
    ]
    controllers = [
        kept_off(controller, [each for each in problems if each.path[:2] == place])
        for place, controller in zip(reading.controller_places, spec.controllers, strict=True)
    ]
    return replace(
        spec,
        devices=tuple(each for each in devices if each.device.id),
        controllers=tuple(controllers),
        problems=problems,
    )


def _plain(mapping: Mapping[str, Any], findings: Findings) -> dict[Any, Any]:
    raw = plain(mapping, findings)
    if not isinstance(raw, dict):
        findings.note((), f"a site is a mapping, not {kind_of(raw)}", "begin with the keys site and devices")
        raise findings.error()
    return raw


def _disabled(spec: DeviceSpec, faults: Sequence[Problem]) -> DeviceSpec:
    text = "; ".join(f"{spelled(each.path)}: {each.text}" for each in faults)
    return DeviceSpec(replace(spec.device, adapters=()), (), spec.raw, text)


class _Reading:
    """One pass over a site."""

    def __init__(self, families: Mapping[str, Family], secrets: SecretSource, findings: Findings) -> None:
        self._families = families
        self._secrets = secrets
        self._findings = findings
        self._device_ids: dict[str, Place] = {}
        self.places: list[Place] = []
        """Where each device stands, in the order of the devices that were read."""
        self.controller_places: list[Place] = []
        """The same for controllers."""
        self._array_ids: dict[str, Place] = {}
        self._plugs: dict[str, Place] = {}
        self._owned: Mapping[str, Mapping[str, float]] = {}
        self._packs: dict[str, Place] = {}
        self._used: list[tuple[Place, Adapter, Driver]] = []

    def site(self, top: Section) -> SiteSpec:
        top.refuse_unknown(_TOP_KEYS)
        self._owned = owned(top.raw)
        head = Section(top.mapping("site") or {}, ("site",), self._findings)
        head.refuse_unknown(_SITE_KEYS)
        ident = head.ident("id") or _DEFAULT_ID
        found = top.sections("devices") if top.has("devices", "a site needs a list of devices") else []
        devices = [self._device(section) for section in found]
        self.places = [section.place for section in found]
        check_sharing(self._used, self._findings)
        arrays = (
            [self._array(section) for section in top.sections("arrays")]
            if top.raw.get("arrays") is not None
            else []
        )
        given = top.sections("controllers") if top.raw.get("controllers") is not None else []
        controllers = [self._controller(each, devices) for each in given]
        return SiteSpec(
            id=ident,
            name=head.text("name") or ident,
            timezone=_timezone(head),
            temperature_unit=head.choice("temperature_unit", _TEMPERATURE_UNITS, _TEMPERATURE_UNITS[0]),
            devices=tuple(devices),
            arrays=tuple(each for each in arrays if each is not None),
            controllers=tuple(each for each in controllers if each is not None),
        )

    def _array(self, section: Section) -> ArraySpec | None:
        section.refuse_unknown(ARRAY_KEYS)
        section.has("id", "give each array an id of its own, such as 'cellar'")
        ident = section.ident("id")
        if ident is not None:
            self._keep_unique(self._array_ids, ident, section, "arrays")
        packs = section.raw.get("packs", [])
        if not isinstance(packs, list):
            section.note("packs", f"a list is expected here, not {kind_of(packs)}", "write [pack-1, pack-2]")
            packs = []
        for number, pack in enumerate(packs):
            self._check_pack(pack, (*section.place, "packs", number))
        name, attached_to = section.text("name"), section.text("attached_to")
        if ident is None:
            return None
        return ArraySpec(
            id=ident, name=name or ident, packs=tuple(map(str, packs)), attached_to=attached_to or ""
        )

    def _controller(self, section: Section, devices: Sequence[DeviceSpec]) -> ControllerSpec | None:
        section.has("id", "give each controller an id of its own, such as 'fermenter'")
        ident = section.ident("id")
        if ident is None or not self._keep_unique(
            self._device_ids, ident, section, "devices and controllers"
        ):
            return None
        for key in PLUGS:
            target = section.raw.get(key)
            if isinstance(target, str) and target:
                first = self._plugs.setdefault(target, section.place)
                if first != section.place:
                    section.note(
                        key, f"{target} belongs to {spelled(first)} already", "a plug has one controller"
                    )
        self.controller_places.append(section.place)
        return read_controller(section, ident, devices, self._findings)

    def _check_pack(self, pack: object, place: Place) -> None:
        if pack not in self._device_ids:
            known = ", ".join(self._device_ids) or "none"
            self._findings.note(
                place, f"{shown(pack)} is not a device", f"a pack is a device; there are: {known}"
            )
        elif (first := self._packs.setdefault(str(pack), place)) != place:
            self._findings.note(
                place, f"{shown(pack)} is already in {spelled(first[:2])}", "a pack is in one array"
            )

    def _device(self, section: Section) -> DeviceSpec:
        section.refuse_unknown(DEVICE_KEYS)
        section.has("id", "give each device an id of its own, such as 'house'")
        ident = section.ident("id")
        if ident is not None:
            self._keep_unique(self._device_ids, ident, section, "devices")
        name = section.text("name") or ident or ""
        options = section.mapping("options")
        failover = read_failover(Section(options or {}, (*section.place, "options"), self._findings))
        outputs = section.named("outputs")
        capabilities = section.named("capabilities", is_path=True)
        adapters, places = self._adapters(section)
        device = Device(
            id=ident or "",
            name=name,
            adapters=tuple(adapters),
            options={key: value for key, value in (options or {}).items() if key not in FAILOVER_KEYS},
            outputs=outputs or {},
            capabilities=capabilities or {},
            failover=failover,
            owned=self._owned.get(ident or "", {}),
        )
        if None in (ident, options, outputs, capabilities):
            return DeviceSpec(
                device, (), section.raw
            )  # its drivers would only complain about what is known already
        preparing = Preparing(device, section.place, places, self._findings)
        drivers: list[Driver] = []
        for adapter in adapters:
            driver = preparing.driver(adapter, self._families[adapter.driver])
            if driver is not None:
                drivers.append(driver)
                self._used.append((places[adapter.id], adapter, driver))
        return DeviceSpec(device, tuple(drivers), section.raw)

    def _adapters(self, device: Section) -> tuple[list[Adapter], dict[str, Place]]:
        if not device.has("adapters", "a device needs a list with at least one adapter"):
            return [], {}
        if device.raw["adapters"] == []:
            device.note("adapters", "this list is empty", "a device needs at least one adapter")
        adapters: list[Adapter] = []
        places: dict[str, Place] = {}
        for section in device.sections("adapters"):
            adapter = read_adapter(section, self._families, self._secrets)
            if adapter is not None and self._keep_unique(places, adapter.id, section, "adapters of a device"):
                adapters.append(adapter)
        return adapters, places

    def _keep_unique(self, places: dict[str, Place], ident: str, section: Section, what: str) -> bool:
        first = places.setdefault(ident, section.place)
        if first == section.place:
            return True
        section.note("id", f"{ident!r} is already the id of {spelled(first)}", f"ids of {what} must differ")
        return False


def _timezone(site: Section) -> str:
    name = site.text("timezone")
    if name is None or name == _DEFAULT_TIMEZONE:
        return _DEFAULT_TIMEZONE
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = sorted(zoneinfo.available_timezones())
        if known:  # without a time-zone database (Windows, small containers) nobody can tell
            meant = closest(name, known)
            advice = f"did you mean {meant!r}?" if meant else "use a name such as Europe/Brussels"
            site.note("timezone", f"{shown(name)} is not a time zone", advice)
    return name
