"""What a gateway and a serial port have in common: bytes from the bus, pieces, faults, and the truth about both."""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections import Counter, deque
from typing import TYPE_CHECKING, Any, NamedTuple

from holdfast.simulators.jkbms.behaviour import OutletBehaviour
from holdfast.simulators.jkbms.faults import BusFault, OutletFault
from holdfast.simulators.jkbms.line import Way, cut
from holdfast.simulators.jkbms.timetable import Moment, Timetable
from holdfast.simulators.jkbms.trouble import Troubles
from holdfast.simulators.jkbms.truth import (
    LOG_LIMIT,
    Damage,
    Deception,
    Key,
    Lookout,
    Receiver,
    WholeFrame,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.simulators.jkbms.bus import Bus, Transmission
    from holdfast.simulators.jkbms.faults import Fault, OutletTarget


class Piece(NamedTuple):
    """One write: bytes, the place in the stream behind them, and the frames that they complete."""

    data: bytes
    end: int
    frames: tuple[WholeFrame, ...]


class Outlet(ABC):
    """Listens to a bus between `start` and `stop` and passes on what it hears, at the speed of the wire.

    For an outside observer: ``frames`` are whole frames written to at least one client, in order, and
    ``counts`` counts them by sender and kind; ``receivers`` tell the same for each client there ever was;
    ``damages`` is what was done to the rest, ``deceptions`` whatever in the stream only looks like a frame.
    """

    def __init__(
        self,
        bus: Bus,
        *,
        rng: random.Random,
        behaviour: OutletBehaviour | None = None,
        timetable: Timetable | None = None,
    ) -> None:
        self.bus = bus
        self.timetable = timetable or Timetable()
        self.frames: deque[WholeFrame] = deque(maxlen=LOG_LIMIT)
        self.counts: Counter[Key] = Counter()
        self.receivers: deque[Receiver] = deque(maxlen=LOG_LIMIT)
        self.damages: deque[Damage] = deque(maxlen=LOG_LIMIT)
        self.deceptions: deque[Deception] = deque(maxlen=LOG_LIMIT)
        self.bytes_out = 0
        # One source each, so that what one part draws does not shift what another part gets.
        way_rng, self._packing_rng = (random.Random(rng.getrandbits(64)) for _ in range(2))
        self._way = Way(way_rng)
        self._lookout = Lookout()
        self._formed = 0  # place in the stream behind the last byte that was made up into a piece
        self._held = bytearray()
        self._held_frames: list[WholeFrame] = []
        self._hold: asyncio.TimerHandle | None = None
        self._pieces: deque[tuple[float, Piece]] = deque()
        self._free_at = 0.0
        self._writing: asyncio.TimerHandle | None = None
        self._numbered = 0
        self._bus_faults: list[BusFault] = []
        self._is_running = False
        self._moments: deque[Moment] = deque()
        self._started_at = 0.0
        self._next_moment: asyncio.TimerHandle | None = None
        self._troubles: Troubles[OutletBehaviour, OutletTarget] = Troubles(
            behaviour or OutletBehaviour(), self, self._reconsider
        )

    # --- what it looks like -------------------------------------------------------------------------------

    @property
    def behaviour(self) -> OutletBehaviour:
        """How it behaves now, faults included."""
        return self._troubles.now

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Its own faults that last at present; those of the bus are the bus's."""
        return tuple(fault for fault in self._troubles.faults if isinstance(fault, OutletFault))

    # --- behaviour and faults -----------------------------------------------------------------------------

    def behave(self, **changes: Any) -> None:
        """From now on behave differently: ``changes`` are fields of `OutletBehaviour`."""
        self._troubles.behave(changes)

    def begin(self, fault: Fault) -> None:
        """Let a fault begin, to last until `end`; one of the bus begins there."""
        if isinstance(fault, BusFault):
            self._bus_faults.append(fault)
            self.bus.begin(fault)
        elif isinstance(fault, OutletFault):
            self._troubles.begin(fault)
        else:
            raise TypeError(f"{fault} befalls neither a bus nor what listens to it")

    def end(self, fault: Fault) -> None:
        """Let a fault end that has begun."""
        if isinstance(fault, BusFault):
            self._bus_faults.remove(fault)
            self.bus.end(fault)
        elif isinstance(fault, OutletFault):
            self._troubles.end(fault)

    @abstractmethod
    def drop_all(self) -> None:
        """Close every connection with a FIN."""

    @abstractmethod
    def reset_all(self) -> None:
        """Close every connection with an RST."""

    @abstractmethod
    def forget_all(self) -> None:
        """Know no connection any more, and tell nobody."""

    # --- what the bus and clients call --------------------------------------------------------------------

    def hear(self, sent: Transmission) -> None:
        """A transmission on the bus is over: it goes to the clients, or what the line leaves of it."""
        behaviour = self.behaviour
        if sent.sender is self and not behaviour.echoes:
            return
        passed = self._way.carry(sent, behaviour.line)
        self.damages.extend(passed.damages)
        start = self._formed + len(self._held)
        meant = set() if passed.frame_at is None else {start + passed.frame_at}
        self.deceptions.extend(self._lookout.watch(passed.data, sent.end_s, meant))
        if passed.is_answer_whole and passed.frame_at is not None and sent.said is not None:
            said = sent.said
            end = start + len(passed.data)
            self._held_frames.append(
                WholeFrame(said.t, said.address, said.kind, said.values, start + passed.frame_at, end)
            )
        self._held += passed.data
        hold_s = behaviour.packing.hold_s
        if hold_s <= 0.0:
            self._form()
        elif self._hold is None:
            self._hold = asyncio.get_running_loop().call_later(hold_s, self._form)

    def send_to_bus(self, data: bytes) -> None:
        """A client sends something."""
        if not self.behaviour.is_stalled:
            self.bus.transmit(data, self)

    # --- for gateway and serial port ----------------------------------------------------------------------

    @abstractmethod
    def _write(self, piece: Piece) -> Iterable[Receiver]:
        """Write to all clients; returns those who got all of it. The others have to be told what they miss."""

    @abstractmethod
    def _reconsider(self) -> None:
        """The behaviour may have changed."""

    def _begin(self) -> None:
        self._is_running = True
        self.bus.attach(self)
        self._started_at = asyncio.get_running_loop().time()
        self._moments = deque(self.timetable.moments())
        self._await_moment()

    def _cease(self) -> None:
        self._is_running = False
        self.bus.detach(self)
        for fault in self._bus_faults:
            if fault in self.bus.faults:  # it may have been stopped before us
                self.bus.end(fault)
        self._bus_faults.clear()
        for timer in (self._next_moment, self._hold, self._writing):
            if timer is not None:
                timer.cancel()
        self._next_moment = self._hold = self._writing = None
        self._moments.clear()
        self._pieces.clear()
        self._held.clear()
        self._held_frames.clear()

    def _new_receiver(self) -> Receiver:
        """A client has come. It gets nothing of what is being written at the moment, only what follows."""
        self._numbered += 1
        waiting = self._pieces[0][1] if self._pieces else None
        since = self._formed if waiting is None else waiting.end - len(waiting.data)
        receiver = Receiver(self._numbered, asyncio.get_running_loop().time(), since)
        self.receivers.append(receiver)
        return receiver

    # --- inside -------------------------------------------------------------------------------------------

    def _form(self) -> None:
        """Make up what is held into pieces, each due when the wire would have brought it."""
        if self._hold is not None:
            self._hold.cancel()
            self._hold = None
        due = max(asyncio.get_running_loop().time(), self._free_at)
        frames = deque(self._held_frames)
        for index, data in enumerate(cut(bytes(self._held), self.behaviour.packing, self._packing_rng)):
            size = len(data)
            self._formed += size
            ended = []
            while frames and frames[0].end <= self._formed:
                ended.append(frames.popleft())
            due += size * self.bus.timing.character_s if index else 0.0
            self._pieces.append((due, Piece(data, self._formed, tuple(ended))))
        self._free_at = due
        self._held.clear()
        self._held_frames.clear()
        if self._writing is None:
            self._write_due(asyncio.get_running_loop().time())

    def _write_due(self, now: float) -> None:
        # Judged by the timer's own moment: a real loop may fire a hair early and would then re-arm endlessly.
        self._writing = None
        while self._pieces and self._pieces[0][0] <= now:
            piece = self._pieces.popleft()[1]
            whole: dict[int, WholeFrame] = {}
            for receiver in self._write(piece):
                whole.update((frame.start, frame) for frame in receiver.take(piece.frames))
            self.bytes_out += len(piece.data)
            for _, frame in sorted(whole.items()):
                self.frames.append(frame)
                self.counts[frame.key] += 1
        if self._pieces:
            due = self._pieces[0][0]
            self._writing = asyncio.get_running_loop().call_at(due, self._write_due, due)

    def _await_moment(self) -> None:
        if self._moments:
            due = self._started_at + self._moments[0].at_s
            self._next_moment = asyncio.get_running_loop().call_at(due, self._live_moment)

    def _live_moment(self) -> None:
        moment = self._moments.popleft()
        fault = moment.fault
        if moment.is_end:
            self.end(fault)
        elif moment.is_lasting:
            self.begin(fault)
        elif isinstance(fault, BusFault):
            fault.strike(self.bus)
        elif isinstance(fault, OutletFault):
            fault.strike(self)
        self._await_moment()
