"""Everything about the controller that can be set, is unknown of real ones, or may be changed by a fault."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.simulators.ipcom.chance import Span

DEFAULT_ACCOUNTS = {"user": "password"}
"""User name and password of a simulated controller unless told otherwise."""

BASE_ADDRESS = 60
"""Bus address of module 1 on every bus but BiBus (vendor's rule)."""

BUS = 2
"""Bus number that writes carry in the only known installation."""

LOGIN_TIMEOUT_S = 30.0
"""How long an open connection may say nothing before its login; ours, real limits are unknown."""


class LoginReply(StrEnum):
    """The answer to a good login."""

    KEY = "key"
    """135 bytes with firmware and session key."""
    WITHOUT_KEY = "without-key"
    """Three bytes, no key: the session stays in the mode of its login."""


class WriteReply(StrEnum):
    """The answer to a write, unknown of real controllers."""

    NONE = "none"
    SHORT_ACK = "short-ack"
    """Two bytes."""
    ACK = "ack"
    """Three bytes."""
    FRAME = "frame"
    """An acknowledgement in the shape of a bus frame."""
    SNAPSHOT = "snapshot"
    """All outputs as they are when the write arrives, that is before the field bus has carried it."""


class Crowding(StrEnum):
    """Whom the controller drops when more clients connect than it serves."""

    NEWCOMER = "newcomer"
    OLDEST = "oldest"


class Welcome(StrEnum):
    """What becomes of a new connection."""

    SERVE = "serve"
    DROP = "drop"
    RESET = "reset"


@dataclass(frozen=True, kw_only=True)
class Line:
    """What happens to replies on their way. Probabilities are per reply; a calm line has none of it."""

    extra_delay_s: Span = 0.0
    lose: float = 0.0
    truncate: float = 0.0
    duplicate: float = 0.0
    """Sent twice; never the answer to a login."""
    garbage: float = 0.0
    """Preceded by bytes that mean nothing; never the answer to a login."""
    longest_garbage: int = 40
    longest_piece: int = 0
    """Bytes: replies are cut into random pieces of at most this; 1 is byte by byte, 0 is whole."""
    piece_gap_s: float = 0.001
    """Seconds between pieces: enough for each to be a segment of its own on a real network."""
    glue_hold_s: float = 0.0
    """Seconds for which a reply waits to share its segment with the next one; 0 is not at all."""

    @property
    def is_clean(self) -> bool:
        """Whether replies pass as they are."""
        return not (self.lose or self.truncate or self.duplicate or self.garbage or self.longest_piece)


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How the controller behaves at one time. All durations in seconds, probabilities from 0 to 1."""

    # login
    accounts: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_ACCOUNTS), repr=False)
    is_obfuscated: bool = True
    """When false it reads and writes plain bytes only and answers a masked login with a plain ``02 01``."""
    session_key: bytes | None = field(default=None, repr=False)
    """128 bytes; ``None``: drawn once for the controller."""
    is_key_renewed: bool = False
    """Whether every session gets a key of its own."""
    firmware: str = "4.21"
    login_reply: LoginReply = LoginReply.KEY
    login_delay_s: Span = 0.0
    is_login_echoed: bool = False
    """Whether the login's 56 bytes come back before its answer (a comment in an earlier client says so)."""
    is_login_refused: bool = False
    refusal: bytes | None = None
    """Wire bytes of a refusal; ``None``: a goodbye under the key the session would have had."""
    is_closed_after_refusal: bool = True
    login_timeout_s: float = LOGIN_TIMEOUT_S
    clients: int | None = None
    """Connections served at a time; ``None``: any number."""
    crowding: Crowding = Crowding.NEWCOMER
    welcome: Welcome = Welcome.SERVE

    # exchange
    reply_delay_s: Span = 0.0
    """From a poll to its snapshot, which shows the outputs as they are when the poll arrives."""
    is_keep_alive_answered: bool = True
    idle_timeout_s: float | None = None
    """Silence of the client after which the controller closes; ``None``: never."""
    is_segment_split: bool = True
    """Whether a second request in the same segment is served, too; else it is ignored."""

    # writes
    bus: int | None = BUS
    """Bus number that writes must carry (0: none at all); ``None``: any will do."""
    base_address: int = BASE_ADDRESS
    bus_delay_s: Span = 0.0
    """From receiving a write until the outputs change."""
    bus_loss: float = 0.0
    write_reply: WriteReply = WriteReply.ACK
    write_reply_delay_s: Span = 0.0

    # the present trouble
    line: Line = field(default_factory=Line)
    is_listening: bool = True
    is_stalled: bool = False
    """Connections stay open and are accepted, nothing is answered."""
    is_frozen: bool = False
    """Snapshots keep showing the outputs as they were; the house itself goes on."""
