"""The table: one row for each setup, in Markdown, so that a page can show what was printed."""

from __future__ import annotations

import math
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from bench.quality.month import DAY_S, NEAR_K, keep

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.quality.month import Kept
    from bench.quality.setups import Setup

COLUMNS = (
    "vessel",
    "room",
    "sensor",
    "plugs",
    "limits",
    "inside",
    f"± {NEAR_K:g} °C",
    "worst day",
    "from the start",
    "settled after",
    "farthest above / below",
    "starts a day",
    "rest / pause",
    "what is in the way",
)
NONE = "–"


def head() -> str:
    """The head of the table."""
    return f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}"


def named(setup: Setup) -> str:
    """The beginning of a row: what was measured."""
    names = (setup.vessel.name, setup.room_name, setup.sensor.name, setup.plug_name, setup.range.name)
    return f"| {' | '.join(names)} |"


def line(setup: Setup, kept: Kept) -> str:
    """One row. Shares are cut, not rounded: 95.0 % is at least that."""
    has_settled = kept.settled_s is not None
    stopped = (
        f"stopped for {kept.stopped_s / DAY_S:.1f} days: plugs held for swapped" if kept.stopped_s else ""
    )
    far = kept.settled if has_settled else kept.whole
    cells = (
        _share(kept.inside) if has_settled else NONE,
        _share(kept.nearly_inside) if has_settled else NONE,
        _share(kept.worst_day) if has_settled else NONE,
        _share(kept.whole.inside),
        "never" if kept.settled_s is None else f"{kept.settled_s / 3600.0:.1f} h",
        f"{far.above_c:.2f} / {far.below_c:.2f} °C",
        " + ".join(f"{kept.starts_a_day(role):.1f}" for role in setup.plugs),
        f"{_minutes(kept.relays.cooler.shortest_rest_s)} / {_minutes(kept.relays.shortest_pause_s)}",
        "; ".join(filter(None, (setup.why, stopped))),
    )
    return f"{named(setup)} {' | '.join(cells)} |".replace("|  |", "| |")


def measured(setups: Sequence[Setup], days: float) -> Iterator[tuple[Setup, Kept]]:
    """What came of each, in order, as their times are over; on all cores."""
    with ProcessPoolExecutor(os.cpu_count()) as cores:
        yield from zip(setups, cores.map(partial(keep, days=days), setups), strict=True)


def _share(share: float) -> str:
    return f"{math.floor(share * 1000.0) / 10.0:.1f} %"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60.0:.0f} min" if math.isfinite(seconds) else NONE
