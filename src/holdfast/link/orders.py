"""Standing orders: what must be so until the device reports it, whatever anybody believes.

The decision is pure. It is asked on every piece of evidence, after every reconnect and on its own schedule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.model import Value

ORDER_PAUSES_S = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Pauses before the sends of a standing order; the last one repeats for ever. 8 s: the cap of its backoff too."""


@dataclass(frozen=True, slots=True)
class OrderView:
    """What is known of one open order: the wanted value, what fresh evidence shows, and what was sent."""

    wanted: Value
    is_shown: bool | None
    """Whether evidence asked for after the last send shows the value; ``None``: there is no such evidence."""
    was_sent: bool
    is_released: bool


@dataclass(frozen=True, slots=True)
class OrderVerdict:
    """What follows: whether it counts as verified now, or has ended."""

    is_verified: bool
    has_ended: bool


def decide(view: OrderView) -> OrderVerdict:
    """Believe only evidence asked for after our own send; without a send nothing is verified."""
    is_verified = view.was_sent and view.is_shown is True
    return OrderVerdict(
        is_verified=is_verified,
        has_ended=is_verified and view.is_released,
    )


def pause_s(sends: int) -> float:
    """Seconds to wait before the send that follows ``sends`` earlier ones."""
    return ORDER_PAUSES_S[min(sends, len(ORDER_PAUSES_S) - 1)]
