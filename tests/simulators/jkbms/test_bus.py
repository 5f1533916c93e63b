"""The order of things on the bus, when they come, and how cheaply they never drift."""

from __future__ import annotations

import asyncio
import itertools
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdfast.simulation import VirtualLoop, run_virtual
from holdfast.simulators.jkbms import (
    Battery,
    Bus,
    FrameKind,
    Gateway,
    NoMaster,
    OutletBehaviour,
    Scan,
    SecondMaster,
    SilentBattery,
    SwapAddresses,
    Timing,
    Wiring,
    poll,
    stack_of,
)
from tests.simulators.jkbms.reader import Tap, Unit, answers, capture, units

if TYPE_CHECKING:
    from tests.simulators.jkbms.conftest import Serve

pytestmark = pytest.mark.virtual

SHORT_CAPTURE = Path(__file__).parent / "data" / "bus_master_and_1.hex"

CYCLE_WITH_7 = (
    "P1.2 P2.2 P3.2 P4.2 P5.2 P6.2 P7.2 F2 R7.2 P7.1 F1 R7.1 "
    "P8.2 P9.2 P10.2 P11.2 P12.2 P13.2 P14.2 P15.2 F2 R0.2 F1 R0.1"
)
"""One cycle as captured for hours by jblance/mpp-solar (utils/20240222_114810.log): master 0, slave 7."""


def pair(other: int) -> tuple[Battery, ...]:
    return Battery(0), Battery(other)


def order(found: list[Unit]) -> str:
    return " ".join(map(str, found))


async def listen(gateway: Gateway, seconds: float) -> bytes:
    async with await Tap.dial(gateway) as tap:
        await asyncio.sleep(seconds)
        return tap.stream


@pytest.mark.parametrize("seconds", [20.0])
async def test_order_is_that_of_the_captures(serve: Serve, seconds: float) -> None:
    """A master and a slave at 7 make the cycle of the long capture, with nothing in between."""
    found, junk = units(await listen(await serve(pair(7)), seconds))
    assert junk < 311  # the last unit may be on its way
    assert order(found).startswith(CYCLE_WITH_7 + " " + CYCLE_WITH_7)


async def test_order_is_that_of_the_short_capture(serve: Serve) -> None:
    """The same with a slave at 1: the capture's units, byte 5 included, are a part of our stream."""
    captured, _ = units(capture(SHORT_CAPTURE))
    found, _ = units(await listen(await serve(pair(1)), 20.0))
    assert order(captured) in order(found)
    assert {unit.data[5] for unit in found if unit.what == "F"} == {0, 5}
    for frame, reply in itertools.pairwise(found):
        if frame.what == "F":
            assert frame.data[5] == (0 if reply.address == 0 else 5)


async def test_a_whole_stack_takes_seven_seconds(serve: Serve) -> None:
    """With 16 batteries each speaks twice in a cycle of 6 to 7.5 s, at no more than 1500 B/s."""
    gateway = await serve(16)
    stream = await listen(gateway, 71.0)
    found, _ = units(stream)
    own = [said.t for said in gateway.bus.said if said.address == 0 and said.kind is FrameKind.LIVE]
    cycles_s = [later - earlier for earlier, later in itertools.pairwise(own)]
    assert all(6.0 < cycle_s < 7.5 for cycle_s in cycles_s)
    assert max(cycles_s) - min(cycles_s) < 1e-6
    assert 1300 < len(stream) / 71.0 < 1500
    assert sum(unit.what == "F" for unit in found) == pytest.approx(32 * 71.0 / cycles_s[0], abs=1)


@pytest.mark.parametrize(("slaves", "shortest", "longest"), [(1, 3.5, 4.5), (3, 4.2, 4.6), (15, 6.0, 7.5)])
async def test_cycles_are_as_measured(serve: Serve, slaves: int, shortest: float, longest: float) -> None:
    """4.4 s with three slaves (measured on a real bus), less with fewer, about 7 s with all."""
    gateway = await serve(slaves + 1)
    await asyncio.sleep(3 * longest)
    own = [said.t for said in gateway.bus.said if said.address == 0 and said.kind is FrameKind.LIVE]
    assert shortest < own[1] - own[0] < longest


async def test_pauses(serve: Serve) -> None:
    """Poll to reply 38 ms, then 180 ms of silence, 220 ms from the poll of an absent address to the next."""
    gateway = await serve(pair(1))
    heard: list[tuple[float, float, bytes]] = []

    class Ear:
        def hear(self, sent: object) -> None:
            heard.append((sent.start_s, sent.end_s, sent.meant))  # type: ignore[attr-defined]

    ear = Ear()
    gateway.bus.attach(ear)
    await asyncio.sleep(20.0)
    gateway.bus.detach(ear)
    sizes = [len(data) for _, _, data in heard]
    for (start, end, data), (next_start, next_end, following) in itertools.pairwise(heard):
        assert end - start == pytest.approx(len(data) * 10 / 115_200)
        if (len(data), len(following)) == (11, 308) and following[5] == 5:
            assert next_end - start == pytest.approx(0.038, abs=0.001)
        if len(data) == 308:
            assert next_start - end == pytest.approx(0.180, abs=0.001)
        if (len(data), len(following)) == (11, 11):
            assert next_start - start == pytest.approx(0.220, abs=0.001)
    assert {11, 308} == set(sizes)


def test_no_drift() -> None:
    """After two hours the cycle still stands on its grid, to the microsecond."""

    async def day(loop: VirtualLoop) -> None:
        async with Bus((Battery(0), Battery(1)), rng=random.Random(1)) as bus:
            await asyncio.sleep(60.0)
            own = [said.t for said in bus.said if said.address == 0]
            period_s = own[2] - own[0]
            await asyncio.sleep(7200.0)
            last = next(said.t for said in reversed(bus.said) if said.address == 0 and said.kind == 2)
            cycles = (last - own[0]) / period_s
            assert abs(cycles - round(cycles)) * period_s < 1e-6 * cycles
            assert bus.spoken[0, FrameKind.LIVE] == round(cycles) + 1

    run_virtual(day)


async def test_scan_of_newer_firmware(serve: Serve) -> None:
    """A master with firmware 19 asks absent addresses for both."""
    gateway = await serve(pair(2))
    gateway.bus.behave(scan=Scan.BOTH)
    text = order(units(await listen(gateway, 20.0))[0])
    assert "P2.2 F2 R2.2 P2.1 F1 R2.1 P3.2 P3.1 P4.2 P4.1" in text
    assert "P1.2 P1.1 P2.2" in text


async def test_zero_bytes_around_replies(serve: Serve) -> None:
    """On some wiring an answer has 310 bytes."""
    gateway = await serve(pair(1))
    gateway.bus.behave(wiring=Wiring.PADDED)
    async with await Tap.dial(gateway) as tap:
        await asyncio.sleep(10.0)
        stream = tap.stream
    at = next(unit.at for unit in units(stream)[0] if unit.what == "F")
    assert stream[at + 300] == 0
    assert stream[at + 301 : at + 304] in (b"\x00\x10\x16", b"\x01\x10\x16")
    assert stream[at + 309] == 0


async def test_no_master_no_byte(serve: Serve) -> None:
    """Without a battery at address 0, or with it off, nothing comes unasked; the master may come back."""
    gateway = await serve((Battery(1), Battery(2)))
    assert await listen(gateway, 25.0) == b""
    assert not gateway.bus.has_master
    gateway = await serve(pair(1))
    fault = NoMaster()
    gateway.begin(fault)
    await asyncio.sleep(1.0)
    assert await listen(gateway, 25.0) == b""
    gateway.end(fault)
    assert answers(await listen(gateway, 10.0))


@pytest.mark.parametrize("kind", list(FrameKind))
async def test_active_polling(serve: Serve, kind: FrameKind) -> None:
    """On a silent bus the battery asked answers within 40 ms, whatever the poll is split into; others do not."""
    gateway = await serve((Battery(1), Battery(5)))
    async with await Tap.dial(gateway) as tap:
        for address in (1, 5, 9):
            began_s = asyncio.get_running_loop().time()
            before = len(tap.stream)
            question = poll(address, kind)
            tap.writer.write(question[:4])
            await asyncio.sleep(0)
            tap.writer.write(question[4:])
            await asyncio.sleep(0.5)
            answer = tap.stream[before:]
            assert answers(answer) == ([] if address == 9 else [(address, kind)])
            if answer:
                assert len(answer) == 308
                assert tap.reads[-1][0] - began_s < 0.045
    assert gateway.bus.counts["polls"] == 3
    assert gateway.bus.counts["collisions"] == 0


async def test_hasty_polling_collides(serve: Serve) -> None:
    """Two polls at once make two batteries speak at once: neither is understood, and the log says so."""
    gateway = await serve((Battery(1), Battery(2)))
    async with await Tap.dial(gateway) as tap:
        tap.writer.write(poll(1, FrameKind.LIVE) + poll(2, FrameKind.LIVE))
        await asyncio.sleep(0.5)
        assert answers(tap.stream) == []
        assert len(tap.stream) == 616
    assert gateway.bus.counts["collisions"] == 2
    assert [damage.harm.value for damage in gateway.damages] == ["collision"] * 2
    assert not gateway.counts


async def test_a_master_hears_no_poll_for_device_info(serve: Serve) -> None:
    """Address 0 answers for live values and settings only."""
    gateway = await serve((Battery(0),))
    gateway.bus.behave(has_master=True)
    bus = gateway.bus
    async with await Tap.dial(gateway) as tap:
        await asyncio.sleep(0.1)  # in a pause of the scan
        tap.writer.write(poll(0, FrameKind.INFO))
        await asyncio.sleep(0.1)
        assert bus.spoken[0, FrameKind.INFO] == 0
        await asyncio.sleep(0.12)
        tap.writer.write(poll(0, FrameKind.LIVE))
        await asyncio.sleep(0.1)
        assert bus.spoken[0, FrameKind.LIVE] == 1


async def test_second_master(serve: Serve) -> None:
    """Somebody else who polls, too, corrupts both, but not everything."""
    gateway = await serve(4)
    gateway.begin(SecondMaster())
    stream = await listen(gateway, 120.0)
    assert gateway.bus.counts["collisions"] > 10
    good = answers(stream)
    assert good
    assert sum(gateway.counts.values()) == len(good)
    _, junk = units(stream)
    assert junk > 1000


async def test_a_silent_battery(serve: Serve) -> None:
    """Its polls go unanswered and cost 220 ms; the others go on; then it is back."""
    gateway = await serve(3)
    fault = SilentBattery(1)
    gateway.begin(fault)
    heard = answers(await listen(gateway, 20.0))
    assert {address for address, _ in heard} == {0, 2}
    gateway.end(fault)
    assert {address for address, _ in answers(await listen(gateway, 20.0))} == {0, 1, 2}


async def test_addresses_change_while_we_listen(serve: Serve) -> None:
    """A battery moves to a free address, two exchange theirs: values and settings move with them."""
    gateway = await serve(3)
    one, two = gateway.bus.battery(1), gateway.bus.battery(2)
    fault = SwapAddresses(1, 2)
    gateway.begin(fault)
    assert (one.address, two.address) == (2, 1)
    gateway.end(fault)
    assert (one.address, two.address) == (1, 2)
    gateway.bus.swap(1, 3)
    found, _ = units(await listen(gateway, 10.0))
    told = [(u.address, r.address) for u, r in itertools.pairwise(found) if u.what == "F" and u.kind == 1]
    assert {(3, 3), (2, 2), (0, 0)} == set(told)
    gateway.bus.swap(0, 5)
    assert not gateway.bus.has_master
    gateway.bus.swap(2, 0)
    assert gateway.bus.has_master


async def test_faster_for_tests(serve: Serve) -> None:
    """At ten times the pace the same happens in a tenth of the time."""
    gateway = await serve(pair(7), timing=Timing().at_pace(10.0))
    found, _ = units(await listen(gateway, 2.0))
    assert order(found).startswith(CYCLE_WITH_7 + " " + CYCLE_WITH_7)


def stream_of(seed: int) -> tuple[bytes, list[float]]:
    async def run(_: VirtualLoop) -> tuple[bytes, list[float]]:
        rng = random.Random(seed)
        async with Bus(stack_of(5, seed=seed), rng=rng) as bus, Gateway(bus, rng=rng) as gateway:
            gateway.begin(SecondMaster())
            gateway.behave(packing=OutletBehaviour().packing)
            async with await Tap.dial(gateway) as tap:
                await asyncio.sleep(60.0)
                return tap.stream, [t for t, _ in tap.reads]

    return run_virtual(run)


def test_same_seed_same_bytes() -> None:
    """Bytes and their times hang on the seed alone."""
    assert stream_of(3) == stream_of(3)
    assert stream_of(3)[0] != stream_of(4)[0]


async def test_who_may_be_on_a_bus() -> None:
    """Addresses are unique and 0 to 15; a bus cannot be started twice."""
    with pytest.raises(ValueError, match="same address"):
        Bus((Battery(1), Battery(1)), rng=random.Random(1))
    with pytest.raises(ValueError, match="0 to 15"):
        Battery(16)
    bus = Bus((Battery(1),), rng=random.Random(1))
    async with bus:
        with pytest.raises(RuntimeError, match="running"):
            bus.start()
        with pytest.raises(KeyError):
            bus.battery(2)
