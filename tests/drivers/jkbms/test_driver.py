"""The JK driver at work in virtual time: members, aggregates, discovery, and asking on a bus without a master."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.clock import LoopClock
from holdfast.drivers.jkbms.codec import PROOF_S
from holdfast.drivers.jkbms.driver import JKBMS
from holdfast.errors import Unreachable
from holdfast.hub.hub import Hub
from holdfast.hub.site.spec import DeviceSpec
from holdfast.link.core import Core
from holdfast.link.session import OpenLimits
from holdfast.model import Adapter, Availability, Device, Quality, ReasonCode
from holdfast.simulation import VirtualLoop
from holdfast.simulators.jkbms import (
    SECRET_MARK,
    Battery,
    Bus,
    BusBehaviour,
    FrameKind,
    Gateway,
    NoMaster,
    SecondMaster,
    SilentBattery,
    Stall,
    poll,
)
from holdfast.testing.ear import Ear
from tests.drivers.jkbms.bench import HOST, PORT, WHOLE_UNITS, QuietBattery, gateway_adapter, pack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from holdfast.link.driver import Family
    from holdfast.link.link import Link
    from holdfast.model import Reading

pytestmark = pytest.mark.virtual
ROUND_S = 4.5
"""A round of the simulated master, and a bit."""


def loop() -> VirtualLoop:
    """The running virtual loop."""
    running = asyncio.get_running_loop()
    assert isinstance(running, VirtualLoop)
    return running


@asynccontextmanager
async def hub_of(*devices: Device, of: Family = JKBMS) -> AsyncIterator[Hub]:
    """A running hub with these devices."""
    clock = LoopClock(loop())
    hub = Hub(clock, core=Core(clock, rng=loop().random))
    for device in devices:
        hub.add(DeviceSpec(device, tuple(of.prepare(device, adapter) for adapter in device.adapters)))
    hub.start()
    try:
        yield hub
    finally:
        await hub.stop()


async def until(condition: Callable[[], object], within_s: float = 120.0) -> None:
    """Wait until it holds."""
    end_t = loop().time() + within_s
    while not condition():
        assert loop().time() < end_t
        await asyncio.sleep(0.01)


class Stack:
    """Batteries on a bus, behind one gateway."""

    def __init__(self, *addresses: int, **behaviour: Any) -> None:
        rng = random.Random(5)
        batteries = [QuietBattery(address) for address in addresses]
        self.bus = Bus(batteries, rng=rng, behaviour=BusBehaviour(**behaviour))
        self.gateway = Gateway(self.bus, rng=rng, host=HOST, port=PORT, behaviour=WHOLE_UNITS)

    async def __aenter__(self) -> Stack:
        self.bus.start()
        await self.gateway.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.gateway.stop()
        self.bus.stop()


class Wire:
    """What went over a link, and when."""

    def __init__(self, hub: Hub) -> None:
        self.said_at: list[tuple[float, bytes]] = []
        self.heard_at: list[tuple[float, bytes]] = []
        link_of(hub).taps.append(self)

    def heard(self, data: bytes) -> None:
        self.heard_at.append((loop().time(), data))

    def said(self, data: bytes) -> None:
        self.said_at.append((loop().time(), data))

    def asked(self) -> list[str]:
        """Batteries and kinds that were asked for."""
        kinds = {0x20: "live", 0x1E: "settings", 0x1C: "about"}
        return [f"{kinds[data[3]]}:{data[0]}" for _, data in self.said_at]


def link_of(hub: Hub) -> Link:
    """The one link."""
    (link,) = hub.links.values()
    return link


def a_pack(**options: Any) -> Device:
    """A pack behind the gateway."""
    return pack("pack", gateway_adapter(), **options)


def reading(hub: Hub, key: str) -> Reading:
    """A reading of the pack."""
    return hub.reading(f"pack/{key}")


def keys(hub: Hub, member: str) -> set[str]:
    """What is known to exist of a battery, without its settings."""
    found = {each.target.removeprefix("pack/") for each in hub.readings()}
    return {key for key in found if key.startswith(f"{member}/") and "/settings/" not in key}


async def test_a_serial_port_that_is_not_there() -> None:
    """The same driver by another path; what is wrong with it is told in words."""
    usb = Adapter(id="usb", driver="jkbms", url="serial:///dev/there-is-no-such-port")
    driver = JKBMS.prepare(pack("pack", usb), usb)
    session = driver.connect([driver], Ear())
    with pytest.raises(Unreachable, match="does not exist"):
        await session.open(OpenLimits(1.0, 1.0))
    await session.close(goodbye=False)


# --- members ---------------------------------------------------------------------------------------------------------


async def test_two_packs_share_a_gateway() -> None:
    """One connection, which each is served by; nobody sees the other's batteries."""
    one = pack("one", gateway_adapter(), batteries={0: "front"})
    two = pack("two", gateway_adapter(), batteries={1: "shed"})
    async with Stack(0, 1) as stack, hub_of(one, two) as hub:
        await asyncio.sleep(3 * ROUND_S)
        assert stack.gateway.connections == 1
        assert hub.reading("one/0/current").value == 10.0
        assert hub.reading("two/1/current").value == 11.0
        assert (hub.reading("one/current").value, hub.reading("two/current").value) == (10.0, 11.0)
        targets = {each.target for each in hub.readings()}
        assert not [each for each in targets if each.startswith(("one/1/", "two/0/"))]
        assert link_of(hub).found == {}


async def test_strangers_are_listed_and_never_shown() -> None:
    """With the batteries given, others that are heard are told in the link report."""
    async with Stack(0, 1, 4), hub_of(a_pack(batteries={1: "back"})) as hub:
        await asyncio.sleep(5 * ROUND_S)
        found = {each["member"]: each["messages"] for each in link_of(hub).as_dict()["found"]}
        assert found.keys() == {"0", "4"}
        assert min(found.values()) >= 4
        assert not keys(hub, "0") | keys(hub, "4")
        assert (reading(hub, "batteries").value, reading(hub, "current").value) == (1, 11.0)
        assert hub.device("pack").availability is Availability.ONLINE


async def test_batteries_show_themselves() -> None:
    """With none given, each is taken in when it was heard twice, with its cells and sensors."""
    async with Stack(0, 1) as stack, hub_of(a_pack()) as hub:
        live = [0, 0]
        while not keys(hub, "1"):
            await asyncio.sleep(0.01)
            live = [stack.gateway.counts[address, FrameKind.LIVE] for address in (0, 1)]
        assert live[1] <= 2
        await asyncio.sleep(2 * ROUND_S)
        for member in ("0", "1"):
            assert {
                f"{member}/cells/16/voltage",
                f"{member}/temperatures/mos",
                f"{member}/temperatures/4",
            } < keys(hub, member)
            assert reading(hub, f"{member}/cells/1/voltage").value is not None
        assert reading(hub, "batteries").value == 2
        assert link_of(hub).found == {}


async def test_a_battery_that_moves_to_another_address() -> None:
    """It is another member from then on, and the old one goes stale: nothing else could be known."""
    async with Stack(0, 1) as stack, hub_of(a_pack()) as hub:
        await asyncio.sleep(4 * ROUND_S)
        stack.bus.swap(1, 3)
        await asyncio.sleep(30 + ROUND_S)
        assert reading(hub, "1/current").quality is Quality.STALE
        assert (reading(hub, "3/current").value, reading(hub, "3/current").quality) == (11.0, Quality.GOOD)
        assert reading(hub, "0/current").value == 10.0


async def test_one_battery_falls_silent() -> None:
    """Its values go stale, and those of the pack, which name it; the others go on in the same session."""
    async with Stack(0, 1, 2) as stack, hub_of(a_pack(batteries={0: "a", 1: "b", 2: "c"})) as hub:
        await asyncio.sleep(3 * ROUND_S)
        assert reading(hub, "current").value == 33.0
        stack.bus.begin(silent := SilentBattery(2))
        await asyncio.sleep(30 + ROUND_S)
        assert (reading(hub, "2/voltage").quality, reading(hub, "2/voltage").value) == (Quality.STALE, None)
        assert {reading(hub, f"{each}/voltage").quality for each in "01"} == {Quality.GOOD}
        pack_current = reading(hub, "current")
        assert (pack_current.value, pack_current.quality) == (None, Quality.STALE)
        assert (pack_current.missing, pack_current.last_known) == (("2",), 33.0)
        assert (reading(hub, "batteries").value, reading(hub, "batteries").missing) == (2, ("2",))
        device = hub.device("pack")
        assert (device.availability, device.reason.code) == (Availability.DEGRADED, ReasonCode.MEMBER_MISSING)
        assert link_of(hub).report.sessions == 1
        stack.bus.end(silent)
        await asyncio.sleep(ROUND_S + 1)
        assert (reading(hub, "current").value, reading(hub, "current").missing) == (33.0, ())
        assert hub.device("pack").availability is Availability.ONLINE


async def test_fewer_batteries_can_be_enough() -> None:
    """`minimum_members` lets a pack be the sum of those that report, and still says who does not."""
    async with (
        Stack(0, 1, 2) as stack,
        hub_of(a_pack(batteries={0: "a", 1: "b", 2: "c"}, minimum_members=2)) as hub,
    ):
        await asyncio.sleep(3 * ROUND_S)
        stack.bus.begin(SilentBattery(2))
        await asyncio.sleep(30 + ROUND_S)
        current = reading(hub, "current")
        assert (current.value, current.missing) == (21.0, ("2",))
        stack.bus.begin(SilentBattery(1))
        await asyncio.sleep(30 + ROUND_S)
        assert reading(hub, "current").value is None


# --- discovery -------------------------------------------------------------------------------------------------------


async def test_discovery_in_words() -> None:
    """While nothing configured was heard: seconds left, bytes, frames, batteries; then what to do about it."""
    async with Stack(0, 1) as stack, hub_of(a_pack(batteries={7: "gone"}, discovery_grace_s=40)) as hub:
        await asyncio.sleep(20.0)
        reason = hub.device("pack").present_reason()
        assert reason.code is ReasonCode.DISCOVERING
        counted = sum(stack.gateway.counts.values())
        heard = f"{stack.gateway.bytes_out:,} bytes"
        for words in ("20 s left", heard, f"{counted} frames", "not configured: 1, 0"):
            assert words in reason.text
        assert hub.device("pack").availability is Availability.UNKNOWN
        await asyncio.sleep(25.0)
        later = hub.device("pack").present_reason()
        assert later.code is ReasonCode.MEMBER_MISSING
        assert "heard are 1, 0" in later.text
        assert later.advice
        assert hub.device("pack").availability is Availability.OFFLINE
        assert link_of(hub).report.sessions == 1


@pytest.mark.parametrize(("stale_after_s", "again_s"), [(15, 8.0), (60, 10.0)])
async def test_a_reconnect_gets_less_patience(stale_after_s: int, again_s: float) -> None:
    """An adapter that has delivered has 8 to 10 s for its first battery, not the discovery's minute."""
    async with Stack(0) as stack, hub_of(a_pack(stale_after_s=stale_after_s)) as hub:
        await asyncio.sleep(3 * ROUND_S)
        link = link_of(hub)
        stack.gateway.begin(Stall())
        stack.gateway.reset_all()
        await until(lambda: link.has_session and link.report.sessions == 2)
        opened_t = loop().time()
        await until(lambda: not link.has_session)
        assert loop().time() - opened_t == pytest.approx(again_s, abs=0.05)


async def test_the_counters_are_in_the_link_report() -> None:
    """They are those of section 10 of the fact sheet."""
    async with Stack(0, 1) as stack, hub_of(a_pack(batteries={0: "a", 1: "b"})) as hub:
        await asyncio.sleep(20.0)
        counters = link_of(hub).as_dict()["counters"]
        wanted = {
            kind.name.lower(): sum(n for (_, each), n in stack.gateway.counts.items() if each is kind)
            for kind in (FrameKind.LIVE, FrameKind.SETTINGS)
        }
        assert counters["frames"] == wanted
        assert (counters["batteries"], counters["bytes"]) == ([0, 1], stack.gateway.bytes_out)
        assert counters["polls"] > counters["replies"] > 0
        assert (counters["junk_bytes"], counters["unattributed"], counters["cut"]) == (0, 0, 0)


async def test_settings_count_once_they_came_twice() -> None:
    """One frame of each kind of damage in 256 passes its sum; two alike do not."""
    async with Stack(0) as stack, hub_of(a_pack(batteries={0: "a"})) as hub:
        heard = []
        while reading(hub, "0/settings/capacity").value is None:
            heard.append(stack.gateway.counts[0, FrameKind.SETTINGS])
            await asyncio.sleep(0.01)
        assert max(heard) <= 2
        assert stack.gateway.counts[0, FrameKind.SETTINGS] == 2
        stack.bus.battery(0).configure(capacity_ah=100.0)
        await asyncio.sleep(ROUND_S)
        assert reading(hub, "0/settings/capacity").value == 280.0
        await asyncio.sleep(ROUND_S)
        assert reading(hub, "0/settings/capacity").value == 100.0


# --- asking ----------------------------------------------------------------------------------------------------------


def an_asking_pack(*addresses: int, **options: Any) -> Device:
    """A pack whose batteries are asked."""
    return a_pack(batteries={address: f"battery {address}" for address in addresses}, polling=True, **options)


async def test_it_proves_silence_and_asks_in_turn() -> None:
    """Nothing is said for ten seconds; then one question at a time, with a pause behind each answer."""
    async with Stack(1, 2, 3), hub_of(an_asking_pack(1, 2, 3)) as hub:
        wire, begun_t = Wire(hub), loop().time()
        await asyncio.sleep(PROOF_S + 24.0)
        times = [t for t, _ in wire.said_at]
        assert times[0] - begun_t >= PROOF_S
        asked = wire.asked()
        assert asked[:6] == ["live:1", "live:2", "live:3", "settings:1", "settings:2", "settings:3"]
        assert len(asked) == 5 * 3 + 3
        for t, _ in wire.said_at:
            before = [each for each, _ in wire.heard_at if each < t]
            assert not before or t - max(before) >= 0.1
        report = link_of(hub).report
        assert (report.unanswered, report.sessions) == (0, 1)
        assert reading(hub, "current").value == 36.0


async def test_an_absent_battery_holds_up_nobody() -> None:
    """The others are as fresh as ever, though it is asked each time."""
    async with Stack(1, 2), hub_of(an_asking_pack(1, 2, 9)) as hub:
        wire = Wire(hub)
        await asyncio.sleep(PROOF_S + 5.0)
        for _ in range(300):
            await asyncio.sleep(0.1)
            for member in "12":
                age_s = reading(hub, f"{member}/voltage").age_s
                assert age_s is not None
                assert age_s <= 5.0 + 1.5
        assert wire.asked().count("live:9") >= 6
        assert reading(hub, "9/voltage").quality is Quality.UNKNOWN
        assert link_of(hub).report.sessions == 1
        assert reading(hub, "batteries").missing == ("9",)


async def test_a_master_keeps_it_quiet() -> None:
    """Where a master speaks nothing is ever said, and everything is heard all the same."""
    async with Stack(0, 1), hub_of(an_asking_pack(0, 1)) as hub:
        wire = Wire(hub)
        await asyncio.sleep(60.0)
        assert wire.said_at == []
        assert reading(hub, "current").value == 21.0


async def test_a_foreign_poll_silences_it_for_the_session() -> None:
    """From the first poll of another master on nothing is said any more, while its answers count."""
    async with Stack(1, 2) as stack, hub_of(an_asking_pack(1, 2)) as hub:
        wire = Wire(hub)
        await asyncio.sleep(PROOF_S + 7.0)
        asked = len(wire.said_at)
        assert asked
        stack.bus.begin(SecondMaster())
        await asyncio.sleep(90.0)
        polls = {poll(address, kind) for address in range(16) for kind in FrameKind}
        first_t = min(t for t, data in wire.heard_at if data in polls)
        assert all(t <= first_t for t, _ in wire.said_at)
        assert len(wire.said_at) <= asked + 1
        assert link_of(hub).report.sessions == 1
        assert reading(hub, "current").value == 23.0
        assert link_of(hub).as_dict()["counters"]["foreign_polls"] > 0


async def test_it_asks_again_when_the_master_falls_silent() -> None:
    """Silence ends the session; the next one proves that nobody speaks, and asks."""
    async with Stack(0, 1) as stack, hub_of(an_asking_pack(1)) as hub:
        wire = Wire(hub)
        await asyncio.sleep(30.0)
        stack.bus.begin(NoMaster())
        silent_t = loop().time()
        await until(lambda: wire.said_at)
        waited_s = loop().time() - silent_t
        assert 15.0 + PROOF_S - ROUND_S <= waited_s <= 15.0 + PROOF_S + 2.0
        await asyncio.sleep(1.0)
        assert reading(hub, "1/current").quality is Quality.GOOD
        assert link_of(hub).report.sessions == 2


async def test_echoes_are_not_foreign() -> None:
    """Some adapters let us hear ourselves."""
    async with Stack(1, 2) as stack, hub_of(an_asking_pack(1, 2)) as hub:
        stack.gateway.behave(echoes=True)
        wire = Wire(hub)
        await asyncio.sleep(PROOF_S + 59.0)  # between two rounds
        assert len(wire.said_at) >= 20
        counters = link_of(hub).as_dict()["counters"]
        assert (counters["foreign_polls"], counters["polls"]) == (0, len(wire.said_at))
        assert link_of(hub).report.unanswered == 0


# --- secrets ---------------------------------------------------------------------------------------------------------


def hidden(texts: list[str]) -> None:
    """No text holds the mark of a secret, in letters or in hex."""
    raw = SECRET_MARK.encode()
    marks = (SECRET_MARK, raw.hex(), raw.hex(" "), raw[:3].hex(" "))
    assert not [text for text in texts for mark in marks if mark.lower() in text.lower()]


def told(hub: Hub) -> list[str]:
    """Everything that a hub says of its devices."""
    link = link_of(hub)
    return [
        *(repr(each) for each in hub.readings()),
        *(repr(each) for each in link.recorder.moments()),
        *(repr(each) for each in hub.stream.since(f"{hub.core.epoch}:0") or ()),
        repr(link.as_dict()),
        repr(link.session),
        repr(hub.device("pack")),
    ]


async def test_passcodes_that_pass_by_are_never_seen(caplog: pytest.LogCaptureFixture) -> None:
    """Somebody asks for device info: neither values, reports, logs nor the recorded wire hold its secrets."""
    async with Stack(0, 1) as stack, hub_of(a_pack()) as hub:
        caplog.set_level("DEBUG")
        wire = Wire(hub)
        link_of(hub).debug(is_on=True)
        await asyncio.sleep(10.0)
        while link_of(hub).as_dict()["counters"]["frames"].get("about", 0) < 3:
            stack.gateway.send_to_bus(poll(1, FrameKind.INFO))  # collides with the master now and then
            await asyncio.sleep(1.37)
        assert reading(hub, "1/firmware").value == "14.20"
        hidden([*told(hub), *caplog.messages, *(data.hex() for _, data in wire.heard_at)])
        assert any(data.hex().startswith("55aaeb9002") for _, data in wire.heard_at)  # the rest is shown


def test_a_battery_of_the_simulator_has_secrets() -> None:
    """Otherwise the test above would see nothing."""
    from holdfast.simulators.jkbms import encode

    assert SECRET_MARK.encode() in encode(Battery(1).frame(FrameKind.INFO, 0.0))
