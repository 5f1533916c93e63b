"""All planted faults, and the ticked list of the faults of earlier programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.core import CORE

if TYPE_CHECKING:
    from tests.faults.planting import PlantedFault

ALL: tuple[PlantedFault, ...] = (*CORE,)


def checklist() -> str:
    """The known faults of earlier programs, each with the tests that show ours does not have it."""
    return ""
