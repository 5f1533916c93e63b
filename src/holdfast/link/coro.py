"""A session made of four coroutines, for device families whose library owns the socket and retries on its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from holdfast.errors import HoldfastError, LinkFault, bug
from holdfast.link.session import End, Job, OpenLimits, Sink

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.model import Batch, Identity


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
        self._call: asyncio.Task[None] | None = None
        self._job: Job | None = None
        self._is_mute = False

    async def open(self, limits: OpenLimits) -> Identity | None:
        """Connect within both limits together; the supervisor cuts off what takes longer."""
        return await self._library.connect()

    def start(self, job: Job) -> None:
        """Begin the job's call, after the end of the one before."""
        self._job = job
        name = f"library call {job.what}"
        self._call = asyncio.get_running_loop().create_task(self._run(job, self._call), name=name)

    async def _run(self, job: Job, before: asyncio.Task[None] | None) -> None:
        if before is not None and not before.done():
            await asyncio.wait({before})
        end, text = End.OK, ""
        try:
            if job.is_step:
                await self._library.do(job.payload)
            else:
                batches = await self._library.read(job.what)
                if self._job is job and not self._is_mute:
                    for batch in batches:
                        self._sink.observed(batch, job.stamp)
        except asyncio.CancelledError:
            if self._job is job:  # cut off by somebody else than us
                self._finish(job, End.DOUBT, "the call was cut off")
            return
        except LinkFault as fault:
            self._finish(job, End.ERROR, fault.text)
            if not self._is_mute:
                self._sink.lost(fault)
            return
        except HoldfastError as error:
            end, text = End.ERROR, error.text
        except Exception as error:  # noqa: BLE001 - nothing foreign may escape a driver  # noqa: BLE001 - nothing foreign may escape a driver
            self._finish(job, End.ERROR, str(error))
            if not self._is_mute:
                self._sink.lost(bug(error))
            return
        self._finish(job, end, text)

    def _finish(self, job: Job, end: End, text: str) -> None:
        if self._job is job:
            self._job = None
            if not self._is_mute:
                self._sink.finished(job, end, text)

    def forget(self, job: Job) -> None:
        """Cut the call off; it may or may not have reached the device."""
        if self._job is job:
            self._job = None
            if self._call is not None:
                self._call.cancel()

    async def close(self, *, goodbye: bool) -> None:
        """Wait for the running call to be gone, then let the library close."""
        self._is_mute = True
        if self._call is not None and not self._call.done():
            self._call.cancel()
            await asyncio.wait({self._call})
        await self._library.bye()

    def abort(self) -> None:
        """Mute from here on; the running call is cut off."""
        self._is_mute = True
        self._job = None
        if self._call is not None:
            self._call.cancel()
