"""Members that were heard on a path and that no adapter is configured for: told to the user, never believed blindly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TAKEN_IN_AFTER = 2
"""A member exists once so many whole messages of it came: one may be damage that kept its checksum."""
MOST = 64
"""More strangers on one path are noise, or the wrong path."""


@dataclass(slots=True)
class Sighting:
    """How often and when a stranger was heard (loop time)."""

    messages: int = 0
    last_t: float = 0.0

    def heard(self, now: float) -> None:
        """Once more."""
        self.messages += 1
        self.last_t = now

    def as_dict(self, now: float) -> dict[str, Any]:
        """For API and command line."""
        return {"messages": self.messages, "ago_s": now - self.last_t}
