"""Each fault, seen by a tiny client: on a real loopback socket and in virtual time alike."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from holdfast.simulation import VirtualLoop
from holdfast.simulators.ipcom import (
    Drop,
    Duplicate,
    Fault,
    Freeze,
    Garbage,
    Glue,
    Goodbye,
    Late,
    LoseReplies,
    NewKeys,
    Refuse,
    Reset,
    SlowBus,
    Split,
    Stall,
    StuckRelay,
    Truncate,
    Unsolicited,
    WriteReplies,
    WriteReply,
    WrongPassword,
)
from holdfast.simulators.ipcom.cipher import LOGIN
from tests.simulators.ipcom.client import GOODBYE, KEEP_ALIVE, POLL, SNAPSHOT_SIZE, Client, login_request

if TYPE_CHECKING:
    from tests.simulators.ipcom.conftest import Serve

pytestmark = pytest.mark.asyncio(loop_factories=["real", "sim"])

ON = bytes((255,) * 8)


async def test_refuse(serve: Serve) -> None:
    """While refused the port is closed and the connection reset; afterwards the same port answers again."""
    controller, fault = await serve(), Refuse()
    port = controller.port
    async with await Client.with_session(controller) as client:
        controller.begin(fault)
        with pytest.raises(ConnectionResetError):
            await client.take(1)
    with pytest.raises(ConnectionRefusedError):
        await Client.dial(controller)
    controller.end(fault)
    async with await Client.with_session(controller) as client:
        assert await client.poll() == bytes(128)
    assert controller.port == port


async def test_refuse_new_connections_only(serve: Serve) -> None:
    """A closed port need not touch the connections that are open."""
    controller = await serve()
    async with await Client.with_session(controller) as client:
        controller.begin(Refuse(keeps_connections=True))
        assert await client.poll() == bytes(128)
        with pytest.raises(ConnectionRefusedError):
            await Client.dial(controller)


async def test_a_refusal_that_is_called_off_at_once(serve: Serve) -> None:
    """However quickly refusals come and go, the last word counts."""
    controller, faults = await serve(), [Refuse(), Refuse()]
    for fault in faults:
        controller.begin(fault)
    controller.end(faults[0])
    await asyncio.sleep(0)
    with pytest.raises(ConnectionRefusedError):
        await Client.dial(controller)
    controller.end(faults[1])
    controller.begin(faults[0])
    await asyncio.sleep(0.05)
    with pytest.raises(ConnectionRefusedError):
        await Client.dial(controller)
    controller.end(faults[0])
    controller.begin(faults[0])
    controller.end(faults[0])
    async with await Client.with_session(controller) as client:
        assert await client.poll() == bytes(128)


async def test_refused_from_the_start(serve: Serve) -> None:
    """A device that does not listen when it starts can be dialled once it does."""
    controller = await serve()
    await controller.stop()
    controller.behave(is_listening=False)
    await controller.start()
    with pytest.raises(ConnectionRefusedError):
        await Client.dial(controller)
    controller.behave(is_listening=True)
    async with await Client.with_session(controller) as client:
        assert await client.poll() == bytes(128)


async def test_drop(serve: Serve) -> None:
    """A drop is a clean end of the stream, for new connections too while it lasts."""
    controller, fault = await serve(), Drop()
    async with await Client.with_session(controller) as client:
        controller.begin(fault)
        assert await client.rest() == b""
    async with await Client.dial(controller) as client:
        assert await client.rest() == b""
    controller.end(fault)
    async with await Client.with_session(controller) as client:
        assert await client.poll() == bytes(128)


async def test_reset(serve: Serve) -> None:
    """A reset fails the peer's read, for new connections too while it lasts."""
    controller, fault = await serve(), Reset()
    async with await Client.with_session(controller) as client:
        controller.begin(fault)
        with pytest.raises(ConnectionResetError):
            await client.take(1)
    with pytest.raises(ConnectionResetError):
        await (await Client.dial(controller)).take(1)
    controller.end(fault)
    async with await Client.with_session(controller) as client:
        assert await client.poll() == bytes(128)


async def test_goodbye(serve: Serve) -> None:
    """The device says goodbye and closes; whoever has no session yet hears nothing of that or of other outbursts."""
    controller = await serve()
    async with await Client.with_session(controller) as client, await Client.dial(controller) as other:
        for fault in (Unsolicited(), Garbage(), Goodbye()):
            fault.strike(controller)
        assert client.cipher.decode((await client.rest())[-2:]) == GOODBYE
        assert len(await other.login()) == 135


async def test_stall(serve: Serve) -> None:
    """A stalled device answers nothing, old or new; afterwards what came meanwhile is forgotten."""
    controller, fault = await serve(reply_delay_s=60.0), Stall()
    async with await Client.with_session(controller) as client, await Client.dial(controller) as other:
        client.send(POLL)
        await asyncio.sleep(0.01)
        controller.begin(fault)
        controller.behave(reply_delay_s=0.0)
        await client.write(1, *ON)
        other.send_raw(LOGIN.encode(login_request()))
        assert await client.silence(0.1)
        assert await other.silence(0.01)
        controller.end(fault)
        assert await client.silence(0.05)
        assert await client.poll() == bytes(128)
        assert len(await other.login()) == 135
    assert not controller.frames


async def test_a_stall_with_late_answers(serve: Serve) -> None:
    """The other kind of stall ends with everything that came meanwhile being served: writes too."""
    controller, fault = await serve(), Stall(answers_late=True)
    async with await Client.with_session(controller) as client:
        controller.begin(fault)
        await client.write(1, *ON)
        await asyncio.sleep(0.02)
        client.send(POLL)
        assert await client.silence(0.05)
        controller.end(fault)
        assert await client.hear(3) == b"\x04\x01\x00"
        assert (await client.hear(SNAPSHOT_SIZE))[2:10] == ON


async def test_no_time_out_while_stalled(serve: Serve) -> None:
    """A stalled device drops nobody for being idle; afterwards the time-out holds again."""
    controller, fault = await serve(idle_timeout_s=0.05), Stall()
    async with await Client.with_session(controller) as client:
        controller.begin(fault)
        assert await client.silence(0.15)
        controller.end(fault)
        assert await client.rest() == b""


async def test_freeze(serve: Serve) -> None:
    """A frozen device answers with the state from when it froze, while writes and hands go on behind it."""
    controller, fault = await serve(), Freeze()
    async with await Client.with_session(controller) as client:
        controller.begin(fault)
        await client.write(1, *ON)
        await client.hear(3)
        controller.house.press(2, 1)
        assert await client.poll() == bytes(128)
        assert controller.house.outputs[:9] == ON + b"\xff"
        controller.end(fault)
        assert (await client.poll())[:9] == ON + b"\xff"


async def test_wrong_password(serve: Serve) -> None:
    """For a while good logins are refused; sessions that exist go on."""
    controller, fault = await serve(), WrongPassword()
    async with await Client.with_session(controller) as client, await Client.dial(controller) as other:
        controller.begin(fault)
        other.send_raw(LOGIN.encode(login_request()))
        assert client.cipher.decode(await other.rest()) == GOODBYE
        assert await client.poll() == bytes(128)
        controller.end(fault)
    async with await Client.with_session(controller) as client:
        assert await client.poll() == bytes(128)


async def test_new_keys(serve: Serve) -> None:
    """While it lasts no two sessions have the same key."""
    controller = await serve()
    controller.begin(NewKeys())
    async with await Client.with_session(controller) as one, await Client.with_session(controller) as two:
        assert one.key != two.key
        assert await one.poll() == await two.poll()


async def test_late(serve: Serve) -> None:
    """Every reply is late, whatever it is, and the order stays."""
    controller = await serve()
    async with await Client.with_session(controller) as client:
        controller.begin(Late(0.4))
        client.send(KEEP_ALIVE)
        await asyncio.sleep(0.02)
        client.send(POLL)
        assert await client.silence(0.03)
        assert await client.hear(2) == KEEP_ALIVE
        assert (await client.hear(SNAPSHOT_SIZE))[:2] == POLL


async def test_lose_replies(serve: Serve) -> None:
    """A lost reply never comes; the request was heard all the same."""
    controller, fault = await serve(), LoseReplies()
    async with await Client.with_session(controller) as client:
        controller.begin(fault)
        client.send(POLL)
        assert await client.silence(0.05)
        assert controller.counts["polls"] == 1
        controller.end(fault)
        assert await client.poll() == bytes(128)


async def test_truncate(serve: Serve) -> None:
    """A truncated snapshot begins like a whole one and ends too soon."""
    controller, fault = await serve(), Truncate()
    async with await Client.with_session(controller) as client:
        whole = client.cipher.encode(POLL + bytes(128))
        controller.begin(fault)
        client.send(POLL)
        part = await client.segment()
        assert 1 <= len(part) < SNAPSHOT_SIZE
        assert whole.startswith(part)
        assert await client.silence(0.05)
        controller.end(fault)
        assert await client.poll() == bytes(128)


async def test_duplicate(serve: Serve) -> None:
    """A duplicated reply comes twice, byte for byte."""
    controller = await serve()
    async with await Client.with_session(controller) as client:
        controller.begin(Duplicate())
        client.send(POLL)
        assert await client.hear(SNAPSHOT_SIZE) == await client.hear(SNAPSHOT_SIZE)
        assert await client.silence(0.02)


async def test_garbage(serve: Serve) -> None:
    """Noise comes once unasked and then before replies; the reply behind it is whole."""
    controller = await serve()
    async with await Client.with_session(controller) as client:
        controller.begin(Garbage(longest=5))
        assert 1 <= len(await client.segment()) <= 5
        client.send(POLL)
        noise = (await client.segment()).removesuffix(client.cipher.encode(POLL + bytes(128)))
        assert 1 <= len(noise) <= 5
        assert all(client.cipher.decode(bytes((byte,)))[0] not in (1, 2, 3, 4, 5, 6, 0x23) for byte in noise)


@pytest.mark.parametrize("longest_piece", [1, 50])
async def test_split(serve: Serve, longest_piece: int) -> None:
    """A split reply comes in small segments that are whole when put together."""
    controller = await serve()
    async with await Client.with_session(controller) as client:
        controller.begin(Split(longest_piece, gap_s=0.002))
        client.send(POLL)
        segments = [await client.segment()]
        while sum(map(len, segments)) < SNAPSHOT_SIZE:
            segments.append(await client.segment())
        assert b"".join(segments) == client.cipher.encode(POLL + bytes(128))
        if isinstance(asyncio.get_running_loop(), VirtualLoop):  # a busy machine may deliver pieces together
            assert len(segments) > 65 / longest_piece


async def test_glue(serve: Serve) -> None:
    """A reply waits for the next one, and both come in one segment; alone it goes after its time."""
    controller = await serve()
    async with await Client.with_session(controller) as client:
        controller.begin(Glue(hold_s=0.6))
        client.send(KEEP_ALIVE)
        assert await client.silence(0.05)
        client.send(POLL)
        both = await client.segment()
        assert both == client.cipher.encode(KEEP_ALIVE) + client.cipher.encode(POLL + bytes(128))
        client.send(KEEP_ALIVE)
        assert await client.hear(2) == KEEP_ALIVE


async def test_unsolicited(serve: Serve) -> None:
    """Every session gets one snapshot of the present that it did not ask for."""
    controller = await serve()
    async with await Client.with_session(controller) as client:
        controller.house.press(1, 1)
        Unsolicited().strike(controller)
        assert (await client.hear(SNAPSHOT_SIZE))[:3] == POLL + b"\xff"


async def test_write_replies(serve: Serve) -> None:
    """The kind of write reply can change in the middle of a session."""
    controller, fault = await serve(), WriteReplies(WriteReply.SHORT_ACK)
    async with await Client.with_session(controller) as client:
        controller.begin(fault)
        await client.write(1, *ON)
        assert await client.hear(2) == b"\x04\x01"
        controller.end(fault)
        await client.write(1, *ON)
        assert await client.hear(3) == b"\x04\x01\x00"


async def test_slow_bus(serve: Serve) -> None:
    """Writes under way keep their time, and none overtakes a slow one before it."""
    controller, fault = await serve(), SlowBus(0.1)
    async with await Client.with_session(controller) as client:
        controller.begin(fault)
        await client.write(1, *ON)
        await client.hear(3)
        controller.end(fault)
        await client.write(1, *bytes(8))
        await client.hear(3)
        await asyncio.sleep(0.15)
        assert await client.poll() == bytes(128)
    assert [change.new for change in controller.house.changes] == [255] * 8 + [0] * 8


async def test_stuck_relay(serve: Serve) -> None:
    """A stuck relay stays and is reported as it is; once released it obeys."""
    controller, fault = await serve(), StuckRelay(1, 3)
    async with await Client.with_session(controller) as client:
        for expected in (ON[:2] + b"\0" + ON[:5], ON):
            if expected is ON:
                controller.end(fault)
            else:
                controller.begin(fault)
            await client.write(1, *ON)
            await client.hear(3)
            assert (await client.poll())[:8] == expected


async def test_faults_add_up(serve: Serve) -> None:
    """Faults that last together act together, and each one's end leaves the others."""
    controller = await serve()
    faults: list[Fault] = [Duplicate(), Split(130), Fault()]
    async with await Client.with_session(controller) as client:
        for fault in faults:
            controller.begin(fault)
        assert controller.faults == tuple(faults)
        client.send(POLL)
        assert await client.hear(SNAPSHOT_SIZE) == await client.hear(SNAPSHOT_SIZE)
        controller.end(faults[1])
        assert controller.behaviour.line.duplicate == 1.0
        assert controller.behaviour.line.longest_piece == 0
