"""Faults of earlier programs in what they kept of a site.

Those of JK batteries are of section 15 of the JK fact sheet, those of temperature control of section 9 of its own.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.cli.opening import Opening, opening
from holdfast.clock import SystemClock
from holdfast.hub.events import Kind
from holdfast.hub.hub import Hub
from holdfast.hub.site import dump_site, edit
from holdfast.model import CommandState
from holdfast.store import open_store
from tests.hub.test_living_site import FAMILIES, Home, devices, home, lamp, sessions
from tests.link.house import ME, loop

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.hub.events import Record


# --- the site in a database --------------------------------------------------------------------------------------


async def _opened(path: Path, file: Path | None = None) -> Opening:
    """What `serve` starts from."""
    store = await asyncio.to_thread(open_store, path)
    clock = SystemClock(asyncio.get_running_loop())
    start = await opening(store, file, path.parent, FAMILIES, clock)
    await store.close()
    return start


async def _saved(path: Path, mapping: dict[str, Any]) -> None:
    store = await asyncio.to_thread(open_store, path)
    await store.open()
    await store.save_site(mapping, SystemClock(asyncio.get_running_loop()).now())
    await store.close()


def _hub(start: Opening) -> Hub:
    hub = Hub(SystemClock(asyncio.get_running_loop()))
    for spec in start.spec.devices:
        hub.add(spec)
    return hub


def _pack(*adapters: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "pack",
        "adapters": [{"driver": "lockstep", "url": each["id"], **each} for each in adapters],
    }


async def test_19_what_a_pack_says_of_its_adapters_decides(tmp_path: Path) -> None:
    """Kept once, and followed after a restart: the order is not that of the rows, and a disabled one is not dialled."""
    path = tmp_path / "holdfast.sqlite"
    pack = _pack(
        {"id": "third", "priority": 3},
        {"id": "first", "priority": 1},
        {"id": "off", "priority": 0, "enabled": False},
    )
    await _saved(path, {"devices": [pack]})
    hub = _hub(await _opened(path))
    assert [each.adapter.id for each in hub.device("pack").attachments] == ["first", "third"]
    assert [link.endpoint.host for link in hub.links.values()] == ["first", "third"]
    with closing(sqlite3.connect(path)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {
            (table, row[1]) for table in tables for row in database.execute(f"PRAGMA table_info({table})")
        }
    for setting in ("priority", "enabled"):
        assert [table for table, column in columns if column == setting] == ["device_adapters"]


async def test_20_one_bad_row_costs_one_device(tmp_path: Path) -> None:
    """Damaged by hand: that device is told and not used, the others run."""
    path = tmp_path / "holdfast.sqlite"
    await _saved(path, {"devices": [lamp("a", "one"), lamp("b", "two"), lamp("c", "three")]})
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE adapters SET options = '{' WHERE device_id = 'b'")
        database.commit()
    hub = _hub(await _opened(path))
    assert [link.endpoint.host for link in hub.links.values()] == ["one", "three"]
    assert "column options of the row b/two in the table adapters is damaged" in hub.device("b").reason.text


async def test_21_the_store_alone_is_enough(tmp_path: Path) -> None:
    """No file anywhere: the site comes from the store."""
    path = tmp_path / "holdfast.sqlite"
    await _saved(path, {"devices": [lamp("a", "one"), lamp("b", "two")]})
    assert sorted(_hub(await _opened(path)).devices) == ["a", "b"]


# --- the site while it runs --------------------------------------------------------------------------------------


@pytest.mark.virtual
async def test_temperature_08_a_change_builds_on_the_changes_before_it() -> None:
    """What was read at the start is read once."""
    await devices("one", "two", "three")
    async with home({"devices": [lamp("a", "one")]}) as here:
        await here.site.edit(lambda site: edit.put_device(site, lamp("b", "two")))
        await here.site.edit(lambda site: edit.put_device(site, lamp("c", "three")))
        assert sorted(here.hub.devices) == ["a", "b", "c"]
        assert [each["id"] for each in here.cabinet.mapping["devices"]] == ["a", "b", "c"]


def _told(here: Home) -> list[Record]:
    """What was told of devices; that the site changes is told besides."""
    told = [each for each in here.said if each.kind in (Kind.ALARM, Kind.EVENT, Kind.AVAILABILITY)]
    return [each for each in told if each.payload.get("text") != "site: changes"]


@pytest.mark.virtual
async def test_temperature_08_a_change_leaves_the_state_of_others_alone() -> None:
    """Values, alarms, orders and open commands of who did not change stay, and nothing of them is told anew."""
    made = await devices("one", "two")
    async with home({"devices": [lamp("a", "one"), lamp("b", "two", driver="plug")]}) as here:
        hub = here.hub
        order = hub.order("b/lamp", False, "a cause")
        hub.alarm_changed(hub.device("a"), "level", "too warm", is_on=True)
        made["one"].stuck = {"lamp"}
        receipt = hub.command("a/lamp", True, ME)
        await asyncio.sleep(1)
        alarms, before = dict(hub.alarms), {each.target: each.value for each in hub.readings()}
        told = _told(here)
        for number in range(3):
            await here.site.edit(
                lambda site, number=number: {**site, "site": {"name": f"Home {number}"}}  # type: ignore[misc]
            )
        assert hub.alarms == alarms
        del before["a/lamp"]  # in doubt until its command has ended
        assert {target: hub.reading(target).value for target in before} == before
        assert hub.device("b").desk.orders["lamp"].order.id == order.id
        assert not hub.receipts[receipt.id].state.is_end
        assert sessions(hub) == {"one": 1, "two": 1}
        assert set(here.texts("site")) == {"site: changes"}
        assert _told(here) == told


@pytest.mark.virtual
async def test_temperature_24_a_plug_disabled_while_on_is_switched_off() -> None:
    """Its only adapter is disabled, out of reach at that: OFF is owed until it is verified."""
    made = await devices("one")
    async with home({"devices": [lamp("heater", "one", driver="plug")]}) as here:
        hub = here.hub
        assert (await hub.ended(hub.command("heater/lamp", True, ME))).state is CommandState.VERIFIED
        loop().network.host("one").blackhole()
        await here.site.edit(lambda site: edit.enable_adapter(site, "heater", "one", is_enabled=False))
        await asyncio.sleep(30)
        assert made["one"].state["lamp"] == 1
        loop().network.host("one").restore()
        await asyncio.sleep(15)
        assert made["one"].state["lamp"] == 0
        assert list(hub.devices) == ["heater"]
        assert hub.links == {}


async def test_temperature_08_a_file_that_changes_later_changes_nothing(tmp_path: Path) -> None:
    """The file speaks at the start; what was changed since is in the store, and the next start without it has it."""
    path, file = tmp_path / "holdfast.sqlite", tmp_path / "site.yaml"
    await asyncio.to_thread(file.write_text, dump_site({"devices": [lamp("a", "one")]}))
    store = await asyncio.to_thread(open_store, path)
    start = await opening(store, file, tmp_path, FAMILIES, SystemClock(asyncio.get_running_loop()))
    living = start.living(_hub(start))
    await living.edit(lambda site: edit.put_device(site, lamp("b", "two")))
    await asyncio.to_thread(file.write_text, dump_site({"devices": [lamp("x", "three")]}))
    await living.edit(lambda site: edit.put_device(site, lamp("c", "four")))
    await store.close()
    assert sorted(_hub(await _opened(path)).devices) == ["a", "b", "c"]
