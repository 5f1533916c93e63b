"""The 300-byte data frames: what a battery says of itself, in bytes (JK fact sheet sections 3, 6, 7 and 8).

Every dataclass holds physical numbers as they stand on the wire, that is already rounded to the wire's
resolution, so that an observer can compare them with what a reader made of the bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Any, NamedTuple

HEADER = b"\x55\xaa\xeb\x90"
"""Begins every data frame."""

FRAME_SIZE = 300
"""Bytes, the header and the checksum included."""

MOST_CELLS = 32
"""Cells for which a 32S frame has room."""

MOST_CELLS_24S = 24
"""Cells for which a 24S frame has room."""

FROM_MASTER = 0x00
"""Byte 5 of what the master says."""

FROM_SLAVE = 0x05
"""Byte 5 of what slaves with firmware 14 say."""

NOT_FITTED = -2000
"""Raw temperature of a sensor that is not there."""

SECRET_MARK = "LEAK"  # noqa: S105 - made up, to be searched for
"""Part of every secret that a simulated battery tells. It may never be seen beyond a driver's decoder."""


class FrameKind(IntEnum):
    """Byte 4 of a data frame."""

    SETTINGS = 1
    LIVE = 2
    INFO = 3


class Layout(Enum):
    """Where the fields of a live frame are."""

    S32 = "32S"
    """Software 11 and later; all there is over RS485."""
    S24 = "24S"
    """Older software, over BLE only."""


def checksum(body: bytes | bytearray) -> int:
    """The last byte of a frame whose other bytes are ``body``: their sum modulo 256."""
    return sum(body) & 0xFF


# --- live -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class LiveFrame:
    """What a live frame says. Voltages in V, currents in A (positive charges), temperatures in °C."""

    cell_voltages: tuple[float, ...]
    cell_avg_v: float
    cell_delta_v: float
    cell_max_index: int
    """From 0."""
    cell_min_index: int
    cell_resistances_mohm: tuple[int, ...] = ()
    mos_temp_c: float | None = 25.0
    """``None``: not fitted, which goes for the other temperatures too."""
    wire_res_mask: int = 0
    pack_voltage_v: float
    pack_power_w: float
    """Magnitude: the wire has no sign for it."""
    pack_current_a: float
    temp1_c: float | None = 25.0
    temp2_c: float | None = 25.0
    alarms: int = 0
    """Bits as in section 9 of the fact sheet; see `Alarm`."""
    balance_current_a: float = 0.0
    balance_state: int = 0
    """0 off, 1 charging, 2 discharging."""
    soc_pct: int
    remaining_ah: float
    full_ah: float
    cycles: int = 0
    cycle_ah: float = 0.0
    soh_pct: int = 100
    runtime_s: int = 0
    charge_mos: bool = True
    discharge_mos: bool = True
    sensor_mask: int = 0xFF
    heating: bool = False
    heat_current_a: float = 0.0
    temp_256_c: float | None = 25.0
    temp_258_c: float | None = 25.0
    log_count: int = 0
    charge_status_s: int = 0
    charge_status: int = 0
    """0 bulk, 1 absorption, 2 float."""

    @property
    def cell_mask(self) -> int:
        """One bit for each cell in use."""
        return (1 << len(self.cell_voltages)) - 1


class Field(NamedTuple):
    """One number: where it is, how it is packed, and how many raw units make one."""

    name: str
    offset: int
    code: str
    scale: int = 1


MILLI = 1000
TENTH = 10

LIVE_FIELDS = (
    Field("wire_res_mask", 146, "<I"),
    Field("pack_voltage_v", 150, "<I", MILLI),
    Field("pack_power_w", 154, "<I", MILLI),
    Field("pack_current_a", 158, "<i", MILLI),
    Field("temp1_c", 162, "<h", TENTH),
    Field("temp2_c", 164, "<h", TENTH),
    Field("balance_current_a", 170, "<h", MILLI),
    Field("balance_state", 172, "<B"),
    Field("soc_pct", 173, "<B"),
    Field("remaining_ah", 174, "<i", MILLI),
    Field("full_ah", 178, "<I", MILLI),
    Field("cycles", 182, "<I"),
    Field("cycle_ah", 186, "<I", MILLI),
    Field("soh_pct", 190, "<B"),
    Field("runtime_s", 194, "<I"),
    Field("charge_mos", 198, "<B"),
    Field("discharge_mos", 199, "<B"),
    Field("sensor_mask", 214, "<B"),
    Field("heating", 215, "<B"),
)
"""What both layouts have, at its offset in 32S; in 24S it is 32 bytes nearer."""

LIVE_FIELDS_32S = (
    *LIVE_FIELDS,
    Field("cell_mask", 70, "<I"),
    Field("cell_avg_v", 74, "<H", MILLI),
    Field("cell_delta_v", 76, "<H", MILLI),
    Field("cell_max_index", 78, "<B"),
    Field("cell_min_index", 79, "<B"),
    Field("mos_temp_c", 144, "<h", TENTH),
    Field("alarms", 166, "<I"),
    Field("pack_voltage_v", 234, "<H", 100),
    Field("heat_current_a", 236, "<h", MILLI),
    Field("mos_temp_c", 254, "<h", TENTH),
    Field("temp_256_c", 256, "<h", TENTH),
    Field("temp_258_c", 258, "<h", TENTH),
    Field("log_count", 266, "<I"),
    Field("charge_status_s", 278, "<H"),
    Field("charge_status", 280, "<B"),
)

LIVE_FIELDS_24S = (
    *(field._replace(offset=field.offset - 32) for field in LIVE_FIELDS),
    Field("cell_mask", 54, "<I"),
    Field("cell_avg_v", 58, "<H", MILLI),
    Field("cell_delta_v", 60, "<H", MILLI),
    Field("cell_max_index", 62, "<B"),
    Field("cell_min_index", 63, "<B"),
    Field("mos_temp_c", 134, "<h", TENTH),
    Field("alarms", 136, "<H"),
)

_LIVE_CONSTANTS = {
    216: b"\x01\x00",
    220: b"\x93\x03",
    226: b"\x00\x00\x40\x40",
    239: b"\x01\x01\x01\x00\x06",
    260: b"\x8d\x03",
    270: b"\x80\x51\x01\x00",  # a sleep countdown of one day
    287: b"\xfe\xff\x7f\xdd\x2f\x01\x01\xb0\x07",
}
"""Bytes that mean nothing known and look the same in every captured RS485 frame, or nearly so."""


def encode_live(live: LiveFrame, byte5: int = FROM_SLAVE, layout: Layout = Layout.S32) -> bytes:
    """A live frame. Raises `ValueError` for more cells than the layout has room for."""
    is_32s = layout is Layout.S32
    room = MOST_CELLS if is_32s else MOST_CELLS_24S
    if not 1 <= len(live.cell_voltages) <= room:
        raise ValueError(f"a {layout.value} frame holds 1 to {room} cells, not {len(live.cell_voltages)}")
    frame = _begin(FrameKind.LIVE, byte5)
    if is_32s:
        for offset, constant in _LIVE_CONSTANTS.items():
            frame[offset : offset + len(constant)] = constant
    _put_row(frame, 6, (round(voltage * MILLI) for voltage in live.cell_voltages))
    _put_row(frame, 80 if is_32s else 64, live.cell_resistances_mohm)
    for entry in LIVE_FIELDS_32S if is_32s else LIVE_FIELDS_24S:
        value = getattr(live, entry.name)
        if entry.code == "<H" and entry.name == "alarms":
            value &= 0xFFFF
        _put(frame, entry, value)
    return _close(frame)


# --- settings ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SettingsFrame:
    """What a settings frame says; the values are those of a captured LFP pack where nothing else is given."""

    smart_sleep_v: float = 3.5
    cell_uvp_v: float = 2.6
    cell_uvp_recovery_v: float = 2.65
    cell_ovp_v: float = 3.61
    cell_ovp_recovery_v: float = 3.448
    balance_trigger_v: float = 0.005
    soc100_v: float = 3.449
    soc0_v: float = 2.64
    request_charge_v: float = 3.45
    request_float_v: float = 3.35
    power_off_v: float = 2.5
    charge_limit_a: float = 100.0
    charge_ocp_delay_s: int = 3
    charge_ocp_release_s: int = 60
    discharge_limit_a: float = 200.0
    discharge_ocp_delay_s: int = 300
    discharge_ocp_release_s: int = 60
    scp_release_s: int = 5
    balance_limit_a: float = 2.0
    charge_otp_c: float = 70.0
    charge_otp_release_c: float = 60.0
    discharge_otp_c: float = 70.0
    discharge_otp_release_c: float = 60.0
    charge_utp_c: float = -20.0
    charge_utp_release_c: float = -10.0
    mos_otp_c: float = 100.0
    mos_otp_release_c: float = 80.0
    cell_count: int = 16
    charge_enabled: bool = True
    discharge_enabled: bool = True
    balance_enabled: bool = True
    capacity_ah: float = 304.0
    scp_delay_us: int = 1500
    balance_start_v: float = 3.45
    device_address: int = 0
    precharge_time_s: int = 5
    current_range_a: float = 150.0
    control_mask: int = 0x0210
    heat_start_c: int = 0
    heat_stop_c: int = 10
    smart_sleep_h: int = 24


_SETTINGS_SCALES = {"_v": MILLI, "_a": MILLI, "_ah": MILLI, "_c": TENTH}

SETTINGS_FIELDS = (
    *(
        Field(name, 6 + 4 * index, "<i", _SETTINGS_SCALES.get(name[name.rfind("_") :], 1))
        for index, name in enumerate(tuple(SettingsFrame.__dataclass_fields__)[:34])
    ),
    Field("device_address", 270, "<I"),
    Field("precharge_time_s", 274, "<I"),
    Field("current_range_a", 278, "<I", 10_000),
    Field("control_mask", 282, "<H"),
    Field("heat_start_c", 284, "<b"),
    Field("heat_stop_c", 285, "<b"),
    Field("smart_sleep_h", 286, "<B"),
)
"""34 numbers of 4 bytes from offset 6 on, in the order of `SettingsFrame`, and the rest."""

_SETTINGS_TAIL = (287, b"\xfe\xff\xff\xff\xbf\xe9\x01\x02")


def encode_settings(settings: SettingsFrame, byte5: int = FROM_SLAVE) -> bytes:
    """A settings frame, 32S."""
    frame = _begin(FrameKind.SETTINGS, byte5)
    for entry in SETTINGS_FIELDS:
        _put(frame, entry, getattr(settings, entry.name))
    offset, tail = _SETTINGS_TAIL
    frame[offset : offset + len(tail)] = tail
    return _close(frame)


# --- device info ------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class InfoFrame:
    """What a device info frame says. Secrets are made up and carry `SECRET_MARK`."""

    vendor_id: str = "JK_PB2A16S15P"
    hw_version: str = "14.XA"
    sw_version: str = "14.20"
    uptime_s: int = 0
    power_on_count: int = 1
    device_name: str = "JK-BMS"
    manufactured: str = "240222"
    serial_number: str = "HF000000000"
    ble_passcode: str = field(default=f"{SECRET_MARK}-ble", repr=False)
    serial_rest: str = field(default=SECRET_MARK, repr=False)
    """What older firmware keeps behind its 11 characters of serial number."""
    user_data: str = field(default=f"{SECRET_MARK}-user", repr=False)
    setup_passcode: str = field(default=f"{SECRET_MARK}-setup", repr=False)
    user_data_2: str = field(default=f"{SECRET_MARK}-user-2", repr=False)


_INFO_TEXTS = {
    "vendor_id": (6, 16),
    "hw_version": (22, 8),
    "sw_version": (30, 8),
    "device_name": (46, 16),
    "ble_passcode": (62, 16),
    "manufactured": (78, 8),
    "serial_number": (86, 11),
    "serial_rest": (98, 4),
    "user_data": (102, 16),
    "setup_passcode": (118, 16),
    "user_data_2": (134, 16),
}

_INFO_FIELDS = (Field("uptime_s", 38, "<I"), Field("power_on_count", 42, "<I"))


def encode_info(info: InfoFrame, byte5: int = FROM_SLAVE) -> bytes:
    """A device info frame. Raises `ValueError` for a text longer than its place."""
    frame = _begin(FrameKind.INFO, byte5)
    for name, (offset, size) in _INFO_TEXTS.items():
        text = getattr(info, name).encode()
        if len(text) > size:
            raise ValueError(f"{name} has at most {size} bytes")
        frame[offset : offset + len(text)] = text
    for entry in _INFO_FIELDS:
        _put(frame, entry, getattr(info, entry.name))
    return _close(frame)


Frame = LiveFrame | SettingsFrame | InfoFrame
"""What a data frame says, by its kind."""


def kind_of(frame: Frame) -> FrameKind:
    """The kind of frame that says this."""
    if isinstance(frame, LiveFrame):
        return FrameKind.LIVE
    return FrameKind.SETTINGS if isinstance(frame, SettingsFrame) else FrameKind.INFO


def encode(frame: Frame, byte5: int = FROM_SLAVE) -> bytes:
    """A frame of any kind, 32S."""
    if isinstance(frame, LiveFrame):
        return encode_live(frame, byte5)
    return encode_settings(frame, byte5) if isinstance(frame, SettingsFrame) else encode_info(frame, byte5)


# --- inside -----------------------------------------------------------------------------------------------


def _begin(kind: FrameKind, byte5: int) -> bytearray:
    frame = bytearray(FRAME_SIZE)
    frame[:6] = HEADER + bytes((kind, byte5))
    return frame


def _close(frame: bytearray) -> bytes:
    frame[-1] = checksum(frame[:-1])
    return bytes(frame)


def _put(frame: bytearray, entry: Field, value: Any) -> None:
    raw = NOT_FITTED if value is None else round(value * entry.scale)
    struct.pack_into(entry.code, frame, entry.offset, raw)


def _put_row(frame: bytearray, offset: int, raws: Any) -> None:
    for index, raw in enumerate(raws):
        struct.pack_into("<H", frame, offset + 2 * index, raw)
