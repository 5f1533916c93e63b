"""Bad disks, locks and damage under a running store: the right words, nothing by halves, and well again by itself."""

# ruff: noqa: ASYNC240  the tests themselves may touch files while the loop runs
from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.event import listen

from holdfast.hub.ports import StoreError, SwitchEntry, Trouble
from holdfast.store.sql import SqlStore
from holdfast.store.sqlite import BUSY_S, SqliteDatabase
from tests.store.house import NOW, event, later, one_of_each, order, site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from sqlalchemy import Connection

IMPATIENT_S = 0.05
BIG = "x" * 200_000
_NOBODY = 65534


async def _store(path: Path, busy_s: float = BUSY_S) -> SqlStore:
    """Made in a thread, as everywhere: the library looks at the path."""
    return await asyncio.to_thread(lambda: SqlStore(SqliteDatabase(path, busy_s)))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "holdfast.sqlite"


@pytest.fixture
async def disk(file: Path) -> AsyncIterator[SqlStore]:
    """A store in a file, with something in it."""
    store = await _store(file, IMPATIENT_S)
    await store.open()
    await store.save_site(site(), NOW)
    await store.write([SwitchEntry("fridge/switch", True, NOW), order("first")])
    yield store
    await store.close()


async def _assert_as_before(store: SqlStore) -> None:
    saved = await store.saved()
    assert saved.switches == {"fridge/switch": SwitchEntry("fridge/switch", True, NOW)}
    assert [each.order.id for each in saved.orders] == ["first"]
    assert await store.events() == []
    kept = await store.site()
    assert kept is not None
    assert (kept.mapping, kept.revision) == (site(), 1)


async def _assert_in_trouble(store: SqlStore, trouble: Trouble) -> None:
    """Neither a write nor a new site gets through, in part or in whole."""
    with pytest.raises(StoreError) as caught:
        await store.write(
            [SwitchEntry("fridge/switch", False, NOW), order("second"), event(1, payload={"x": BIG})]
        )
    assert caught.value.trouble is trouble
    assert caught.value.advice
    changed = site()
    changed["devices"][0]["name"] = BIG
    with pytest.raises(StoreError) as caught:
        await store.save_site(changed, NOW)
    assert caught.value.trouble is trouble


async def _assert_well(store: SqlStore) -> None:
    await store.write(one_of_each())
    assert len(await store.events()) == 1
    changed = site()
    changed["devices"][0]["name"] = BIG
    assert await store.save_site(changed, NOW, expected=1) == 2
    saved = await store.site()
    assert saved is not None
    assert saved.mapping == changed


async def _pragma(store: SqlStore, pragma: str) -> None:
    """Set something of the one connection that writes."""
    async with store._database.writer(is_synced=True).connect() as connection:
        await connection.exec_driver_sql(f"PRAGMA {pragma}")


# --- no room, no permission --------------------------------------------------------------------------------------


async def test_a_full_database(disk: SqlStore) -> None:
    await _pragma(disk, "max_page_count=1")  # as large as it is now
    await _assert_in_trouble(disk, Trouble.FULL)
    await _assert_as_before(disk)
    await _pragma(disk, "max_page_count=1000000")
    await _assert_well(disk)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of two megabytes, where this machine lets us have one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if os.getuid() != 0 or mount is None or umount is None:
        pytest.skip("only root can make a file system")
    if subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=False, capture_output=True
    ).returncode:
        pytest.skip("this machine lets nobody make a file system")
    try:
        yield folder
    finally:
        subprocess.run([umount, "--lazy", str(folder)], check=True)


async def test_a_full_disk(small_disk: Path) -> None:
    store = await _store(small_disk / "holdfast.sqlite", IMPATIENT_S)
    await store.open()
    await store.save_site(site(), NOW)
    await store.write([SwitchEntry("fridge/switch", True, NOW), order("first")])
    ballast = small_disk / "ballast"
    await asyncio.to_thread(_fill, ballast)
    await _assert_in_trouble(store, Trouble.FULL)
    await _assert_as_before(store)
    ballast.unlink()
    await _assert_well(store)
    await store.close()


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass


@pytest.fixture
def nobodys_folder() -> Iterator[Path]:
    """Root may write everything, so the permissions of files need somebody else, and a folder that is theirs."""
    with tempfile.TemporaryDirectory(prefix="holdfast-nobody-") as folder:
        if os.getuid() != 0:
            yield Path(folder)
            return
        os.chown(folder, _NOBODY, _NOBODY)
        os.seteuid(_NOBODY)
        try:
            yield Path(folder)
        finally:
            os.seteuid(0)


@pytest.mark.usefixtures("disk")  # by now all is imported: nobody may not enter where Python is installed
async def test_a_file_that_may_not_be_written(nobodys_folder: Path) -> None:
    file = nobodys_folder / "holdfast.sqlite"
    store = await _store(file)
    await store.open()
    await store.save_site(site(), NOW)
    await store.write([SwitchEntry("fridge/switch", True, NOW), order("first")])
    await store.close()
    file.chmod(0o444)
    file.parent.chmod(0o555)
    try:
        with pytest.raises(StoreError) as caught:
            await store.open()
        assert caught.value.trouble is Trouble.READ_ONLY
        await _assert_in_trouble(store, Trouble.READ_ONLY)
    finally:
        file.parent.chmod(0o755)
        file.chmod(0o600)
    await _assert_as_before(store)  # nobody opened it anew
    await _assert_well(store)
    await store.close()


async def test_a_connection_that_may_not_write(disk: SqlStore) -> None:
    await _pragma(disk, "query_only=ON")
    with pytest.raises(StoreError) as caught:
        await disk.write([event(1)])
    assert caught.value.trouble is Trouble.READ_ONLY
    await _assert_as_before(disk)  # and the connection was replaced
    await _assert_well(disk)


async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    store = await _store(folder / "holdfast.sqlite")
    with pytest.raises(StoreError, match="cannot be opened") as caught:
        await store.open()
    assert caught.value.trouble is Trouble.UNREACHABLE
    folder.mkdir()
    assert await store.site() is None
    await store.close()


async def test_a_folder_in_the_place_of_the_file(file: Path) -> None:
    file.mkdir()
    store = await _store(file)
    with pytest.raises(StoreError) as caught:
        await store.open()
    assert caught.value.trouble is Trouble.UNREACHABLE
    await store.close()


async def test_only_the_owner_may_read_the_file(disk: SqlStore, file: Path, tmp_path: Path) -> None:
    await disk.backup(tmp_path / "backup.sqlite")
    for each in tmp_path.iterdir():
        assert each.stat().st_mode & 0o077 == 0, each


# --- locks -------------------------------------------------------------------------------------------------------


@pytest.fixture
def other(file: Path) -> Iterator[sqlite3.Connection]:
    """Another program with the same file."""
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    yield connection
    connection.close()


async def test_a_lock_that_is_not_given_up(disk: SqlStore, other: sqlite3.Connection) -> None:
    other.execute("BEGIN IMMEDIATE")
    await _assert_in_trouble(disk, Trouble.LOCKED)
    await _assert_as_before(disk)  # who reads does not wait
    other.execute("COMMIT")
    await _assert_well(disk)


async def test_a_lock_that_is_given_up_only_costs_time(
    file: Path, disk: SqlStore, other: sqlite3.Connection
) -> None:
    patient = await _store(file)
    await patient.open()
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.ensure_future(patient.write([event(1)]))
    await _assert_as_before(patient)
    assert not writing.done()
    other.execute("COMMIT")
    await writing
    assert len(await patient.events()) == 1
    await patient.close()


async def test_a_write_that_nobody_waits_for_any_more_still_happens(
    file: Path, disk: SqlStore, other: sqlite3.Connection
) -> None:
    patient = await _store(file)
    await patient.open()
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.ensure_future(patient.write([event(1)]))
    await _assert_as_before(patient)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    other.execute("COMMIT")
    await patient.write([event(2)])
    assert [each.payload["n"] for each in await patient.events()] == [1, 2]
    await patient.close()


async def test_closing_does_not_wait_for_ever(
    file: Path, disk: SqlStore, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.store.sql.CLOSE_S", IMPATIENT_S)
    patient = await _store(file, 1.0)
    await patient.open()
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.ensure_future(patient.write([event(1)]))
    await _assert_as_before(patient)
    await patient.close()
    assert writing.done()
    with pytest.raises((StoreError, asyncio.CancelledError)):
        await writing
    other.execute("COMMIT")
    assert await disk.events() == []


# --- damage ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["header", "pages", "cut"])
async def test_a_damaged_file(disk: SqlStore, file: Path, tmp_path: Path, where: str) -> None:
    await disk.close()
    sound = tmp_path / "sound"
    shutil.copyfile(file, sound)
    raw = bytearray(file.read_bytes())
    match where:
        case "header":
            raw[:16] = b"not a database.."
        case "pages":
            raw[4096:] = b"\xa5" * (len(raw) - 4096)
        case _:
            del raw[len(raw) // 2 :]
    file.write_bytes(raw)
    with pytest.raises(StoreError, match="damaged") as caught:
        await disk.open()
    assert caught.value.trouble is Trouble.CORRUPTED
    assert "backup" in caught.value.advice
    assert file.read_bytes() == raw  # it is still there to be looked at
    await _assert_in_trouble(disk, Trouble.CORRUPTED)
    shutil.copyfile(sound, file)
    await _assert_as_before(disk)
    await _assert_well(disk)


async def test_damage_where_nobody_has_looked_yet(disk: SqlStore, file: Path) -> None:
    """Opening reads everything once: later would be too late for the backup of last night."""
    await disk.write([event(n, payload={"x": BIG}) for n in range(5)])
    await disk.close()
    raw = bytearray(file.read_bytes())
    last = bytes(raw).rfind(BIG[:1000].encode())
    page = last // 4096 * 4096
    raw[page : page + 8] = b"\xff" * 8  # the link of an overflow chain
    file.write_bytes(raw)
    with pytest.raises(StoreError, match="damaged") as caught:
        await disk.open()
    assert caught.value.trouble is Trouble.CORRUPTED


async def test_damage_under_a_running_store(disk: SqlStore, file: Path) -> None:
    await disk.write([event(n, payload={"x": BIG}) for n in range(5)])
    await disk.close()
    await disk.open()
    raw = file.read_bytes()
    file.write_bytes(raw[:4096] + b"\xa5" * (len(raw) - 4096))
    with pytest.raises(StoreError) as caught:
        await disk.events()
    assert caught.value.trouble is Trouble.CORRUPTED
    file.write_bytes(raw)
    assert len(await disk.events()) == 5


async def test_a_damaged_cell_disables_one_device(disk: SqlStore, other: sqlite3.Connection) -> None:
    other.execute("UPDATE devices SET options = '{' WHERE id = 'pack-1'")
    other.execute("UPDATE switches SET value = 'on'")
    other.execute("UPDATE standing_orders SET device = 'x'")
    saved = await disk.site()
    assert saved is not None
    assert list(saved.damaged) == ["pack-1"]
    assert "options" in saved.damaged["pack-1"]
    assert "devices" in saved.damaged["pack-1"]
    changed = dict(saved.mapping)
    changed["devices"] = [{**changed["devices"][0], "name": "Other"}, *changed["devices"][1:]]
    await disk.save_site(changed, NOW)
    assert other.execute("SELECT options FROM devices WHERE id = 'pack-1'").fetchall() == [("{",)]
    remembered = await disk.saved()
    assert remembered.switches == {}
    assert [each.order.id for each in remembered.orders] == ["first"]


async def test_foreign_keys_are_kept(disk: SqlStore, other: sqlite3.Connection) -> None:
    other.execute("INSERT INTO cells VALUES ('pack-1', 0, 1, 5), ('house', 0, 1, 5)")
    changed = site()
    del changed["devices"][0]
    await disk.save_site(changed, NOW)
    assert other.execute("SELECT device_id FROM cells").fetchall() == [("pack-1",)]
    assert other.execute("SELECT DISTINCT device_id FROM outputs").fetchall() == []


# --- what stays behind -------------------------------------------------------------------------------------------


async def test_no_thread_is_left(file: Path) -> None:
    store = await _store(file)
    before = set(threading.enumerate())
    await store.open()
    await store.save_site(site(), NOW)
    await store.site()
    await store.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(5)  # it was told to end
        assert not thread.is_alive()
    assert [each.name for each in file.parent.iterdir()] == [file.name]  # the log is folded into the file


async def test_equal_rows_are_not_written_again(disk: SqlStore, other: sqlite3.Connection) -> None:
    other.execute("CREATE TABLE written (what TEXT)")
    for table in ("devices", "adapters", "outputs", "packs", "batteries", "arrays", "controllers"):
        for act in ("INSERT", "UPDATE", "DELETE"):
            note = f"INSERT INTO written VALUES ('{act} {table}')"  # noqa: S608  names of ours
            other.execute(f"CREATE TRIGGER t_{table}_{act} AFTER {act} ON {table} BEGIN {note}; END")
    changed = site()
    changed["devices"][1]["name"] = "Cellar"
    changed["controllers"] = []
    await disk.save_site(changed, later(days=1))
    assert other.execute("SELECT what FROM written").fetchall() == [
        ("UPDATE devices",),
        ("DELETE controllers",),
    ]


async def test_safety_is_synced_and_the_journal_need_not_be(disk: SqlStore) -> None:
    seen: list[int] = []
    database = disk._database
    assert isinstance(database, SqliteDatabase)

    def commit(connection: Connection) -> None:
        seen.append(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())

    listen(database.writer(is_synced=True).sync_engine, "commit", commit)
    listen(database.writer(is_synced=False).sync_engine, "commit", commit)
    await disk.write([event(1)])
    await disk.write([event(2), SwitchEntry("a/b", True, NOW)])
    await disk.write([event(3)])
    await disk.save_site(site(), NOW)
    assert seen == [1, 2, 1, 2]


# --- backups -----------------------------------------------------------------------------------------------------


async def test_a_backup_is_whole_while_others_write(disk: SqlStore, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"

    async def live() -> None:
        for n in range(40):
            await disk.write([event(n), SwitchEntry("a/b", n, NOW)])

    await asyncio.gather(live(), disk.backup(copy))
    restored = await _store(copy)
    await restored.open()
    saved = await restored.site()
    assert saved is not None
    assert saved.mapping == site()
    events = await restored.events()
    switched = (await restored.saved()).switches
    assert len(events) == (switched["a/b"].value + 1 if "a/b" in switched else 0)  # type: ignore[operator]
    await restored.close()


async def test_a_backup_overwrites_nothing_and_leaves_no_half(disk: SqlStore, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine")
    with pytest.raises(StoreError, match="exists"):
        await disk.backup(taken)
    assert taken.read_text() == "mine"
    with pytest.raises(StoreError):
        await disk.backup(tmp_path / "nowhere" / "copy.sqlite")
    assert {each.name for each in tmp_path.iterdir()} == {
        "taken",
        "holdfast.sqlite",
        "holdfast.sqlite-wal",
        "holdfast.sqlite-shm",
    }
