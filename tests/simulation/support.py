"""What the tests of the simulation share: a recording protocol, and a way to run in virtual time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from holdfast.simulation import VirtualLoop, run_virtual

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


def virtually(
    test: Callable[[VirtualLoop], Coroutine[Any, Any, None]] | None = None,
    *,
    seed: int = 0,
    settle_s: float = 0.0,
) -> Any:
    """Run an async test of one argument in a virtual loop; anything it leaves behind fails it."""

    def decorate(test: Callable[[VirtualLoop], Coroutine[Any, Any, None]]) -> Callable[[], None]:
        def run() -> None:
            run_virtual(test, seed=seed, settle_s=settle_s)

        run.__doc__ = test.__doc__
        return run

    return decorate if test is None else decorate(test)


class Recorder(asyncio.Protocol):
    """Notes every call, with runs of data joined; ``lost`` is done once the connection is."""

    def __init__(self, *, keeps_open: bool = False, answers: bool = False) -> None:
        self.calls: list[Any] = []
        self.arrivals: list[tuple[float, bytes]] = []
        self.transport: asyncio.Transport = None  # type: ignore[assignment]  # before connection_made
        self.loop = asyncio.get_running_loop()
        self.made = self.loop.create_future()
        self.lost: asyncio.Future[Exception | None] = self.loop.create_future()
        self.ended = self.loop.create_future()
        self.on_data: Callable[[], object] | None = None
        self._is_writing_paused = False
        self._keeps_open = keeps_open
        self._answers = answers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.calls.append("made")
        self.made.set_result(None)

    def data_received(self, data: bytes) -> None:
        self.arrivals.append((self.loop.time(), data))
        if self.calls and isinstance(self.calls[-1], bytes):
            data = self.calls.pop() + data
        self.calls.append(data)
        if self._answers:
            self.transport.write(self.arrivals[-1][1])
        if self.on_data is not None:
            self.on_data()

    def eof_received(self) -> bool:
        self.calls.append("eof")
        self.ended.set_result(None)
        return self._keeps_open

    def connection_lost(self, exc: Exception | None) -> None:
        self.calls.append(("lost", type(exc).__name__ if exc else None))
        self.lost.set_result(exc)

    def pause_writing(self) -> None:
        self._is_writing_paused = True

    def resume_writing(self) -> None:
        self._is_writing_paused = False

    def is_told_to_wait(self) -> bool:
        return self._is_writing_paused

    @property
    def data(self) -> bytes:
        return b"".join(data for _, data in self.arrivals)

    @property
    def pieces(self) -> list[bytes]:
        return [data for _, data in self.arrivals]


class Servers:
    """Makes server protocols and keeps them, oldest first."""

    def __init__(self, **options: bool) -> None:
        self.made: list[Recorder] = []
        self.asked = asyncio.Event()
        self._options = options

    def __call__(self) -> Recorder:
        self.asked.set()
        self.made.append(Recorder(**self._options))
        return self.made[-1]

    @property
    def last(self) -> Recorder:
        return self.made[-1]


async def connected(
    loop: VirtualLoop, host: str = "plug", port: int = 9999, **options: bool
) -> tuple[Recorder, Recorder]:
    """A client here and the server on a host, connected."""
    servers = Servers(**options)
    await loop.create_server(servers, host, port)
    _, client = await loop.create_connection(Recorder, host, port)
    await servers.asked.wait()
    await servers.last.made
    return client, servers.last
