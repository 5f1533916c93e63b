"""Faults found while the driver contract was written: each test here failed when it was added.

They are kept apart until they are mended; each then belongs to the file of its subject.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.hub.site.spec import DeviceSpec
from holdfast.link.coro import CoroSession
from holdfast.link.driver import Poll
from holdfast.link.stream import StreamSession
from holdfast.link.wheel import Entry, TimerWheel
from holdfast.model import Batch, CommandState, Quality, ReasonCode, WhileAlive
from holdfast.transports.tcp import dial_tcp
from tests.link.house import ME, hub_of, loop, spec
from tests.link.toys import advert, bus
from tests.link.toys.lockstep import CAPABILITIES, OPEN, PORT, LineCodec, LineDevice

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from holdfast.link.driver import Driver
    from holdfast.link.session import Job, Sink
    from holdfast.model import Event, Identity, Value

pytestmark = pytest.mark.virtual


def lamp(codec: type[LineCodec]) -> DeviceSpec:
    """The lock-step toy with another codec."""

    def connect(drivers: Sequence[Driver], sink: Sink) -> StreamSession:
        return StreamSession(dial_tcp("lamp", PORT), codec(OPEN), sink)

    return refitted(spec("lamp", "lockstep", "lamp"), connect=connect)


def refitted(good: DeviceSpec, **parts: Any) -> DeviceSpec:
    """The device with other parts in its driver."""
    return DeviceSpec(good.device, tuple(replace(driver, **parts) for driver in good.drivers))


def escaped() -> list[dict[str, Any]]:
    """What escapes into the loop from now on."""
    found: list[dict[str, Any]] = []
    loop().set_exception_handler(lambda _, context: found.append(context))
    return found


class Rude(asyncio.Protocol):
    """Welcomes and hangs up at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(b"WELCOME x\n")
        self.transport.close()


async def test_a_session_lost_while_it_opens_leaves_no_session() -> None:
    """A loss between the end of `open` and the supervisor's next turn is a loss: no job on a session that is gone."""
    bad = escaped()
    await loop().create_server(Rude, "lamp", PORT)
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        (link,) = hub.links.values()
        for _ in range(200):
            await asyncio.sleep(0.01)
            assert link.session is not None or not link.has_session
    assert bad == []


async def test_one_failing_wheel_entry_costs_the_others_nothing() -> None:
    """What one link's entry raises stops no other link's: they share the slots, and a lost entry never fires again."""
    escaped()
    wheel = TimerWheel(loop())
    fired: list[float] = []

    def fail(now: float) -> None:
        raise KeyError("a bug")

    bad, good = Entry(fail), Entry(fired.append)
    wheel.arm(bad, loop().time() + 1)
    wheel.arm(good, loop().time() + 1)
    await asyncio.sleep(2)
    assert fired


async def test_an_equal_answer_after_another_one_is_no_equal_answer() -> None:
    """After an unasked frame with other content, the next answer is decoded though it equals the one before it."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5.1)
        for transport in device.open:
            transport.write(b"= lamp:0 level:33\n")
        await asyncio.sleep(0.02)
        assert hub.reading("lamp/level").value == 33
        await asyncio.sleep(1)
        assert hub.reading("lamp/level").value == device.state["level"] == 10


async def test_an_order_survives_a_driver_that_fails_once() -> None:
    """A standing order whose first step failed with a bug of the driver is sent in the next session."""

    class OnceFaulty(LineCodec):
        failures = 0

        def encode(self, payload: Any) -> bytes:
            OnceFaulty.failures += 1
            if OnceFaulty.failures == 1:
                raise TypeError("a bug")
            return super().encode(payload)

    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(lamp(OnceFaulty)) as hub:
        await asyncio.sleep(3)
        hub.order("lamp/lamp", True, "test")
        await asyncio.sleep(60)
        assert device.state["lamp"] == 1


class Lingering:
    """A library whose read fetches at once and then lingers, deaf to cancellation, while told to."""

    def __init__(self) -> None:
        self.is_on = False
        self.is_lingering = False

    async def connect(self) -> Identity | None:
        return None

    async def read(self, what: str) -> Iterable[Batch]:
        seen = self.is_on
        while self.is_lingering:
            try:
                await asyncio.sleep(0.5)
            except asyncio.CancelledError:
                continue
        return [Batch("", "live", seen)]

    async def do(self, payload: Any) -> None:
        """Nothing."""

    async def bye(self) -> None:
        """Nothing."""


async def test_a_lingering_call_is_not_the_answer_to_the_next_question() -> None:
    """A call given up at its deadline never ends the next turn of the same poll, nor passes as its answer."""
    library = Lingering()
    plug = refitted(spec("plug", "library", "p"), connect=lambda _, sink: CoroSession(library, sink))
    async with hub_of(plug) as hub:
        await asyncio.sleep(15)
        library.is_lingering = True
        await asyncio.sleep(6)  # asked at 20 s, given up at 24 s
        library.is_on = True
        await asyncio.sleep(10)  # asked again at 30 s
        library.is_lingering = False
        await asyncio.sleep(1)
        reading = hub.reading("plug/switch")
        assert reading.value is True or (reading.age_s or 0.0) > 9


async def test_a_codec_that_fails_in_a_gap_is_a_driver_fault() -> None:
    """What a codec raises when the rest of a message does not come ends the session; it never reaches the loop."""

    class Unflushable(LineCodec):
        def flush(self) -> Iterable[Event]:
            self._buffer = b""
            raise KeyError("a bug")

    bad = escaped()
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(lamp(Unflushable)) as hub:
        await asyncio.sleep(3.2)  # polls at 3.15 and 3.5 s
        for transport in device.open:
            transport.write(b"= lamp:1 le")
        await asyncio.sleep(0.1)
        assert bad == []
        assert hub.device("lamp").reason.code is ReasonCode.INTERNAL


async def test_a_listener_is_not_told_of_anothers_fault() -> None:
    """`check` and `project` that raise end in the sink: whoever calls a listener back serves others as well."""

    def project(member: str, group: str, raw: Any, before: Mapping[str, Value]) -> Mapping[str, Value]:
        raise KeyError("a bug")

    advert.ROOM.ears.clear()
    red = refitted(spec("red", "advert", "red"), project=project)
    async with hub_of(red, spec("blue", "advert", "blue")) as hub:
        await asyncio.sleep(1)
        advert.ROOM.shout("red", 19.5)
        advert.ROOM.shout("blue", 20.5)
        assert hub.reading("blue/temperature").value == 20.5


async def test_a_lost_session_forgets_who_stood_in_line() -> None:
    """A device that waited for the slot when the session was lost can stand in line again in the next one."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5)
        device.is_deaf = True
        await asyncio.sleep(0.5)
        hub.command("lamp/lamp", True, ME)
        await asyncio.sleep(0.02)
        (link,) = hub.links.values()
        lamp = hub.device("lamp")
        assert lamp in link.queue
        loop().network.host("lamp").reset_all()
        device.is_deaf = False
        device.reply_s = 0.3
        await asyncio.sleep(0.01)
        for _ in range(1000):
            await asyncio.sleep(0.01)
            if link.has_session and link.job is not None:
                break
        lamp.desk.ask()
        await asyncio.sleep(0.01)
        assert lamp in link.queue


async def test_stop_with_an_open_order_leaves_no_timer() -> None:
    """Stopping in the turn in which the planner was asked leaves none of its wake-ups behind."""
    device = LineDevice()
    device.stuck = {"lamp"}
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(3)
        hub.order("lamp/lamp", True, "test")
        await asyncio.sleep(0.05)
        hub.command("lamp/level", 5, ME)
        await hub.stop()
        assert loop().leftovers() == []


async def test_the_first_silence_is_noticed_in_its_time() -> None:
    """Where first data may take longer than silence, the first silence is not left to that longer limit."""
    gateway = bus.Gateway()
    await gateway.listen("gw")
    async with hub_of(spec("one", "bus", "gw", members=["1"])) as hub:
        (link,) = hub.links.values()
        await asyncio.sleep(0.5)
        gateway.say(bus.frame(1, 50_000))
        await asyncio.sleep(link.timing.silence_s + 0.1)
        assert link.report.outage_count == 1


@pytest.mark.parametrize(("quick_s", "slow_s"), [(0.0, 0.9), (2.0, 0.9), (2.0, 1.04)])
async def test_late_answers_are_never_dated_too_young(quick_s: float, slow_s: float) -> None:
    """With answers slower than the reply deadline, a value dated to a moment was true at that moment or later.

    Also when the device was quick at first: a late answer that happens to come right after the next question looks
    like a quick one, and with a steady delay it does so each time.
    """
    device = LineDevice()
    device.answers_as_asked = True
    await device.listen("lamp")
    gone_t: dict[int, float] = {}
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        (link,) = hub.links.values()
        await asyncio.sleep(quick_s)
        device.reply_s = slow_s
        for k in range(1000):
            gone_t[device.state["level"]] = loop().time()
            device.state["level"] = 10 + k % 80
            gone_t.pop(device.state["level"], None)
            await asyncio.sleep(0.02)
            evidence = link.routes["", "live"]
            shown = evidence.values.get("level")
            assert shown not in gone_t or evidence.t <= gone_t[shown] + 1e-6  # type: ignore[index]


async def test_two_questions_for_one_group_know_of_each_other() -> None:
    """An answer that equals the one before it to the *same* question is news if another question told otherwise."""
    device = LineDevice()
    await device.listen("lamp")
    polls = [Poll("READ", "", "live", 0.35, 0.2), Poll("READ ALL", "", "live", 1.0, 0.2)]
    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), polls=polls)) as hub:
        await asyncio.sleep(4.1)  # READ ALL was answered at 4 s
        device.state["level"] = 20  # which READ tells from 4.2 s on
        await asyncio.sleep(0.85)
        assert hub.reading("lamp/level").value == 20
        device.state["level"] = 10
        await asyncio.sleep(0.1)  # READ ALL was answered at 5 s, as at 4 s
        reading = hub.reading("lamp/level")
        assert reading.value == 10 or (reading.age_s or 0.0) > 0.1


class Raising(StreamSession):
    """A session one of whose calls fails."""

    what = ""

    def forget(self, job: Job) -> None:
        if self.what == "forget":
            raise KeyError("a bug")
        super().forget(job)

    def abort(self) -> None:
        super().abort()
        if self.what == "abort":
            raise KeyError("a bug")


@pytest.mark.parametrize("what", ["forget", "abort"])
async def test_a_session_that_cannot_be_ended_is_still_replaced(what: str) -> None:
    """What `forget` or `abort` raise costs the session at most, never the link."""

    class Faulty(Raising):
        pass

    Faulty.what = what

    def connect(drivers: Sequence[Driver], sink: Sink) -> StreamSession:
        return Faulty(dial_tcp("lamp", PORT), LineCodec(OPEN), sink)

    bad = escaped()
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), connect=connect)) as hub:
        await asyncio.sleep(3)
        device.is_deaf = True
        await asyncio.sleep(0.8)
        device.is_deaf = False
        loop().network.host("lamp").reset_all()
        await asyncio.sleep(10)
        assert hub.reading("lamp/level").quality is Quality.GOOD
    assert bad == []


async def test_a_planner_that_fails_ends_its_command_and_nothing_else() -> None:
    """What a planner raises is the driver's fault: told in the receipt, and it never reaches the loop."""

    def plan(*_: Any) -> Any:
        raise KeyError("a bug")

    bad = escaped()
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), planner=plan)) as hub:
        await asyncio.sleep(3)
        receipt = await hub.ended(hub.command("lamp/lamp", True, ME, 5.0))
        assert receipt.state.is_end
        assert hub.reading("lamp/level").quality is Quality.GOOD
    assert bad == []


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


@pytest.mark.parametrize("phase", range(6))
async def test_no_command_is_verified_by_an_answer_older_than_itself(phase: int) -> None:
    """A device that turned slow shows in a late answer what was so before the command: that proves nothing.

    The worst of the late answers: a receipt says verified, and the device never did it.
    """
    device = LineDevice()
    device.answers_as_asked = True
    device.state["lamp"] = 1
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(3)
        device.reply_s = 1.04
        await asyncio.sleep(0.35 + 0.03 * phase)
        device.state["lamp"] = 0  # by a wall switch
        device.stuck = {"lamp"}
        receipt = await hub.ended(hub.command("lamp/lamp", True, ME, 3.0))
        assert receipt.state is not CommandState.VERIFIED
