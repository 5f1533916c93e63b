"""A fault of an earlier program, and what shows that ours has it not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.planting import PlantedFault


@dataclass(frozen=True, slots=True)
class KnownFault:
    """Its number in the fact sheet, what it was, and the ways in which it was planted to see a test fail.

    ``planted`` is empty where it cannot be by construction (``note`` says how) or belongs to a room yet to come.
    """

    number: int
    text: str
    note: str = ""
    planted: tuple[PlantedFault, ...] = ()
