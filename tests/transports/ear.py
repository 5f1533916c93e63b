"""A protocol that writes down what it is told."""

from __future__ import annotations

import asyncio


class Ear(asyncio.Protocol):
    """What came, and how it ended."""

    def __init__(self) -> None:
        self.transport: asyncio.BaseTransport | None = None
        self.pieces: list[bytes] = []
        self.losses: list[Exception | None] = []
        self.lost = asyncio.Event()
        self._more = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.pieces.append(data)
        self._more.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.losses.append(exc)
        self.lost.set()

    @property
    def heard(self) -> bytes:
        return b"".join(self.pieces)

    async def hear(self, size: int) -> bytes:
        """All that came, once that is ``size`` bytes or more."""
        async with asyncio.timeout(10):
            while len(self.heard) < size:
                self._more.clear()
                await self._more.wait()
        return self.heard
