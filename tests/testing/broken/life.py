"""Drivers that show something else than the truth, or do not notice that there is none."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from holdfast.link.stream import StreamSession
from holdfast.model import Batch
from tests.link.toys import library, lockstep
from tests.testing.broken.driver import BrokenDriver, lamp, plug

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from holdfast.link.session import Job
    from holdfast.model import Value


def _in_tenths(member: str, group: str, raw: Any, before: Mapping[str, Value]) -> Mapping[str, Value]:
    values = lockstep.project(member, group, raw, before)
    return {**values, "level": dict(raw)["level"] / 10}


def _first_impression(member: str, group: str, raw: Any, before: Mapping[str, Value]) -> Mapping[str, Value]:
    return before or lockstep.project(member, group, raw, before)


class CachingLibrary(library.PlugLibrary):
    """Answers from memory when the plug is slow."""

    def __init__(self, plug: library.Plug) -> None:
        super().__init__(plug)
        self._last = False

    async def read(self, what: str) -> Iterable[Batch]:
        try:
            async with asyncio.timeout(1.0):
                self._last = await self._call(what)
        except TimeoutError:
            pass
        return [Batch("", "live", self._last)]


class HopefulSession(StreamSession):
    """Takes a question without an answer for a device that is busy."""

    def forget(self, job: Job) -> None:
        super().forget(job)
        self._sink.alive()


class OblivousSession(StreamSession):
    """Does not listen for the end."""

    def eof_received(self) -> bool:
        return True

    def connection_lost(self, error: Exception | None) -> None:
        if not self._gone.done():
            self._gone.set_result(None)


BROKEN = (
    BrokenDriver("another unit", "shows_the_truth", "lamp/level is shown as 1.0", lamp(project=_in_tenths)),
    BrokenDriver(
        "the first impression stays", "follows_the_device", "a round after", lamp(project=_first_impression)
    ),
    BrokenDriver("answers from memory", "lets_values_go_stale", "of silence", plug(wrapped=CachingLibrary)),
    BrokenDriver(
        "hope as a sign of life", "lets_silence_be_noticed", "lives on", lamp(session=HopefulSession)
    ),
    BrokenDriver(
        "deaf to the end of the stream",
        "notices_the_end_at_once",
        "was not reported",
        lamp(session=OblivousSession),
    ),
)
