"""The store in a database: SQLite or PostgreSQL, through SQLAlchemy Core."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import bindparam, delete, func, select, tuple_, update
from sqlalchemy.exc import SQLAlchemyError

from holdfast.hub.ports import (
    SAFETY,
    AlarmEntry,
    EventEntry,
    SavedSite,
    SiteChanged,
    StoreError,
    Trouble,
)
from holdfast.store import tables
from holdfast.store.attachments import Attachment, attachment_change
from holdfast.store.encoding import micros
from holdfast.store.entries import (
    KEYS,
    OPEN_STATES,
    TABLE_OF,
    event_of,
    receipt_of,
    row_of,
    saved_of,
    sound,
)
from holdfast.store.retention import RETENTIONS, STEP
from holdfast.store.rows import (
    SITE_KEY,
    SITE_KEYS,
    changes,
    kept_damage,
    reading_of,
    refuse_plain_password,
    rows_of,
)
from holdfast.store.schema import Schema
from holdfast.store.thread import in_thread
from holdfast.store.troubles import store_error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import ColumnElement, Select, Table
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from holdfast.hub.ports import Entry, Saved
    from holdfast.model import Receipt
    from holdfast.store.database import Database
    from holdfast.store.retention import Retention
    from holdfast.store.rows import Row, SiteRows, TableChange

_Result = TypeVar("_Result")

CLOSE_S = 5.0
"""How long closing waits for a call that is under way; then its connection is dropped, which rolls it back."""

_FAULTS = (SQLAlchemyError, sqlite3.Error, OSError, TimeoutError)
_PASSING = (Trouble.FULL, Trouble.LOCKED)
"""After these the connection is as good as before; after anything else the next call makes a new one."""
_TABLES = tables.metadata.tables


class SqlStore:
    """Keeps the site and what happened in it in a database. Implements `holdfast.hub.ports.Store`.

    A call that needs the database before `open`, or after a fault that cost the connection, opens it first; so a
    server that comes back, or a file that somebody mended, needs no restart. A call that is cancelled goes on behind
    the caller's back, since half of it cannot be taken back; `close` waits for it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writing = asyncio.Lock()
        self._opening = asyncio.Lock()
        self._under_way: set[asyncio.Task[Any]] = set()
        self._is_ready = False
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._database!r}>"

    # --- open and close ------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect, check the file, and bring an older schema up to date."""
        self._is_closed = False
        self._is_ready = False
        await self._behind(self._open)

    async def close(self) -> None:
        """Let go. Waits at most `CLOSE_S` for what is under way."""
        self._is_closed = True
        self._is_ready = False
        if self._under_way:
            _, left = await asyncio.wait(self._under_way, timeout=CLOSE_S)
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left)
        await self._database.dispose()

    async def _open(self) -> None:
        async with self._opening:
            if self._is_ready:
                return
            schema = await in_thread(self._prepare)
            async with self._writing, self._transaction(self._database.writer(is_synced=True)) as connection:
                await self._database.alone(connection)
                await self._database.check(connection)
                await connection.run_sync(schema.upgrade)
            self._is_ready = True

    def _prepare(self) -> Schema:
        self._database.prepare()
        return Schema()

    # --- the site ------------------------------------------------------------------------------------------------

    async def site(self) -> SavedSite | None:
        """The site, or ``None`` if none was ever saved."""

        async def read() -> SavedSite | None:
            async with self._reading() as connection:
                rows, revision = await _site_rows(connection)
            if not revision:
                return None
            reading = await in_thread(partial(reading_of, rows))
            return SavedSite(mapping=reading.mapping, revision=revision, damaged=reading.damaged)

        return await self._ready(read)

    async def save_site(
        self, mapping: Mapping[str, Any], at: datetime, *, expected: int | None = None
    ) -> int:
        """Replace the site; rows that are equal stay as they are. ``expected`` 0 means that there is none yet."""
        refuse_plain_password(mapping)

        async def save() -> int:
            new = await in_thread(partial(rows_of, mapping))
            async with self._changing(is_synced=True) as connection:
                await self._database.alone(connection)
                old, revision = await _site_rows(connection)
                if expected is not None and expected != revision:
                    raise SiteChanged(revision)
                if revision:
                    new = await in_thread(partial(kept_damage, old, new))
                head = {**new["site"][SITE_KEY,], "revision": revision + 1, "saved_at": micros(at)}
                await connection.execute(self._database.upsert(tables.site, ("key",), head), head)
                await self._apply(connection, changes(old, new))
                attached = {key: row["attached_to"] for (key,), row in new["attached"].items()}
                await _attach(connection, {str(key): to for key, to in attached.items()}, micros(at))
            return revision + 1

        return await self._ready(save)

    async def _apply(self, connection: AsyncConnection, found: Sequence[TableChange]) -> None:
        own = [change for change in found if change.table not in ("site", "attached")]
        for change in own:
            for rows in (change.inserted, change.updated):
                if rows:
                    keys = SITE_KEYS[change.table]
                    await connection.execute(
                        self._database.upsert(_TABLES[change.table], keys, rows[0]), rows
                    )
        for change in reversed(own):
            if change.deleted:
                table, keys = _TABLES[change.table], SITE_KEYS[change.table]
                gone = [
                    {f"gone_{name}": part for name, part in zip(keys, key, strict=True)}
                    for key in change.deleted
                ]
                await connection.execute(
                    delete(table).where(*(table.c[name] == bindparam(f"gone_{name}") for name in keys)), gone
                )

    # --- what happens --------------------------------------------------------------------------------------------

    async def saved(self) -> Saved:
        """What outlived the last run."""

        async def read() -> Saved:
            orders, receipts, alarms = tables.standing_orders, tables.receipts, tables.alarms
            async with self._reading() as connection:
                return saved_of(
                    await _rows(
                        connection,
                        select(orders).where(orders.c.ended_at.is_(None)).order_by(orders.c.issued_at),
                    ),
                    await _rows(connection, select(tables.switches)),
                    await _rows(connection, select(tables.memories)),
                    await _rows(
                        connection, select(alarms).where(alarms.c.ended_at.is_(None)).order_by(alarms.c.since)
                    ),
                    await _rows(
                        connection, select(receipts).where(_is_open(receipts)).order_by(receipts.c.seq)
                    ),
                )

        return await self._ready(read)

    async def write(self, entries: Sequence[Entry]) -> None:
        """Write all entries in one transaction, synced to the disk if any of them is of `SAFETY`."""
        if not entries:
            return
        by_table: dict[str, list[Row]] = {}
        alarms: list[Row] = []
        for entry in entries:
            rows = alarms if isinstance(entry, AlarmEntry) else by_table.setdefault(TABLE_OF[type(entry)], [])
            rows.append(row_of(entry))
        is_synced = any(isinstance(entry, SAFETY) for entry in entries)

        async def write() -> None:
            async with self._changing(is_synced=is_synced) as connection:
                for name, rows in by_table.items():
                    await connection.execute(self._database.upsert(_TABLES[name], KEYS[name], rows[0]), rows)
                for row in alarms:
                    await self._write_alarm(connection, row)

        await self._ready(write)

    async def _write_alarm(self, connection: AsyncConnection, row: Row) -> None:
        """A new alarm of a target also ends the one before it, whose end may have been overtaken while it waited."""
        table = tables.alarms
        if row["ended_at"] is None:
            before = (
                table.c.target == row["target"],
                table.c.since != row["since"],
                table.c.ended_at.is_(None),
            )
            await connection.execute(update(table).where(*before).values(ended_at=row["since"]))
        await connection.execute(self._database.upsert(table, KEYS["alarms"], row), row)

    async def receipts(self, *, target: str | None = None, limit: int = 100) -> list[Receipt]:
        """The newest receipts, the oldest first."""
        table = tables.receipts
        query = select(table) if target is None else select(table).where(table.c.target == target)
        rows = await self._newest(query.order_by(table.c.seq.desc()).limit(limit))
        return list(sound("receipts", rows, receipt_of))

    async def events(
        self, *, kind: str | None = None, device: str | None = None, limit: int = 100
    ) -> list[EventEntry]:
        """The newest events, the oldest first."""
        table = tables.events
        query = select(table)
        if kind is not None:
            query = query.where(table.c.kind == kind)
        if device is not None:
            query = query.where(table.c.device == device)
        rows = await self._newest(query.order_by(table.c.seq.desc()).limit(limit))
        return list(sound("events", rows, event_of))

    async def _newest(self, query: Select[Any]) -> list[Row]:
        async def read() -> list[Row]:
            async with self._reading() as connection:
                return await _rows(connection, query)

        return (await self._ready(read))[::-1]

    # --- upkeep --------------------------------------------------------------------------------------------------

    async def prune(self, now: datetime) -> int:
        """Forget what is older than its retention, in steps between which others write; how many rows went."""

        async def prune() -> int:
            return sum([await self._prune_table(each, micros(now)) for each in RETENTIONS])

        return await self._ready(prune)

    async def _prune_table(self, retention: Retention, now: int) -> int:
        table = _TABLES[retention.table]
        keys = tuple_(*table.primary_key)
        column = table.c[retention.column]
        ended = [~_is_open(table)] if "state" in table.c else [column.is_not(None)]
        old = column < now - retention.age_s * 1_000_000
        newest_first = (column.desc(), *(key.desc() for key in table.primary_key))
        went = 0
        for surplus in (
            select(*table.primary_key).where(*ended, old).limit(STEP),
            select(*table.primary_key)
            .where(*ended)
            .order_by(*newest_first)
            .limit(STEP)
            .offset(retention.rows),
        ):
            gone = STEP
            while gone == STEP and not self._is_closed:
                async with self._changing(is_synced=False) as connection:
                    gone = (await connection.execute(delete(table).where(keys.in_(surplus)))).rowcount
                went += gone
        return went

    async def backup(self, path: Path) -> None:
        """A consistent copy of everything, while in use. SQLite only; never overwrites what is there."""

        async def copy() -> None:
            try:
                await in_thread(partial(self._database.copy, path))
            except FileExistsError as fault:
                raise StoreError(Trouble.FAILED, str(fault), advice="Give the backup another name.") from None
            except _FAULTS as fault:
                raise store_error(fault) from fault

        await self._ready(copy)

    # --- how calls are made --------------------------------------------------------------------------------------

    async def _ready(self, call: Callable[[], Awaitable[_Result]]) -> _Result:
        """Make the call, with the database open."""

        async def opened() -> _Result:
            if not self._is_ready:
                await self._open()
            return await call()

        if self._is_closed:
            raise StoreError(Trouble.FAILED, "the store is closed")
        return await self._behind(opened)

    async def _behind(self, call: Callable[[], Awaitable[_Result]]) -> _Result:
        """Make the call in a task of its own: whoever waits for it may be cancelled, the call must not be."""

        async def work() -> _Result:
            try:
                return await call()
            except _FAULTS as fault:
                raise store_error(fault) from fault

        task = asyncio.get_running_loop().create_task(work(), name="store call")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    @contextlib.asynccontextmanager
    async def _changing(self, *, is_synced: bool) -> AsyncIterator[AsyncConnection]:
        async with self._writing, self._transaction(self._database.writer(is_synced=is_synced)) as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        async with self._transaction(self._database.reader) as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def _transaction(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        try:
            async with engine.connect() as connection:
                try:
                    async with connection.begin():
                        yield connection
                except (*_FAULTS, StoreError) as fault:
                    if _costs_the_connection(fault):
                        self._is_ready = False
                        await connection.invalidate()
                    raise
        except _FAULTS as fault:
            error = store_error(fault)
            if error.trouble not in _PASSING:
                self._is_ready = False
            raise error from fault


def _costs_the_connection(fault: BaseException) -> bool:
    return not isinstance(fault, SiteChanged) and store_error(fault).trouble not in _PASSING


def _is_open(table: Table) -> ColumnElement[bool]:
    return table.c.state.in_(OPEN_STATES)


async def _rows(connection: AsyncConnection, query: Select[Any]) -> list[Row]:
    return [dict(row) for row in (await connection.execute(query)).mappings()]


async def _site_rows(connection: AsyncConnection) -> tuple[SiteRows, int]:
    """The site's rows as they stand, and its revision (0: there is none)."""
    found: SiteRows = {}
    revision = 0
    for name, keys in SITE_KEYS.items():
        if name == "attached":
            history = tables.array_attachments
            query = select(history.c.array_id, history.c.attached_to).where(history.c.detached_at.is_(None))
        else:
            query = select(_TABLES[name])
        found[name] = {tuple(row[key] for key in keys): row for row in await _rows(connection, query)}
    for row in found["site"].values():
        revision = row.pop("revision")
        del row["saved_at"]
    return found, revision


async def _attach(connection: AsyncConnection, attached: Mapping[str, str], at: int) -> None:
    """Keep the history of the arrays up to date."""
    table = tables.array_attachments
    newest = select(table.c.array_id, func.max(table.c.attached_since)).group_by(table.c.array_id)
    query = select(table).where(tuple_(table.c.array_id, table.c.attached_since).in_(newest))
    history = [Attachment(**row) for row in await _rows(connection, query)]
    change = attachment_change(history, attached, at)
    for each in change.closed:
        is_it = (table.c.array_id == each.array_id, table.c.attached_since == each.attached_since)
        await connection.execute(update(table).where(*is_it).values(detached_at=each.detached_at))
    if change.added:
        await connection.execute(table.insert(), [_attachment_row(each) for each in change.added])


def _attachment_row(each: Attachment) -> Row:
    return {
        "array_id": each.array_id,
        "attached_to": each.attached_to,
        "attached_since": each.attached_since,
        "detached_at": each.detached_at,
    }
