"""The virtual-time event loop: asyncio's own scheduler over a clock that jumps instead of waiting.

What runs when is decided by the stock loop alone; only its selector is replaced. Where the stock loop would
sleep until the next timer, this one sets its clock to that timer's own ``when`` and goes on, so a day of
waiting costs nothing and no wait is ever a rounding error too long or too short.

Two things differ, both for the sake of replay. Timers due at the same instant run in the order in which they
were made (the stock loop leaves it undefined). Work handed to an executor runs at once, in place: there are no
threads in virtual time.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import random
import socket
import threading
import weakref
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

from holdfast.simulation.network import Network
from holdfast.simulation.world import OfTheWorld

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Coroutine, Generator, Sequence
    from contextvars import Context

    from holdfast.simulation.server import VirtualServer

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""The wall clock at the start of every run, unless told otherwise (the same as ``LoopClock``'s)."""

START_S = 1000.0
"""The loop's clock at the start. Not 0.0, so that code which takes 0 for "never" is found out."""

TURNS_PER_INSTANT = 1_000_000
"""Turns of the loop without progress before it counts as stuck: about a real second, and far more than any
honest burst (the busiest instant of the tests takes some hundreds)."""

INSTANT_S = 1e-6
"""Less than this is no progress, which catches pauses that shrink for ever. Devices answer in 1e-3 s."""

SHOWN = 8
"""How many tasks or callbacks an error lists: what a terminal shows at a glance."""

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")
_ProtocolT = TypeVar("_ProtocolT", bound=asyncio.BaseProtocol)


class NothingScheduled(RuntimeError):
    """The program waits, and nothing that is scheduled could ever wake it: on a real loop, a silent hang."""


class EndlessInstant(RuntimeError):
    """The program is busy without end while no time passes: on a real loop, a core at 100 %."""


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop in virtual time, with an in-memory network in place of the machine's.

    The same ``seed`` and the same program give the same run. ``random`` is the program's own seeded source;
    the network draws from another, so that one draw more in the program does not move every packet.
    ``epoch`` is the wall clock (UTC) at the loop time ``START_S``.
    """

    # Parts of the stock loop that this one leans on and that the type stubs leave out.
    _scheduled: list[_Timer]
    _ready: deque[asyncio.Handle]
    _thread_id: int | None

    def __init__(self, seed: int = 0, epoch: datetime = EPOCH) -> None:
        super().__init__()
        self.seed = seed
        self.epoch = epoch
        self.random = random.Random(f"{seed}/program")
        self.network = Network(self, random.Random(f"{seed}/network"))
        # The stock loop asks its selector to wait for sockets; this one lets time pass instead.
        self._selector = SimpleNamespace(select=self._pass_time)
        self._set_time(START_S)
        self._instant_began = START_S
        self._turns = 0
        self._timers_made = 0
        self._tasks_made = 0
        # In order of creation, unlike asyncio.all_tasks(), whose order follows memory addresses.
        self._tasks: weakref.WeakValueDictionary[int, asyncio.Future[Any]] = weakref.WeakValueDictionary()

    # --- time ------------------------------------------------------------------------------------------

    def time(self) -> float:
        """Virtual seconds; starts at ``START_S`` and moves only while nothing is ready to run."""
        return self._now

    def utc_now(self) -> datetime:
        """The wall clock in UTC, in step with ``time``."""
        return self.epoch + timedelta(seconds=self._now - START_S)

    def _set_time(self, now: float) -> None:
        self._now = now
        # The stock loop runs timers due before time() + _clock_resolution. One unit in the last place makes
        # that "due now, and nothing else" at any time; a fixed tiny number would vanish in large times.
        self._clock_resolution = math.ulp(now)

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call back at the loop time ``when`` (seconds); timers for one instant run in order of creation."""
        if self.is_closed():
            raise RuntimeError("Event loop is closed")
        self._timers_made += 1
        timer = _Timer(when, callback, args, self, context)
        timer.key = (when, self._timers_made)
        timer._scheduled = True  # noqa: SLF001 - the stock loop sets it too, to count cancelled timers
        heapq.heappush(self._scheduled, timer)
        return timer

    # --- tasks and threads -----------------------------------------------------------------------------

    def create_task(
        self,
        coro: Generator[Any, None, _T] | Coroutine[Any, Any, _T],
        *,
        name: object = None,
        context: Context | None = None,
        **options: Any,
    ) -> asyncio.Task[_T]:
        """Schedule a coroutine. Unnamed tasks are numbered per loop, so their names replay as well."""
        self._tasks_made += 1
        name = f"Task-{self._tasks_made}" if name is None else name
        task = super().create_task(coro, name=name, context=context, **options)
        self._tasks[self._tasks_made] = task
        return task

    def run_in_executor(
        self, executor: object, func: Callable[[*_Ts], _T], *args: *_Ts
    ) -> asyncio.Future[_T]:
        """Run ``func`` here and now; the future returned is already done."""
        if self.is_closed():
            raise RuntimeError("Event loop is closed")
        future: asyncio.Future[_T] = self.create_future()
        try:
            future.set_result(func(*args))
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as fault:  # noqa: BLE001 - it belongs to whoever awaits
            future.set_exception(fault)
        return future

    def call_soon_threadsafe(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """As ``call_soon``; from another thread it raises, since what a thread does cannot be replayed."""
        if self._thread_id is not None and self._thread_id != threading.get_ident():
            raise RuntimeError("another thread called into virtual time; put a port with a fake before it")
        return self.call_soon(callback, *args, context=context)

    # --- network ---------------------------------------------------------------------------------------

    async def getaddrinfo(  # type: ignore[override]  # IPv4 only, and said so
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - asyncio's name
        proto: int = 0,
        flags: int = 0,
    ) -> list[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int]]]:
        """Look up in ``network.names``; unknown names raise ``socket.gaierror``. Always IPv4."""
        address = self.network.resolve(host.decode() if isinstance(host, bytes) else host)
        kinds = [socket.SOCK_STREAM, socket.SOCK_DGRAM] if type == 0 else [socket.SocketKind(type)]
        number = {socket.SOCK_STREAM: socket.IPPROTO_TCP, socket.SOCK_DGRAM: socket.IPPROTO_UDP}
        return [(socket.AF_INET, kind, number.get(kind, 0), "", (address, int(port or 0))) for kind in kinds]

    async def create_connection(
        self,
        protocol_factory: Callable[[], _ProtocolT],
        host: str | None = None,
        port: int | None = None,
        *,
        local_addr: tuple[str, int] | None = None,
        ssl: object = None,
        sock: object = None,
        **options: Any,
    ) -> tuple[asyncio.Transport, _ProtocolT]:
        """Dial a simulated host. ``local_addr`` names the host that dials; other options change nothing."""
        if ssl or sock is not None:
            raise ValueError("the simulated network has neither TLS nor real sockets")
        if port is None:
            raise ValueError("a port is needed")
        return await self.network.connect(protocol_factory, host, int(port), local_addr)

    async def create_unix_connection(
        self, protocol_factory: Callable[[], _ProtocolT], path: str | None = None, **options: Any
    ) -> tuple[asyncio.Transport, _ProtocolT]:
        """Dial ``sim://host:port``: the way in for libraries that open TCP sockets behind asyncio's back."""
        scheme, _, address = str(path).partition("://")
        host, _, port = address.rpartition(":")
        if scheme != "sim" or not host or not port.isdecimal():
            raise FileNotFoundError(f"not of the form sim://host:port: {path!r}")
        return await self.create_connection(protocol_factory, host, int(port), **options)

    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | Sequence[str] | None = None,
        port: int | None = None,
        *,
        start_serving: bool = True,
        ssl: object = None,
        sock: object = None,
        **options: Any,
    ) -> VirtualServer:
        """Listen on a simulated host, which comes into being if need be; no name means ``network.here``."""
        if ssl or sock is not None:
            raise ValueError("the simulated network has neither TLS nor real sockets")
        if host is not None and not isinstance(host, str):
            (host,) = host
        server = self.network.listen(protocol_factory, host, port or 0)
        if start_serving:
            await server.start_serving()
        return server

    async def create_datagram_endpoint(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], _ProtocolT],
        local_addr: tuple[str, int] | None = None,
        remote_addr: tuple[str, int] | None = None,
        *,
        sock: object = None,
        **options: Any,
    ) -> tuple[asyncio.DatagramTransport, _ProtocolT]:
        """Open a UDP socket on the host that ``local_addr`` names (none: ``network.here``)."""
        if sock is not None:
            raise ValueError("the simulated network has no real sockets")
        return await self.network.open_datagrams(protocol_factory, local_addr, remote_addr)

    # --- the end ---------------------------------------------------------------------------------------

    def pending_tasks(self) -> list[asyncio.Future[Any]]:
        """Tasks not done, the current one excepted, in order of creation."""
        current = asyncio.current_task(self)
        return [task for task in list(self._tasks.values()) if not task.done() and task is not current]

    def leftovers(self) -> list[str]:
        """What the program still holds, one line each: pending tasks, live timers, open sockets.

        The simulated world's own timers (packets under way) and the sockets of other hosts do not count.
        """
        timers = [t for t in sorted(self._scheduled) if not t.cancelled() and not t.is_of_the_world]
        return [
            *(f"task {_describe(task)}" for task in self.pending_tasks()),
            *(f"timer {timer.name} due in {timer.when() - self._now:.6g} s" for timer in timers),
            *self.network.leftovers(),
        ]

    # --- what the stock loop asks of its subclasses ----------------------------------------------------

    def _pass_time(self, timeout: float | None) -> list[object]:
        """Asked once a turn: ``None`` says that nothing is scheduled, 0 that something is ready now."""
        if timeout is None or (timeout > 0.0 and math.isinf(self._scheduled[0].when())):
            raise NothingScheduled(self._deadlock())
        if timeout > 0.0:
            when = self._scheduled[0].when()
            self._set_time(when)
            if when - self._instant_began >= INSTANT_S:
                self._instant_began = when
                self._turns = 0
        self._turns += 1
        if self._turns > TURNS_PER_INSTANT:
            self._turns = 0  # so that a clean-up may still run
            raise EndlessInstant(self._endless())
        return []

    def _process_events(self, event_list: list[object]) -> None:
        """There are none: the network calls back by timers."""

    def _write_to_self(self) -> None:
        """Nothing sleeps, so nothing need be woken."""

    def _deadlock(self) -> str:
        tasks = [_describe(task) for task in self.pending_tasks()]
        return f"deadlock at {self._now:.6f} s: waiting for ever are {_listed(tasks) or 'no tasks'}"

    def _endless(self) -> str:
        busy = list(dict.fromkeys(repr(handle) for handle in self._ready))
        return (
            f"{TURNS_PER_INSTANT} turns of the loop within {INSTANT_S:g} s at {self._now:.6f} s; "
            f"ready to run: {_listed(busy) or 'timers only'}"
        )


class _Timer(asyncio.TimerHandle):
    """A timer that knows its place among those of the same instant."""

    __slots__ = ("key",)

    key: tuple[float, int]
    _scheduled: bool

    def __lt__(self, other: asyncio.TimerHandle) -> bool:
        return self.key < other.key  # type: ignore[attr-defined,no-any-return]  # a loop has no other kind

    @property
    def name(self) -> str:
        callback: Any = self._callback  # type: ignore[attr-defined]  # in the stock class, not in the stubs
        return str(getattr(callback, "__qualname__", callback))

    @property
    def is_of_the_world(self) -> bool:
        callback: Any = self._callback  # type: ignore[attr-defined]
        return isinstance(getattr(callback, "__self__", None), OfTheWorld)


def _describe(task: asyncio.Future[Any]) -> str:
    """Name, coroutine and the line where it waits."""
    if not isinstance(task, asyncio.Task):
        return repr(task)
    coroutine: Any = task.get_coro()
    stack = task.get_stack(limit=1)
    where = f" at {stack[-1].f_code.co_filename.rpartition('/')[2]}:{stack[-1].f_lineno}" if stack else ""
    return f"{task.get_name()} ({getattr(coroutine, '__qualname__', coroutine)}{where})"


def _listed(items: list[str]) -> str:
    return ", ".join(items[:SHOWN]) + (f", … ({len(items)} in all)" if len(items) > SHOWN else "")
