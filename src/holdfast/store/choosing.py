"""Which database an address means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.errors import ConfigurationError

if TYPE_CHECKING:
    from holdfast.hub.ports import Store

_ADVICE = "Use the path of a file, sqlite:///PATH or postgresql://USER@HOST:PORT/DATABASE."


def open_store(where: str | Path) -> Store:
    """The store at a path or URL, not connected yet: its `open` does that. Slow at first: it imports the library.

    Raises `ConfigurationError` for an address that means no database we know, or whose extra is not installed.
    """
    try:
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError

        from holdfast.store.postgresql import PostgresqlDatabase
        from holdfast.store.sql import SqlStore
        from holdfast.store.sqlite import SqliteDatabase
    except ImportError as error:
        raise ConfigurationError(
            f"the store needs the extra 'hub' ({error})", advice="pip install 'holdfast[hub]'"
        ) from error
    if isinstance(where, Path) or "://" not in where:
        return SqlStore(SqliteDatabase(Path(where)))
    try:
        url = make_url(where)
    except (ArgumentError, ValueError):
        # Not repeated, and no cause: the address may hold a password.
        raise ConfigurationError("this is no address of a database", advice=_ADVICE) from None
    match url.get_backend_name():
        case "sqlite" if url.database and url.database != ":memory:":
            return SqlStore(SqliteDatabase(Path(url.database)))
        case "postgresql" | "postgres":
            return SqlStore(PostgresqlDatabase(url))
        case name:
            raise ConfigurationError(f"a database {name!r} cannot be used here", advice=_ADVICE)
