"""The sanity step before state and liveness: what has a valid checksum can still be nonsense.

Pure. A value outside its limits is rejected, and with it the batch, until it repeats consistently: a damaged frame
comes once, a real extreme stays. Then it passes as *suspect*: shown, alarmed, and not used by controllers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.model import Capability, Reject, Sanity, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

REPEATS = 3
"""So many consistent extremes in a row are believed: random damage that agrees with itself thrice is not random."""
INTERVALS = 3.5
"""They must come within this many intervals; three, and half of one so that nothing lies on the edge."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One value outside its limits."""

    key: str
    side: str
    value: float


@dataclass(slots=True)
class Streak:
    """How often in a row the same extreme has come."""

    side: str
    value: float
    began: float
    count: int


@dataclass(slots=True)
class Intake:
    """Judges the batches of one group. Keeps only the streaks of what it is rejecting."""

    limits: Mapping[str, Sanity]
    window_s: float
    _streaks: dict[str, Streak] = field(default_factory=dict)
    suspects: frozenset[str] = frozenset()

    @classmethod
    def of(cls, capabilities: Iterable[Capability], interval_s: float) -> Intake:
        """An intake for the capabilities of one group that comes every ``interval_s`` seconds."""
        limits = {each.key: each.sanity for each in capabilities if each.sanity is not None}
        return cls(limits, INTERVALS * interval_s)

    def judge(self, values: Mapping[str, Value], before: Mapping[str, Value], now: float) -> Reject | None:
        """Whether to believe ``values``; sets ``suspects`` when it does. ``before``: the last believed, if fresh."""
        if not self.limits:
            return None
        faults = list(self._faults(values, before))
        if not faults:
            self._streaks.clear()
            self.suspects = frozenset()
            return None
        unproven = [fault for fault in faults if not self._is_proven(fault, now)]
        for key in self._streaks.keys() - {fault.key for fault in faults}:
            del self._streaks[key]
        if unproven:
            worst = unproven[0]
            return Reject("sanity", f"{worst.key} is {worst.value:g}: {worst.side}")
        self.suspects = frozenset(fault.key for fault in faults)
        return None

    def _faults(self, values: Mapping[str, Value], before: Mapping[str, Value]) -> Iterable[Fault]:
        for key, sanity in self.limits.items():
            value = values.get(key)
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            if value != value:
                yield Fault(key, "not a number", float(value))
            elif sanity.minimum is not None and value < sanity.minimum:
                yield Fault(key, f"below {sanity.minimum:g}", float(value))
            elif sanity.maximum is not None and value > sanity.maximum:
                yield Fault(key, f"above {sanity.maximum:g}", float(value))
            else:
                last = before.get(key)
                if (
                    sanity.jump is not None
                    and isinstance(last, int | float)
                    and abs(value - last) > sanity.jump
                ):
                    yield Fault(key, f"a jump from {last:g}", float(value))

    def _is_proven(self, fault: Fault, now: float) -> bool:
        if fault.value != fault.value:
            return False  # that it repeats makes it no number
        sanity = self.limits[fault.key]
        streak = self._streaks.get(fault.key)
        is_same = (
            streak is not None
            and now - streak.began <= self.window_s
            and streak.side.split(" ")[0] == fault.side.split(" ")[0]
            and (sanity.jump is None or abs(streak.value - fault.value) <= sanity.jump)
        )
        if streak is None or not is_same:
            self._streaks[fault.key] = Streak(fault.side, fault.value, now, 1)
            return False
        streak.count += 1
        streak.value = fault.value
        if streak.count >= REPEATS:
            streak.began = now  # a proven extreme stays proven while it keeps coming
            return True
        return False
