"""Faults on a timetable, by hand and from a seed."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from holdfast.simulators.ipcom import (
    PROFILES,
    Drop,
    Fault,
    Freeze,
    Late,
    LoseReplies,
    Refuse,
    Stall,
    StuckRelay,
    Timetable,
    random_timetable,
)
from tests.simulators.ipcom.client import Client

if TYPE_CHECKING:
    from tests.simulators.ipcom.conftest import Serve


@pytest.mark.virtual
async def test_faults_come_and_go_at_their_times(serve: Serve) -> None:
    """Each fault begins and ends on the second, counted from the start of the controller."""
    late, lossy = Late(0.5), LoseReplies(0.5)
    controller = await serve(
        timetable=Timetable([(20.0, 18.0, lossy), (10.0, 20.0, late), (60.0, 8.0, late)])
    )
    active = []
    for _ in range(7):
        await asyncio.sleep(5.0)
        active.append(controller.faults)
        await asyncio.sleep(5.0)
    assert active == [(), (late,), (late, lossy), (lossy,), (), (), (late,)]
    assert controller.faults == ()


@pytest.mark.virtual
async def test_a_fault_without_duration_strikes_once(serve: Serve) -> None:
    """A drop of no duration ends the connections of its moment and touches none after it."""
    controller = await serve(timetable=Timetable([(10.0, 0.0, Drop())]))
    async with await Client.with_session(controller) as client:
        await asyncio.sleep(9.9)
        assert await client.poll() == bytes(128)
        assert await client.rest() == b""
    async with await Client.with_session(controller) as client:
        assert await client.poll() == bytes(128)


@pytest.mark.virtual
async def test_a_refusal_on_the_timetable(serve: Serve) -> None:
    """The port closes and opens again by itself, and what was under way before goes on after."""
    controller = await serve(timetable=Timetable([(10.0, 20.0, Refuse())]))
    await asyncio.sleep(15.0)
    with pytest.raises(ConnectionRefusedError):
        await Client.dial(controller)
    await asyncio.sleep(15.1)
    async with await Client.with_session(controller) as client:
        assert await client.poll() == bytes(128)


@pytest.mark.virtual
async def test_equal_faults_may_overlap(serve: Serve) -> None:
    """Of two stalls the longer one decides when the device answers again, and what becomes of requests."""
    controller = await serve(
        timetable=Timetable([(10.0, 10.0, Stall()), (15.0, 15.0, Stall(answers_late=True))])
    )
    async with await Client.with_session(controller) as client:
        await asyncio.sleep(17.0)
        client.send(b"\x05\x01")
        assert await client.silence(12.9)
        assert (await client.hear(130))[:2] == b"\x05\x01"


@pytest.mark.virtual
async def test_a_stuck_relay_on_the_timetable(serve: Serve) -> None:
    """An output sticks for its time only."""
    controller = await serve(timetable=Timetable([(1.0, 1.0, StuckRelay(1, 1))]))
    await asyncio.sleep(1.5)
    assert controller.house.press(1, 1) == 0
    await asyncio.sleep(1.0)
    assert controller.house.press(1, 1) == 255


def test_ends_come_before_beginnings() -> None:
    """A fault that follows another in the same instant finds it ended."""
    first, second = Drop(), Stall()
    moments = Timetable([(5.0, 5.0, second), (0.0, 5.0, first)]).moments()
    assert [(moment.at_s, moment.is_end, moment.fault) for moment in moments] == [
        (0.0, False, first),
        (5.0, True, first),
        (5.0, False, second),
        (10.0, True, second),
    ]


def test_times_before_the_start_are_errors() -> None:
    """A timetable is checked when it is written, not when its hour comes."""
    for at_s, duration_s in ((-1.0, 1.0), (1.0, -1.0)):
        with pytest.raises(ValueError, match="before the start"):
            Timetable([(at_s, duration_s, Fault())])


@pytest.mark.parametrize("profile", PROFILES)
def test_a_seed_is_a_timetable(profile: str) -> None:
    """Equal seeds give equal timetables, within the hours asked for, and other seeds others."""
    entries = random_timetable(random.Random(5), 24.0, profile).entries
    assert entries == random_timetable(random.Random(5), 24.0, profile).entries
    assert all(0 <= entry.at_s < 24 * 3600 for entry in entries)
    assert list(entries) == sorted(entries, key=lambda entry: entry.at_s)
    assert (entries != random_timetable(random.Random(6), 24.0, profile).entries) == bool(PROFILES[profile])


def test_profiles_grow_worse() -> None:
    """Calm, rough and hostile differ by an order of how much goes wrong, and none holds a lie nobody can see."""
    counts = [
        len(random_timetable(random.Random(1), 100.0, name).entries)
        for name in ("none", "calm", "rough", "hostile")
    ]
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert counts[3] > 5 * counts[2] > 25 * counts[1]
    hostile = {type(entry.fault) for entry in random_timetable(random.Random(1), 100.0, "hostile").entries}
    assert len(hostile) == len(PROFILES["hostile"])
    assert Freeze not in hostile


def test_a_timetable_can_be_read() -> None:
    """Printed, a timetable has a line per entry and ends when its last fault does."""
    timetable = Timetable([(1.0, 2.0, Late(0.5)), (0.5, 0.0, Drop())])
    assert len(str(timetable).splitlines()) == 2
    assert "Late(extra_s=0.5)" in str(timetable)
    assert (timetable.end_s, Timetable().end_s) == (3.0, 0.0)
