"""A point in time on two clocks: one that never steps, and the one on the wall."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Instant:
    """Now, as a controller is told it.

    ``steady_s`` are seconds on a clock that never steps and also counts sleep (`Clock.boottime`). ``era`` names the
    stretch in which such seconds compare: the machine's boot where it has a name, else the run of the program.
    ``wall`` is UTC and may jump: minimum times and leases never look at it.
    """

    steady_s: float
    era: str
    wall: datetime

    def since_s(self, past: Instant) -> float | None:
        """Seconds from ``past`` to this, proven by the steady clock; ``None`` where it cannot tell."""
        if past.era != self.era:
            return None
        return max(0.0, self.steady_s - past.steady_s)

    def told_since_s(self, past: Instant) -> float:
        """Seconds from ``past``, told by the wall clock where the steady one cannot tell. Never below 0."""
        steady_s = self.since_s(past)
        return max(0.0, (self.wall - past.wall).total_seconds()) if steady_s is None else steady_s

    def before(self, seconds: float) -> Instant:
        """So many seconds earlier."""
        return Instant(self.steady_s - seconds, self.era, self.wall - timedelta(seconds=seconds))
