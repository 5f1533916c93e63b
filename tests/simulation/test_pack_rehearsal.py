"""Days of a pack of batteries behind two bad paths, in virtual time, judged by what the batteries really said."""

from __future__ import annotations

import pytest

from holdfast.hub.hub import Hub
from holdfast.link.evidence import GroupEvidence
from holdfast.model import Quality
from holdfast.simulation.rehearsal import PackRehearsal, PackVerdict, rehearse_pack
from holdfast.simulation.rehearsal.pack.run import LAST_WAIT_S
from holdfast.simulators.jkbms import Timing

SLOW = Timing(absent_s=0.44)
"""A master that takes 7 s for a cycle, as the slowest ones do (JK fact sheet section 2)."""
CYCLE_S = 7.0
DECEIVED_SHARE = 0.02
"""How much of a hostile day may show values of frames that were damaged and kept their checksum: within all limits they
look like any other, and stay until the next frame of that battery, or for the deadline where none comes any more."""

WRONG_STALE_SHARE = 0.001
"""How much of a rough day a battery may be stale though the reserve was well: where the path that serves loses the
frames of one battery alone, the reserve is asked when that battery is stale, and takes a cycle to hear it."""


def play(seed: int, hours: float, profile: str) -> PackVerdict:
    return rehearse_pack(PackRehearsal(seed=seed, hours=hours, profile=profile, timing=SLOW))


def judge(verdict: PackVerdict) -> None:
    """Every promise; and no more moves than there were reasons: one away and one back for each fault."""
    text = "\n".join(verdict.lines())
    assert verdict.is_kept, text
    assert verdict.moves <= 2 * verdict.faults, text
    day_s = verdict.hours * 3600.0 + LAST_WAIT_S
    assert verdict.frames >= 0.5 * 4 * day_s / CYCLE_S, text
    if verdict.profile == "hostile":
        assert verdict.deceived_s <= DECEIVED_SHARE * 2 * day_s, text
    else:
        assert verdict.deceived_s == 0.0, text
        assert verdict.wrong_stale_s <= WRONG_STALE_SHARE * day_s, text


@pytest.mark.timeout(400)
def test_a_day_of_two_bad_links() -> None:
    """Nothing wrong is shown as current, no move is in haste or without ground, and at the end all is as at first."""
    verdict = play(1, 24.0, "rough")
    judge(verdict)
    assert verdict.moves >= 4


def test_two_hostile_links() -> None:
    """The same where everything goes wrong at once."""
    verdict = play(3, 0.7, "hostile")
    judge(verdict)
    assert verdict.moves >= 4


def test_calm() -> None:
    """Without faults nothing moves, nothing is stale, no session is lost."""
    verdict = play(5, 0.2, "none")
    judge(verdict)
    assert (verdict.moves, verdict.stale_s, verdict.outages) == (0, 0.0, 0)


def test_the_same_seed_is_the_same_day() -> None:
    """Two runs from one seed write the same event log, byte for byte; another seed writes another."""
    first, again, other = (play(seed, 0.1, "hostile") for seed in (7, 7, 8))
    assert first.log_digest == again.log_digest
    assert first.lines() == again.lines()
    assert first.log_digest != other.log_digest


def test_the_observer_sees_a_value_that_never_grows_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: what was once good stays so."""

    def quality_at(self: GroupEvidence, now: float) -> Quality:
        return Quality.GOOD if self.n >= 0 else Quality.UNKNOWN

    monkeypatch.setattr(GroupEvidence, "quality_at", quality_at)
    verdict = play(3, 0.2, "hostile")
    assert verdict.wrong_fresh_s > 0.0
    assert not verdict.is_kept
    assert "which nobody said" in verdict.examples[0]


def test_the_observer_sees_a_move_without_ground(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: once, after 400 s of calm, somebody sends the pack to its reserve."""
    start = Hub.start

    def start_and_move(self: Hub) -> None:
        start(self)
        self.core.loop.call_later(400.0, self.activate, "pack", "reserve")

    monkeypatch.setattr(Hub, "start", start_and_move)
    verdict = play(5, 0.2, "none")
    assert (verdict.moves, verdict.groundless_moves) == (2, 1)
    assert not verdict.is_kept
    assert "nothing was wrong with gateway" in verdict.examples[0]


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("profile", ["rough", "hostile"])
@pytest.mark.parametrize("seed", range(100, 104))
def test_days_on_end(seed: int, profile: str) -> None:
    """Whole days of every temper."""
    judge(play(seed, 24.0, profile))
