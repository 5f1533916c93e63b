"""Check text files for what an editor leaves behind, and the requirements for addresses."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_MAY_END_ANYHOW = {
    ".svg",
    ".hex",
    ".bin",
    ".cast",
}  # generated or recorded, kept as they came; so is what lies in a folder `data`
_LEFT_BY_MERGE = re.compile(r"^(<{7}|>{7}) ", re.MULTILINE)
_ADDRESS = re.compile(r"https?://|^--?(i|f|index|extra-index|find-links)\b", re.MULTILINE)


def _tracked() -> list[Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=_ROOT, check=True, capture_output=True, text=True).stdout
    return [path for name in listed.split("\0") if name and (path := _ROOT / name).is_file()]


def _faults(path: Path) -> list[str]:
    raw = path.read_bytes()
    if b"\0" in raw or path.suffix in _MAY_END_ANYHOW or "data" in path.relative_to(_ROOT).parts:
        return []
    text = raw.decode("utf-8")
    found = []
    if b"\r" in raw:
        found.append("carriage returns")
    if text and (not text.endswith("\n") or text.endswith("\n\n")):
        found.append("does not end with one newline")
    found += [
        f"blanks at the end of line {number}"
        for number, line in enumerate(text.splitlines(), 1)
        if line != line.rstrip()
    ]
    if _LEFT_BY_MERGE.search(text):
        found.append("a conflict left by a merge")
    if path.parent.name == "requirements" and _ADDRESS.search(text):
        found.append("names an index or a download address")
    return found


def main() -> int:
    """Print each fault with its file; the exit code says whether there was one."""
    faults = [f"{path.relative_to(_ROOT)}: {fault}" for path in _tracked() for fault in _faults(path)]
    print("\n".join(faults) or "text files are tidy")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
