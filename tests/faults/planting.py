"""One planted fault: where, what, and which tests must notice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
LIMIT_S = 120.0
"""A test that hangs on a planted fault has noticed it as well, but need not hold up the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedFault:
    """A mistake that somebody could make: ``old`` occurs once in ``file`` (below src/holdfast) and becomes ``new``."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def path(self, source: Path) -> Path:
        """The file in a source tree."""
        return source / "holdfast" / self.file

    def occurrences(self) -> int:
        """How often the place is found; anything but 1 means that the table is out of date."""
        return self.path(SOURCE).read_text(encoding="utf-8").count(self.old)

    def plant(self, source: Path) -> None:
        """Put it into a copy of the source."""
        path = self.path(source)
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(self.old, self.new, 1), encoding="utf-8")


def is_caught(fault: PlantedFault) -> tuple[bool, str]:
    """Plant the fault in a copy, run its tests there, and say whether they failed, with pytest's closing line."""
    with tempfile.TemporaryDirectory(prefix="holdfast-fault-") as folder:
        source = Path(folder) / "src"
        shutil.copytree(SOURCE, source, ignore=shutil.ignore_patterns("__pycache__"))
        fault.plant(source)
        environ = {**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
        environ["HOLDFAST_PLANTED"] = "1"
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
        try:
            done = subprocess.run(
                [*command, *fault.tests],
                cwd=ROOT,
                env=environ,
                capture_output=True,
                text=True,
                timeout=LIMIT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return True, "the test hung"
        lines = done.stdout.strip().splitlines()
        return done.returncode == 1, lines[-1] if lines else done.stderr.strip()[-200:]
