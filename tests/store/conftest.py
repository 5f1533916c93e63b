"""Stores of each kind, each empty."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from holdfast.store import MemoryStore, open_store
from holdfast.store.sql import SqlStore
from tests.servers import postgresql_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from holdfast.hub.ports import Store
    from tests.servers import PostgresqlServer

_numbers = itertools.count()

SQLITE = "sqlite"
# One worker starts the one server of a run.
POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.xdist_group("postgresql"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    with postgresql_server() as server:
        yield server


@pytest.fixture(params=[SQLITE, POSTGRESQL])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    if request.param == SQLITE:
        yield f"sqlite:///{tmp_path}/holdfast.sqlite"
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    with server.database(f"test_{next(_numbers)}") as address:
        yield address


@pytest.fixture
def closed_sql(url: str) -> SqlStore:
    """A store in a database, not open yet. Made outside of the loop: that imports libraries."""
    store = open_store(url)
    assert isinstance(store, SqlStore)
    return store


@pytest.fixture
async def sql(closed_sql: SqlStore) -> AsyncIterator[SqlStore]:
    """A store in a database, open."""
    await closed_sql.open()
    yield closed_sql
    await closed_sql.close()


@pytest.fixture(params=["memory", SQLITE, POSTGRESQL])
def closed_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
    elif request.param == SQLITE:
        yield open_store(tmp_path / "holdfast.sqlite")
    else:
        server: PostgresqlServer = request.getfixturevalue("postgresql")
        with server.database(f"test_{next(_numbers)}") as address:
            yield open_store(address)


@pytest.fixture
async def store(closed_store: Store) -> AsyncIterator[Store]:
    """An open store of each kind: what is true of one is true of all."""
    await closed_store.open()
    yield closed_store
    await closed_store.close()
