"""Long answers: made in slices, so that nobody waits for the end of one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from holdfast.web.api import encoding
from holdfast.web.api.encoding import SLICE_ITEMS, ListAnswer, array, encode
from tests.web.house import Rack, house
from tests.web.wire import request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import Message

MANY = 20_000


class Turns:
    """Counts turns of the loop."""

    def __init__(self) -> None:
        self.count = 0
        self._handle = asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self.count += 1
        self._handle = asyncio.get_running_loop().call_soon(self._turn)

    def stop(self) -> None:
        self._handle.cancel()


@pytest.mark.parametrize("count", [0, 1, SLICE_ITEMS - 1, SLICE_ITEMS, SLICE_ITEMS + 1, 3000])
def test_an_array_is_json_however_it_is_cut(count: int) -> None:
    """No part holds more items than allowed, and together they are the array."""
    parts = list(array(range(count)))
    assert b"".join(parts) == encode(list(range(count)))
    assert all(len(part.strip(b"[],").split(b",")) <= SLICE_ITEMS for part in parts)
    assert len(parts) >= count // SLICE_ITEMS


def test_slow_items_make_short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time counts as well: what takes longer than a slice goes out alone."""
    monkeypatch.setattr(encoding, "SLICE_S", 0.0)
    assert list(array(range(3))) == [b"[0", b",1", b",2", b"]"]


async def test_a_long_list_stops_when_nobody_listens() -> None:
    """The rest is not even made."""
    made = 0

    def items() -> Iterator[int]:
        nonlocal made
        while made < 100_000:
            made += 1
            yield made

    async def send(message: Message) -> None:
        pass

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    await ListAnswer(items())({"type": "http"}, receive, send)
    assert made < 10 * SLICE_ITEMS


async def test_many_readings_leave_the_loop_to_others() -> None:
    """20,000 readings in one answer: the loop turns at least once for each slice of them."""
    async with house(Rack(MANY), start=False) as here:
        reader, writer = await asyncio.open_connection("127.0.0.1", here.port, limit=2**24)
        turns = Turns()
        writer.write(request(here, "/api/v1/readings", "Connection: close"))
        answer = await reader.read()
        turns.stop()
        assert answer.count(b'"target"') == MANY + 2
        assert turns.count > MANY / SLICE_ITEMS
        writer.close()
        await writer.wait_closed()


async def test_a_long_answer_holds_up_nobody() -> None:
    """A short question asked in the middle of a long answer is answered before its end."""
    async with house(Rack(MANY), start=False) as here, here.client.stream("GET", "/api/v1/readings") as long:
        parts = long.aiter_raw()
        await anext(parts)
        assert (await here.get("/healthz")).status_code == 200
        rest = [part async for part in parts]
        assert rest
