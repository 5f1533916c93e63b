"""What a rehearsal found, in figures; only zeros may stand in the upper half."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

EXAMPLES = 20
"""Broken promises told in words; more of the same kind add nothing."""


@dataclass(slots=True)
class Verdict:
    """The figures of one rehearsal. Times in seconds of the simulated day."""

    seed: int
    hours: float
    profile: str
    # promises: anything but zero is a fault of ours
    wrong_fresh_s: float = 0.0
    receipts_unended: int = 0
    receipts_ended_twice: int = 0
    receipts_wrongly_verified: int = 0
    interlock_violations: int = 0
    doubled_sessions: int = 0
    left_behind: int = 0
    # figures: stated, not judged
    misdated_s: float = 0.0
    """Shown with an age that is too young. Answers carry no id, so one that comes seconds late, or twice, misleads."""
    wrong_stale_s: float = 0.0
    stale_s: float = 0.0
    faults: int = 0
    outages: int = 0
    recoveries: int = 0
    slowest_recovery_s: float = 0.0
    commands: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    races: int = 0
    smallest_reversal_s: float = float("inf")
    updates: int = 0
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
            or self.receipts_unended
            or self.receipts_ended_twice
            or self.receipts_wrongly_verified
            or self.interlock_violations
            or self.doubled_sessions
            or self.left_behind
        )

    def lines(self) -> list[str]:
        """The verdict as text, one figure a line."""
        ends = ", ".join(f"{count} {state}" for state, count in sorted(self.ends.items())) or "none"
        reversal = "none" if self.smallest_reversal_s == float("inf") else f"{self.smallest_reversal_s:.3f} s"
        return [
            f"seed {self.seed}, {self.hours:g} h, faults: {self.profile} ({self.faults} of them)",
            f"wrong-fresh                {self.wrong_fresh_s:.2f} s",
            f"dated too young            {self.misdated_s:.2f} s",
            f"wrong-stale                {self.wrong_stale_s:.2f} s (of {self.stale_s:.1f} s stale in all)",
            f"commands                   {self.commands}: {ends}",
            f"receipts that never ended  {self.receipts_unended}",
            f"receipts that ended twice  {self.receipts_ended_twice}",
            f"verified without truth     {self.receipts_wrongly_verified}",
            f"interlock violations       {self.interlock_violations} ({self.races} races with a wall switch)",
            f"smallest reversal          {reversal}",
            f"sessions side by side      {self.doubled_sessions}",
            f"outages, recoveries        {self.outages}, {self.recoveries} (slowest {self.slowest_recovery_s:.2f} s)",
            f"updates, records           {self.updates}, {self.records}",
            f"left behind                {self.left_behind}",
            f"event log                  {self.log_digest[:16]}",
            *(f"BROKEN  {example}" for example in self.examples),
        ]
