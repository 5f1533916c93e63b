"""PostgreSQL by URL, spoken to through asyncpg (extra ``postgres``)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import create_async_engine

from holdfast.errors import ConfigurationError
from holdfast.hub.ports import StoreError, Trouble

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sqlalchemy import URL, Insert, Table
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

CONNECT_S = 5.0
"""Dial and login: a server in the house answers in milliseconds, one behind a VPN in a second."""
CALL_S = 30.0
"""One statement. Ours take milliseconds; after this long the server or the way to it is gone."""
LOCK_S = 5.0
"""How long another program may hold a row or table of ours before it counts as trouble."""
_ALONE = 0x486F6C64
"""The advisory lock of whoever changes the schema or the site ("Hold")."""
_IDLE = 2
"""Connections kept: one writes, one reads."""


class PostgresqlDatabase:
    """The database at ``url``. Raises `ConfigurationError` without the extra ``postgres``."""

    def __init__(self, url: URL, *, call_s: float = CALL_S, lock_s: float = LOCK_S) -> None:
        try:
            importlib.import_module("asyncpg")
        except ImportError as error:
            raise ConfigurationError(
                f"a PostgreSQL database needs the extra 'postgres' ({error})",
                advice="pip install 'holdfast[postgres]'",
            ) from error
        query = dict(url.query)
        if "sslmode" in query:  # the word of every other client; this driver calls it otherwise
            query["ssl"] = query.pop("sslmode")
        self._url = url.set(drivername="postgresql+asyncpg", query=query)
        self._writer = create_async_engine(
            self._url,
            pool_size=_IDLE,
            max_overflow=0,
            pool_timeout=call_s,
            pool_pre_ping=True,  # a connection that died meanwhile is replaced before it is used
            connect_args={
                "timeout": CONNECT_S,
                "command_timeout": call_s,
                "server_settings": {
                    "application_name": "holdfast",
                    "lock_timeout": str(round(lock_s * 1000)),
                    "timezone": "UTC",
                },
            },
        )
        self._reader = self._writer.execution_options(isolation_level="REPEATABLE READ")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._url.render_as_string(hide_password=True)}>"

    @property
    def reader(self) -> AsyncEngine:
        """Transactions of one snapshot."""
        return self._reader

    def writer(self, *, is_synced: bool) -> AsyncEngine:
        """The server's administrator decides what a commit means there; the default is synced."""
        del is_synced
        return self._writer

    def prepare(self) -> None:
        """Nothing to do: files are the server's."""

    async def check(self, connection: AsyncConnection) -> None:
        """Nothing to do: pages are the server's, which tells when it meets a damaged one."""

    async def alone(self, connection: AsyncConnection) -> None:
        """Wait for whoever else changes the schema or the site."""
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ALONE})")

    def upsert(self, table: Table, keys: tuple[str, ...], row: Mapping[str, Any]) -> Insert:
        """Insert or replace."""
        statement = insert(table)
        changed = {column: statement.excluded[column] for column in row if column not in keys}
        return statement.on_conflict_do_update(index_elements=list(keys), set_=changed)

    def copy(self, path: Path) -> None:
        """Not ours to do: a server's data are copied by its own programs."""
        raise StoreError(
            Trouble.FAILED,
            f"a PostgreSQL database cannot be copied to {path.name}",
            advice="Use pg_dump (pg_dump --format=custom), and pg_restore to bring it back.",
        )

    async def dispose(self) -> None:
        """Close all connections."""
        await self._writer.dispose()
