"""What `SqlStore` needs of a kind of database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from sqlalchemy import Insert, Table
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


class Database(Protocol):
    """One kind of database and where it is."""

    @property
    def reader(self) -> AsyncEngine:
        """Gives connections whose transactions see one moment of everything."""

    def writer(self, *, is_synced: bool) -> AsyncEngine:
        """Gives connections whose transactions write; with ``is_synced`` a commit is on the disk when it returns."""

    def prepare(self) -> None:
        """What must be done with files before the first connection. Runs in a thread."""

    async def check(self, connection: AsyncConnection) -> None:
        """Raise `StoreError` if what is stored is damaged, as far as the database can tell."""

    async def alone(self, connection: AsyncConnection) -> None:
        """Be the only one who changes the site or the schema until the transaction ends."""

    def upsert(self, table: Table, keys: tuple[str, ...], row: Mapping[str, Any]) -> Insert:
        """Insert rows with the columns of ``row``; one whose ``keys`` are there already is replaced."""

    def copy(self, path: Path) -> None:
        """A consistent copy of everything. Runs in a thread."""

    async def dispose(self) -> None:
        """Let all connections go."""
