"""How the plug behaves at one time, and how it handles one request. Faults alter either."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from holdfast.simulators.kasa.truth import Part

if TYPE_CHECKING:
    from holdfast.simulators.kasa.chance import Span
    from holdfast.simulators.kasa.firmware import Firmware
    from holdfast.simulators.kasa.klap import Account


class Welcome(StrEnum):
    """What becomes of a new connection."""

    SERVE = "serve"
    DROP = "drop"
    RESET = "reset"


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """What holds for all requests and dials."""

    firmware: Firmware
    is_listening: bool = True
    """Whether the local door is open; discovery is answered either way."""
    is_there: bool = True
    """Whether it has power and a network at all."""
    welcome: Welcome = Welcome.SERVE
    account: Account | None = field(default=None, repr=False)
    """The account that logins are checked against; ``None``: the firmware's."""
    mac: str | None = None
    """The address that it tells; ``None``: its own."""
    left_out: frozenset[str] = frozenset()
    """Fields that its answers about itself lack."""


class Reply(StrEnum):
    """What the client gets for one request."""

    ANSWER = "answer"
    NOTHING = "nothing"
    HANG_UP = "hang up"
    RESET = "reset"
    HALF = "half of the answer, then a reset"
    GARBAGE = "garbage"
    FORBIDDEN = "forbidden"
    """403 over HTTP; the legacy protocol has no such word, and hangs up."""


@dataclass(frozen=True, kw_only=True)
class Handling:
    """What becomes of one request."""

    reply: Reply = Reply.ANSWER
    is_done: bool = True
    """Whether it is carried out at all."""
    effect: Part = Part.BOTH
    """Which of its wishes take effect; the others are acknowledged and forgotten."""
    relay_delay_s: Span = 0.0
    """From its arrival until the relay moves."""
    reply_delay_s: Span = 0.0
    lag_s: float = 0.0
    """The relay's state is told as it was so long ago."""
    error_code: int | None = None
