"""Killed at any instant, nothing is lost: two hundred times ``kill -9``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = 50


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks its victims")
@pytest.mark.timeout(240)
@pytest.mark.parametrize("first", range(0, 200, KILLS))
def test_the_old_or_the_new_is_there_and_never_a_mixture(first: int, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.store.crash", str(tmp_path), str(first), str(KILLS)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent.parent.parent
    )
    assert done.returncode == 0, done.stderr
    told = int(done.stdout.split()[2])
    assert told > KILLS // 2, "most lives ended before they did anything"
