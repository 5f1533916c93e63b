"""What no battery can say, however often it comes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.drivers.jkbms.about import read_about
from holdfast.drivers.jkbms.checks import check, check_live, check_settings
from holdfast.drivers.jkbms.codec import JkBleCodec
from holdfast.drivers.jkbms.layouts import Layout
from holdfast.drivers.jkbms.live import LiveRecord, read_live_32s
from holdfast.drivers.jkbms.settings import SettingsRecord, read_settings_32s
from holdfast.model import Batch
from tests.drivers.jkbms.captures import ABOUT_FRAME, FRAMES, LIVE, LIVE_FRAME, frame, sealed, settings_frame

LIVE_RECORD = read_live_32s(LIVE_FRAME)
SETTINGS = read_settings_32s(settings_frame(1))
CELLS = LIVE_RECORD.cells_mv
GOOD = [ident for ident, each in FRAMES.items() if each["kind"] == "frame" and each["layout"] != "JK04"]


def live(**fields: Any) -> LiveRecord:
    """A captured live frame with other values."""
    return LIVE_RECORD._replace(**fields)


def settings(**fields: Any) -> SettingsRecord:
    """A captured settings frame with other values."""
    return SETTINGS._replace(**fields)


@pytest.mark.parametrize("ident", GOOD)
def test_every_captured_frame_is_believable(ident: str) -> None:
    """What real batteries said passes."""
    codec = JkBleCodec("1")
    codec.layout = Layout(FRAMES[ident]["layout"])
    (batch,) = (each for each in (*codec.feed(frame(ident)), *codec.flush()) if isinstance(each, Batch))
    assert check(batch.member, batch.group, batch.raw, None) is None


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"cells_mv": (), "cell_mask": 0}, "no_cells"),
        ({"cells_mv": (499, *CELLS[1:])}, "cells"),
        ({"cells_mv": (*CELLS[1:], 5001)}, "cells"),
        ({"pack_voltage_mv": 0}, "sum"),
        ({"pack_voltage_mv": sum(CELLS) * 103 // 100}, "sum"),
        ({"pack_voltage_mv": sum(CELLS) * 97 // 100}, "sum"),
        ({"soc_pct": 101}, "percent"),
        ({"soh_pct": 255}, "percent"),
    ],
)
def test_an_impossible_live_frame(fields: dict[str, Any], code: str) -> None:
    """Each rule has its word (fact sheet section 3)."""
    why = check("1", "live", live(**fields), None)
    assert why is not None
    assert why.code == code
    assert why.text


@pytest.mark.parametrize(
    "fields",
    [
        {"pack_voltage_mv": sum(CELLS) * 101 // 100},
        {"soc_pct": 0, "soh_pct": 0},
        {"soc_pct": 100, "soh_pct": 100},
        {"cells_mv": (500, 5000), "pack_voltage_mv": 5500},
    ],
)
def test_extremes_are_possible(fields: dict[str, Any]) -> None:
    """On the edge is inside."""
    assert check_live(live(**fields)) is None


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"cell_count": 0}, "cell_count"),
        ({"cell_count": 33}, "cell_count"),
        ({"cell_uvp_mv": 499}, "cell_limits"),
        ({"cell_ovp_mv": -1}, "cell_limits"),
        ({"cell_ovp_mv": 5001}, "cell_limits"),
    ],
)
def test_impossible_settings(fields: dict[str, Any], code: str) -> None:
    """A number of cells, and limits, that no battery has."""
    why = check("1", "settings", settings(**fields), None)
    assert why is not None
    assert why.code == code
    assert check_settings(settings(cell_count=32, cell_uvp_mv=500, cell_ovp_mv=5000)) is None


def test_device_info_is_not_judged() -> None:
    """It holds nothing that could be."""
    assert check("1", "about", read_about(ABOUT_FRAME), None) is None


def test_all_zeros_with_a_good_sum_are_nonsense() -> None:
    """Blank frames pass the sum."""
    blank = sealed(LIVE_FRAME[:6] + bytes(293))
    assert check_live(read_live_32s(blank)) is not None
    assert check_settings(read_settings_32s(sealed(settings_frame(1)[:6] + bytes(293)))) is not None


@given(st.binary(min_size=293, max_size=293))
def test_it_never_raises(data: bytes) -> None:
    """Whatever a frame holds; and what passes has cells."""
    frame_ = sealed(LIVE_FRAME[:4] + bytes((LIVE, 0)) + data)
    record = read_live_32s(frame_)
    if check("1", "live", record, None) is None:
        assert record.cells_mv
    check("1", "settings", read_settings_32s(frame_), None)
