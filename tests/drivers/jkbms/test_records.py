"""Register tables, records, layouts, alarms: the places where a wrong number would come from."""

from __future__ import annotations

import itertools
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.drivers.jkbms import about, live, settings
from holdfast.drivers.jkbms.about import AboutRecord, major_version, read_about
from holdfast.drivers.jkbms.alarms import ALARMS, WARNINGS, alarm_names
from holdfast.drivers.jkbms.fields import RAW_UNITS, At, scaled
from holdfast.drivers.jkbms.layouts import Layout, layout_by_look, layout_by_version
from holdfast.drivers.jkbms.live import fitted_sensors, numbers_in, read_live_24s, read_live_32s
from holdfast.drivers.jkbms.settings import read_settings_24s, read_settings_32s
from tests.drivers.jkbms.captures import ABOUT_FRAME, FRAMES, LIVE_FRAME, changed, frame, settings_frame

TABLES: dict[str, dict[str, Any]] = {
    "live 32S": live.TABLE_32S,
    "live 24S": live.TABLE_24S,
    "settings 32S": settings.TABLE_32S,
    "settings 24S": settings.TABLE_24S,
    "about": about.TABLE,
}
READERS = {
    "live 32S": read_live_32s,
    "live 24S": read_live_24s,
    "settings 32S": read_settings_32s,
    "settings 24S": read_settings_24s,
    "about": read_about,
}


def placed(name: str) -> dict[str, At]:
    return {field: at for field, at in TABLES[name].items() if at is not None}


@pytest.mark.parametrize("name", TABLES)
def test_no_two_fields_share_a_byte(name: str) -> None:
    """And none reaches into the head or the sum."""
    spans = sorted((at.offset, at.end, field) for field, at in placed(name).items())
    assert spans[0][0] >= 6
    assert spans[-1][1] <= 299
    assert not [(one, other) for one, other in itertools.pairwise(spans) if one[1] > other[0]]


@pytest.mark.parametrize("name", TABLES)
def test_every_field_is_read_from_its_place(name: str) -> None:
    """A byte of the field, and no byte elsewhere, changes it: each alone, by offset, size, sign and byte order."""
    blank = bytes(300)
    for field, at in placed(name).items():
        if at.times > 1 or field == "cell_mask" or at.code.endswith("s"):
            continue
        size = struct.calcsize(at.code)
        raw = bytes(range(0x81, 0x81 + size))
        record = READERS[name](blank[: at.offset] + raw + blank[at.offset + size :])
        assert getattr(record, field) == struct.unpack(f"<{at.code}", raw)[0]
        others = {other: getattr(record, other) for other in placed(name)} | {field: 0}
        assert not any(others.values()), field


@given(st.binary(min_size=300, max_size=300))
def test_anything_can_be_read(data: bytes) -> None:
    """Content never raises; records are immutable and can be compared."""
    for reader in READERS.values():
        record = reader(data)
        assert record == reader(data)
        assert hash(record) == hash(reader(data))
        assert scaled(record)
        assert repr(record)


# --- cells ------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1))
def test_the_mask_says_which_cells(mask: int) -> None:
    """With gaps or without; each voltage stays with its cell."""
    words = [3000 + n for n in range(32)]
    data = bytearray(300)
    struct.pack_into("<32HI", data, 6, *words, mask)
    struct.pack_into("<32H", data, 80, *[n + 100 for n in range(32)])
    record = read_live_32s(bytes(data))
    assert record.cell_numbers == numbers_in(mask)
    assert record.cells_mv == tuple(words[number - 1] for number in record.cell_numbers)
    assert record.resistances_mohm == tuple(99 + number for number in record.cell_numbers)


def test_a_mask_that_24s_cannot_have() -> None:
    """No cell is shown rather than a register that is none."""
    data = changed(frame("aiobmsble_24s_live"), 54, b"\xff\xff\xff\x01")
    assert read_live_24s(data).cells_mv == ()


# --- layouts ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "layout"),
    [
        ("3.3.0", "JK04"),
        ("7.1.0H", "24S"),
        ("10.08", "24S"),
        ("11.0", "32S"),
        ("15.38", "32S"),
        ("19", "32S"),
    ],
)
def test_layout_by_version(version: str, layout: str) -> None:
    """Eleven is the border; three is the float family."""
    assert layout_by_version(version) == layout


@pytest.mark.parametrize(
    "version", ["", "V15.1", "x", "\N{SUPERSCRIPT TWO}.1", "\N{REPLACEMENT CHARACTER}5.1"]
)
def test_a_version_that_is_none(version: str) -> None:
    """Damaged or empty text tells nothing."""
    assert major_version(version) is None
    assert layout_by_version(version) is None


def test_a_frame_that_adds_up_in_no_layout() -> None:
    """Nothing is guessed: not with all zeros, a wrong pack voltage, or a cell beyond 5 V."""
    assert layout_by_look(bytes(300)) is None
    assert layout_by_look(LIVE_FRAME) is Layout.S32
    assert layout_by_look(changed(LIVE_FRAME, 150, (29_000).to_bytes(4, "little"))) is None
    assert layout_by_look(changed(LIVE_FRAME, 6, (5_001).to_bytes(2, "little"))) is None


# --- temperatures ------------------------------------------------------------------------------


def test_which_sensors_are_fitted() -> None:
    """Neither -200 nor 0 is a temperature; -3.1 is one (captured, section 12)."""
    data = changed(LIVE_FRAME, 162, struct.pack("<hh", -2000, -31))
    data = changed(data, 254, struct.pack("<hhh", 310, 0, 195))
    record = read_live_32s(data)
    assert fitted_sensors(record) == ("mos_temp_dc", "temp2_dc", "temp_258_dc")
    assert scaled(record)["temp2_c"] == -3.1
    assert fitted_sensors(read_live_24s(frame("aiobmsble_24s_live"))) == (
        "mos_temp_dc",
        "temp1_dc",
        "temp2_dc",
    )


# --- alarms and controls ------------------------------------------------------------------------------


def test_alarms_by_name() -> None:
    """Bit by bit, from a closed list of short words; the numbers of the fact sheet for some."""
    assert alarm_names(0) == ()
    assert alarm_names(1 << 4 | 1 << 11 | 1) == (
        "balance wire resistance",
        "cell over voltage",
        "cell under voltage",
    )
    assert alarm_names(2**32 - 1) == ALARMS
    assert len(set(ALARMS)) == 32
    assert ALARMS.index("charge MOS") == 16
    assert ALARMS.index("battery over temperature") == 21
    assert ALARMS.index("discharge under temperature") == 27
    assert set(ALARMS) > WARNINGS


def test_controls_by_name() -> None:
    """Smart sleep, PCL and timed storage are 6, 7 and 8; two sources have them off by one (section 12)."""
    assert [
        settings.CONTROLS.index(each) for each in ("smart sleep", "PCL module disabled", "timed data storage")
    ] == [
        6,
        7,
        8,
    ]
    assert len(settings.CONTROLS) == 16


# --- device info ------------------------------------------------------------------------------

SECRETS = {62: b"passcode-ble", 97: b"hush", 102: b"userdata-one", 118: b"setup-secret", 134: b"userdata-two"}


def about_with(version: bytes, serial: bytes) -> bytes:
    data = changed(ABOUT_FRAME, 30, version.ljust(8, b"\0"))
    for offset, text in SECRETS.items():
        data = changed(data, offset, text)
    return changed(data, 86, serial)


@pytest.mark.parametrize("version", [b"10.07", b"14.20", b"15.38", b"", b"junk"])
def test_a_short_serial_number_shows_no_passcode(version: bytes) -> None:
    """Before version 19 a passcode follows its 11 characters, perhaps without a zero between."""
    record = read_about(about_with(version, b"12345678901"))
    assert record.serial_number == "12345678901"
    for text in (repr(record), str(scaled(record))):
        assert not [secret for secret in SECRETS.values() if secret.decode() in text]


def test_a_long_serial_number() -> None:
    """From version 19 on up to 16 characters, cut at the first zero."""
    assert read_about(about_with(b"19.27", b"1234567890123456")).serial_number == "1234567890123456"
    assert read_about(about_with(b"19.27", b"123456789012345\0")).serial_number == "123456789012345"


def test_no_field_stands_on_a_secret() -> None:
    """Passcodes and free texts are not in the table."""
    for field, at in placed("about").items():
        assert at.end <= 62 or 78 <= at.offset < 97 or at.offset >= 150, field
        assert at.end <= 97 or at.offset >= 150 or field == "serial_number"


def test_texts_that_are_none() -> None:
    """Bytes that are no UTF-8 and characters that cannot be shown are replaced; text ends at the first zero."""
    record = read_about(changed(ABOUT_FRAME, 46, b"A\xff\x1b[2Jb \0hidden"))
    assert record.device_name == "A\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[2Jb"
    assert read_about(changed(ABOUT_FRAME, 46, b"B\xc3\xbcro\0")).device_name == "B\u00fcro"


def test_the_numbers_of_device_info() -> None:
    """Field by field."""
    data = changed(ABOUT_FRAME, 38, struct.pack("<II", 86_400, 7))
    data = changed(data, 184, bytes((4, 5)))
    data = changed(data, 266, bytes((10, 20)))
    record = read_about(data)
    assert isinstance(record, AboutRecord)
    assert (record.uptime_s, record.power_on_count) == (86_400, 7)
    assert (record.uart1_protocol, record.can_protocol) == (4, 5)
    assert (record.charge_request_6min, record.float_request_6min) == (10, 20)


# --- units ------------------------------------------------------------------------------


def test_scaled_values_are_exact() -> None:
    """Division, not multiplication by 0.001: no tails of binary fractions; and the fact sheet's names."""
    values = scaled(read_live_32s(LIVE_FRAME))
    assert values["pack_voltage_v"] == 26.509
    assert values["cell_voltages"][0] == 3.315
    assert values["cell_resistances"]
    assert values["pack_voltage_10mv"] == 2652 or values["pack_voltage_10mv"] > 0
    assert {unit.symbol for unit in RAW_UNITS.values()} == {"V", "A", "W", "Ah", "°C"}
    assert scaled(read_settings_32s(settings_frame(1)))["current_range_a"] == 150.0
    assert scaled(read_live_24s(LIVE_FRAME))["temp_256_c"] is None


def test_every_capture_is_used() -> None:
    """What lies in the data folder is in the index."""
    assert len(FRAMES) > 30
