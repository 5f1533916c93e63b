"""The two ways through the device: writes over the field bus, replies over the line."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.simulators.ipcom import Behaviour, Frame, Line
from holdfast.simulators.ipcom.belt import Belt
from holdfast.simulators.ipcom.cipher import session_cipher
from holdfast.simulators.ipcom.field_bus import FieldBus
from holdfast.simulators.ipcom.line import Outlet, harmless_bytes, noise, pieces

KEY = bytes(range(128))
FRAMES = [Frame(0.0, number, bytes(8), 1) for number in range(1, 17)]


@dataclass
class Arrivals:
    """Notes what arrives and when, counted from its making."""

    seen: list[tuple[float, object]] = field(default_factory=list)
    began_at: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    def __call__(self, item: object) -> None:
        self.seen.append((round(asyncio.get_running_loop().time() - self.began_at, 9), item))


@pytest.mark.virtual
async def test_a_belt_keeps_the_order() -> None:
    """Nothing arrives before its own delay, nor before what was put on earlier."""
    arrivals = Arrivals()
    belt: Belt[str] = Belt(arrivals)
    belt.put("now")
    belt.put("slow", 2.0)
    belt.put("fast", 0.5)
    belt.put("slowest", 3.0)
    assert not belt.is_empty
    await asyncio.sleep(10)
    assert arrivals.seen == [(0.0, "now"), (2.0, "slow"), (2.0, "fast"), (3.0, "slowest")]
    assert belt.is_empty


@pytest.mark.virtual
async def test_a_belt_may_be_used_while_it_delivers() -> None:
    """An item may put on the next one, or clear the belt, as it arrives."""
    arrivals = Arrivals()

    def deliver(item: int) -> None:
        arrivals(item)
        if item == 1:
            belt.put(4)
        if item == 3:
            belt.clear()

    belt: Belt[int] = Belt(deliver)
    for item in (1, 2, 3, 5):
        belt.put(item, 1.0)
    await asyncio.sleep(10)
    assert [item for _, item in arrivals.seen] == [1, 2, 3]


@pytest.mark.virtual
async def test_the_bus_takes_its_time_and_keeps_the_order() -> None:
    """With a random delay every frame takes effect, in order, within the range."""
    arrivals = Arrivals()
    bus = FieldBus(lambda: Behaviour(bus_delay_s=(0.1, 0.3)), arrivals, random.Random(3))
    for frame in FRAMES:
        bus.carry(frame)
        await asyncio.sleep(0.01)
    assert not bus.is_idle
    await asyncio.sleep(1)
    assert [item for _, item in arrivals.seen] == FRAMES
    assert all(0.1 <= t - 0.01 * index <= 0.31 for index, (t, _) in enumerate(arrivals.seen))
    assert bus.is_idle


@pytest.mark.virtual
async def test_the_bus_loses() -> None:
    """Lost frames never arrive and are kept for whoever wants to know."""
    arrivals = Arrivals()
    bus = FieldBus(lambda: Behaviour(bus_loss=0.5), arrivals, random.Random(3))
    for frame in FRAMES:
        bus.carry(frame)
    assert 0 < len(bus.lost) < len(FRAMES)
    assert sorted([*(cast("Frame", item) for _, item in arrivals.seen), *bus.lost]) == FRAMES


@given(st.binary(min_size=128, max_size=128), st.integers(0, 2**32), st.integers(1, 200))
def test_noise_is_never_accidentally_valid(key: bytes, seed: int, longest: int) -> None:
    """No byte of noise decodes to the identifier of any message, wherever a reader starts."""
    cipher = session_cipher(key)
    made = noise(random.Random(seed), harmless_bytes(cipher), longest)
    assert 1 <= len(made) <= longest
    assert not {cipher.decode(bytes((byte,)))[0] for byte in made} & {1, 2, 3, 4, 5, 6, 0x23}


@given(st.binary(min_size=1, max_size=140), st.integers(1, 140), st.integers(0, 2**32))
def test_splitting_loses_nothing(reply: bytes, longest: int, seed: int) -> None:
    """Pieces are no longer than asked, and together they are the reply."""
    parts = pieces(reply, Line(longest_piece=longest), random.Random(seed), b"", is_login=False)
    assert b"".join(parts) == reply
    assert all(1 <= len(part) <= longest for part in parts)


@given(st.integers(0, 2**32))
def test_a_login_reply_is_spared(seed: int) -> None:
    """The answer to a login may be cut, but not so short as to mean another, nor be doubled or dirtied."""
    line = Line(truncate=1.0, duplicate=1.0, garbage=1.0)
    (part,) = pieces(bytes(135), line, random.Random(seed), b"\xff", is_login=True)
    assert 4 <= len(part) < 135
    assert pieces(b"\x02\x01", line, random.Random(seed), b"\xff", is_login=True) == [b"\x02\x01"]


class Wire(asyncio.Transport):
    """Collects what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.arrivals = Arrivals()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.arrivals(bytes(data))

    def close(self) -> None:
        self.arrivals("closed")


@pytest.mark.virtual
async def test_what_is_held_for_glueing_does_not_wait_for_ever() -> None:
    """A reply that waits for company goes alone once its time is up, or before the connection closes."""
    wire, line = Wire(), Line(glue_hold_s=0.4)
    outlet = Outlet(wire, lambda: line, random.Random(1))
    outlet.begin(session_cipher(KEY))
    outlet.send(b"alone")
    assert not outlet.is_idle
    await asyncio.sleep(1)
    outlet.send(b"one")
    outlet.send(b"two")
    outlet.send(b"last")
    outlet.close()
    assert wire.arrivals.seen == [(0.4, b"alone"), (1.0, b"onetwo"), (1.0, b"last"), (1.0, "closed")]


@pytest.mark.virtual
async def test_an_outlet_forgets() -> None:
    """After clearing, neither what was delayed nor what was held is sent."""
    wire = Wire()
    outlet = Outlet(wire, lambda: Line(glue_hold_s=0.4), random.Random(1))
    outlet.begin(session_cipher(KEY))
    outlet.send(b"held")
    outlet.send(b"late", 1.0)
    outlet.clear()
    await asyncio.sleep(2)
    assert wire.arrivals.seen == []
    assert outlet.is_idle
