"""The script that makes parts of the pages, as a module."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def pages() -> Any:
    """`scripts/pages.py`: programs are no package, so it is loaded from its file."""
    spec = importlib.util.spec_from_file_location("holdfast_pages", ROOT / "scripts" / "pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
