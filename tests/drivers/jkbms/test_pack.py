"""Values of a pack, of its batteries' values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.drivers.jkbms.alarms import ALARMS
from holdfast.drivers.jkbms.capabilities import live_values
from holdfast.drivers.jkbms.live import read_live_32s
from holdfast.drivers.jkbms.options import JkOptions
from holdfast.drivers.jkbms.pack import aggregates
from holdfast.model import Periodic, Value
from holdfast.transports.serial import SerialPort
from tests.drivers.jkbms.captures import LIVE_FRAME

if TYPE_CHECKING:
    from holdfast.link.aggregate import Aggregate

RECORD = read_live_32s(LIVE_FRAME)
Parts = Mapping[str, Mapping[str, Value]]


def made(**options: Any) -> dict[str, Aggregate]:
    """The aggregates by key."""
    listed = aggregates(JkOptions(where=SerialPort("/dev/ttyUSB0"), **options))
    return {each.capability.key: each for each in listed}


def battery(member: str, **fields: Any) -> Mapping[str, Value]:
    """Values of a battery: four cells at 3.3 V, and what is said otherwise."""
    usual = {
        "cells_mv": (3300, 3300, 3300, 3300),
        "cell_mask": 15,
        "pack_voltage_mv": 13200,
        "pack_current_ma": 10_000,
        "soc_pct": 50,
        "remaining_mah": 50_000,
        "full_mah": 100_000,
        "alarms": 0,
        "mos_temp_dc": 900,
        "temp1_dc": 200,
        "temp2_dc": 210,
        "temp_256_dc": -2000,
        "temp_258_dc": -2000,
    }
    return live_values(member, RECORD._replace(**{**usual, **fields}), {})


def combined(parts: Parts) -> dict[str, Value]:
    """All of a pack's values."""
    return {key: each.combine(parts) for key, each in made().items()}


TWO = {
    "0": battery("0"),
    "3": battery(
        "3",
        cells_mv=(3290, 3310, 3300, 3340),
        pack_voltage_mv=13240,
        pack_current_ma=-4_000,
        soc_pct=80,
        full_mah=300_000,
        remaining_mah=240_000,
        alarms=1 << 4 | 1 << 11,
        temp1_dc=-31,
    ),
}


def test_two_batteries() -> None:
    """Voltages are one, currents add up, charge counts by size, and extremes say where."""
    assert combined(TWO) == {
        "voltage": 13.22,
        "current": 6.0,
        "power": pytest.approx(132.0 - 52.96),
        "soc": 72.5,
        "remaining_capacity": 290.0,
        "full_capacity": 400.0,
        "cell_min": 3.29,
        "cell_min_at": "3/cells/1",
        "cell_max": 3.34,
        "cell_max_at": "3/cells/4",
        "cell_spread": 0.05,
        "temperature_min": -3.1,
        "temperature_max": 21.0,
        "alarms": ("cell over voltage", "cell under voltage"),
        "batteries": 2,
    }


def test_one_battery_is_a_pack() -> None:
    """Its own values."""
    one = combined({"0": TWO["0"]})
    assert (one["voltage"], one["current"], one["soc"], one["batteries"]) == (13.2, 10.0, 50.0, 1)
    assert (one["cell_min_at"], one["cell_max_at"]) == ("0/cells/1", "0/cells/1")


def test_the_keys_of_the_public_contract() -> None:
    """Those that design.md names exist, with their units."""
    units = {key: each.capability.unit for key, each in made().items()}
    assert units | {
        "voltage": "V", "current": "A", "power": "W", "soc": "%", "cell_min": "V", "cell_max": "V",
        "cell_spread": "V", "alarms": "", "batteries": "",
    } == units  # fmt: skip


def test_alarms_of_all_batteries_each_once() -> None:
    """In the order of their bits."""
    both = {"1": battery("1", alarms=1 << 5 | 1), "2": battery("2", alarms=1 | 1 << 31)}
    assert combined(both)["alarms"] == (ALARMS[0], ALARMS[5], ALARMS[31])


def test_batteries_that_do_not_know_their_size() -> None:
    """Count alike."""
    both = {"1": battery("1", full_mah=0, soc_pct=20), "2": battery("2", full_mah=0, soc_pct=41)}
    assert combined(both)["soc"] == 30.5


def test_no_sensors() -> None:
    """The switching stage is warm, and is no sensor of the battery."""
    none = battery("1", temp1_dc=-2000, temp2_dc=0)
    values = combined({"1": none})
    assert (values["temperature_min"], values["temperature_max"]) == (None, None)


def test_how_many_are_enough() -> None:
    """All of them, unless said; how many report is told by any one."""
    usual, relaxed = made(stale_after_s=45.0), made(minimum_members=2)
    assert {each.minimum_members for key, each in usual.items() if key != "batteries"} == {None}
    assert {each.minimum_members for key, each in relaxed.items() if key != "batteries"} == {2}
    assert usual["batteries"].minimum_members == relaxed["batteries"].minimum_members == 1
    assert {each.capability.freshness for each in usual.values()} == {Periodic(45.0)}
    assert not any(each.capability.essential for each in usual.values())
