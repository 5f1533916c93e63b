"""Killed at any instant, nothing that was promised is lost: two hundred times ``kill -9``, and more with ``make soak``.

``HOLDFAST_KILLS_SEED`` chooses other instants than the usual ones; what fails prints how to see it again.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.store.kills.broken import BROKEN

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks its victims")

SEED = int(os.environ.get("HOLDFAST_KILLS_SEED", "0"))
KILLS = {"apply": 55, "edits": 50, "migrations": 45, "switching": 50}
SOAK = 10
"""So many times as many kills in a soak, at other instants."""
ROOT = Path(__file__).parents[3]


def run(work: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.store.kills", "--work", work, *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def kill(work: str, kills: int, seed: int, *options: str) -> None:
    """Kill so many in a process of its own, since that one forks; all of them came to something."""
    done = run(work, "--seed", str(seed), "--kills", str(kills), *options)
    assert done.returncode == 0, done.stderr
    counted = re.search(r"(\d+) kills, (\d+) promises", done.stdout)
    assert counted is not None
    assert int(counted[1]) == kills
    assert int(counted[2]) > kills // 3, "most lives ended before they promised anything"


@pytest.mark.timeout(240)
@pytest.mark.parametrize("work", KILLS)
def test_what_was_promised_is_there(work: str) -> None:
    kill(work, KILLS[work], SEED)


@pytest.mark.soak
@pytest.mark.parametrize("work", KILLS)
def test_what_was_promised_is_there_ten_times_as_often(work: str) -> None:
    kill(work, SOAK * KILLS[work], SEED + 1_000)


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("work", "fault"),
    [
        ("apply", "torn-site"),
        ("apply", "hasty-site"),
        ("edits", "torn-site"),
        ("switching", "hasty-entries"),
        ("migrations", "torn-schema"),
    ],
)
def test_a_store_with_a_fault_is_found_out(work: str, fault: str) -> None:
    """Kills that found nothing in a broken store would say nothing about ours."""
    done = run(work, "--kills", str(KILLS[work]), "--break", fault)
    assert done.returncode == 1
    assert "AssertionError: " in done.stderr, done.stderr
    assert not re.search("AssertionError: the life (hung|ended)", done.stderr), done.stderr
    assert re.search(rf"seed \d+: --work {work} --seed \d+ --kills \d+", done.stderr)


def test_each_fault_is_tried() -> None:
    tried = {args[1] for args in test_a_store_with_a_fault_is_found_out.pytestmark[0].args[1]}  # type: ignore[attr-defined]
    assert tried == {*BROKEN}
