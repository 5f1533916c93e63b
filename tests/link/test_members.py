"""Members that make themselves known, values made of several members, and what intake has to say about them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.hub.events import Kind
from holdfast.hub.ports import MemoryEntry, Saved
from holdfast.link.aggregate import Aggregate
from holdfast.link.sighting import MOST
from holdfast.model import (
    Availability,
    Capability,
    Periodic,
    Quality,
    Reject,
    Sanity,
    Setting,
    Value,
    ValueType,
)
from tests.link.house import hub_of, loop, refitted, spec
from tests.link.toys.bus import Gateway, frame

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.hub.hub import Hub
    from holdfast.hub.site.spec import DeviceSpec

pytestmark = pytest.mark.virtual

DEADLINE_S = 15.0


def volts(member: str, key: str = "voltage", **more: Any) -> Capability:
    given = {"freshness": Periodic(DEADLINE_S, 5.0), "member": member, "unit": "V", **more}
    return Capability(key=f"{member}/{key}", type=ValueType.NUMBER, **given)


def learn(member: str, group: str, raw: Any) -> Sequence[Capability]:
    """Every battery has a voltage; above 60 V it shows a second sensor."""
    found = [volts(member)]
    return [*found, volts(member, "second")] if raw > 60_000 else found


def project(member: str, group: str, raw: Any, before: Mapping[str, Value]) -> Mapping[str, Value]:
    values: dict[str, Value] = {f"{member}/voltage": raw / 1000}
    if raw > 60_000:
        values[f"{member}/second"] = raw / 2000
    return values


def mean_of(parts: Mapping[str, Mapping[str, Value]]) -> Value:
    found = [values[f"{member}/voltage"] for member, values in parts.items()]
    return sum(each for each in found if isinstance(each, int | float)) / len(found)


def mean(least: int | None = None) -> Aggregate:
    capability = Capability(
        key="voltage", type=ValueType.NUMBER, unit="V", freshness=Periodic(DEADLINE_S), essential=False
    )
    return Aggregate(capability=capability, group="live", combine=mean_of, minimum_members=least)


def pack(members: Sequence[str] = (), **parts: Any) -> DeviceSpec:
    """A pack on the bus toy whose driver learns."""
    given = {
        "capabilities": [volts(member) for member in members],
        "project": project,
        "learn": learn,
        "members": frozenset(members),
        "takes_strangers": not members,
        "aggregates": [mean()],
        **parts,
    }
    return refitted(spec("pack", "bus", "gw", members=list(members)), **given)


async def gateway() -> Gateway:
    made = Gateway()
    await made.listen("gw")
    return made


def alarms(hub: Hub) -> list[tuple[str, bool]]:
    said = hub.said  # type: ignore[attr-defined]
    return [(each.payload["target"], each.payload["is_on"]) for each in said if each.kind is Kind.ALARM]


async def test_a_member_exists_after_two_whole_messages() -> None:
    """One may be damage that kept its checksum; the second one counts, and its values with it."""
    bus = await gateway()
    async with hub_of(pack()) as hub:
        await asyncio.sleep(1)
        bus.say(frame(3, 52_000))
        await asyncio.sleep(1)
        device = hub.device("pack")
        (link,) = hub.links.values()
        assert "3/voltage" not in device.capabilities
        assert link.found["3"].as_dict(loop().time())["messages"] == 1
        assert link.as_dict()["found"][0]["member"] == "3"
        bus.say(frame(3, 52_100))
        await asyncio.sleep(1)
        assert hub.reading("pack/3/voltage").value == 52.1
        assert link.found == {}
        assert device.availability is Availability.ONLINE
        assert device.members("live") == ["3"]


async def test_who_was_learned_is_missed_after_a_restart() -> None:
    """What a run learned is kept, and the next one expects it: unknown and missing until it speaks, nobody else's."""
    bus = await gateway()
    kept: list[MemoryEntry] = []
    async with hub_of(pack()) as hub:
        hub.keep = lambda entry: kept.append(entry) if isinstance(entry, MemoryEntry) else None  # type: ignore[method-assign]
        await asyncio.sleep(1)
        await bus.chatter([3, 4], every_s=1, seconds=3)
    assert {each.key: each.value for each in kept} == {"member 3": ["3/voltage"], "member 4": ["4/voltage"]}
    memories = {(each.controller, each.key): each for each in kept}

    def recall(member: str, keys: Sequence[str]) -> Sequence[Capability]:
        return [volts(member)] if f"{member}/voltage" in keys else []

    async with hub_of(pack(recall=recall), start=False) as hub:
        hub.restore(Saved(memories=memories), {})
        hub.start()
        await asyncio.sleep(1)
        device = hub.device("pack")
        assert hub.reading("pack/voltage").missing == ("3", "4")
        await bus.chatter([3], every_s=1, seconds=20)
        assert hub.reading("pack/3/voltage").quality is Quality.GOOD
        assert hub.reading("pack/voltage").missing == ("4",)
        assert device.availability is Availability.DEGRADED
    async with hub_of(pack(["3"], recall=recall), start=False) as hub:
        hub.restore(Saved(memories=memories), {})
        assert hub.device("pack").members("live") == ["3"]


async def test_a_driver_that_makes_nothing_of_a_stranger_leaves_it_one() -> None:
    """Whoever is not learned stays a stranger, however often it is heard."""
    bus = await gateway()
    async with hub_of(pack(learn=lambda member, group, raw: [])) as hub:
        await asyncio.sleep(1)
        await bus.chatter([4], every_s=1, seconds=5)
        (link,) = hub.links.values()
        assert link.found["4"].messages == 5
        assert link.report.strangers == 5
        assert hub.device("pack").capabilities.keys() == {"voltage"}


async def test_strangers_are_counted_up_to_a_bound() -> None:
    """More than an endpoint can have are noise; memory stays bounded."""
    bus = await gateway()
    async with hub_of(pack(["1"])) as hub:
        await asyncio.sleep(1)
        for member in range(100, 100 + MOST + 20):
            bus.say(frame(member, 50_000))
        await asyncio.sleep(1)
        (link,) = hub.links.values()
        assert len(link.found) == MOST


async def test_a_member_says_something_of_another_kind() -> None:
    """A group that a known member was not known to have is taken in at once."""
    bus = await gateway()

    def learned(member: str, group: str, raw: Any) -> Sequence[Capability]:
        return [volts(member, "other", group=group)]

    async with hub_of(pack(["1"], capabilities=[volts("1", "x", group="rare")], learn=learned)) as hub:
        await asyncio.sleep(1)
        bus.say(frame(1, 51_000))
        await asyncio.sleep(1)
        assert "1/other" in hub.device("pack").capabilities


async def test_values_get_a_capability_once_they_came_twice() -> None:
    """A sensor that shows itself in one message is damage; in two it is there."""
    bus = await gateway()
    async with hub_of(pack(["1"])) as hub:
        await asyncio.sleep(1)
        device = hub.device("pack")
        for millivolts, is_known in (
            (50_000, False),
            (61_000, False),
            (50_000, False),
            (61_000, False),
            (61_100, True),
        ):
            bus.say(frame(1, millivolts))
            await asyncio.sleep(1)
            assert ("1/second" in device.capabilities) is is_known
        assert hub.reading("pack/1/second").value == 30.55
        bus.say(frame(1, 61_200))
        await asyncio.sleep(1)
        assert hub.reading("pack/1/second").value == 30.6


async def test_a_value_of_all_is_as_old_as_the_oldest_and_names_who_is_missing() -> None:
    """Unknown until all were heard, the mean of all while all are fresh, stale with one of them: never of fewer."""
    bus = await gateway()
    async with hub_of(pack(["1", "2"])) as hub:
        await asyncio.sleep(1)
        bus.say(frame(1, 50_000))
        await asyncio.sleep(1)
        reading = hub.reading("pack/voltage")
        assert (reading.value, reading.quality, reading.missing) == (None, Quality.UNKNOWN, ("2",))
        bus.say(frame(2, 52_000))
        await asyncio.sleep(2)
        reading = hub.reading("pack/voltage")
        assert (reading.value, reading.quality, reading.missing) == (51.0, Quality.GOOD, ())
        assert reading.age_s == pytest.approx(3.0, abs=0.1)
        assert reading.adapter == "a"
        await bus.chatter([1], every_s=1, seconds=12)
        assert hub.reading("pack/voltage").quality is Quality.LATE
        await bus.chatter([1], every_s=1, seconds=5)
        reading = hub.reading("pack/voltage")
        assert (reading.value, reading.quality, reading.missing) == (None, Quality.STALE, ("2",))
        assert reading.last_known is not None
        said = hub.said  # type: ignore[attr-defined]
        told = [
            each.payload
            for each in said
            if each.kind is Kind.READING and each.payload.target == "pack/voltage"
        ]
        assert [each.quality for each in told if not each.quality.is_current][-1] is Quality.STALE


async def test_fewer_members_may_be_enough() -> None:
    """Where the owner allows it, the others speak, and the missing one is still named."""
    bus = await gateway()
    async with hub_of(pack(["1", "2"], aggregates=[mean(1)])) as hub:
        await asyncio.sleep(1)
        bus.say(frame(1, 50_000))
        await asyncio.sleep(1)
        reading = hub.reading("pack/voltage")
        assert (reading.value, reading.quality, reading.missing) == (50.0, Quality.GOOD, ("2",))


async def test_a_change_of_a_setting_counts_when_it_came_twice() -> None:
    """A group that hardly ever changes is not believed at once: the old value stays until the new one is repeated."""
    bus = await gateway()
    settings = [volts("1", freshness=Setting())]
    async with hub_of(pack(["1"], capabilities=settings, confirms=frozenset({"live"}))) as hub:
        await asyncio.sleep(1)
        seen: list[Value] = []
        for millivolts in (50_000, 50_000, 51_000, 50_000, 51_000, 51_000):
            bus.say(frame(1, millivolts))
            await asyncio.sleep(1)
            seen.append(hub.reading("pack/1/voltage").value)
        assert seen == [None, 50.0, 50.0, 50.0, 50.0, 51.0]
        (link,) = hub.links.values()
        assert link.report.rejects["unconfirmed"] == 3


async def test_what_passes_as_suspect_is_alarmed_until_it_is_over() -> None:
    """An extreme that repeats is shown as suspect, alarmed once, and the alarm ends with it."""
    bus = await gateway()
    limited = [volts("1", sanity=Sanity(10.0, 60.0))]
    async with hub_of(pack(["1"], capabilities=limited)) as hub:
        await asyncio.sleep(1)
        for millivolts in (50_000, 70_000, 70_000, 70_000, 70_000, 50_000):
            bus.say(frame(1, millivolts))
            await asyncio.sleep(1)
            if millivolts == 70_000 and hub.reading("pack/1/voltage").value == 70.0:
                assert hub.reading("pack/1/voltage").suspect
                assert hub.reading("pack/voltage").suspect
        assert alarms(hub) == [("pack/1/voltage", True), ("pack/1/voltage", False)]


async def test_discovering_carries_numbers_and_ends_in_words() -> None:
    """Seconds left, bytes and messages while it lasts; then who is heard, and what to do about it."""
    bus = await gateway()
    async with hub_of(pack(["1"])) as hub:
        await asyncio.sleep(4)
        device = hub.device("pack")
        (link,) = hub.links.values()
        assert link.reason.code == "discovering"
        assert "26 s left: 0 bytes, 0 frames" in link.reason.text
        await bus.chatter([7], every_s=1, seconds=3)
        assert "3 frames, members heard that are not configured: 7" in link.reason.text
        await bus.chatter([7], every_s=1, seconds=30)
        assert link.report.sessions == 1
        assert link.reason.code == "member_missing"
        assert "heard are 7" in link.reason.text
        assert "Configure" in link.reason.advice
        assert device.availability is not Availability.ONLINE
        bus.say(frame(1, 50_000))
        await asyncio.sleep(1)
        assert link.reason.code == "ok"


async def test_after_a_reconnect_the_first_data_may_take_less() -> None:
    """An adapter that has delivered is not granted the time of discovery again."""
    bus = await gateway()
    spec_ = pack(["1"])
    timing = spec_.drivers[0].timing
    quick = refitted(
        spec_, timing=timing.__class__(silence_s=10.0, first_data_s=30.0, first_data_again_s=8.0)
    )
    async with hub_of(quick) as hub:
        await asyncio.sleep(1)
        bus.say(frame(1, 50_000))
        await asyncio.sleep(1)
        (link,) = hub.links.values()
        loop().network.host("gw").reset_all()
        await asyncio.sleep(1)
        assert link.report.sessions == 2
        await asyncio.sleep(8)
        assert link.report.outage_count == 2


async def test_a_check_that_rejects_keeps_a_member_from_being_taken_in_as_healthy() -> None:
    """Two messages make a member exist, but only believable ones give it values."""
    bus = await gateway()
    async with hub_of(pack(check=lambda *_: Reject("no", "never"))) as hub:
        await asyncio.sleep(1)
        await bus.chatter([3], every_s=1, seconds=5)
        assert hub.reading("pack/3/voltage").quality is Quality.UNKNOWN
        (link,) = hub.links.values()
        assert link.report.rejects["no"] >= 3
