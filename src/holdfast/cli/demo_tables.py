"""The demo's tables: a house in two columns, and a pack with a line for each battery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text

from holdfast.cli import words
from holdfast.cli.demo_pack import PACK
from holdfast.cli.demo_site import DEVICE
from holdfast.model import Quality
from holdfast.simulators.ipcom import DEMO_DIMMERS, DEMO_LIGHTS, DEMO_SHUTTERS
from holdfast.simulators.jkbms import DEMO_BATTERIES

if TYPE_CHECKING:
    from holdfast.hub.hub import Hub
    from holdfast.model import Reading

SIDES: Final = 2
LINES: Final = (("pack", ""), *((name, f"{address}/") for name, address in DEMO_BATTERIES.items()))
"""The pack and its batteries, each with what its keys begin with."""
MEASURED: Final = (
    ("charge", "soc", 1),
    ("current", "current", 1),
    ("power", "power", 0),
    ("voltage", "voltage", 2),
    ("cell spread", "cell_spread", 3),
)
"""Title, key, and decimals that a person can follow."""
_STYLES: Final = {
    Quality.GOOD: "green",
    Quality.LATE: "yellow",
    Quality.STALE: "red",
    Quality.UNKNOWN: "dim",
}
"""The best quality first."""
_WORST_LAST: Final = list(_STYLES)


def house(hub: Hub) -> Table:
    """Every output with value, quality and age."""
    table = _table(*("output", "value", "quality", "age") * SIDES)
    names = [*DEMO_LIGHTS, *DEMO_DIMMERS, *DEMO_SHUTTERS]
    rows = -(-len(names) // SIDES)
    cells = [_cells(hub.reading(f"{DEVICE}/{name}")) for name in names]
    cells += [("",) * 4] * (rows * SIDES - len(cells))
    for row in range(rows):
        table.add_row(*(cell for side in range(SIDES) for cell in cells[row + side * rows]))
    return table


def pack(hub: Hub) -> Table:
    """What the pack and each battery report, as good as the worst of it."""
    table = _table("", *(title for title, _, _ in MEASURED), "quality", "age")
    for name, prefix in LINES:
        readings = [hub.reading(f"{PACK}/{prefix}{key}") for _, key, _ in MEASURED]
        values = [_value(each, digits) for each, (_, _, digits) in zip(readings, MEASURED, strict=True)]
        worst = max(readings, key=lambda each: _WORST_LAST.index(each.quality))
        table.add_row(name, *values, _quality(worst), words.duration(worst.age_s))
    return table


def _table(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for title in titles:
        table.add_column(title, justify="right" if title == "age" else "left", no_wrap=True)
    return table


def _cells(reading: Reading) -> tuple[str | Text, ...]:
    return reading.target, _value(reading), _quality(reading), words.duration(reading.age_s)


def _value(reading: Reading, digits: int = 0) -> Text:
    """Nothing where nothing is current; what is on or moving stands out."""
    value = reading.value
    is_plain = value in (False, 0, None, "stopped")
    if isinstance(value, float):
        value = f"{value:.{digits}f}"
    return Text(words.value(value, reading.unit), style="" if is_plain else "bold")


def _quality(reading: Reading) -> Text:
    missing = f" (no {', '.join(reading.missing)})" if reading.missing else ""
    return Text(f"{reading.quality.value}{missing}", style=_STYLES[reading.quality])
