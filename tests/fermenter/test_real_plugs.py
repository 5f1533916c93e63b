"""The real python-kasa against simulated plugs, in virtual time: three hours in CI."""

from __future__ import annotations

import pytest

from tests.fermenter.real_plugs import rehearse_real
from tests.fermenter.test_runs import a_seed

pytestmark = pytest.mark.blocking_allowed  # the library reads its own files
RUNS, HOURS = 3, 1.0
SOAK_RUNS, SOAK_HOURS = 50, 3.0


def rehearsed(hours: float) -> int:
    """One run; how often something was looked at."""
    seed = a_seed()
    objections, looks = rehearse_real(seed, hours)
    assert not objections, f"seed {seed}, {hours:g} h of real plugs:\n" + "\n".join(objections)
    return looks


@pytest.mark.parametrize("number", range(RUNS))
def test_the_real_library_keeps_the_promises(number: int) -> None:
    """Nothing false is shown for long, no ON beside the other plug, rests are kept, silence ends in OFF."""
    assert rehearsed(HOURS) > HOURS * 1000


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_fifty_runs_with_the_real_library() -> None:
    """Three hostile hours each."""
    looks = sum(rehearsed(SOAK_HOURS) for _ in range(SOAK_RUNS))
    print(f"{SOAK_RUNS} runs with the real library, {looks} looks")
