"""The stream: a snapshot, then everything that happens, in order, true when it is sent, resumable."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.hub.events import Kind
from holdfast.model import Quality
from holdfast.web import connection
from holdfast.web.api import backlog, feed, stream
from holdfast.web.api.stream import StreamAnswer
from tests.web.house import Heard, Rack, house, listening, until
from tests.web.wire import request

if TYPE_CHECKING:
    from starlette.types import Message


async def test_it_begins_with_everything() -> None:
    """A new client gets open commands, alarms, readings and availabilities; the last of them has the first id."""
    async with house() as here:
        here.rack.is_stubborn = True
        await here.command("rack/lamp", True)
        here.hub.alarm_changed(here.hub.device("rack"), "lamp", "too hot", is_on=True)
        await until(lambda: here.api._feed.seq == here.hub.stream.seq)
        before = here.hub.stream.seq
        async with listening(here) as ear:
            snapshot = await ear.snapshot()
            assert [each.name for each in snapshot] == ["alarm", "command", *["reading"] * 3, "availability"]
            epoch, _, seq = snapshot[-1].id.partition(":")
            assert epoch == here.hub.stream.epoch
            assert before <= int(seq) <= here.hub.stream.seq
            assert snapshot[-1].data["availability"] == "online"
            assert snapshot[2].data["target"] == "rack/lamp"


async def test_every_kind_of_record_is_told() -> None:
    """Readings come before the receipts that they verify; each event has the id of its record."""
    async with house() as here, listening(here) as ear:
        await ear.snapshot()
        await here.command("rack/lamp", True, wait=True)
        here.hub.note("order", "a note", device="rack")
        here.hub.alarm_changed(here.hub.device("rack"), "lamp", "too hot", is_on=True)
        heard: list[Heard] = []
        while not heard or heard[-1].name != "alarm":
            heard.append(await ear.next())
        told = [each for each in heard if each.name != "fresh"]
        numbers = [int(each.id.split(":")[1]) for each in told]
        assert numbers == sorted(set(numbers))
        states = [each.data["state"] for each in told if each.name == "command"]
        assert states == ["accepted", "sent", "verified"]
        reading = next(each for each in told if each.name == "reading" and each.data["value"] is True)
        verified = next(each for each in told if each.name == "command" and each.data["state"] == "verified")
        assert told.index(reading) < told.index(verified)
        note = next(each for each in told if each.name == "event" and each.data["kind"] == "order")
        assert (note.data["kind"], note.data["text"], note.data["device"]) == ("order", "a note", "rack")


async def test_it_goes_on_where_the_client_was() -> None:
    """With the last id, by header or query, what was missed comes and nothing else; no reset, no snapshot."""
    async with house() as here:
        async with listening(here) as ear:
            last_id = (await ear.snapshot())[-1].id
        here.rack.set(level=1)
        here.hub.note("order", "missed")
        here.rack.set(level=2)
        newest = ""
        for way in ({"last_id": last_id}, {"path": f"/api/v1/stream?last_event_id={last_id}"}):
            async with listening(here, **way) as ear:
                first = await ear.next()
                assert (first.name, first.data["text"]) == ("event", "missed")
                second = await ear.next()  # the older reading was overtaken
                assert (second.name, second.data["target"], second.data["value"]) == (
                    "reading",
                    "rack/level",
                    2,
                )
                newest = second.id
                here.rack.set(level=3)
                assert (await ear.until("reading", target="rack/level")).data["value"] == 3
                here.rack.set(level=2)
        async with listening(here, last_id=newest, path="/api/v1/stream?last_event_id=old:1") as ear:
            assert (await ear.next()).name == "reading"  # the header counts


@pytest.mark.parametrize("is_new", [True, False])
async def test_nothing_is_lost_or_doubled_at_the_seam(*, is_new: bool) -> None:
    """What happens between joining and the first byte comes once, after what was missed, in order."""
    async with house() as here:
        last_id = f"{here.hub.stream.epoch}:{here.hub.stream.seq}"
        here.hub.note("test", "before")
        await until(lambda: here.api._feed.seq == here.hub.stream.seq)
        sent = bytearray()

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                here.hub.note("test", "meanwhile")
                await until(lambda: here.api._feed.seq == here.hub.stream.seq)
            sent.extend(message.get("body", b""))

        async def receive() -> Message:
            await until(lambda: b"meanwhile" in sent)
            return {"type": "http.disconnect"}

        await StreamAnswer(here.hub, here.api._feed, None if is_new else last_id)(
            {"type": "http"}, receive, send
        )
        text = sent.decode()
        ids = [int(each.split(":")[2]) for each in text.splitlines() if each.startswith("id: ")]
        assert ids == sorted(set(ids))
        assert text.count('"meanwhile"') == 1
        assert text.count('"before"') == (0 if is_new else 1)
        assert len(ids) == 2


@pytest.mark.parametrize("last_id", ["other:1", "nonsense", ":", "{epoch}:999999"])
async def test_reset_when_the_id_is_not_known(last_id: str) -> None:
    """An id of another run, of the future, or none at all: forget everything, here is how it is now."""
    async with house() as here, listening(here, last_id=last_id.format(epoch=here.hub.stream.epoch)) as ear:
        first = await ear.next()
        assert (first.name, first.id, first.data) == ("reset", "", {"why": "outside_ring", "lost": None})
        snapshot = await ear.snapshot()
        assert {each.name for each in snapshot} == {"reading", "availability"}


async def test_reset_when_the_ring_has_gone_on() -> None:
    """Too long away."""
    async with house() as here:
        async with listening(here) as ear:
            last_id = (await ear.snapshot())[-1].id
        for number in range(5000):
            here.hub.note("test", str(number))
        async with listening(here, last_id=last_id) as ear:
            assert (await ear.next()).name == "reset"


async def test_what_waited_is_judged_when_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reading replayed after its deadline is stale, however good it was when it was published."""
    async with house() as here:
        async with listening(here) as ear:
            last_id = (await ear.snapshot())[-1].id
        here.rack.set(level=77)
        published = [each for each in here.hub.stream.since(last_id) or [] if each.kind is Kind.READING]
        assert published[-1].payload.quality is Quality.GOOD
        device = here.hub.device("rack")
        for evidence in device.active.groups.values():
            evidence.t -= 1000.0
        async with listening(here, last_id=last_id) as ear:
            reading = await ear.until("reading", target="rack/level")
            assert (reading.data["value"], reading.data["quality"]) == (None, "stale")
            assert reading.data["last_known"] == 77


async def test_a_target_that_is_gone_is_not_told() -> None:
    """A device taken out meanwhile leaves no event without a reading."""
    async with house(more=[Rack().spec("other")]) as here:
        await until(lambda: here.hub.device("other").availability == "online")
        async with listening(here) as ear:
            last_id = (await ear.snapshot())[-1].id
        device = here.hub.device("other")
        here.hub.readings_changed(device, ["lamp"])
        del here.hub.devices["other"]
        here.hub.note("test", "after")
        async with listening(here, last_id=last_id) as ear:
            assert (await ear.next()).data["text"] == "after"


async def test_unchanged_values_are_told_to_be_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evidence without a change moves the age: said for the group, without an id, once a look."""
    monkeypatch.setattr(feed, "FRESH_S", 0.01)
    async with house() as here, listening(here) as ear:
        await ear.snapshot()
        await ear.until("fresh", device="rack")
        here.rack.set()  # seen again, nothing different
        fresh = await ear.until("fresh", device="rack", group="live")
        assert fresh.id == ""
        assert (fresh.data["member"], fresh.data["adapter"], fresh.data["deadline_s"]) == ("", "a", 20.0)
        assert fresh.data["as_of"].endswith("Z")


async def test_what_is_no_longer_fresh_is_not_told() -> None:
    """Judged when it is sent: a group that went stale, or is gone, has no such event."""
    async with house() as here:
        told = here.api._feed.fresh
        assert told(backlog.GroupKey("rack", "", "live")) is not None
        assert told(backlog.GroupKey("rack", "", "other")) is None
        assert told(backlog.GroupKey("nothing", "", "live")) is None
        for evidence in here.hub.device("rack").active.groups.values():
            evidence.t -= 1000.0
        assert told(backlog.GroupKey("rack", "", "live")) is None


async def test_a_quiet_stream_is_kept_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comments go out while nothing happens."""
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.01)
    monkeypatch.setattr(feed, "FRESH_S", 3600.0)
    async with house() as here, listening(here) as ear:
        await ear.snapshot()
        waiting = asyncio.create_task(ear.next())
        await until(lambda: ear.comments.count("still here") >= 2)
        here.hub.note("test", "at last")
        assert (await waiting).data["text"] == "at last"


async def test_clients_come_and_go() -> None:
    """Whoever leaves is forgotten, and the others hear on."""
    async with house() as here:
        carried = here.api._feed
        async with listening(here) as one:
            await one.snapshot()
            async with listening(here) as two:
                await two.snapshot()
                assert len(carried) == 2
            await until(lambda: len(carried) == 1)
            here.rack.set(level=5)
            assert (await one.until("reading", target="rack/level")).data["value"] == 5
        await until(lambda: len(carried) == 0)


async def test_too_many_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than the limit is told so."""
    monkeypatch.setattr(stream, "MOST_STREAMS", 1)
    async with house() as here, listening(here) as ear:
        await ear.snapshot()
        refused = await here.get("/api/v1/stream")
        assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (
            503,
            "busy",
            "5",
        )


async def test_stopping_ends_streams() -> None:
    """The stream ends properly when the server stops."""
    async with house() as here, listening(here) as ear:
        await ear.snapshot()
        await here.api.stop()
        with pytest.raises(EOFError):
            await ear.until("never")


async def _deaf(here: Any) -> socket.socket:
    """A client that asks for the stream and never reads."""
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(deaf, ("127.0.0.1", here.port))
    await loop.sock_sendall(deaf, request(here, "/api/v1/stream"))
    await until(lambda: len(here.api._feed) == 1)
    return deaf


async def test_a_client_that_does_not_read_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is cut off once it has had its time; the hub writes on, and others are served."""
    monkeypatch.setattr(connection, "STALL_S", 0.05)
    async with house() as here:
        with await _deaf(here):
            number = 0
            while len(here.api._feed):
                number += 1
                here.hub.note("test", "x" * 10000, number=number)
                assert (await here.get("/healthz")).status_code == 200
            assert not here.api._feed
            assert here.hub.stream.seq > number


async def test_a_gap_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that reads too slowly for the journal is told what it lost, and how everything is now."""
    monkeypatch.setattr(backlog, "MOST_WAITING", 8)
    async with house() as here:
        with await _deaf(here) as deaf:
            (waiting,) = here.api._feed._backlogs
            while not waiting.lost:
                here.hub.note("test", "x" * 10000)
                await asyncio.sleep(0)
            here.rack.set(level=9)
            text = b""
            loop = asyncio.get_running_loop()
            while b'"availability":"online"' not in text.partition(b"event: reset")[2]:
                text += await loop.sock_recv(deaf, 65536)
            reset = text.partition(b"event: reset\n")[2]
            assert reset.startswith(b'data: {"why":"gap","lost":')
            assert b'"target":"rack/level","value":9' in reset
