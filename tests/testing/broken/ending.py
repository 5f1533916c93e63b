"""Drivers that cannot end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from holdfast.link.stream import StreamSession
from tests.link.toys import advert
from tests.testing.broken.driver import BrokenDriver, lamp, sensor

if TYPE_CHECKING:
    from holdfast.link.session import OpenLimits
    from holdfast.model import Identity


class PoliteSession(StreamSession):
    """Waits until everything that it has to say has been taken."""

    async def close(self, *, goodbye: bool) -> None:
        self._is_mute = True
        if self._transport is not None:
            self._transport.close()
            await self._gone


class StubbornSession(StreamSession):
    """Opens to the end, whoever has lost interest."""

    async def open(self, limits: OpenLimits) -> Identity | None:
        self._opening = asyncio.ensure_future(super().open(limits))
        return await asyncio.shield(self._opening)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport


class TalkativeSession(StreamSession):
    """Aborts its stream and goes on reporting."""

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class ChatteringSession(StreamSession):
    """Neither abort nor close shuts its mouth."""

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def close(self, *, goodbye: bool) -> None:
        if self._transport is not None:
            self._transport.close()
            await self._gone


class EavesdroppingSession(advert.ListenerSession):
    """Closes, and keeps its ear in the room."""

    async def close(self, *, goodbye: bool) -> None:
        """Nothing to close."""


class TickingSession(StreamSession):
    """Keeps a watch of its own, and forgets to stop it."""

    async def open(self, limits: OpenLimits) -> Identity | None:
        identity = await super().open(limits)
        self._loop.call_later(30.0, self._look)
        return identity

    def _look(self) -> None:
        """Nothing to see."""


BROKEN = (
    BrokenDriver(
        "a goodbye without end",
        "closes_in_time",
        "whose device is clogged takes more than",
        lamp(session=PoliteSession),
    ),
    BrokenDriver(
        "opening goes on when it is cut off",
        "can_be_aborted_while_it_opens",
        "opening was cut off after",
        lamp(session=StubbornSession),
    ),
    BrokenDriver("talks after abort", "is_mute_after_abort", "after `abort`", lamp(session=TalkativeSession)),
    BrokenDriver(
        "talks on a session that is over",
        "is_mute_after_its_end",
        "after `abort`",
        lamp(session=ChatteringSession),
    ),
    BrokenDriver(
        "listens after close",
        "is_mute_after_close",
        "`observed` after `close`",
        sensor(session=EavesdroppingSession),
    ),
    BrokenDriver(
        "a watch of its own",
        "stops_at_any_moment",
        "timer TickingSession._look",
        lamp(session=TickingSession),
    ),
)
