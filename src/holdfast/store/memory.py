"""The store's twin without a database: for simulation, where nothing may use a thread, and for tests of the hub."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from holdfast.hub.ports import AlarmEntry, EventEntry, SavedSite, SiteChanged, StoreError, Trouble
from holdfast.store.attachments import Attachment, attachment_change
from holdfast.store.encoding import micros
from holdfast.store.entries import KEYS, OPEN_STATES, TABLE_OF, event_of, receipt_of, row_of, saved_of, sound
from holdfast.store.retention import ATTACHMENTS, RETENTIONS
from holdfast.store.rows import reading_of, refuse_plain_password, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from holdfast.hub.ports import Entry, Saved
    from holdfast.model import Receipt
    from holdfast.store.retention import Retention
    from holdfast.store.rows import Key, Row, SiteRows


class MemoryStore:
    """Implements `holdfast.hub.ports.Store` with the rows that a database would hold. Nothing of it waits.

    What it holds survives `close` and a new `open`, like a file. Two things play a bad disk: while ``fault`` is set
    every call raises it, and every call takes ``delay_s`` seconds of the loop's time first.
    """

    def __init__(self) -> None:
        self.fault: StoreError | None = None
        self.delay_s = 0.0
        self._site: SiteRows | None = None
        self._revision = 0
        self._attachments: dict[tuple[str, int], Attachment] = {}
        self._rows: dict[str, dict[Key, Row]] = {table: {} for table in KEYS}
        self._is_closed = False

    async def open(self) -> None:
        """Nothing to connect to."""
        self._is_closed = False
        await self._begin()

    async def close(self) -> None:
        """Calls are refused until `open`."""
        self._is_closed = True

    async def site(self) -> SavedSite | None:
        """The site, or ``None`` if none was ever saved."""
        await self._begin()
        if self._site is None:
            return None
        reading = reading_of(self._site)
        return SavedSite(mapping=reading.mapping, revision=self._revision, damaged=reading.damaged)

    async def save_site(
        self, mapping: Mapping[str, Any], at: datetime, *, expected: int | None = None
    ) -> int:
        """Replace the site. ``expected`` 0 means that there is none yet."""
        refuse_plain_password(mapping)
        await self._begin()
        if expected is not None and expected != self._revision:
            raise SiteChanged(self._revision)
        self._site = rows_of(mapping)
        self._revision += 1
        attached = {row["array_id"]: row["attached_to"] for row in self._site["attached"].values()}
        change = attachment_change(self._attachments.values(), attached, micros(at))
        for each in (*change.closed, *change.added):
            self._attachments[each.array_id, each.attached_since] = each
        return self._revision

    async def saved(self) -> Saved:
        """What outlived the last run."""
        await self._begin()
        return saved_of(
            sorted(_open(self._rows["standing_orders"].values()), key=lambda row: row["issued_at"]),
            self._rows["switches"].values(),
            self._rows["memories"].values(),
            sorted(_open(self._rows["alarms"].values()), key=lambda row: row["since"]),
            [row for row in self._rows["receipts"].values() if row["state"] in OPEN_STATES],
        )

    async def write(self, entries: Sequence[Entry]) -> None:
        """Write all entries at once."""
        rows = [(TABLE_OF[type(entry)], row_of(entry)) for entry in entries]
        if not entries:
            return
        await self._begin()
        for (table, row), entry in zip(rows, entries, strict=True):
            if isinstance(entry, AlarmEntry) and row["ended_at"] is None:
                self._end_alarm(row)
            self._rows[table][tuple(row[column] for column in KEYS[table])] = row

    def _end_alarm(self, newer: Row) -> None:
        for (target, since), row in self._rows["alarms"].items():
            if target == newer["target"] and since != newer["since"] and row["ended_at"] is None:
                row["ended_at"] = newer["since"]

    async def receipts(self, *, target: str | None = None, limit: int = 100) -> list[Receipt]:
        """The newest receipts, the oldest first."""
        await self._begin()
        found = [row for row in self._rows["receipts"].values() if target in (None, row["target"])]
        return list(sound("receipts", _last(found, limit), receipt_of))

    async def events(
        self, *, kind: str | None = None, device: str | None = None, limit: int = 100
    ) -> list[EventEntry]:
        """The newest events, the oldest first."""
        await self._begin()
        found = [
            row
            for row in self._rows["events"].values()
            if kind in (None, row["kind"]) and device in (None, row["device"])
        ]
        return list(sound("events", _last(found, limit), event_of))

    async def prune(self, now: datetime) -> int:
        """Forget what is older than its retention; how many rows went."""
        await self._begin()
        return sum(self._prune(each, micros(now)) for each in RETENTIONS if each is not ATTACHMENTS)

    def _prune(self, retention: Retention, now: int) -> int:
        rows = self._rows[retention.table]
        column = retention.column
        ended = [
            key
            for key, row in rows.items()
            if row[column] is not None and row.get("state") not in OPEN_STATES
        ]
        oldest = now - retention.age_s * 1_000_000
        gone = {key for key in ended if rows[key][column] < oldest}
        left = sorted((key for key in ended if key not in gone), key=lambda key: rows[key][column])
        gone.update(left[: max(0, len(left) - retention.rows)])
        for key in gone:
            del rows[key]
        return len(gone)

    async def backup(self, path: Path) -> None:
        """There is no file to copy."""
        await self._begin()
        raise StoreError(Trouble.FAILED, f"a store in memory cannot be copied to {path.name}")

    async def _begin(self) -> None:
        if self._is_closed:
            raise StoreError(Trouble.FAILED, "the store is closed")
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        if self.fault is not None:
            raise self.fault


def _open(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row["ended_at"] is None]


def _last(rows: list[Row], limit: int) -> list[Row]:
    return rows[max(0, len(rows) - limit) :]
