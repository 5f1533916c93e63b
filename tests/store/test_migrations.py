"""Databases of every earlier version become today's, with every row, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select, text

from holdfast.hub.ports import StoreError, Trouble
from holdfast.store import open_store
from holdfast.store.schema import VERSION_TABLE, Schema
from holdfast.store.sql import SqlStore
from holdfast.store.tables import metadata
from tests.store.house import NOW, event, one_of_each, site
from tests.store.old_databases import FOLDER, Rows, postgresql_dump, rows, sqlite_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from tests.servers import PostgresqlServer

VERSIONS = Schema().versions
HEAD = VERSIONS[-1]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.xdist_group("postgresql"))])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def old(kind: str, version: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[SqlStore]:
    """A copy of an old database, not opened yet."""
    if kind == "sqlite":
        copy = tmp_path / "old.sqlite"
        shutil.copyfile(sqlite_file(version), copy)
        yield _store(str(copy))
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    with server.database(f"old_{version}") as url:
        server.run("psql", "-v", "ON_ERROR_STOP=1", "-f", str(postgresql_dump(version)), f"old_{version}")
        yield _store(url)


def _store(where: str) -> SqlStore:
    store = open_store(where)
    assert isinstance(store, SqlStore)
    return store


async def _content(store: SqlStore) -> Rows:
    """Every row of every table."""
    found: Rows = {}
    async with store._reading() as connection:
        for name, table in metadata.tables.items():
            query = select(table).order_by(*table.primary_key)
            found[name] = [dict(row) for row in (await connection.execute(query)).mappings()]
    return found


def _expected(version: str) -> Rows:
    """What a database of that version held, as today's tables tell it."""
    first_in: dict[str, tuple[str, ...]] = {
        "0002": ("standing_orders", "switches", "memories", "alarms", "receipts", "events"),
        "0003": ("users", "tokens", "notes"),
    }
    later = {table for number, tables in first_in.items() if number > version for table in tables}
    keys = {name: [column.name for column in table.primary_key] for name, table in metadata.tables.items()}
    return {
        name: [] if name in later else sorted(rows()[name], key=lambda row: [row[key] for key in keys[name]])
        for name in metadata.tables
    }


async def test_nothing_is_lost_on_the_way_to_today(old: SqlStore, version: str) -> None:
    await old.open()
    assert await _content(old) == _expected(version)
    await old.close()
    await old.open()  # migrating twice is harmless
    assert await _content(old) == _expected(version)
    saved = await old.site()
    assert saved is not None
    assert (saved.mapping, saved.revision, saved.damaged) == (site(), 7, {})
    await old.close()


async def test_an_old_database_goes_on_being_used(old: SqlStore) -> None:
    await old.open()
    await old.write([event(99)])
    assert (await old.events())[-1].payload["n"] == 99
    changed = site()
    changed["devices"][1]["name"] = "Renamed"
    changed["arrays"][0]["attached_to"] = "inverter-2"
    assert await old.save_site(changed, NOW, expected=7) == 8
    content = await _content(old)
    assert len(content["cells"]) == 6  # learned, and not in any site file
    assert [each["attached_to"] for each in content["array_attachments"]] == [
        "inverter-0",
        "inverter-1",
        "inverter-2",
        "inverter-1",  # of the array that is gone
    ]
    await old.close()


def test_every_table_has_rows_in_the_old_databases() -> None:
    assert set(rows()) == set(metadata.tables)
    assert all(rows().values())
    assert {path.name.split(".")[0] for path in FOLDER.iterdir()} == {*VERSIONS, "rows"}


async def test_the_steps_make_the_tables_that_the_code_uses(sql: SqlStore) -> None:
    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        return list(compare_metadata(context, metadata))

    async with sql._reading() as connection:
        assert await connection.run_sync(differences) == []


@pytest.mark.parametrize("broken", VERSIONS)
async def test_a_step_that_fails_leaves_everything_as_it_was(
    closed_sql: SqlStore, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Schema):
        def __init__(self) -> None:
            super().__init__()
            step = self._script.get_revision(broken)
            assert step is not None
            upgrade = step.module.upgrade

            def fail() -> None:
                upgrade()
                raise OSError("the power went")

            monkeypatch.setattr(step.module, "upgrade", fail)

    with monkeypatch.context() as patched:
        patched.setattr("holdfast.store.sql.Schema", Broken)
        with pytest.raises(StoreError, match="the power went"):
            await closed_sql.open()
    async with closed_sql._transaction(closed_sql._database.writer(is_synced=True)) as connection:
        tables = await connection.run_sync(lambda sync: sync.dialect.get_table_names(sync))
    assert tables == []
    await closed_sql.open()
    await closed_sql.write(one_of_each())
    assert len(await closed_sql.events()) == 1
    await closed_sql.close()


_KILLED = """
import asyncio, os, signal, sys
from holdfast.store import open_store, sql
from holdfast.store.schema import Schema

class Killed(Schema):
    def __init__(self):
        super().__init__()
        step = self._script.get_revision(sys.argv[2])
        upgrade = step.module.upgrade
        step.module.upgrade = lambda: (upgrade(), os.kill(os.getpid(), signal.SIGKILL))

sql.Schema = Killed
asyncio.run(open_store(sys.argv[1]).open())
"""


@pytest.mark.parametrize("version", VERSIONS[:1], indirect=True)
@pytest.mark.parametrize("step", VERSIONS[1:])
async def test_a_kill_in_the_middle_of_a_step_is_harmless(
    old: SqlStore, kind: str, version: str, step: str
) -> None:
    database: Any = old._database
    where = str(database.path) if kind == "sqlite" else database._url.render_as_string(hide_password=False)
    child = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", _KILLED, where, step], capture_output=True, check=False
    )
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    await old.open()
    assert await _content(old) == _expected(version)
    await old.close()


async def test_two_hubs_that_start_at_once_both_find_a_database(url: str, closed_sql: SqlStore) -> None:
    other = await asyncio.to_thread(_store, url)
    await asyncio.gather(closed_sql.open(), other.open())
    assert await closed_sql.site() is None
    await closed_sql.close()
    await other.close()


async def test_a_database_of_a_newer_version_is_left_alone(sql: SqlStore) -> None:
    async with sql._changing(is_synced=True) as connection:
        await connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0417'"))  # noqa: S608  ours
    await sql.close()
    with pytest.raises(StoreError, match=f"newer Holdfast .schema 0417; this one knows {HEAD}") as caught:
        await sql.open()
    assert caught.value.trouble is Trouble.FAILED
    assert "backup" in caught.value.advice


@pytest.mark.parametrize(
    "made", [f"CREATE TABLE {VERSION_TABLE} (version_num TEXT)", "CREATE TABLE batteries (id INTEGER)"]
)
async def test_the_database_of_another_program_is_left_alone(closed_sql: SqlStore, made: str) -> None:
    async with closed_sql._transaction(closed_sql._database.writer(is_synced=True)) as connection:
        await connection.execute(text(made))
        if VERSION_TABLE in made:
            await connection.execute(text(f"INSERT INTO {VERSION_TABLE} VALUES ('a41cc0ffee')"))  # noqa: S608  ours
    with pytest.raises(StoreError, match="another program"):
        await closed_sql.open()
    await closed_sql.close()
