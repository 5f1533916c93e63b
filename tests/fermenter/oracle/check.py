"""What every check of the observer is told, and how it objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.hub.events import Record
    from holdfast.hub.hub import Hub
    from tests.fermenter.oracle.facts import Facts, PlugFacts
    from tests.fermenter.plugs import Move, WireCall


class Check:
    """One invariant of fact sheet section 10. ``fail`` takes what is wrong, in words."""

    name: ClassVar[str]

    def __init__(self, facts: Facts, fail: Callable[[str], None]) -> None:
        self.facts = facts
        self._fail = fail
        self.judged = 0
        """How often there was something to judge: a check that never looks finds nothing."""

    def fail(self, text: str) -> None:
        """Object."""
        self._fail(f"{self.name}: {text}")

    def value(self, target: str) -> Any:
        """What the hub shows now."""
        return self.facts.cellar.value(target)

    def hub_starts(self, hub: Hub) -> None:
        """Another hub begins."""

    def hub_stops(self) -> None:
        """It was told to stop."""

    def hub_ended(self, *, is_killed: bool) -> None:
        """It is gone."""

    def heard(self, record: Record) -> None:
        """The hub told something."""

    def look(self) -> None:
        """At least once a second while a hub runs, and after everything that it tells."""

    def look_down(self) -> None:
        """The same while there is no hub."""

    def call_begun(self, plug: PlugFacts, call: WireCall) -> None:
        """A call reached a plug; the facts know of it already."""

    def call_ended(self, plug: PlugFacts, call: WireCall) -> None:
        """It ended."""

    def moved(self, plug: PlugFacts, move: Move) -> None:
        """A relay moved; the facts know of it already."""
