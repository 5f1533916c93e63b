"""What a live frame of the material says, read by the plainest means: the judge of both sides.

Names are those of Holdfast's capabilities without the battery's address, as in `names`. Offsets and units are those
of the JK fact sheet, section 6.
"""

from __future__ import annotations

from struct import Struct
from typing import Any

_CELLS = Struct("<32H")
_MASK = Struct("<I")
_PACK = Struct("<IIi")
_CHARGE = Struct("<iII")
_PAIR = Struct("<2h")
_WORD = Struct("<h")
_ALARMS = Struct("<Ih")
_UNFITTED = -2000


def truth(frame: bytes) -> dict[str, Any]:
    """All values that both sides decode, in V, A, W, Ah, % and °C. Sensors that are not fitted are left out."""
    (mask,) = _MASK.unpack_from(frame, 70)
    cells = _CELLS.unpack_from(frame, 6)
    pack_mv, _, current_ma = _PACK.unpack_from(frame, 150)
    remaining_mah, full_mah, cycles = _CHARGE.unpack_from(frame, 174)
    alarms, balance_ma = _ALARMS.unpack_from(frame, 166)
    used = [(number, cell / 1e3) for number, cell in enumerate(cells, 1) if mask >> number - 1 & 1]
    voltages = [cell for _, cell in used]
    sensors = (*_PAIR.unpack_from(frame, 162), *_PAIR.unpack_from(frame, 256))
    return {
        "voltage": pack_mv / 1e3,
        "current": current_ma / 1e3,
        "power": pack_mv * current_ma / 1e6,
        "soc": frame[173],
        "soh": frame[190],
        "remaining_capacity": remaining_mah / 1e3,
        "full_capacity": full_mah / 1e3,
        "cycles": cycles,
        "cell_spread": max(voltages) - min(voltages),
        "balance_current": balance_ma / 1e3,
        "balancing": bool(frame[172]),
        "charging": bool(frame[198]),
        "discharging": bool(frame[199]),
        "heating": bool(frame[215]),
        "heat_current": _WORD.unpack_from(frame, 236)[0] / 1e3,
        "alarms": alarms,
        "temperatures/mos": _WORD.unpack_from(frame, 144)[0] / 10,
        **{f"temperatures/{n}": raw / 10 for n, raw in enumerate(sensors, 1) if raw != _UNFITTED},
        **{f"cells/{number}/voltage": cell for number, cell in used},
    }
