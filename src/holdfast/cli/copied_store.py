"""Reading a store whose disk takes nothing any more: from a copy in memory, for SQLite needs room even to read."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.hub.ports import StoreError, Trouble

if TYPE_CHECKING:
    from holdfast.hub.ports import Saved, SavedSite

READABLE = (Trouble.READ_ONLY, Trouble.FULL, Trouble.UNREACHABLE, Trouble.FAILED)
"""Troubles behind which the data may be as sound as ever. A full disk may fail as plain input and output."""
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - only ever a folder of our own in it
_LOG = "-wal"


async def read_copy(database: Path) -> tuple[SavedSite, Saved] | None:
    """The site and what outlived the last run, from a copy; ``None`` if even that cannot be had.

    Only while no hub uses the database. Nothing of it is changed, and the copy is gone afterwards.
    """
    try:
        folder = await asyncio.to_thread(_copied, database)
    except OSError:
        return None
    try:
        return await _read(folder / database.name)
    except StoreError:
        return None
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _read(copy: Path) -> tuple[SavedSite, Saved] | None:
    from holdfast.store import open_store

    store = open_store(copy)
    try:
        await store.open()
        found = await store.site()
        return None if found is None else (found, await store.saved())
    finally:
        await store.close()


def _copied(database: Path) -> Path:
    """A new folder with the database and its log; raises `OSError` if nowhere is room."""
    if not database.is_file():
        raise FileNotFoundError(database)
    places = [str(_IN_MEMORY), None] if _IN_MEMORY.is_dir() else [None]
    fault: OSError | None = None
    for place in places:
        folder = Path(tempfile.mkdtemp(prefix="holdfast-", dir=place))
        try:
            for each in (database, database.with_name(database.name + _LOG)):
                if each.exists():
                    shutil.copyfile(each, folder / each.name)
        except OSError as error:
            fault = error
            shutil.rmtree(folder, ignore_errors=True)
        else:
            return folder
    raise fault or FileNotFoundError(database)
