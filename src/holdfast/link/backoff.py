"""How long to wait before the next try. Pure but for the injected random source."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

FIRST_LOW_S = 0.05
FIRST_HIGH_S = 0.25
"""First try of an outage: most losses are momentary, and links behind one gateway must not return in step."""
BASE_S = 0.5
FACTOR = 2.0
SHORT_CAP_S = 3.5
"""Cap in the first minutes: with a 1 s login limit a link is back within 5 s of the end of a refusal."""
SHORT_FOR_S = 120.0
"""How long an outage counts as young: a reboot of a device or gateway takes less."""
LONG_CAP_S = 30.0
ORDER_CAP_S = 8.0
"""Cap while a standing order is open: a heater that may be on is worth a dial every few seconds."""
REFUSED_FIRST_S = 60.0
REFUSED_CAP_S = 900.0
"""A refused login is not cured by repeating it, and some devices lock out who hammers (1 to 15 minutes)."""


REFUSED_ORDER_CAP_S = 12.0
"""The same while a standing order is open, for what may change by itself (another device at the address, closed
firmware): a safety OFF arrives within 25 s of the return."""
LOGIN_ORDER_CAP_S = REFUSED_FIRST_S
"""With a standing order open a refused login keeps its first pace, one a minute: that hammers nobody, and a heater that
is on is not left for a quarter of an hour because its plug was in a mood."""


class Backoff:
    """Waits between the tries of one outage; full jitter, so that thousands of links do not return together."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.reset()

    def reset(self) -> None:
        """The session has proved healthy: the next loss begins a new outage."""
        self._tries = 0
        self._refusals = 0
        self._since: float | None = None

    @property
    def tries(self) -> int:
        """Waits handed out in this outage."""
        return self._tries

    def after_fault(self, now: float, *, has_order: bool = False) -> float:
        """Seconds to wait after a fault that another try may cure."""
        if self._since is None:
            self._since = now
        self._tries += 1
        if self._tries == 1:
            return self._rng.uniform(FIRST_LOW_S, FIRST_HIGH_S)
        cap_s = SHORT_CAP_S if now - self._since < SHORT_FOR_S else LONG_CAP_S
        if has_order:
            cap_s = min(cap_s, ORDER_CAP_S)
        ceiling_s = min(cap_s, BASE_S * FACTOR ** min(self._tries - 2, 16))
        return self._rng.uniform(0.0, ceiling_s)

    def after_refusal(self, now: float, cap_s: float = REFUSED_CAP_S) -> float:
        """Seconds to wait after the peer refused us (login, identity): long, and growing up to ``cap_s``."""
        if self._since is None:
            self._since = now
        self._tries += 1
        self._refusals += 1
        wait_s = min(REFUSED_CAP_S, REFUSED_FIRST_S * FACTOR ** min(self._refusals - 1, 16))
        return min(wait_s, cap_s) * self._rng.uniform(0.9, 1.0)

    def is_first(self) -> bool:
        """Whether the next try is the first of its outage."""
        return self._tries <= 1
