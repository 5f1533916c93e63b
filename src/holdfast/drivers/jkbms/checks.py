"""Whether a whole frame can be true at all (JK fact sheet section 3).

What is rejected here is nonsense however often it comes. Softer doubts (jumps, two measurements of one thing that
differ) stand as limits with the capabilities: they pass, as suspect, when they persist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from holdfast.drivers.jkbms.calls import LIVE, SETTINGS
from holdfast.model import Reject

if TYPE_CHECKING:
    from holdfast.drivers.jkbms.live import LiveRecord
    from holdfast.drivers.jkbms.settings import SettingsRecord

LOWEST_CELL_MV: Final = 500
HIGHEST_CELL_MV: Final = 5000
"""No chemistry that a JK BMS serves is outside: fact sheet section 3."""
SUM_SHARE: Final = 0.02
"""How far the sum of the cells may be from the pack voltage: fact sheet section 3."""
PERCENT: Final = 100
MOST_CELLS: Final = 32


def check(member: str, group: str, raw: Any, before: Any) -> Reject | None:
    """Why a record cannot be true, or ``None``."""
    if group == LIVE:
        return check_live(raw)
    return check_settings(raw) if group == SETTINGS else None


def check_live(live: LiveRecord) -> Reject | None:
    """Cells there, in range, and adding up to the pack; shares from 0 to 100 %."""
    cells, pack_mv = live.cells_mv, live.pack_voltage_mv
    if not cells:
        return Reject("no_cells", "no cell is in use")
    if min(cells) < LOWEST_CELL_MV or max(cells) > HIGHEST_CELL_MV:
        return Reject("cells", f"cells from {min(cells)} to {max(cells)} mV")
    total_mv = sum(cells)
    if abs(total_mv - pack_mv) > pack_mv * SUM_SHARE:
        return Reject("sum", f"the cells add up to {total_mv} mV, the pack has {pack_mv} mV")
    if live.soc_pct > PERCENT or live.soh_pct > PERCENT:
        return Reject("percent", f"a charge of {live.soc_pct} %, a health of {live.soh_pct} %")
    return None


def check_settings(settings: SettingsRecord) -> Reject | None:
    """A number of cells that exists, and cell limits that a cell can have."""
    if not 1 <= settings.cell_count <= MOST_CELLS:
        return Reject("cell_count", f"{settings.cell_count} cells")
    limits = (settings.cell_uvp_mv, settings.cell_ovp_mv)
    if not all(LOWEST_CELL_MV <= each <= HIGHEST_CELL_MV for each in limits):
        return Reject("cell_limits", f"cell limits of {limits[0]} and {limits[1]} mV")
    return None
