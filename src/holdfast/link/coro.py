"""A session made of four coroutines, for device families whose library owns the socket and retries on its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from holdfast.errors import HoldfastError, LinkFault, bug
from holdfast.link.session import End, Job, OpenLimits, Sink

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.model import Batch, Identity, Stamp


class Library(Protocol):
    """What a driver wraps around its library. Raises errors of ours only, translated at this edge."""

    async def connect(self) -> Identity | None:
        """Reach the device and log in."""

    async def read(self, what: str) -> Iterable[Batch]:
        """Ask the device, not a cache."""

    async def do(self, payload: Any) -> None:
        """Carry out a step; returning proves nothing."""

    async def bye(self) -> None:
        """Close whatever is open; never fails."""


class CoroSession:
    """One call at a time.

    A call whose deadline has passed is cancelled, and the next one waits until it is gone: a library may swallow the
    cancellation and go on using its socket.
    """

    def __init__(self, library: Library, sink: Sink) -> None:
        self._library = library
        self._sink = sink
        self._calls: list[asyncio.Task[None]] = []
        self._job: Job | None = None
        self._turn = 0  # a poll's job is used again and again; its number tells one turn from the next
        self._is_mute = False

    async def open(self, limits: OpenLimits) -> Identity | None:
        """Connect within both limits together; the supervisor cuts off what takes longer."""
        return await self._library.connect()

    def start(self, job: Job) -> None:
        """Begin the job's call, after the end of the one before."""
        self._job = job
        self._turn += 1
        self._calls = [call for call in self._calls if not call.done()]
        run = self._run(job, self._turn, job.stamp, tuple(self._calls))
        self._calls.append(asyncio.get_running_loop().create_task(run, name=f"library call {job.what}"))

    async def _run(self, job: Job, turn: int, stamp: Stamp, before: tuple[asyncio.Task[None], ...]) -> None:
        if before:
            await asyncio.wait(before)
        end, text = End.OK, ""
        try:
            if job.is_step:
                await self._library.do(job.payload)
            else:
                batches = await self._library.read(job.what)
                if self._is_on(turn):
                    for batch in batches:
                        self._sink.observed(batch, stamp)
        except asyncio.CancelledError:
            self._finish(job, turn, End.DOUBT, "the call was cut off")  # by somebody else than us
            return
        except LinkFault as fault:
            self._finish(job, turn, End.ERROR, fault.text)
            if not self._is_mute:
                self._sink.lost(fault)
            return
        except HoldfastError as error:
            end, text = End.ERROR, error.text
        except Exception as error:  # noqa: BLE001 - nothing foreign may escape a driver
            self._finish(job, turn, End.ERROR, str(error))
            if not self._is_mute:
                self._sink.lost(bug(error))
            return
        self._finish(job, turn, end, text)

    def _is_on(self, turn: int) -> bool:
        return self._job is not None and self._turn == turn and not self._is_mute

    def _finish(self, job: Job, turn: int, end: End, text: str) -> None:
        if self._is_on(turn):
            self._job = None
            self._sink.finished(job, end, text)

    def forget(self, job: Job) -> None:
        """Cut the call off; it may or may not have reached the device."""
        if self._job is job:
            self._job = None
            self._cut_off()

    async def close(self, *, goodbye: bool) -> None:
        """Wait for every call to be gone, then let the library close."""
        self._is_mute = True
        self._cut_off()
        if self._calls:
            await asyncio.wait(self._calls)
        await self._library.bye()

    def abort(self) -> None:
        """Mute from here on; running calls are cut off."""
        self._is_mute = True
        self._job = None
        self._cut_off()

    def _cut_off(self) -> None:
        for call in self._calls:
            call.cancel()
