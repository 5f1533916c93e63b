"""What is remembered of a plug, and how each answer changes it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from holdfast.control.evidence import PlugEvidence
    from holdfast.control.instant import Instant


UNSEEN_S: Final = 60.0
"""A relay that nobody saw for longer may have been switched by hand, and back: it counts as just stopped. Six polls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapWatch:
    """The temperature (millionths of °C) when a plug was first seen ON, to notice that it works the wrong way."""

    start: int
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class PlugMemory:
    """One plug's past.

    ``is_wanted``: the wanted output after the last decision. ``is_demanded``: what the control law wanted, which
    "keep" keeps; it differs while a minimum run outlasts it. ``on_since`` and ``off_since``: when answers began to show
    the present state, as far as they do. ``tried_at``: since then ON has been wanted and nothing answered.
    ``unread_since``: since then there is no answer. ``renewed_at``: when the ON was last renewed.
    """

    is_wanted: bool = False
    is_demanded: bool = False
    on_since: Instant | None = None
    off_since: Instant | None = None
    tried_at: Instant | None = None
    unread_since: Instant | None = None
    renewed_at: Instant | None = None
    watch: SwapWatch | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """A plug at the moment of a decision: what it said, its past, and the state that this proves (``None``: none)."""

    said: PlugEvidence
    past: PlugMemory
    is_on: bool | None

    @property
    def is_off(self) -> bool:
        """Whether it is proven OFF. Unknown counts as ON."""
        return self.is_on is False


def observe(said: PlugEvidence, past: PlugMemory, now: Instant, dead_man_s: float) -> Sight:
    """Take in an answer.

    A rest starts when OFF is first *seen* after anything else was, or could have been: never earlier than the relay
    opened, nor before a time in which nobody saw it. An answer from before the last try to switch ON, or beside a
    command that has not ended, proves nothing.
    """
    is_on = None if said.has_open_command else said.answered
    tried_s = 0.0 if past.tried_at is None else _since_s(past.tried_at, now)
    if is_on is False and past.tried_at is not None and said.age_s >= tried_s:
        is_on = None
    unread = past.unread_since or now if said.answered is None else None
    was_unseen = past.unread_since is not None and _since_s(past.unread_since, now) >= UNSEEN_S
    past = replace(past, unread_since=unread)
    if is_on is None and said.was_on:  # an order may undo an ON before anybody believes it
        past = replace(past, off_since=None)
    if is_on is True:
        past = replace(past, on_since=_run(past.on_since, said, now), off_since=None, tried_at=None)
    elif is_on is False:
        # ON was tried and given up, or the plug's own timer may have ended it: it may have run until just now.
        may_have_run = past.tried_at is not None and (not past.is_wanted or tried_s >= dead_man_s)
        rested = None if may_have_run or was_unseen else past.off_since
        past = replace(past, off_since=_run(rested, said, now), on_since=None, tried_at=None, watch=None)
    return Sight(said, past, is_on)


def _run(start: Instant | None, said: PlugEvidence, now: Instant) -> Instant:
    """When the present run began: as remembered, but never before the answers began to show it."""
    if start is None:
        return now
    is_broken = said.since_s is not None and said.since_s < _since_s(start, now)
    return now.before(said.since_s or 0.0) if is_broken else start


def _since_s(past: Instant, now: Instant) -> float:
    """Seconds since; an instant of another era tells nothing, so nothing has passed."""
    return now.since_s(past) or 0.0
