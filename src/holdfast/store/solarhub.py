"""Reads the database of the earlier battery program (solarhub); never writes into it.

What it holds is stated in `holdfast.hub.site.earlier.solarhub`; source: fact sheet section 14.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from sqlalchemy import URL, event, literal_column, make_url, select, table, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from holdfast.errors import ConfigurationError
from holdfast.hub.ports import StoreError, Trouble
from holdfast.hub.site.earlier.solarhub import REQUIRED, TABLES
from holdfast.store.postgresql import PostgresqlDatabase
from holdfast.store.sqlite import BUSY_S
from holdfast.store.troubles import store_error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import CursorResult
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
    from sqlalchemy.pool import ConnectionPoolEntry

_ADVICE = "Use the path of a SQLite file, sqlite:///PATH or postgresql://USER@HOST:PORT/DATABASE."
_TABLES: Final = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')",
    # Tables, partitioned and foreign ones, and views, as far as the search path shows them.
    "postgresql": "SELECT relname FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p', 'f', 'v', 'm')"
    " AND pg_catalog.pg_table_is_visible(oid)",
}


@dataclass(frozen=True, slots=True)
class EarlierRows:
    """Rows by table. ``missing`` names tables and columns (``adapters.enabled``) that are not there."""

    tables: Mapping[str, Sequence[Mapping[str, Any]]]
    missing: tuple[str, ...] = ()


class EarlierDatabase:
    """The database at a path or URL; nothing is opened before `read`.

    Raises `ConfigurationError` for an address that means no database we know, or whose extra is not installed.
    """

    def __init__(self, where: str | Path) -> None:
        self._engine = _engine(where)

    async def read(self) -> EarlierRows:
        """All rows at one moment. Raises `StoreError`, and `ConfigurationError` if it is another program's database."""
        try:
            async with self._engine.connect() as connection:
                return await _read(connection)
        except (SQLAlchemyError, sqlite3.Error, OSError) as fault:
            error = store_error(fault)
            raise StoreError(error.trouble, f"the earlier program's database: {error.text}") from fault
        finally:
            await self._engine.dispose()


def _engine(where: str | Path) -> AsyncEngine:
    if isinstance(where, Path) or "://" not in where:
        return _sqlite(Path(where))
    try:
        url = make_url(where)
    except (ArgumentError, ValueError):
        # Not repeated, and no cause: the address may hold a password.
        raise ConfigurationError("this is no address of a database", advice=_ADVICE) from None
    match url.get_backend_name():
        case "sqlite" if url.database and url.database != ":memory:":
            return _sqlite(Path(url.database))
        case "postgresql" | "postgres":
            return PostgresqlDatabase(url).reader.execution_options(postgresql_readonly=True)
        case name:
            raise ConfigurationError(f"a database {name!r} cannot be read here", advice=_ADVICE)


def _sqlite(path: Path) -> AsyncEngine:
    if not path.is_file():
        raise StoreError(Trouble.UNREACHABLE, f"{path}: there is no such file")
    file = f"file:{quote(str(path.absolute()))}"
    query = {"mode": "ro", "uri": "true"}
    url = URL.create("sqlite+aiosqlite", database=file, query=query)
    engine = create_async_engine(url, connect_args={"timeout": BUSY_S})
    event.listen(engine.sync_engine, "connect", _look_into, insert=True)
    return engine


def _look_into(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """Find out that a file is no database before the library does, which would leave it open."""
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA schema_version")
    except BaseException:
        connection.close()
        raise
    cursor.close()


async def _read(connection: AsyncConnection) -> EarlierRows:
    if connection.dialect.name == "sqlite":
        await connection.exec_driver_sql(
            "BEGIN"
        )  # one moment for all; its driver would not begin for reading
    names = set((await connection.execute(text(_TABLES[connection.dialect.name]))).scalars())
    tables: dict[str, list[dict[str, Any]]] = {}
    missing: list[str] = []
    for name, columns in TABLES.items():
        if name not in names:
            missing.append(name)
            continue
        result: CursorResult[Any] = await connection.execute(
            select(literal_column("*")).select_from(table(name))
        )
        there = set(result.keys())
        missing += [f"{name}.{column}" for column in columns if column not in there]
        tables[name] = [dict(row) for row in result.mappings()]
    needed = [*REQUIRED, *(f"{name}.{column}" for name, columns in REQUIRED.items() for column in columns)]
    lacking = [each for each in needed if each in missing]
    if lacking:
        raise ConfigurationError(
            f"this is no database of the earlier program: {', '.join(lacking)} missing",
            advice="Tables and columns must be those that its own migration makes.",
        )
    return EarlierRows(tables, tuple(missing))
