"""What a rehearsal of a pack found, in figures; only zeros may stand in the upper half."""

from __future__ import annotations

from dataclasses import dataclass, field

EXAMPLES = 20
"""Broken promises told in words; more of the same kind add nothing."""


@dataclass(slots=True)
class PackVerdict:
    """The figures of one rehearsal. Times in seconds of the simulated day."""

    seed: int
    hours: float
    profile: str
    # promises: anything but zero is a fault of ours
    wrong_fresh_s: float = 0.0
    """A value shown as current that nothing on the wire said within its deadline."""
    hasty_moves: int = 0
    """Moves within the minimum stay, though nothing was wrong with the path that was left."""
    groundless_moves: int = 0
    """Moves down to a reserve, though nothing was wrong with the path that was left."""
    bytes_sent: int = 0
    """A listener sends nothing."""
    not_home: int = 0
    """1 if, long after the last fault, the pack is not online through its preferred adapter."""
    left_behind: int = 0
    # figures: stated, not judged
    deceived_s: float = 0.0
    """Shown was what a frame said that was damaged on its way and had kept its checksum."""
    wrong_stale_s: float = 0.0
    """Shown as stale while a path had been well for long enough to be found."""
    stale_s: float = 0.0
    faults: int = 0
    moves: int = 0
    outages: int = 0
    frames: int = 0
    """Whole frames that at least one path delivered."""
    answers: int = 0
    """Frames that were taken in, of either path."""
    records: int = 0
    log_digest: str = ""
    examples: list[str] = field(default_factory=list)

    def broke(self, text: str) -> None:
        """Keep an example of a broken promise."""
        if len(self.examples) < EXAMPLES:
            self.examples.append(text)

    @property
    def is_kept(self) -> bool:
        """Whether every promise was kept."""
        return not (
            self.wrong_fresh_s
            or self.hasty_moves
            or self.groundless_moves
            or self.bytes_sent
            or self.not_home
            or self.left_behind
        )

    def lines(self) -> list[str]:
        """The verdict as text, one figure a line."""
        moves = f"{self.moves}: {self.hasty_moves} in haste, {self.groundless_moves} without ground"
        return [
            f"pack, seed {self.seed}, {self.hours:g} h, faults: {self.profile} ({self.faults} of them)",
            f"wrong-fresh                {self.wrong_fresh_s:.1f} s",
            f"deceived by valid sums     {self.deceived_s:.1f} s",
            f"wrong-stale                {self.wrong_stale_s:.1f} s (of {self.stale_s:.1f} s stale in all)",
            f"moves                      {moves}",
            f"outages                    {self.outages}",
            f"whole frames, taken in     {self.frames}, {self.answers}",
            f"bytes sent to the bus      {self.bytes_sent}",
            f"home at the end            {'no' if self.not_home else 'yes'}",
            f"records                    {self.records}",
            f"left behind                {self.left_behind}",
            f"event log                  {self.log_digest[:16]}",
            *(f"BROKEN  {example}" for example in self.examples),
        ]
