"""Backup and restore of a hub's data: a copy while it runs, and a way back that destroys nothing."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from holdfast.cli import archive, loops
from holdfast.cli.exits import WrongUsage
from holdfast.cli.lock import locked
from holdfast.cli.store import database_of
from holdfast.cli.whole_file import sync

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from holdfast.cli.archive import About

_BESIDE = ("-wal", "-shm")
"""Files that belong to a SQLite database while somebody has it open, or after a crash."""


def back_up(path: Path, folder: Path) -> tuple[Path, About]:
    """Copy a store and its key file into one file, also while a hub uses it; where it went, and what is in it."""
    database = database_of(folder)
    if not database.is_file():
        raise WrongUsage(f"there is no store in {folder}", advice="Name its data directory with --data.")
    if path.is_dir():
        path = path / f"holdfast-{_stamp()}.zip"
    if path.exists():
        raise WrongUsage(f"{path} is there already", advice="Give the backup another name.")
    if not path.parent.is_dir():
        raise WrongUsage(f"there is no folder {path.parent}")
    key = folder / archive.KEY
    # Beside the backup: there must be room for it there in any case.
    with tempfile.TemporaryDirectory(prefix=".holdfast-", dir=path.parent) as name:
        copy = Path(name) / archive.DATABASE
        loops.run(_copy(database, copy))
        return path, archive.pack(path, copy, key if key.is_file() else None)


async def _copy(database: Path, to: Path) -> None:
    from holdfast.store import open_store

    store = open_store(database)
    try:
        await store.backup(to)
    finally:
        await store.close()


_MODE = 0o600
"""Only the owner reads them."""


class Restored(NamedTuple):
    """What a restore did."""

    about: About
    kept_aside: list[Path]
    mapping: Mapping[str, Any]
    """The site that is in the store now; empty if there is none."""


def restore(path: Path, folder: Path, *, force: bool) -> Restored:
    """Put a backup in the place of a store that no hub uses; what was there is kept beside it.

    The backup is checked, and brought up to date, before anything is touched.
    """
    database = database_of(folder)
    with locked(folder), tempfile.TemporaryDirectory(prefix=".restore-", dir=database.parent) as name:
        new, new_key = Path(name) / archive.DATABASE, Path(name) / archive.KEY
        about = archive.unpack(path, new, new_key)
        for each in (new, new_key):
            if each.exists():
                each.chmod(_MODE)
        archive.check_whole(new)
        mapping = loops.run(_site_in(new))
        if database.exists() and not force:
            raise WrongUsage(
                f"there is a store in {folder} already",
                advice="With --force the backup takes its place, and the present one is kept beside it.",
            )
        sync(new)
        _fold_log_into(database)
        aside = _put_aside(database)
        new.replace(database)
        if about.has_key:
            aside += _put_aside(folder / archive.KEY)
            new_key.replace(folder / archive.KEY)
        sync(database.parent)
    return Restored(about, aside, mapping)


async def _site_in(database: Path) -> Mapping[str, Any]:
    """Open a copy, which brings it up to date; raises `StoreError` if it is newer than this program."""
    from holdfast.store import open_store

    store = open_store(database)
    try:
        await store.open()
        found = await store.site()
    finally:
        await store.close()
    return {} if found is None else found.mapping


def _fold_log_into(database: Path) -> None:
    """What stands in a database's log goes into its file, so that the file alone is all of it; not if it is damaged."""
    if database.exists():
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _put_aside(path: Path) -> list[Path]:
    """Give a file another name, and the files of a database that go with it."""
    if not path.exists():
        return []
    aside = path.with_name(f"{path.name}.before-{_stamp()}")
    path.rename(aside)
    for ending in _BESIDE:
        beside = path.with_name(path.name + ending)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + ending))
    return [aside]


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
