"""The judge of damaged streams sees what differs, by how much, and whose it is."""

from __future__ import annotations

from typing import Any

import pytest

from bench.jkbms.bounds import BOUNDS, largest_error
from bench.jkbms.dirty import KINDS, dirty_run, errors, said_values
from holdfast.simulators.jkbms import Battery

SAID: dict[str, Any] = said_values(Battery(3, seed=1).live(0.0))


def test_what_was_said_has_no_errors() -> None:
    """Also where a product was rounded."""
    assert errors(SAID, {**SAID, "power": round(SAID["power"], 3)}) == {}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"voltage": SAID["voltage"] + 0.016}, 0.016),
        ({"soc": SAID["soc"] - 4}, 4),
        ({"alarms": ("cell over voltage",)}, 1.0),
        ({"charging": False}, 1.0),
        ({"runtime": None}, float("inf")),
    ],
)
def test_an_error_is_measured(change: dict[str, Any], error: float) -> None:
    """In the unit of the value; words differ or not; what is missing is off without limit."""
    assert list(errors(SAID, SAID | change).values()) == [pytest.approx(error)]


def test_every_value_has_a_bound() -> None:
    """None is left to chance."""
    for kind in KINDS:
        for key, value in SAID.items():
            assert largest_error(kind, key, value) >= 0
    assert len({each.key for each in BOUNDS}) == len(BOUNDS)


def test_a_run_is_the_same_each_time() -> None:
    """By its seed."""
    one, again, other = (dirty_run("everything", 300, seed) for seed in (1, 1, 2))
    assert one == again
    assert one != other
    assert one.sent == 300
    assert "everything" in one.text()
