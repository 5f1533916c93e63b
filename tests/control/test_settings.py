"""One entry under ``controllers``."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.control import Hold, HoldUntilGravity, Ramp, ThermostatSettings, parse_settings
from holdfast.errors import ConfigurationError
from holdfast.options import Section
from tests.control.bench import settings

ENTRY: dict[str, Any] = {
    "id": "fermenter",
    "kind": "thermostat",
    "sensor": "tilt-red/temperature",
    "heater": "heater/switch",
    "cooler": "fridge/switch",
    "low": 18.0,
    "high": "68 °F",
}


def parsed(**changes: Any) -> ThermostatSettings:
    return parse_settings(Section({**ENTRY, **changes}, ("controllers", 0)))


def test_defaults() -> None:
    """Holdfast's times, both modes on, limits as entered."""
    found = parsed()
    assert tuple(found.limits.band) == (18.0, "68 °F")
    times = [found.fresh_s, found.cycle_s, found.dead_time_s, found.lease_s, found.dead_man_s]
    assert times == [240, 10, 600, 600, 600]
    assert (found.heater_min_off_s, found.heater_min_on_s) == (60, 60)
    assert (found.cooler_min_off_s, found.cooler_min_on_s) == (300, 180)
    assert found.is_enabled
    assert (found.fault, found.warnings) == ("", ())


def test_everything() -> None:
    """A cooling band, a profile of each kind of step, and modes."""
    found = parsed(
        cooling={"low": 19, "high": 21},
        heating_enabled=False,
        profile=[
            {"low": 18, "high": 20, "hold_s": 86400},
            {"low": 18, "high": 20, "until_gravity_below": 1.02, "readings": 5},
            {"low": 20, "high": 22, "ramp_s": 3600, "cooling": {"low": 21, "high": 23}},
            {"low": 20, "high": 22},
        ],
    )
    assert found.limits.cooling == (19, 21)
    assert not found.modes.heater
    assert [type(step) for step in found.profile] == [Hold, HoldUntilGravity, Ramp, Hold]
    assert found.fault == ""
    changed = found.with_band("64 F", "66 F").limits
    assert (changed.band, changed.cooling) == (("64 F", "66 F"), (19, 21))


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"heter": "x/y"}, ("heter",)),
        ({"sensor": "tilt"}, ("sensor",)),
        ({"sensor": 5}, ("sensor",)),
        ({"enabled": "yes"}, ("enabled",)),
        ({"cycle_s": 0}, ("cycle_s",)),
        ({"cooling": [1]}, ("cooling",)),
        ({"cooling": {"lo": 1}}, ("cooling", "lo")),
        ({"profile": "fast"}, ("profile",)),
        ({"profile": ["fast"]}, ("profile", 0)),
        ({"profile": [{"hold_s": 60, "ramp_s": 60}]}, ("profile", 0, "ramp_s")),
        ({"profile": [{"until_gravity_below": 20}]}, ("profile", 0, "until_gravity_below")),
        ({"profile": [{"until_gravity_below": True}]}, ("profile", 0, "until_gravity_below")),
        ({"profile": [{"until_gravity_below": "low"}]}, ("profile", 0, "until_gravity_below")),
    ],
)
def test_what_does_not_fit(changes: dict[str, Any], path: tuple[str | int, ...]) -> None:
    """Errors lead to the place."""
    with pytest.raises(ConfigurationError) as caught:
        parsed(**changes)
    assert caught.value.path == ("controllers", 0, *path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"heater": "", "cooler": ""}, "neither a heater nor a cooler"),
        ({"cooler": "heater/switch"}, "the same plug, heater/switch"),
        ({"low": None}, "the low limit is missing"),
        ({"low": "low"}, "the low limit cannot be used"),
        ({"low": 21}, "must be below"),
        ({"profile": [{"low": 18, "high": 18}]}, "must be below"),
    ],
)
def test_faults_are_kept_and_told(changes: dict[str, Any], words: str) -> None:
    """Such settings are read, so that the plugs are kept OFF, and their fault is told."""
    found = parsed(**changes)
    assert words in found.fault
    assert found.warnings == ()


def test_warnings() -> None:
    """A strange freshness and limits meant in °F work, and are pointed out."""
    assert "fresh_s 30 is unusual" in settings(fresh_s=30.0).warnings[0]
    assert "fresh_s 901 is unusual" in settings(fresh_s=901.0).warnings[0]
    assert "hot" in settings(66, 74).warnings[0]
    assert not settings(fresh_s=60.0).warnings
