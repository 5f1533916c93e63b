"""The controllers of a site: who they are, what they own, and whether what they name is there."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from holdfast.control import ThermostatSettings, Unit, parse_settings
from holdfast.control.limits import EnteredBand, EnteredLimits
from holdfast.control.settings import DEAD_MAN_S
from holdfast.errors import ConfigurationError
from holdfast.hub.site.spec import ControllerSpec, DeviceSpec
from holdfast.model import ValueType
from holdfast.options import Section as Options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.hub.site.problems import Findings, Problem
    from holdfast.hub.site.section import Section
    from holdfast.model import Capability

KINDS = ("thermostat",)
PLUGS = ("heater", "cooler")
"""Keys of a controller that name an actuator, which it then owns."""
NAMES = ("id", "sensor", "gravity", *PLUGS)
"""Keys of a controller that name something of the site."""
_SENSORS = {"sensor": (Unit.CELSIUS.value, Unit.FAHRENHEIT.value), "gravity": ("", "sg", "SG")}
"""Keys that name what is measured, and the units that make sense there."""


def owned(site: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """By device: the actuators that controllers own, and for how many seconds they may go unrenewed.

    It looks at a site that may be wrong in any way: a plug stays guarded whatever else is wrong with its controller.
    """
    found: dict[str, dict[str, float]] = {}
    controllers = site.get("controllers")
    for controller in controllers if isinstance(controllers, list) else ():
        if not isinstance(controller, dict):
            continue
        for plug in PLUGS:
            target = controller.get(plug)
            device_id, slash, key = target.partition("/") if isinstance(target, str) else ("", "", "")
            if slash:
                found.setdefault(device_id, {})[key] = _dead_man_s(controller)
    return found


def _dead_man_s(controller: Mapping[str, Any]) -> float:
    value = controller.get("dead_man_s")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        return DEAD_MAN_S
    return float(value)


def read_controller(
    section: Section, ident: str, devices: Sequence[DeviceSpec], findings: Findings
) -> ControllerSpec:
    """Read one controller; what is wrong is noted, and its plugs are named by it all the same."""
    name = section.text("name") or ident
    section.has("kind", f"say which kind it is: {' or '.join(KINDS)}")
    if "kind" in section.raw:
        section.choice("kind", KINDS, KINDS[0])
    try:
        settings = parse_settings(Options(section.raw, section.place))
    except ConfigurationError as error:
        findings.note(error.path, error.text, error.advice)
        settings = _plugs_alone(section.raw)
    else:
        known = {each.device.id: each for each in devices}
        for key in PLUGS:
            _check_plug(section, key, known)
        for key, units in _SENSORS.items():
            _check_sensor(section, key, units, known)
        if settings.is_enabled and settings.fault:
            findings.note(section.place, settings.fault, "")
    return ControllerSpec(id=ident, name=name, settings=settings, raw=section.raw)


def kept_off(spec: ControllerSpec, problems: Sequence[Problem]) -> ControllerSpec:
    """The same controller where something of it is wrong: it keeps its plugs off and says why.

    What is wrong with its limits alone it finds out by itself, and a person may mend that while it runs.
    """
    texts = [each.text for each in problems if each.text != spec.settings.fault]
    if not texts:
        return spec
    return replace(spec, settings=replace(spec.settings, problem="; ".join(texts)))


def _plugs_alone(raw: Mapping[str, Any]) -> ThermostatSettings:
    heater, cooler = (raw.get(key) for key in PLUGS)
    return ThermostatSettings(
        limits=EnteredLimits(EnteredBand(None, None)),
        heater=heater if isinstance(heater, str) else "",
        cooler=cooler if isinstance(cooler, str) else "",
    )


def _check_plug(section: Section, key: str, devices: Mapping[str, DeviceSpec]) -> None:
    capability = _named(section, key, devices)
    if capability is None:
        return
    if not capability.writable or capability.type is not ValueType.BOOLEAN:
        section.note(key, f"{section.raw[key]} is nothing to switch", "name a switch: device/switch")
    elif capability.fail_safe is not False:
        text = f"{section.raw[key]} cannot be made to end off"
        section.note(key, text, "its driver knows no fail-safe for it; use a plug that does")


def _check_sensor(
    section: Section, key: str, units: Sequence[str], devices: Mapping[str, DeviceSpec]
) -> None:
    capability = _named(section, key, devices)
    if capability is None:
        return
    if capability.type is not ValueType.NUMBER or capability.unit not in units:
        what = "temperature" if key == "sensor" else "specific gravity"
        unit = f" in {capability.unit}" if capability.unit else ""
        section.note(key, f"{section.raw[key]} is a {capability.type}{unit}, no {what}", f"name a {what}")


def _named(section: Section, key: str, devices: Mapping[str, DeviceSpec]) -> Capability | None:
    """The capability that a key names; ``None`` where it names none, notes why, or where nobody can know it yet."""
    target = section.raw.get(key)
    if not target:
        return None
    device_id, _, rest = str(target).partition("/")
    spec = devices.get(device_id)
    if spec is None:
        known = ", ".join(devices) or "none"
        section.note(key, f"there is no device {device_id!r}", f"there are: {known}")
        return None
    known_here = {each.key: each for driver in spec.drivers for each in driver.capabilities}
    if rest in known_here:
        return known_here[rest]
    learns = any(driver.learn is not None or driver.takes_strangers for driver in spec.drivers)
    if spec.drivers and (not learns or key in PLUGS):
        names = ", ".join(sorted(known_here)) or "nothing"
        section.note(key, f"{device_id} has no {rest!r}", f"it has: {names}")
    return None
