"""The faults of an earlier temperature controller, each with the tests that show ours without it, and planted.

Planted is what the mistake would be in Holdfast: the earlier program had another shape. One fault may have been several
mistakes; each that somebody could make again is planted by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.temperature.remaining import REMAINING
from tests.faults.temperature.reported import REPORTED

if TYPE_CHECKING:
    from tests.faults.known import KnownFault
    from tests.faults.planting import PlantedFault

TEMPERATURE_FAULTS: tuple[KnownFault, ...] = (*REPORTED, *REMAINING)
TEMPERATURE: tuple[PlantedFault, ...] = tuple(
    planted for fault in TEMPERATURE_FAULTS for planted in fault.planted
)

__all__ = ["TEMPERATURE", "TEMPERATURE_FAULTS"]
