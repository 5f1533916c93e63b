"""Where a hub keeps its data unless told otherwise: in the user's data folder, as each system has it."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def data_folder() -> Path:
    """Holdfast's own folder among the user's data."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return Path(base) / "holdfast" if base else Path.home() / "AppData" / "Local" / "holdfast"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "holdfast"
    base = os.environ.get("XDG_DATA_HOME")
    return Path(base) / "holdfast" if base else Path.home() / ".local" / "share" / "holdfast"
