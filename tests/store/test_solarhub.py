"""The database of the earlier battery program, read by SQLite and PostgreSQL alike."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from holdfast.errors import ConfigurationError
from holdfast.hub.ports import StoreError, Trouble
from holdfast.hub.site.earlier.solarhub import TABLES, of_rows
from holdfast.store.solarhub import EarlierDatabase, EarlierRows

SCRIPT = (Path(__file__).parents[1] / "data" / "solarhub" / "database.sql").read_text()


def _run(url: str, *statements: str) -> None:
    """Run a script in the database at ``url``, outside of every loop of the tests."""
    if url.startswith("sqlite:///"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        connection.executescript(";".join(statements))
        connection.close()
        return

    async def work() -> None:
        engine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg", query={"ssl": "disable"})
        )
        async with engine.begin() as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            assert raw is not None
            for each in statements:
                await raw.execute(each)  # a script of many statements, as it stands
        await engine.dispose()

    asyncio.run(work())


def _read(where: str | Path) -> EarlierRows:
    return asyncio.run(EarlierDatabase(where).read())


@pytest.fixture
def filled(url: str) -> str:
    _run(url, SCRIPT)
    return url


def test_all_rows_are_read(filled: str) -> None:
    """Both kinds of database give the same, and a site can be made of it."""
    found = _read(filled)
    assert found.missing == ()
    assert set(found.tables) == set(TABLES)
    assert len(found.tables["adapters"]) == 9
    assert {row["name"] for row in found.tables["battery_arrays"]} == {"East", "West"}
    site = of_rows(found.tables).mapping
    assert [each["id"] for each in site["devices"]] == ["east", "west"]
    assert [each["id"] for each in site["devices"][1]["adapters"]] == ["gw-2", "usb", "stray", "metered"]


def test_what_is_missing_is_told_by_name(filled: str) -> None:
    """Tables and columns alike; all the rest is read."""
    _run(filled, "DROP TABLE meters", "DROP TABLE batteries", "ALTER TABLE adapters DROP COLUMN enabled")
    found = _read(filled)
    assert sorted(found.missing) == ["adapters.enabled", "batteries", "meters"]
    assert len(found.tables["adapters"]) == 9
    takeover = of_rows(found.tables, missing=found.missing)
    assert takeover.is_usable
    told = {each.rendered("earlier") for each in takeover.reports}
    assert "earlier: meters: this table is missing; nothing was taken over from it" in told
    assert "earlier: adapters.enabled: this column is missing; nothing was taken over from it" in told


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("DROP TABLE battery_packs", "battery_packs missing"),
        ("ALTER TABLE adapters DROP COLUMN config_json", "adapters.config_json missing"),
    ],
)
def test_without_packs_or_adapters_it_is_another_database(filled: str, statement: str, named: str) -> None:
    _run(filled, statement)
    with pytest.raises(ConfigurationError, match=named):
        _read(filled)


def test_an_empty_database_is_another_one(url: str) -> None:
    _run(url, "CREATE TABLE other (id INTEGER)")
    with pytest.raises(ConfigurationError, match="battery_packs, adapters, battery_pack_adapters missing"):
        _read(url)


async def _write(database: EarlierDatabase) -> None:
    try:
        async with database._engine.connect() as connection:
            await connection.exec_driver_sql("INSERT INTO systems (system_id) VALUES ('intruder')")
            await connection.commit()
    finally:
        await database._engine.dispose()


def test_nothing_can_be_written(filled: str) -> None:
    """The connection itself refuses; the program that it belongs to may still be running."""
    with pytest.raises(DBAPIError, match=r"read-?only"):
        asyncio.run(_write(EarlierDatabase(filled)))
    assert len(_read(filled).tables["systems"]) == 1


def test_a_sqlite_file_is_left_as_it_was(tmp_path: Path) -> None:
    """Byte by byte, and nothing beside it; its name may hold anything."""
    path = tmp_path / "what? 100% #1.db"
    _run(f"sqlite:///{path}", SCRIPT)
    before = path.read_bytes()
    assert len(_read(path).tables["adapters"]) == 9
    assert len(_read(str(path)).tables["adapters"]) == 9
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_database_that_another_program_writes(tmp_path: Path) -> None:
    """The earlier program may run meanwhile, with a log beside its file: what it has committed is read."""
    path = tmp_path / "hub.db"
    _run(f"sqlite:///{path}", "PRAGMA journal_mode=WAL", SCRIPT)
    other = sqlite3.connect(path)
    other.execute("UPDATE battery_packs SET name = 'Renamed' WHERE pack_id = 'east'")
    other.commit()
    other.execute("UPDATE battery_packs SET name = 'Not yet' WHERE pack_id = 'east'")
    assert "Renamed" in [row["name"] for row in _read(path).tables["battery_packs"]]
    other.close()


def test_files_that_are_no_databases(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no such file") as raised:
        _read(tmp_path / "none.db")
    assert raised.value.trouble is Trouble.UNREACHABLE
    assert list(tmp_path.iterdir()) == []
    junk = tmp_path / "junk.db"
    junk.write_bytes(b"SQLite format 3\0" + b"junk" * 500)
    with pytest.raises(StoreError, match="the earlier program's database: the database is damaged"):
        _read(junk)


@pytest.mark.parametrize(
    "where", ["mysql://me:word@host/db", "postgresql://me:word@host:port/db", "sqlite://"]
)
def test_addresses_of_nothing_we_know(where: str) -> None:
    """Told without the password."""
    with pytest.raises(ConfigurationError) as raised:
        EarlierDatabase(where)
    assert "word" not in f"{raised.value} {raised.value.advice}"
    assert "postgresql://USER@HOST" in raised.value.advice


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(StoreError, match="the database server does not answer") as raised:
        _read("postgresql://me:word@127.0.0.1:1/db?sslmode=disable")
    assert "word" not in str(raised.value)
