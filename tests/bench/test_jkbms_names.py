"""The comparison of the JK benchmark sees what differs, and says so where the peer is not to be had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.jkbms.environment import NAMED_BY, PeerUnavailable, peer_python
from bench.jkbms.names import NAMES, differences

if TYPE_CHECKING:
    from pathlib import Path

THEIRS: dict[str, Any] = {
    "voltage": 52.268,
    "design_capacity": 280,
    "balancer": True,
    "temp_values": [21.1, 15.6],
    "cell_voltages": [3.266, 3.268],
    "problem_code": 16,
}
OURS: dict[str, Any] = {
    "voltage": 52.268,
    "full_capacity": 280.9,
    "balancing": True,
    "temperatures/mos": 21.1,
    "temperatures/1": 15.6,
    "cells/1/voltage": 3.266,
    "cells/2/voltage": 3.268,
    "alarms": ("cell over voltage",),
}


def test_equal_frames_have_no_differences() -> None:
    """A whole number of Ah is what the peer makes of the full capacity."""
    assert differences(OURS, THEIRS) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"voltage": 52.269}, "voltage"),
        ({"full_capacity": 281.0}, "full_capacity"),
        ({"balancing": False}, "balancing"),
        ({"temperatures/1": None}, "temperatures/1"),
        ({"cells/3/voltage": 3.3}, "cells/3/voltage"),
        ({"alarms": ()}, "alarms"),
    ],
)
def test_a_difference_is_told(change: dict[str, Any], told: str) -> None:
    """A value that is off by its last digit, missing, or there on one side only."""
    (difference,) = differences(OURS | change, THEIRS)
    assert difference.startswith(told)


def test_no_name_twice() -> None:
    """Each value is compared once."""
    assert len({name.ours for name in NAMES}) == len({name.theirs for name in NAMES}) == len(NAMES)


def test_no_second_python_is_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads nowhere is an answer, not a crash, and nothing is made."""
    monkeypatch.setenv(NAMED_BY, str(tmp_path / "nowhere"))
    with pytest.raises(PeerUnavailable, match="no Python that runs"):
        peer_python(tmp_path / "environment")
    assert not (tmp_path / "environment").exists()
