"""The sanity step before state and liveness: what has a valid checksum can still be nonsense.

Pure. A value outside its limits is rejected, and with it the batch, until it repeats consistently: a damaged frame
comes once, a real extreme stays. Then it passes as *suspect*: shown, alarmed, and not used by controllers. What is only
strange is never rejected: it is believed, with a warning.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from operator import ge, itemgetter, le
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

from holdfast.model import Capability, Reject, Sanity, Value, ValueType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

REPEATS = 3
"""So many consistent extremes in a row are believed: random damage that agrees with itself thrice is not random."""
INTERVALS = 3.5
"""Each must come within this many intervals of the one before; three, and half of one so that nothing lies on the edge.
From one to the next, not from first to last: where two frames of three are lost a real extreme is still seen."""
HALF = 0.49
"""A hair less than half of the largest step on either side, whatever rounding does."""
DOUBTED = "sanity"
"""The code of a batch that is rejected for a value outside its limits, and would pass if it came again."""
GREATEST = sys.float_info.max
"""What lies beyond is infinite, or an integer that no float holds: never a measurement."""


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_finite(value: object) -> TypeGuard[int | float]:
    return _is_number(value) and -GREATEST <= value <= GREATEST


@dataclass(frozen=True, slots=True)
class Fault:
    """One value outside its limits. ``shown`` is the value in words, ``what`` tells the limit.

    ``has_stayed``: the last believed value was beyond the range already, and near.
    """

    key: str
    value: float
    shown: str
    what: str
    has_stayed: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What a key's values must keep to; what was not declared is as wide as numbers go.

    ``reach``: extremes no further apart than this agree. It is the largest step that values take, else the width of the
    range, else anything: there is but one side to lie on.
    """

    key: str
    unit: str
    low: float
    high: float
    jump: float
    reach: float

    @classmethod
    def of(cls, capability: Capability) -> Limits | None:
        """The limits of a capability, ``None`` if its values are not judged. Every number is: it must be one."""
        sanity = capability.sanity
        if sanity is None:
            if capability.type is not ValueType.NUMBER:
                return None
            sanity = Sanity()
        low = -GREATEST if sanity.minimum is None else sanity.minimum
        high = GREATEST if sanity.maximum is None else sanity.maximum
        jump = math.inf if sanity.jump is None else sanity.jump
        has_width = sanity.minimum is not None and sanity.maximum is not None
        reach = jump if sanity.jump is not None or not has_width else high - low
        return cls(capability.key, capability.unit, low, high, jump, reach)

    def fault_of(self, value: float, last: Value, passed_over: Value) -> Fault | None:
        """What is wrong with ``value``.

        ``last``: the last believed value; ``passed_over``: one that came later and had no fault itself, in a batch
        rejected for another's.
        """
        if not _is_finite(value):
            shown, what = ("nan", "not a number") if value != value else ("infinite", "no measurement")
            return Fault(self.key, math.nan, shown, what)
        shown = f"{value:g} {self.unit}".rstrip()
        if not self.low <= value <= self.high:
            what = f"below {self.low:g}" if value < self.low else f"above {self.high:g}"
            has_stayed = _is_finite(last) and not self.low <= last <= self.high and self.agree(value, last)
            return Fault(self.key, value, shown, what, has_stayed)
        if not _is_finite(last) or self._is_near(value, last) or self._is_near(value, passed_over):
            return None
        return Fault(self.key, value, shown, f"a jump from {last:g}")

    def agree(self, one: float, other: float) -> bool:
        """Whether two extremes are the same one, seen twice."""
        return abs(one - other) <= self.reach

    def _is_near(self, value: float, other: Value) -> bool:
        return _is_finite(other) and abs(value - other) <= self.jump


@dataclass(frozen=True, slots=True)
class Window:
    """Where values need no closer look: within their limits, and so near each other that no step is a jump."""

    pick: Callable[[Any], tuple[Any, ...]]
    lows: tuple[float, ...]
    highs: tuple[float, ...]

    @classmethod
    def around(cls, values: Mapping[str, Value], limits: Iterable[Limits]) -> Window | None:
        """The window around believed values; ``None`` where one that has limits is absent, or there are too few."""
        lows, highs = {}, {}
        for each in limits:
            value = values.get(each.key)
            if not _is_finite(value):
                return None
            lows[each.key] = max(each.low, value - each.jump * HALF)
            highs[each.key] = min(each.high, value + each.jump * HALF)
        if len(lows) < 2:  # itemgetter would give no tuple
            return None
        return cls(itemgetter(*lows), tuple(lows.values()), tuple(highs.values()))

    def holds(self, values: Mapping[str, Value]) -> bool:
        """Whether all values are there and in the window."""
        try:
            picked = self.pick(values)
            return all(map(le, self.lows, picked)) and all(map(ge, self.highs, picked))
        except (KeyError, TypeError):  # absent; words, lists
            return False


@dataclass(slots=True)
class Streak:
    """How often in a row the same extreme has come: last when, last what; ``text`` once that was often enough."""

    value: float
    t: float
    count: int = 1
    text: str = ""


class Watch(Protocol):
    """Looks for something strange in the believed batches. ``is_on`` while it is there; ``text`` says it."""

    key: str
    text: str
    is_on: bool

    @property
    def is_counting(self) -> bool:
        """Whether a batch that equals the one before could still change something."""

    def look(self, values: Mapping[str, Value], before: Mapping[str, Value], now: float) -> bool:
        """Whether a believed batch began or ended it."""


@dataclass(slots=True)
class Twins:
    """Two sensors that measure different things and are suddenly the same: two names for one value.

    Suddenly: from one batch to the next, from more than ``apart`` to exactly equal. It must then last. Sensors that
    drift come nearer before they meet.
    """

    key: str
    other: str
    apart: float
    text: str
    is_on: bool = False
    _count: int = 0

    @classmethod
    def of(cls, key: str, other: str, apart: float) -> Twins:
        """A watch over two keys of one group."""
        text = f"{key} and {other} measure different things and have suddenly become exactly equal"
        return cls(key, other, apart, text)

    @property
    def is_counting(self) -> bool:
        """Whether they are equal, but not for long enough."""
        return self._count > 0 and not self.is_on

    def look(self, values: Mapping[str, Value], before: Mapping[str, Value], now: float) -> bool:
        """Whether they became one, or two again. A value that is absent equals no other."""
        one, other = values.get(self.key), values.get(self.other)
        if one != other or not _is_number(one) or not _is_number(other):
            was_on, self.is_on, self._count = self.is_on, False, 0
            return was_on
        if self.is_on or not (self._count or self._were_apart(before)):
            return False
        self._count += 1
        self.is_on = self._count >= REPEATS
        return self.is_on

    def _were_apart(self, before: Mapping[str, Value]) -> bool:
        one, other = before.get(self.key), before.get(self.other)
        return _is_number(one) and _is_number(other) and abs(one - other) > self.apart


@dataclass(slots=True)
class Frozen:
    """A value that stands still while a counter beside it goes on: the sensor is not read any more.

    The counter must still move at the end of the time: if both stand, nothing tells them apart from a quiet device.
    """

    key: str
    counter: str
    frozen_s: float
    text: str
    is_on: bool = False
    is_counting: bool = False  # what ends it, and the counter, make the batch differ
    _value: Value = None
    _since: float = 0.0
    _count: Value = None

    @classmethod
    def of(cls, key: str, counter: str, frozen_s: float) -> Frozen:
        """A watch over a key and a counter of its group."""
        return cls(
            key, counter, frozen_s, f"{key} has not changed for {frozen_s:g} s while {counter} went on"
        )

    def look(self, values: Mapping[str, Value], before: Mapping[str, Value], now: float) -> bool:
        """Whether it froze, or thawed. To vanish is a change; while nobody looked, nothing stood still."""
        value, count = values.get(self.key), values.get(self.counter)
        if value is None or value != self._value:
            was_on, self.is_on = self.is_on, False
            self._value, self._since, self._count = value, now, count
            return was_on
        if self.is_on:
            return False
        if before.get(self.key) is None:  # nobody saw it stand still
            self._since, self._count = now, count
            return False
        has_moved = count is not None and self._count is not None and count != self._count
        self._count = count
        self.is_on = has_moved and now - self._since >= self.frozen_s
        return self.is_on


@dataclass(slots=True)
class Intake:
    """Judges the batches of one group. What it keeps is bounded by the group's capabilities.

    ``suspects``: the keys whose last believed value is suspect, and ``suspicions`` why, in words. ``warnings``: what is
    strange about believed values, by key. Both mappings are replaced when they change and only then, so a caller can
    compare by identity.
    """

    window_s: float
    suspects: frozenset[str] = frozenset()
    suspicions: Mapping[str, str] = field(default_factory=dict)
    warnings: Mapping[str, str] = field(default_factory=dict)
    _limits: dict[str, Limits] = field(default_factory=dict)
    _window: Window | None = None
    _believed: Mapping[str, Value] | None = (
        None  # the latest batch, if it was believed and lies in the window
    )
    _known: dict[str, Capability] = field(default_factory=dict)
    _watches: tuple[Watch, ...] = ()
    _streaks: dict[str, Streak] = field(default_factory=dict)  # of the latest batch: who is at fault has one
    _passed_over: Mapping[str, Value] = field(default_factory=dict)  # the latest batch, if it was rejected

    @classmethod
    def of(cls, capabilities: Iterable[Capability], interval_s: float) -> Intake:
        """An intake for the capabilities of one group that comes every ``interval_s`` seconds."""
        intake = cls(INTERVALS * interval_s)
        intake.add(capabilities)
        return intake

    def add(self, capabilities: Iterable[Capability]) -> None:
        """Judge these too. What is known already goes on undisturbed; what is declared anew starts anew."""
        fresh = {each.key: each for each in capabilities if self._known.get(each.key) != each}
        if not fresh:
            return
        self._known |= fresh
        for key, capability in fresh.items():
            self._streaks.pop(key, None)
            self._limits.pop(key, None)
            limits = Limits.of(capability)
            if limits is not None:
                self._limits[key] = limits
        self._window = None
        kept = {watch.text: watch for watch in self._watches if watch.key not in fresh}
        self._watches = tuple(kept.get(watch.text, watch) for watch in _watches_over(self._known.values()))
        self._write_warnings()

    @property
    def is_settled(self) -> bool:
        """Whether a batch equal to the last believed one would change nothing and need not be judged."""
        if self._streaks or self._passed_over or self.suspicions:
            return False
        for watch in self._watches:  # noqa: SIM110 - on the hot path; any() would make a generator each time
            if watch.is_counting:
                return False
        return True

    @property
    def is_proving(self) -> bool:
        """Whether the latest batch was rejected for an extreme that has come twice alike, or oftener."""
        return any(streak.count > 1 for streak in self._streaks.values())

    def judge(self, values: Mapping[str, Value], before: Mapping[str, Value], now: float) -> Reject | None:
        """Whether to believe ``values`` at loop time ``now``: why not, or ``None``.

        ``before``: the last believed values, empty if they are not recent. In a batch that is believed every value
        is within its limits or has proved itself.
        """
        is_plain = self._is_plain(values, before)
        faults = () if is_plain else self._faults(values, before)
        if not faults:
            if not is_plain:
                self._window = Window.around(values, self._limits.values())
            if self._streaks or self._passed_over or self.suspicions:
                self._believe({})
        else:
            proofs = {fault.key: self._proof(fault, now) for fault in faults}
            for key in self._streaks.keys() - proofs.keys():
                del self._streaks[key]
            for fault in faults:
                if not proofs[fault.key]:
                    self._passed_over = values
                    return Reject(DOUBTED, f"{fault.key} is {fault.shown}: {fault.what}")
            self._believe(proofs)
            self._window = None
            for fault in faults:
                limits = self._limits[fault.key]
                if limits.low <= fault.value <= limits.high:  # a jump has arrived: from here it is no jump
                    del self._streaks[fault.key]
        self._believed = values
        changed = False
        for watch in self._watches:
            if watch.look(values, before, now):
                changed = True
        if changed:
            self._write_warnings()
        return None

    def _is_plain(self, values: Mapping[str, Value], before: Mapping[str, Value]) -> bool:
        """The hot path: whether nothing about the values asks for a closer look."""
        window = self._window
        return window is not None and (before is self._believed or not before) and window.holds(values)

    def _faults(self, values: Mapping[str, Value], before: Mapping[str, Value]) -> Sequence[Fault]:
        found = []
        for key, limits in self._limits.items():
            value = values.get(key)
            if _is_number(value):
                # While one key's extreme is being rejected the others move on. Their steps are counted from where they
                # were last seen sane; else each in turn would outrun its limit, and nothing would ever be believed.
                passed_over = None if key in self._streaks else self._passed_over.get(key)
                fault = limits.fault_of(value, before.get(key), passed_over)
                if fault is not None:
                    found.append(fault)
        return found

    def _proof(self, fault: Fault, now: float) -> str:
        """The words with which an extreme may pass, empty if it has not proved itself yet."""
        if fault.value != fault.value:
            self._streaks.pop(fault.key, None)
            return ""  # that it repeats makes it no number
        text = f"{fault.shown} is {fault.what} and has come {REPEATS} times"
        streak = self._streaks.get(fault.key)
        if fault.has_stayed and fault.key in self.suspicions:
            streak = self._streaks[fault.key] = Streak(fault.value, now, REPEATS, self.suspicions[fault.key])
        elif (
            streak is None
            or now - streak.t > self.window_s
            or not self._limits[fault.key].agree(streak.value, fault.value)
        ):
            streak = self._streaks[fault.key] = Streak(fault.value, now)
        else:
            streak.count += 1
            streak.value = fault.value
            streak.t = now
            if streak.count == REPEATS:
                streak.text = text
        return streak.text

    def _believe(self, suspicions: Mapping[str, str]) -> None:
        if not suspicions:
            self._streaks.clear()
        self._passed_over = {}
        if suspicions != self.suspicions:
            self.suspicions = suspicions
            self.suspects = frozenset(suspicions)

    def _write_warnings(self) -> None:
        warnings: dict[str, str] = {}
        for watch in self._watches:
            if watch.is_on:
                first = warnings.get(watch.key)
                warnings[watch.key] = watch.text if first is None else f"{first}; {watch.text}"
        if warnings != self.warnings:
            self.warnings = warnings


def _watches_over(capabilities: Iterable[Capability]) -> Iterable[Watch]:
    """The watches that capabilities ask for; two sensors that name each other are one pair."""
    pairs: set[frozenset[str]] = set()
    for capability in capabilities:
        key, sanity = capability.key, capability.sanity
        if sanity is None:
            continue
        if sanity.apart is not None:
            for other in sanity.independent_of:
                if frozenset((key, other)) not in pairs:
                    pairs.add(frozenset((key, other)))
                    yield Twins.of(key, other, sanity.apart)
        if sanity.frozen_s is not None:
            yield Frozen.of(key, sanity.counter, sanity.frozen_s)
