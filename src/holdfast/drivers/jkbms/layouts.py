"""Which layout a frame is in (JK fact sheet section 5). The float family JK04 is looked for first, and refused."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from holdfast.drivers.jkbms.about import major_version
from holdfast.drivers.jkbms.live import read_live_24s, read_live_32s

if TYPE_CHECKING:
    from holdfast.drivers.jkbms.live import LiveRecord


class Layout(StrEnum):
    """The three families."""

    S32 = "32S"
    S24 = "24S"
    JK04 = "JK04"


FIRST_32S: Final = 11
"""The software version from which on frames are 32S."""
VERSION_JK04: Final = 3

_FLOATS: Final = range(0x3E80, 0x4120)
"""The upper half of a float from 0.25 to 10. As a cell that is 16 V, as a setting over a million volts."""

_CELL_MV: Final = range(500, 5001)
"""Section 3: 0.5 to 5 V."""
_TOLERANCE: Final = 0.02
"""Section 3: how far the sum of the cells may be from the pack voltage."""


def is_jk04(frame: bytes) -> bool:
    """Whether the first value of a live or settings frame is sensible as a float and impossible as a whole number."""
    return frame[8] | frame[9] << 8 in _FLOATS


def layout_by_version(sw_version: str) -> Layout | None:
    """By the software version in the device info; ``None`` where it does not tell.

    Not the last word: a board with version 8 is known that is JK04.
    """
    major = major_version(sw_version)
    if major is None:
        return None
    if major == VERSION_JK04:
        return Layout.JK04
    return Layout.S32 if major >= FIRST_32S else Layout.S24


def layout_by_look(frame: bytes) -> Layout | None:
    """Of an integer live frame: the one layout in which its cells add up to its pack voltage."""
    is_32s, is_24s = _adds_up(read_live_32s(frame)), _adds_up(read_live_24s(frame))
    if is_32s is is_24s:
        return None
    return Layout.S32 if is_32s else Layout.S24


def _adds_up(live: LiveRecord) -> bool:
    total, pack = sum(live.cells_mv), live.pack_voltage_mv
    return (
        all(each in _CELL_MV for each in live.cells_mv)
        and abs(total - pack) <= pack * _TOLERANCE
        and pack > 0
    )
