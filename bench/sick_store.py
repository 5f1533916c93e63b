"""What goes wrong with disks, played below the store: between it and SQLite, or in the file that both work on.

Each begins and ends while the store is at work. Calls may block: whoever runs a loop makes them in a thread.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import event

from holdfast.hub.ports import Trouble

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from holdfast.store.sqlite import SqliteDatabase

NO_LIMIT = 1_073_741_823
"""SQLite's own largest number of pages."""


class Sickness(Protocol):
    """Something that goes wrong for a while."""

    troubles: frozenset[Trouble]
    """What the store may call it."""

    def begin(self) -> None: ...

    def end(self) -> None: ...


class _Setting:
    """Something that SQLite itself is told at the beginning of each transaction that writes, on any connection."""

    troubles: frozenset[Trouble]

    def __init__(self, database: SqliteDatabase, well: str, sick: str) -> None:
        self._now = self._well = well
        self._sick = sick
        for is_synced in (True, False):
            engine = database.writer(is_synced=is_synced).sync_engine
            event.listen(engine, "begin", self._tell)

    def _tell(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA {self._now}")

    def begin(self) -> None:
        self._now = self._sick

    def end(self) -> None:
        self._now = self._well


class Full(_Setting):
    """The database cannot grow: what needs a new page fails as on a full disk."""

    troubles = frozenset({Trouble.FULL})

    def __init__(self, database: SqliteDatabase) -> None:
        super().__init__(database, f"max_page_count={NO_LIMIT}", "max_page_count=1")


class ReadOnly(_Setting):
    """Nothing can be written, as after a disk's error when the system mounts it anew."""

    troubles = frozenset({Trouble.READ_ONLY})

    def __init__(self, database: SqliteDatabase) -> None:
        super().__init__(database, "query_only=OFF", "query_only=ON")


class Stalled:
    """Another program holds the lock: each write waits, as on a disk that does not answer."""

    troubles = frozenset({Trouble.SLOW, Trouble.LOCKED})

    def __init__(self, database: SqliteDatabase) -> None:
        self._path = database.path
        self._other: sqlite3.Connection

    def begin(self) -> None:
        self._other = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        self._other.execute("BEGIN IMMEDIATE")

    def end(self) -> None:
        self._other.execute("ROLLBACK")
        self._other.close()


class Corrupted:
    """The file is scribbled over, and later put back as it was."""

    troubles = frozenset({Trouble.CORRUPTED})

    def __init__(self, database: SqliteDatabase) -> None:
        self._path: Path = database.path
        self._sound = b""

    def begin(self) -> None:
        with closing(sqlite3.connect(self._path, isolation_level=None)) as other:
            # A change of somebody else's, without one: the pages that the writer remembers are not its own any more.
            other.execute("UPDATE events SET kind = kind")
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._sound = self._path.read_bytes()
        page = int.from_bytes(self._sound[16:18], "big")
        self._path.write_bytes(self._sound[:page] + b"\xa5" * (len(self._sound) - page))

    def end(self) -> None:
        self._path.write_bytes(self._sound)
