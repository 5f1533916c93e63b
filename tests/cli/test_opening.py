"""What a hub starts from, whatever its store can do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from holdfast.cli import opening as opening_module
from holdfast.cli.opening import opening
from holdfast.cli.serve import Door, kept
from holdfast.clock import SystemClock
from holdfast.errors import ConfigurationError
from holdfast.hub.ports import (
    EventEntry,
    OrderEntry,
    ReceiptEntry,
    SavedSite,
    StoreError,
    SwitchEntry,
    Trouble,
)
from holdfast.hub.site import SiteError
from holdfast.model import CommandState, ReasonCode, Receipt, StandingOrder
from holdfast.store import MemoryStore
from tests.hub.test_living_site import FAMILIES, lamp
from tests.web.house import until

if TYPE_CHECKING:
    from pathlib import Path

DOOR = Door(host="127.0.0.1", port=0)
FULL = StoreError(Trouble.FULL, "the disk is full")
SITE = "devices:\n  - {id: a, adapters: [{id: x, driver: lockstep, url: nowhere.invalid}]}\n"


def clock() -> SystemClock:
    return SystemClock(asyncio.get_running_loop())


def site_file(folder: Path, text: str = SITE) -> Path:
    path = folder / "site.yaml"
    path.write_text(text)
    return path


async def test_a_file_is_applied_once(tmp_path: Path) -> None:
    """The same file again changes nothing; without one the hub goes on with what the store has."""
    store = MemoryStore()
    file = site_file(tmp_path)
    first = await opening(store, file, tmp_path, FAMILIES, clock())
    again = await opening(store, file, tmp_path, FAMILIES, clock())
    alone = await opening(store, None, tmp_path, FAMILIES, clock())
    assert [each.revision for each in (first, again, alone)] == [1, 1, 1]
    assert first.mapping == again.mapping == alone.mapping
    assert first.is_kept


async def test_nobody_said_what_the_site_is(tmp_path: Path) -> None:
    """Neither file nor site: an error that says what to do. Nor is a store in trouble hidden."""
    store = MemoryStore()
    with pytest.raises(ConfigurationError, match="no site yet"):
        await opening(store, None, tmp_path, FAMILIES, clock())
    store.fault = FULL
    with pytest.raises(StoreError, match="full"):
        await opening(store, None, tmp_path, FAMILIES, clock())


async def test_a_bad_file_changes_nothing(tmp_path: Path) -> None:
    """It is checked before the store is touched."""
    store = MemoryStore()
    with pytest.raises(SiteError, match="nosuch"):
        await opening(
            store, site_file(tmp_path, SITE.replace("lockstep", "nosuch")), tmp_path, FAMILIES, clock()
        )
    await store.open()
    assert await store.site() is None


async def test_a_slow_store_holds_up_no_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a file at hand it is waited for so long and no longer."""
    monkeypatch.setattr(opening_module, "OPEN_S", 0.01)
    store = MemoryStore()
    store.delay_s = 60.0
    start = await opening(store, site_file(tmp_path), tmp_path, FAMILIES, clock())
    assert (start.is_kept, start.revision) == (False, 0)
    assert [each.device.id for each in start.spec.devices] == ["a"]


async def test_damaged_rows_disable_their_device(tmp_path: Path) -> None:
    """What is left of it is not run: it may mean another thing. The others run."""

    class Damaged(MemoryStore):
        async def site(self) -> SavedSite | None:
            found = await super().site()
            return None if found is None else replace(found, damaged={"b": "adapters.options: no JSON"})

    store = Damaged()
    await store.save_site({"devices": [lamp("a", "one"), lamp("b", "two")]}, clock().now())
    start = await opening(store, None, tmp_path, FAMILIES, clock())
    fine, damaged = start.spec.devices
    assert (fine.fault, len(fine.drivers)) == ("", 1)
    assert (damaged.fault, damaged.drivers) == ("the store is damaged: adapters.options: no JSON", ())
    async with kept(start, DOOR) as (hub, _):
        assert hub.device("b").reason.code is ReasonCode.CONFIGURATION


async def test_a_hub_that_started_without_its_store_catches_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the store answers: the file's site is saved, and what outlived the last run is taken over, each once."""
    monkeypatch.setattr("holdfast.cli.catching_up.TRY_EVERY_S", 0.01)
    monkeypatch.setattr("holdfast.hub.storekeeper.RETRY_CAP_S", 0.05)
    store = MemoryStore()
    now = clock().now()
    order = StandingOrder(id="o-1", target="plug-old-1/lamp", value=False, cause="test", issued_at=now)
    receipt = Receipt(
        id="c-1",
        target="a/lamp",
        value=True,
        issuer="me",
        state=CommandState.SENT,
        timeout_s=10,
        created_at=now,
    )
    await store.save_site({"devices": []}, now)
    await store.write(
        [
            OrderEntry(order, is_released=True, device=lamp("plug", "two", driver="plug")),
            ReceiptEntry(receipt),
            SwitchEntry("plug/lamp", True, now),
        ]
    )
    store.fault = FULL
    start = await opening(store, site_file(tmp_path), tmp_path, FAMILIES, clock())
    assert not start.is_kept
    async with kept(start, DOOR) as (hub, _):
        assert hub.keeper is not None
        await until(lambda: not hub.keeper.state.is_well)
        assert list(hub.devices) == ["a"]
        store.fault = None
        await until(lambda: "c-1" in hub.receipts)
        ended = hub.receipts["c-1"]
        assert (ended.state, ended.may_have_executed) == (CommandState.FAILED, True)
        assert sorted(hub.devices) == ["a", "plug-old-1"]
        assert hub.device("plug-old-1").has_open_order
        await until(lambda: hub.keeper.state.is_well)
        assert await hub.keeper.written(10.0)
        found = await store.site()
        assert found is not None
        assert (found.mapping, found.revision) == (start.mapping, 2)
        assert (await store.saved()).open_receipts in ((), [])
        await hub.roster.remove("plug-old-1", "the test is over")


async def test_what_was_on_the_wire_when_the_hub_was_killed_gets_its_result(tmp_path: Path) -> None:
    """Each attempt has one result: of the one that was cut short the next hub tells it, once."""
    store = MemoryStore()
    now = clock().now()

    def told(kind: str, number: int) -> EventEntry:
        payload = {
            "kind": kind,
            "text": "a/lamp: set on, attempt 1 for me",
            "device": "a",
            "attempt": f"c-1#{number}",
        }
        return EventEntry(f"x:{kind}{number}", kind, "a", now, payload)

    await store.save_site({"devices": []}, now)
    await store.write([told("sent", 1), told("result", 1), told("sent", 2)])
    for _ in range(2):
        start = await opening(store, site_file(tmp_path), tmp_path, FAMILIES, clock())
        async with kept(start, DOOR) as (hub, _):
            assert await hub.written()
        await store.open()
    results = [each.payload for each in await store.events(kind="result")]
    assert [each["attempt"] for each in results] == ["c-1#1", "c-1#2"]
    assert results[1]["reason"] == "the hub ended before it was known what became of it"
    assert len(await store.events(kind="error")) == 1


async def test_nothing_is_touched_where_the_port_is_taken(tmp_path: Path) -> None:
    """The store is let go of, and no task is left."""
    from holdfast.web.server import PortInUse

    store = MemoryStore()
    start = await opening(store, site_file(tmp_path), tmp_path, FAMILIES, clock())
    taken = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    with pytest.raises(PortInUse):
        async with kept(start, replace(DOOR, port=port)):
            pass
    taken.close()
    await taken.wait_closed()
    with pytest.raises(StoreError, match="closed"):
        await store.site()


@pytest.mark.blocking_allowed
@pytest.mark.parametrize("trouble", list(Trouble))
async def test_a_disk_that_takes_nothing_can_still_be_read(trouble: Trouble, tmp_path: Path) -> None:
    """Without a site file: full or read-only, the site is read from a copy; damaged or taken by others, it is not."""
    from holdfast.store import open_store

    database = tmp_path / "holdfast.db"
    sound = open_store(database)
    mapping = {"devices": [lamp("a", "one")]}
    await sound.open()
    await sound.save_site(mapping, clock().now())
    order = StandingOrder(id="o-1", target="a/lamp", value=False, cause="test", issued_at=clock().now())
    await sound.write([OrderEntry(order)])
    await sound.close()
    before = database.read_bytes()
    sick = MemoryStore()
    sick.fault = StoreError(trouble, "out of order")
    if trouble in (Trouble.CORRUPTED, Trouble.LOCKED, Trouble.SLOW):
        with pytest.raises(StoreError, match="out of order"):
            await opening(sick, None, tmp_path, FAMILIES, clock(), database)
        return
    start = await opening(sick, None, tmp_path, FAMILIES, clock(), database)
    assert (start.mapping, start.revision, start.is_kept) == (mapping, 1, False)
    assert [each.order for each in start.saved.orders] == [order]
    assert database.read_bytes() == before
    with pytest.raises(StoreError, match="out of order"):
        await opening(sick, None, tmp_path, FAMILIES, clock(), tmp_path / "none.db")
