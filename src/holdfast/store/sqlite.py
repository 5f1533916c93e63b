"""SQLite: one file in the data directory, one connection that writes, one that reads."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, event
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from holdfast.hub.ports import StoreError, Trouble
from holdfast.store.troubles import CORRUPTED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sqlalchemy import Connection, Insert, Table
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
    from sqlalchemy.pool import ConnectionPoolEntry

BUSY_S = 5.0
"""How long another program (a backup, a person with sqlite3) may hold the lock before it counts as trouble.

Longer than any sane transaction; the storekeeper tells of a slow store long before.
"""
CHECKPOINT_PAGES = 1000
"""SQLite's own default (4 MB of log), stated because the log is the file that grows while a backup reads."""
_MODE = 0o600
"""Only the owner reads it: it names people, logins and tokens' hashes."""
_BEGIN = "holdfast_begin"
_SYNCHRONOUS = "holdfast_synchronous"
_WORD = "synchronous"


class SqliteDatabase:
    """The file at ``path``; its folder must exist. ``busy_s`` is for tests."""

    def __init__(self, path: Path, busy_s: float = BUSY_S) -> None:
        self.path = path
        writer = self._engine(busy_s, is_reader=False)
        self._reader = self._engine(busy_s, is_reader=True)
        self._writer = writer.execution_options(**{_BEGIN: "BEGIN IMMEDIATE", _SYNCHRONOUS: "NORMAL"})
        self._synced = writer.execution_options(**{_BEGIN: "BEGIN IMMEDIATE", _SYNCHRONOUS: "FULL"})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path}>"

    @property
    def reader(self) -> AsyncEngine:
        """One connection; in WAL mode it never waits for the writer, nor the writer for it."""
        return self._reader

    def writer(self, *, is_synced: bool) -> AsyncEngine:
        """The one connection that writes."""
        return self._synced if is_synced else self._writer

    def prepare(self) -> None:
        """Make the file, so that nobody else can ever read it."""
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, _MODE))

    async def check(self, connection: AsyncConnection) -> None:
        """Read every page and say what is wrong with the first damaged one."""
        found = (await connection.exec_driver_sql("PRAGMA quick_check(1)")).scalar()
        if found != "ok":
            raise StoreError(Trouble.CORRUPTED, f"{CORRUPTED.text} ({found})", advice=CORRUPTED.advice)

    async def alone(self, connection: AsyncConnection) -> None:
        """Nothing to do: `BEGIN IMMEDIATE` has seen to it."""

    def upsert(self, table: Table, keys: tuple[str, ...], row: Mapping[str, Any]) -> Insert:
        """Insert or replace."""
        statement = insert(table)
        changed = {column: statement.excluded[column] for column in row if column not in keys}
        return statement.on_conflict_do_update(index_elements=list(keys), set_=changed)

    def copy(self, path: Path) -> None:
        """A copy of one moment, whole or not at all; raises `FileExistsError` rather than overwrite anything."""
        if path.exists():
            raise FileExistsError(f"{path} exists already")
        partial = path.with_name(f"{path.name}.partial")
        partial.unlink(missing_ok=True)
        try:
            os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, _MODE))
            with contextlib.closing(sqlite3.connect(self.path, timeout=BUSY_S)) as source:
                source.execute("VACUUM INTO ?", [str(partial)])
            descriptor = os.open(partial, os.O_RDWR)
            try:
                os.fsync(descriptor)  # VACUUM INTO leaves that to whoever asks for it
            finally:
                os.close(descriptor)
            partial.rename(path)
        finally:
            partial.unlink(missing_ok=True)

    async def dispose(self) -> None:
        """Close both connections; the last one to close folds the log into the file."""
        await self._reader.dispose()
        await self._writer.dispose()

    def _engine(self, busy_s: float, *, is_reader: bool) -> AsyncEngine:
        engine = create_async_engine(
            URL.create("sqlite+aiosqlite", database=str(self.path)),
            # The driver must not begin transactions by itself: it would leave DDL outside of them.
            connect_args={"timeout": busy_s, "isolation_level": None},
            poolclass=AsyncAdaptedQueuePool,
            pool_size=1,
            max_overflow=0,
            pool_timeout=10 * busy_s,
        )
        event.listen(engine.sync_engine, "connect", _set_up_reader if is_reader else _set_up)
        event.listen(engine.sync_engine, "begin", _begin)
        return engine


def _set_up(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        f"wal_autocheckpoint={CHECKPOINT_PAGES}",
        "synchronous=NORMAL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _set_up_reader(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    _set_up(connection, entry)
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    """Begin as the engine says. How much is synced can only be set between transactions."""
    options = connection.get_execution_options()
    wanted = options.get(_SYNCHRONOUS)
    if wanted is not None and connection.info.get(_WORD, "NORMAL") != wanted:
        connection.exec_driver_sql(f"PRAGMA synchronous={wanted}")
        connection.info[_WORD] = wanted
    connection.exec_driver_sql(options.get(_BEGIN, "BEGIN"))
