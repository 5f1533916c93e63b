"""Polls, writes, keep-alive requests and goodbyes after the login."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from holdfast.simulators.ipcom import Crowding, Frame, LoseWrites, What, WriteReply
from tests.simulators.ipcom.client import GOODBYE, KEEP_ALIVE, POLL, SNAPSHOT_SIZE, Client, write_request

if TYPE_CHECKING:
    from tests.simulators.ipcom.conftest import Serve

pytestmark = pytest.mark.asyncio(loop_factories=["real", "sim"])
in_virtual_time = pytest.mark.asyncio(loop_factories=["sim"])  # for what a busy machine could upset

VALUES = bytes((255, 0, 0, 0, 0, 0, 0, 255))


async def test_wall_switches_show_in_the_next_snapshot(serve: Serve) -> None:
    """A hand on the wall changes the very next snapshot, and the one before shows the state before."""
    controller = await serve()
    async with await Client.with_session(controller) as client:
        before = await client.poll()
        controller.house.press(16, 8)
        assert await client.poll() == before[:127] + b"\xff"


@in_virtual_time
async def test_a_snapshot_shows_the_moment_of_its_poll(serve: Serve) -> None:
    """With a reply delay the snapshot is as old as its poll, not as new as its arrival."""
    controller = await serve(reply_delay_s=0.1)
    async with await Client.with_session(controller) as client:
        client.send(POLL)
        assert await client.silence(0.05)
        controller.house.press(1, 1)
        assert (await client.hear(SNAPSHOT_SIZE))[2:] == bytes(128)
        assert (await client.poll())[0] == 255


@pytest.mark.parametrize(
    ("kind", "reply"),
    [
        (WriteReply.SHORT_ACK, "0401"),
        (WriteReply.ACK, "040100"),
        (WriteReply.FRAME, "0401022300400201" + "01"),
        (WriteReply.SNAPSHOT, "0501" + bytes(128).hex()),
    ],
)
async def test_write_replies(serve: Serve, kind: WriteReply, reply: str) -> None:
    """Each kind of write reply is sent once per write, and a snapshot among them is from before the bus."""
    controller = await serve(write_reply=kind, bus_delay_s=0.02)
    async with await Client.with_session(controller) as client:
        await client.write(5, *VALUES)
        assert (await client.hear(len(reply) // 2)).hex() == reply
        assert await client.silence(0.05)
        assert (await client.poll())[32:40] == VALUES


async def test_no_reply_to_a_write(serve: Serve) -> None:
    """Without a reply the write still takes effect, and the next poll's answer is the next thing heard."""
    controller = await serve(write_reply=WriteReply.NONE)
    async with await Client.with_session(controller) as client:
        await client.write(5, *VALUES)
        assert (await client.poll())[32:40] == VALUES


async def test_a_late_reply_to_a_write(serve: Serve) -> None:
    """The reply to a write has a delay of its own; what is asked meanwhile is answered after it."""
    controller = await serve(write_reply_delay_s=0.1)
    async with await Client.with_session(controller) as client:
        await client.write(5, *VALUES)
        client.send(POLL)
        assert (await client.hear(3)) == b"\x04\x01\x00"
        assert (await client.hear(SNAPSHOT_SIZE))[:2] == POLL
    assert controller.counts["crossed requests"] == 1


@in_virtual_time
async def test_the_bus_takes_its_time(serve: Serve) -> None:
    """Between receiving a write and its effect snapshots show the old values; the log has both moments."""
    controller = await serve(bus_delay_s=(0.2, 0.3))
    heard: list[Frame] = []
    controller.observe_frames(heard.append)
    async with await Client.with_session(controller) as client:
        await client.write(1, *VALUES)
        await client.hear(3)
        assert await client.poll() == bytes(128)
        await asyncio.sleep(0.35)
        assert controller.field_bus.is_idle
        assert (await client.poll())[:8] == VALUES
    (frame,) = controller.frames
    assert heard == [frame]
    assert frame[1:] == (1, VALUES, 1)
    assert {change.frame for change in controller.house.changes} == {frame}
    assert all(0.2 <= change.t - frame.t < 0.4 for change in controller.house.changes)


async def test_a_write_that_gets_lost(serve: Serve) -> None:
    """A lost write is answered like any other and never takes effect."""
    controller = await serve()
    controller.begin(LoseWrites())
    async with await Client.with_session(controller) as client:
        await client.write(1, *VALUES)
        assert await client.hear(3) == b"\x04\x01\x00"
        assert await client.poll() == bytes(128)
    assert list(controller.field_bus.lost) == list(controller.frames)


@pytest.mark.parametrize(
    "request_plain",
    [
        write_request(1, VALUES, bus=1),
        write_request(1, VALUES, bus=0),
        write_request(1, VALUES, base=30),
        write_request(1, VALUES).replace(b"\x0a\x01", b"\x0a\x02")[:-1] + b"\x02",
        b"\x04\x01\x02\x23\x3c\x00\x09\x01\xff\0\0\0\0\0\0\xfe",
    ],
)
async def test_frames_for_others_are_ignored(serve: Serve, request_plain: bytes) -> None:
    """Another bus, an address beyond the modules or another shape: no effect, no reply, but a count."""
    controller = await serve()
    async with await Client.with_session(controller) as client:
        client.send(request_plain)
        assert await client.poll() == bytes(128)
    assert controller.counts["writes"] == 0
    assert controller.counts["frames ignored"] == 1


@pytest.mark.parametrize("bus", [0, 1, 7])
async def test_any_bus_will_do(serve: Serve, bus: int) -> None:
    """A controller that does not mind takes writes for any bus, or none."""
    controller = await serve(bus=None, base_address=30)
    async with await Client.with_session(controller) as client:
        client.send(write_request(16, VALUES, bus=bus, base=30))
        await client.hear(3)
        assert (await client.poll())[120:] == VALUES


@pytest.mark.parametrize("is_answered", [True, False])
async def test_keep_alive(serve: Serve, is_answered: bool) -> None:
    """A keep-alive is answered in kind, or not at all, as set."""
    controller = await serve(is_keep_alive_answered=is_answered)
    async with await Client.with_session(controller) as client:
        client.send(KEEP_ALIVE)
        if is_answered:
            assert await client.hear(2) == KEEP_ALIVE
        assert await client.poll() == bytes(128)
    assert controller.counts["keep-alive requests"] == 1


async def test_goodbye(serve: Serve) -> None:
    """A client that says goodbye is let go without a word, and nothing it says after that counts."""
    controller = await serve()
    async with await Client.with_session(controller) as client:
        client.send_raw(client.cipher.encode(GOODBYE) + client.cipher.encode(POLL))
        assert await client.rest() == b""
    assert controller.counts["polls"] == 0
    assert What.GOODBYE in [event.what for event in controller.events]


async def test_nonsense_is_counted_and_survived(serve: Serve) -> None:
    """Bytes that are no request are dropped with all that came along; the next request is served."""
    controller = await serve()
    async with await Client.with_session(controller) as client:
        client.send(b"\x99\x99\x99\x99")
        assert await client.silence(0.02)
        assert await client.poll() == bytes(128)
    assert controller.counts["unreadable requests"] == 1


async def test_half_a_request_is_forgotten(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """The beginning of a request whose end does not come spoils nothing that is asked later."""
    monkeypatch.setattr("holdfast.simulators.ipcom.connection.REQUEST_GAP_S", 0.02)
    controller = await serve()
    async with await Client.with_session(controller) as client:
        client.send_raw(client.cipher.encode(write_request(1, VALUES))[:9])
        await asyncio.sleep(0.05)
        assert await client.poll() == bytes(128)


@pytest.mark.parametrize("is_split", [True, False])
async def test_two_requests_in_one_segment(serve: Serve, is_split: bool) -> None:
    """Whether a device can take two requests from one segment is unknown: it counts them and does as set."""
    controller = await serve(is_segment_split=is_split)
    async with await Client.with_session(controller) as client:
        client.send_raw(client.cipher.encode(KEEP_ALIVE) + client.cipher.encode(POLL))
        assert await client.hear(2) == KEEP_ALIVE
        if is_split:
            assert (await client.hear(SNAPSHOT_SIZE))[:2] == POLL
        else:
            assert await client.silence(0.02)
    assert controller.counts["glued requests"] == 1


@in_virtual_time
async def test_an_idle_client_is_dropped(serve: Serve) -> None:
    """Silence ends the session after the idle time-out; every request puts that off."""
    controller = await serve(idle_timeout_s=0.2)
    async with await Client.with_session(controller) as client:
        for _ in range(3):
            await asyncio.sleep(0.1)
            await client.poll()
        assert await client.rest() == b""
    assert What.TIMED_OUT in [event.what for event in controller.events]


async def test_an_idle_time_out_that_comes_late(serve: Serve) -> None:
    """A time-out set while a session lives holds for that session, too."""
    controller = await serve()
    async with await Client.with_session(controller) as client:
        controller.behave(idle_timeout_s=0.05)
        assert await client.rest() == b""


async def test_many_clients(serve: Serve) -> None:
    """Any number of clients is served, each under its own key, and writes tell whose they are."""
    controller = await serve(is_key_renewed=True)
    clients = [await Client.with_session(controller) for _ in range(5)]
    for number, client in enumerate(clients, 1):
        await client.write(number, *VALUES)
        await client.hear(3)
    for client in clients:
        assert (await client.poll())[:40] == VALUES * 5
    assert [frame.connection for frame in controller.frames] == [1, 2, 3, 4, 5]
    assert controller.connections == controller.sessions == 5
    for client in clients:
        client.writer.close()


async def test_a_single_client_keeps_its_place(serve: Serve) -> None:
    """A controller for one client turns the next one away, as long as the first one stays."""
    controller = await serve(clients=1)
    async with await Client.with_session(controller) as first:
        async with await Client.dial(controller) as second:
            assert await second.rest() == b""
        assert await first.poll() == bytes(128)


async def test_a_single_client_may_have_to_give_way(serve: Serve) -> None:
    """The other kind of controller for one client drops it for the next one."""
    controller = await serve(clients=1, crowding=Crowding.OLDEST)
    async with (
        await Client.with_session(controller) as first,
        await Client.with_session(controller) as second,
    ):
        assert await first.rest() == b""
        assert await second.poll() == bytes(128)
