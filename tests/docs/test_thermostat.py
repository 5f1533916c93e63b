"""The page of the thermostat says what the code does: states, alarms, keys with their defaults and ranges."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.control import AlarmKind, Output, State, ThermostatSettings, parse_settings
from holdfast.control.complaints import GRACE_S
from holdfast.control.limits import EnteredBand, EnteredLimits
from holdfast.control.profile import READINGS
from holdfast.control.settings import FRESH_USUAL_S
from holdfast.control.swap import SWAP_AFTER_S, SWAP_WITHIN_S
from holdfast.errors import ConfigurationError
from holdfast.hub.controllers.capabilities import CAPABILITIES
from holdfast.hub.controllers.plugs import LONGEST_TAKE_OVER_S, TAKE_OVER_S
from holdfast.options import Section
from tests.docs.test_made import codes, page, rows, section

PAGE = "docs/thermostat.md"
KEYS = {
    row[0].strip("`"): row
    for row in rows(section(PAGE, "In the site file"))
    if len(row) == 4 and row[0] != "key"
}
DURATIONS = [key for key in KEYS if key.endswith("_s")]


def read(**keys: Any) -> ThermostatSettings:
    """The settings of a controller with these keys."""
    return parse_settings(Section({"id": "x", "kind": "thermostat", **keys}, ()))


def first(title: str) -> list[str]:
    """What stands in code marks in the first column of a section's tables."""
    return [row[0].strip("`") for row in rows(section(PAGE, title)) if row[0].startswith("`")]


def test_closed_lists_are_told_whole() -> None:
    assert set(first("States")) == {each.value for each in State} | {each.value for each in Output}
    assert first("Alarms") == [each.value for each in AlarmKind]
    told = codes(section(PAGE, "While it runs"))
    assert all({key, f"fermenter/{key}"} & told for key in CAPABILITIES)


def test_every_key_is_told() -> None:
    """No more and no fewer than what is read; a step's, too."""
    with pytest.raises(ConfigurationError) as raised:
        read(nonsense=1)
    assert set(KEYS) == set(raised.value.advice.rpartition("known: ")[2].split(", "))
    with pytest.raises(ConfigurationError) as raised:
        read(profile=[{"nonsense": 1}])
    known = set(raised.value.advice.rpartition("known: ")[2].split(", "))
    assert known <= codes(section(PAGE, "Profiles"))


@pytest.mark.parametrize("key", DURATIONS)
def test_defaults_and_ranges_are_those_of_the_reader(key: str) -> None:
    """Both ends are taken, and nothing beyond them."""
    _, _, default, told = KEYS[key]
    usual = ThermostatSettings(limits=EnteredLimits(EnteredBand(None, None)))
    assert getattr(usual, key) == getattr(read(), key) == float(default)
    least, most = map(float, told.split(" to "))
    assert (getattr(read(**{key: least}), key), getattr(read(**{key: most}), key)) == (least, most)
    for beyond in (least - 0.5, most + 1):
        with pytest.raises(ConfigurationError):
            read(**{key: beyond})


def test_numbers_in_sentences() -> None:
    """They are those of the constants."""
    text = " ".join(page(PAGE).split())
    least, most = FRESH_USUAL_S
    assert f"outside {least:g} to {most:g} it is warned of" in text
    assert f"for {GRACE_S / 60:g} minutes after it was assigned" in text
    assert (SWAP_AFTER_S, SWAP_WITHIN_S) == (600, 3600)
    assert (
        "within an hour of running, and after ten minutes of it, the temperature went the wrong way" in text
    )
    assert f"({READINGS} unless said)" in text
    assert (TAKE_OVER_S, LONGEST_TAKE_OVER_S) == (3600, 86400)
    assert "for an hour unless said, for a day at most" in text


def test_switches_are_true_unless_said() -> None:
    settings = read()
    assert settings.is_enabled
    assert settings.is_heating_enabled
    assert settings.is_cooling_enabled
    assert all(KEYS[key][2] == "`true`" for key in ("enabled", "heating_enabled", "cooling_enabled"))
