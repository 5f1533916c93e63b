"""How many dials may be under way at once: a gateway with five sockets must not be stormed by our own links."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DIALS_PER_HOST = 2
"""Cheap gateways have few sockets and accept one connection at a time."""
DIALS_PER_PROCESS = 64
"""Bounds file descriptors and logins after a power cut, when everything returns at once."""


class DialBudget:
    """First come, first served within both limits; a host that is full does not hold up the others."""

    def __init__(self, per_host: int = DIALS_PER_HOST, per_process: int = DIALS_PER_PROCESS) -> None:
        self._per_host = per_host
        self._per_process = per_process
        self._hosts: dict[str, int] = {}
        self._total = 0
        self._queue: deque[tuple[str, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def dial(self, host: str) -> AsyncIterator[None]:
        """Hold one place for ``host`` while dialling."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((host, turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave(host)
            else:
                self._queue.remove((host, turn))
            raise
        try:
            yield
        finally:
            self._leave(host)

    def _leave(self, host: str) -> None:
        self._total -= 1
        self._hosts[host] -= 1
        if not self._hosts[host]:
            del self._hosts[host]
        self._admit()

    def _admit(self) -> None:
        waiting = [item for item in self._queue if not item[1].done()]
        for item in waiting:
            if self._total >= self._per_process:
                return
            host, turn = item
            if self._hosts.get(host, 0) < self._per_host:
                self._queue.remove(item)
                self._total += 1
                self._hosts[host] = self._hosts.get(host, 0) + 1
                turn.set_result(None)
