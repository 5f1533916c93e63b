"""A hub switches, orders and alarms while the kill comes: what was promised is there, and the next run knows it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.cli.opening import Opening, opening
from holdfast.clock import SystemClock
from holdfast.hub import storekeeper
from holdfast.hub.hub import Hub
from holdfast.hub.ports import (
    AlarmEntry,
    EventEntry,
    MemoryEntry,
    OrderEntry,
    ReceiptEntry,
    place,
)
from holdfast.hub.site import edit
from holdfast.hub.storekeeper import Storekeeper
from holdfast.link.driver import Family
from holdfast.link.session import Endpoint
from holdfast.model import Availability, CommandState, Issuer
from holdfast.store import open_store
from tests.web.house import Rack, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from random import Random

    from holdfast.hub.living_site import LivingSite
    from holdfast.hub.ports import Entry, Store
    from holdfast.link.driver import Driver
    from holdfast.model import Adapter, Device
    from tests.store.kills.telling import Mouth, Told

GATHER_S = 0.004
"""Transactions come more often than in a house, so that more of the kills meet one."""
WRITTEN_S = 20.0
ME = Issuer("me")
MANY = 100_000

State = dict[str, str]
"""What is in a store: by place, in words. What has ended is not there."""


class Plugs:
    """Simulated plugs by address: they must end off, and do at once what they are told unless they are stubborn."""

    def __init__(self) -> None:
        self.racks: dict[str, Rack] = {}

    @property
    def families(self) -> dict[str, Family]:
        return {"plug": Family("plug", self._prepare)}

    def _prepare(self, device: Device, adapter: Adapter) -> Driver:
        rack = self.racks.setdefault(adapter.url, Rack(gauges=0))
        (driver,) = rack.spec(device.id).drivers
        capabilities = [
            replace(each, fail_safe=False) if each.key == "lamp" else each for each in driver.capabilities
        ]
        where = Endpoint("plug", adapter.url, adapter.url)
        return replace(driver, name="plug", endpoint=where, capabilities=capabilities)


def plug(ident: str) -> dict[str, Any]:
    return {"id": ident, "adapters": [{"id": "lan", "driver": "plug", "url": ident}]}


SITE = {"devices": [plug("heater"), plug("fridge")]}


class ToldKeeper(Storekeeper):
    """The storekeeper, overheard: what it is handed is told before it is written."""

    mouth: Mouth
    told = 0

    def keep(self, entry: Entry) -> None:
        if not isinstance(entry, EventEntry):  # those may be lost
            self.told += 1
            self.mouth.say("handed", n=self.told, **_words(entry))
        super().keep(entry)

    async def promise(self) -> None:
        """What an answer of the API waits for."""
        told = self.told
        if await self.written(WRITTEN_S):
            self.mouth.promise(n=told)


def _words(entry: Entry) -> dict[str, Any]:
    is_over = isinstance(entry, OrderEntry | AlarmEntry) and entry.ended_at is not None
    return {"place": repr(place(entry)), "text": "" if is_over else repr(entry)}


class Switching:
    """Commands, standing orders, alarms, a controller's memory, and plugs that are taken away while they are on."""

    name = "switching"
    lives = 10
    promises = 8
    longest_s = 0.06
    steps = 80

    def prepare(self, where: str, rng: Random) -> None:
        async def make() -> None:
            store = open_store(where)
            await store.open()
            await store.save_site(SITE, SystemClock(asyncio.get_running_loop()).now())
            await store.close()

        asyncio.run(make())

    async def live(self, where: str, rng: Random, mouth: Mouth) -> None:
        storekeeper.GATHER_S = GATHER_S
        plugs = Plugs()
        start = await opened(open_store(where), plugs)
        hub = Hub(SystemClock(asyncio.get_running_loop()), store=start.store)
        keeper = ToldKeeper(start.store, hub.clock, hub._store_changed)
        keeper.mouth = mouth
        hub.keeper = keeper
        for spec in start.spec.devices:
            hub.add(spec)
        hub.restore(start.saved, start.leaving)
        site = start.living(hub)
        hub.start()
        await until(lambda: all(each.availability is Availability.ONLINE for each in hub.devices.values()))
        number = 0
        while True:
            number += 1
            await _something(hub, site, plugs, rng, number)
            if rng.random() < 0.6:
                await keeper.promise()
            await asyncio.sleep(rng.uniform(0.0, 0.01))

    async def look(self, where: str, rng: Random, before: State | None, told: Sequence[Told]) -> State:
        start = await opened(open_store(where), Plugs())
        assert not start.spec.problems
        receipts = await start.store.receipts(limit=MANY)
        await start.store.close()
        saved = start.saved
        entries: list[Entry] = [
            *saved.orders,
            *saved.switches.values(),
            *saved.memories.values(),
            *saved.alarms,
            *(ReceiptEntry(each) for each in receipts),
        ]
        found = {words["place"]: words["text"] for words in map(_words, entries)}
        for where_in, may_be in _possible(before or {}, told).items():
            assert found.get(where_in, "") in may_be, f"{where_in}: {found.get(where_in)} is none of {may_be}"
        _taken_over(start)
        return found


def _possible(before: Mapping[str, str], told: Iterable[Told]) -> dict[str, list[str]]:
    """What may stand in each place: the last that was promised, or any that was handed over later."""
    told = list(told)
    safe = max((each.facts["n"] for each in told if each.is_promise), default=0)
    possible = {where: [text] for where, text in before.items()}
    for each in told:
        if not each.is_promise:
            where, text = each.facts["place"], each.facts["text"]
            possible[where] = [text] if each.facts["n"] <= safe else [*possible.get(where, [""]), text]
    return possible


async def opened(store: Store, plugs: Plugs) -> Opening:
    """What a run starts from."""
    return await opening(store, None, Path(), plugs.families, SystemClock(asyncio.get_running_loop()))


def _taken_over(start: Opening) -> None:
    """The next run knows all of it, and open commands have ended in doubt."""
    hub = Hub(SystemClock(asyncio.get_running_loop()))
    for spec in start.spec.devices:
        hub.add(spec)
    hub.restore(start.saved, start.leaving)
    for receipt in start.saved.open_receipts:
        ended = hub.receipts[receipt.id]
        assert (ended.state, ended.may_have_executed) == (CommandState.FAILED, True)
    for entry in start.saved.orders:
        device_id, _, key = entry.order.target.partition("/")
        if device_id not in hub.devices:
            # Unless the change was never saved: then the plug is still of the site, and ordered off at the start.
            is_here = entry.device is None or entry.device["id"] in hub.devices
            assert is_here, f"{device_id} was to be switched off, and nobody knows it any more"
            continue
        held = hub.devices[device_id].desk.orders[key]
        assert held.order.value is False
        assert not held.order.is_verified
    for alarm in start.saved.alarms:
        device_id, _, key = alarm.target.partition("/")
        assert device_id not in hub.devices or (device_id, key) in hub.alarms
    assert hub.switches == start.saved.switches
    hub.core.close()


# --- what a house does -------------------------------------------------------------------------------------------


async def _something(hub: Hub, site: LivingSite, plugs: Plugs, rng: Random, number: int) -> None:
    here = [each["id"] for each in site.mapping["devices"]]
    ident = rng.choice(here)
    device, target = hub.device(ident), f"{ident}/lamp"

    def command() -> None:
        hub.command(target, rng.random() < 0.7, ME)

    def order() -> None:
        hub.order(target, False, f"cause {number}")

    def release() -> None:
        hub.release(target)

    def alarm() -> None:
        hub.alarm_changed(device, "level", f"alarm {number}", is_on=rng.random() < 0.6)

    def remember() -> None:
        hub.keep(MemoryEntry("fermenter", f"key {number % 3}", number, hub.clock.now()))

    def be_stubborn() -> None:
        for rack in plugs.racks.values():
            rack.is_stubborn = rng.random() < 0.4

    steps: Sequence[Callable[[], None]] = (
        command,
        command,
        command,
        order,
        release,
        alarm,
        remember,
        be_stubborn,
    )
    chosen = rng.randrange(len(steps) + 2)
    if chosen < len(steps):
        steps[chosen]()
    elif len(here) > 1:
        await site.edit(lambda mapping: edit.drop_device(mapping, ident))
    else:
        back = "fridge" if ident == "heater" else "heater"
        await site.edit(lambda mapping: edit.put_device(mapping, plug(back)))
