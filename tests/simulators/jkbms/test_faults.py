"""Every fault does what it says, and the record of the truth stays right under all of them."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from holdfast.simulation import VirtualLoop, run_virtual
from holdfast.simulators.jkbms import (
    PROFILES,
    Blank,
    Bus,
    Crowding,
    DeadSockets,
    DropBytes,
    Fault,
    Finish,
    FlipBit,
    FlipPair,
    FrameKind,
    Gateway,
    HalfFrames,
    Harm,
    Junk,
    NoiseOnly,
    Packing,
    Reboot,
    Refuse,
    Repack,
    Reset,
    SilentBattery,
    Splice,
    Stall,
    SwapAddresses,
    Timetable,
    encode,
    poll,
    random_timetable,
    stack_of,
)
from tests.simulators.jkbms.reader import HEADER, Tap, answers, units

if TYPE_CHECKING:
    from tests.simulators.jkbms.conftest import Serve

pytestmark = pytest.mark.virtual


async def suffer(gateway: Gateway, fault: Fault, seconds: float = 30.0) -> bytes:
    gateway.begin(fault)
    async with await Tap.dial(gateway) as tap:
        await asyncio.sleep(seconds)
        gateway.end(fault)
        return tap.stream


def harms(gateway: Gateway) -> set[Harm]:
    return {damage.harm for damage in gateway.damages}


# --- the truth --------------------------------------------------------------------------------------------


async def test_the_truth_on_a_good_day(serve: Serve) -> None:
    """Each frame said was written whole, once, with the values that its bytes carry."""
    gateway = await serve(4)
    async with await Tap.dial(gateway) as tap:
        await asyncio.sleep(30.0)
        heard = answers(tap.stream)
        (receiver,) = gateway.receivers
        assert [frame.key for frame in receiver.frames] == heard
        assert gateway.counts == receiver.counts
        assert list(gateway.frames) == list(receiver.frames)
        for frame in receiver.frames:
            data = tap.stream[frame.start : frame.start + 300]
            assert data == encode(frame.values, 0 if frame.address == 0 else 5)
    assert not gateway.damages
    assert not gateway.deceptions


async def test_who_could_hear_what(serve: Serve) -> None:
    """A client that comes in the middle of a frame does not have it; one that left earlier neither."""
    gateway = await serve(2)
    async with await Tap.dial(gateway) as first:
        await asyncio.sleep(10.0)
        await first.until_mid_frame()
        async with await Tap.dial(gateway) as second:
            await asyncio.sleep(10.0)
            one, two = gateway.receivers
            assert len(second.stream) > 44
            assert [frame.key for frame in two.frames] == answers(second.stream)
            assert [frame.key for frame in one.frames] == answers(first.stream)
            assert len(one.frames) > len(two.frames) > 0
    await asyncio.sleep(10.0)
    assert one.left_at is not None
    assert one.counts == gateway.counts
    assert gateway.receivers[0] is one


async def test_a_client_that_reads_nothing_misses_something(serve: Serve) -> None:
    """Its buffer is bounded: bytes are dropped for it alone, and what it cannot have whole is not counted."""
    gateway = await serve(4)
    gateway.behave(client_buffer_bytes=2000)
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.network.here.window_bytes = 1000
    async with await Tap.dial(gateway) as good:
        reader, writer = await asyncio.open_connection(gateway.host, gateway.port, limit=100)
        await asyncio.sleep(60.0)
        _, bad = gateway.receivers
        assert bad.bytes_missed > 1000
        counted = bad.counts.total()
        assert counted < gateway.receivers[0].counts.total() == len(answers(good.stream))
        gateway.begin(Stall())
        stream = b""
        while len(answers(stream)) < counted:
            stream += await reader.read(4096)
        assert len(answers(stream)) == counted > 0
        writer.close()
        await writer.wait_closed()


# --- the line ---------------------------------------------------------------------------------------------


async def test_bytes_vanish(serve: Serve) -> None:
    """Runs of bytes are missing, anywhere; what stayed whole is counted right."""
    gateway = await serve(4)
    stream = await suffer(gateway, DropBytes(0.5))
    assert harms(gateway) == {Harm.LOSS}
    assert 0 < sum(gateway.counts.values()) == len(answers(stream))
    lost = sum(damage.detail[1] for damage in gateway.damages)
    assert len(stream) == gateway.bytes_out
    assert lost > 100
    assert units(stream)[1] > 1000


async def test_half_frames(serve: Serve) -> None:
    """Only the first 256 bytes of frames come; polls are whole."""
    gateway = await serve(4)
    stream = await suffer(gateway, HalfFrames())
    assert answers(stream) == []
    assert not gateway.counts
    assert {len(damage.data) for damage in gateway.damages} == {256}
    found, junk = units(stream)
    assert {unit.what for unit in found} == {"P"}
    assert junk == 256 * stream.count(HEADER)


async def test_frames_without_reply(serve: Serve) -> None:
    """Cut at 300 the frame is whole but nobody says whose it is: it is not counted and no deception."""
    gateway = await serve(4)
    stream = await suffer(gateway, HalfFrames(at=300))
    found, junk = units(stream)
    assert (junk, {unit.what for unit in found}) == (0, {"P", "F"})
    assert not gateway.counts
    assert not gateway.deceptions


async def test_junk(serve: Serve) -> None:
    """Noise between the units harms none of them."""
    gateway = await serve(4)
    stream = await suffer(gateway, Junk())
    assert 0 < sum(gateway.counts.values()) == len(answers(stream))
    assert sum(damage.detail[0] for damage in gateway.damages) == pytest.approx(units(stream)[1], abs=30)
    assert units(stream)[1] > 500


async def test_one_bit(serve: Serve) -> None:
    """Every frame differs from what was meant in one bit; its sum tells."""
    gateway = await serve(4)
    stream = await suffer(gateway, FlipBit())
    assert not gateway.counts
    assert answers(stream) == []
    assert not gateway.deceptions


@pytest.mark.parametrize(
    ("fault", "harm"),
    [
        (FlipPair(), Harm.FLIP_PAIR),
        (Splice(), Harm.SPLICE),
        (Splice(at=150), Harm.SPLICE),
        (Blank(), Harm.BLANK),
    ],
)
async def test_lies_with_a_valid_sum(serve: Serve, fault: Fault, harm: Harm) -> None:
    """They look right and are not: none is counted as whole, each is in the log and on the list of deceptions."""
    gateway = await serve(4)
    stream = await suffer(gateway, fault)
    deceived = {deception.start for deception in gateway.deceptions}
    found = [unit.at for unit in units(stream)[0] if unit.what == "F"]
    lies = [at for at in found if at in deceived]
    assert harms(gateway) == {harm}
    assert len(lies) == len(deceived) >= 20
    assert sum(gateway.counts.values()) == len(found) - len(lies)
    assert all(stream[d.start : d.start + 300] == d.data for d in gateway.deceptions)


async def test_a_splice_has_two_fathers(serve: Serve) -> None:
    """The first bytes are those of another battery's last frame, the rest and the reply the sender's own."""
    gateway = await serve(2)
    for battery in gateway.bus.batteries:
        battery.is_scripted = True
        battery.pin(cell_voltages=(3.2 + battery.address / 10,) * 16, soc_pct=50 + battery.address)
    stream = await suffer(gateway, Splice(at=150), 12.0)
    spliced = [d for d in gateway.damages if d.kind is FrameKind.LIVE]
    assert {d.detail for d in spliced} == {(150, 1), (150, 0)}
    for damage in spliced:
        other = damage.detail[1]
        assert damage.data in stream
        assert damage.data[6:8] == round(3200 + other * 100).to_bytes(2, "little")
        assert damage.data[173] == 50 + (damage.address or 0)
        assert damage.data[300] == damage.address


async def test_blank_frames(serve: Serve) -> None:
    """Between header and sum all is zero."""
    gateway = await serve(2)
    stream = await suffer(gateway, Blank())
    frames = [unit.data for unit in units(stream)[0] if unit.what == "F"]
    assert frames
    assert all(not any(data[6:299]) for data in frames)


async def test_noise_only(serve: Serve) -> None:
    """As many bytes as ever, and none means anything."""
    gateway = await serve(4)
    stream = await suffer(gateway, NoiseOnly())
    assert len(stream) > 10_000
    assert units(stream)[0] == []
    assert not gateway.counts


@pytest.mark.parametrize("largest", [1, 7, (1, 40), 300, 100_000])
@pytest.mark.parametrize("hold_s", [0.0, 0.7])
async def test_other_pieces(serve: Serve, largest: int | tuple[int, int], hold_s: float) -> None:
    """However the stream is cut or glued, it is the same stream."""
    gateway = await serve(4)
    plain = await serve(4, behaviour=None)
    gateway.begin(Repack(largest, hold_s))
    async with await Tap.dial(gateway) as tap, await Tap.dial(plain) as reference:
        await asyncio.sleep(20.0)
        assert reference.stream.startswith(tap.stream)
        assert len(tap.stream) > 0.9 * len(reference.stream)
        sizes = {len(data) for _, data in tap.reads}
        most = largest[1] if isinstance(largest, tuple) else largest
        assert max(sizes) <= max(most, 1)
        if hold_s and most > 1000:
            assert max(sizes) > 700
        assert len(answers(tap.stream)) == sum(gateway.counts.values())


async def test_default_pieces(serve: Serve) -> None:
    """As in captures: 11, then 256 and 52 bytes."""
    gateway = await serve(2)
    async with await Tap.dial(gateway) as tap:
        await asyncio.sleep(10.0)
        assert {len(data) for _, data in tap.reads} == {11, 52, 256}
    assert gateway.behaviour.packing == Packing()


# --- the connection ---------------------------------------------------------------------------------------


async def test_stall(serve: Serve) -> None:
    """The socket stays, no byte passes either way, and what was said meanwhile never comes."""
    gateway = await serve(3)
    fault = Stall()
    async with await Tap.dial(gateway) as tap:
        await asyncio.sleep(10.0)
        gateway.begin(fault)
        await asyncio.sleep(0.01)
        before = len(tap.stream)
        async with await Tap.dial(gateway) as late:
            tap.writer.write(poll(1, FrameKind.INFO))
            await asyncio.sleep(60.0)
            assert (len(tap.stream), late.stream, tap.is_over) == (before, b"", False)
            assert gateway.bus.spoken[1, FrameKind.INFO] == 0
            counted = sum(gateway.counts.values())
            gateway.end(fault)
            await asyncio.sleep(10.0)
            assert sum(gateway.counts.values()) > counted
            assert len(answers(tap.stream)) == gateway.receivers[0].counts.total()


@pytest.mark.parametrize("is_reset", [False, True])
async def test_ends_of_connections(serve: Serve, is_reset: bool) -> None:
    """FIN ends the stream in order, RST does not; while it lasts newcomers fare the same; then it is over."""
    gateway = await serve(2)
    fault = Reset() if is_reset else Finish()
    async with await Tap.dial(gateway) as tap:
        await asyncio.sleep(1.0)
        gateway.begin(fault)
        assert isinstance(await tap.over(), ConnectionError if is_reset else type(None))
    try:
        async with await Tap.dial(gateway) as tap:
            assert isinstance(await tap.over(), ConnectionError if is_reset else type(None))
    except ConnectionError:
        assert is_reset
    gateway.end(fault)
    async with await Tap.dial(gateway) as tap:
        await asyncio.sleep(5.0)
        assert answers(tap.stream)


@pytest.mark.parametrize(
    "fault", [Refuse(), Refuse(keeps_connections=True), Reboot(), Reboot(is_silent=True)]
)
async def test_refusing(serve: Serve, fault: Fault) -> None:
    """Dialling is refused for as long as it lasts; open connections are reset, kept, or silently forgotten."""
    gateway = await serve(2)
    is_kept = isinstance(fault, Refuse) and fault.keeps_connections
    is_silent = isinstance(fault, Reboot) and fault.is_silent
    async with await Tap.dial(gateway) as tap:
        await asyncio.sleep(5.0)
        gateway.begin(fault)
        before = len(tap.stream)
        await asyncio.sleep(5.0)
        with pytest.raises(ConnectionRefusedError):
            await Tap.dial(gateway)
        assert tap.is_over == (not is_kept and not is_silent)
        assert (len(tap.stream) > before + 100) == is_kept
        gateway.end(fault)
        await asyncio.sleep(0.5)
        async with await Tap.dial(gateway) as again:
            await asyncio.sleep(10.0)
            assert answers(again.stream)
        assert (len(tap.stream) > before + 2000) == is_kept
        if is_silent:
            assert not tap.is_over
            tap.writer.write(b"x")
            assert isinstance(await tap.over(), ConnectionError)


@pytest.mark.parametrize("crowding", list(Crowding))
async def test_dead_sockets(serve: Serve, crowding: Crowding) -> None:
    """One place, and who has gone still holds it: the next one is closed, ignored, or served in its stead."""
    gateway = await serve(2)
    gateway.begin(DeadSockets(60.0, 1, crowding))
    async with await Tap.dial(gateway):
        await asyncio.sleep(1.0)
    await asyncio.sleep(1.0)
    assert (gateway.connections, gateway.places_taken) == (0, 1)
    async with await Tap.dial(gateway) as next_one:
        await asyncio.sleep(20.0)
        assert next_one.is_over == (crowding is Crowding.CLOSE)
        assert bool(next_one.stream) == (crowding is Crowding.OLDEST)
        await asyncio.sleep(60.0)
        assert bool(next_one.stream) == (crowding is not Crowding.CLOSE)
    if crowding is Crowding.CLOSE:
        async with await Tap.dial(gateway) as last:
            await asyncio.sleep(5.0)
            assert last.stream


async def test_one_place(serve: Serve) -> None:
    """With one place and a living client the second is closed; the oldest goes if that is the rule."""
    gateway = await serve(2)
    gateway.behave(clients=1)
    async with await Tap.dial(gateway) as one, await Tap.dial(gateway) as two:
        assert await two.over() is None
        gateway.behave(crowding=Crowding.OLDEST)
        async with await Tap.dial(gateway) as three:
            assert await one.over() is None
            await asyncio.sleep(5.0)
            assert answers(three.stream)


# --- timetables -------------------------------------------------------------------------------------------


async def test_a_timetable(serve: Serve) -> None:
    """Faults of gateway and bus begin and end at their times; one without duration strikes once."""
    timetable = Timetable(
        [
            (10.0, 5.0, Stall()),
            (20.0, 0.0, Reset()),
            (30.0, 5.0, SilentBattery(1)),
            (40.0, 0.0, SwapAddresses(1, 2)),
        ]
    )
    gateway = await serve(2, timetable=timetable)
    tap = await Tap.dial(gateway)
    await asyncio.sleep(12.0)
    assert list(gateway.faults) == [Stall()]
    await asyncio.sleep(6.0)
    assert list(gateway.faults) == []
    was_over = tap.is_over
    await asyncio.sleep(3.0)
    assert (was_over, tap.is_over) == (False, True)
    await asyncio.sleep(11.0)
    assert list(gateway.bus.faults) == [SilentBattery(1)]
    await asyncio.sleep(10.0)
    assert list(gateway.bus.faults) == []
    assert {battery.address for battery in gateway.bus.batteries} == {0, 2}
    tap.writer.close()


async def test_two_gateways_on_one_bus(serve: Serve) -> None:
    """A fault of one is none of the other's."""
    one = await serve(3)
    async with Gateway(one.bus, rng=random.Random(2)) as two:
        one.begin(Stall())
        async with await Tap.dial(one) as deaf, await Tap.dial(two) as well:
            await asyncio.sleep(10.0)
            assert deaf.stream == b""
            assert answers(well.stream)


def test_timetables_are_reproducible() -> None:
    """Equal seeds give equal timetables, worse profiles more faults, and nothing happens before the start."""
    sizes = []
    for profile in ("none", "calm", "rough", "hostile"):
        once, again = (random_timetable(random.Random(5), 24.0, profile) for _ in range(2))
        assert once.entries == again.entries
        sizes.append(len(once.entries))
    assert sizes == sorted(sizes)
    assert sizes[0] == 0
    assert set(PROFILES) == {"none", "calm", "rough", "hostile"}
    with pytest.raises(ValueError, match="before the start"):
        Timetable([(-1.0, 1.0, Stall())])


@pytest.mark.parametrize("seed", range(4))
def test_a_hostile_day(seed: int) -> None:
    """Whatever happens, nothing is left behind and a redialling client has exactly what it is said to have."""

    async def day(loop: VirtualLoop) -> None:
        rng = random.Random(seed)
        timetable = random_timetable(rng, 1.0, "hostile")
        async with Bus(stack_of(6), rng=rng) as bus:
            gateway = Gateway(bus, rng=rng, host="gw", port=8899, timetable=timetable)
            async with gateway:
                ended_at = loop.time() + timetable.end_s + 60.0
                while loop.time() < ended_at:
                    try:
                        tap = await Tap.dial(gateway)
                    except OSError:
                        await asyncio.sleep(1.0)
                        continue
                    async with tap:
                        await tap.over_within(min(600.0, ended_at - loop.time()))
                    await asyncio.sleep(0.5)
            certain = sum(gateway.counts.values())
            assert certain > 200
            assert sum(receiver.counts.total() for receiver in gateway.receivers) == certain
        assert bus.faults == gateway.faults == ()

    run_virtual(day, seed=seed, settle_s=1.0)
