"""The words between a codec, its session and the core. Pure values: no bytes are interpreted here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Stamp(NamedTuple):
    """A point in the core's order of events.

    ``t`` is loop time in seconds and tells how long ago; ``n`` counts sends and arrivals, is never reset and
    tells what came after what (time alone cannot: write, answer and poll may share one instant).
    """

    t: float
    n: int


NEVER = Stamp(float("-inf"), -1)


class Batch(NamedTuple):
    """One atomic answer: everything in it was observed together.

    ``member`` names the part of the device (empty: all of it), ``group`` what goes fresh together. ``raw`` is
    immutable and opaque to the core. ``whole`` are the wire bytes, given only if equal bytes mean equal
    content within the session: the hot path compares them instead of decoding.
    """

    member: str
    group: str
    raw: Any
    whole: bytes | None = None


class Sign(NamedTuple):
    """A valid frame without values: proof of life, perhaps the answer to a step."""

    kind: str
    member: str = ""


class Junk(NamedTuple):
    """Bytes that mean nothing: never proof of life. ``why`` is a short code for counting."""

    why: str
    raw: bytes


class Bye(NamedTuple):
    """The device ends the session. ``text`` says what it said."""

    text: str


Event = Batch | Sign | Junk | Bye


class HeardWhy(StrEnum):
    """Why listening ended during a login."""

    ENOUGH = "enough"
    GAP = "gap"
    LIMIT = "limit"
    CLOSED = "closed"


class Say(NamedTuple):
    """One step of a login: send ``data``, then listen.

    Listening ends when ``enough(buffer)`` holds, after ``gap_s`` seconds without a byte once there was one,
    after ``limit_s`` seconds in all, or when the peer closes. ``hides_answer``: what is heard holds secrets and is
    never shown.
    """

    data: bytes
    enough: Callable[[bytes], bool]
    gap_s: float
    limit_s: float
    hides_answer: bool = False


class Heard(NamedTuple):
    """All bytes heard since the last `Say`, perhaps more than was asked for, and why listening ended."""

    data: bytes
    why: HeardWhy


@dataclass(frozen=True, slots=True)
class Reject:
    """Why intake did not believe something. ``code`` is for counting, ``text`` for people."""

    code: str
    text: str = ""
