"""The ready-made session: cut, glued and leftover bytes."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.errors import LinkFault, SessionLost, Silent
from holdfast.link.driver import Poll
from holdfast.link.session import Job, OpenLimits
from holdfast.link.stream import GONE_S, OWED_S, StreamSession
from holdfast.model import (
    Availability,
    Batch,
    Bye,
    CommandState,
    Event,
    Heard,
    HeardWhy,
    Identity,
    Quality,
    ReasonCode,
    Say,
)
from holdfast.simulation import Split
from holdfast.testing.ear import Ear
from tests.link.house import ME, command, escaped, hub_of, lamp, loop, refitted, spec
from tests.link.toys import bus
from tests.link.toys.lockstep import OPEN, LineCodec, LineDevice, _LineServer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from holdfast.link.stream_codec import Codec, Question

pytestmark = pytest.mark.virtual


async def test_byte_by_byte() -> None:
    """Answers that come in single bytes are the same answers."""
    device = LineDevice()
    await device.listen("lamp")
    loop().network.host("lamp").split = Split(largest=1)
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(10)
        assert hub.reading("lamp/level").value == 10
        assert (await command(hub, "lamp/lamp", True)).state is CommandState.VERIFIED


async def test_next_request_ends_the_previous_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leftover bytes of one exchange never spoil the answer to the next question."""
    device = LineDevice()
    await device.listen("lamp")
    original = _LineServer.say

    def say(self: _LineServer, data: bytes) -> None:
        original(self, b"OK" if data == b"OK\n" else data)  # an acknowledgement without its end

    monkeypatch.setattr(_LineServer, "say", say)
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5)
        receipt = await command(hub, "lamp/lamp", True)
        assert receipt.state is CommandState.VERIFIED
        assert receipt.ended_after_s is not None
        assert receipt.ended_after_s < 0.1


async def test_a_cut_answer_costs_one_poll() -> None:
    """The rest that never comes is dropped after the gap; the next answer is good."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5)
        for transport in device.open:
            transport.write(b"= lamp:1 le")
        await asyncio.sleep(1)
        (link,) = hub.links.values()
        assert link.report.rejects["cut"] == 1
        assert hub.reading("lamp/lamp").value is False
        assert link.report.sessions == 1


async def test_unasked_answers_are_taken_with_the_last_question() -> None:
    """An answer nobody asked for is evidence no newer than the last question."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5.1)
        for transport in device.open:
            transport.write(b"= lamp:0 level:33\n")
        await asyncio.sleep(0.01)
        reading = hub.reading("lamp/level")
        assert reading.value == 33
        assert reading.age_s is not None
        assert reading.age_s >= 0.01


async def test_closed_right_after_login() -> None:
    """A peer that welcomes and hangs up is an outage in words."""

    class Rude(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(b"WELCOME x\n")  # type: ignore[attr-defined]
            self.transport.close()

    await asyncio.get_running_loop().create_server(Rude, "lamp", 7000)
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(3)
        assert "closed" in hub.device("lamp").reason.text


async def test_early_data_after_login_is_not_lost() -> None:
    """What comes glued to the login's answer is read."""

    class Eager(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            if data.startswith(b"LOGIN"):
                self.transport.write(b"WELCOME x\n")  # type: ignore[attr-defined]
                self.transport.write(b"= lamp:1 level:5\n")  # type: ignore[attr-defined]

    await asyncio.get_running_loop().create_server(Eager, "lamp", 7000)
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(0.5)
        assert hub.reading("lamp/level").value == 5


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


# --- the session by itself --------------------------------------------------------------------------------------


class Wire(asyncio.Transport):
    """A transport that remembers, and says that it is gone only when told or aborted."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol = protocol
        self.said = b""
        self.ends: list[str] = []

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self.said += bytes(data)

    def is_closing(self) -> bool:
        return bool(self.ends)

    def close(self) -> None:
        self.ends.append("close")

    def abort(self) -> None:
        if "abort" not in self.ends:
            self.ends.append("abort")
            loop().call_soon(self.protocol.connection_lost, None)


class LossEar(Ear):
    """Keeps the faults by themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[LinkFault] = []

    def lost(self, fault: LinkFault) -> None:
        self.faults.append(fault)


class Bench:
    """A stream session on such a transport, and its reports."""

    def __init__(self, codec: Codec, *, dial_s: float = 0.0) -> None:
        self.ear = LossEar()
        self.faults = self.ear.faults
        self.dial_s = dial_s
        self.session = StreamSession(self.dial, codec, self.ear)
        self.wire = Wire(self.session)

    async def dial(self, factory: Callable[[], asyncio.Protocol], limit_s: float) -> asyncio.Transport:
        factory().connection_made(self.wire)
        await asyncio.sleep(self.dial_s)
        return self.wire

    async def open(self) -> None:
        await self.session.open(OpenLimits(3.0, 1.0))


async def test_a_dial_that_ends_after_the_session_is_hung_up() -> None:
    """A connection that comes when the session was already ended is aborted, and opening says so."""
    bench = Bench(bus.FrameCodec())
    bench.session.abort()
    with pytest.raises(SessionLost, match="closed at once"):
        await bench.open()
    assert bench.wire.ends == ["abort"]


async def test_a_connection_lost_before_the_login_begins() -> None:
    """A dial that takes longer than the connection lives is a loss, also where there is no login to notice it."""
    bench = Bench(bus.FrameCodec(), dial_s=1.0)
    loop().call_later(0.5, bench.session.connection_lost, None)
    with pytest.raises(SessionLost, match="right after the login"):
        await bench.open()
    assert bench.faults == []


async def test_a_device_that_speaks_first_is_listened_to() -> None:
    """A login may begin by listening: nothing is sent until the greeting is there."""

    class Greeted(LineCodec):
        def login(self) -> Generator[Say, Heard, Identity | None]:
            heard = yield Say(b"", lambda data: b"\n" in data, 0.1, 1.0)
            assert heard.data == b"HELLO\n"
            return (yield from super().login())

    bench = Bench(Greeted(OPEN))
    loop().call_later(0.1, bench.session.data_received, b"HELLO\n")
    loop().call_later(0.2, bench.session.data_received, b"WELCOME x\n")
    await bench.open()
    assert bench.wire.said == b"LOGIN open\n"
    assert repr(bench.session) == "<StreamSession ready job=None>"


async def test_a_device_that_hangs_up_instead_of_answering_the_login() -> None:
    """The codec is told that the peer closed, with what came before that, and need not wait for the limit."""
    told: list[Heard] = []

    class Curious(LineCodec):
        def login(self) -> Generator[Say, Heard, Identity | None]:
            told.append((yield Say(b"LOGIN\n", lambda data: False, 0.5, 1.0)))
            raise Silent("no answer")

    bench = Bench(Curious(OPEN))
    start_t = loop().time()
    assert repr(bench.session) == "<StreamSession opening job=None>"
    loop().call_later(0.1, bench.session.data_received, b"WEL")
    loop().call_later(0.2, bench.session.connection_lost, None)
    with pytest.raises(Silent):
        await bench.open()
    assert told == [Heard(b"WEL", HeardWhy.CLOSED)]
    assert loop().time() - start_t == pytest.approx(0.2)


@pytest.mark.parametrize("is_open", [True, False])
async def test_an_ended_session_reports_nothing(is_open: bool) -> None:
    """What still comes after the end, whole or cut, in the login or behind it, is no evidence."""
    bench = Bench(bus.FrameCodec() if is_open else LineCodec(OPEN))
    opening = asyncio.ensure_future(bench.open())
    await asyncio.sleep(0.1)
    assert opening.done() is is_open
    bench.session.data_received(b"<")
    bench.session.abort()
    bench.session.data_received(bus.frame(1, 50_000)[1:])
    await asyncio.sleep(2)
    assert bench.ear.reports == []
    assert bench.faults == []
    assert repr(bench.session) == "<StreamSession mute job=None>"
    with contextlib.suppress(LinkFault):
        await opening


async def test_a_loss_is_told_in_words() -> None:
    """An error with a text of its own, with that of the system, or without any: the reason is never empty."""
    words = []
    for error in (ConnectionResetError(104, "Connection reset by peer"), ValueError("bad record"), OSError()):
        bench = Bench(bus.FrameCodec())
        await bench.open()
        bench.session.connection_lost(error)
        words.append(bench.faults[0].text)
    assert words == [
        "the connection broke: connection reset by peer",
        "the connection broke: bad record",
        "the connection broke: OSError",
    ]


async def test_a_transport_that_does_not_go_is_aborted() -> None:
    """Closing says goodbye, waits 0.3 s for the transport to be gone, and then no longer."""
    bench = Bench(LineCodec(OPEN))
    loop().call_later(0.1, bench.session.data_received, b"WELCOME x\n")
    await bench.open()
    start_t = loop().time()
    await bench.session.close(goodbye=True)
    assert bench.wire.ends == ["close", "abort"]
    assert bench.wire.said.endswith(b"BYE\n")
    assert loop().time() - start_t == pytest.approx(GONE_S)


async def test_forgetting_an_answered_question_owes_nothing() -> None:
    """A deadline that passes in the moment of the answer leaves no debt: the next answer has the next stamp."""
    bench = Bench(LineCodec(OPEN))
    loop().call_later(0.1, bench.session.data_received, b"WELCOME x\n")
    await bench.open()
    job = Job("READ", "", "live", reply_s=0.65)
    for _ in range(2):
        bench.session.start(job)
        bench.session.data_received(b"= lamp:0 level:10\n")
        bench.session.forget(job)
    assert bench.ear.reports == ["observed", "finished", "same", "finished"]


# --- with a device ------------------------------------------------------------------------------------------------


async def test_a_codec_that_fails_on_content_is_a_driver_fault() -> None:
    """What a codec raises while it is fed ends the session; asyncio never sees it."""

    class Choking(LineCodec):
        def feed(self, data: bytes) -> Iterable[Event]:
            if b"level:13" in data:
                raise KeyError("a bug")
            return super().feed(data)

    bad = escaped()
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(lamp(Choking)) as hub:
        await asyncio.sleep(3)
        device.state["level"] = 13
        await asyncio.sleep(0.5)
        assert hub.device("lamp").reason.code is ReasonCode.INTERNAL
        device.state["level"] = 10
        await asyncio.sleep(5)
        assert hub.reading("lamp/level").quality is Quality.GOOD
    assert bad == []


async def test_a_farewell_of_the_device_ends_the_session() -> None:
    """A device that says it will hang up is believed at once, in its words; nothing behind them counts."""

    class Parting(LineCodec):
        def _read(self, line: bytes) -> Event:
            return Bye("another client took over") if line == b"BYE" else super()._read(line)

    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(lamp(Parting)) as hub:
        await asyncio.sleep(3.2)
        for transport in device.open:
            transport.write(b"BYE\n= lamp:1 level:33\n")
        await asyncio.sleep(0.01)
        assert hub.device("lamp").reason.text == "another client took over"
        assert hub.reading("lamp/level").last_known == 10
        await asyncio.sleep(1)
        assert hub.device("lamp").availability is Availability.ONLINE


async def test_a_state_that_answers_a_step_is_evidence_from_after_it() -> None:
    """Where the answer to a write is the state itself, it carries the stamp of the write."""

    class Talkative(LineCodec):
        def answers(self, job: Question, event: Event) -> bool:
            return isinstance(event, Batch)

    device = LineDevice()
    device.acks = False
    await device.listen("lamp")
    slow = replace(lamp(Talkative).drivers[0].timing, ack_s=0.3)
    async with hub_of(refitted(lamp(Talkative), timing=slow)) as hub:
        await asyncio.sleep(3.2)
        (link,) = hub.links.values()
        hub.command("lamp/level", 20, ME)
        await asyncio.sleep(0.05)
        job = link.job
        assert job is not None
        assert job.is_step
        sent = job.stamp
        for transport in device.open:
            transport.write(b"= lamp:0 level:20\n")
        await asyncio.sleep(0.001)
        assert job is not link.job
        assert link.routes["", "live"].as_of >= sent
        assert hub.reading("lamp/level").value == 20


async def test_answers_that_lag_too_far_behind_begin_the_session_anew() -> None:
    """When the oldest open question is more than 1.5 s old, questions and answers are no longer told apart."""
    device = LineDevice()
    await device.listen("lamp")
    patient = replace(spec("lamp", "lockstep", "lamp").drivers[0].timing, silence_s=30.0)
    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), timing=patient)) as hub:
        await asyncio.sleep(3)
        device.reply_s = 5.0
        await asyncio.sleep(OWED_S + 0.65 + 0.4)
        assert "answers are owed" in hub.device("lamp").reason.text
        device.reply_s = 0.0
        await asyncio.sleep(8)
        assert hub.reading("lamp/level").quality is Quality.GOOD


async def test_a_slow_message_is_not_cut_while_it_comes() -> None:
    """The gap counts from the last byte: a message that dribbles in is whole, however long it takes."""
    device = LineDevice()
    await device.listen("lamp")
    polls = [Poll("READ", "", "live", 5.0, 2.0)]
    patient = replace(spec("lamp", "lockstep", "lamp").drivers[0].timing, silence_s=30.0)
    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), polls=polls, timing=patient)) as hub:
        await asyncio.sleep(2)
        for byte in b"= lamp:1 level:33\n":
            for transport in device.open:
                transport.write(bytes([byte]))
            await asyncio.sleep(0.03)
        (link,) = hub.links.values()
        assert hub.reading("lamp/level").last_known == 33
        assert not link.report.rejects
