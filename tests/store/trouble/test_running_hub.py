"""The store of a running hub fails: everybody is told, nobody waits, and nothing of safety is lost.

In the ordinary loop, with toy devices on loopback sockets and a real database. How long the telling takes is measured
by ``python -m bench store``; here the sum of what it waits for is shown to be below two seconds.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from bench.sick_store import Corrupted, Full, ReadOnly, Sickness, Stalled
from holdfast.clock import SystemClock
from holdfast.hub.events import Kind
from holdfast.hub.hub import STORE_TARGET, Hub
from holdfast.hub.ports import Trouble
from holdfast.hub.storekeeper import GATHER_S, SLOW_S
from holdfast.model import Availability, CommandState, Issuer
from holdfast.store.sql import SqlStore
from holdfast.store.sqlite import SqliteDatabase
from tests.link.house import refitted, spec
from tests.link.toys.lockstep import LineDevice
from tests.web.house import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from holdfast.hub.events import Record
    from holdfast.hub.site.spec import DeviceSpec
    from holdfast.hub.storekeeper import Storekeeper

ME = Issuer("me")
BIG = "x" * 200_000
"""More than fits into the pages that the database has."""
POLLS = 5
TOLD_WITHIN_S = 2.0
SICKNESSES: tuple[type[Full | ReadOnly | Stalled | Corrupted], ...] = (Full, ReadOnly, Stalled, Corrupted)


def _host(number: int) -> str:
    """A loopback address of this process alone: the toy's port is always the same."""
    pid = os.getpid()
    return f"127.{20 + pid % 200}.{pid // 200 % 250}.{number + 1}"


def _plug(ident: str, host: str) -> DeviceSpec:
    good = spec(ident, "lockstep", host)
    capabilities = [
        replace(each, fail_safe=False) if each.key == "lamp" else each
        for each in good.drivers[0].capabilities
    ]
    return refitted(good, capabilities=capabilities)


@dataclass
class Home:
    """What a test has in hand."""

    hub: Hub
    keeper: Storekeeper
    database: SqliteDatabase
    devices: dict[str, LineDevice]
    said: list[Record] = field(default_factory=list)

    def availability(self) -> str:
        """Of the hub itself, as the stream told it last."""
        told = [each.payload for each in self.said if each.kind is Kind.AVAILABILITY]
        return next((str(each["availability"]) for each in told[::-1] if each["device"] == "hub"), "")

    def is_told(self) -> bool:
        """Whether availability, an event and an alarm have told of it."""
        events = [each for each in self.said if each.kind is Kind.EVENT and each.payload["kind"] == "store"]
        return (
            self.availability() == Availability.DEGRADED
            and bool(events)
            and ("hub", "store") in self.hub.alarms
        )

    async def polled(self) -> None:
        """Each device is asked some more times."""
        before = {ident: device.polls for ident, device in self.devices.items()}
        await until(lambda: all(self.devices[each].polls >= n + POLLS for each, n in before.items()))

    async def switched(self, ident: str, *, is_on: bool) -> None:
        """A command is verified by the device."""
        ended = await self.hub.ended(self.hub.command(f"{ident}/lamp", is_on, ME))
        assert ended.state is CommandState.VERIFIED
        assert self.devices[ident].state["lamp"] == is_on


@asynccontextmanager
async def home(path: Path) -> AsyncIterator[Home]:
    """A heater and a fridge, both off, and a store that is well."""
    database = await asyncio.to_thread(SqliteDatabase, path)
    store = SqlStore(database)
    await store.open()
    hub = Hub(SystemClock(asyncio.get_running_loop()), store=store)
    devices = {ident: LineDevice() for ident in ("heater", "fridge")}
    servers = []
    for number, (ident, device) in enumerate(devices.items()):
        servers.append(await device.listen(_host(number)))
        hub.add(_plug(ident, _host(number)))
    assert hub.keeper is not None
    here = Home(hub, hub.keeper, database, devices)
    hub.stream.tap(here.said.append)
    hub.start()
    try:
        await until(lambda: not any(each.desk.orders for each in hub.devices.values()))
        assert await hub.written()
        yield here
    finally:
        await hub.stop(0.0)
        await store.close()
        for server in servers:
            server.close()
            await server.wait_closed()


def test_the_word_is_given_in_time() -> None:
    """What waits before a fault is told: the gathering of entries, and the patience with a slow write."""
    assert GATHER_S + SLOW_S < TOLD_WITHIN_S


@pytest.mark.parametrize("sickness", SICKNESSES)
async def test_a_house_goes_on_while_its_store_is_sick(
    sickness: type[Full | ReadOnly | Stalled | Corrupted], tmp_path: Path
) -> None:
    """Told, polled, switched and ordered off while nothing can be written; all of safety is there once it is well."""
    async with home(tmp_path / "holdfast.sqlite") as here:
        hub, heater = here.hub, here.devices["heater"]
        await here.switched("heater", is_on=True)
        assert await hub.written()
        fault: Sickness = sickness(here.database)
        await asyncio.to_thread(fault.begin)
        hub.note("test", BIG)
        order = hub.order("heater/lamp", False, "it is too hot")
        await until(lambda: heater.state["lamp"] == 0)  # the fault has not ended: nothing waited for it
        await until(here.is_told)
        assert here.keeper.state.trouble in fault.troubles
        await here.polled()
        await here.switched("fridge", is_on=True)
        hub.alarm_changed(hub.device("fridge"), "level", "too warm", is_on=True)
        assert not await hub.written()
        assert all(each.availability is Availability.ONLINE for each in hub.devices.values())
        await asyncio.to_thread(fault.end)
        await until(lambda: here.keeper.state.is_well)
        await until(lambda: here.availability() == Availability.ONLINE)
        assert await hub.written()
        assert STORE_TARGET not in {"/".join(each) for each in hub.alarms}
        saved = await hub.keeper.store.saved() if hub.keeper else None
        assert saved is not None
        assert [each.order for each in saved.orders] == [hub.device("heater").desk.orders["lamp"].order]
        assert saved.orders[0].order.id == order.id
        assert saved.switches == hub.switches
        assert {each: entry.value for each, entry in saved.switches.items()} == {
            "heater/lamp": False,
            "fridge/lamp": True,
        }
        assert [(each.target, each.text) for each in saved.alarms] == [("fridge/level", "too warm")]
        assert here.keeper.state.dropped == 0


async def test_a_stall_is_told_of_while_it_lasts(tmp_path: Path) -> None:
    """As slowness, by the keeper's own patience, and not only once the database gives up."""
    async with home(tmp_path / "holdfast.sqlite") as here:
        stall = Stalled(here.database)
        await asyncio.to_thread(stall.begin)
        try:
            here.hub.note("test", "anything")
            await until(here.is_told)
            assert here.keeper.state.trouble is Trouble.SLOW
        finally:
            await asyncio.to_thread(stall.end)


async def test_an_order_reaches_the_wire_while_the_disk_holds_its_entry(tmp_path: Path) -> None:
    """The write of the order itself hangs: the device has done it, and only then may the disk go on."""
    async with home(tmp_path / "holdfast.sqlite") as here:
        hub, heater = here.hub, here.devices["heater"]
        await here.switched("heater", is_on=True)
        assert await hub.written()
        stall = Stalled(here.database)
        await asyncio.to_thread(stall.begin)
        try:
            sets = len(heater.sets)
            hub.order("heater/lamp", False, "it is too hot")
            await until(lambda: heater.sets[sets:] != [])
            assert heater.sets[sets][1:] == ("lamp", 0)
            await until(lambda: hub.device("heater").desk.orders["lamp"].order.is_verified)
            assert here.keeper.state.waiting > 0
        finally:
            await asyncio.to_thread(stall.end)
