"""Behaviour with faults laid over it."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.simulators.jkbms.behaviour import BusBehaviour, OutletBehaviour

B = TypeVar("B", bound="BusBehaviour | OutletBehaviour")

T_contra = TypeVar("T_contra", contravariant=True)


class Altering(Protocol[B, T_contra]):
    """A fault as seen from what it befalls: behaviour of type ``B``, a target of type ``T``."""

    def alter(self, behaviour: B) -> B:
        """The behaviour while it lasts."""

    def strike(self, target: T_contra) -> None:
        """What happens at once."""

    def relent(self, target: T_contra) -> None:
        """What happens at the end."""


class Troubles(Generic[B, T_contra]):
    """The faults that last at present, in order of their beginning, over a base behaviour.

    ``changed`` is called after every change, before a fault strikes or relents.
    """

    def __init__(self, base: B, target: T_contra, changed: Callable[[], None]) -> None:
        self.now: B = base
        self.faults: list[Altering[B, T_contra]] = []
        self._base: B = base
        self._target = target
        self._changed = changed

    def behave(self, changes: dict[str, Any]) -> None:
        """Change the base."""
        self._base = replace(self._base, **changes)
        self._reconsider()

    def begin(self, fault: Altering[B, T_contra]) -> None:
        """Let a fault begin, to last until `end`."""
        self.faults.append(fault)
        self._reconsider()
        fault.strike(self._target)

    def end(self, fault: Altering[B, T_contra]) -> None:
        """Let a fault end that has begun; `ValueError` if it has not."""
        self.faults.remove(fault)
        self._reconsider()
        fault.relent(self._target)

    def end_all(self) -> None:
        """Let every fault end."""
        for fault in tuple(self.faults):
            self.end(fault)

    def _reconsider(self) -> None:
        self.now = reduce(lambda behaviour, fault: fault.alter(behaviour), self.faults, self._base)
        self._changed()
