"""Failover at work in virtual time: two gateways on one bus, and every way in which the first can end."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from holdfast.errors import UnknownTarget
from holdfast.hub.events import Kind
from holdfast.hub.ports import MemoryEntry, Saved
from holdfast.hub.site.spec import DeviceSpec
from holdfast.link.machine import State
from holdfast.model import (
    Adapter,
    Availability,
    CommandState,
    Device,
    FailoverTiming,
    Quality,
    ReasonCode,
    Standby,
)
from tests.link.house import ME, hub_of, loop
from tests.link.toys.bus import BUS, Gateway, frame
from tests.link.toys.lockstep import LOCKSTEP, LineDevice

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from holdfast.hub.hub import Hub
    from holdfast.hub.ports import Entry
    from holdfast.simulation import Host

pytestmark = pytest.mark.virtual

QUICK = FailoverTiming(minimum_stay_s=10.0, hold_s=20.0, probe_every_s=15.0)
INTERVAL_S = 0.5


class Wire:
    """One bus behind two gateways; a gateway that is cut off hears nothing of it."""

    def __init__(self) -> None:
        self.gateways = {"a": Gateway(), "b": Gateway()}
        self.deaf: set[str] = set()
        self.members = ["1", "2"]
        self.spoken = 0

    async def run(self) -> None:
        for name, gateway in self.gateways.items():
            await gateway.listen(name)
        while True:
            for member in self.members:
                self.spoken += 1
                for name, gateway in self.gateways.items():
                    if name not in self.deaf:
                        gateway.say(frame(int(member), 50_000 + self.spoken % 9))
            await asyncio.sleep(INTERVAL_S)


def pack(
    *, standby: Standby = Standby.COLD, members: Sequence[Sequence[str]] = (("1", "2"), ("1", "2"))
) -> DeviceSpec:
    """A pack over gateway a and, as a reserve, gateway b."""
    adapters = tuple(
        Adapter(id=name, driver="bus", url=name, priority=k + 1, standby=standby)
        for k, name in enumerate("ab")
    )
    device = Device(id="pack", name="pack", adapters=adapters, failover=QUICK)
    drivers = tuple(
        BUS.prepare(Device(id="pack", name="pack", adapters=adapters, options={"members": each}), adapter)
        for each, adapter in zip(members, adapters, strict=True)
    )
    return DeviceSpec(device, drivers)


@asynccontextmanager
async def bus_house(spec: DeviceSpec) -> AsyncIterator[tuple[Hub, Wire]]:
    wire = Wire()
    running = asyncio.create_task(wire.run())
    async with hub_of(spec) as hub:
        try:
            await asyncio.sleep(5)
            yield hub, wire
        finally:
            running.cancel()
            await asyncio.wait({running})


def host(name: str) -> Host:
    return loop().network.host(name)


def serving(hub: Hub) -> str:
    return hub.device("pack").active.adapter.id


def decisions(hub: Hub) -> list[str]:
    said = hub.said  # type: ignore[attr-defined]
    return [
        each.payload["text"]
        for each in said
        if each.kind is Kind.EVENT and each.payload["kind"] == "failover"
    ]


async def until(condition: Callable[[], bool], within_s: float) -> float:
    """Wait for it; how long it took. Fails when it takes longer."""
    began_t = loop().time()
    while not condition():
        assert loop().time() - began_t <= within_s, "it did not happen in time"
        await asyncio.sleep(0.05)
    return loop().time() - began_t


def refuse(wire: Wire) -> None:
    host("a").refuse()
    host("a").reset_all()


def blackhole(wire: Wire) -> None:
    host("a").blackhole()


def deaf(wire: Wire) -> None:
    wire.deaf.add("a")


def mend(wire: Wire) -> None:
    wire.deaf.clear()
    host("a").restore()


async def test_a_cold_reserve_is_not_connected() -> None:
    """While the preferred adapter delivers, the reserve rests and says so; nothing is wrong."""
    async with bus_house(pack()) as (hub, _):
        device = hub.device("pack")
        assert device.availability is Availability.ONLINE
        reserve = device.attachments[1].link
        assert reserve.state is State.RESTING
        assert reserve.reason.code is ReasonCode.STANDBY
        assert reserve.report.dials == 0
        assert device.redundancy() == ("full", "")
        assert decisions(hub) == []


async def test_refused_for_good_the_reserve_serves_within_three_seconds_and_hands_back() -> None:
    """Certain loss: b serves at once without a gap; a comes back after probe and hold, and each step is told."""
    async with bus_house(pack()) as (hub, wire):
        refuse(wire)
        assert await until(lambda: serving(hub) == "b", 3.0) <= 3.0
        device = hub.device("pack")
        await asyncio.sleep(INTERVAL_S)
        assert device.availability is Availability.ONLINE
        assert device.redundancy()[0] == "reduced"
        assert hub.reading("pack/1/voltage").adapter == "b"
        assert hub.reading("pack/1/voltage").quality is Quality.GOOD
        await until(lambda: device.attachments[0].link.state is State.RESTING, 10.0)
        await asyncio.sleep(40)
        assert serving(hub) == "b"
        mend(wire)
        took_s = await until(lambda: serving(hub) == "a", 60.0)
        assert took_s >= QUICK.hold_s
        await asyncio.sleep(1)
        assert device.attachments[1].link.state is State.RESTING
        told = decisions(hub)
        assert [each.split(":")[0] for each in told] == ["a is in doubt", "a -> b", "b -> a"]
        assert "preferred and has delivered" in told[-1]


@pytest.mark.parametrize("fault", [blackhole, deaf])
async def test_a_silent_adapter_is_left_within_its_deadline(fault: Callable[[Wire], None]) -> None:
    """Stalled for no visible reason: reopened at the silence limit, the reserve warmed beside it, then left."""
    async with bus_house(pack()) as (hub, wire):
        fault(wire)
        deadline_s = 15.0
        await until(lambda: serving(hub) == "b", deadline_s + INTERVAL_S + 1.0)
        assert hub.reading("pack/2/voltage").quality is Quality.GOOD
        assert hub.device("pack").availability is Availability.ONLINE
        mend(wire)
        await until(lambda: serving(hub) == "a", 90.0)


async def test_a_hot_reserve_leaves_no_gap() -> None:
    """Both are connected; when the first goes, every reading stays current through the second."""
    async with bus_house(pack(standby=Standby.HOT)) as (hub, wire):
        gaps: list[str] = []
        hub.stream.tap(
            lambda each: (
                gaps.append(each.payload.target)
                if each.kind is Kind.READING and not each.payload.quality.is_current
                else None
            )
        )
        refuse(wire)
        await until(lambda: serving(hub) == "b", 3.0)
        mend(wire)
        await until(lambda: serving(hub) == "a", 60.0)
        assert gaps == []
        assert hub.device("pack").attachments[1].link.report.sessions == 1


async def test_a_lone_reset_moves_nothing() -> None:
    """The session is back before anybody had to decide; the reserve, warmed meanwhile, rests again."""
    async with bus_house(pack()) as (hub, _):
        for _ in range(5):
            host("a").reset_all()
            await asyncio.sleep(15)
        assert serving(hub) == "a"
        assert not any("->" in each for each in decisions(hub))
        assert hub.device("pack").attachments[1].link.state is State.RESTING


async def test_all_down_keeps_the_last_values_and_retries() -> None:
    """Both gateways gone: offline, the values stale and still known, one note; whoever returns first serves."""
    async with bus_house(pack()) as (hub, wire):
        for name in "ab":
            host(name).refuse()
            host(name).reset_all()
        await asyncio.sleep(300)
        device = hub.device("pack")
        assert device.availability is Availability.OFFLINE
        assert hub.reading("pack/1/voltage").value is None
        assert hub.reading("pack/1/voltage").last_known == pytest.approx(50, abs=0.1)
        assert sum("all are tried" in each for each in decisions(hub)) == 1
        host("b").restore()
        await until(lambda: serving(hub) == "b" and device.availability is Availability.ONLINE, 40.0)
        assert wire.spoken


async def test_a_pack_whose_adapters_all_fail_at_start_is_kept_and_retried() -> None:
    """Nothing answers at start; the device is there, says why, and comes when a gateway does."""
    async with hub_of(pack()) as hub:
        await asyncio.sleep(200)
        device = hub.device("pack")
        assert device.availability is Availability.OFFLINE
        assert device.reason.code is ReasonCode.UNREACHABLE
        wire = Wire()
        running = asyncio.create_task(wire.run())
        await until(lambda: device.availability is Availability.ONLINE, 40.0)
        running.cancel()
        await asyncio.wait({running})


async def test_a_reserve_that_covers_less_says_which_members_are_lost() -> None:
    """The reserve covers battery 1 alone: it serves, battery 2 is missing, and the decision says so."""
    async with bus_house(pack(members=(("1", "2"), ("1",)))) as (hub, wire):
        refuse(wire)
        await until(lambda: serving(hub) == "b", 3.0)
        await asyncio.sleep(20)
        assert "b does not cover 2" in decisions(hub)[-1]
        device = hub.device("pack")
        assert device.availability is Availability.DEGRADED
        assert hub.reading("pack/1/voltage").quality is Quality.GOOD
        assert hub.reading("pack/2/voltage").quality is Quality.STALE
        mend(wire)
        await until(lambda: serving(hub) == "a", 90.0)
        assert hub.device("pack").availability is Availability.ONLINE


async def test_a_silent_member_is_looked_for_on_the_reserve() -> None:
    """Battery 2 is not heard on a any more, but on b: its readings come through b, in time a's place is taken."""
    spec = pack()
    async with bus_house(spec) as (hub, wire):
        original = wire.gateways["a"].say
        wire.gateways["a"].say = lambda data: None if data.startswith(b"<2:") else original(data)  # type: ignore[method-assign]
        await until(lambda: hub.reading("pack/2/voltage").adapter == "b", 60.0)
        assert serving(hub) == "a"
        await until(lambda: serving(hub) == "b", 60.0)
        assert "covers 2 members, a only 1" in decisions(hub)[-1]


async def test_a_person_moves_the_device_and_pins_it() -> None:
    """Activated, b serves within moments; unpinned a returns after its hold, pinned it does not."""
    async with bus_house(pack()) as (hub, _):
        hub.activate("pack", "b")
        await until(lambda: serving(hub) == "b", 2.0)
        await until(lambda: serving(hub) == "a", 60.0)
        hub.activate("pack", "b", is_pinned=True)
        await until(lambda: serving(hub) == "b", 2.0)
        await asyncio.sleep(200)
        assert serving(hub) == "b"
        assert hub.device("pack").redundancy()[0] == "full"
        hub.activate("pack", "a")
        await until(lambda: serving(hub) == "a", 2.0)
        with pytest.raises(UnknownTarget, match="no enabled adapter 'x'"):
            hub.activate("pack", "x")


async def test_a_pin_survives_the_hub() -> None:
    """What a person pinned is kept, and the next run begins with it; a pin on an adapter that is gone means nothing."""
    async with bus_house(pack()) as (hub, _):
        kept: list[Entry] = []
        hub.keep = kept.append  # type: ignore[method-assign,assignment]
        hub.activate("pack", "b", is_pinned=True)
        (memory,) = [each for each in kept if isinstance(each, MemoryEntry)]
        assert (memory.controller, memory.value) == ("pack", "b")
        hub.activate("pack", "a")
        assert kept[-1] == replace(memory, value="")
    async with hub_of(pack(), start=False) as hub:
        device = hub.device("pack")
        for value, expected in (("gone", "a"), ("b", "b")):
            memories = {("pack", memory.key): replace(memory, value=value), ("other", memory.key): memory}
            hub.restore(Saved(memories=memories), {})
            assert device.active.adapter.id == expected
        assert device.choice is not None
        assert device.choice.pinned == "b"
        assert [each.link.is_needed for each in device.attachments] == [False, True]


async def test_two_bad_links_do_not_flap() -> None:
    """Hours of losses on both gateways, seeded: moves stay rare, and at the end the device is online."""
    async with bus_house(pack()) as (hub, _):
        random = loop().random
        for _ in range(200):
            victim = random.choice("ab")
            host(victim).reset_all()
            if random.random() < 0.3:
                host(victim).refuse()
                await asyncio.sleep(random.uniform(0.5, 30))
                host(victim).restore()
            await asyncio.sleep(random.uniform(1, 60))
        moves = [each for each in decisions(hub) if "->" in each]
        assert 2 <= len(moves) <= 120
        assert hub.device("pack").availability is Availability.ONLINE


def lamp() -> DeviceSpec:
    """A lock-step lamp over two hosts."""
    adapters = tuple(
        Adapter(id=name, driver="lockstep", url=name, priority=k + 1) for k, name in enumerate("ab")
    )
    device = Device(id="pack", name="lamp", adapters=adapters, failover=QUICK)
    return DeviceSpec(device, tuple(LOCKSTEP.prepare(device, each) for each in adapters))


async def test_a_command_given_during_the_move_is_verified_on_the_reserve() -> None:
    """The first path dies with a command open: it is sent again over the second, and ends verified."""
    first, second = LineDevice(), LineDevice()
    await first.listen("a")
    await second.listen("b")
    async with hub_of(lamp()) as hub:
        await asyncio.sleep(3)
        host("a").blackhole()
        receipt = hub.command("pack/lamp", True, ME, 30.0)
        ended = await hub.ended(receipt)
        assert ended.state is CommandState.VERIFIED
        assert second.state["lamp"] == 1
        assert serving(hub) == "b"


async def test_exclusive_paths_are_never_open_together() -> None:
    """The controller serves one client: the second path is dialled when the first is gone, and the other way round."""
    first, second = LineDevice(), LineDevice()
    await first.listen("a")
    await second.listen("b")
    plain = lamp()
    drivers = [replace(each, endpoint=replace(each.endpoint, is_exclusive=True)) for each in plain.drivers]
    async with hub_of(DeviceSpec(plain.device, tuple(drivers))) as hub:
        links = list(hub.links.values())
        together: list[float] = []

        async def watch() -> None:
            while True:
                if all(each.session is not None for each in links):
                    together.append(loop().time())
                await asyncio.sleep(0.01)

        watching = asyncio.create_task(watch())
        await asyncio.sleep(3)
        host("a").blackhole()
        await until(lambda: serving(hub) == "b", 15.0)
        await asyncio.sleep(200)
        assert serving(hub) == "b"
        host("a").restore()
        host("b").refuse()
        host("b").reset_all()
        await until(lambda: serving(hub) == "a", 15.0)
        hub.activate("pack", "b")
        host("b").restore()
        await until(lambda: serving(hub) == "b", 15.0)
        watching.cancel()
        await asyncio.wait({watching})
        assert together == []


async def test_a_third_adapter_rests_unless_it_is_hot() -> None:
    """Whatever the number of reserves: the cold ones are not dialled, the hot one is watched."""
    for name in "ab":
        await LineDevice().listen(name)
    await LineDevice().listen("c")
    adapters = tuple(
        Adapter(id=name, driver="lockstep", url=name, priority=k + 1, standby=standby)
        for k, (name, standby) in enumerate((("a", Standby.COLD), ("b", Standby.COLD), ("c", Standby.HOT)))
    )
    device = Device(id="pack", name="lamp", adapters=adapters, failover=QUICK)
    async with hub_of(DeviceSpec(device, tuple(LOCKSTEP.prepare(device, each) for each in adapters))) as hub:
        await asyncio.sleep(20)
        assert [each.link.report.sessions for each in hub.device("pack").attachments] == [1, 0, 1]
        assert hub.device("pack").redundancy() == ("full", "")
        host("c").refuse()
        host("c").reset_all()
        await asyncio.sleep(3)
        word, text = hub.device("pack").redundancy()
        assert (word, text.partition(":")[0]) == ("reduced", "c")


@pytest.mark.parametrize("wait_s", [0.0, 0.3, 1.0, 16.0, 31.0])
async def test_everything_stops_from_every_state(wait_s: float) -> None:
    """Resting, probing, trying: stopping leaves nothing behind (the house checks it)."""
    async with bus_house(pack()) as (_, wire):
        refuse(wire)
        await asyncio.sleep(wait_s)
        mend(wire)
