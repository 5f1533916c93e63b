"""Frames and units against the fact sheet's reference values and against captured bytes."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.simulators.jkbms import (
    SECRET_MARK,
    Battery,
    FrameKind,
    InfoFrame,
    Layout,
    LiveFrame,
    Poll,
    PollReader,
    SettingsFrame,
    crc16,
    encode,
    encode_live,
    poll,
    reply,
)
from holdfast.simulators.jkbms.frames import encode_info, encode_settings
from tests.simulators.jkbms.reader import capture, modbus_crc, units

CAPTURED = capture(Path(__file__).parent / "data" / "bus_master_and_1.hex")
"""jblance/mpp-solar, utils/20240221_084342.log (MIT): a JK PB2A16S at address 0 and another at 1."""

MEANINGLESS = (range(220, 230), range(246, 250), range(260, 266), range(299, 300))
"""Offsets of a live frame that hold analogue diagnostics, and the sum over them."""

MASTER_LIVE = LiveFrame(
    cell_voltages=(3.347, 3.346, 3.345, 3.345, 3.346, *(3.345,) * 10, 3.344),
    cell_avg_v=3.345,
    cell_delta_v=0.003,
    cell_max_index=0,
    cell_min_index=15,
    cell_resistances_mohm=(83, 80, 79, 74, 77, 75, 77, 77, 83, 78, 77, 74, 76, 77, 82, 81),
    mos_temp_c=22.5,
    pack_voltage_v=53.525,
    pack_power_w=0.0,
    pack_current_a=0.0,
    temp1_c=20.2,
    temp2_c=20.9,
    soc_pct=98,
    remaining_ah=299.238,
    full_ah=304.0,
    cycles=0,
    cycle_ah=6.775,
    runtime_s=4426578,
    temp_256_c=20.3,
    temp_258_c=21.1,
    log_count=127,
)


def test_reference_units() -> None:
    """The poll and the replies that the fact sheet spells out."""
    assert poll(1, FrameKind.LIVE).hex(" ") == "01 10 16 20 00 01 02 00 00 d6 f1"
    assert reply(0, FrameKind.LIVE).hex(" ") == "00 10 16 20 00 01 05 9a"
    assert reply(0, FrameKind.SETTINGS).hex(" ") == "00 10 16 1e 00 01 64 56"


def test_captured_units_are_ours() -> None:
    """Every poll and reply of the capture is what we would have sent."""
    found, _ = units(CAPTURED)
    for unit in found:
        if unit.what != "F":
            make = poll if unit.what == "P" else reply
            assert make(unit.address, FrameKind(unit.kind)) == unit.data
    assert len(found) == 13


@given(st.binary(max_size=40))
def test_crc(data: bytes) -> None:
    """The table gives what the definition gives."""
    assert crc16(data) == modbus_crc(data)


def test_a_captured_live_frame() -> None:
    """Told the values of a captured frame, we make its bytes, but for diagnostics that nobody reads."""
    captured = next(unit.data for unit in units(CAPTURED)[0] if unit.what == "F" and unit.kind == 2)
    ours = encode_live(MASTER_LIVE, byte5=0)
    differing = [at for at in range(300) if ours[at] != captured[at]]
    assert [at for at in differing if not any(at in span for span in MEANINGLESS)] == []


@pytest.mark.parametrize(
    ("address", "byte5", "differences"),
    [
        (0, 0, {}),
        (1, 5, {"cell_ovp_v": 3.61, "charge_limit_a": 25.0, "discharge_limit_a": 200.0}),
    ],
)
def test_captured_settings(address: int, byte5: int, differences: dict[str, Any]) -> None:
    """Told the values of a captured settings frame, we make its very bytes."""
    captured = [u.data for u in units(CAPTURED)[0] if u.what == "F" and u.kind == 1 and u.address == address]
    common = SettingsFrame(
        **{"charge_limit_a": 50.0, "cell_ovp_v": 3.62, "discharge_limit_a": 10.0, **differences},
        capacity_ah=304.0,
        heat_start_c=60,
        heat_stop_c=50,
        device_address=address,
        cell_ovp_recovery_v=3.448,
    )
    ours = encode_settings(common, byte5)
    assert {at: (ours[at], captured[0][at]) for at in range(300) if ours[at] != captured[0][at]} == {}


@pytest.mark.parametrize("cells", [8, 16, 24, 32])
def test_every_sum(cells: int) -> None:
    """300 bytes, a header, and a last byte that is the sum of the others, whatever a battery says."""
    battery = Battery(3, cells=cells)
    for kind in FrameKind:
        data = encode(battery.frame(kind, 0.0))
        assert len(data) == 300
        assert data[:6] == bytes((0x55, 0xAA, 0xEB, 0x90, kind, 5))
        assert sum(data[:299]) % 256 == data[299]
    live = encode(battery.frame(FrameKind.LIVE, 0.0))
    assert struct.unpack_from("<I", live, 70) == ((1 << cells) - 1,)
    assert struct.unpack_from("<32H", live, 6)[cells:] == (0,) * (32 - cells)


def test_signs() -> None:
    """Discharging and frost are negative, power has no sign, and a missing sensor reads -200.0."""
    live = replace(MASTER_LIVE, pack_current_a=-7.063, pack_power_w=378.0, temp1_c=-3.1, temp2_c=None)
    data = encode_live(live)
    assert struct.unpack_from("<Iihh", data, 154) == (378_000, -7063, -31, -2000)


def test_24s_layout() -> None:
    """Fields behind the cells are 32 bytes nearer, the MOS sensor and the alarms have places of their own."""
    live = replace(MASTER_LIVE, alarms=0x1_0010, pack_current_a=2.329)
    data = encode_live(live, byte5=7, layout=Layout.S24)
    assert struct.unpack_from("<16H", data, 6) == tuple(round(v * 1000) for v in live.cell_voltages)
    assert struct.unpack_from("<I", data, 54) == (0xFFFF,)
    assert struct.unpack_from("<Ii", data, 118) == (53_525, 0)
    assert struct.unpack_from("<i", data, 126) == (2329,)
    assert struct.unpack_from("<hH", data, 134) == (225, 0x10)
    assert data[141] == 98
    assert struct.unpack_from("<II", data, 142) == (299_238, 304_000)
    assert (data[166], data[167]) == (1, 1)
    assert sum(data[:299]) % 256 == data[299]


def test_too_many_cells() -> None:
    """What does not fit is refused."""
    with pytest.raises(ValueError, match="24S"):
        encode_live(replace(MASTER_LIVE, cell_voltages=(3.3,) * 25), layout=Layout.S24)
    with pytest.raises(ValueError, match="32S"):
        encode_live(replace(MASTER_LIVE, cell_voltages=(3.3,) * 33))
    with pytest.raises(ValueError, match="device_name"):
        encode_info(InfoFrame(device_name="x" * 17))


def test_secrets_are_marked() -> None:
    """Passcodes and user data are where real ones are, carry the mark, and are not in a repr."""
    info = InfoFrame()
    data = encode_info(info)
    mark = SECRET_MARK.encode()
    assert [at for at in (62, 98, 102, 118, 134) if data[at : at + 4] == mark] == [62, 98, 102, 118, 134]
    assert SECRET_MARK not in repr(info)
    assert data[6:22].rstrip(b"\0") == b"JK_PB2A16S15P"
    assert data[86:97] == b"HF000000000"


@given(
    st.lists(
        st.one_of(st.binary(max_size=15), st.sampled_from([poll(a, k) for a in (1, 15) for k in FrameKind]))
    ),
    st.data(),
)
def test_finding_polls(parts: list[bytes], draw: st.DataObject) -> None:
    """Polls are found among anything, however the bytes are split, and nothing else is taken for one."""
    stream = b"".join(parts)
    expected = [Poll(unit.address, FrameKind(unit.kind)) for unit in units(stream)[0] if unit.what == "P"]
    reader = PollReader()
    found: list[Poll] = []
    at = 0
    while at < len(stream):
        size = draw.draw(st.integers(1, len(stream) - at))
        found += reader.feed(stream[at : at + size])
        at += size
    assert found == expected
