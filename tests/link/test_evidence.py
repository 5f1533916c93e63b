"""What is known of a group: how it ages, and what is believed of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.hub.site.spec import DeviceSpec
from holdfast.link.intake import Intake
from holdfast.model import (
    Adapter,
    Availability,
    Capability,
    CommandState,
    Device,
    FailoverTiming,
    Quality,
    ReasonCode,
    Reject,
    Sanity,
    Setting,
    Standby,
    Value,
    ValueType,
    WhileAlive,
)
from tests.link.house import ME, command, hub_of, loop, refitted, spec
from tests.link.toys import bus
from tests.link.toys.lockstep import CAPABILITIES, LOCKSTEP, LineDevice

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.virtual


async def test_a_pushed_value_outlives_a_short_loss() -> None:
    """A source that pushes on change: after a loss its values are late, not stale at once, until their deadline."""
    device = LineDevice()
    await device.listen("lamp")
    pushed = [replace(each, freshness=WhileAlive()) for each in CAPABILITIES]
    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), capabilities=pushed, polls=[])) as hub:
        await asyncio.sleep(0.5)
        for transport in device.open:
            transport.write(b"= lamp:0 level:10\n")
        for _ in range(20):
            await asyncio.sleep(0.5)
            for transport in device.open:
                transport.write(b"OK\n")
        assert hub.reading("lamp/level").quality is Quality.GOOD
        device.is_deaf = True
        loop().network.host("lamp").reset_all()
        for _ in range(100):
            await asyncio.sleep(0.01)
            assert hub.reading("lamp/level").quality is Quality.LATE


async def test_a_setting_does_not_age_and_survives_a_suspend() -> None:
    """A value that only changes when somebody changes it stays good without a session and after a sleep."""
    device = LineDevice()
    await device.listen("lamp")
    settings = [replace(each, freshness=Setting()) for each in CAPABILITIES]
    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), capabilities=settings)) as hub:
        await asyncio.sleep(3)
        loop().network.host("lamp").refuse()
        loop().network.host("lamp").reset_all()
        hub.clock.sleep(3600)  # type: ignore[attr-defined]
        await asyncio.sleep(100)
        assert hub.reading("lamp/level").quality is Quality.GOOD
        assert hub.reading("lamp/level").value == 10


async def test_what_was_never_seen_stays_unknown_through_a_suspend() -> None:
    """A sleep makes stale what was known; it does not make known what was not."""
    device = LineDevice()
    device.password = "other"
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(3)
        hub.clock.sleep(3600)  # type: ignore[attr-defined]
        assert hub.reading("lamp/level").quality is Quality.UNKNOWN
        assert hub.device("lamp").active.seen() == {}


async def test_what_a_driver_cannot_believe_is_rejected() -> None:
    """A driver's check sees the raw batch and the one before it; what it objects to is counted and not shown."""
    seen: list[Any] = []

    def check(member: str, group: str, raw: Any, before: Any) -> Reject | None:
        seen.append(before)
        return Reject("impossible", "the level is 13") if dict(raw)["level"] == 13 else None

    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), check=check)) as hub:
        await asyncio.sleep(3)
        device.state["level"] = 13
        await asyncio.sleep(0.5)
        (link,) = hub.links.values()
        assert link.report.rejects["impossible"] == 1
        assert hub.reading("lamp/level").last_known == 10
        assert seen[0] is None
        assert dict(seen[-1])["level"] == 10


# --- intake -----------------------------------------------------------------------------------------------------


def intake_of(**limits: Sanity) -> Intake:
    """An intake for values that come once a second."""
    return Intake.of(
        [Capability(key=key, type=ValueType.NUMBER, sanity=sanity) for key, sanity in limits.items()], 1.0
    )


def test_a_number_below_its_limit_is_rejected_in_words() -> None:
    """What lies below its minimum is no more believed than what lies above its maximum."""
    intake = intake_of(volts=Sanity(10.0, 60.0))
    why = intake.judge({"volts": 2}, {}, 0.0)
    assert why is not None
    assert why.text == "volts is 2: below 10"


def test_only_numbers_have_limits() -> None:
    """Words, switches and absent values pass: a limit says nothing of them."""
    intake = intake_of(volts=Sanity(10.0, 60.0))
    for value in ("off", True, None):
        assert intake.judge({"volts": value}, {}, 0.0) is None
    assert intake.judge({}, {}, 0.0) is None


def test_not_a_number_is_never_believed() -> None:
    """However often it repeats, what is not a number is no value."""
    intake = intake_of(volts=Sanity(10.0, 60.0))
    for t in range(10):
        why = intake.judge({"volts": float("nan")}, {}, float(t))
        assert why is not None
        assert why.text == "volts is nan: not a number"
    assert not intake.suspects


def test_a_streak_is_broken_by_one_good_value() -> None:
    """An extreme must come three times in a row, also while another value of the batch stays extreme."""
    intake = intake_of(volts=Sanity(10.0, 60.0), amps=Sanity(-100.0, 100.0))
    for t, volts in enumerate((99, 99, 50, 99)):
        intake.judge({"volts": volts, "amps": 200}, {}, float(t))
    assert intake.judge({"volts": 99, "amps": 200}, {}, 3.2) is not None
    assert intake.judge({"volts": 99, "amps": 200}, {}, 3.4) is None
    assert intake.suspects == {"volts", "amps"}


# --- two adapters, and none --------------------------------------------------------------------------------------


def two_ways(first: str, second: str) -> DeviceSpec:
    """One lamp over two lock-step adapters."""
    adapters = tuple(
        Adapter(id=url, driver="lockstep", url=url, priority=k, standby=Standby.HOT)
        for k, url in enumerate((first, second))
    )
    calm = FailoverTiming(minimum_stay_s=5.0, hold_s=5.0, probe_every_s=5.0)
    device = Device(id="lamp", name="lamp", adapters=adapters, failover=calm)
    return DeviceSpec(device, tuple(LOCKSTEP.prepare(device, each) for each in adapters))


async def test_a_reserve_shows_its_values_until_the_first_adapter_has_some() -> None:
    """While the serving adapter has seen nothing, another one's evidence is shown; it never speaks for it later."""
    device = LineDevice()
    await device.listen("two")
    async with hub_of(two_ways("one", "two")) as hub:
        await asyncio.sleep(3)
        reading = hub.reading("lamp/level")
        assert reading.value == 10
        assert reading.adapter == "two"
        other = LineDevice()
        other.state["level"] = 44
        await other.listen("one")
        await asyncio.sleep(3)
        assert hub.reading("lamp/level").adapter == "two"
        await asyncio.sleep(10)
        assert hub.reading("lamp/level").value == 44
        assert hub.reading("lamp/level").adapter == "one"
        device.state["level"] = 30
        await asyncio.sleep(1)
        loop().network.host("two").blackhole()
        await asyncio.sleep(10)
        assert hub.reading("lamp/level").value == 44
        receipt = hub.command("lamp/lamp", True, ME)
        loop().network.host("two").restore()
        assert (await hub.ended(receipt)).state is CommandState.VERIFIED
        assert device.sets == []


async def test_a_reserve_proves_no_command() -> None:
    """Evidence of an adapter that does not serve neither verifies a command nor hides that it is open."""
    device, reserve = LineDevice(), LineDevice()
    device.stuck = {"lamp"}
    reserve.state["lamp"] = 1
    await device.listen("one")
    await reserve.listen("two")
    async with hub_of(two_ways("one", "two")) as hub:
        await asyncio.sleep(5)
        receipt = await command(hub, "lamp/lamp", True)
        assert receipt.state is CommandState.FAILED


async def test_a_device_without_an_enabled_adapter_says_so() -> None:
    """Where every adapter is switched off, the device is offline by configuration; nothing is dialled."""
    adapter = Adapter(id="a", driver="lockstep", url="lamp", is_enabled=False)
    device = Device(id="lamp", name="lamp", adapters=(adapter,))
    off = DeviceSpec(device, (LOCKSTEP.prepare(device, adapter),))
    async with hub_of(off) as hub:
        await asyncio.sleep(3)
        assert hub.device("lamp").availability is Availability.OFFLINE
        assert hub.device("lamp").reason.text == "no adapter is enabled"
        assert not hub.links


async def test_a_silent_member_is_named() -> None:
    """While one member speaks and another does not, the device is degraded, and the reason names the silent one."""
    gateway = bus.Gateway()
    await gateway.listen("gw")
    async with hub_of(spec("pack", "bus", "gw", members=["1", "2"])) as hub:
        await asyncio.sleep(1)
        await gateway.chatter([1], seconds=30)
        assert hub.device("pack").availability is Availability.DEGRADED
        assert hub.device("pack").reason.code is ReasonCode.MEMBER_MISSING
        assert hub.device("pack").reason.text == "no fresh data from 2"


async def test_values_that_never_came_are_counted() -> None:
    """Where one of two groups of a device stays away, the device is degraded and the reason says how much of it."""
    device = LineDevice()
    await device.listen("lamp")
    lamp, level = CAPABILITIES

    def project(member: str, group: str, raw: Any, before: Mapping[str, Value]) -> Mapping[str, Value]:
        return {"lamp": bool(dict(raw)["lamp"])}

    parts = {"capabilities": [lamp, replace(level, group="other")], "project": project}
    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), **parts)) as hub:
        await asyncio.sleep(10)
        assert hub.device("lamp").availability is Availability.DEGRADED
        assert hub.device("lamp").reason.text == "1 of 2 values are stale"


async def test_a_sleep_between_two_sessions_loses_nothing_twice() -> None:
    """A suspend noticed while the link waits for its next dial makes values stale and counts as no second outage."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(15)
        loop().network.host("lamp").reset_all()
        await asyncio.sleep(0.001)
        hub.clock.sleep(3600)  # type: ignore[attr-defined]
        assert hub.reading("lamp/level").quality is Quality.STALE
        (link,) = hub.links.values()
        assert link.report.outage_count == 1
        await asyncio.sleep(1)
        assert hub.reading("lamp/level").quality is Quality.GOOD
