"""The simulated controller: a TCP server with a house behind it and faults on a timetable.

It runs on any asyncio event loop, on real sockets or in memory: all time is the loop's, all randomness comes
from the one `random.Random` it is given.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

from holdfast.simulators.ipcom.behaviour import Behaviour, Crowding
from holdfast.simulators.ipcom.cipher import KEY_SIZE
from holdfast.simulators.ipcom.connection import Connection, What
from holdfast.simulators.ipcom.field_bus import FieldBus
from holdfast.simulators.ipcom.house import LOG_LIMIT, Frame, House, Module, Pair
from holdfast.simulators.ipcom.judge import InterlockJudge
from holdfast.simulators.ipcom.life import Life, Residents
from holdfast.simulators.ipcom.messages import MODULES, OUTPUTS
from holdfast.simulators.ipcom.timetable import Moment, Timetable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from holdfast.simulators.ipcom.faults import Fault

REBIND_PAUSE_S = 0.1
"""Between attempts to listen again after a refusal, should the port be taken meanwhile."""

CLOSE_LIMIT_S = 0.2
"""How long stopping waits for clients that read nothing before it cuts them off."""


@dataclass(frozen=True, kw_only=True)
class ControllerConfig:
    """What is fixed about a controller before it starts."""

    modules: Mapping[int, Module] = field(default_factory=dict)
    """Module number (1..16) to kind; those not named are relay modules."""
    pairs: tuple[Pair, ...] = ()
    """Shutters, for the interlock's judge: the controller itself knows nothing of pairs."""
    outputs: bytes = bytes(MODULES * OUTPUTS)
    """All outputs at the start."""
    behaviour: Behaviour = field(default_factory=Behaviour)
    timetable: Timetable = field(default_factory=Timetable)
    life: Life | None = None


class Event(NamedTuple):
    """Something happened to a connection at loop time ``t``."""

    t: float
    connection: int
    what: What


class IpcomController:
    """A controller that can be dialled at ``host`` and ``port`` (0: any free one) between `start` and `stop`.

    For an outside observer: ``house`` is the truth, ``frames`` are all writes received in order, ``judge``
    watches the interlock, ``events`` and ``counts`` tell what clients did.
    """

    def __init__(
        self,
        config: ControllerConfig | None = None,
        *,
        rng: random.Random,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.config = config or ControllerConfig()
        self.host = host
        self.port = port
        self.house = House(self.config.modules, self.config.outputs)
        self.judge = InterlockJudge(self.house, self.config.pairs)
        self.frames: deque[Frame] = deque(maxlen=LOG_LIMIT)
        self.events: deque[Event] = deque(maxlen=LOG_LIMIT)
        self.counts: Counter[str] = Counter()
        # One source each, so that what one part draws does not shift what another part gets.
        self.rng, bus_rng, life_rng, self._key_rng = (random.Random(rng.getrandbits(64)) for _ in range(4))
        self.field_bus = FieldBus(lambda: self.behaviour, self.house.write, bus_rng)
        self._residents = Residents(self.config.life or Life(), self.house, life_rng)
        self._own_key = self._key_rng.randbytes(KEY_SIZE)
        self._base = self._behaviour = self.config.behaviour
        self._faults: list[Fault] = []
        self._frozen: bytes | None = None
        self._frame_watchers: list[Callable[[Frame], None]] = [self.judge.hear]
        self._connections: dict[int, Connection] = {}
        self._numbered = 0
        self._is_running = False
        self._server: asyncio.Server | None = None
        self._opening: asyncio.Task[None] | None = None
        self._open_again: asyncio.TimerHandle | None = None
        self._all_gone: asyncio.Future[None] | None = None
        self._moments: deque[Moment] = deque()
        self._started_at = 0.0
        self._next_moment: asyncio.TimerHandle | None = None

    # --- life ---------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen, let the residents in, begin the timetable. Raises `OSError` if the port cannot be had."""
        if self._is_running:
            raise RuntimeError("the controller is running")
        self._is_running = True
        try:
            if self._behaviour.is_listening:
                await self._listen()
        except BaseException:
            self._is_running = False
            raise
        self._started_at = asyncio.get_running_loop().time()
        self._moments = deque(self.config.timetable.moments())
        self._residents.start()
        self._await_moment()

    async def stop(self) -> None:
        """Pull the plug: no connection, timer or task is left.

        It may be started again; the house stays as it is, writes under way never arrive.
        """
        if not self._is_running:
            return
        self._is_running = False
        for timer in (self._next_moment, self._open_again):
            if timer is not None:
                timer.cancel()
        self._residents.stop()
        self.field_bus.clear()
        if self._opening is not None:
            await asyncio.wait((self._opening,))
        server, self._server = self._server, None
        if server is not None:
            _hang_up(server)
        await self._close_all()
        if server is not None:
            await server.wait_closed()
        for fault in tuple(self._faults):
            self.end(fault)

    async def __aenter__(self) -> IpcomController:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    # --- what it looks like ---------------------------------------------------------------------------------

    @property
    def behaviour(self) -> Behaviour:
        """How it behaves now, faults included."""
        return self._behaviour

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults that last at present."""
        return tuple(self._faults)

    @property
    def shown(self) -> bytes:
        """The outputs as snapshots show them: the truth, unless frozen."""
        return self.house.outputs if self._frozen is None else self._frozen

    @property
    def connections(self) -> int:
        """Connections open now, logged in or not."""
        return len(self._connections)

    @property
    def sessions(self) -> int:
        """Connections with an accepted login."""
        return sum(connection.has_session for connection in self._connections.values())

    def observe_frames(self, watcher: Callable[[Frame], None]) -> Callable[[], None]:
        """Tell ``watcher`` of every write as it is received; returns how to stop that."""
        self._frame_watchers.append(watcher)
        return lambda: self._frame_watchers.remove(watcher)

    # --- behaviour and faults -------------------------------------------------------------------------------

    def behave(self, **changes: Any) -> None:
        """From now on behave differently: ``changes`` are fields of `Behaviour`."""
        self._base = replace(self._base, **changes)
        self._reconsider()

    def begin(self, fault: Fault) -> None:
        """Let a fault begin, to last until `end`."""
        self._faults.append(fault)
        self._reconsider()
        fault.strike(self)

    def end(self, fault: Fault) -> None:
        """Let a fault end that has begun."""
        self._faults.remove(fault)
        self._reconsider()
        fault.relent(self)

    def drop_all(self) -> None:
        """Close every connection with a FIN."""
        for connection in self._everyone():
            connection.drop()

    def reset_all(self) -> None:
        """Close every connection with an RST."""
        for connection in self._everyone():
            connection.reset()

    def say_goodbye(self) -> None:
        """End every session with a word of it."""
        for connection in self._everyone():
            connection.say_goodbye()

    def send_snapshots(self) -> None:
        """Send every session a snapshot that nobody asked for."""
        for connection in self._everyone():
            connection.send_snapshot()

    def blurt(self) -> None:
        """Send every session noise that nobody asked for."""
        for connection in self._everyone():
            connection.blurt()

    def resume(self, *, answers_late: bool) -> None:
        """Go on after a stall, unless another one lasts."""
        if not self._behaviour.is_stalled:
            for connection in self._everyone():
                connection.resume(answers_late=answers_late)

    # --- what its connections call --------------------------------------------------------------------------

    def connection(self) -> Connection:
        """The protocol for one new connection."""
        self._numbered += 1
        return Connection(self, self._numbered)

    def draw_key(self) -> bytes:
        """The key for a new session."""
        if self._behaviour.is_key_renewed:
            return self._key_rng.randbytes(KEY_SIZE)
        return self._behaviour.session_key or self._own_key

    def receive(self, frame: Frame) -> None:
        """A write has come in."""
        self.frames.append(frame)
        for watcher in tuple(self._frame_watchers):
            watcher(frame)
        self.field_bus.carry(frame)

    def joined(self, connection: Connection) -> bool:
        """A connection is there; whether it may stay."""
        limit = self._behaviour.clients
        is_crowded = limit is not None and len(self._connections) >= limit
        oldest = next(iter(self._connections.values()), None)
        self._connections[connection.number] = connection
        if is_crowded and oldest is not None and self._behaviour.crowding is Crowding.OLDEST:
            oldest.drop()
            is_crowded = False
        return self._is_running and not is_crowded

    def left(self, connection: Connection) -> None:
        """A connection is gone."""
        self._connections.pop(connection.number, None)
        if not self._connections and self._all_gone is not None and not self._all_gone.done():
            self._all_gone.set_result(None)

    def note(self, connection: Connection, what: What) -> None:
        """Something happened to a connection."""
        self.counts[what] += 1
        self.events.append(Event(asyncio.get_running_loop().time(), connection.number, what))

    # --- inside ---------------------------------------------------------------------------------------------

    def _everyone(self) -> tuple[Connection, ...]:
        return tuple(self._connections.values())

    def _reconsider(self) -> None:
        before = self._behaviour
        now = self._behaviour = reduce(
            lambda behaviour, fault: fault.alter(behaviour), self._faults, self._base
        )
        if now.is_frozen != before.is_frozen:
            self._frozen = self.house.outputs if now.is_frozen else None
        if now.is_stalled and not before.is_stalled:
            for connection in self._everyone():
                connection.stall()
        for connection in self._everyone():
            connection.review()
        if now.is_listening != before.is_listening:
            self._open_or_close()

    def _open_or_close(self) -> None:
        if not (self._is_running and self._behaviour.is_listening):
            if self._server is not None:
                _hang_up(self._server)
                self._server = None
        elif self._server is None and self._opening is None:
            loop = asyncio.get_running_loop()
            self._opening = loop.create_task(self._listen_again(), name="ipcom simulator: listen again")

    async def _listen(self) -> None:
        self._server = await asyncio.get_running_loop().create_server(self.connection, self.host, self.port)
        if not self.port:
            self.port = self._server.sockets[0].getsockname()[1]

    async def _listen_again(self) -> None:
        try:
            await self._listen()
        except OSError:
            loop = asyncio.get_running_loop()
            self._open_again = loop.call_later(REBIND_PAUSE_S, self._open_or_close)
        finally:
            self._opening = None
        if self._server is not None:
            self._open_or_close()  # it may not be wanted any more

    async def _close_all(self) -> None:
        for _ in range(3):  # what the server has accepted appears within so many turns of the loop
            await asyncio.sleep(0)
        for close in (Connection.drop, Connection.cut_off):
            if self._connections:
                self._all_gone = asyncio.get_running_loop().create_future()
                for connection in self._everyone():
                    close(connection)
                await asyncio.wait((self._all_gone,), timeout=CLOSE_LIMIT_S)

    def _await_moment(self) -> None:
        if self._moments:
            due = self._started_at + self._moments[0].at_s
            self._next_moment = asyncio.get_running_loop().call_at(due, self._live_moment)

    def _live_moment(self) -> None:
        moment = self._moments.popleft()
        if moment.is_end:
            self.end(moment.fault)
        elif moment.is_lasting:
            self.begin(moment.fault)
        else:
            moment.fault.strike(self)
        self._await_moment()


def _hang_up(server: asyncio.Server) -> None:
    """Listen no more, within one turn of the loop.

    A selector loop loses a connection that it accepts in the very turn in which the server closes (it can
    neither be attached nor is it closed, CPython 3.11 to 3.13). So accepting stops first.
    """
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):  # other loops do not have the fault, nor readers
        for sock in server.sockets:
            loop.remove_reader(sock.fileno())
    loop.call_soon(server.close)
