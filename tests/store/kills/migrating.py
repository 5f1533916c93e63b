"""An old database is brought up to date while the kill comes: it is the old or the new one, and can be finished."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from holdfast.store import open_store
from holdfast.store.schema import VERSION_TABLE, Schema
from tests.store.old_databases import sqlite_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from tests.store.kills.telling import Mouth, Told


class Kept(NamedTuple):
    """Everything that is in a file: its version, and all of it as SQL."""

    version: str
    dump: tuple[str, ...]


def kept_in(path: Path) -> Kept:
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()  # noqa: S608
        return Kept(version, tuple(sorted(connection.iterdump())))


class Migrations:
    """Every old version, each from its own file."""

    name = "migrations"
    lives = 1
    promises = 1
    steps = 28

    def __init__(self) -> None:
        *self._olds, _ = Schema().versions
        with tempfile.TemporaryDirectory() as folder:
            self._healthy: dict[str, tuple[Kept, Kept]] = {}
            for version in self._olds:
                path = Path(folder) / version
                shutil.copyfile(sqlite_file(version), path)
                before = kept_in(path)
                began_t = time.perf_counter()
                asyncio.run(_open(f"sqlite:///{path}"))
                self.longest_s = 1.5 * (time.perf_counter() - began_t)
                self._healthy[version] = before, kept_in(path)

    def _version(self, rng: Random) -> str:
        return rng.choice(self._olds)

    def prepare(self, where: str, rng: Random) -> None:
        shutil.copyfile(sqlite_file(self._version(rng)), _path(where))

    async def live(self, where: str, rng: Random, mouth: Mouth) -> None:
        await open_store(where).open()
        mouth.promise()

    async def look(self, where: str, rng: Random, before: None, told: Sequence[Told]) -> None:
        old, new = self._healthy[self._version(rng)]
        found = kept_in(_path(where))
        assert found in ((new,) if told else (old, new)), (
            f"{found.version} is neither the old nor the new one"
        )
        await _open(where)
        assert kept_in(_path(where)) == new, "the next start did not finish it"


def _path(where: str) -> Path:
    return Path(where.removeprefix("sqlite:///"))


async def _open(where: str) -> None:
    store = open_store(where)
    await store.open()
    await store.close()
