"""The way of a reply to the client: late, lost, cut, doubled, dirty, in pieces or glued together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from holdfast.simulators.ipcom.belt import Belt
from holdfast.simulators.ipcom.chance import draw_s
from holdfast.simulators.ipcom.messages import MessageId

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from holdfast.simulators.ipcom.behaviour import Line
    from holdfast.simulators.ipcom.cipher import Cipher

SHORTEST_CUT_LOGIN = 4
"""Bytes left at least of a cut login reply: two would be a refusal, three another kind of welcome."""


def harmless_bytes(cipher: Cipher) -> bytes:
    """The bytes that begin no message under ``cipher``: noise made of them is never accidentally valid."""
    heads = {cipher.encode(bytes((head,)))[0] for head in MessageId}
    return bytes(byte for byte in range(256) if byte not in heads)


def noise(rng: random.Random, harmless: bytes, longest: int) -> bytes:
    """Up to ``longest`` random bytes that mean nothing."""
    return bytes(rng.choices(harmless, k=rng.randint(1, longest)))


def pieces(reply: bytes, line: Line, rng: random.Random, harmless: bytes, *, is_login: bool) -> list[bytes]:
    """What really goes out for ``reply``, piece by piece."""
    if _happens(rng, line.lose):
        return []
    shortest = SHORTEST_CUT_LOGIN if is_login else 1
    if len(reply) > shortest and _happens(rng, line.truncate):
        reply = reply[: rng.randrange(shortest, len(reply))]
    wholes = [reply]
    if not is_login:
        if _happens(rng, line.duplicate):
            wholes.append(reply)
        if _happens(rng, line.garbage):
            wholes[0] = noise(rng, harmless, line.longest_garbage) + wholes[0]
    if not line.longest_piece:
        return wholes
    return [piece for whole in wholes for piece in _cut(whole, line.longest_piece, rng)]


def _cut(whole: bytes, longest: int, rng: random.Random) -> list[bytes]:
    parts = []
    while whole:
        size = rng.randint(1, longest)
        parts.append(whole[:size])
        whole = whole[size:]
    return parts


def _happens(rng: random.Random, probability: float) -> bool:
    return probability > 0.0 and rng.random() < probability


class Outlet:
    """Brings replies onto one connection, in order, as the line of the moment has them."""

    def __init__(
        self, transport: asyncio.WriteTransport, line: Callable[[], Line], rng: random.Random
    ) -> None:
        self._transport = transport
        self._line = line
        self._rng = rng
        self._harmless = b""
        self._has_session = False
        self._belt: Belt[bytes | None] = Belt(self._deliver)
        self._held = bytearray()
        self._hold: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing is on its way."""
        return self._belt.is_empty and not self._held

    def begin(self, cipher: Cipher) -> None:
        """A session begins: from now on its noise must be harmless under ``cipher``."""
        self._harmless = harmless_bytes(cipher)
        self._has_session = True

    def send(self, reply: bytes, delay_s: float = 0.0, *, is_login: bool = False) -> None:
        """One reply, in ``delay_s`` seconds or as soon after as the line allows."""
        line = self._line()
        delay_s += draw_s(self._rng, line.extra_delay_s)
        if line.is_clean:
            self._belt.put(reply, delay_s)
            return
        for index, piece in enumerate(pieces(reply, line, self._rng, self._harmless, is_login=is_login)):
            self._belt.put(piece, delay_s + index * line.piece_gap_s)

    def blurt(self) -> None:
        """Noise that nobody asked for; only within a session."""
        self._belt.put(noise(self._rng, self._harmless, self._line().longest_garbage))

    def close(self) -> None:
        """Close the connection (FIN) once all is sent."""
        self._belt.put(None)

    def clear(self) -> None:
        """Forget what has not been sent."""
        self._belt.clear()
        self._held.clear()
        if self._hold is not None:
            self._hold.cancel()
            self._hold = None

    def _deliver(self, piece: bytes | None) -> None:
        hold_s = self._line().glue_hold_s
        if piece is None:
            self._let_go()
            self._transport.close()
        elif self._held:
            self._held += piece
            self._let_go()
        elif hold_s and self._has_session:
            self._held += piece
            self._hold = asyncio.get_running_loop().call_later(hold_s, self._let_go)
        else:
            self._transport.write(piece)

    def _let_go(self) -> None:
        if self._hold is not None:
            self._hold.cancel()
            self._hold = None
        if self._held:
            self._transport.write(bytes(self._held))
            self._held.clear()
