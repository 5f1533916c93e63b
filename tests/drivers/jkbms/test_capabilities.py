"""Values of captured and of simulated frames, in the units of the public contract."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.drivers.jkbms.about import read_about
from holdfast.drivers.jkbms.capabilities import capabilities, learn, live_values, project, recalled
from holdfast.drivers.jkbms.codec import JkBleCodec
from holdfast.drivers.jkbms.layouts import Layout
from holdfast.drivers.jkbms.live import LiveRecord, read_live_24s, read_live_32s
from holdfast.drivers.jkbms.options import JkOptions
from holdfast.drivers.jkbms.settings import read_settings_24s, read_settings_32s
from holdfast.model import Batch, Periodic, Setting, Value, ValueType
from holdfast.simulators.jkbms import SECRET_MARK, Battery, FrameKind, encode
from holdfast.testing.truth import same_value
from holdfast.transports.serial import SerialPort
from tests.drivers.jkbms.bench import live_truth, settings_truth
from tests.drivers.jkbms.captures import ABOUT_FRAME, FRAMES, LIVE_FRAME, frame, settings_frame

OPTIONS = JkOptions(where=SerialPort("/dev/ttyUSB0"), batteries={"7": "shed"})
CAPTURED = [ident for ident, each in FRAMES.items() if each["kind"] == "frame" and each["layout"] != "JK04"]

PUBLISHED = {
    "pack_voltage_v": "voltage",
    "pack_current_a": "current",
    "soc_pct": "soc",
    "soh_pct": "soh",
    "cycles": "cycles",
    "remaining_ah": "remaining_capacity",
    "full_ah": "full_capacity",
    "cycle_ah": "throughput",
    "runtime_s": "runtime",
    "mos_temp_c": "temperatures/mos",
    "temp1_c": "temperatures/1",
    "temp2_c": "temperatures/2",
    "cell_avg_v": "cell_average",
    "balance_current_a": "balance_current",
    "heat_current_a": "heat_current",
    "capacity_ah": "settings/capacity",
    "charge_limit_a": "settings/charge_limit",
    "discharge_limit_a": "settings/discharge_limit",
    "vendor_id": "model",
    "hw_version": "hardware",
    "sw_version": "firmware",
    "device_name": "device_name",
    "serial_number": "serial_number",
    "manufactured": "manufactured",
}
"""Names of the captures' sources, and our keys."""


def values_of(ident: str) -> tuple[Batch, dict[str, Value]]:
    """A captured frame, and its values."""
    codec = JkBleCodec("7")
    codec.layout = Layout(FRAMES[ident]["layout"])
    (batch,) = (each for each in (*codec.feed(frame(ident)), *codec.flush()) if isinstance(each, Batch))
    return batch, project("7", batch.group, batch.raw, {})


def test_published_values_arrive_under_our_keys() -> None:
    """In V, A, Ah and °C, as their sources give them; most kinds of value are in some capture."""
    seen = set()
    for ident in CAPTURED:
        _, values = values_of(ident)
        for name, wanted in FRAMES[ident]["expected"].items():
            key = PUBLISHED.get(name)
            if key is None:
                continue
            if wanted == 0 and key.startswith("temperatures/"):
                continue  # absent
            seen.add(name)
            assert values[f"7/{key}"] == pytest.approx(wanted), (ident, name)
    assert seen >= {"pack_voltage_v", "pack_current_a", "temp1_c", "capacity_ah", "vendor_id", "sw_version"}


@pytest.mark.parametrize("ident", CAPTURED)
def test_every_value_has_a_capability(ident: str) -> None:
    """Known beforehand or learned of the very frame; of the right type, and each key once."""
    batch, values = values_of(ident)
    known = capabilities(OPTIONS)
    learned = learn(OPTIONS, "7", batch.group, batch.raw)
    assert len({each.key for each in learned}) == len(learned)
    by_key = {each.key: each for each in (*known, *learned)}
    for key, value in values.items():
        capability = by_key[key]
        assert (capability.member, capability.group) == ("7", batch.group)
        kinds: dict[ValueType, type | tuple[type, ...]] = {
            ValueType.NUMBER: (int, float), ValueType.BOOLEAN: bool, ValueType.TEXT: str, ValueType.LIST: tuple,
        }  # fmt: skip
        assert isinstance(value, kinds[capability.type]), key
    assert all(each.name.startswith("shed: ") for each in by_key.values())


def test_the_keys_of_the_public_contract() -> None:
    """Those that design.md names for a battery, with their units."""
    values = live_values("7", read_live_32s(LIVE_FRAME), {})
    found = {each.key: each for each in learn(OPTIONS, "7", "live", read_live_32s(LIVE_FRAME))}
    wanted = {
        "voltage": "V", "current": "A", "power": "W", "soc": "%", "soh": "%", "cells/1/voltage": "V",
        "cells/8/voltage": "V", "cell_min": "V", "cell_max": "V", "cell_spread": "V", "temperatures/mos": "°C",
        "temperatures/1": "°C", "temperatures/2": "°C", "remaining_capacity": "Ah", "full_capacity": "Ah",
        "cycles": "", "alarms": "", "charging": "", "discharging": "", "balancing": "",
    }  # fmt: skip
    assert {key: found[f"7/{key}"].unit for key in wanted} == wanted
    assert values.keys() == found.keys()
    assert "7/cells/9/voltage" not in found


def test_power_has_the_sign_of_the_current() -> None:
    """The wire tells its magnitude alone."""
    record = read_live_32s(LIVE_FRAME)
    values = live_values("7", record, {})
    assert values["7/current"] == record.pack_current_ma / 1000 < 0
    assert values["7/power"] == pytest.approx(
        record.pack_voltage_mv * record.pack_current_ma / 1e6, abs=0.001
    )


@pytest.mark.parametrize("address", [0, 9, 15])
def test_a_simulated_battery_is_read_as_it_is(address: int) -> None:
    """Each value, judged by an observer that does not know our decoder."""
    battery = Battery(address, seed=3, cells=16)
    for hour in range(0, 24, 3):
        live = battery.live(hour * 3600.0)
        values = live_values("7", read_live_32s(encode(live)), {})
        wanted = live_truth(live)
        assert {key.removeprefix("7/") for key in values} == wanted.keys()
        for key, value in wanted.items():
            assert same_value(values[f"7/{key}"], value), key
    settings: Any = battery.frame(FrameKind.SETTINGS, 86400.0)
    values = project("7", "settings", read_settings_32s(encode(settings)), {})
    wanted = settings_truth(settings)
    assert {key.removeprefix("7/") for key in values} == wanted.keys()
    for key, value in wanted.items():
        assert same_value(values[f"7/{key}"], value), key


def test_a_sensor_at_freezing_point() -> None:
    """Zero is "not fitted" until the sensor has shown itself; -200 °C always is."""
    record = read_live_32s(LIVE_FRAME)._replace(temp1_dc=0, temp2_dc=-2000)
    assert live_values("7", record, {}).keys().isdisjoint({"7/temperatures/1", "7/temperatures/2"})
    before = {"7/temperatures/1": 0.4, "7/temperatures/2": 0.3}
    values = live_values("7", record, before)
    assert values["7/temperatures/1"] == 0.0
    assert "7/temperatures/2" not in values


def test_an_older_layout_lacks_some() -> None:
    """24S frames have no second voltage and no heating current; their settings end early."""
    ident = "aiobmsble_24s_live"
    live = read_live_24s(frame(ident))
    values = live_values("7", live, {})
    assert not {"7/heat_current", "7/deviations/voltage"} & values.keys()
    learned = {each.key for each in learn(OPTIONS, "7", "live", live)}
    assert learned == values.keys()
    settings = project("7", "settings", read_settings_24s(settings_frame(1)), {})
    assert "7/settings/cell_uvp" in settings
    assert not {"7/settings/controls", "7/settings/device_address"} & settings.keys()


def test_a_battery_without_a_size() -> None:
    """Nothing is divided by zero."""
    record: LiveRecord = read_live_32s(LIVE_FRAME)._replace(full_mah=0)
    assert live_values("7", record, {})["7/deviations/soc"] == 0.0


def test_freshness() -> None:
    """Live values age; settings and device info never do, and do not count for availability."""
    for each in capabilities(OPTIONS):
        is_live = each.group == "live"
        assert each.freshness == (Periodic(30.0) if is_live else Setting())
        assert each.essential is is_live
    about = learn(OPTIONS, "7", "about", read_about(ABOUT_FRAME))
    assert {type(each.freshness) for each in about} == {Setting}
    assert [each.key for each in learn(OPTIONS, "7", "settings", None)] == [
        each.key for each in capabilities(OPTIONS) if each.group == "settings"
    ]


def test_no_secret_becomes_a_value() -> None:
    """Passcodes and the owner's texts are not read at all."""
    battery = Battery(3)
    data = encode(battery.frame(FrameKind.INFO, 0.0))
    assert SECRET_MARK.encode() in data
    record = read_about(data)
    assert SECRET_MARK not in repr(record)
    assert SECRET_MARK not in repr(project("3", "about", record, {}))


@pytest.mark.parametrize("ident", CAPTURED)
def test_what_was_learned_is_known_again_by_its_keys(ident: str) -> None:
    """The same capabilities, from their keys alone; keys that mean nothing, or of another battery, are left out."""
    batch, _ = values_of(ident)
    known = learn(OPTIONS, "7", batch.group, batch.raw)
    keys = [each.key for each in known]
    assert keys
    assert recalled(OPTIONS, "7", [*keys, "7/nonsense", "8/voltage"]) == known
