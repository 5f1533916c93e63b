"""The rows for ``make bench``: shares with their goal, and the times that protect a compressor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.quality.month import DAY_S
from bench.quality.setups import SETUPS
from bench.quality.table import measured
from bench.rows import Row

if TYPE_CHECKING:
    from bench.quality.month import Kept

GOAL = 0.95
"""The share of time inside the range that is promised where nothing is known to be in the way."""
GOAL_DAYS = 7.0
"""In less time a single excursion weighs too much for a goal."""


def rows(days: float) -> list[Row]:
    """All setups for so many days."""
    found = list(measured(SETUPS, days))
    every = [kept for _, kept in found]
    has_goal = days >= GOAL_DAYS
    return [
        *(
            Row(
                setup.name,
                kept.inside * 100.0,
                "%",
                ">=" if has_goal and not setup.why else "",
                GOAL * 100.0 if has_goal and not setup.why else None,
                note=f"{setup.name}: {setup.why}" if setup.why else "",
            )
            for setup, kept in found
        ),
        Row(
            "shortest rest of a compressor",
            min(kept.relays.cooler.shortest_rest_s for kept in every),
            "s",
            ">=",
            300,
        ),
        Row(
            "shortest pause between opposite actions",
            min(k.relays.shortest_pause_s for k in every),
            "s",
            ">=",
            600,
        ),
        Row(
            "setups in which both were on at once",
            sum(kept.relays.were_both_on for kept in every),
            "",
            "==",
            0,
        ),
        Row("days on which plugs were held for swapped", sum(map(_stopped_days, every)), "", digits=1),
    ]


def _stopped_days(kept: Kept) -> float:
    return kept.stopped_s / DAY_S
