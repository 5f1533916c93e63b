"""The RS485 bus: batteries, a master that polls them, and time on the wire.

It runs on any asyncio event loop: all time is the loop's, all randomness comes from the one source it is given.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from holdfast.simulators.jkbms.battery import MASTER, MOST_BATTERIES, Battery
from holdfast.simulators.jkbms.behaviour import BusBehaviour, Scan, Wiring
from holdfast.simulators.jkbms.faults import BusFault
from holdfast.simulators.jkbms.frames import FROM_MASTER, FROM_SLAVE, FrameKind, encode
from holdfast.simulators.jkbms.timing import Timing
from holdfast.simulators.jkbms.trouble import Troubles
from holdfast.simulators.jkbms.truth import LOG_LIMIT, Said
from holdfast.simulators.jkbms.units import Poll, PollReader, poll, reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from holdfast.simulators.jkbms.faults import BusTarget

LATEST_S = 1.0
"""A master that is later than this (a machine was asleep) does not catch up but begins anew from now."""

PARTIAL_S = 0.1
"""Silence after which the beginning of a poll is forgotten; ours, real firmware is unknown."""

SECOND_MASTER_PACE = 0.93
"""A second master has a clock of its own, so that it meets the first one at ever other places. Ours."""


@dataclass(slots=True, eq=False)
class Transmission:
    """What one participant puts on the wire in one go, from ``start_s`` to ``end_s`` in loop time."""

    start_s: float
    end_s: float
    meant: bytes
    """What it would be without collisions."""
    data: bytearray
    sender: object
    said: Said | None = None
    is_collided: bool = False


class Ear(Protocol):
    """Somebody who listens to the bus."""

    def hear(self, sent: Transmission) -> None:
        """A transmission is over."""


class Bus:
    """Up to 16 batteries on one wire; the one at address 0, if any, is the master.

    ``async with Bus(batteries, rng=...) as bus`` runs it. Gateways and serial ports attach themselves. For an
    outside observer: ``said`` is what batteries put on the wire, in order, ``spoken`` counts it.
    """

    def __init__(
        self,
        batteries: Iterable[Battery],
        *,
        rng: random.Random,
        timing: Timing | None = None,
        behaviour: BusBehaviour | None = None,
    ) -> None:
        self.batteries = tuple(batteries)
        if len({battery.address for battery in self.batteries}) < len(self.batteries):
            raise ValueError("two batteries have the same address")
        self.timing = timing or Timing()
        self.said: deque[Said] = deque(maxlen=LOG_LIMIT)
        self.spoken: Counter[tuple[int, FrameKind]] = Counter()
        self.counts: Counter[str] = Counter()
        self._rng = random.Random(rng.getrandbits(64))
        self._ears: list[Ear] = []
        self._on_air: list[Transmission] = []
        self._timers: set[asyncio.TimerHandle] = set()
        self._readers: dict[object, tuple[PollReader, float]] = {}
        self._free_at: dict[
            object, float
        ] = {}  # until when each sender is busy with what it has begun to say
        self._master: Master | None = None
        self._second_master: Master | None = None
        self._is_running = False
        self._troubles: Troubles[BusBehaviour, BusTarget] = Troubles(
            behaviour or BusBehaviour(), self, self._reconsider
        )

    # --- life ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Let the batteries live and the master poll. Needs a running loop."""
        if self._is_running:
            raise RuntimeError("the bus is running")
        self._is_running = True
        self._reconsider()

    def stop(self) -> None:
        """Silence: no timer is left. It may be started again."""
        self._is_running = False
        self._troubles.end_all()
        self._reconsider()
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._on_air.clear()
        self._readers.clear()
        self._free_at.clear()

    async def __aenter__(self) -> Bus:
        self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.stop()

    # --- what it looks like -------------------------------------------------------------------------------

    @property
    def behaviour(self) -> BusBehaviour:
        """How it behaves now, faults included."""
        return self._troubles.now

    @property
    def faults(self) -> tuple[BusFault, ...]:
        """The faults that last at present."""
        return tuple(fault for fault in self._troubles.faults if isinstance(fault, BusFault))

    @property
    def has_master(self) -> bool:
        """Whether somebody polls."""
        return self._master is not None

    def battery(self, address: int) -> Battery:
        """The battery at an address; `KeyError` if there is none."""
        for battery in self.batteries:
            if battery.address == address:
                return battery
        raise KeyError(address)

    # --- behaviour and faults -----------------------------------------------------------------------------

    def behave(self, **changes: Any) -> None:
        """From now on behave differently: ``changes`` are fields of `BusBehaviour`."""
        self._troubles.behave(changes)

    def begin(self, fault: BusFault) -> None:
        """Let a fault begin, to last until `end`."""
        self._troubles.begin(fault)

    def end(self, fault: BusFault) -> None:
        """Let a fault end that has begun."""
        self._troubles.end(fault)

    def swap(self, one: int, other: int) -> None:
        """Exchange the addresses of two batteries, or move one to a free address."""
        moves = [
            (battery, other if battery.address == one else one)
            for battery in self.batteries
            if battery.address in (one, other)
        ]
        for battery, address in moves:
            battery.move_to(address)
        self._reconsider()

    # --- the wire -----------------------------------------------------------------------------------------

    def attach(self, ear: Ear) -> None:
        """Let somebody listen."""
        self._ears.append(ear)

    def detach(self, ear: Ear) -> None:
        """Let somebody listen no more."""
        self._ears.remove(ear)
        self._readers.pop(ear, None)
        self._free_at.pop(ear, None)

    def transmit(self, data: bytes, sender: object, said: Said | None = None) -> None:
        """Put bytes on the wire at its speed: now, or once the sender has said what it is saying.

        What others have on the wire at that time collides with them.
        """
        if not (self._is_running and data):
            return
        now = asyncio.get_running_loop().time()
        start_s = max(now, self._free_at.get(sender, now))
        self._free_at[sender] = start_s + len(data) * self.timing.character_s
        if start_s > now:
            self._at(start_s, self._put, data, sender, said)
        else:
            self._put(data, sender, said)

    def _put(self, data: bytes, sender: object, said: Said | None) -> None:
        now = asyncio.get_running_loop().time()
        sent = Transmission(
            now, now + len(data) * self.timing.character_s, data, bytearray(data), sender, said
        )
        for other in self._on_air:
            self._collide(other, sent)
        self._on_air.append(sent)
        self._at(sent.end_s, self._over, sent)

    def has_answered(self, address: int, since_s: float) -> bool:
        """Whether a battery's answer was understood since a loop time; the last one is known."""
        said = self.said[-1] if self.said else None
        return said is not None and said.address == address and said.t >= since_s

    def say(self, battery: Battery, kind: FrameKind) -> None:
        """Let a battery put a frame on the wire, and the reply behind it."""
        now = asyncio.get_running_loop().time()
        frame = battery.frame(kind, now)
        data = encode(frame, FROM_MASTER if battery.is_master else FROM_SLAVE)
        end = reply(battery.address, kind)
        if self.behaviour.wiring is Wiring.PADDED:
            end = b"\0" + end + b"\0"
        self.transmit(data + end, battery, Said(now, battery.address, frame, kind))

    def _over(self, sent: Transmission) -> None:
        self._on_air.remove(sent)
        if sent.is_collided:
            self.counts["collisions"] += 1
        elif sent.said is not None:
            self.said.append(sent.said)
            self.spoken[sent.said.address, sent.said.kind] += 1
        for ear in tuple(self._ears):
            ear.hear(sent)
        if sent.said is None:
            self._listen(sent)

    def _collide(self, one: Transmission, other: Transmission) -> None:
        start_s, end_s = max(one.start_s, other.start_s), min(one.end_s, other.end_s)
        if start_s >= end_s:
            return
        for sent in (one, other):
            sent.is_collided = True
            first = int((start_s - sent.start_s) / self.timing.character_s)
            last = min(int((end_s - sent.start_s) / self.timing.character_s) + 1, len(sent.data))
            sent.data[first:last] = self._rng.randbytes(last - first)

    def _listen(self, sent: Transmission) -> None:
        """The batteries hear what others than batteries send."""
        reader, heard_at = self._readers.get(sent.sender) or (PollReader(), sent.start_s)
        if sent.is_collided or sent.start_s - heard_at > PARTIAL_S:
            reader.clear()
        self._readers[sent.sender] = reader, sent.end_s
        if sent.is_collided:
            return
        for question in reader.feed(bytes(sent.data)):
            self.counts["polls"] += 1
            for battery in self.batteries:
                if battery.address == question.address and self._does_answer(battery, question):
                    self._at(sent.end_s + self.timing.turnaround_s, self._answer, battery, question)

    def _does_answer(self, battery: Battery, question: Poll) -> bool:
        if battery.is_master:
            # A master answers for live values and settings, but reportedly not for its device info.
            return self.behaviour.has_master and question.kind is not FrameKind.INFO
        return battery.address not in self.behaviour.silent

    def _answer(self, battery: Battery, question: Poll) -> None:
        if battery.address == question.address and self._does_answer(battery, question):
            self.say(battery, question.kind)

    def _at(self, when: float, action: Any, *args: Any) -> None:
        def fire() -> None:
            self._timers.discard(timer)
            action(*args)

        timer = asyncio.get_running_loop().call_at(when, fire)
        self._timers.add(timer)

    # --- the masters --------------------------------------------------------------------------------------

    def _reconsider(self) -> None:
        behaviour, is_running = self.behaviour, self._is_running
        own = next((battery for battery in self.batteries if battery.is_master), None)
        has_master = is_running and own is not None and behaviour.has_master
        if self._master is not None and (not has_master or self._master.own is not own):
            self._master.stop()
            self._master = None
        if has_master and self._master is None:
            self._master = Master(self, own, self.timing)
            self._master.start()
        has_second = is_running and behaviour.has_second_master
        if self._second_master is not None and not has_second:
            self._second_master.stop()
            self._second_master = None
        elif has_second and self._second_master is None:
            self._second_master = Master(self, None, self.timing.at_pace(SECOND_MASTER_PACE))
            self._second_master.start()


class Master:
    """Asks all addresses in turn, then speaks of its own battery, over and over.

    Steps are laid on a grid from the start, so that nothing drifts.
    """

    def __init__(self, bus: Bus, own: Battery | None, timing: Timing) -> None:
        self.own = own
        self._bus = bus
        self._timing = timing
        self._steps = self._rounds()
        self._next_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Poll from now on."""
        self._next_s = asyncio.get_running_loop().time()
        self._step()

    def stop(self) -> None:
        """Poll no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _step(self) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() - self._next_s > LATEST_S:
            self._next_s = loop.time()
        self._next_s += next(self._steps)
        self._timer = loop.call_at(self._next_s, self._step)

    def _rounds(self) -> Iterator[float]:
        """One step after the other: acts, and tells how many seconds it takes."""
        while True:
            for address in range(1, MOST_BATTERIES):
                began_s = self._next_s
                yield from self._ask(address, FrameKind.LIVE)
                if self._bus.has_answered(address, began_s) or self._bus.behaviour.scan is Scan.BOTH:
                    yield from self._ask(address, FrameKind.SETTINGS)
            if self.own is not None and self.own.address == MASTER:
                for kind in (FrameKind.LIVE, FrameKind.SETTINGS):
                    self._bus.say(self.own, kind)
                    yield OWN_SIZE * self._timing.character_s + self._timing.pause_s

    def _ask(self, address: int, kind: FrameKind) -> Iterator[float]:
        began_s = self._next_s
        self._bus.transmit(poll(address, kind), self)
        yield self._timing.answered_s
        if not self._bus.has_answered(address, began_s):
            yield self._timing.absent_s - self._timing.answered_s


OWN_SIZE = 308
"""Characters of the master's own frame and its reply."""
