"""The storekeeper in virtual time: order, coalescing, trouble told and survived, nobody waiting for a sick store."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.clock import LoopClock
from holdfast.hub import storekeeper as module
from holdfast.hub.ports import AlarmEntry, EventEntry, OrderEntry, StoreError, SwitchEntry, Trouble, place
from holdfast.hub.storekeeper import SLOW_S, Storekeeper, StoreState
from holdfast.model import StandingOrder
from tests.link.house import loop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.hub.ports import Entry

pytestmark = pytest.mark.virtual

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Shelf:
    """A store that remembers what was written, and fails or dawdles as told."""

    def __init__(self) -> None:
        self.rows: dict[Any, Entry] = {}
        self.batches: list[list[Entry]] = []
        self.error: StoreError | None = None
        self.opening: StoreError | None = None
        self.takes_s = 0.0
        self.at_once = 0
        self.most_at_once = 0
        self.pruned = 0

    async def open(self) -> None:
        if self.opening is not None:
            raise self.opening

    async def write(self, entries: Sequence[Entry]) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.takes_s)
            if self.error is not None:
                raise self.error
        finally:
            self.at_once -= 1
        self.batches.append(list(entries))
        for entry in entries:
            self.rows[place(entry)] = entry

    async def prune(self, now: datetime) -> int:
        self.pruned += 1
        if self.error is not None:
            raise self.error
        return 0


class Office:
    """A storekeeper at work, and all that it told."""

    def __init__(self) -> None:
        self.shelf = Shelf()
        self.told: list[StoreState] = []
        self.keeper = Storekeeper(self.shelf, LoopClock(loop()), self.told.append)  # type: ignore[arg-type]

    async def __aenter__(self) -> Office:
        self.keeper.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.keeper.stop()


def switch(value: bool, target: str = "heater/switch") -> SwitchEntry:
    return SwitchEntry(target, value, NOW)


def event(number: int) -> EventEntry:
    return EventEntry(f"e:{number}", "hub", "", NOW, {"n": number})


async def test_what_is_handed_over_is_written_once_and_waited_for() -> None:
    """Entries of one moment share a transaction; whoever asks is told when they are safe."""
    async with Office() as office:
        for number in range(3):
            office.keeper.keep(event(number))
        office.keeper.keep(switch(True))
        assert office.keeper.state.waiting == 4
        assert await office.keeper.written(1.0)
        assert [len(batch) for batch in office.shelf.batches] == [4]
        assert await office.keeper.written(0.0)
        assert office.told == []


async def test_a_newer_entry_takes_the_place_of_one_that_waits() -> None:
    """State is written as it is now, not once for each step; events all count."""
    async with Office() as office:
        for value in (True, False, True):
            office.keeper.keep(switch(value))
            office.keeper.keep(event(int(value)))
        await office.keeper.written(1.0)
        assert office.shelf.rows["switch", "heater/switch"] == switch(True)
        assert sum(isinstance(each, SwitchEntry) for each in office.shelf.batches[0]) == 1


async def test_a_sick_store_is_told_once_and_loses_no_state() -> None:
    """Full for a minute: one word of trouble, one of recovery, everything written in the end, the newest of each."""
    async with Office() as office:
        office.shelf.error = StoreError(Trouble.FULL, "the disk is full")
        office.keeper.keep(switch(True))
        office.keeper.keep(AlarmEntry("a/b", "hot", NOW))
        assert not await office.keeper.written(1.0)
        await asyncio.sleep(60)
        office.keeper.keep(switch(False))
        assert [state.trouble for state in office.told] == [Trouble.FULL]
        assert not office.keeper.state.is_well
        began_t = loop().time()
        assert not await office.keeper.written(5.0)
        assert loop().time() == began_t  # nobody waits for a sick store
        office.shelf.error = None
        await asyncio.sleep(6)
        assert [state.trouble for state in office.told] == [Trouble.FULL, None]
        assert office.shelf.rows["switch", "heater/switch"] == switch(False)
        assert office.keeper.state.waiting == 0


async def test_another_trouble_is_told_as_well() -> None:
    """From full to read-only: a person should know what it is now."""
    async with Office() as office:
        office.shelf.error = StoreError(Trouble.FULL, "full")
        office.keeper.keep(switch(True))
        await asyncio.sleep(3)
        office.shelf.error = StoreError(Trouble.READ_ONLY, "read-only")
        await asyncio.sleep(10)
        office.shelf.error = None
        await asyncio.sleep(10)
        assert [state.trouble for state in office.told] == [Trouble.FULL, Trouble.READ_ONLY, None]


async def test_a_slow_store_is_told_within_two_seconds_and_never_asked_twice() -> None:
    """A write of five seconds: told as slow while it goes on, well when it is done."""
    async with Office() as office:
        office.shelf.takes_s = 5.0
        office.keeper.keep(switch(True))
        await asyncio.sleep(SLOW_S + 0.2)
        assert [state.trouble for state in office.told] == [Trouble.SLOW]
        office.keeper.keep(switch(False))
        await asyncio.sleep(12)
        assert office.shelf.most_at_once == 1
        assert office.told[1].is_well
        assert office.shelf.rows["switch", "heater/switch"] == switch(False)


async def test_a_store_that_fails_in_its_own_way_is_trouble_too() -> None:
    """Whatever it raises: nothing of it reaches anybody but as trouble."""
    async with Office() as office:
        office.shelf.error = RuntimeError("surprise")  # type: ignore[assignment]
        office.keeper.keep(switch(True))
        await asyncio.sleep(1)
        assert office.told[0].trouble is Trouble.FAILED
        assert "surprise" in office.told[0].text
        office.shelf.error = None
        await asyncio.sleep(6)


async def test_what_could_not_be_opened_is_opened_later() -> None:
    """A database that is not there at start degrades storage, and is used when it comes."""
    async with Office() as office:
        office.shelf.opening = StoreError(Trouble.UNREACHABLE, "no server")
        assert not await office.keeper.open()
        office.keeper.keep(switch(True))
        await asyncio.sleep(20)
        assert office.shelf.batches == []
        office.shelf.opening = None
        await asyncio.sleep(6)
        assert office.shelf.rows
        assert [state.trouble for state in office.told] == [Trouble.UNREACHABLE, None]


async def test_events_are_bounded_while_nobody_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound events are dropped and counted; state never is."""
    monkeypatch.setattr(module, "EVENTS_WAITING", 10)
    async with Office() as office:
        office.shelf.error = StoreError(Trouble.FULL, "full")
        for number in range(25):
            office.keeper.keep(event(number))
        office.keeper.keep(switch(True))
        assert office.keeper.state.dropped == 15
        await asyncio.sleep(3)
        assert office.keeper.state.waiting == 11
        office.shelf.error = None
        await asyncio.sleep(6)
        office.keeper.keep(event(99))
        assert await office.keeper.written(1.0)
        assert ("event", "e:99") in office.shelf.rows


async def test_stopping_writes_what_waits_but_not_for_ever() -> None:
    """A well store has everything when stopping returns; a stuck one costs the limit, and leaves no task."""
    office = Office()
    office.keeper.start()
    office.keeper.keep(switch(True))
    await office.keeper.stop()
    assert office.shelf.rows
    stuck = Office()
    stuck.keeper.start()
    stuck.shelf.takes_s = 1e6
    stuck.keeper.keep(switch(True))
    await asyncio.sleep(1)
    began_t = loop().time()
    await stuck.keeper.stop()
    assert loop().time() - began_t <= module.STOP_S + 0.1
    await Office().keeper.stop()  # never started


async def test_old_rows_go_once_an_hour_whatever_happens() -> None:
    """Retention is asked for again and again, also after it failed."""
    async with Office() as office:
        await asyncio.sleep(3700)
        office.shelf.error = StoreError(Trouble.LOCKED, "locked")
        await asyncio.sleep(3600)
        office.shelf.error = None
        await asyncio.sleep(3600)
        assert office.shelf.pruned == 3


def test_places_tell_entries_apart() -> None:
    """Orders by id, switches by target, events by id."""
    order = StandingOrder(id="o-1", target="a/b", value=False, cause="test", issued_at=NOW)
    assert place(OrderEntry(order)) == place(OrderEntry(replace(order, is_verified=True)))
    assert place(event(1)) != place(event(2))
