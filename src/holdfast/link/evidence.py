"""What one adapter has seen of one member and group: the raw batch, the values, and one stamp for all of them.

Freshness is the stamp. An equal answer moves it and tells nobody; one wheel entry a group notices when it grows
old. What is shown is judged anew at each look from the age itself, so a surface that asks can never be told a value
past its deadline, however busy the loop is.
"""

from __future__ import annotations

import math
from itertools import compress
from operator import ne
from typing import TYPE_CHECKING, Any

from holdfast.link.intake import Intake
from holdfast.link.planner import Cell
from holdfast.link.wheel import TICK_S, Entry
from holdfast.model import Capability, Periodic, Quality, Reject, Setting, Stamp, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.link.attachment import Attachment
    from holdfast.link.driver import Learn

LATE_INTERVALS = 2.5
"""Late after so many intervals: at two, one lost reply makes the quality flicker (1 to 40 ms), at 2.5 it does not."""
LATE_SHARE = 0.5
"""Late at this share of the deadline where nothing tells when evidence is due."""
ALIVE_DEADLINE = 2.0
"""A value of a source that pushes on change is stale this many silence deadlines after the last sign of life."""

GOOD, LATE, STALE, UNKNOWN = Quality.GOOD, Quality.LATE, Quality.STALE, Quality.UNKNOWN


class GroupEvidence:
    """The evidence of one (member, group) that came through one adapter."""

    __slots__ = (
        "_entry",
        "at",
        "attachment",
        "candidate",
        "capabilities",
        "cells",
        "deadline_s",
        "follows_session",
        "group",
        "intake",
        "is_essential",
        "keys",
        "late_s",
        "life",
        "member",
        "n",
        "order",
        "pending",
        "quality",
        "raw",
        "t",
        "values",
    )

    def __init__(
        self,
        attachment: Attachment,
        member: str,
        group: str,
        capabilities: Sequence[Capability],
        interval_s: float | None,
    ) -> None:
        self.attachment = attachment
        self.member = member
        self.group = group
        self.capabilities = tuple(capabilities)
        self.keys = frozenset(each.key for each in capabilities)
        self.pending: frozenset[str] = frozenset()  # new keys of the last batch; to come again
        self.is_essential = any(each.essential for each in capabilities)
        self.t = -math.inf  # as of, in loop time
        self.n = -1  # as of, in the core's order
        self.at = -math.inf  # arrival
        self.raw: Any = None
        self.candidate: Any = None  # what came once, where that is not enough
        self.life = 0  # the link's session that brought it
        self.values: Mapping[str, Value] = {}
        self.order: tuple[str, ...] = ()  # their keys, if capabilities stand for all of them
        self.cells: dict[str, Cell] = {}
        self.quality = UNKNOWN
        self.follows_session = False
        self.deadline_s, self.late_s = self._limits(interval_s)
        self.intake = Intake.of(capabilities, interval_s or min(self.deadline_s, 3600.0) / 3)
        self._entry = Entry(self._look)

    def _limits(self, interval_s: float | None) -> tuple[float, float]:
        freshness = self.capabilities[0].freshness
        if isinstance(freshness, Setting):
            return math.inf, math.inf
        if isinstance(freshness, Periodic):
            expected_s = freshness.interval_s or interval_s
            if expected_s is None:
                return freshness.deadline_s, freshness.deadline_s * LATE_SHARE
            return freshness.deadline_s, min(LATE_INTERVALS * expected_s, freshness.deadline_s)
        self.follows_session = True
        silence_s = self.attachment.driver.timing.silence_s
        return silence_s * ALIVE_DEADLINE, silence_s

    # --- what came ------------------------------------------------------------------------------------------

    def take(self, raw: Any, stamp: Stamp, now: float) -> Reject | list[str]:
        """Judge a batch and take it in: the keys that changed, or why it is not believed."""
        link = self.attachment.link
        driver = self.attachment.driver
        is_new_life = self.life != link.life
        why = driver.check(self.member, self.group, raw, None if is_new_life else self.raw)
        if why is not None:
            return why
        if self.group in driver.confirms and not self._is_confirmed(raw):
            return Reject("unconfirmed", f"{self.group} changed: it counts when it comes again")
        values = driver.project(self.member, self.group, raw, self.values)
        is_recent = now - self.t < self.deadline_s
        intake = self.intake
        told = intake.suspicions, intake.warnings
        why = intake.judge(values, self.values if is_recent else {}, now)
        if why is not None:
            return why
        has_news = intake.suspicions is not told[0] or intake.warnings is not told[1]
        if driver.planner is not None:
            self._run(values, Stamp(now, stamp.n), is_new_life=is_new_life)
        changed = self._changed(raw, values)
        # What no capability stands for yet is forgotten: it must come twice by itself, not once and as its own echo.
        self.values = values if self.order else {key: values[key] for key in values if key in self.keys}
        self.raw = raw
        self.life = link.life
        self.t, self.n, self.at = stamp.t, stamp.n, now
        if has_news:
            self.attachment.device.judged(self)
        return changed

    def _changed(self, raw: Any, values: Mapping[str, Value]) -> list[str]:
        """The keys of new or different values; nobody can be told of what no capability stands for."""
        keys = tuple(values)
        before = self.values
        if keys == self.order:  # as nearly always
            return list(compress(keys, map(ne, values.values(), before.values())))
        learn = self.attachment.driver.learn
        learned = frozenset[str]() if learn is None else self._learn(learn, raw, values)
        known = self.keys
        self.order = keys if known.issuperset(keys) else ()
        return [
            key
            for key, value in values.items()
            if key in known and (key not in before or before[key] != value or key in learned)
        ]

    def _run(self, values: Mapping[str, Value], seen: Stamp, *, is_new_life: bool) -> None:
        """Keep for the planner since when each value has been as it is."""
        if is_new_life:  # a new session knows nothing of the old one's runs
            self.cells = {key: Cell(value, seen) for key, value in values.items()}
            return
        for key, value in values.items():
            cell = self.cells.get(key)
            if cell is None or cell.value != value:
                self.cells[key] = Cell(value, seen)

    def _is_confirmed(self, raw: Any) -> bool:
        """Whether it is what was believed before, or has come twice in a row."""
        candidate, self.candidate = self.candidate, raw
        return bool(raw in (self.raw, candidate))

    def _learn(self, learn: Learn, raw: Any, values: Mapping[str, Value]) -> frozenset[str]:
        """Values that no capability stands for: they get one once they came twice in a row. Gives their keys."""
        new = frozenset(values.keys() - self.keys)
        # What another adapter has shown is there: a reserve that takes over need not prove it again.
        sure = new if new == self.pending else new & self.attachment.device.capabilities.keys()
        self.pending = new - sure
        if not sure:
            return sure
        learned = [
            each
            for each in learn(self.member, self.group, raw)
            if each.key in sure and each.group == self.group
        ]
        if learned:
            self.expect_also(learned)
            self.attachment.device.learned(learned)
        self.pending = new - self.keys
        return sure - self.pending

    def expect_also(self, capabilities: Sequence[Capability]) -> None:
        """More values belong to it than were known."""
        more = [each for each in capabilities if each.key not in self.keys]
        self.capabilities = (*self.capabilities, *more)
        self.keys = frozenset(each.key for each in self.capabilities)
        self.intake.add(more)

    def became_fresh(self, now: float) -> bool:
        """Bring the quality up after new evidence; whether it changed."""
        before = self.quality
        if before is GOOD and now - self.t < self.late_s and self._entry.tick:
            return False  # still good; the entry that is armed goes by the stamp and arms itself anew
        quality = self.quality = self.quality_at(now)
        if self.deadline_s != math.inf:
            self._arm()
        return before is not quality

    # --- growing old ---------------------------------------------------------------------------------------

    @property
    def as_of(self) -> Stamp:
        """The stamp of the question that this answers."""
        return Stamp(self.t, self.n)

    def seen_t(self) -> float:
        """Loop time from which the age counts."""
        if self.follows_session and self.life == self.attachment.link.life:
            return max(self.t, self.attachment.link.alive_t)
        return self.t

    def quality_at(self, now: float) -> Quality:
        """The quality as the age says, one tick early rather than late: never a value past its deadline."""
        if self.n < 0:
            return UNKNOWN
        if self.deadline_s == math.inf:
            return GOOD
        age_s = now - self.seen_t()
        if age_s >= self.deadline_s - TICK_S:
            return STALE
        link = self.attachment.link
        if age_s >= self.late_s or not link.has_session or self.life != link.life:
            return LATE
        return GOOD

    def expect(self, opened_t: float) -> None:
        """Look when the deadline of what has never been seen has passed."""
        if self.n < 0 and self.deadline_s != math.inf:
            self.attachment.link.core.wheel.arm(self._entry, opened_t + self.deadline_s)

    def reconsider(self, now: float) -> None:
        """The session was lost or found: say at once what that means for the quality."""
        if self.n >= 0:
            if self.follows_session and self.life == self.attachment.link.life:
                self.t = max(self.t, self.attachment.link.alive_t)  # its life ends here; from now on it ages
            self._settle(now)

    def _look(self, now: float) -> None:
        if self.n < 0:
            self.attachment.quality_changed(self)
            return
        self._settle(now)
        if self.quality is not STALE:
            self._arm()

    def _arm(self) -> None:
        seen_t = self.seen_t()
        limit_s = (
            self.deadline_s - TICK_S if self.quality is LATE else min(self.late_s, self.deadline_s - TICK_S)
        )
        # Never before that: whoever is told of the change asks for the quality at once, and must find it changed.
        self.attachment.link.core.wheel.arm(self._entry, seen_t + limit_s)

    def _settle(self, now: float) -> None:
        quality = self.quality_at(now)
        if quality is not self.quality:
            self.quality = quality
            self.attachment.quality_changed(self)

    def slept(self, seconds: float) -> None:
        """The machine slept so long: whatever was known is past its deadline."""
        if self.n >= 0 and self.deadline_s != math.inf:
            self.t -= max(seconds, self.deadline_s)
            self._settle(self.attachment.link.core.now())

    def retire(self) -> None:
        """No more wake-ups."""
        self._entry.disarm()
