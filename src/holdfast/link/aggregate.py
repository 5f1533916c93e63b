"""Values of a whole device that are made of its members' values: the current of a pack is the sum of its batteries'."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from holdfast.model import Capability, Value

Combine = Callable[[Mapping[str, Mapping[str, Value]]], Value]
"""Values by member and key -> the value of all of them together. Pure; gets every member that counts, and no other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """A capability that no evidence carries itself.

    It is as old as its oldest part and as good as its worst. When a member's part is stale the aggregate is stale too,
    and says who is missing, unless as many as ``minimum_members`` are left: never a silent partial sum.
    """

    capability: Capability
    group: str
    """The members' evidence that it is made of."""
    combine: Combine
    minimum_members: int | None = None
    """How many current members are enough; ``None``: all of them."""
