"""How wrong a value of a battery may be for one frame, where damage kept the frame's sum: field by field.

Every entry follows from a limit that stands with the capability, or from something that the frame says twice. The page
``docs/jkbms_damage.md`` shows the same table, and the tests with damaged streams hold the driver to it.
"""

from __future__ import annotations

import math
from fnmatch import fnmatch
from typing import Any, Final, NamedTuple

ANY: Final = math.inf
"""Not bounded by anything that the frame says: the range of the value alone."""
MOVED: Final = 1.15
"""The limits hold from one believed value to the next; meanwhile the battery itself has moved a little."""
CELLS: Final = 16
"""Cells of the simulated batteries: the mean hides as much of one cell."""


class Bound(NamedTuple):
    """The largest error of a value in its unit, as a number and a share of the value; what limits it, in words.

    ``flips``: two bits that keep the sum. ``others``: bytes of another battery's frame, or shifted ones, with a sum
    that fits by chance.
    """

    key: str
    unit: str
    flips: float
    share: float
    others: float
    why: str


BOUNDS: Final = (
    Bound("voltage", "V", 0.04, 0.0, 12.0, "it is told twice, 0.03 V apart at most"),
    Bound("current", "A", 0.3, 0.18, ANY, "voltage and power are told, too, 15 % apart at most"),
    Bound("power", "W", 20.0, 0.18, ANY, "as the current"),
    Bound("soc", "%", 10.0, 0.0, 10.0, "a jump"),
    Bound("soh", "%", 3.0, 0.0, 3.0, "a jump"),
    Bound(
        "cells/*/voltage",
        "V",
        0.005 * CELLS,
        0.0,
        0.7,
        "the mean is told, 5 mV from that of the cells at most",
    ),
    Bound("cell_min", "V", 0.005 * CELLS, 0.0, 0.7, "as the cells"),
    Bound("cell_max", "V", 0.005 * CELLS, 0.0, 0.7, "as the cells"),
    Bound("cell_spread", "V", 0.005 * CELLS, 0.0, 0.7, "as the cells"),
    Bound("cell_average", "V", 0.006, 0.0, 0.7, "the cells"),
    Bound("cell_count", "", 0.0, 0.0, 0.0, "a jump, and the sum of the cells"),
    Bound("remaining_capacity", "Ah", 10.0, 0.0, 10.0, "a jump"),
    Bound("full_capacity", "Ah", 5.0, 0.0, 5.0, "a jump"),
    Bound("cycles", "", 2.0, 0.0, 2.0, "a jump"),
    Bound("throughput", "Ah", 20.0, 0.0, 20.0, "a jump"),
    Bound("runtime", "s", 600.0, 0.0, 600.0, "a jump"),
    Bound("temperatures/*", "°C", 10.0, 0.0, 10.0, "a jump"),
    Bound("balance_current", "A", 16.0, 0.0, 16.0, "the range of the value"),
    Bound("heat_current", "A", 33.0, 0.0, 33.0, "the range of the field"),
    Bound("alarms", "", ANY, 0.0, ANY, "nothing: one alarm too many or too few"),
    Bound("charging", "", ANY, 0.0, ANY, "nothing"),
    Bound("discharging", "", ANY, 0.0, ANY, "nothing"),
    Bound("balancing", "", ANY, 0.0, ANY, "nothing"),
    Bound("heating", "", ANY, 0.0, ANY, "nothing"),
)

FLIPS: Final = "two bits"
"""The kind of damage that the first column is about."""


def largest_error(kind: str, key: str, said: Any) -> float:
    """The largest error of a value that a battery said, in its unit, under a kind of damage. Raises `StopIteration`."""
    bound = next(each for each in BOUNDS if fnmatch(key, each.key))
    if kind != FLIPS:
        return bound.others * MOVED
    size = abs(said) if isinstance(said, int | float) else 0.0
    return (bound.flips + bound.share * size) * MOVED


def table() -> str:
    """The table of the page."""
    lines = [
        "| value | two bits flipped: off by at most | bytes of another frame: off by at most | what limits it |"
    ]
    lines.append("| --- | --- | --- | --- |")
    for each in BOUNDS:
        cells = (
            each.key,
            _words(each.flips, each.share, each.unit),
            _words(each.others, 0.0, each.unit),
            each.why,
        )
        lines.append("| " + " | ".join((f"`{cells[0]}`", *cells[1:])) + " |")
    return "\n".join(lines) + "\n"


def _words(error: float, share: float, unit: str) -> str:
    if math.isinf(error):
        return "anything that it can be"
    if error == 0.0:
        return "never wrong"
    told = f"{error:g} {unit}".rstrip()
    return f"{told} and {share:.0%} of it" if share else told
