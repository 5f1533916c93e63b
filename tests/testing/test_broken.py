"""Each clause catches the drivers that break it, for the right reason, and lets their repaired twins pass."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from holdfast.testing import ALL, ContractBroken, check
from holdfast.testing.clause import named
from tests.testing import broken

if TYPE_CHECKING:
    from holdfast.simulation import VirtualLoop
    from holdfast.testing import Bench
    from tests.testing.broken import BrokenDriver


@pytest.mark.parametrize("driver", broken.ALL, ids=lambda driver: driver.name.replace(" ", "-"))
def test_a_broken_driver_is_caught(driver: BrokenDriver) -> None:
    """The clause that it breaks fails and says which promise that is and what was seen; repaired, it passes."""
    clause = named(driver.breaks)
    with pytest.raises(ContractBroken, match=re.escape(driver.seen)) as caught:
        check(driver.make_bench, clause)
    assert f"clause {driver.breaks} is broken" in str(caught.value)
    assert clause.must in str(caught.value)

    def repaired(loop: VirtualLoop) -> Bench:
        return type(driver.make_bench(loop))(loop)

    check(repaired, clause)


def test_every_clause_catches_something() -> None:
    """A clause that no driver has ever broken proves nothing."""
    assert {each.name for each in ALL} == {each.breaks for each in broken.ALL}
