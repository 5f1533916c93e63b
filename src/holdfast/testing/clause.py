"""A clause: one thing that a driver promises, checked by one scenario in virtual time."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.link.driver import Trait

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.testing.stage import Stage

Scenario = Callable[["Stage"], Awaitable[None]]

NONE = Trait(0)
NO_STREAM = Trait.LIBRARY | Trait.LISTENER
"""Traits of sources that have no byte stream of ours."""


class ContractBroken(AssertionError):
    """A driver breaks a clause; the text names it, says what a driver must do, and what was seen instead."""

    def __init__(self, clause: Clause, seen: str) -> None:
        super().__init__(f"clause {clause.name} is broken.\n  A driver must: {clause.must}\n  Seen: {seen}")
        self.clause = clause
        self.seen = seen


class Broken(AssertionError):
    """What a scenario saw that may not be; `check` turns it into `ContractBroken`."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One promise: ``must`` ends the sentence "A driver must".

    It holds for drivers with all traits of ``needs`` and none of ``without``; a driver that passes it has proven the
    traits of ``needs``.
    """

    name: str
    must: str
    scenario: Scenario
    needs: Trait = NONE
    without: Trait = NONE

    @property
    def test_name(self) -> str:
        """The name of its test in a `DriverContract`."""
        return f"test_{self.name}"

    def applies(self, traits: Trait) -> bool:
        """Whether a driver with these traits is held to it."""
        return traits & self.needs == self.needs and not traits & self.without


CLAUSES: list[Clause] = []
"""All clauses that are known so far; `holdfast.testing.clauses` makes them known."""


def clause(*, needs: Trait = NONE, without: Trait = NONE) -> Callable[[Scenario], Scenario]:
    """Make a clause of a scenario: its name is the function's, what a driver must do is its docstring."""

    def register(scenario: Scenario) -> Scenario:
        said = " ".join((inspect.getdoc(scenario) or "").split())
        must = said[:1].lower() + said[1:]
        CLAUSES.append(Clause(scenario.__name__, must, scenario, needs, without))
        return scenario

    return register


def applying(traits: Trait) -> Sequence[Clause]:
    """The clauses that a driver with these traits is held to."""
    return [each for each in CLAUSES if each.applies(traits)]


def named(name: str) -> Clause:
    """The clause of that name."""
    return next(each for each in CLAUSES if each.name == name)
