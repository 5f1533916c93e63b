"""The stream: server-sent events, resumable, true at the moment of sending.

A reading is looked up anew when its turn has come, not when it was published: what waited for a slow client, or was
replayed for one that comes back, must not show a value as current that has passed its deadline meanwhile.
"""

from collections.abc import Iterator

from fastapi import Header, Query, Response
from starlette.types import Receive, Scope, Send

from holdfast.errors import UnknownTarget
from holdfast.hub.events import Kind, Record
from holdfast.hub.hub import Hub
from holdfast.hub.storekeeper import StoreState
from holdfast.model import Availability, ReasonCode
from holdfast.web.api.backlog import Backlog, GroupKey
from holdfast.web.api.description import answers
from holdfast.web.api.devices import reason_shape
from holdfast.web.api.encoding import Pace, departure, encode
from holdfast.web.api.events import HUB, event_shape
from holdfast.web.api.feed import Feed
from holdfast.web.api.problem import BUSY, Problem
from holdfast.web.api.router import Router
from holdfast.web.api.shapes import AvailabilityShape, ReasonShape, ResetShape

HEARTBEAT_S = 15.0
"""Seconds of quiet after which a comment goes out: below the half minute after which proxies give up."""
MOST_STREAMS = 64
"""At once. A house has a handful of pages and programs."""
RETRY_MS = 1000
"""How long a browser waits before it comes back."""
BATCH_BYTES = 16384
"""Frames that go out in one piece at most: what a radio link takes without a stall."""


def routes(hub: Hub, feed: Feed) -> Router:
    """The route ``/stream``."""
    router = Router(tag="stream")

    @router.get(
        "/stream",
        responses=answers({"type": "string"}, BUSY, media="text/event-stream", text="Server-sent events"),
        summary="Everything that happens, as server-sent events",
        description=(
            "Begins with a snapshot of all availabilities, readings, alarms and open commands. Then, as they come: "
            "`reading` (Reading), `availability` (Availability), `command` (Receipt), `alarm` (Alarm), `event` "
            "(Event), and at most once a second for each group of unchanged values `fresh` (Fresh). With the id of "
            "the last event that was seen it goes on from there; where that is not possible it begins with `reset` "
            "(Reset) and the snapshot."
        ),
    )
    async def stream(
        from_header: str | None = Header(None, alias="Last-Event-ID", description="Go on after this event."),
        last_event_id: str | None = Query(
            None, description="The same, for programs that cannot set headers."
        ),
    ) -> Response:
        if len(feed) >= MOST_STREAMS:
            raise Problem(
                BUSY,
                f"{MOST_STREAMS} streams are open",
                advice="Close one that nobody reads.",
                headers={"Retry-After": "5"},
            )
        # A browser that comes back repeats the address and renews the header.
        return StreamAnswer(hub, feed, from_header or last_event_id)

    return router


class StreamAnswer(Response):
    """One client's stream, from its request until it goes away, is cut off, or the server stops."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, feed: Feed, last_id: str | None) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers()
        self._hub = hub
        self._feed = feed
        self._last_id = last_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        backlog = self._feed.join()
        joined = backlog.seq
        is_resumed = self._replay(backlog)  # before anything newer can be offered
        try:
            async with departure(receive) as gone:
                gone.add_done_callback(lambda _: backlog.close())
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                writer = _Writer(self._hub, self._feed, backlog, send)
                await writer.greet()
                if not is_resumed:
                    reset = None if self._last_id is None else ResetShape("outside_ring", None)
                    await writer.begin(joined, reset)
                await writer.run()
                if not gone.done():
                    await send({"type": "http.response.body", "body": b""})
        finally:
            self._feed.leave(backlog)

    def _replay(self, backlog: Backlog) -> bool:
        """Offer what the client has missed; whether all of that is still known."""
        missed = None if self._last_id is None else self._hub.stream.since(self._last_id)
        if missed is None:
            return False
        joined = backlog.seq
        for record in missed:
            if record.seq <= joined:  # what is newer comes through the feed
                backlog.offer(record)
        return True


class _Writer:
    """Writes a client's backlog to it, in frames that are made only when the client can take them."""

    def __init__(self, hub: Hub, feed: Feed, backlog: Backlog, send: Send) -> None:
        self._hub = hub
        self._feed = feed
        self._backlog = backlog
        self._send = send

    async def greet(self) -> None:
        """Show the client that the stream is open, and tell a browser when to come back."""
        await self._write(f": Holdfast\nretry: {RETRY_MS}\n\n".encode())

    async def run(self) -> None:
        """Write what comes until the backlog is closed."""
        backlog = self._backlog
        while not backlog.is_closed:
            if backlog.lost:
                reset = ResetShape("gap", backlog.begin_anew())
                await self.begin(backlog.seq, reset)
            elif not await self._write_waiting() and not await backlog.wait(HEARTBEAT_S):
                await self._write(b": still here\n\n")

    async def begin(self, seq: int, reset: ResetShape | None) -> None:
        """A snapshot of everything, behind a reset where the client knows what is no longer so.

        Only its last event has an id, that of record ``seq``, after which the backlog goes on: whoever is lost on the
        way has seen nothing to go on from.
        """
        event_id = f"{self._hub.stream.epoch}:{seq}"
        batch = bytearray(b"" if reset is None else _frame("reset", reset))
        pace = Pace()
        for event in self._snapshot(event_id):
            batch += _frame(*event)
            if pace.is_due() or len(batch) >= BATCH_BYTES:
                await self._write(batch)
                batch.clear()
                await self._until_taken()
                await pace.rest()
                if self._backlog.is_closed:
                    return
        await self._write(batch)

    def _snapshot(self, event_id: str) -> Iterator[tuple[str, object, str]]:
        for alarm in list(self._hub.alarms.values()):
            yield "alarm", alarm, ""
        for receipt in [each for each in self._hub.receipts.values() if not each.state.is_end]:
            yield "command", self._hub.receipts.get(receipt.id, receipt), ""
        for reading in self._hub.readings():
            yield "reading", reading, ""
        devices = list(self._hub.devices.values())
        for device in devices:
            shape = AvailabilityShape(device.id, device.availability, reason_shape(device.present_reason()))
            is_last = device is devices[-1] and self._hub.keeper is None
            yield "availability", shape, event_id if is_last else ""
        if self._hub.keeper is not None:
            yield "availability", _of_the_hub(self._hub.keeper.state), event_id

    async def _write_waiting(self) -> bool:
        """Send what waits, as much as fits into one piece; whether there was anything."""
        await self._until_taken()
        batch = bytearray()
        pace = Pace()
        while (item := self._backlog.take()) is not None:
            batch += self._fresh(item) if isinstance(item, GroupKey) else self._record(item)
            if pace.is_due() or len(batch) >= BATCH_BYTES:
                break
        if item is None and not batch:
            return False
        await self._write(batch)
        await pace.rest()
        return True

    def _record(self, record: Record) -> bytes:
        match record.kind:
            case Kind.READING:
                try:
                    return _frame("reading", self._hub.reading(str(record.key)), record.id)
                except UnknownTarget:  # it is gone meanwhile
                    return b""
            case Kind.EVENT:
                return _frame("event", event_shape(record), record.id)
            case _:
                return _frame(record.kind.value, record.payload, record.id)

    def _fresh(self, key: GroupKey) -> bytes:
        fresh = self._feed.fresh(key)
        return b"" if fresh is None else _frame("fresh", fresh)

    async def _write(self, data: bytes | bytearray) -> None:
        await self._send({"type": "http.response.body", "body": bytes(data), "more_body": True})

    async def _until_taken(self) -> None:
        """Wait until the client has taken most of what was written: sending nothing waits like sending."""
        await self._write(b"")


def _of_the_hub(store: StoreState) -> AvailabilityShape:
    """What the hub says of itself, as it does when its store changes."""
    if store.is_well:
        return AvailabilityShape(HUB, Availability.ONLINE, ReasonShape(ReasonCode.OK, "", None, None, ""))
    text = f"the store is in trouble ({store.trouble}): {store.text}"
    reason = ReasonShape(ReasonCode.STORAGE, text, store.since, None, store.advice)
    return AvailabilityShape(HUB, Availability.DEGRADED, reason)


def _frame(name: str, value: object, event_id: str = "") -> bytes:
    """One event as it goes over the wire."""
    head = f"event: {name}\nid: {event_id}\n" if event_id else f"event: {name}\n"
    return b"".join((head.encode(), b"data: ", encode(value), b"\n\n"))
