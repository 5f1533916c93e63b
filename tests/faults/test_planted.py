"""No planted fault survives."""

from __future__ import annotations

import pytest

from tests.faults.planting import PlantedFault, is_caught
from tests.faults.table import ALL


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.name)
def test_the_table_is_current(fault: PlantedFault) -> None:
    """Each fault names a place that exists exactly once."""
    assert fault.occurrences() == 1


@pytest.mark.timeout(180)
@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.name)
def test_it_is_caught(fault: PlantedFault) -> None:
    """The named tests fail once the fault is planted."""
    caught, line = is_caught(fault)
    assert caught, line
