"""The measured faults of an earlier system, one by one, each shown absent: hub and driver against simulated batteries.

The numbers are those of the JK fact sheet, section 15. `tests/faults/jkbms.py` plants each fault to see its test fail.
"""

from __future__ import annotations

import ast
import asyncio
import os
import pkgutil
import random
import subprocess
import sys
import threading
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import holdfast
from holdfast.app import FAMILIES
from holdfast.clock import LoopClock
from holdfast.drivers.jkbms import calls
from holdfast.drivers.jkbms.capabilities import live_values
from holdfast.drivers.jkbms.codec import JkBusCodec
from holdfast.drivers.jkbms.live import read_live_32s
from holdfast.hub.events import Kind
from holdfast.hub.hub import Hub
from holdfast.hub.site.read import read_site
from holdfast.hub.site.secret import SecretSource
from holdfast.hub.site.spec import DeviceSpec
from holdfast.link.core import Core
from holdfast.model import Availability, Quality, Reading, ReasonCode
from holdfast.simulators.jkbms import (
    Battery,
    Blank,
    Bus,
    FlipBit,
    FrameKind,
    Gateway,
    HalfFrames,
    NoiseOnly,
    Reboot,
    SerialPort,
    SilentBattery,
    Splice,
    Stall,
    Timing,
    encode,
)
from tests.drivers.jkbms.captures import (
    ABOUT,
    LIVE,
    LIVE_FRAME,
    answer_of,
    batches,
    changed,
    poll_of,
    reply_of,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

    from holdfast.hub.events import Record
    from holdfast.link.link import Link
    from holdfast.simulators.jkbms import OutletBehaviour

CYCLE_S = 8.0
"""The slowest master needs about 7 s for a round of all addresses: fact sheet section 2."""
DEADLINE_S = 30.0
"""After which a battery is stale by default: fact sheet section 13."""
SOURCE = Path(holdfast.__file__).parent

virtual = pytest.mark.virtual


def volts(address: int) -> float:
    """What each cell of a battery has: no two batteries have the same."""
    return round(3.2 + address / 100, 3)


def battery(address: int, *, cells: int = 16) -> Battery:
    """One whose values stand still, so that every other value is a wrong one."""
    made = Battery(address, cells=cells, is_scripted=True)
    made.pin(cell_voltages=(volts(address),) * cells)
    return made


@dataclass
class Pack:
    """A simulated pack behind its gateways, and the hub that reads it."""

    hub: Hub
    bus: Bus
    gateways: dict[str, Gateway]
    told: list[str]
    """The decisions about adapters, in words."""

    @property
    def gateway(self) -> Gateway:
        return self.gateways["first"]

    @property
    def device(self) -> Any:
        return self.hub.device("pack")

    def availability(self) -> Availability:
        availability: Availability = self.device.availability
        return availability

    @property
    def link(self) -> Link:
        return self.link_of("first")

    def link_of(self, adapter: str) -> Link:
        link: Link = next(each.link for each in self.device.attachments if each.adapter.id == adapter)
        return link

    @property
    def counters(self) -> dict[str, Any]:
        counters: dict[str, Any] = self.link.as_dict()["counters"]
        return counters

    @property
    def serving(self) -> str:
        name: str = self.device.active.adapter.id
        return name

    def reading(self, key: str) -> Reading:
        return self.hub.reading(f"pack/{key}")

    def values(self) -> dict[str, Any]:
        """All values of batteries that are current."""
        return {
            each.target: each.value
            for each in self.hub.readings("pack")
            if each.target.split("/")[1].isdigit() and each.quality.is_current
        }

    def say(self, data: bytes) -> None:
        """Let bytes come through the first gateway's session."""
        self.link.session.data_received(data)  # type: ignore[union-attr]

    async def until(self, condition: Callable[[], bool], within_s: float) -> float:
        """Wait for it; how long it took."""
        loop = asyncio.get_running_loop()
        began_t = loop.time()
        while not condition():
            assert loop.time() - began_t <= within_s, f"not within {within_s:g} s: {self.device.reason}"
            await asyncio.sleep(0.02)
        return loop.time() - began_t


@asynccontextmanager
async def pack(
    *batteries: Battery | int,
    gateways: Sequence[str] = ("first",),
    settle_s: float = 2 * CYCLE_S,
    named: Sequence[int] | None = None,
    behaviours: Mapping[str, OutletBehaviour] | None = None,
    **options: Any,
) -> AsyncIterator[Pack]:
    """A pack that has been read for a while. ``named``: the configured addresses; ``None``: all there are."""
    rng = random.Random(11)
    made = [each if isinstance(each, Battery) else battery(each) for each in batteries]
    addresses = [each.address for each in made] if named is None else named
    adapters = [
        {"id": name, "driver": "jkbms", "url": f"tcp://{name}:8899", "priority": 1 + place}
        for place, name in enumerate(gateways)
    ]
    if addresses:
        options["batteries"] = {address: f"battery {address}" for address in addresses}
    mapping = {"devices": [{"id": "pack", "name": "Pack", "adapters": adapters, "options": options}]}
    site = read_site(mapping, FAMILIES, secrets=SecretSource(allow_plain_secrets=True))
    async with AsyncExitStack() as stack:
        bus = await stack.enter_async_context(Bus(made, rng=rng))
        outlets = {
            name: await stack.enter_async_context(
                Gateway(bus, rng=rng, host=name, port=8899, behaviour=(behaviours or {}).get(name))
            )
            for name in gateways
        }
        clock = LoopClock(asyncio.get_running_loop())
        hub = Hub(clock, core=Core(clock, rng=rng))
        told: list[str] = []

        def hear(record: Record) -> None:
            if record.kind is Kind.EVENT and record.payload["kind"] == "failover":
                told.append(record.payload["text"])

        hub.stream.tap(hear)
        for device in site.devices:
            hub.add(device)
        hub.start()
        try:
            await asyncio.sleep(settle_s)
            yield Pack(hub, bus, outlets, told)
        finally:
            await hub.stop()


@asynccontextmanager
async def nothing_wrong(pack: Pack) -> AsyncIterator[None]:
    """From here on no current value differs from what it is now: the batteries of these tests stand still."""
    truth = pack.values()
    wrong: list[Reading] = []

    def judge(record: Record) -> None:
        if record.kind is not Kind.READING:
            return
        reading: Reading = record.payload
        is_known = reading.target in truth or reading.target.split("/")[1].isdigit()
        if reading.quality.is_current and is_known and reading.value != truth.get(reading.target):
            wrong.append(reading)

    pack.hub.stream.tap(judge)
    yield
    assert wrong == []


# --- reading ------------------------------------------------------------------------------------------------------


@virtual
async def test_01_no_whole_frame_is_lost_in_the_pauses_of_the_bus() -> None:
    """At the real pace, with pauses of 0.2 s, each frame that the gateway wrote is counted; no thread reads."""
    threads = threading.active_count()
    async with pack(0, 1, 5) as made, nothing_wrong(made):
        await asyncio.sleep(120)
        written = made.gateway.receivers[0].counts.total()
        assert written > 100
        assert written - sum(made.counters["frames"].values()) <= 1  # one may wait for its reply
        assert made.counters["junk_bytes"] == 0
        assert made.counters["unattributed"] == 0
        assert threading.active_count() == threads
        for address in (0, 1, 5):
            assert made.reading(f"{address}/cell_max").value == volts(address)


@virtual
@pytest.mark.parametrize("end", [Gateway.drop_all, Gateway.reset_all], ids=["fin", "reset"])
async def test_02_the_end_of_the_stream_is_no_silence(end: Callable[[Gateway], None]) -> None:
    """A FIN and a reset each end the session at once, with a reason, and the next one serves within a cycle."""
    async with pack(0, 1) as made:
        end(made.gateway)
        await asyncio.sleep(0.01)
        assert not made.link.has_session
        assert made.link.reason.code is not ReasonCode.OK
        assert made.availability() is Availability.DEGRADED
        assert made.link.reason.text
        await made.until(lambda: made.reading("0/voltage").quality is Quality.GOOD, 2 * CYCLE_S)
        await made.until(lambda: made.availability() is Availability.ONLINE, 2 * CYCLE_S)
        assert made.link.report.sessions == 2


@virtual
async def test_03_every_reconnect_is_a_new_connection() -> None:
    """Whatever ended the last one: a new socket, one at a time, and no old one left open."""
    async with pack(0, 1) as made:
        for number in range(1, 6):
            (Gateway.drop_all, Gateway.reset_all)[number % 2](made.gateway)
            await asyncio.sleep(2 * CYCLE_S)
            assert len(made.gateway.receivers) == number + 1
            assert made.gateway.connections == 1
            assert made.reading("1/voltage").quality is Quality.GOOD


@virtual
@pytest.mark.parametrize("at", [60, 256, 299])
async def test_04_a_cut_frame_is_not_decoded(at: int) -> None:
    """It costs itself alone, nothing overwrites good values; frames read as 256 and 52 bytes all survive."""
    async with pack(0, 1) as made, nothing_wrong(made):
        assert made.reading("1/settings/cell_count").value == 16
        made.gateway.begin(HalfFrames(0.5, at=at))
        await asyncio.sleep(120)
        counters = made.counters
        assert counters["cut"] + counters["bad_sums"] > 10
        assert made.gateway.receivers[0].counts.total() - sum(counters["frames"].values()) <= 1


@virtual
@pytest.mark.parametrize("fault", [FlipBit(0.6), Blank(0.6), NoiseOnly()], ids=["flip", "blank", "noise"])
async def test_05_damage_is_no_voltage(fault: FlipBit | Blank | NoiseOnly) -> None:
    """Flipped bits, empty frames and noise change no value, and are counted."""
    async with pack(0, 1) as made, nothing_wrong(made):
        made.gateway.begin(fault)
        await asyncio.sleep(120)
        counters, rejects = made.counters, made.link.report.rejects
        assert counters["bad_sums"] + counters["junk_bytes"] + sum(rejects.values()) > 20


@pytest.mark.parametrize("cut", range(1, 11))
def test_06_a_poll_cut_by_a_read_keeps_its_address(cut: int) -> None:
    """Frames without reply go to who was polled right in front, wherever the reads were cut."""
    codec = JkBusCodec()
    stream = poll_of(1) + LIVE_FRAME + poll_of(2) + LIVE_FRAME + poll_of(3) + LIVE_FRAME
    second = 311 + cut
    third = 2 * 311 + cut
    pieces = stream[:second], stream[second:third], stream[third:]
    events = [event for piece in pieces for event in codec.feed(piece)] + list(codec.flush())
    assert [getattr(event, "member", event) for event in events] == ["1", "2", "3"]


def test_07_no_length_is_searched_for_a_crc_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A false poll whose CRC would fit 400 bytes later swallows nothing, and no CRC is worked out on the way."""
    false = b"\x05\x10\x16\x20\x00\x00"
    swallowing = false + answer_of(3)
    stream = swallowing + calls.crc16(swallowing).to_bytes(2, "little") + answer_of(4)

    def never(data: bytes) -> int:
        raise AssertionError("every poll and reply that can be is known beforehand")

    noisy = b"\x10\x16" * 2000 + answer_of(3)
    monkeypatch.setattr(calls, "crc16", never)
    codec = JkBusCodec()
    assert batches(codec, stream) == [("3", "live"), ("4", "live")]
    assert codec.counters.junk_bytes == len(false) + 2
    assert batches(JkBusCodec(), noisy) == [("3", "live")]


# --- attribution --------------------------------------------------------------------------------------------------


@virtual
async def test_08_the_master_and_a_battery_15_are_two() -> None:
    """Each shows its own values; with all replies lost, what may be of either is nobody's."""
    async with pack(0, 1, 15) as made, nothing_wrong(made):
        for address in (0, 1, 15):
            assert made.reading(f"{address}/cell_min").value == volts(address)
        made.gateway.begin(HalfFrames(1.0, at=300))
        await asyncio.sleep(60)
        assert made.counters["unattributed"] > 10
        assert made.reading("1/cell_min").quality is Quality.GOOD


def test_08_who_was_polled_last_is_not_who_spoke() -> None:
    """The reply decides against the poll; the master's frame after the poll to 15 is never that battery's."""
    data = poll_of(1) + answer_of(2) + poll_of(15) + answer_of(0) + poll_of(15) + LIVE_FRAME
    assert batches(JkBusCodec(), data) == [("2", "live"), ("0", "live")]


@virtual
async def test_09_addresses_need_not_count_from_zero() -> None:
    """Three batteries at 3, 9 and 12 are those three; a fourth that nobody configured is booked on none."""
    async with pack(0, 3, 9, 12, named=(3, 9, 12)) as made, nothing_wrong(made):
        await asyncio.sleep(60)
        assert {
            each.target.split("/")[1] for each in made.hub.readings("pack") if each.value is not None
        } >= {
            "3",
            "9",
            "12",
        }
        for address in (3, 9, 12):
            assert made.reading(f"{address}/cell_max").value == volts(address)
        assert made.reading("batteries").value == 3
        assert list(made.link.found) == ["0"]


@pytest.mark.parametrize("front", [b"", b"\0", b"\xff" * 7, poll_of(0)[:-1], reply_of(0)])
def test_10_a_frame_before_any_poll_is_nobodys(front: bytes) -> None:
    """Who comes in the middle of a conversation does not guess who is speaking."""
    codec = JkBusCodec()
    assert batches(codec, front + LIVE_FRAME) == []
    assert codec.counters.unattributed == 1


# --- decoding -----------------------------------------------------------------------------------------------------


@virtual
async def test_11_numbers_are_what_they_are() -> None:
    """Throughput in Ah, power with the current's sign, sensors that are not fitted left out, control bits in place."""
    odd = battery(1)
    odd.pin(pack_current_a=-40.0, cycle_ah=12345.678, temp2_c=None, temp_258_c=None, balance_state=0)
    bits = {6: "smart sleep", 7: "PCL module disabled", 8: "timed data storage"}
    for bit, name in bits.items():
        odd.settings = replace(odd.settings, control_mask=1 << bit)
        async with pack(0, odd) as made:
            assert made.reading("1/settings/controls").value == (name,)
            assert made.reading("1/throughput").value == 12345.678
            assert made.reading("1/power").value == pytest.approx(-40.0 * 16 * volts(1))
            assert made.reading("1/balancing").value is False
            shown = {each.target for each in made.hub.readings("pack") if "/1/temperatures/" in each.target}
            assert shown == {f"pack/1/temperatures/{name}" for name in ("mos", "1", "3")}
            lowest = made.reading("temperature_min").value
            assert isinstance(lowest, float)
            assert lowest > 0.0


@pytest.mark.parametrize("byte", [0, 1])
@pytest.mark.parametrize("state", [0, 1, 2])
def test_11_balancing_is_told_by_172_and_not_by_200(byte: int, state: int) -> None:
    """Byte 200 is disputed and decides nothing."""
    frame = changed(changed(LIVE_FRAME, 200, bytes((byte,))), 172, bytes((state,)))
    assert live_values("1", read_live_32s(frame), {})["1/balancing"] is (state != 0)


def test_11_resistances_stand_where_the_layout_has_them() -> None:
    """Those of the wires as another program's encoder wrote them, cell by cell."""
    told = battery(4).frame(FrameKind.LIVE, 0.0)
    assert read_live_32s(encode(told)).resistances_mohm == told.cell_resistances_mohm  # type: ignore[union-attr]


@virtual
async def test_12_cells_are_as_many_as_the_frame_says() -> None:
    """Packs of 8, 16, 24 and 32 cells side by side, and nobody configured how many."""
    sizes = {0: 8, 1: 16, 2: 24, 3: 32}
    async with pack(*(battery(address, cells=count) for address, count in sizes.items())) as made:
        for address, count in sizes.items():
            cells = [
                each for each in made.hub.readings("pack") if each.target.startswith(f"pack/{address}/cells/")
            ]
            assert [each.value for each in cells] == [volts(address)] * count
            assert made.reading(f"{address}/cell_count").value == count


def test_12_frames_do_not_pile_up() -> None:
    """Thousands of frames of every type leave the decoder as it was after the first."""
    codec = JkBusCodec()
    one = answer_of(1, ABOUT) + answer_of(1, LIVE)
    codec.feed(one)
    before = sum(1 for _ in _reachable(codec))
    for _ in range(1000):
        codec.feed(one)
    assert sum(1 for _ in _reachable(codec)) <= before + 10


def _reachable(thing: object) -> Iterator[object]:
    """Everything that is kept by an object of ours."""
    seen: set[int] = set()
    waiting = [thing]
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, type):
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, dict):
            waiting += [*each.keys(), *each.values()]
        elif isinstance(each, list | tuple | set):
            waiting += each
        elif type(each).__module__.startswith("holdfast"):
            waiting += list(getattr(each, "__dict__", {}).values())
            names = [name for kind in type(each).__mro__ for name in getattr(kind, "__slots__", ())]
            waiting += [getattr(each, name) for name in names if hasattr(each, name)]


# --- liveness and failover ----------------------------------------------------------------------------------------


@virtual
async def test_13_who_was_once_heard_is_not_alive_for_ever() -> None:
    """A gateway that falls silent with its socket open: reopened at half the deadline, offline at the deadline.

    Whoever listens is told so of every value, without asking.
    """
    async with pack(0, 1) as made:
        assert made.availability() is Availability.ONLINE
        heard: dict[str, Quality] = {}

        def hear(record: Record) -> None:
            if record.kind is Kind.READING and "/settings/" not in record.payload.target:
                heard[record.payload.target] = record.payload.quality

        made.hub.stream.tap(hear)
        made.gateway.begin(Stall())
        await asyncio.sleep(DEADLINE_S + 1.0)
        assert made.gateway.connections == 1  # it still accepts
        assert made.availability() is Availability.OFFLINE
        assert made.device.reason.code is ReasonCode.SILENT
        assert {each.quality for each in made.hub.readings("pack") if "/settings/" not in each.target} == {
            Quality.STALE
        }
        assert set(heard.values()) == {Quality.STALE}
        assert made.link.report.sessions >= 2


@virtual
async def test_13_a_new_session_has_to_deliver_by_itself() -> None:
    """Reopened and silent, an adapter covers nothing, though the values of the session before are still shown."""
    async with pack(0, 1) as made:
        assert made.device.active.covers(made.hub.core.now()) == {"0", "1"}
        made.gateway.begin(Stall())
        await made.until(lambda: made.link.report.sessions == 2, DEADLINE_S)
        assert made.link.has_session
        assert made.reading("1/voltage").quality is Quality.LATE
        assert made.device.active.covers(made.hub.core.now()) == frozenset()


@virtual
async def test_13_the_grace_of_discovery_ends() -> None:
    """An adapter that never delivered may take 60 s, counting them down; then it is not connected."""
    async with pack(0, 1, settle_s=0) as made:
        made.gateway.begin(Stall())
        made.gateway.reset_all()
        await asyncio.sleep(1)
        assert made.link.reason.code is ReasonCode.DISCOVERING
        assert "59 s left" in made.link.reason.text
        assert made.availability() is not Availability.ONLINE
        await made.until(lambda: made.link.reason.code is ReasonCode.SILENT, 61.0)
        assert made.availability() is Availability.OFFLINE
        made.gateway.end(Stall())
        await made.until(lambda: made.availability() is Availability.ONLINE, 120.0)


def test_13_no_socket_is_asked_whether_it_lives() -> None:
    """The local kernel knows nothing of the peer: nobody calls `getpeername` to judge a link."""
    assert [
        path for path in _sources("link", "hub", "drivers") if "peername" in path.read_text("utf-8")
    ] == []


@virtual
async def test_14_values_carry_the_time_of_their_frame() -> None:
    """A silent battery grows old by the clock, and is stale at its deadline, while the other one stays fresh."""
    async with pack(0, 1) as made:
        made.gateway.begin(SilentBattery(1))
        loop = asyncio.get_running_loop()
        age_s, asked_t = made.reading("1/voltage").age_s, loop.time()
        observed_at = made.reading("1/voltage").observed_at
        assert age_s is not None
        assert observed_at is not None
        while loop.time() < asked_t + DEADLINE_S - age_s - 1.0:
            await asyncio.sleep(1)
            reading = made.reading("1/voltage")
            assert reading.age_s == pytest.approx(age_s + loop.time() - asked_t)
            assert reading.observed_at is not None
            assert abs((reading.observed_at - observed_at).total_seconds()) < 1e-3
            assert reading.value is not None
        await asyncio.sleep(1.0)
        reading = made.reading("1/voltage")
        assert (reading.quality, reading.value) == (Quality.STALE, None)
        assert reading.last_known == pytest.approx(16 * volts(1))
        await asyncio.sleep(1.0)
        assert made.availability() is Availability.DEGRADED
        assert "1" in made.device.reason.text
        assert made.reading("0/voltage").quality is Quality.GOOD
        await asyncio.sleep(4 * 3600)
        assert made.reading("1/voltage").age_s == pytest.approx(age_s + loop.time() - asked_t)


@virtual
@pytest.mark.parametrize("least", [None, 1])
async def test_14_no_sum_is_silently_partial(least: int | None) -> None:
    """With one battery stale the pack's current is too and says who is missing, unless the owner wants less."""
    options: dict[str, Any] = {} if least is None else {"minimum_members": least}
    async with pack(0, 1, **options) as made:
        made.bus.battery(0).pin(pack_current_a=10.0)
        made.bus.battery(1).pin(pack_current_a=5.0)
        await asyncio.sleep(CYCLE_S)
        assert made.reading("current").value == 15.0
        made.gateway.begin(SilentBattery(1))
        await asyncio.sleep(DEADLINE_S + 1)
        reading = made.reading("current")
        assert reading.missing == ("1",)
        if least is None:
            assert (reading.value, reading.quality, reading.last_known) == (None, Quality.STALE, 15.0)
        else:
            assert reading.value == 10.0
        assert made.reading("batteries").value == 1


THREE = ("first", "second", "third")


@virtual
async def test_15_silence_moves_the_pack_and_it_wraps_round() -> None:
    """No read ever fails here. From the middle of the list it goes up as well as down, and returns to the first."""
    async with pack(0, 1, gateways=THREE) as made:
        made.gateways["first"].begin(Stall())
        await made.until(lambda: made.serving == "second", DEADLINE_S + CYCLE_S + 1)
        made.gateways["third"].begin(Stall())
        made.gateways["first"].end(Stall())
        made.gateways["second"].begin(Stall())
        await made.until(lambda: made.serving == "first", DEADLINE_S + CYCLE_S + 1)
        assert made.availability() is Availability.ONLINE
        made.gateways["second"].end(Stall())
        made.gateways["first"].begin(Stall())
        await made.until(lambda: made.serving == "second", DEADLINE_S + CYCLE_S + 1)
        made.gateways["first"].end(Stall())
        await made.until(lambda: made.serving == "first", 150.0)  # probe and hold, while the second one lives
        assert made.gateways["second"].connections == 0


@virtual
async def test_15_the_end_of_the_list_is_not_the_end() -> None:
    """All three are down for half an hour; whichever comes back first serves, also the middle one."""
    async with pack(0, 1, gateways=THREE) as made:
        for gateway in made.gateways.values():
            gateway.begin(Stall())
        await asyncio.sleep(1800)
        assert made.availability() is Availability.OFFLINE
        assert sum("all are tried" in each for each in made.told) == 1
        made.gateways["second"].end(Stall())
        await made.until(lambda: made.serving == "second", 60.0)
        assert made.availability() is not Availability.OFFLINE
        await made.until(lambda: made.availability() is Availability.ONLINE, CYCLE_S)


@virtual
async def test_15_asking_decides_nothing() -> None:
    """However often availability and readings are asked for in an outage: no decision comes of it."""
    async with pack(0, 1, gateways=("first", "second")) as made:
        made.gateway.begin(Stall())
        await asyncio.sleep(DEADLINE_S / 2)
        memory, told = made.device.choice._memory, list(made.told)
        for _ in range(100):
            assert list(made.hub.readings("pack"))
            assert made.device.view().adapters
            assert made.link.as_dict()
        assert made.device.choice._memory == memory
        assert made.told == told
        assert made.serving == "first"


@virtual
async def test_16_the_old_one_is_kept_until_the_new_one_delivers() -> None:
    """The reserve connects and is as silent: the first one stays open, stays the one that serves, and recovers."""
    async with pack(0, 1, gateways=("first", "second")) as made:
        for gateway in made.gateways.values():
            gateway.begin(Stall())
        began_t = asyncio.get_running_loop().time()
        await made.until(lambda: made.gateways["second"].connections == 1, DEADLINE_S)
        both = 0
        while asyncio.get_running_loop().time() < began_t + DEADLINE_S:
            assert made.serving == "first"
            assert made.link.is_needed
            both += made.gateway.connections == made.gateways["second"].connections == 1
            await asyncio.sleep(0.1)
        assert both > 20
        made.gateway.end(Stall())
        await made.until(lambda: made.availability() is Availability.ONLINE, 40.0)
        assert made.serving == "first"
        assert not [each for each in made.told if "->" in each]


@virtual
@pytest.mark.parametrize("name", ["first", "second"])
async def test_16_after_total_failure_nothing_that_is_closed_serves(name: str) -> None:
    """Long after everything failed, all adapters are still dialled; each may come back and serves."""
    async with pack(0, 1, gateways=("first", "second")) as made:
        for gateway in made.gateways.values():
            gateway.behave(is_listening=False)
            gateway.reset_all()
        await asyncio.sleep(900)
        dials = {each: made.link_of(each).report.dials for each in made.gateways}
        made.gateways[name].behave(is_listening=True)
        await made.until(lambda: made.serving == name, 90.0)
        assert made.serving == name
        assert all(count > 20 for count in dials.values())


def test_17_nobody_guesses_what_is_inside_an_adapter() -> None:
    """The core asks through declared protocols: no attribute is looked for by its name."""
    guesses = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in _sources("link", "hub")
        if path.parent.name != "site"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Name) and node.id in ("hasattr", "getattr", "setattr")
    ]
    assert guesses == []


@virtual
@pytest.mark.parametrize("name", ["first", "second"])
async def test_18_a_pack_whose_gateways_are_down_at_start_is_kept(name: str) -> None:
    """It is there from the start, says why it is offline, and comes with whichever gateway comes first."""
    async with pack(0, 1, gateways=("first", "second"), settle_s=0) as made:
        for gateway in made.gateways.values():
            gateway.behave(is_listening=False)
            gateway.reset_all()
        await asyncio.sleep(1200)
        assert made.availability() is Availability.OFFLINE
        assert made.device.reason.code is ReasonCode.UNREACHABLE
        made.gateways[name].behave(is_listening=True)
        await made.until(lambda: made.serving == name, 90.0)
        assert made.serving == name


@virtual
async def test_a_reserve_serves_before_the_values_are_stale() -> None:
    """A gateway stalls: the cold reserve is warmed at half the deadline, and no value of a battery is ever stale."""
    async with pack(0, 1, gateways=("first", "second")) as made:
        stale: list[str] = []

        def hear(record: Record) -> None:
            if record.kind is Kind.READING and not record.payload.quality.is_current:
                stale.append(record.payload.target)

        made.hub.stream.tap(hear)
        made.gateway.begin(Stall())
        await made.until(lambda: made.serving == "second", DEADLINE_S + CYCLE_S + 1.0)
        assert stale == []
        assert "first -> second" in made.told[-1]


@virtual
async def test_a_hold_begins_anew_with_each_session() -> None:
    """The preferred gateway comes back, delivers for 40 s and drops the line, again and again: it does not serve."""
    async with pack(0, 1, gateways=("first", "second")) as made:
        made.gateway.begin(Stall())
        await made.until(lambda: made.serving == "second", DEADLINE_S + CYCLE_S + 1.0)
        made.gateway.end(Stall())
        await made.until(lambda: made.gateway.connections == 1, 70.0)
        for _ in range(10):
            await asyncio.sleep(40)
            assert made.serving == "second"
            made.gateway.reset_all()
        await made.until(lambda: made.serving == "first", 150.0)


@virtual
async def test_a_reconnect_has_a_shorter_grace() -> None:
    """Who has delivered before is given ten seconds for its first battery, not sixty."""
    async with pack(0, 1) as made:
        assert made.link.patience_s == 10.0
        made.gateway.begin(Stall())
        made.gateway.reset_all()
        await asyncio.sleep(2)
        assert made.link.has_session
        sessions = made.link.report.sessions
        await asyncio.sleep(12)
        assert made.link.report.sessions == sessions + 1


@virtual
async def test_an_aggregate_is_as_old_as_its_oldest_part() -> None:
    """While one battery is silent, the pack's values age with it."""
    async with pack(0, 1) as made:
        made.bus.begin(SilentBattery(1))
        await asyncio.sleep(2 * CYCLE_S)
        assert made.reading("current").age_s == made.reading("1/current").age_s
        assert made.reading("0/current").age_s != made.reading("1/current").age_s


# --- names, completeness ------------------------------------------------------------------------------------------


@virtual
async def test_22_a_battery_has_one_name_everywhere() -> None:
    """Its bus address: in keys, in places, among the missing, in decisions and counters. Power is in watts."""
    async with pack(0, 4, 7) as made:
        assert made.reading("cell_min_at").value == "0/cells/1"
        assert made.reading("cell_max_at").value == "7/cells/1"
        for end in ("min", "max"):
            place = made.reading(f"cell_{end}_at").value
            assert made.reading(f"{place}/voltage").value == made.reading(f"cell_{end}").value
        assert made.counters["batteries"] == [0, 4, 7]
        assert made.device.members("live") == ["0", "4", "7"]
        assert {
            each.unit
            for each in made.hub.readings("pack")
            if each.target.split("/")[-2] != "deviations" and each.target.endswith("/power")
        } == {"W"}
        made.gateway.begin(SilentBattery(4))
        await asyncio.sleep(DEADLINE_S + 1)
        assert made.reading("power").missing == ("4",)
        assert "from 4" in made.device.reason.text


@pytest.mark.blocking_allowed
def test_23_every_module_can_be_imported_by_itself() -> None:
    """All there is, in an interpreter that has seen nothing yet; and git leaves no module of it out."""
    names = [
        each.name
        for each in pkgutil.walk_packages([str(SOURCE)], "holdfast.")
        if not each.name.endswith("__main__")
    ]
    assert "holdfast.drivers.jkbms.driver" in names
    code = f"import importlib\nfor name in {names!r}: importlib.import_module(name)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    root = Path(__file__).parents[3]
    if (root / ".git").exists():
        command = ["git", "ls-files", "--others", "--ignored", "--exclude-standard", "src/holdfast/**.py"]
        ignored = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
        assert ignored.stdout == ""


# --- from the field -----------------------------------------------------------------------------------------------


@virtual
async def test_24_silence_is_followed_by_recovery_over_tcp() -> None:
    """The gateway restarts and tells nobody: noticed by silence, dialled again, and values are back, unattended."""
    async with pack(0, 1) as made:
        made.gateway.begin(Reboot(is_silent=True))
        await asyncio.sleep(20)
        made.gateway.end(Reboot(is_silent=True))
        await made.until(lambda: made.availability() is Availability.ONLINE, 30.0)
        assert made.gateway.connections == 1
        await made.until(lambda: made.reading("1/voltage").quality is Quality.GOOD, CYCLE_S)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals")
async def test_24_silence_is_followed_by_recovery_over_a_serial_port(tmp_path: Path) -> None:
    """The same core, another transport: the port is closed and opened anew, and read on."""
    rng = random.Random(3)
    bus = Bus([battery(0), battery(1)], rng=rng, timing=Timing().at_pace(50.0))
    async with bus, SerialPort(bus, rng=rng, path=tmp_path / "tty") as port:
        adapter = {"id": "wire", "driver": "jkbms", "url": f"serial://{port.path}"}
        mapping = {"devices": [{"id": "pack", "name": "Pack", "adapters": [adapter]}]}
        site = read_site(mapping, FAMILIES, secrets=SecretSource(allow_plain_secrets=True))
        (device,) = site.devices
        (driver,) = device.drivers
        quick = replace(driver.timing, silence_s=0.5, first_data_again_s=0.5)
        hub = Hub(LoopClock(asyncio.get_running_loop()))
        hub.add(DeviceSpec(device.device, (replace(driver, timing=quick),)))
        hub.start()
        try:
            (link,) = hub.links.values()
            async with asyncio.timeout(10.0):
                while link.report.answers < 5:  # noqa: ASYNC110 - on the real clock
                    await asyncio.sleep(0.01)
                port.begin(Stall())
                while link.report.sessions < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                port.end(Stall())
                answers = link.report.answers
                while link.report.answers < answers + 5:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert hub.reading("pack/1/cell_max").value == volts(1)
        finally:
            await hub.stop()


@virtual
@pytest.mark.parametrize("after_s", [900.0, 4 * 3600.0])
async def test_25_data_that_stop_with_the_socket_open_are_noticed(after_s: float) -> None:
    """After a quarter of an hour and after four: stale within the deadline, reopened, and good again."""
    async with pack(0, settle_s=after_s) as made:
        assert made.link.report.sessions == 1
        made.gateway.begin(Stall())
        await asyncio.sleep(DEADLINE_S)
        assert made.reading("0/voltage").quality is Quality.STALE
        assert made.link.report.sessions >= 2
        made.gateway.end(Stall())
        await made.until(lambda: made.availability() is Availability.ONLINE, 40.0)


@virtual
async def test_26_a_battery_that_is_off_holds_nobody_up() -> None:
    """Listening: the others stay fresh and nothing is reconnected, nor moved to a reserve that hears no more."""
    async with pack(0, 1, 2, gateways=("first", "second")) as made:
        made.bus.begin(SilentBattery(1))
        await asyncio.sleep(DEADLINE_S)
        for _ in range(600):
            await asyncio.sleep(1)
            for address in (0, 2):
                assert made.reading(f"{address}/voltage").quality is Quality.GOOD
        assert made.reading("1/voltage").quality is Quality.STALE
        assert made.device.active.covers(made.hub.core.now()) == {"0", "2"}
        assert made.link.report.sessions == 1
        assert made.serving == "first"
        assert not [each for each in made.told if "->" in each]


@virtual
async def test_26_a_battery_that_is_off_holds_no_poll_up() -> None:
    """Asking: the question that nobody answers is over in half a second, and the others are asked on time."""
    async with pack(1, 2, 3, settle_s=40, polling=True) as made:
        assert made.reading("1/voltage").quality is Quality.GOOD
        made.bus.begin(SilentBattery(1))
        await asyncio.sleep(DEADLINE_S + 6)
        assert made.reading("1/voltage").quality is Quality.STALE
        for _ in range(120):
            await asyncio.sleep(1)
            for address in (2, 3):
                assert made.reading(f"{address}/voltage").quality is Quality.GOOD
        assert made.link.report.unanswered > 10
        assert made.link.report.sessions == 1


# --- what is believed only when it comes again --------------------------------------------------------------------


@virtual
async def test_a_battery_exists_once_it_was_heard_twice() -> None:
    """Where nobody configured any: one whole frame of a phantom makes no battery."""
    async with pack(0, 1, named=()) as made:
        assert made.device.members("live") == ["0", "1"]
        made.say(answer_of(9))
        assert made.device.members("live") == ["0", "1"]
        assert made.link.found["9"].messages == 1
        made.say(answer_of(9))
        assert made.device.members("live") == ["0", "1", "9"]


@virtual
async def test_a_setting_changes_once_it_came_twice() -> None:
    """Settings hardly ever change: one frame with another limit is not believed, two alike are."""
    async with pack(0, 1) as made:
        limit = made.reading("1/settings/charge_limit").value
        assert limit == 100.0
        told = encode(replace(made.bus.battery(1).settings, charge_limit_a=10.0)) + reply_of(1, 1)
        made.say(told)
        assert made.reading("1/settings/charge_limit").value == limit
        made.say(told)
        assert made.reading("1/settings/charge_limit").value == 10.0


@virtual
async def test_a_sensor_exists_once_it_was_heard_twice() -> None:
    """One frame with a temperature where none is fitted adds no sensor."""
    bare = battery(1)
    bare.pin(temp2_c=None)
    async with pack(0, bare) as made:
        keys = made.device.capabilities
        bare.pin(temp2_c=21.0)
        once = encode(bare.frame(FrameKind.LIVE, 0.0)) + reply_of(1)
        bare.pin(temp2_c=None)
        made.say(once)
        assert "1/temperatures/2" not in keys
        await asyncio.sleep(CYCLE_S)
        assert "1/temperatures/2" not in keys
        told: list[str] = []
        made.hub.stream.tap(
            lambda each: told.append(each.payload.target) if each.kind is Kind.READING else None
        )
        made.say(once)
        made.say(once)
        assert "1/temperatures/2" in keys
        assert "pack/1/temperatures/2" in told
        assert made.link.report.sessions == 1


@virtual
async def test_a_sensor_that_comes_as_another_goes_is_found() -> None:
    """There are as many values as before, but not the same ones."""
    moved = battery(1)
    moved.pin(temp2_c=None)
    async with pack(0, moved) as made:
        moved.pin(temp1_c=None, temp2_c=21.0)
        await asyncio.sleep(3 * CYCLE_S)
        assert made.reading("1/temperatures/2").value == 21.0
        assert made.link.report.sessions == 1


@virtual
async def test_a_frame_spliced_of_two_is_not_believed() -> None:
    """Begun by one battery and ended by another, with a good sum: what does not add up is rejected."""
    far = battery(1)
    far.pin(cell_voltages=(2.9,) * 16)
    async with pack(0, far) as made, nothing_wrong(made):
        made.gateway.begin(Splice(0.5, at=100))
        await asyncio.sleep(60)
        assert sum(made.link.report.rejects.values()) > 5


def _sources(*rooms: str) -> list[Path]:
    return [path for room in rooms for path in sorted((SOURCE / room).rglob("*.py"))]
