"""Drivers that do what is the core's business, or nobody's."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from holdfast.link.coro import CoroSession
from holdfast.link.session import End
from holdfast.link.stream import StreamSession
from tests.link.toys import library, lockstep
from tests.testing.broken.driver import BrokenDriver, Relay, lamp, plug

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.link.session import Job, OpenLimits, Session, Sink
    from holdfast.link.stream import Dial
    from holdfast.link.stream_codec import Question
    from holdfast.model import Event, Identity, Value


class HurriedSession(CoroSession):
    """Begins a call while the one before still runs."""

    def start(self, job: Job) -> None:
        self._calls = []
        super().start(job)


class TransparentLibrary(library.PlugLibrary):
    """Lets the library's own errors through."""

    async def _call(self, what: str) -> bool:
        return await self._plug.call(what)


class BusySession(StreamSession):
    """Runs a task beside every turn."""

    _beside: asyncio.Future[None] | None = None

    def start(self, job: Job) -> None:
        super().start(job)
        self._beside = asyncio.ensure_future(self._watch())

    async def _watch(self) -> None:
        await asyncio.Event().wait()

    def abort(self) -> None:
        if self._beside is not None:
            self._beside.cancel()
        super().abort()


class SettlingSession(StreamSession):
    """Gives the device time to settle."""

    async def open(self, limits: OpenLimits) -> Identity | None:
        identity = await super().open(limits)
        await asyncio.sleep(0.1)
        return identity


class BlockingSession(StreamSession):
    """Gives the device time to settle, and everybody else as well."""

    def start(self, job: Job) -> None:
        time.sleep(0.01)
        super().start(job)


class AwaitingSession(StreamSession):
    """Would like to be awaited."""

    async def start(self, job: Job) -> None:  # type: ignore[override]
        super().start(job)


class Echo(Relay):
    """Says that a turn is over, and says it again."""

    def finished(self, job: Job, end: End, text: str = "") -> None:
        self.sink.finished(job, end, text)
        self.sink.finished(job, end, text)


def _echoing(dial: Dial, codec: lockstep.LineCodec, sink: Sink) -> Session:
    return StreamSession(dial, codec, Echo(sink))


class ConscientiousSession(StreamSession):
    """Ends a turn that was taken from it."""

    def forget(self, job: Job) -> None:
        super().forget(job)
        self._sink.finished(job, End.TIMEOUT)


def _fragile(member: str, group: str, raw: Any, before: Mapping[str, Value]) -> Mapping[str, Value]:
    """Believes that a level is never odd."""
    values = lockstep.project(member, group, raw, before)
    return {**values, "level": {10: 10, 12: 12}[dict(raw)["level"]]}


class AbsentCodec(lockstep.LineCodec):
    """Takes no answer for an answer."""

    def answers(self, job: Question, event: Event) -> bool:
        return False


class ConfidentSession(StreamSession):
    """Calls a step done once it is written."""

    def start(self, job: Job) -> None:
        super().start(job)
        if job.is_step:
            self._job = None
            self._sink.finished(job, End.OK)


BROKEN = (
    BrokenDriver("calls overlap", "calls_one_at_a_time", "calls ran at once", plug(session=HurriedSession)),
    BrokenDriver(
        "foreign errors",
        "lets_nothing_foreign_escape",
        "ConnectionError",
        plug(wrapped=TransparentLibrary),
    ),
    BrokenDriver(
        "a projection that fails", "lets_nothing_foreign_escape", "`project` raised", lamp(project=_fragile)
    ),
    BrokenDriver(
        "a task a turn", "makes_no_tasks", "a task of BusySession._watch", lamp(session=BusySession)
    ),
    BrokenDriver("time to settle", "never_sleeps", "asyncio.sleep(0.1)", lamp(session=SettlingSession)),
    BrokenDriver("time to settle for all", "never_sleeps", "time.sleep(0.01)", lamp(session=BlockingSession)),
    BrokenDriver(
        "wants to be awaited",
        "begins_turns_at_once",
        "`start` returned coroutine",
        lamp(session=AwaitingSession),
    ),
    BrokenDriver(
        "ends turns twice", "ends_each_turn_once", "2 times after one start", lamp(session=_echoing)
    ),
    BrokenDriver(
        "ends turns that were taken back",
        "ends_each_turn_once",
        "after it had been forgotten",
        lamp(session=ConscientiousSession),
    ),
    BrokenDriver(
        "answers that end nothing",
        "ends_turns_that_are_answered",
        "left to their deadline",
        lamp(codec=AbsentCodec),
    ),
    BrokenDriver(
        "done once it is written",
        "reports_nothing_from_start",
        "was finished before `start` had returned",
        lamp(session=ConfidentSession),
    ),
)
