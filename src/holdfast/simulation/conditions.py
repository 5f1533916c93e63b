"""What can be wrong with a place in the network, as sentences a test can say about it."""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from holdfast.simulation.world import OfTheWorld

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from holdfast.simulation.connection import Connection


@dataclass(frozen=True, slots=True)
class Latency:
    """One-way delay of each segment: ``base_s`` and up to ``jitter_s`` more, drawn evenly, in seconds."""

    base_s: float = 0.0
    jitter_s: float = 0.0

    def draw(self, source: random.Random) -> float:
        """The delay of one segment, in seconds."""
        return self.base_s + self.jitter_s * source.random() if self.jitter_s else self.base_s


@dataclass(frozen=True, slots=True)
class Split:
    """Every write arrives in pieces of ``smallest`` to ``largest`` bytes, up to ``gap_s`` seconds apart."""

    largest: int
    smallest: int = 1
    gap_s: float = 0.001  # a fast serial gateway passes on what it has about once a millisecond

    def __post_init__(self) -> None:
        if not (1 <= self.smallest <= self.largest and self.gap_s > 0.0):
            raise ValueError("a split needs 1 <= smallest <= largest and a gap above 0")

    def cut(self, data: bytes, source: random.Random) -> Iterator[tuple[bytes, float]]:
        """The pieces, each with the pause before it in seconds (none before the first)."""
        start, gap_s = 0, 0.0
        while start < len(data):
            end = start + source.randint(self.smallest, self.largest)
            yield data[start:end], gap_s
            start, gap_s = end, self.gap_s * (1.0 - source.random())


class Answer(IntEnum):
    """How a place meets a dial, the better first: where several places have a say, the worst counts."""

    ACCEPT = 0
    REFUSE = 1
    SILENCE = 2
    UNREACHABLE = 3


class Conditions(OfTheWorld, ABC):
    """The state of one place: a host, or one of its ports. All of it may change while traffic flows.

    A dial meets the worse of what host and port have for it, and what either holds back is held back. The
    measures below are the port's own where it has them, else the host's, else none:

    - ``latency`` of each segment and datagram, one way;
    - ``split``: writes arrive in pieces;
    - ``glue_s``: bytes are handed over together, this long after the first of them, as serial gateways do;
    - ``bytes_per_s``: the speed of the line in each direction;
    - ``window_bytes``: what may be sent and not yet read, then the sender waits;
    - ``loss``: the share of datagrams that vanish, 0 to 1.
    """

    latency: Latency | None = None
    split: Split | None = None
    glue_s: float | None = None
    bytes_per_s: float | None = None
    window_bytes: int | None = None
    loss: float | None = None

    def __init__(self) -> None:
        self._answer = Answer.ACCEPT
        self.unreachable_errno = errno.EHOSTUNREACH
        self.unreachable_after_s = 0.0
        self._is_black_inbound = False
        self._is_black_outbound = False
        self._is_mute = False

    @abstractmethod
    def connections(self) -> list[Connection]:
        """The connections here that either side still knows, oldest first."""

    # --- how dials are met -----------------------------------------------------------------------------

    def accept(self) -> None:
        """Meet dials as a healthy host does (refused where nobody listens)."""
        self._answer = Answer.ACCEPT

    def refuse(self) -> None:
        """Refuse dials; open connections live on."""
        self._answer = Answer.REFUSE

    def ignore(self) -> None:
        """Leave dials without any answer; open connections live on.

        The dial goes on as a kernel's does: asked again after 1, 2, 4 … s, given up with ``TimeoutError``
        after 127 s, unless it is cancelled or the place recovers before.
        """
        self._answer = Answer.SILENCE

    def unreachable(self, number: int = errno.EHOSTUNREACH, after_s: float = 0.0) -> None:
        """No way there: dials fail with ``OSError(number)`` after ``after_s`` (on a LAN ARP needs some 3 s).

        Open connections are blackholed, as kernels take such news for passing.
        """
        self._answer = Answer.UNREACHABLE
        self.unreachable_errno = number
        self.unreachable_after_s = after_s
        self.blackhole()

    # --- what becomes of bytes -------------------------------------------------------------------------

    def blackhole(self, *, inbound: bool = True, outbound: bool = True) -> None:
        """Let everything to (``inbound``) or from (``outbound``) this place vanish; nobody is told.

        Dials go unanswered. Nothing is torn out of a stream: once restored, the sender's kernel repeats what
        was lost at its next try (0.2, 0.6, 1.4 … s after the loss) and everything arrives, late and in order.
        After 924.6 s of tries it gives up and the sender's connection is lost with ``TimeoutError``.
        """
        self._is_black_inbound = inbound
        self._is_black_outbound = outbound
        self._reconsider()

    def mute(self) -> None:
        """Play a hung process in a live kernel: dials succeed, yet nothing is read, answered or said."""
        self._is_mute = True
        self._reconsider()

    def restore(self) -> None:
        """End every fault above (and power failure); latency and the other measures stay."""
        self._answer = Answer.ACCEPT
        self._is_black_inbound = self._is_black_outbound = self._is_mute = False
        self._reconsider()

    # --- what becomes of open connections --------------------------------------------------------------

    def reset_all(self) -> None:
        """Reset every connection: both ends get ``connection_lost(ConnectionResetError)``."""
        for connection in self.connections():
            connection.reset()

    def finish_all(self) -> None:
        """Close every connection from the server's side: the clients see the end of the stream."""
        for connection in self.connections():
            connection.finish()

    # --- asked by the wire -----------------------------------------------------------------------------

    def is_black(self, *, inbound: bool) -> bool:
        """Whether bytes in that direction vanish."""
        return self._is_black_inbound if inbound else self._is_black_outbound

    @property
    def is_mute(self) -> bool:
        """Whether the process here hangs."""
        return self._is_mute

    @property
    def answer(self) -> Answer:
        """How a dial is met here and now."""
        is_black = self._is_black_inbound or self._is_black_outbound
        return max(self._answer, Answer.SILENCE if is_black else Answer.ACCEPT)

    def _reconsider(self) -> None:
        for connection in self.connections():
            connection.reconsider()
