"""What waits for one client: bounded, in order, readings overtaken by newer ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from holdfast.hub.events import Kind, Record
from holdfast.web.api import backlog
from holdfast.web.api.backlog import Backlog, GroupKey

if TYPE_CHECKING:
    import pytest

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GROUP = GroupKey("rack", "", "live")


def record(seq: int, kind: Kind = Kind.EVENT, key: str = "", payload: object = None) -> Record:
    return Record(f"e:{seq}", seq, kind, key, NOW, payload)


def taken(waiting: Backlog) -> list[int | GroupKey]:
    found: list[int | GroupKey] = []
    while (item := waiting.take()) is not None:
        found.append(item if isinstance(item, GroupKey) else item.seq)
    return found


def test_a_newer_reading_takes_the_later_place() -> None:
    """So that it cannot come before what happened between the two."""
    waiting = Backlog(0)
    for each in (
        record(1, Kind.READING, "a"),
        record(2),
        record(3, Kind.READING, "b"),
        record(4, Kind.READING, "a"),
    ):
        waiting.offer(each)
    waiting.offer_fresh(GROUP)
    waiting.offer_fresh(GROUP)
    assert waiting.seq == 4
    assert taken(waiting) == [2, 3, 4, GROUP]


def test_any_number_of_readings_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are bounded by their targets, and do not push others out."""
    monkeypatch.setattr(backlog, "MOST_WAITING", 2)
    waiting = Backlog(0)
    for seq in range(1, 10):
        waiting.offer(record(seq, Kind.READING, str(seq)))
    waiting.offer(record(10))
    waiting.offer(record(11))
    assert not waiting.lost
    assert len(taken(waiting)) == 11
    waiting.offer(record(12))
    waiting.offer(record(13))
    assert taken(waiting) == [12, 13]  # what was taken makes room


def test_overflow_drops_everything_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is lost is counted until the client begins anew; then records are kept again."""
    monkeypatch.setattr(backlog, "MOST_WAITING", 2)
    waiting = Backlog(0)
    waiting.offer_fresh(GROUP)
    for seq in range(1, 5):
        waiting.offer(record(seq))
    waiting.offer_fresh(GROUP)
    assert (waiting.lost, taken(waiting)) == (4, [])
    assert waiting.begin_anew() == 4
    waiting.offer(record(5))
    assert (waiting.lost, taken(waiting), waiting.seq) == (0, [5], 5)


def test_a_gap_of_the_feed_is_a_gap_of_the_client() -> None:
    """What the feed itself lost is added."""
    waiting = Backlog(0)
    waiting.offer(record(1))
    waiting.offer(record(9, Kind.GAP, payload={"lost": 8}))
    assert waiting.lost == 9


async def test_waiting() -> None:
    """It ends with a record, with closing, or with the time."""
    waiting = Backlog(0)
    assert not await waiting.wait(0.001)
    waiting.offer(record(1))
    assert await waiting.wait(60.0)
    waiting.close()
    assert await waiting.wait(60.0)
    assert waiting.is_closed
