"""How a bus and what listens to it behave at one time; faults alter it for a while."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, StrEnum

LARGEST_PIECE = 256
"""Bytes that gateways send at once: captures show frames as 256 and 52 bytes."""

CLIENT_BUFFER_BYTES = 64 * 1024
"""What a client may leave unread before a gateway drops bytes for it."""


class Scan(Enum):
    """What a master asks absent addresses for."""

    LIVE = "live"
    """Live frames only, as firmware 14 and 15 do."""
    BOTH = "both"
    """Live frames and settings, as firmware 19 does."""


class Wiring(Enum):
    """What surrounds a reply."""

    PLAIN = "plain"
    """Nothing: 308 bytes in all, as in all captures."""
    PADDED = "padded"
    """A zero byte before and after it: 310 bytes, as one project sees it."""


@dataclass(frozen=True, kw_only=True)
class BusBehaviour:
    """How the bus behaves."""

    scan: Scan = Scan.LIVE
    wiring: Wiring = Wiring.PLAIN
    has_master: bool = True
    """Whether the battery at address 0 is switched on; without one there never is a master."""
    silent: frozenset[int] = frozenset()
    """Addresses that do not answer."""
    has_second_master: bool = False
    """Whether somebody else polls too, without regard for the first."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """What happens to bytes between bus and client. Probabilities are per transmission."""

    lose: float = 0.0
    """Some bytes in a row vanish, anywhere."""
    longest_loss: int = 12
    cut: float = 0.0
    """Of a frame only the first ``cut_at`` bytes pass."""
    cut_at: int = LARGEST_PIECE
    junk: float = 0.0
    """Bytes that mean nothing come before."""
    longest_junk: int = 40
    flip: float = 0.0
    """One bit of a frame is inverted."""
    flip_pair: float = 0.0
    """Two bits of a frame are inverted so that its sum stays the same."""
    splice: float = 0.0
    """A frame begins as another battery's did and has a valid sum."""
    splice_at: int | None = None
    """Where the change is, 7 to 298; ``None``: anywhere."""
    blank: float = 0.0
    """A frame's data are all zero and its sum is valid."""
    is_noise: bool = False
    """Every byte is a random one."""


@dataclass(frozen=True, kw_only=True)
class Packing:
    """How a gateway cuts the stream into writes."""

    largest: int | tuple[int, int] = LARGEST_PIECE
    """Bytes at most in a piece, or a range from which each is drawn."""
    hold_s: float = 0.0
    """How long bytes wait for others to share a write; 0: each transmission has its own."""


class Crowding(StrEnum):
    """What becomes of a client too many."""

    CLOSE = "close"
    """The newcomer is accepted and closed at once."""
    IGNORE = "ignore"
    """The newcomer is accepted and hears nothing until a place is free."""
    OLDEST = "oldest"
    """The oldest has to go."""


class Welcome(StrEnum):
    """What becomes of a new connection."""

    SERVE = "serve"
    DROP = "drop"
    RESET = "reset"


@dataclass(frozen=True, kw_only=True)
class OutletBehaviour:
    """How a gateway or a serial port behaves."""

    line: Line = field(default_factory=Line)
    packing: Packing = field(default_factory=Packing)
    is_stalled: bool = False
    """Connections stay open and are accepted, no byte passes in either direction."""
    echoes: bool = False
    """Whether who sends hears its own bytes, as behind some USB adapters."""

    # gateways only
    is_listening: bool = True
    welcome: Welcome = Welcome.SERVE
    clients: int | None = None
    """Places for clients; ``None``: any number."""
    crowding: Crowding = Crowding.CLOSE
    dead_s: float = 0.0
    """For how long a client that has gone still takes its place."""
    client_buffer_bytes: int = CLIENT_BUFFER_BYTES
