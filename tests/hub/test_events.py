"""The event stream: one order, two ways to listen, and no silent loss."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from holdfast.hub.events import EventStream, Kind

pytestmark = pytest.mark.virtual


def stream(ring: int = 100) -> EventStream:
    return EventStream("e", lambda: datetime(2026, 1, 1, tzinfo=UTC), ring)


def test_latest_keeps_the_newest_of_each_key() -> None:
    """A page that was slow sees where things stand, in order, once each."""
    events = stream()
    latest = events.latest()
    for value in range(1000):
        events.publish(Kind.READING, "a", value)
        if value == 500:
            events.publish(Kind.READING, "b", "b")
    records = [latest.take(), latest.take(), latest.take()]
    assert [record.payload for record in records if record] == ["b", 999]
    latest.close()
    events.publish(Kind.READING, "a", 1)
    assert latest.take() is None


def test_journal_overflow_is_an_explicit_gap() -> None:
    """A journal listener that is too slow is told how many records it lost, never less."""
    events = stream()
    journal = events.journal(length=10)
    for value in range(25):
        events.publish(Kind.EVENT, value, value)
    taken = []
    while (record := journal.take()) is not None:
        taken.append(record)
    assert [record.payload for record in taken[:-1]] == list(range(9))
    assert taken[-1].kind is Kind.GAP
    assert taken[-1].payload == {"lost": 16}
    assert len(taken) - 1 + 16 == 25


def test_resume_from_the_ring() -> None:
    """Records after an id, or nothing when they are not all there."""
    events = stream(ring=5)
    ids = [events.publish(Kind.EVENT, n, n).id for n in range(8)]
    again = events.since(ids[4])
    assert again is not None
    assert [record.payload for record in again] == [5, 6, 7]
    assert events.since(ids[7]) == []
    assert events.since(ids[0]) is None
    assert events.since("other:3") is None
    assert events.since("nonsense") is None
    assert events.since("e:99") is None
    assert [record.payload for record in events.recent()] == [3, 4, 5, 6, 7]
    assert stream().since("e:0") == []


async def test_waiting_and_leaving() -> None:
    """A listener waits without polling and is let go when the subscription closes."""
    events = stream()
    seen: list[int] = []

    async def listen() -> None:
        async with events.journal(lambda record: record.payload != 1) as records:
            async for record in records:
                seen.append(record.payload)  # noqa: PERF401 - what was seen so far is looked at meanwhile

    task = asyncio.create_task(listen())
    await asyncio.sleep(1)
    for value in range(3):
        events.publish(Kind.EVENT, value, value)
    await asyncio.sleep(1)
    assert seen == [0, 2]
    (subscription,) = events._subscriptions
    subscription.close()
    await task
    assert events._subscriptions == []
    assert events.seq == 3
