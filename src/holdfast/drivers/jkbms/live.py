"""Live frames (type 2): register table, both integer layouts, temperatures (JK fact sheet sections 5, 6, 12)."""

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Final, NamedTuple

from holdfast.drivers.jkbms.fields import At, reader_of, table_of

_ONE: Final = "one source"


class LiveRecord(NamedTuple):
    """A live frame as raw numbers; the last word of a name is the raw unit (``dc``: tenths of °C), see `fields`.

    Offsets are those of the 32S layout; the 24S layout is derived from them, fields that it lacks are ``None`` there.
    Not read: 220 to 229 (diagnostics, one source) and the constant tail from 286.
    """

    cells_mv: Annotated[tuple[int, ...], At(6, "H", "cells in use only", 32, "cell_voltages")]
    """Voltages of the cells in use, in the order of `cell_numbers`."""
    resistances_mohm: Annotated[tuple[int, ...], At(80, "H", "cells in use only", 32, "cell_resistances")]
    """Wire resistances of the cells in use, in milliohms."""
    cell_mask: Annotated[int, At(70, "I", "bit n is set: cell n + 1 is in use")]
    cell_avg_mv: Annotated[int, At(74, "H", "one source calls it the maximum: wrong")]
    cell_delta_mv: Annotated[int, At(76, "H", "sampled apart: may differ by 1 mV from maximum - minimum")]
    cell_max_index: Annotated[int, At(78, "B", "from 0; may lag the cells")]
    cell_min_index: Annotated[int, At(79, "B", "from 0; may lag the cells")]
    mos_temp_dc: Annotated[int, At(144, "h")]
    wire_res_mask: Annotated[int, At(146, "I", "bit per cell with a wire fault")]
    pack_voltage_mv: Annotated[int, At(150, "I")]
    pack_power_mw: Annotated[int, At(154, "I", "magnitude, without sign")]
    pack_current_ma: Annotated[int, At(158, "i", "positive: charging")]
    temp1_dc: Annotated[int, At(162, "h")]
    temp2_dc: Annotated[int, At(164, "h")]
    alarms: Annotated[int, At(166, "I", "see `alarms`")]
    balance_current_ma: Annotated[int, At(170, "h")]
    balance_state: Annotated[int, At(172, "B", "0 off, 1 charging, 2 discharging")]
    soc_pct: Annotated[int, At(173, "B")]
    remaining_mah: Annotated[int, At(174, "i")]
    full_mah: Annotated[int, At(178, "I", "on 11.x an aged value; the owner's setting is in the settings")]
    cycles: Annotated[int, At(182, "I")]
    cycle_mah: Annotated[int, At(186, "I", "total throughput")]
    soh_pct: Annotated[int, At(190, "B")]
    precharge: Annotated[int, At(191, "B", _ONE)]
    user_alarm: Annotated[int, At(192, "H", "unclear")]
    runtime_s: Annotated[int, At(194, "I")]
    charge_mos: Annotated[int, At(198, "B", "1: on")]
    discharge_mos: Annotated[int, At(199, "B", "1: on")]
    precharging: Annotated[int, At(200, "B", "disputed: precharging or balance switch; use neither")]
    balancer_on: Annotated[int, At(201, "B", _ONE)]
    discharge_oc_release_s: Annotated[int, At(202, "H")]
    discharge_sc_release_s: Annotated[int, At(204, "H")]
    charge_oc_release_s: Annotated[int, At(206, "H")]
    charge_sc_release_s: Annotated[int, At(208, "H")]
    uv_release_s: Annotated[int, At(210, "H")]
    ov_release_s: Annotated[int, At(212, "H")]
    sensor_mask: Annotated[int, At(214, "B", "disputed: no sensor is hidden by it")]
    heating: Annotated[int, At(215, "B")]
    emergency_s: Annotated[int | None, At(218, "H", f"left of emergency mode; {_ONE}")]
    pack_voltage_10mv: Annotated[int | None, At(234, "H", "the pack voltage again, in 0.01 V")]
    heat_current_ma: Annotated[int | None, At(236, "h")]
    charger_plugged: Annotated[int | None, At(245, "B", _ONE)]
    temp_254_dc: Annotated[
        int | None, At(254, "h", "mirrors mos_temp in 250 of 254 frames: no battery sensor")
    ]
    temp_256_dc: Annotated[int | None, At(256, "h", "order of 256 and 258 disputed")]
    temp_258_dc: Annotated[int | None, At(258, "h", "order of 256 and 258 disputed")]
    log_count: Annotated[int | None, At(266, "I")]
    sleep_countdown_s: Annotated[int | None, At(270, "I", _ONE)]
    pcl_module: Annotated[int | None, At(274, "B", _ONE)]
    battery_type: Annotated[int | None, At(275, "B", f"0 LFP, 1 Li-ion, 2 LTO (V19); {_ONE}")]
    charge_status_s: Annotated[int | None, At(278, "H", "in the present charge state")]
    charge_status: Annotated[
        int | None, At(280, "B", "0 bulk, 1 absorption, 2 float (software 15 and later)")
    ]
    dry_contacts: Annotated[int | None, At(281, "B", f"bits 1 and 2; {_ONE}")]

    @property
    def cell_numbers(self) -> tuple[int, ...]:
        """The numbers of the cells in use, from 1."""
        return numbers_in(self.cell_mask)


LiveReader = Callable[[bytes], LiveRecord]


@lru_cache(maxsize=256)
def numbers_in(mask: int) -> tuple[int, ...]:
    """The numbers, from 1, of the bits that are set in a mask of 32 bits."""
    return tuple(number for number in range(1, 33) if mask >> (number - 1) & 1)


# --- layouts (section 5) -----------------------------------------------------------------------------------------

TABLE_32S: Final = table_of(LiveRecord)

_MOVED_24S: Final = {
    "cells_mv": At(6, "H", times=24),
    "cell_mask": At(54, "I"),
    "cell_avg_mv": At(58, "H"),
    "cell_delta_mv": At(60, "H"),
    "cell_max_index": At(62, "B"),
    "cell_min_index": At(63, "B"),
    "resistances_mohm": At(64, "H", times=24),
    "mos_temp_dc": At(134, "h"),
    "alarms": At(136, "H", "the lower 16 bits alone"),
}
_SHIFT_24S: Final = 32
"""How much lower the fields from 146 on stand."""
_END_24S: Final = 218
"""Fields from here on are not defined there."""


def _at_24s(name: str, at: At) -> At | None:
    moved = _MOVED_24S.get(name)
    if moved is not None:
        return moved
    return None if at.offset >= _END_24S else at._replace(offset=at.offset - _SHIFT_24S)


TABLE_24S: Final = {name: _at_24s(name, at) for name, at in TABLE_32S.items()}

_WORDS: Final = [struct.Struct(f"<{count}H").unpack_from for count in range(33)]


def _reader(table: dict[str, At | None] | dict[str, At], most: int) -> LiveReader:
    cells, resistances = table["cells_mv"], table["resistances_mohm"]
    read = reader_of({name: at for name, at in table.items() if at is None or at.times == 1})
    assert cells is not None and resistances is not None  # noqa: S101, PT018 - both layouts have them
    cells_at, resistances_at = cells.offset, resistances.offset
    make = LiveRecord._make

    def read_live(frame: bytes) -> LiveRecord:
        values = read(frame)
        mask: int = values[0]
        count = mask.bit_length()
        if count > most:  # a mask that this layout cannot have: show no cell
            return make(((), (), *values))
        words = _WORDS[count]
        voltages, wires = words(frame, cells_at), words(frame, resistances_at)
        if mask & (mask + 1):  # with gaps
            voltages = tuple(each for place, each in enumerate(voltages) if mask >> place & 1)
            wires = tuple(each for place, each in enumerate(wires) if mask >> place & 1)
        return make((voltages, wires, *values))

    return read_live


read_live_32s: Final = _reader(TABLE_32S, 32)
read_live_24s: Final = _reader(TABLE_24S, 24)


# --- temperatures ------------------------------------------------------------------------------------------------

NOT_FITTED_DC: Final = -2000
"""The raw temperature of a sensor that is not there (section 6)."""

SENSORS: Final = ("mos_temp_dc", "temp1_dc", "temp2_dc", "temp_256_dc", "temp_258_dc")
"""The temperatures that may be shown; 254 repeats the first."""


def fitted_sensors(live: LiveRecord) -> tuple[str, ...]:
    """Those of `SENSORS` that read neither -200 °C nor exactly 0, which both stand for "not fitted".

    A sensor that passes through 0.0 °C is left out for that moment; whoever has seen it before knows better.
    """
    return tuple(name for name in SENSORS if getattr(live, name) not in (None, 0, NOT_FITTED_DC))
