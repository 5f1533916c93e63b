"""One way to make a mistake of the earlier temperature controller again, and where the tests against it are."""

from __future__ import annotations

from typing import Final

from tests.faults.planting import PlantedFault

WHOLE: Final = "tests/faults/test_temperature.py"
PROGRAM: Final = "tests/faults/test_temperature_program.py"
SITE: Final = "tests/faults/test_site.py"
LIVING: Final = "tests/hub/test_living_site.py"
CONTROL: Final = "tests/hub/controllers/test_control.py"
CHANGES: Final = "tests/hub/controllers/test_site_changes.py"


def way(number: int, name: str, test: str, file: str, old: str, new: str) -> PlantedFault:
    """Planted once, and to be noticed by this one test."""
    return PlantedFault(name=f"temperature {number}: {name}", file=file, old=old, new=new, tests=(test,))
