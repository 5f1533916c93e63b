"""How values become bytes: msgspec for each, and long lists in slices with a turn of the loop between them.

A list of 50,000 readings takes a fifth of a second to encode. In one go that would be a poll missed on every link
of the hub; in slices of 2 ms nobody notices.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator

    from starlette.types import Receive, Scope, Send

SLICE_S = 0.002
"""Seconds of work between two turns of the loop; polls count as late from 0.05 on."""
SLICE_ITEMS = 256
"""Items between two turns at most, so that the turns can be counted on whatever the machine's speed."""
JSON = "application/json"

encode: Callable[[object], bytes] = msgspec.json.Encoder(enc_hook=str).encode
"""Any value of ours as JSON: enums by value, times as ISO 8601 in UTC, numbers that JSON cannot hold as null."""


class Pace:
    """Tells long work when to let the loop turn: after `SLICE_S`, and after ``most_items`` at the latest."""

    def __init__(self, most_items: int = SLICE_ITEMS) -> None:
        self._most_items = most_items
        self._began = time.perf_counter()
        self._items = 0

    def is_due(self) -> bool:
        """Count one item; whether it is time to rest."""
        self._items += 1
        return self._items >= self._most_items or time.perf_counter() - self._began >= SLICE_S

    def restart(self) -> None:
        """The loop has turned."""
        self._began = time.perf_counter()
        self._items = 0

    async def rest(self) -> None:
        """Let everybody else run first."""
        await asyncio.sleep(0)
        self.restart()


def array(items: Iterable[object]) -> Iterator[bytes]:
    """A JSON array in parts of bounded work each; whoever takes them lets the loop turn between them."""
    pace = Pace()
    found: list[bytes] = []
    lead = b"["
    for item in items:
        found.append(encode(item))
        if pace.is_due():
            yield lead + b",".join(found)
            lead = b","
            found.clear()
            pace.restart()
    # After a comma there must be an item, and the array must begin even if there is none.
    yield (lead if found or lead == b"[" else b"") + b",".join(found) + b"]"


@asynccontextmanager
async def departure(receive: Receive) -> AsyncIterator[asyncio.Task[None]]:
    """A task that ends when the client goes away. Only once the request's body has been read."""

    async def wait() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    task = asyncio.create_task(wait(), name="client leaves")
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


class JsonAnswer(Response):
    """One value."""

    media_type = JSON

    def render(self, content: object) -> bytes:
        """The value as JSON."""
        return encode(content)


class PartsAnswer(Response):
    """An answer that is made while it is sent, with a turn of the loop between its parts."""

    def __init__(self, parts: Iterator[bytes], *, media_type: str = JSON) -> None:
        self.status_code = 200
        self.background = None
        self.media_type = media_type
        self.init_headers()
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI. Ends early when the client goes away."""
        part = next(self._parts, b"")  # a fault here can still become a problem document
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": part, "more_body": True})
        async with departure(receive) as gone:
            for part in self._parts:
                await asyncio.sleep(0)
                if gone.done():
                    return
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


class ListAnswer(PartsAnswer):
    """A bare JSON array."""

    def __init__(self, items: Iterable[object]) -> None:
        super().__init__(array(items))
