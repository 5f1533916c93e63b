"""How well a vessel was kept: the row of a table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Quality:
    """Sums up samples of the beer's true temperature against a band, both in °C. On a limit is not inside."""

    low_c: float
    high_c: float
    total_s: float = 0.0
    inside_s: float = 0.0
    above_c: float = 0.0
    """The farthest above the band."""
    below_c: float = 0.0
    """The farthest below."""

    def add(self, beer_c: float, lasted_s: float) -> None:
        """The beer was so warm for so long."""
        self.total_s += lasted_s
        if self.low_c < beer_c < self.high_c:
            self.inside_s += lasted_s
        self.above_c = max(self.above_c, beer_c - self.high_c)
        self.below_c = max(self.below_c, self.low_c - beer_c)

    @property
    def inside(self) -> float:
        """The share of time inside the band, 0 to 1; 1 if there was none."""
        return self.inside_s / self.total_s if self.total_s else 1.0

    def __str__(self) -> str:
        return f"{self.inside:7.2%} inside, at most {self.above_c:.2f} K above and {self.below_c:.2f} K below"
