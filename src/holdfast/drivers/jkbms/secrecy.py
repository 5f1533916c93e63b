"""What passes by on the wire and may not be seen: device info holds passcodes (JK fact sheet section 8)."""

from __future__ import annotations

import re
from typing import Final

from holdfast.drivers.jkbms.calls import ABOUT, TYPES
from holdfast.drivers.jkbms.framer import FRAME_LENGTH, HEADER

_ABOUT_HEADER: Final = HEADER + bytes((TYPES[ABOUT],))
_TEXT: Final = re.compile(rb"[0-9A-Za-z]{4}")
"""A word, as passcodes are. Live and settings frames hold numbers, in which four such bytes in a row are rare."""
_REACH: Final = 3
"""Bytes of a word that may have come before."""


def hides(before: bytes, data: bytes) -> bool:
    """Whether ``data`` overlaps a device info frame, or holds a word: what is left of a damaged one.

    Cut more finely than that, a damaged frame may show the first three letters of a word.
    """
    known = (before[-FRAME_LENGTH + 1 :] if before else b"") + data
    return _ABOUT_HEADER in known or _TEXT.search(before[-_REACH:] + data) is not None
