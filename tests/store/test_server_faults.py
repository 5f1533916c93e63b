"""A PostgreSQL server that goes, hangs, refuses: the right words, and well again by itself."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url, text

from holdfast.hub.ports import StoreError, Trouble
from holdfast.store.postgresql import PostgresqlDatabase
from holdfast.store.sql import SqlStore
from tests.servers import postgresql_server
from tests.store.house import NOW, event, one_of_each, order, site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.servers import PostgresqlServer

pytestmark = pytest.mark.xdist_group("postgresql")

IMPATIENT_S = 0.2


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresqlServer]:
    """A server that these tests may stop."""
    with postgresql_server() as server:
        yield server


@pytest.fixture
def address(own_server: PostgresqlServer) -> Iterator[str]:
    with own_server.database("faults") as url:
        yield url


@pytest.fixture
def closed(address: str) -> SqlStore:
    return SqlStore(PostgresqlDatabase(make_url(address), lock_s=IMPATIENT_S))


@pytest.fixture
async def store(closed: SqlStore) -> AsyncIterator[SqlStore]:
    await closed.open()
    await closed.save_site(site(), NOW)
    yield closed
    await closed.close()


async def _assert_in_trouble(store: SqlStore, trouble: Trouble) -> None:
    for call in (store.write([event(1), order("second")]), store.save_site({}, NOW)):
        with pytest.raises(StoreError) as caught:
            await call
        assert caught.value.trouble is trouble
        assert caught.value.advice


async def _assert_well(store: SqlStore) -> None:
    assert await store.events() == []
    saved = await store.site()
    assert saved is not None
    assert (saved.mapping, saved.revision) == (site(), 1)
    await store.write(one_of_each())
    assert len(await store.events()) == 1


async def test_a_server_that_is_restarted_is_found_again(
    store: SqlStore, own_server: PostgresqlServer
) -> None:
    await asyncio.to_thread(own_server.stop)
    try:
        await _assert_in_trouble(store, Trouble.UNREACHABLE)
    finally:
        await asyncio.to_thread(own_server.start)
    await _assert_well(store)


async def test_a_restart_that_nobody_noticed_costs_no_call(
    store: SqlStore, own_server: PostgresqlServer
) -> None:
    await asyncio.to_thread(own_server.stop)
    await asyncio.to_thread(own_server.start)
    await _assert_well(store)


async def test_a_server_that_comes_later(closed: SqlStore, own_server: PostgresqlServer) -> None:
    await asyncio.to_thread(own_server.stop)
    try:
        with pytest.raises(StoreError) as caught:
            await closed.open()
        assert caught.value.trouble is Trouble.UNREACHABLE
    finally:
        await asyncio.to_thread(own_server.start)
    assert await closed.site() is None
    await closed.close()


async def test_a_server_that_hangs_is_given_up(address: str, own_server: PostgresqlServer) -> None:
    store = await asyncio.to_thread(
        lambda: SqlStore(PostgresqlDatabase(make_url(address), call_s=IMPATIENT_S))
    )
    for _ in range(50):  # a loaded machine may need longer than that for the first steps
        try:
            await store.open()
            await store.save_site(site(), NOW, expected=0)
            break
        except StoreError:
            continue
    assert own_server.process is not None
    pids = await asyncio.to_thread(_children, own_server.process.pid)
    for pid in (own_server.process.pid, *pids):
        os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(StoreError) as caught:
            await store.write([event(1)])
        assert caught.value.trouble is Trouble.UNREACHABLE
    finally:
        for pid in (own_server.process.pid, *pids):
            os.kill(pid, signal.SIGCONT)
    await store.close()


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(word) for word in listed.split()]


async def test_a_lock_that_is_not_given_up(store: SqlStore) -> None:
    other = store._database.reader
    async with other.connect() as connection:
        await connection.execute(text("LOCK TABLE events, site"))
        await _assert_in_trouble(store, Trouble.LOCKED)
    await _assert_well(store)


async def test_a_database_that_may_only_be_read(store: SqlStore, own_server: PostgresqlServer) -> None:
    async def set_to(word: str) -> None:
        statement = f"ALTER DATABASE faults SET default_transaction_read_only = {word}"
        await asyncio.to_thread(
            own_server.run, "psql", "-c", f"SET default_transaction_read_only = off; {statement}"
        )
        await store._database.dispose()  # sessions keep what they began with

    await set_to("on")
    await _assert_in_trouble(store, Trouble.READ_ONLY)
    await set_to("off")
    await _assert_well(store)


async def test_a_database_that_is_not_there(own_server: PostgresqlServer) -> None:
    url = make_url(own_server.url("nowhere"))
    store = await asyncio.to_thread(lambda: SqlStore(PostgresqlDatabase(url)))
    with pytest.raises(StoreError) as caught:
        await store.open()
    assert caught.value.trouble is Trouble.UNREACHABLE
    assert "createdb" in caught.value.advice
    await store.close()


async def test_a_backup_is_the_servers_business(store: SqlStore, tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        await store.backup(tmp_path / "copy")
    assert "pg_dump" in caught.value.advice


def test_a_password_is_never_shown(closed: SqlStore) -> None:
    assert "any" not in repr(closed)
    assert "***" in repr(closed)
