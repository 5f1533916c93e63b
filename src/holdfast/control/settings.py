"""What the owner wants of a thermostat, as read from one entry under ``controllers`` of the site file."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from holdfast.control.limits import EnteredBand, EnteredLimits, exact, warnings
from holdfast.control.pair import Pair, Role
from holdfast.control.profile import READINGS, Hold, HoldUntilGravity, Position, Ramp, Step, limits_at
from holdfast.options import Section

if TYPE_CHECKING:
    from holdfast.control.limits import Limits

FRESH_S: Final = 240.0
"""A reading must be younger than this to switch by. Source: fact sheet section 4, rule 1."""
FRESH_USUAL_S: Final = (60.0, 900.0)
"""Outside this range `FRESH_S` was set strangely: fact sheet section 4, rule 1."""
CYCLE_S: Final = 10.0
"""The control cycle: fact sheet section 2."""
HEATER_MIN_OFF_S: Final = 60.0
HEATER_MIN_ON_S: Final = 60.0
COOLER_MIN_OFF_S: Final = 300.0
COOLER_MIN_ON_S: Final = 180.0
DEAD_TIME_S: Final = 600.0
"""Shortest rests and runs, and the pause between opposite actions: Holdfast's defaults in fact sheet section 5, those
of the cooler and the dead time as BrewPi has them."""
LEASE_S: Final = 600.0
"""An ON that cannot be renewed for so long ends: fact sheet section 4, rule 9."""
DEAD_MAN_S: Final = 600.0
"""After so long without renewal a plug that can switches itself off: fact sheet section 4, rule 9."""
_DAY_S: Final = 86_400.0
_YEAR_S: Final = 365 * _DAY_S
_TARGET: Final = re.compile(r"[a-z0-9][a-z0-9_-]*/[a-z0-9][a-z0-9_/-]*")
_TARGET_ADVICE: Final = "name a capability of a device: device/capability"
_STEP_ADVICE: Final = "use one of: hold_s, ramp_s, until_gravity_below"
_KNOWN: Final = (
    "cooler",
    "cooler_min_off_s",
    "cooler_min_on_s",
    "cooling",
    "cooling_enabled",
    "cycle_s",
    "dead_man_s",
    "dead_time_s",
    "enabled",
    "fresh_s",
    "gravity",
    "heater",
    "heater_min_off_s",
    "heater_min_on_s",
    "heating_enabled",
    "high",
    "id",
    "kind",
    "lease_s",
    "low",
    "name",
    "profile",
    "sensor",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThermostatSettings:
    """One thermostat. Durations are in seconds; targets read ``device/capability``, empty where there is none.

    The limits are kept as entered and may be unusable; ``fault`` says how. A plug whose mode is not
    enabled is kept OFF. ``problem`` says why the entry could not be read whole: then only its plugs are
    known, and they are kept OFF.
    """

    limits: EnteredLimits
    sensor: str = ""
    gravity: str = ""
    heater: str = ""
    cooler: str = ""
    is_enabled: bool = True
    is_heating_enabled: bool = True
    is_cooling_enabled: bool = True
    fresh_s: float = FRESH_S
    cycle_s: float = CYCLE_S
    heater_min_off_s: float = HEATER_MIN_OFF_S
    heater_min_on_s: float = HEATER_MIN_ON_S
    cooler_min_off_s: float = COOLER_MIN_OFF_S
    cooler_min_on_s: float = COOLER_MIN_ON_S
    dead_time_s: float = DEAD_TIME_S
    lease_s: float = LEASE_S
    dead_man_s: float = DEAD_MAN_S
    profile: tuple[Step, ...] = ()
    problem: str = ""

    @property
    def targets(self) -> Pair[str]:
        """The plugs' targets, empty where there is none."""
        return Pair(self.heater, self.cooler)

    @property
    def modes(self) -> Pair[bool]:
        """Whether heating and cooling are enabled."""
        return Pair(self.is_heating_enabled, self.is_cooling_enabled)

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles that have a plug."""
        return tuple(role for role in Role if self.targets.of(role))

    @property
    def min_off_s(self) -> Pair[float]:
        """The shortest rest of each plug."""
        return Pair(self.heater_min_off_s, self.cooler_min_off_s)

    @property
    def min_on_s(self) -> Pair[float]:
        """The shortest run of each plug."""
        return Pair(self.heater_min_on_s, self.cooler_min_on_s)

    @property
    def fault(self) -> str:
        """Why nothing can be controlled by these settings, in words; empty where it can."""
        if self.problem:
            return self.problem
        if not self.roles:
            return "neither a heater nor a cooler is assigned"
        if self.heater == self.cooler:
            return f"heater and cooler are the same plug, {self.heater}"
        try:
            self.limits_at(Position())
        except ValueError as error:
            return str(error)
        return ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What works and is strange, in words; an editor may show it."""
        found = []
        least, most = FRESH_USUAL_S
        if not least <= self.fresh_s <= most:
            found.append(f"fresh_s {self.fresh_s:g} is unusual: {least:g} to {most:g} s suit a fermentation")
        if not self.fault:
            entered = (self.limits, *(step.limits for step in self.profile))
            found += dict.fromkeys(text for each in entered for text in warnings(exact(each)))
        return tuple(found)

    def limits_at(self, position: Position) -> Limits:
        """The limits in force at a place of the profile. Raises `ValueError` where any limit cannot be used."""
        return limits_at(self.profile, self.limits, position)

    def with_band(self, low: object, high: object) -> ThermostatSettings:
        """The same with other limits, as a person entered them; a separate cooling band stays."""
        return replace(self, limits=replace(self.limits, band=EnteredBand(low, high)))


def parse_settings(section: Section) -> ThermostatSettings:
    """Read one controller. Raises `ConfigurationError` with the path to what does not fit.

    Limits are taken as they are, whatever they are: a thermostat without usable limits keeps its plugs OFF and says
    why, where a refused site file would leave them alone. Whoever edits a site asks ``fault`` and ``warnings``.
    """
    section.allow(_KNOWN)
    return ThermostatSettings(
        limits=_limits(section),
        sensor=_target(section, "sensor"),
        gravity=_target(section, "gravity"),
        heater=_target(section, "heater"),
        cooler=_target(section, "cooler"),
        is_enabled=section.flag("enabled", default=True),
        is_heating_enabled=section.flag("heating_enabled", default=True),
        is_cooling_enabled=section.flag("cooling_enabled", default=True),
        fresh_s=section.seconds("fresh_s", 1, _DAY_S, FRESH_S),
        cycle_s=section.seconds("cycle_s", 1, 60, CYCLE_S),
        heater_min_off_s=section.seconds("heater_min_off_s", 0, 3600, HEATER_MIN_OFF_S),
        heater_min_on_s=section.seconds("heater_min_on_s", 0, 3600, HEATER_MIN_ON_S),
        cooler_min_off_s=section.seconds("cooler_min_off_s", 0, 3600, COOLER_MIN_OFF_S),
        cooler_min_on_s=section.seconds("cooler_min_on_s", 0, 3600, COOLER_MIN_ON_S),
        dead_time_s=section.seconds("dead_time_s", 0, 7200, DEAD_TIME_S),
        lease_s=section.seconds("lease_s", 30, 3600, LEASE_S),
        dead_man_s=section.seconds("dead_man_s", 3, 3600, DEAD_MAN_S),
        profile=_profile(section),
    )


def _target(section: Section, key: str) -> str:
    text = section.text(key, "")
    if text and not _TARGET.fullmatch(text):
        raise section.fail(key, f"{text!r} is no target", _TARGET_ADVICE)
    return text


def _limits(section: Section) -> EnteredLimits:
    cooling = None
    if section.raw.get("cooling") is not None:
        inner = Section(section.raw["cooling"], section.at("cooling"))
        inner.allow(("low", "high"))
        cooling = _band(inner)
    return EnteredLimits(_band(section), cooling)


def _band(section: Section) -> EnteredBand:
    return EnteredBand(section.raw.get("low"), section.raw.get("high"))


def _profile(section: Section) -> tuple[Step, ...]:
    raw: Any = section.raw.get("profile") or ()
    if not isinstance(raw, list | tuple):
        raise section.fail("profile", "a profile is a list of steps", _STEP_ADVICE)
    return tuple(_step(Section(each, (*section.at("profile"), index))) for index, each in enumerate(raw))


def _step(section: Section) -> Step:
    section.allow(("low", "high", "cooling", "hold_s", "ramp_s", "until_gravity_below", "readings"))
    kinds = [key for key in ("hold_s", "ramp_s", "until_gravity_below") if key in section.raw]
    limits = _limits(section)
    if len(kinds) > 1:
        raise section.fail(kinds[1], f"a step has one of {kinds[0]} and {kinds[1]}", _STEP_ADVICE)
    if kinds == ["ramp_s"]:
        return Ramp(limits, section.seconds("ramp_s", 1, _YEAR_S, _DAY_S))
    if kinds == ["until_gravity_below"]:
        below = section.raw["until_gravity_below"]
        if isinstance(below, bool) or not isinstance(below, int | float) or not 0.9 <= below <= 1.3:
            raise section.fail("until_gravity_below", f"{below!r} is no specific gravity", "such as 1.020")
        return HoldUntilGravity(limits, float(below), section.whole("readings", 1, 100, READINGS))
    if kinds == ["hold_s"]:
        return Hold(limits, section.seconds("hold_s", 1, _YEAR_S, _DAY_S))
    return Hold(limits)
