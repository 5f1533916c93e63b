"""Every captured byte: the values its source publishes, and the senders that the replies prove."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.drivers.jkbms.attribution import address_on_bus
from holdfast.drivers.jkbms.calls import GROUPS
from holdfast.drivers.jkbms.codec import JkBleCodec, JkBusCodec
from holdfast.drivers.jkbms.counters import JkCounters
from holdfast.drivers.jkbms.fields import scaled
from holdfast.drivers.jkbms.framer import BusFramer, Frame
from holdfast.drivers.jkbms.layouts import Layout, is_jk04, layout_by_look, layout_by_version
from holdfast.drivers.jkbms.live import LiveRecord, fitted_sensors
from holdfast.drivers.jkbms.settings import SettingsRecord
from holdfast.model import Batch, Junk
from tests.drivers.jkbms.captures import FRAMES, LIVE, LONGEST, SETTINGS, STREAMS, frame, reads, truth

GOOD = [ident for ident, each in FRAMES.items() if each["kind"] == "frame" and each["layout"] != "JK04"]
JK04 = [ident for ident, each in FRAMES.items() if each["layout"] == "JK04"]


def decoded(ident: str) -> Any:
    """What comes of a captured frame, with the bytes that followed it."""
    entry = FRAMES[ident]
    data = frame(ident) + bytes.fromhex(entry["trailer_hex"])
    if entry["transport"] == "rs485":
        bus = JkBusCodec()
        events = [*bus.feed(data), *bus.flush()]
    else:
        ble = JkBleCodec("")
        ble.layout = Layout(entry["layout"])
        events = [*ble.feed(data), *ble.flush()]
    (batch,) = (event for event in events if isinstance(event, Batch))
    assert not any(isinstance(event, Junk) for event in events)
    assert batch.group == GROUPS[entry["frame_type"]]
    if "device_address_from_ack" in entry["expected"]:
        assert batch.member == str(entry["expected"]["device_address_from_ack"])
    return batch.raw


@pytest.mark.parametrize("ident", GOOD)
def test_a_captured_frame_has_the_published_values(ident: str) -> None:
    """Exactly, in the units of the source."""
    record = decoded(ident)
    values = scaled(record)
    expected = dict(FRAMES[ident]["expected"])
    expected.pop("device_address_from_ack", None)
    if isinstance(record, LiveRecord):
        values["cell_count"] = len(record.cells_mv)
        values["full_ah_floor"] = record.full_mah // 1000
    assert {name: values[name] for name in expected} == expected


@pytest.mark.parametrize("ident", [ident for ident in GOOD if FRAMES[ident]["frame_type"] == LIVE])
def test_a_captured_live_frame_is_whole(ident: str) -> None:
    """What each live frame must fulfil, published or not: the cells add up, and the voltage is there twice."""
    live = decoded(ident)
    assert abs(sum(live.cells_mv) - live.pack_voltage_mv) <= live.pack_voltage_mv * 0.02
    assert len(live.cells_mv) == len(live.resistances_mohm) == len(live.cell_numbers)
    assert abs(sum(live.cells_mv) / len(live.cells_mv) - live.cell_avg_mv) <= 1.5
    assert 0 <= live.soc_pct <= 100
    assert live.remaining_mah <= live.full_mah
    power_mw = live.pack_voltage_mv * abs(live.pack_current_ma) / 1000
    spread = 0.1 if FRAMES[ident]["layout"] == "24S" else 0.01  # older boards measure the two apart
    assert live.pack_power_mw == pytest.approx(power_mw, rel=spread, abs=100)
    if live.pack_voltage_10mv:
        assert abs(live.pack_voltage_10mv * 10 - live.pack_voltage_mv) <= 50
    assert "mos_temp_dc" in fitted_sensors(live)
    assert layout_by_look(frame(ident)) == FRAMES[ident]["layout"]


@pytest.mark.parametrize("ident", [ident for ident in GOOD if FRAMES[ident]["frame_type"] == SETTINGS])
def test_a_captured_settings_frame_is_sensible(ident: str) -> None:
    """The numbers of a battery that works; what only the other layout has is absent."""
    settings = decoded(ident)
    assert 1 <= settings.cell_count <= 32
    assert 1000 < settings.cell_uvp_mv < settings.cell_uvp_recovery_mv < settings.cell_ovp_mv < 5000
    assert settings.capacity_mah > 0
    is_24s = FRAMES[ident]["layout"] == "24S"
    assert (settings.device_address is None) is is_24s
    assert (settings.control_mask is None) is is_24s


@pytest.mark.parametrize("ident", [ident for ident, each in FRAMES.items() if each["frame_type"] == 3])
def test_the_version_tells_the_layout(ident: str) -> None:
    """All device infos that were captured."""
    codec = JkBleCodec("")
    codec.feed(frame(ident))
    assert codec.layout == FRAMES[ident]["layout"]


@pytest.mark.parametrize("ident", JK04)
def test_floats_are_refused(ident: str) -> None:
    """Whatever layout was believed in: no values of a frame of floats, on the bus or over Bluetooth."""
    data = frame(ident)
    if FRAMES[ident]["frame_type"] == 3:
        assert layout_by_version("3.3.0") is Layout.JK04
        return
    assert is_jk04(data)
    for layout in (None, *Layout):
        codec = JkBleCodec("")
        codec.layout = layout
        assert list(codec.feed(data)) == [Junk("jk04", data)]
        assert codec.counters.unreadable == 1


def test_no_integer_frame_looks_like_floats() -> None:
    """The sign of JK04 does not appear in the others."""
    assert not [ident for ident in GOOD if FRAMES[ident]["frame_type"] != 3 and is_jk04(frame(ident))]


def test_a_frame_that_came_damaged_is_rejected() -> None:
    """Really received with a wrong sum."""
    codec = JkBleCodec("")
    codec.layout = Layout.S32
    events = [*codec.feed(frame("batmon_377_corrupt_live")), *codec.flush()]
    assert [event.why for event in events if isinstance(event, Junk)] == ["sum"]
    assert not any(isinstance(event, Batch) for event in events)
    assert codec.counters.bad_sums == 1


# --- streams ------------------------------------------------------------------------------


def found(pieces: list[bytes]) -> list[dict[str, Any]]:
    """The frames of a stream in the words of the truth files."""
    framer = BusFramer(JkCounters())
    units = [unit for piece in pieces for unit in framer.feed(piece)] + framer.flush()
    return [
        {"offset": unit.offset, "type": unit.kind, "address": address_on_bus(unit) if unit.reply else None}
        for unit in units
        if isinstance(unit, Frame)
    ]


def expected(ident: str) -> list[dict[str, Any]]:
    return [{name: each[name] for name in ("offset", "type", "address")} for each in truth(ident)]


@pytest.mark.parametrize("ident", STREAMS)
def test_a_captured_stream_as_it_was_read(ident: str) -> None:
    """All frames at their offsets, each with its sender; and their values."""
    assert found(reads(ident)) == expected(ident)
    codec = JkBusCodec()
    events = [event for piece in reads(ident) for event in codec.feed(piece)]
    got = [event for event in events if isinstance(event, Batch)]
    known = [each for each in truth(ident) if each["address"] is not None]
    for batch, each in zip(got, known, strict=True):
        assert (batch.member, batch.group) == (str(each["address"]), GROUPS[each["type"]])
        values = scaled(batch.raw)
        names = values.keys() & each.keys()
        assert {name: values[name] for name in names} == {name: each[name] for name in names}
        assert names or isinstance(batch.raw, SettingsRecord)
    assert codec.counters.bytes == STREAMS[ident]["bytes"]
    senders: dict[str, int] = {}
    for batch in got:
        name = f"{batch.member}/type{1 if batch.group == 'settings' else 2}"
        senders[name] = senders.get(name, 0) + 1
    published = {name: n for name, n in STREAMS[ident]["frames_by_sender"].items() if "None" not in name}
    assert senders == published


@pytest.mark.parametrize("ident", [ident for ident in STREAMS if ident != LONGEST])
def test_a_captured_stream_cut_at_every_size(ident: str) -> None:
    """The same frames at the same offsets, attributed the same way."""
    data = b"".join(reads(ident))
    for size in range(1, 401):
        assert found([data[at : at + size] for at in range(0, len(data), size)]) == expected(ident), size


@pytest.mark.parametrize("sizes", [range(1 + first, 401, 8) for first in range(8)], ids=str)
def test_the_longest_stream_cut_at_every_size(sizes: range) -> None:
    """The same for 71 kB; in eight parts, so that they share the cores."""
    data = b"".join(reads(LONGEST))
    for size in sizes:
        assert found([data[at : at + size] for at in range(0, len(data), size)]) == expected(LONGEST), size


def test_the_end_of_a_capture_leaves_a_frame_to_its_poll() -> None:
    """The frame whose reply was not recorded stands right behind a poll that fits."""
    codec = JkBusCodec()
    ident = "mppsolar_bus_20240221_084252"
    events = [event for piece in reads(ident) for event in codec.feed(piece)]
    late = list(codec.flush())
    assert [event.member for event in events if isinstance(event, Batch)] == ["0"]
    assert [(event.member, event.group) for event in late if isinstance(event, Batch)] == [("1", "live")]
