"""Per cent and bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.drivers.ipcom.levels import to_byte, to_percent
from tests.drivers.ipcom.golden import VECTORS

SCALES = st.sampled_from([100, 255])


@pytest.mark.parametrize("scale", [100, 255])
def test_whole_percents_are_stable(scale: int) -> None:
    """Percent to byte to percent changes nothing, and bytes never fall."""
    levels = [to_byte(percent, scale) for percent in range(101)]
    assert [to_percent(byte, scale) for byte in levels] == list(range(101))
    assert levels == sorted(levels)
    assert levels[0] == 0
    assert levels[100] == scale


@given(st.floats(0, 100), SCALES)
def test_any_percent_settles_at_once(percent: float, scale: int) -> None:
    """A second round changes nothing, and what is on stays on."""
    shown = to_percent(to_byte(percent, scale), scale)
    assert to_percent(to_byte(shown, scale), scale) == shown
    assert (shown > 0) is (percent > 0)
    assert abs(shown - percent) <= 1.0


def test_rounded_half_up() -> None:
    """Where the earlier program truncated, and the same where it did not."""
    assert to_byte(50, 255) == 128
    assert to_byte(12.5, 100) == 13
    for vector in VECTORS["percent_to_byte"]:
        scale = 100 if vector["kind"] == "dim100" else 255
        assert to_byte(vector["percent"], scale) - vector["byte"] in ((0,) if scale == 100 else (0, 1))


def test_edges() -> None:
    """Below 0 is off, above full is full, and 255 on a dimmer of 100 reads full."""
    assert to_byte(-1, 100) == 0
    assert to_byte(101, 255) == 255
    assert to_percent(255, 100) == 100
    assert to_percent(1, 255) == 1
