"""Keeps a database of each schema version for the tests: ``python -m tests.store.old_databases``.

Run it after a migration was added. It makes the files that are not there yet and never touches one that is: they are
what users have on their disks. ``rows.json`` holds what is in them, table by table; a new table needs rows there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData, create_engine, event
from sqlalchemy.ext.asyncio import create_async_engine

from holdfast.store.schema import Schema
from tests.servers import postgresql_server

if TYPE_CHECKING:
    from sqlalchemy import Connection

FOLDER = Path(__file__).parent.parent / "data" / "databases"

Rows = dict[str, list[dict[str, Any]]]


def rows() -> Rows:
    """What is in the databases, by table; owners stand before what they own."""
    found: Rows = json.loads((FOLDER / "rows.json").read_text(encoding="utf-8"))
    return found


def sqlite_file(version: str) -> Path:
    return FOLDER / f"{version}.sqlite"


def postgresql_dump(version: str) -> Path:
    return FOLDER / f"{version}.postgresql.sql"


def _fill(connection: Connection, version: str) -> None:
    Schema().upgrade(connection, version)
    known = MetaData()
    known.reflect(connection)
    for table, found in rows().items():
        if table in known.tables:
            # `seq` counts by itself; rows that bring theirs would leave the counter behind.
            fresh = [{column: value for column, value in row.items() if column != "seq"} for row in found]
            connection.execute(known.tables[table].insert(), fresh)


def _make_sqlite(version: str) -> None:
    engine = create_engine(f"sqlite:///{sqlite_file(version)}", connect_args={"isolation_level": None})
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA journal_mode=WAL"))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    with engine.begin() as connection:
        _fill(connection, version)
    engine.dispose()


async def _make_postgresql(url: str, version: str) -> None:
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:").replace("sslmode", "ssl"))
    async with engine.begin() as connection:
        await connection.run_sync(_fill, version)
    await engine.dispose()


def main() -> None:
    import asyncio

    versions = Schema().versions
    for version in versions:
        if not sqlite_file(version).exists():
            _make_sqlite(version)
            print(f"made {sqlite_file(version).name}")
    missing = [version for version in versions if not postgresql_dump(version).exists()]
    if not missing:
        return
    with postgresql_server() as server:
        for version in missing:
            with server.database(f"old_{version}") as url:
                asyncio.run(_make_postgresql(url, version))
                target = postgresql_dump(version)
                server.run("pg_dump", "--inserts", "--no-owner", "--file", str(target), f"old_{version}")
                _make_portable(target)
                print(f"made {target.name}")


def _make_portable(dump: Path) -> None:
    """Leave out the two lines of newer clients that older ones do not understand."""
    lines = dump.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(("\\restrict", "\\unrestrict"))]
    dump.write_text("".join(kept), encoding="utf-8")


if __name__ == "__main__":
    main()
