"""The twin in memory: it lives in virtual time, and plays a bad disk on request."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.clock import LoopClock
from holdfast.hub.ports import StoreError, SwitchEntry, Trouble
from holdfast.hub.storekeeper import Storekeeper, StoreState
from holdfast.store import MemoryStore
from tests.store.house import NOW, event

pytestmark = pytest.mark.virtual


async def test_a_fault_lasts_until_it_is_taken_away() -> None:
    store = MemoryStore()
    store.fault = StoreError(Trouble.FULL, "the disk is full")
    for call in (store.open(), store.site(), store.write([event(1)]), store.saved(), store.prune(NOW)):
        with pytest.raises(StoreError, match="full"):
            await call
    store.fault = None
    assert await store.events() == []


async def test_a_slow_store_is_told_of_and_loses_nothing() -> None:
    store, told = MemoryStore(), list[StoreState]()
    keeper = Storekeeper(store, LoopClock(asyncio.get_running_loop(), NOW), told.append)
    assert await keeper.open()
    store.delay_s = 5.0
    keeper.start()
    keeper.keep(SwitchEntry("heater/switch", True, NOW))
    await asyncio.sleep(2.0)
    assert [state.trouble for state in told] == [Trouble.SLOW]
    await asyncio.sleep(5.0)
    assert [state.trouble for state in told] == [Trouble.SLOW, None]
    store.delay_s = 0.0
    assert "heater/switch" in (await store.saved()).switches
    await keeper.stop()
