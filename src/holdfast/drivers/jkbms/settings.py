"""Settings frames (type 1): register table (JK fact sheet section 7). The integer layouts share it up to 138."""

from collections.abc import Callable
from typing import Annotated, Final, NamedTuple

from holdfast.drivers.jkbms.fields import At, reader_of, table_of

_ONE: Final = "one source"
_NOT_24S: Final = "zero on 24S firmware"


class SettingsRecord(NamedTuple):
    """A settings frame as raw numbers; the last word of a name is the raw unit (``dc``: tenths of °C), see `fields`.

    What is behind 138 is known of the 32S layout alone and ``None`` on 24S. Not read: wire resistances from 142 (offset
    and unit disputed) and the bytes that no source names.
    """

    smart_sleep_mv: Annotated[int, At(6, "i")]
    cell_uvp_mv: Annotated[int, At(10, "i")]
    cell_uvp_recovery_mv: Annotated[int, At(14, "i")]
    cell_ovp_mv: Annotated[int, At(18, "i")]
    cell_ovp_recovery_mv: Annotated[int, At(22, "i")]
    balance_trigger_mv: Annotated[int, At(26, "i")]
    soc100_mv: Annotated[int, At(30, "i", _NOT_24S)]
    soc0_mv: Annotated[int, At(34, "i", _NOT_24S)]
    request_charge_mv: Annotated[int, At(38, "i", _NOT_24S)]
    request_float_mv: Annotated[int, At(42, "i", _NOT_24S)]
    power_off_mv: Annotated[int, At(46, "i")]
    charge_limit_ma: Annotated[int, At(50, "i")]
    charge_ocp_delay_s: Annotated[int, At(54, "i")]
    charge_ocp_release_s: Annotated[int, At(58, "i")]
    discharge_limit_ma: Annotated[int, At(62, "i")]
    discharge_ocp_delay_s: Annotated[int, At(66, "i")]
    discharge_ocp_release_s: Annotated[int, At(70, "i")]
    scp_release_s: Annotated[int, At(74, "i")]
    balance_limit_ma: Annotated[int, At(78, "i")]
    charge_otp_dc: Annotated[int, At(82, "i")]
    charge_otp_release_dc: Annotated[int, At(86, "i")]
    discharge_otp_dc: Annotated[int, At(90, "i")]
    discharge_otp_release_dc: Annotated[int, At(94, "i")]
    charge_utp_dc: Annotated[int, At(98, "i", "may be negative")]
    charge_utp_release_dc: Annotated[int, At(102, "i", "may be negative")]
    mos_otp_dc: Annotated[int, At(106, "i")]
    mos_otp_release_dc: Annotated[int, At(110, "i")]
    cell_count: Annotated[int, At(114, "i")]
    charge_enabled: Annotated[int, At(118, "i", "0 or 1")]
    discharge_enabled: Annotated[int, At(122, "i", "0 or 1")]
    balance_enabled: Annotated[int, At(126, "i", "0 or 1")]
    capacity_mah: Annotated[int, At(130, "i")]
    scp_delay_us: Annotated[int, At(134, "i")]
    balance_start_mv: Annotated[int, At(138, "i")]
    device_address: Annotated[int | None, At(270, "I", "the sender's own address on the bus")]
    precharge_time_s: Annotated[int | None, At(274, "I", "one source reads a single byte")]
    current_range_100ua: Annotated[int | None, At(278, "I", f"in 0.1 mA; {_ONE}")]
    control_mask: Annotated[int | None, At(282, "H", "see `CONTROLS`")]
    heat_start_c: Annotated[int | None, At(284, "b", "whole degrees")]
    heat_stop_c: Annotated[int | None, At(285, "b", "whole degrees")]
    smart_sleep_h: Annotated[int | None, At(286, "B")]
    discharge_utp_c: Annotated[int | None, At(296, "b", f"whole degrees; V19, {_ONE}")]
    discharge_utp_release_c: Annotated[int | None, At(297, "b", f"whole degrees; V19, {_ONE}")]


SettingsReader = Callable[[bytes], SettingsRecord]

CONTROLS: Final = (
    "heating",
    "temperature sensors disabled",
    "GPS heartbeat",
    "port is RS485",  # otherwise CAN
    "display always on",
    "special charger",
    "smart sleep",
    "PCL module disabled",
    "timed data storage",
    "float mode",
    "button emergency",  # from here on one source
    "dry contact intermittent",
    "discharge OCP II",
    "discharge OCP III",
    "GPS lock charge",
    "GPS lock discharge",
)
"""The bits of ``control_mask``, by place; as the vendor's register map has them (section 12)."""

TABLE_32S: Final = table_of(SettingsRecord)
_END_24S: Final = 142
TABLE_24S: Final = {name: at if at.offset < _END_24S else None for name, at in TABLE_32S.items()}


def _reader(table: dict[str, At | None] | dict[str, At]) -> SettingsReader:
    read, make = reader_of({**table}), SettingsRecord._make
    return lambda frame: make(read(frame))


read_settings_32s: Final = _reader(TABLE_32S)
read_settings_24s: Final = _reader(TABLE_24S)
