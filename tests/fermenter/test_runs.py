"""Hours of faults in virtual time, judged from outside: sixty runs in CI, and a thousand with ``make soak``.

Each run has a fresh seed, and a failure prints it with the script until then. ``HOLDFAST_FERMENTER_SEED`` plays one
seed again.
"""

from __future__ import annotations

import os
import secrets
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import pytest

from tests.fermenter.run import Verdict, rehearse
from tests.fermenter.script import dense, sparse

AGAIN = os.environ.get("HOLDFAST_FERMENTER_SEED", "")
RUNS = 1 if AGAIN else 60
HOURS = 1.0
SOAK_RUNS, SOAK_HOURS = 1000, 2.0
SOAK_RECOVERIES = 20_000
WEEKS, WEEK_HOURS = 20, 168.0


def a_seed() -> int:
    """The one that was asked for, or one that nobody has played."""
    return int(AGAIN) if AGAIN else secrets.randbits(32)


def hours_of(usual: float) -> float:
    """How long a run is played: the same seed replays only with the same hours."""
    return float(os.environ.get("HOLDFAST_FERMENTER_HOURS", usual))


@pytest.mark.parametrize("number", range(RUNS))
def test_the_invariants_hold(number: int) -> None:
    """Whatever goes wrong with plugs, sensor, settings, hub, clock and store, no check has anything to object."""
    verdict = rehearse(a_seed(), hours_of(HOURS))
    assert not verdict.objections, verdict.text
    assert verdict.recoveries > 0, verdict.text


def test_the_same_seed_is_the_same_run() -> None:
    """Otherwise a failure could not be looked at."""
    first, again = rehearse(7, 0.3), rehearse(7, 0.3)
    assert (first.told, first.judged, first.recoveries) == (again.told, again.judged, again.recoveries)
    assert [str(line) for line in first.played] == [str(line) for line in again.played]


@pytest.mark.soak
@pytest.mark.timeout(14_400)
def test_a_thousand_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """Twenty thousand faults that were recovered from, and no objection."""
    verdicts = played(SOAK_RUNS, partial(rehearse, hours=SOAK_HOURS, tracks=dense))
    recoveries = sum(each.recoveries for each in verdicts)
    with capsys.disabled():
        print(
            f"{len(verdicts)} runs, {sum(each.faults for each in verdicts)} faults, {recoveries} recoveries"
        )
    assert recoveries >= SOAK_RECOVERIES


@pytest.mark.soak
@pytest.mark.timeout(14_400)
def test_weeks(capsys: pytest.CaptureFixture[str]) -> None:
    """Whole weeks, with some trouble every day."""
    verdicts = played(WEEKS, partial(rehearse, hours=WEEK_HOURS, tracks=sparse, sensor_every_s=30.0))
    with capsys.disabled():
        print(f"{len(verdicts)} weeks, {sum(each.recoveries for each in verdicts)} recoveries")


def played(runs: int, play: partial[Verdict]) -> list[Verdict]:
    """Runs with seeds of their own, on all cores; the first objection fails."""
    with ProcessPoolExecutor() as pool:
        verdicts = []
        for verdict in pool.map(play, [a_seed() for _ in range(runs)]):
            assert not verdict.objections, verdict.text
            verdicts.append(verdict)
        return verdicts
