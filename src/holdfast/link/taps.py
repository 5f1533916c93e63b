"""Who watches the bytes of a link go by. Nobody does unless asked, and what a login says is shown as zeros."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from holdfast.logs import masked

if TYPE_CHECKING:
    import asyncio
    import logging
    from collections.abc import Callable
    from pathlib import Path

FLUSH_S = 1.0
"""A recording is written once a second: a crash costs the last second of it, a slow disk costs the device nothing."""
WAITING_LINES = 100_000
"""Lines that may wait for a slow disk (some hours of one link); what comes after them is dropped and counted."""


class Tap(Protocol):
    """Is shown every piece of a link's traffic, synchronously; must return at once."""

    def heard(self, data: bytes) -> None:
        """Bytes came from the peer."""

    def said(self, data: bytes) -> None:
        """Bytes went to the peer."""


class DebugTap:
    """Traffic in the log at debug level, each piece by its beginning and its length."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log

    def heard(self, data: bytes) -> None:
        """Bytes came from the peer."""
        self._log.debug("heard %s", masked(data))

    def said(self, data: bytes) -> None:
        """Bytes went to the peer."""
        self._log.debug("said %s", masked(data))


class Recording:
    """Traffic in a file, whole, one JSON object a line: seconds since the start, ``heard`` or ``said``, hex.

    Lines are gathered here and written by a thread, so that the disk never stands in a device's way.
    """

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop, now: Callable[[], float]) -> None:
        self._path = path
        self._loop = loop
        self._now = now
        self._start_t = now()
        self._lines: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
        self.dropped = 0

    def heard(self, data: bytes) -> None:
        """Bytes came from the peer."""
        self._keep("heard", data)

    def said(self, data: bytes) -> None:
        """Bytes went to the peer."""
        self._keep("said", data)

    def _keep(self, what: str, data: bytes) -> None:
        if len(self._lines) >= WAITING_LINES:
            self.dropped += 1
            return
        self._lines.append(json.dumps({"t": round(self._now() - self._start_t, 6), what: data.hex()}) + "\n")
        if self._timer is None:
            self._timer = self._loop.call_later(FLUSH_S, self._flush)

    def _flush(self) -> None:
        self._timer = None
        lines, self._lines = self._lines, []
        self._loop.run_in_executor(None, self._write, lines)

    def _write(self, lines: list[str]) -> None:
        with self._path.open("a", encoding="ascii") as file:
            file.writelines(lines)

    async def close(self) -> None:
        """Write what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines = self._lines, []
        if lines:
            await self._loop.run_in_executor(None, self._write, lines)
