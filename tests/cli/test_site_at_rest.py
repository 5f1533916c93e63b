"""A site that is changed while no hub runs: what it owes to actuators is written before anything is forgotten."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.cli.site_at_rest import Obligations, SiteAtRest, change_at_rest
from holdfast.clock import LoopClock
from holdfast.hub.hub import Hub
from holdfast.hub.ports import OrderEntry, StoreError, SwitchEntry, Trouble
from holdfast.hub.site import SecretSource, edit
from holdfast.hub.site.read import read_what_can_be_used
from holdfast.link.core import Core
from holdfast.model import StandingOrder
from holdfast.store import MemoryStore
from tests.hub.test_living_site import FAMILIES, lamp
from tests.link.house import loop
from tests.link.toys.lockstep import LineDevice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from holdfast.hub.site.spec import SiteSpec

pytestmark = pytest.mark.virtual
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def read(mapping: Mapping[str, Any]) -> SiteSpec:
    return read_what_can_be_used(mapping, FAMILIES, secrets=SecretSource())


async def changed(store: MemoryStore, change: Callable[[Any], Any]) -> list[OrderEntry]:
    """Change the site in a store; the orders that are open then."""
    found = await store.site()
    assert found is not None
    clock = LoopClock(loop())
    hub = Hub(clock, core=Core(clock, rng=loop().random))
    site = SiteAtRest(hub, store, read, found.mapping, found.revision)
    obligations = Obligations(await store.saved(), read(found.mapping), NOW)
    try:
        await change_at_rest(site, change, obligations, store.write)
    finally:
        await hub.stop()
    return list((await store.saved()).orders)


async def kept(*devices: dict[str, Any]) -> MemoryStore:
    store = MemoryStore()
    await store.save_site({"devices": list(devices)}, NOW)
    return store


async def test_a_plug_that_may_be_on_is_switched_off_by_the_next_hub() -> None:
    """Removed while no hub runs: the order names the device as it was, and the next run carries it out."""
    store = await kept(lamp("heater", "one", driver="plug"))
    await store.write([SwitchEntry("heater/lamp", True, NOW)])
    (entry,) = await changed(store, lambda site: edit.drop_device(site, "heater"))
    assert entry.order.target == "heater-old-1/lamp"
    assert entry.device == lamp("heater", "one", driver="plug")
    device = LineDevice()
    await device.listen("one")
    device.state["lamp"] = 1
    clock = LoopClock(loop())
    hub = Hub(clock, core=Core(clock, rng=loop().random), store=store)
    (spec,) = read({"devices": [entry.device]}).devices
    hub.restore(await store.saved(), {entry.order.id: spec})
    hub.start()
    await asyncio.sleep(10)
    assert device.state["lamp"] == 0
    assert hub.devices == {}
    await hub.stop()
    assert not (await store.saved()).orders


async def test_only_what_parts_and_may_be_on_leaves_an_order() -> None:
    """Not one that was last seen off, not one that stays, not a lamp; but one that nobody ever saw."""
    store = await kept(
        lamp("off", "one", driver="plug"),
        lamp("stays", "two", driver="plug"),
        lamp("light", "three"),
        lamp("unseen", "four", driver="plug"),
    )
    await store.write([SwitchEntry("off/lamp", False, NOW), SwitchEntry("stays/lamp", True, NOW)])
    orders = await changed(store, lambda site: {"devices": [{**site["devices"][1], "name": "Stays"}]})
    assert [each.order.target for each in orders] == ["unseen-old-1/lamp"]


async def test_an_order_that_was_open_goes_on_under_the_old_device() -> None:
    """Moved to another address: the order follows the address that it was given for."""
    store = await kept(lamp("heater", "one", driver="plug"))
    order = StandingOrder(id="o-1", target="heater/lamp", value=False, cause="test", issued_at=NOW)
    await store.write([SwitchEntry("heater/lamp", False, NOW), OrderEntry(order)])
    moved = lamp("heater", "two", driver="plug")
    (entry,) = await changed(store, lambda site: edit.put_device(site, moved))
    assert (entry.order.target, entry.order.value) == ("heater-old-1/lamp", False)
    assert entry.device == lamp("heater", "one", driver="plug")


async def test_an_obligation_that_cannot_be_written_keeps_the_site_as_it_is() -> None:
    """Rather an error than a heater that nobody knows."""
    store = await kept(lamp("heater", "one", driver="plug"))
    write = store.write

    async def full(entries: Any) -> None:
        raise StoreError(Trouble.FULL, "the disk is full")

    store.write = full  # type: ignore[method-assign]
    with pytest.raises(StoreError, match="full"):
        await changed(store, lambda site: edit.drop_device(site, "heater"))
    store.write = write  # type: ignore[method-assign]
    found = await store.site()
    assert found is not None
    assert found.mapping["devices"] == [lamp("heater", "one", driver="plug")]
    assert replace(found).revision == 1
