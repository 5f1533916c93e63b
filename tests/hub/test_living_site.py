"""A site that changes while it runs: who reconnects, who does not, and an actuator that leaves while it is on."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.hub.events import Kind
from holdfast.hub.hub import Hub
from holdfast.hub.living_site import LivingSite
from holdfast.hub.ports import OrderEntry, Saved, SiteChanged, StoreError, SwitchEntry, Trouble
from holdfast.hub.site import SecretSource, SiteError
from holdfast.hub.site import edit as change
from holdfast.hub.site.read import read_site, read_what_can_be_used
from holdfast.link.core import Core
from holdfast.link.driver import Family
from holdfast.link.machine import State
from holdfast.model import Availability, CommandState, Quality, ReasonCode
from tests.link.house import ME, loop
from tests.link.toys.bus import BUS, Gateway
from tests.link.toys.lockstep import LOCKSTEP, LineDevice

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    from holdfast.clock import LoopClock
    from holdfast.hub.ports import Entry
    from holdfast.hub.site.spec import SiteSpec
    from holdfast.link.driver import Driver
    from holdfast.model import Adapter, Device

pytestmark = pytest.mark.virtual


def prepare(device: Device, adapter: Adapter) -> Driver:
    """The lock-step toy as a plug: it must end off."""
    driver = LOCKSTEP.prepare(device, adapter)
    capabilities = [
        replace(each, fail_safe=False) if each.key == "lamp" else each for each in driver.capabilities
    ]
    return replace(driver, name="plug", capabilities=capabilities)


FAMILIES = {"lockstep": LOCKSTEP, "plug": Family("plug", prepare), "bus": BUS}


def read(mapping: Mapping[str, Any]) -> SiteSpec:
    return read_site(mapping, FAMILIES, secrets=SecretSource())


def usable(mapping: Mapping[str, Any]) -> SiteSpec:
    return read_what_can_be_used(mapping, FAMILIES, secrets=SecretSource())


class Cabinet:
    """A store of one site and a list of entries."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.revision = 1
        self.mapping: Mapping[str, Any] = {}
        self.error: StoreError | None = None

    async def open(self) -> None: ...

    async def write(self, entries: Sequence[Entry]) -> None:
        self.entries += entries

    async def prune(self, now: datetime) -> int:
        return 0

    async def save_site(
        self, mapping: Mapping[str, Any], at: datetime, *, expected: int | None = None
    ) -> int:
        await asyncio.sleep(0.01)
        if self.error is not None:
            raise self.error
        if expected is not None and expected != self.revision:
            raise SiteChanged(self.revision)
        self.mapping = mapping
        self.revision += 1
        return self.revision


class Home:
    """A hub, its living site, and the simulated devices by host."""

    def __init__(self, hub: Hub, site: LivingSite, cabinet: Cabinet) -> None:
        self.hub = hub
        self.site = site
        self.cabinet = cabinet
        self.said: list[Any] = []
        hub.stream.tap(self.said.append)

    def texts(self, kind: str) -> list[str]:
        return [
            each.payload["text"]
            for each in self.said
            if each.kind is Kind.EVENT and each.payload["kind"] == kind
        ]


@asynccontextmanager
async def home(mapping: Mapping[str, Any]) -> AsyncIterator[Home]:
    from holdfast.clock import LoopClock

    clock: LoopClock = LoopClock(loop())
    cabinet = Cabinet()
    hub = Hub(clock, core=Core(clock, rng=loop().random), store=cabinet)  # type: ignore[arg-type]
    for spec in usable(mapping).devices:
        hub.add(spec)
    living = Home(hub, LivingSite(hub, cabinet, usable, mapping, 1), cabinet)  # type: ignore[arg-type]
    hub.start()
    try:
        await asyncio.sleep(3)
        yield living
    finally:
        await living.site.settled()
        await hub.stop()
        assert [left for left in loop().leftovers() if not left.startswith("timer _LineServer")] == []


def lamp(ident: str, *hosts: str, driver: str = "lockstep", **more: Any) -> dict[str, Any]:
    adapters = [
        {"id": host, "driver": driver, "url": host, "priority": k + 1} for k, host in enumerate(hosts)
    ]
    return {"id": ident, "adapters": adapters, **more}


async def devices(*hosts: str) -> dict[str, LineDevice]:
    made = {host: LineDevice() for host in hosts}
    for host, device in made.items():
        await device.listen(host)
    return made


def sessions(hub: Hub) -> dict[str, int]:
    return {link.endpoint.host: link.report.sessions for link in hub.links.values()}


async def test_devices_come_and_go_and_nobody_else_reconnects() -> None:
    """Add, remove, add again: only the one that is meant has anything to do with it."""
    await devices("one", "two", "three")
    async with home({"devices": [lamp("a", "one"), lamp("b", "two")]}) as here:
        done = await here.site.edit(lambda site: change.put_device(site, lamp("c", "three")))
        assert done.lines == ["c: comes"]
        assert (done.revision, done.is_done) == (2, True)
        await asyncio.sleep(2)
        assert here.hub.device("c").availability is Availability.ONLINE
        done = await here.site.edit(lambda site: change.drop_device(site, "b"))
        assert done.lines == ["b: goes"]
        assert "b" not in here.hub.devices
        assert sessions(here.hub) == {"one": 1, "three": 1}
        assert [each["id"] for each in here.cabinet.mapping["devices"]] == ["a", "c"]
        await here.site.edit(lambda site: change.put_device(site, lamp("b", "two")))
        await asyncio.sleep(2)
        assert sessions(here.hub) == {"one": 1, "three": 1, "two": 1}


async def test_an_adapter_comes_goes_and_is_ranked_without_disturbing_the_other() -> None:
    """A reserve added, preferred, disabled and removed: the serving session stays through all of it."""
    await devices("one", "two")
    async with home({"devices": [lamp("a", "one")]}) as here:
        hub = here.hub
        await here.site.edit(
            lambda site: change.put_adapter(
                site, "a", {"id": "two", "driver": "lockstep", "url": "two", "priority": 2}
            )
        )
        await asyncio.sleep(2)
        assert [each.link.state for each in hub.device("a").attachments] == [State.LIVE, State.RESTING]
        await here.site.edit(lambda site: change.order_adapters(site, "a", ["two", "one"]))
        assert [each.adapter.id for each in hub.device("a").attachments] == ["two", "one"]
        assert hub.device("a").active.adapter.id == "one"
        await asyncio.sleep(150)
        assert hub.device("a").active.adapter.id == "two"
        done = await here.site.edit(lambda site: change.enable_adapter(site, "a", "two", is_enabled=False))
        assert done.lines == ["a: two goes"]
        await asyncio.sleep(3)
        assert hub.device("a").active.adapter.id == "one"
        assert hub.device("a").availability is Availability.ONLINE
        await here.site.edit(lambda site: change.enable_adapter(site, "a", "two", is_enabled=True))
        await here.site.edit(lambda site: change.drop_adapter(site, "a", "one"))
        await asyncio.sleep(3)
        assert [each.adapter.id for each in hub.device("a").attachments] == ["two"]
        assert hub.device("a").availability is Availability.ONLINE
        assert list(sessions(hub)) == ["two"]


async def test_a_changed_adapter_reconnects_alone_and_an_open_command_ends() -> None:
    """Another address: the old link is closed before the new one serves; the command says what became of it."""
    made = await devices("one", "two")
    made["one"].stuck = {"lamp"}
    async with home({"devices": [lamp("a", "one"), lamp("b", "two")]}) as here:
        receipt = here.hub.command("a/lamp", True, ME)
        await asyncio.sleep(0.2)
        await devices("three")
        moved = lamp("a", "three")
        moved["adapters"][0]["id"] = "one"
        await here.site.edit(lambda site: change.put_device(site, moved))
        ended = await here.hub.ended(receipt)
        assert ended.state in (CommandState.VERIFIED, CommandState.FAILED, CommandState.EXPIRED)
        await asyncio.sleep(2)
        assert sessions(here.hub) == {"two": 1, "three": 1}
        assert here.hub.reading("a/lamp").quality is Quality.GOOD


def pack(ident: str, member: str) -> dict[str, Any]:
    """A pack of one battery behind the gateway that others share."""
    return {
        "id": ident,
        "adapters": [{"id": "gw", "driver": "bus", "url": "gw"}],
        "options": {"members": [member]},
    }


async def test_a_shared_path_stays_open_for_the_other_device() -> None:
    """Two packs behind one gateway: one goes and comes back, the other never notices."""
    gateway = Gateway()
    await gateway.listen("gw")
    async with home({"devices": [pack("a", "1"), pack("b", "2")]}) as here:
        await gateway.chatter([1, 2], every_s=1, seconds=3)
        await here.site.edit(lambda site: change.drop_device(site, "b"))
        await gateway.chatter([1, 2], every_s=1, seconds=3)
        assert here.hub.reading("a/1/voltage").quality is Quality.GOOD
        await here.site.edit(lambda site: change.put_device(site, pack("b", "2")))
        await gateway.chatter([1, 2], every_s=1, seconds=3)
        assert here.hub.reading("b/2/voltage").quality is Quality.GOOD
        assert sessions(here.hub) == {"gw": 1}


async def test_a_member_belongs_to_one_device() -> None:
    """Two devices that claim the same battery, or the same controller: the second is told whose it is."""
    async with home({"devices": [pack("a", "1"), lamp("c", "one")]}) as here:
        with pytest.raises(SiteError, match=r"member 1 on tcp://gw:7100 belongs to devices\[0\] already"):
            await here.site.edit(lambda site: change.put_device(site, pack("b", "1")))
        with pytest.raises(SiteError, match="what is heard on tcp://one:7000 belongs to"):
            await here.site.edit(lambda site: change.put_device(site, lamp("d", "one")))


async def test_a_device_whose_last_adapter_is_disabled_says_so() -> None:
    """Nothing is connected, nothing is shown as current past its deadline, and the reason is the owner's own doing."""
    await devices("one")
    async with home({"devices": [lamp("a", "one")]}) as here:
        await here.site.edit(
            partial(change.enable_adapter, device_id="a", adapter_id="one", is_enabled=False)
        )
        device = here.hub.device("a")
        assert here.hub.links == {}
        assert (device.availability, device.reason.code) == (Availability.OFFLINE, ReasonCode.CONFIGURATION)
        await asyncio.sleep(3)
        assert here.hub.reading("a/lamp").value is None
        ended = await here.hub.ended(here.hub.command("a/lamp", True, ME, 1.0))
        assert ended.state is CommandState.EXPIRED
        await here.site.edit(partial(change.enable_adapter, device_id="a", adapter_id="one", is_enabled=True))
        await asyncio.sleep(2)
        assert device.availability is Availability.ONLINE


async def test_the_alarms_of_a_device_go_with_it() -> None:
    """Nobody is left who could end them."""
    await devices("one")
    async with home({"devices": [lamp("a", "one")]}) as here:
        here.hub.alarm_changed(here.hub.device("a"), "level", "too much", is_on=True)
        await here.site.edit(lambda site: change.drop_device(site, "a"))
        assert here.hub.alarms == {}
        assert [each.payload["is_on"] for each in here.said if each.kind is Kind.ALARM] == [True, False]


async def test_options_rebuild_a_device() -> None:
    """What all adapters go by changed: the device reconnects, told beforehand by the plan."""
    await devices("one")
    async with home({"devices": [lamp("a", "one")]}) as here:
        mapping = {"devices": [lamp("a", "one", options={"anything": 1})], "site": {"name": "Home"}}
        shown = await here.site.apply(mapping, dry_run=True)
        assert shown.lines == ["site: changes", "a: options changed, it reconnects"]
        assert (shown.is_done, shown.revision, here.site.revision) == (False, 1, 1)
        assert sessions(here.hub) == {"one": 1}
        await here.site.apply(mapping)
        await asyncio.sleep(2)
        assert sessions(here.hub) == {"one": 1}  # of a new link
        assert here.hub.name == "Home"
        nothing = await here.site.apply(mapping)
        assert (nothing.lines, nothing.revision) == ([], 2)


async def test_a_bad_site_or_a_sick_store_changes_nothing() -> None:
    """Everything goes on as it was, and the error says why."""
    await devices("one")
    async with home({"devices": [lamp("a", "one")]}) as here:
        with pytest.raises(SiteError, match="nosuch"):
            await here.site.edit(lambda site: change.put_device(site, lamp("b", "x", driver="nosuch")))
        here.cabinet.error = StoreError(Trouble.FULL, "the disk is full")
        with pytest.raises(StoreError, match="full"):
            await here.site.edit(lambda site: change.put_device(site, lamp("b", "two")))
        here.cabinet.error = None
        here.cabinet.revision = 7
        with pytest.raises(SiteChanged, match="revision 7"):
            await here.site.edit(lambda site: change.put_device(site, lamp("b", "two")))
        assert list(here.hub.devices) == ["a"]
        assert here.site.mapping == {"devices": [lamp("a", "one")]}


async def test_a_broken_device_does_not_keep_others_from_being_changed() -> None:
    """It was broken before and is left alone; to change it means to mend it."""
    await devices("one")
    broken = lamp("b", "x", driver="nosuch")
    async with home({"devices": [broken]}) as here:
        await here.site.edit(lambda site: change.put_device(site, lamp("a", "one")))
        assert sorted(here.hub.devices) == ["a", "b"]
        with pytest.raises(SiteError, match="nosuch"):
            await here.site.edit(lambda site: change.put_device(site, {**broken, "name": "B"}))
        with pytest.raises(SiteError, match="is not a device"):
            await here.site.edit(lambda site: change.put_array(site, {"id": "x", "packs": ["nobody"]}))
        await here.site.edit(lambda site: change.drop_device(site, "b"))
        assert list(here.hub.devices) == ["a"]


async def test_changes_take_turns_and_are_carried_out_whole() -> None:
    """Ten at once, half of them abandoned by whoever asked: all ten are there in the end."""
    await devices(*(f"h{k}" for k in range(10)))
    async with home({"devices": []}) as here:
        asked = [
            asyncio.create_task(here.site.edit(partial(change.put_device, device=lamp(f"d{k}", f"h{k}"))))
            for k in range(10)
        ]
        await asyncio.sleep(0)
        for task in asked[::2]:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        await here.site.settled()
        assert sorted(here.hub.devices) == sorted(f"d{k}" for k in range(10))
        assert here.site.revision == 11


# --- an actuator that leaves while it is on ---------------------------------------------------------------------


async def test_a_plug_removed_while_on_is_switched_off_first() -> None:
    """It stays under another name until it is verified off, however long it cannot be reached; then it is gone."""
    made = await devices("one")
    async with home({"devices": [lamp("heater", "one", driver="plug")]}) as here:
        hub = here.hub
        assert (await hub.ended(hub.command("heater/lamp", True, ME))).state is CommandState.VERIFIED
        loop().network.host("one").blackhole()
        await here.site.edit(lambda site: change.drop_device(site, "heater"))
        assert list(hub.devices) == ["heater-old-1"]
        await asyncio.sleep(60)
        assert made["one"].state["lamp"] == 1
        assert list(hub.devices) == ["heater-old-1"]
        orders = [each for each in here.cabinet.entries if isinstance(each, OrderEntry)]
        assert orders[-1].device == lamp("heater", "one", driver="plug")
        assert orders[-1].ended_at is None
        loop().network.host("one").restore()
        await asyncio.sleep(15)
        assert made["one"].state["lamp"] == 0
        assert hub.devices == {}
        assert hub.links == {}
        await asyncio.sleep(1)
        orders = [each for each in here.cabinet.entries if isinstance(each, OrderEntry)]
        assert orders[-1].ended_at is not None


async def test_a_plug_moved_to_another_address_leaves_the_old_one_off() -> None:
    """The new plug serves under the name at once; the old one is switched off wherever it is."""
    made = await devices("one", "two")
    async with home({"devices": [lamp("heater", "one", driver="plug")]}) as here:
        hub = here.hub
        await hub.ended(hub.command("heater/lamp", True, ME))
        moved = lamp("heater", "two", driver="plug")
        moved["adapters"][0]["id"] = "one"
        await here.site.edit(lambda site: change.put_device(site, moved))
        await asyncio.sleep(10)
        assert made["one"].state["lamp"] == 0
        assert list(hub.devices) == ["heater"]
        assert hub.device("heater").active.link.endpoint.host == "two"
        assert "heater-old-1 is gone: verified off" in here.texts("site")


async def test_a_plug_that_is_verified_off_just_goes() -> None:
    """There is nothing to wait for."""
    await devices("one")
    async with home({"devices": [lamp("heater", "one", driver="plug")]}) as here:
        await asyncio.sleep(3)
        await here.site.edit(lambda site: change.drop_device(site, "heater"))
        assert here.hub.devices == {}


async def test_a_plug_that_comes_back_while_leaving_is_of_the_site_again() -> None:
    """Removed while on and out of reach, then added again: one device on the path, ordered off like any new one."""
    made = await devices("one")
    async with home({"devices": [lamp("heater", "one", driver="plug")]}) as here:
        hub = here.hub
        await hub.ended(hub.command("heater/lamp", True, ME))
        loop().network.host("one").blackhole()
        await here.site.edit(lambda site: change.drop_device(site, "heater"))
        await asyncio.sleep(5)
        await here.site.edit(lambda site: change.put_device(site, lamp("heater", "one", driver="plug")))
        assert list(hub.devices) == ["heater"]
        loop().network.host("one").restore()
        await asyncio.sleep(15)
        assert made["one"].state["lamp"] == 0


async def test_a_leaving_plug_survives_the_hub() -> None:
    """Killed before it was verified off: the next run takes the order and its device from the store, and ends it."""
    made = await devices("one")
    async with home({"devices": [lamp("heater", "one", driver="plug")]}) as here:
        hub = here.hub
        await hub.ended(hub.command("heater/lamp", True, ME))
        loop().network.host("one").blackhole()
        await here.site.edit(lambda site: change.drop_device(site, "heater"))
        await asyncio.sleep(2)
        kept = [
            each for each in here.cabinet.entries if isinstance(each, OrderEntry) and each.ended_at is None
        ][-1]
    loop().network.host("one").restore()
    made["one"].state["lamp"] = 1
    from holdfast.clock import LoopClock

    clock = LoopClock(loop())
    second = Hub(clock, core=Core(clock, rng=loop().random))
    (spec,) = read({"devices": [kept.device]}).devices
    second.restore(Saved(orders=[kept]), {kept.order.id: spec})
    second.start()
    await asyncio.sleep(10)
    assert made["one"].state["lamp"] == 0
    assert second.devices == {}
    await second.stop()


async def test_what_cannot_be_carried_out_any_more_is_told() -> None:
    """An order on an actuator that nobody knows ends with a word, not in silence."""
    async with home({"devices": []}) as here:
        from holdfast.model import StandingOrder

        order = StandingOrder(
            id="o-1", target="gone/lamp", value=False, cause="test", issued_at=here.hub.clock.now()
        )
        here.hub.restore(Saved(orders=[OrderEntry(order)]), {})
        assert "there is no such actuator any more" in here.texts("order")[-1]


async def test_the_last_switch_of_an_actuator_is_kept() -> None:
    """When it was seen to change, and to what; an equal reading writes nothing."""
    await devices("one", "two")
    async with home({"devices": [lamp("heater", "one", driver="plug"), lamp("light", "two")]}) as here:
        hub = here.hub
        await hub.ended(hub.command("heater/lamp", True, ME))
        await asyncio.sleep(30)
        kept = [each for each in here.cabinet.entries if isinstance(each, SwitchEntry)]
        assert [(each.target, each.value) for each in kept] == [("heater/lamp", False), ("heater/lamp", True)]
        assert hub.switches["heater/lamp"].value is True


async def test_one_bad_device_is_disabled_with_a_reason_and_the_rest_runs() -> None:
    """A site that must run: what is wrong with one device is its own affair."""
    await devices("one")
    mapping = {
        "devices": [lamp("a", "one"), lamp("b", "x", driver="nosuch"), {"id": "c"}, "what"],
        "arrays": [{"id": "x", "packs": ["nobody"]}],
    }
    spec = read_what_can_be_used(mapping, FAMILIES, secrets=SecretSource())
    assert [each.device.id for each in spec.devices] == ["a", "b", "c"]
    assert len(spec.problems) >= 4
    from holdfast.clock import LoopClock

    clock = LoopClock(loop())
    hub = Hub(clock, core=Core(clock, rng=loop().random))
    for each in spec.devices:
        hub.add(each)
    hub.start()
    await asyncio.sleep(2)
    assert hub.device("a").availability is Availability.ONLINE
    assert hub.device("b").availability is Availability.OFFLINE
    assert hub.device("b").reason.code is ReasonCode.CONFIGURATION
    assert "'nosuch' is not a driver" in hub.device("b").reason.text
    assert "'adapters' is missing" in hub.device("c").reason.text
    await hub.stop()
