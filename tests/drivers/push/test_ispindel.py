"""What an iSpindel and a GravityMon post, field by field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.drivers.push.ispindel import UNITS, GravityUnit, read_ispindel, specific_gravity
from holdfast.model import Reject

GRAVITYMON: dict[str, Any] = {
    "name": "gravmon",
    "ID": "2E6753",
    "token": "gravmon",
    "interval": 900,
    "temperature": 20.5,
    "temp_units": "C",
    "gravity": 1.005,
    "angle": 45.34,
    "battery": 3.67,
    "RSSI": -12,
    "corr-gravity": 1.0050,
    "gravity-unit": "G",
    "run-time": 6,
}
"""As on GravityMon's page of data formats."""


def read(gravity_unit: GravityUnit = GravityUnit.SG, **fields: Any) -> Any:
    return read_ispindel({key.replace("__", "-"): value for key, value in fields.items()}, gravity_unit)


def test_a_whole_document() -> None:
    """Every value, and nothing of the rest."""
    found = read_ispindel(GRAVITYMON, GravityUnit.PLATO)
    assert found == {"temperature": 20.5, "gravity": 1.005, "angle": 45.34, "battery": 3.67, "rssi": -12.0}
    assert set(found) == set(UNITS)


@pytest.mark.parametrize(
    ("value", "unit", "celsius"),
    [
        (68, "F", 20.0),
        (68.9, "f", (68.9 - 32) * 5 / 9),
        (293.15, "K", 20.0),
        (19.12345678, None, 19.12345678),
    ],
)
def test_temperatures_are_not_rounded(value: float, unit: str | None, celsius: float) -> None:
    """In °C, whatever they came in."""
    assert read(temperature=value, temp_units=unit)["temperature"] == pytest.approx(celsius, abs=1e-12)
    assert read(temperature=value, temp__units=unit)["temperature"] == pytest.approx(celsius, abs=1e-12)


@pytest.mark.parametrize(("value", "unit"), [(-127, "C"), (-196.6, "F"), (146.15, "K")])
def test_a_lost_sensor_is_no_temperature(value: float, unit: str) -> None:
    """The Dallas library's word for "not connected" is refused outright, and does not prove itself by repeating."""
    assert read(temperature=value, temp_units=unit)["temperature"].code == "sensor"


def test_gravity() -> None:
    """Specific stays, Plato is converted, by the sender's word or else the owner's."""
    assert read(gravity=1.05)["gravity"] == 1.05
    assert read(gravity=12, gravity__unit="P")["gravity"] == pytest.approx(1.0484, abs=1e-4)
    assert read(GravityUnit.PLATO, gravity=12)["gravity"] == pytest.approx(1.0484, abs=1e-4)
    assert read(GravityUnit.PLATO, gravity=1.05, gravity__unit="G")["gravity"] == 1.05
    assert read(gravity=1.05, gravity__unit="Brix")["gravity"].code == "unit"
    assert read(gravity=258.6, gravity__unit="P")["gravity"].code == "sanity"


@pytest.mark.parametrize(("plato", "specific"), [(0, 1.0), (10, 1.0400), (20, 1.0830), (-1, 0.9961)])
def test_plato(plato: float, specific: float) -> None:
    """Against the common tables."""
    assert specific_gravity(plato) == pytest.approx(specific, abs=1e-4)


@pytest.mark.parametrize("value", ["20.5", True, [], {}, 10**400, float("nan"), float("inf")])
def test_what_is_no_number(value: Any) -> None:
    """Each is refused by itself; the others are read."""
    found = read(temperature=value, angle=25)
    assert found["temperature"].code == "type"
    assert found["angle"] == 25.0


def test_what_is_absent() -> None:
    """Is left out, and ``null`` is absent; a unit that nobody knows is told."""
    assert read(temperature=None, battery=None) == {}
    assert read() == {}
    assert read(temperature=1, temp_units=7)["temperature"].code == "unit"


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=2),
        max_leaves=3,
    ),
    st.sampled_from([*GRAVITYMON, "temp-units", "rssi"]),
    st.sampled_from(list(GravityUnit)),
)
def test_any_field_may_hold_anything(value: Any, field: str, unit: GravityUnit) -> None:
    """It never raises, and what it gives are numbers that JSON can hold, or reasons."""
    for found in read_ispindel({**GRAVITYMON, field: value}, unit).values():
        assert isinstance(found, Reject) or json.dumps(found, allow_nan=False)
