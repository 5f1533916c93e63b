"""Stores with a fault that somebody could make, to see the kills find it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from holdfast.store.schema import Schema
from holdfast.store.sql import SqlStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncConnection

    from holdfast.hub.ports import Entry
    from holdfast.store.rows import TableChange

_tasks: set[asyncio.Task[Any]] = set()


def torn_site() -> None:
    """Each table of the site is committed by itself."""
    sound = SqlStore._apply

    async def apply(self: SqlStore, connection: AsyncConnection, found: Sequence[TableChange]) -> None:
        for change in found:
            await sound(self, connection, [change])
            await connection.exec_driver_sql("COMMIT")
            await connection.exec_driver_sql("BEGIN IMMEDIATE")

    SqlStore._apply = apply  # type: ignore[method-assign]


def hasty_site() -> None:
    """The new site is answered for before it is saved."""
    sound = SqlStore.save_site

    async def save_site(
        self: SqlStore, mapping: Mapping[str, Any], at: datetime, *, expected: int | None = None
    ) -> int:
        _tasks.add(asyncio.create_task(sound(self, mapping, at, expected=expected)))
        return (expected or 0) + 1

    SqlStore.save_site = save_site  # type: ignore[method-assign]


def hasty_entries() -> None:
    """What is handed over is answered for before it is written."""
    sound = SqlStore.write

    async def write(self: SqlStore, entries: Sequence[Entry]) -> None:
        _tasks.add(asyncio.create_task(sound(self, entries)))

    SqlStore.write = write  # type: ignore[method-assign]


def torn_schema() -> None:
    """Each statement of a migration is committed by itself, as SQLite's driver does when left alone."""
    sound = Schema.upgrade

    def upgrade(self: Schema, connection: Connection, to: str = "head") -> None:
        connection.exec_driver_sql("COMMIT")
        sound(self, connection, to)
        connection.exec_driver_sql("BEGIN")

    Schema.upgrade = upgrade  # type: ignore[method-assign]


BROKEN: Mapping[str, Callable[[], None]] = {
    "torn-site": torn_site,
    "hasty-site": hasty_site,
    "hasty-entries": hasty_entries,
    "torn-schema": torn_schema,
}
