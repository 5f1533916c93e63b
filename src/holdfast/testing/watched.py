"""A driver's session and the core's sink, each with an observer in between."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING

from holdfast.errors import DriverFault, HoldfastError
from holdfast.testing.side import Side, on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.errors import LinkFault
    from holdfast.link.session import End, Job, OpenLimits, Session, Sink
    from holdfast.model import Batch, Capability, Identity, Reject, Stamp
    from holdfast.testing.conduct import Conduct


class Turn:
    """One start of a job."""

    __slots__ = ("ends", "is_forgotten")

    def __init__(self) -> None:
        self.ends = 0
        self.is_forgotten = False


class WatchedSink:
    """Passes reports on to the core and keeps account of them."""

    def __init__(self, inner: Sink, conduct: Conduct) -> None:
        self._inner = inner
        self._conduct = conduct
        self._loop = asyncio.get_running_loop()
        self._turns: dict[Job, Turn] = {}
        self._starting: Job | None = None
        self.ended_by = ""

    # --- told by the session's observer ---------------------------------------------------------------------------

    def begin(self, job: Job) -> None:
        """The job's turn begins."""
        self._turns[job] = Turn()
        self._starting = job

    def begun(self) -> None:
        """`start` has returned."""
        self._starting = None

    def forget(self, job: Job) -> None:
        """The job's deadline has passed."""
        if job in self._turns:
            self._turns[job].is_forgotten = True

    # --- Sink -----------------------------------------------------------------------------------------------------

    def observed(self, batch: Batch, as_of: Stamp | None = None) -> bool:
        """See `Sink`."""
        self._note("observed")
        with on(Side.CORE):
            is_believed = self._inner.observed(batch, as_of)
        self._conduct.reported(self._loop.time(), "observed")
        return is_believed

    def same(self, member: str, group: str, t: float, n: int) -> None:
        """See `Sink`."""
        self._note("same")
        with on(Side.CORE):
            self._inner.same(member, group, t, n)
        self._conduct.reported(self._loop.time(), "same")

    def alive(self, member: str = "") -> None:
        """See `Sink`."""
        self._note("alive")
        with on(Side.CORE):
            self._inner.alive(member)
        self._conduct.reported(self._loop.time(), "alive")

    def rejected(self, why: Reject, raw: bytes = b"") -> None:
        """See `Sink`."""
        self._note("rejected")
        with on(Side.CORE):
            self._inner.rejected(why, raw)
        self._conduct.reported(self._loop.time(), "rejected")

    def finished(self, job: Job, end: End, text: str = "") -> None:
        """See `Sink`."""
        self._note("finished")
        turn = self._turns.get(job)
        if not self.ended_by:
            self._judge(job, turn)
        if self._starting is job:
            self._conduct.while_starting.append(f"{job!r} was finished before `start` had returned")
        with on(Side.CORE):
            self._inner.finished(job, end, text)
        self._conduct.reported(self._loop.time(), "finished")

    def _judge(self, job: Job, turn: Turn | None) -> None:
        if turn is None:
            self._conduct.unfinished.append(f"{job!r} was finished and had never been started")
            return
        turn.ends += 1
        if turn.ends > 1:
            self._conduct.unfinished.append(f"{job!r} was finished {turn.ends} times after one start")
        elif turn.is_forgotten:
            self._conduct.unfinished.append(f"{job!r} was finished after it had been forgotten")

    def lost(self, fault: LinkFault) -> None:
        """See `Sink`."""
        self._note("lost")
        if isinstance(fault, DriverFault):
            self._conduct.escaped.append(fault.text)
        with on(Side.CORE):
            self._inner.lost(fault)
        self._conduct.reported(self._loop.time(), "lost")

    def found(self, member: str, capabilities: Sequence[Capability]) -> None:
        """See `Sink`."""
        self._note("found")
        with on(Side.CORE):
            self._inner.found(member, capabilities)
        self._conduct.reported(self._loop.time(), "found")

    def heard(self, data: bytes, *, is_secret: bool = False) -> None:
        """See `Sink`."""
        self._inner.heard(data, is_secret=is_secret)

    def said(self, data: bytes, *, is_secret: bool = False) -> None:
        """See `Sink`."""
        if not is_secret:
            self._conduct.said.append(data)
        self._inner.said(data, is_secret=is_secret)

    def _note(self, name: str) -> None:
        if self.ended_by:
            self._conduct.after_end.append(f"`{name}` was reported after `{self.ended_by}`")
        if self._starting is not None and name in ("same", "lost"):
            self._conduct.while_starting.append(f"`{name}` was reported before `start` had returned")


class WatchedSession:
    """Passes the core's calls on to the driver's session and keeps account of them."""

    def __init__(self, inner: Session, sink: WatchedSink, conduct: Conduct) -> None:
        self.inner: Session = inner
        if any(inner is earlier.inner for earlier in conduct.sessions):
            conduct.reused.append(f"`connect` returned {type(inner).__name__} again, which had served before")
        self._sink = sink
        self._conduct = conduct
        self._loop = asyncio.get_running_loop()
        conduct.sessions.append(self)

    def __repr__(self) -> str:
        return f"<WatchedSession {self.inner!r}>"

    async def open(self, limits: OpenLimits) -> Identity | None:
        """See `Session`."""
        with on(Side.DRIVER):
            try:
                return await self.inner.open(limits)
            except (HoldfastError, asyncio.CancelledError):
                raise
            except BaseException as error:
                self._escaped("open", error)
                raise

    def start(self, job: Job) -> None:
        """See `Session`."""
        if job.is_step:
            self._conduct.steps.append(self._loop.time())
        self._sink.begin(job)
        try:
            with on(Side.DRIVER):
                result: object = self.inner.start(job)  # type: ignore[func-returns-value]  # it may be a coroutine
        except ValueError as error:
            if not job.is_step:
                self._escaped("start", error)
            raise
        except BaseException as error:
            self._escaped("start", error)
            raise
        finally:
            self._sink.begun()
        if result is not None:
            self._conduct.waiting_starts.append(
                f"`start` returned {type(result).__name__} instead of beginning at once"
            )
            if inspect.iscoroutine(result):
                result.close()

    def forget(self, job: Job) -> None:
        """See `Session`."""
        self._sink.forget(job)
        self._call("forget", job)

    async def close(self, *, goodbye: bool) -> None:
        """See `Session`."""
        with on(Side.DRIVER):
            try:
                await self.inner.close(goodbye=goodbye)
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                self._escaped("close", error)
                raise
        self._sink.ended_by = "close"

    def abort(self) -> None:
        """See `Session`."""
        self._sink.ended_by = self._sink.ended_by or "abort"
        self._call("abort")

    def _call(self, name: str, *args: object) -> None:
        try:
            with on(Side.DRIVER):
                getattr(self.inner, name)(*args)
        except BaseException as error:
            self._escaped(name, error)
            raise

    def _escaped(self, where: str, error: BaseException) -> None:
        self._conduct.escaped.append(f"`{where}` raised {type(error).__name__}: {error}")
