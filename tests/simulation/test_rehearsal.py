"""Whole days of a house in virtual time: the promises hold, and the same seed is the same day."""

from __future__ import annotations

import pytest

from holdfast.cli.demo_site import demo_mapping
from holdfast.simulation.rehearsal import Rehearsal, Verdict, rehearse
from holdfast.simulation.rehearsal.run import HOST, PORT
from holdfast.simulators.ipcom import demo_house


def play(seed: int, hours: float, profile: str) -> Verdict:
    site = demo_mapping(HOST, PORT)
    return rehearse(Rehearsal(site=site, house=demo_house(), seed=seed, hours=hours, profile=profile))


@pytest.mark.parametrize(
    ("seed", "hours", "profile"),
    [
        (1, 1.0, "none"),
        (2, 2.0, "calm"),
        (3, 1.0, "rough"),
        (4, 1.0, "rough"),
        *((seed, 0.5, "hostile") for seed in range(5, 11)),
    ],
)
def test_the_promises_are_kept(seed: int, hours: float, profile: str) -> None:
    """Nothing wrong is shown as current, every receipt ends once and truly, no motor is ever reversed in haste."""
    verdict = play(seed, hours, profile)
    assert verdict.is_kept, "\n".join(verdict.lines())
    assert verdict.commands > 50
    assert verdict.updates > 1000 * hours
    assert verdict.wrong_stale_s < 1.0 or profile == "hostile", "\n".join(verdict.lines())


def test_the_same_seed_is_the_same_day() -> None:
    """Two runs from one seed write the same event log, byte for byte; another seed writes another."""
    first, again, other = play(7, 0.3, "hostile"), play(7, 0.3, "hostile"), play(8, 0.3, "hostile")
    assert first.log_digest == again.log_digest
    assert first.lines() == again.lines()
    assert first.log_digest != other.log_digest


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("profile", ["calm", "rough", "hostile"])
@pytest.mark.parametrize("seed", range(100, 104))
def test_days_on_end(seed: int, profile: str) -> None:
    """Whole days of every temper."""
    verdict = play(seed, 24.0 if profile == "calm" else 8.0, profile)
    assert verdict.is_kept, "\n".join(verdict.lines())
