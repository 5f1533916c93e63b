"""The yardstick: the least that an asyncio program must do for the same traffic.

A protocol a link logs in once, and then on every turn of its grid writes the poll (two bytes made in advance) and
counts the reply when it is there. It compares nothing, decodes nothing, keeps no state, has no deadlines, notices no
silence and never reconnects. Polls come from a ring of 35 slots of 10 ms with one loop timer a slot, which is cheaper
than a `call_at` a link and poll (``timer="call_at"`` measures that too). Links begin evenly spread over one period.
"""

from __future__ import annotations

import asyncio
from typing import cast

from bench import wire

TICK_S = 0.01
SLOTS = round(wire.POLL_S / TICK_S)
DIALS = 64
"""Connections opened at a time, as many as the hub allows itself."""


class Tally:
    """What all links counted."""

    def __init__(self) -> None:
        self.ready = 0
        self.polls = 0
        self.answers = 0
        self.worst_s = 0.0
        self.lost = 0
        self.is_over = False


class BareLink(asyncio.Protocol):
    """One connection."""

    __slots__ = ("_answer", "_due", "_poll", "_schedule", "_tally", "_transport", "_write")

    def __init__(self, tally: Tally, schedule: Ring | CallAt) -> None:
        self._tally = tally
        self._schedule = schedule
        self._poll = b""
        self._answer = b""
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Log in."""
        self._transport = cast("asyncio.Transport", transport)
        self._write = self._transport.write
        self._write(wire.login_request())

    def data_received(self, data: bytes) -> None:
        """A reply; the first one is that to the login."""
        if self._poll:
            self._tally.answers += 1
            return
        self._answer += data
        if len(self._answer) >= wire.LOGIN_REPLY_SIZE:
            self._poll = wire.poll_bytes(self._answer)
            self._answer = b""
            self._tally.ready += 1
            self._schedule.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Not foreseen."""
        self._tally.lost += 1

    def poll(self) -> None:
        """Its turn on the grid."""
        self._write(self._poll)


class Ring:
    """One timer a slot of 10 ms: the links of a slot poll together."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._loop = asyncio.get_running_loop()
        self._slots: list[list[BareLink]] = [[] for _ in range(SLOTS)]
        self._tick = int(self._loop.time() / TICK_S) + 1
        self._loop.call_at(self._tick * TICK_S, self._turn)

    def add(self, link: BareLink) -> None:
        """Poll from now on: the present slot is the link's."""
        self._slots[self._tick % SLOTS].append(link)

    def _turn(self) -> None:
        tick = self._tick
        late_s = self._loop.time() - tick * TICK_S
        tally = self._tally
        if late_s > tally.worst_s:
            tally.worst_s = late_s
        if tally.is_over:
            return
        slot = self._slots[tick % SLOTS]
        self._tick = tick + 1
        self._loop.call_at((tick + 1) * TICK_S, self._turn)
        tally.polls += len(slot)
        for link in slot:
            link.poll()


class CallAt:
    """A loop timer a link and poll, for comparison."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._loop = asyncio.get_running_loop()

    def add(self, link: BareLink) -> None:
        """Poll from now on."""
        self._turn(link, self._loop.time())

    def _turn(self, link: BareLink, due: float) -> None:
        late_s = self._loop.time() - due
        tally = self._tally
        if late_s > tally.worst_s:
            tally.worst_s = late_s
        if tally.is_over:
            return
        due += wire.POLL_S
        self._loop.call_at(due, self._turn, link, due)
        tally.polls += 1
        link.poll()


class Bare:
    """The bare loop as a subject of the link benchmark."""

    def __init__(self, endpoints: list[tuple[str, int]], timer: str) -> None:
        self._endpoints = endpoints
        self._timer = timer
        self.tally = Tally()

    async def start(self) -> None:
        """Open all connections."""
        schedule = CallAt(self.tally) if self._timer == "call_at" else Ring(self.tally)
        loop = asyncio.get_running_loop()
        began = loop.time()
        gate = asyncio.Semaphore(DIALS)

        async def open_one(number: int, host: str, port: int) -> None:
            await asyncio.sleep(began + number / len(self._endpoints) * wire.POLL_S - loop.time())
            async with gate:
                await loop.create_connection(lambda: BareLink(self.tally, schedule), host, port)

        await asyncio.gather(*(open_one(n, host, port) for n, (host, port) in enumerate(self._endpoints)))

    def ready(self) -> int:
        """Links that poll."""
        return self.tally.ready

    def reset(self) -> None:
        """A measurement begins."""
        self.tally.polls = self.tally.answers = self.tally.lost = 0
        self.tally.worst_s = 0.0

    def counts(self) -> dict[str, float]:
        """What happened since the last `reset`."""
        return {
            "polls": self.tally.polls,
            "answers": self.tally.answers,
            "worst_s": self.tally.worst_s,
            "losses": self.tally.lost,
        }

    async def stop(self) -> None:
        """Poll no more; the process ends anyway."""
        self.tally.is_over = True
