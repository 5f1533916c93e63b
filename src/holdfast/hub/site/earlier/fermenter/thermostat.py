"""One controller of the earlier program as one of a site."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdfast.hub.site.earlier.fermenter.limits import band_fault, limit_of
from holdfast.hub.site.earlier.plainly import flag
from holdfast.hub.site.problems import kind_of, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.hub.site.problems import Findings, Place

LONGEST_REST_S: Final = 3600
"""The longest rest of a cooler that a site may ask for."""
_MINUTE_S: Final = 60
_OFF: Final = "the controller is not enabled"


class PlugKeys(NamedTuple):
    """How the earlier program and a site speak of one of the two plugs."""

    earlier: str
    port: str
    enable: str
    role: str
    enabled: str
    device: str


PLUGS: Final = (
    PlugKeys("heating_plug", "heating_plug_port", "enable_heating", "heater", "heating_enabled", "heater"),
    PlugKeys("cooling_plug", "cooling_plug_port", "enable_cooling", "cooler", "cooling_enabled", "fridge"),
)
TAKEN: Final = frozenset(
    {
        "low_limit",
        "high_limit",
        "tilt_color",
        "compressor_delay",
        "temp_control_enabled",
        "temp_control_active",
        "controller_id",
        *(key for plug in PLUGS for key in (plug.earlier, plug.port, plug.enable)),
    }
)
"""Keys that are read here or in the devices."""

_SWITCHES: Final = (
    ("temp_control_enabled", True, "temperature control was off as a whole"),
    (
        "temp_control_active",
        False,
        "the switch MONITOR was off, as the program itself sets it at each start",
    ),
)
"""Both had to be on, the first one by default: fact sheet section 2."""


class Thermostat:
    """A controller in the making. ``doubts`` say why it is not enabled; each has been told already."""

    def __init__(self, raw: Mapping[str, Any], place: Place, findings: Findings) -> None:
        self._raw = raw
        self._place = place
        self._findings = findings
        self.doubts: list[str] = []

    def doubt(self, key: str, text: str, advice: str = "") -> None:
        """Tell of something that keeps the controller from being enabled."""
        self.note(key, text, f"{advice}; {_OFF}" if advice else _OFF)
        self.doubts.append(f"{key}: {text}" if key else text)

    def note(self, key: str, text: str, advice: str = "") -> None:
        """Tell of something that does not."""
        self._findings.note((*self._place, key) if key else self._place, text, advice)

    def written(self, ident: str, tilt: str, devices: Mapping[str, str]) -> dict[str, Any]:
        """The entry of the site; ``devices`` are the plugs by role."""
        entry: dict[str, Any] = {"id": ident, "kind": "thermostat"}
        if tilt:
            entry |= {"sensor": f"{tilt}/temperature", "gravity": f"{tilt}/gravity"}
        entry |= {role: f"{device}/switch" for role, device in devices.items()}
        entry |= self._limits()
        modes = {plug.enabled: self._mode(plug) for plug in PLUGS}
        rest = self._rest_s()
        self._ask_for_plugs(modes, devices)
        self._switches()
        entry["enabled"] = not self.doubts
        entry |= modes
        if rest is not None:
            entry["cooler_min_off_s"] = rest
        return entry

    # --- limits --------------------------------------------------------------------------------------------------

    def _limits(self) -> dict[str, str]:
        low, high = (limit_of(self._raw.get(key)) for key in ("low_limit", "high_limit"))
        for key, limit in (("low_limit", low), ("high_limit", high)):
            if limit.remark:
                self.note(key, limit.remark, f"taken over as {limit.text}")
            if limit.fault:
                self.doubt(key, limit.fault, "enter a limit such as 66 °F")
        if fault := band_fault(low, high):
            self.doubt("high_limit", fault, "taken over as it stands")
        return {name: limit.text for name, limit in (("low", low), ("high", high)) if limit.text}

    # --- modes and switches --------------------------------------------------------------------------------------

    def _mode(self, plug: PlugKeys) -> bool:
        raw = self._raw.get(plug.enable)
        mode = flag(raw)
        if mode is None:
            text = "this is missing" if raw is None else f"{shown(raw)} is neither true nor false"
            self.note(plug.enable, text, f"taken over as {plug.enabled}: false")
        return mode is True

    def _ask_for_plugs(self, modes: Mapping[str, bool], devices: Mapping[str, str]) -> None:
        for plug in PLUGS:
            if modes[plug.enabled] and plug.role not in devices:
                self.note(
                    plug.enable, f"there is no {plug.role} to switch", "enabled all the same, as it was"
                )
        if not devices and not self.doubts:
            self.doubt("", "there is no plug to switch")

    def _switches(self) -> None:
        for key, default, text in _SWITCHES:
            raw = self._raw.get(key)
            if flag(default if raw is None else raw) is not True:
                said = "this is missing" if raw is None else f"{shown(raw)} stands here"
                self.doubt(key, f"{said}: {text}")

    # --- the compressor ------------------------------------------------------------------------------------------

    def _rest_s(self) -> float | None:
        """The shortest rest of the cooler in seconds; ``None`` leaves it to Holdfast."""
        key = "compressor_delay"
        raw = self._raw.get(key)
        if raw is None:
            return None
        minutes = _number(raw)
        if minutes is None or minutes <= 0:
            text = f"{shown(raw)} is no rest for a compressor" if minutes is not None else _no_number(raw)
            self.note(key, text, "the earlier program never used it; it becomes Holdfast's 5 min")
            return None
        seconds = minutes * _MINUTE_S
        if seconds > LONGEST_REST_S:
            text = f"{shown(raw)} min is more than a site can ask for"
            self.note(key, text, f"taken over as {LONGEST_REST_S} s")
            return LONGEST_REST_S
        self.note(
            key,
            f"taken over as cooler_min_off_s: {seconds:g}",
            "it is kept from now on: the earlier program had it in its file and never used it",
        )
        return int(seconds) if seconds == int(seconds) else seconds


def _number(raw: object) -> float | None:
    if isinstance(raw, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,6}(\.[0-9]+)?\s*", raw, re.ASCII):
        return float(raw)
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None
    return float(raw) if abs(raw) < 1e6 and math.isfinite(raw) else None


def _no_number(raw: object) -> str:
    return f"{shown(raw) if isinstance(raw, str | bool) else kind_of(raw)} is no number of minutes"
