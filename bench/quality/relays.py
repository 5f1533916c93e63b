"""Plugs that obey at once and always answer, and what their relays went through."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.control import Output, Pair, PlugEvidence, Role

if TYPE_CHECKING:
    from holdfast.control import Decision


@dataclass(slots=True)
class Relay:
    """One contact, open since the start. Times are in seconds; a shortest time is infinite until there was one."""

    is_on: bool = False
    moved_s: float = 0.0
    starts: int = 0
    shortest_rest_s: float = math.inf
    """From opening to closing. The start of the program counts as opening: nothing is known of the time before."""
    shortest_run_s: float = math.inf

    def move(self, is_on: bool, at_s: float) -> None:
        """Close or open, unless it is so already."""
        if is_on is self.is_on:
            return
        lasted_s = at_s - self.moved_s
        if is_on:
            self.starts += 1
            self.shortest_rest_s = min(self.shortest_rest_s, lasted_s)
        else:
            self.shortest_run_s = min(self.shortest_run_s, lasted_s)
        self.is_on, self.moved_s = is_on, at_s


class Relays:
    """Heater and cooler. ``shortest_pause_s`` is that from the end of the one to the beginning of the other.

    ``history`` has the moment of each move and whether heater and cooler were on then.
    """

    def __init__(self) -> None:
        self.heater = Relay()
        self.cooler = Relay()
        self.shortest_pause_s = math.inf
        self.were_both_on = False
        self.history: list[tuple[float, tuple[bool, bool]]] = []

    def of(self, role: Role) -> Relay:
        """The relay of this role."""
        return self.heater if role is Role.HEATER else self.cooler

    @property
    def state(self) -> tuple[bool, bool]:
        """Whether heater and cooler are on."""
        return self.heater.is_on, self.cooler.is_on

    def evidence(self, at_s: float) -> Pair[PlugEvidence]:
        """What the plugs answer now."""
        return Pair(*(self._answer(self.of(role), at_s) for role in Role))

    def obey(self, decision: Decision, at_s: float) -> None:
        """Do what was decided; what opens does so before anything closes."""
        before = self.state
        wanted = {role: decision.outputs.of(role) is Output.ON for role in Role}
        for role in sorted(Role, key=lambda each: wanted[each]):
            own, other = self.of(role), self.of(role.other)
            if wanted[role] and not own.is_on and other.starts:
                self.shortest_pause_s = min(
                    self.shortest_pause_s, 0.0 if other.is_on else at_s - other.moved_s
                )
            own.move(wanted[role], at_s)
        self.were_both_on |= all(self.state)
        if self.state != before:
            self.history.append((at_s, self.state))

    @staticmethod
    def _answer(relay: Relay, at_s: float) -> PlugEvidence:
        return PlugEvidence(is_on=relay.is_on, since_s=at_s - relay.moved_s)
