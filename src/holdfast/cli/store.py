"""Which store a command means: the one that the environment names, else the file in the data directory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli.exits import WrongUsage

if TYPE_CHECKING:
    from holdfast.hub.ports import Store

DATABASE = "holdfast.db"
"""The store's file in the data directory, where no URL names another."""
VARIABLE = "HOLDFAST_STORE"
"""Names a database by URL. An environment variable and no option, since a URL may hold a password."""


def file_of(folder: Path) -> Path | None:
    """The file of the store; ``None`` where it is a server's."""
    named = os.environ.get(VARIABLE)
    if not named:
        return folder / DATABASE
    if "://" not in named:
        return Path(named)
    return Path(named.removeprefix("sqlite:///")) if named.startswith("sqlite:///") else None


def database_of(folder: Path) -> Path:
    """The file of the store; raises `WrongUsage` where it is a server's."""
    found = file_of(folder)
    if found is not None:
        return found
    raise WrongUsage(
        f"{VARIABLE} names a PostgreSQL database, which its server's own programs copy",
        advice="Use pg_dump --format=custom, and pg_restore to bring it back.",
    )


def store_of(folder: Path) -> Store:
    """The store, not opened yet; raises `ConfigurationError` for an address that is none."""
    from holdfast.store import open_store

    return open_store(os.environ.get(VARIABLE) or folder / DATABASE)
