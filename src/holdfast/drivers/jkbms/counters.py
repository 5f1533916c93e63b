"""What came over one adapter's wire, counted: the diagnosis of a bus (JK fact sheet section 10.8)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class JkCounters:
    """Counts since they were made; the caller may keep them over many sessions.

    `junk_bytes` are all bytes that belong to no unit, stray zeros on noisy wiring included.
    """

    bytes: int = 0
    junk_bytes: int = 0
    frames: dict[str, int] = field(default_factory=dict)
    """Whole frames by group (``live``, ``settings``, ``about``, ``logbook``), whether attributed or not."""
    bad_sums: int = 0
    bad_types: int = 0
    bad_replies: int = 0
    """Replies that are damaged, or do not fit the frame in front of them."""
    unattributed: int = 0
    """Whole frames of which nobody can tell whose they are."""
    unreadable: int = 0
    """Whole frames of the float family JK04, or of no layout that is known."""
    cut: int = 0
    """Frames whose rest did not come."""
    polls: int = 0
    foreign_polls: int = 0
    """Polls that are not the echo of our own; counted in active mode only, where the first one silences us."""
    replies: int = 0
    batteries: set[int] = field(default_factory=set)
    """The addresses of all attributed frames."""

    def as_dict(self) -> dict[str, Any]:
        """The counts as plain values, for pages and logs; the batteries in order."""
        counts: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        counts["frames"] = dict(self.frames)
        counts["batteries"] = sorted(self.batteries)
        return counts
