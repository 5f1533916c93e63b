"""What is known about one capability at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from holdfast.model.capability import Value


class Quality(StrEnum):
    """How far a value may be believed now."""

    GOOD = "good"
    LATE = "late"
    """Overdue, or its session is lost, but still within its deadline."""
    STALE = "stale"
    """Past its deadline: never shown as current."""
    UNKNOWN = "unknown"
    """Never seen, or a send is in doubt."""

    @property
    def is_current(self) -> bool:
        """Whether a value of this quality may be shown as the present one."""
        return self is Quality.GOOD or self is Quality.LATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A value with its quality, age and source, as it stood at the moment of asking.

    ``value`` is ``None`` unless the quality is good or late; ``last_known`` keeps the last value seen.
    ``age_s`` counts seconds from the moment the evidence was asked for (or arrived unasked), ``deadline_s`` is
    the age at which the value is stale (``None``: it does not age). ``adapter`` names the path it came by.
    ``suspect`` marks a value that passed its sanity limits only by repeating. ``missing`` names the members that a
    value made of several lacks: without them it is stale, or tells of the others alone where that was allowed.
    """

    target: str
    value: Value
    unit: str
    quality: Quality
    suspect: bool = False
    observed_at: datetime | None = None
    age_s: float | None = None
    deadline_s: float | None = None
    adapter: str = ""
    last_known: Value = None
    missing: tuple[str, ...] = ()
