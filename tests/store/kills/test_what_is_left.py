"""Orders and alarms in the store after what replaces, removes or interrupts them: none comes back that was over."""

from __future__ import annotations

import asyncio
import copy
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from holdfast.clock import SystemClock
from holdfast.hub.hub import STORE_TARGET, Hub
from holdfast.hub.ports import StoreError, Trouble
from holdfast.hub.site import edit
from holdfast.model import Availability, CommandState
from holdfast.store import MemoryStore
from tests.store.kills.switching import ME, SITE, Plugs, opened
from tests.web.house import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    from holdfast.hub.living_site import LivingSite
    from holdfast.hub.ports import Entry

PATIENCE_S = 10.0


class Power(MemoryStore):
    """A store that is gone the moment the site is saved, as if the plug had been pulled right then."""

    is_cut_by_a_change = False
    is_cut = False

    async def save_site(
        self, mapping: Mapping[str, Any], at: datetime, *, expected: int | None = None
    ) -> int:
        revision = await super().save_site(mapping, at, expected=expected)
        self.is_cut = self.is_cut_by_a_change
        return revision

    async def write(self, entries: Sequence[Entry]) -> None:
        if self.is_cut:
            raise StoreError(Trouble.FAILED, "there is no power")
        await super().write(entries)


@asynccontextmanager
async def run_of(store: MemoryStore, plugs: Plugs) -> AsyncIterator[tuple[Hub, LivingSite]]:
    """One run of the hub on what the store has."""
    start = await opened(store, plugs)
    hub = Hub(SystemClock(asyncio.get_running_loop()), store=store)
    for spec in start.spec.devices:
        hub.add(spec)
    hub.restore(start.saved, start.leaving)
    hub.start()
    try:
        await until(lambda: all(each.availability is Availability.ONLINE for each in hub.devices.values()))
        yield hub, start.living(hub)
    finally:
        await hub.stop(0.0)


async def _store() -> Power:
    store = Power()
    await store.save_site(copy.deepcopy(SITE), SystemClock(asyncio.get_running_loop()).now())
    return store


async def test_an_order_that_was_replaced_does_not_come_back() -> None:
    store, plugs = await _store(), Plugs()
    async with run_of(store, plugs) as (hub, _):
        await until(lambda: not any(each.desk.orders for each in hub.devices.values()))
        hub.order("heater/lamp", False, "the first cause")
        hub.order("heater/lamp", False, "the second cause")
        await until(lambda: not hub.device("heater").desk.has_open_order)
        hub.release("heater/lamp")
        await until(lambda: not hub.device("heater").desk.orders)
        assert await hub.written()
        assert [each.order.cause for each in (await store.saved()).orders] == []


async def test_an_order_goes_with_its_device() -> None:
    store, plugs = await _store(), Plugs()
    async with run_of(store, plugs) as (hub, site):
        await until(lambda: not any(each.desk.orders for each in hub.devices.values()))
        hub.order("heater/lamp", False, "a cause")
        await until(lambda: not hub.device("heater").desk.has_open_order)
        await site.edit(lambda mapping: edit.drop_device(mapping, "heater"))
        await until(lambda: "heater" not in hub.devices)
        assert await hub.written()
        assert [each.order.cause for each in (await store.saved()).orders] == []


async def test_a_plug_removed_while_on_is_switched_off_even_if_the_power_goes_right_then() -> None:
    store, plugs = await _store(), Plugs()
    async with run_of(store, plugs) as (hub, site):
        ended = await hub.ended(hub.command("heater/lamp", True, ME))
        assert ended.state is CommandState.VERIFIED
        assert await hub.written()
        plugs.racks["heater"].is_stubborn = True
        store.is_cut_by_a_change = True
        await site.edit(lambda mapping: edit.drop_device(mapping, "heater"))
    store.is_cut = store.is_cut_by_a_change = False
    plugs.racks["heater"].is_stubborn = False
    assert plugs.racks["heater"].state["lamp"] is True
    async with run_of(store, plugs) as (hub, _), asyncio.timeout(PATIENCE_S / 5):
        await until(lambda: plugs.racks["heater"].state["lamp"] is False)


async def test_an_alarm_whose_words_change_ends_in_the_store() -> None:
    store, plugs = await _store(), Plugs()
    async with run_of(store, plugs) as (hub, _):
        heater = hub.device("heater")
        for text, is_on in (("warm", True), ("hot", True), ("hot", False)):
            hub.alarm_changed(heater, "level", text, is_on=is_on)
            assert await hub.written()
        assert not (await store.saved()).alarms


async def test_an_alarm_that_came_again_while_the_store_was_sick_has_ended_twice() -> None:
    store, plugs = await _store(), Plugs()
    async with run_of(store, plugs) as (hub, _):
        heater = hub.device("heater")
        hub.alarm_changed(heater, "level", "warm", is_on=True)
        assert await hub.written()
        store.is_cut = True
        for is_on in (False, True, False):
            hub.alarm_changed(heater, "level", "warm", is_on=is_on)
        assert not await hub.written()
        store.is_cut = False
        assert hub.keeper is not None
        keeper = hub.keeper
        await until(lambda: keeper.state.is_well)
        assert await hub.written()
        assert [each.target for each in (await store.saved()).alarms if each.target != STORE_TARGET] == []
