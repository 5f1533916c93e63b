"""The plug's own timer: it switches the relay by the plug's clock, whether or not anybody is connected.

Two forms exist (Kasa fact sheet section 9a): a countdown rule, of which there can be one, and automatic
switching off, which begins anew at each turn-on. A plug of ours has both; its firmware shows one of them.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MINUTE_S = 60.0

LONGEST_S = 86_400.0
"""The longest delay of a rule: a day, as the app offers it."""


@dataclass(frozen=True)
class Rule:
    """A countdown rule: after ``delay_s`` the relay goes on or off. ``name`` is the owner's."""

    id: str
    delay_s: float
    turns_on: bool
    is_enabled: bool = True
    name: str = ""

    def __post_init__(self) -> None:
        if not 0.0 <= self.delay_s <= LONGEST_S:
            raise ValueError("a delay is from 0 s to a day")


class RuleExists(Exception):
    """There is one already, and only one can be."""


class NoSuchRule(Exception):
    """The rule named is not there."""


class Countdown:
    """At most one rule. ``act`` is called with the wanted relay state when its time has come."""

    def __init__(self, act: Callable[[bool], None]) -> None:
        self.rule: Rule | None = None
        self._act = act
        self._made = 0
        self._due: asyncio.TimerHandle | None = None

    @property
    def remaining_s(self) -> float:
        """Seconds until it acts; 0 if it does not."""
        if self._due is None:
            return 0.0
        return max(self._due.when() - asyncio.get_running_loop().time(), 0.0)

    def add(self, delay_s: float, *, turns_on: bool, is_enabled: bool = True, name: str = "") -> Rule:
        """Arm it. Raises `RuleExists`, also where the one that is there has acted or is switched off.

        Raises `ValueError` for a delay that is none.
        """
        if self.rule is not None:
            raise RuleExists
        self._made += 1
        rule = Rule(f"{self._made:032X}", delay_s, turns_on, is_enabled, name)
        self._take(rule)
        return rule

    def edit(self, rule: Rule) -> None:
        """Put this in place of the rule with the same id, and start anew. Raises `NoSuchRule`."""
        if self.rule is None or self.rule.id != rule.id:
            raise NoSuchRule
        self._take(rule)

    def delete(self, number: str) -> None:
        """Forget the rule with that id. Raises `NoSuchRule`."""
        if self.rule is None or self.rule.id != number:
            raise NoSuchRule
        self.clear()

    def clear(self) -> None:
        """Forget whatever is there."""
        self._disarm()
        self.rule = None

    def _take(self, rule: Rule) -> None:
        self._disarm()
        self.rule = rule
        if rule.is_enabled:
            self._due = asyncio.get_running_loop().call_later(rule.delay_s, self._fire)

    def _fire(self) -> None:
        self._due = None
        if self.rule is not None:
            self.rule = replace(self.rule, is_enabled=False)
            self._act(self.rule.turns_on)

    def _disarm(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None


class AutoOff:
    """Switches off so long after each turn-on; whole minutes. ``act`` is called when the time has come."""

    def __init__(self, act: Callable[[bool], None]) -> None:
        self.is_enabled = False
        self.delay_min = 120
        self._act = act
        self._due: asyncio.TimerHandle | None = None

    @property
    def is_running(self) -> bool:
        """Whether it will switch off."""
        return self._due is not None

    @property
    def remaining_s(self) -> float:
        """Seconds until it acts; 0 if it does not."""
        if self._due is None:
            return 0.0
        return max(self._due.when() - asyncio.get_running_loop().time(), 0.0)

    def configure(self, *, is_enabled: bool, delay_min: int, starts_now: bool) -> None:
        """New settings. ``starts_now``: count from here, else a count under way goes on as it was."""
        self.is_enabled = is_enabled
        self.delay_min = delay_min
        if not is_enabled:
            self.stop()
        elif starts_now:
            self.start()

    def start(self) -> None:
        """The relay was told to be on: count anew, if enabled."""
        self.stop()
        if self.is_enabled:
            self._due = asyncio.get_running_loop().call_later(self.delay_min * MINUTE_S, self._fire)

    def stop(self) -> None:
        """The relay is off, or the power: count no more."""
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _fire(self) -> None:
        self._due = None
        self._act(False)
