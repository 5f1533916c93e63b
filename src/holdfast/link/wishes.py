"""Wanted values still open: commands with a deadline, standing orders without one."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from holdfast.link.orders import pause_s
from holdfast.link.planner import Wish
from holdfast.model import (
    NEVER,
    Authority,
    Capability,
    CommandState,
    Purpose,
    Receipt,
    Stamp,
    StandingOrder,
    Value,
)

if TYPE_CHECKING:
    import asyncio
    from datetime import datetime

    from holdfast.model import Attempt


Gate = Callable[[], str]
"""Asked at the moment of each write, and before a command is taken: why it may not be sent, empty if it may."""


def always_open() -> str:
    """Of commands that depend on nothing else."""
    return ""


class OpenWish(ABC):
    """What commands and standing orders share: the value, the attempts, and the send that evidence must follow."""

    __slots__ = (
        "attempt",
        "authority",
        "capability",
        "first_sent_t",
        "fresh_after_t",
        "in_flight",
        "is_urgent",
        "issued",
        "last_error",
        "sends",
        "sent",
        "try_at",
        "value",
    )

    purpose: ClassVar[Purpose]
    """What its steps are sent for."""

    def __init__(self, capability: Capability, value: Value, authority: Authority, issued: Stamp) -> None:
        self.capability = capability
        self.value = value
        self.authority = authority
        self.issued = issued
        self.is_urgent = value in capability.urgent or (
            capability.fail_safe is not None and value == capability.fail_safe
        )
        self.sends = 0
        self.try_at = issued.t
        self.sent = NEVER
        self.first_sent_t = math.inf
        self.fresh_after_t = -math.inf
        self.in_flight = False
        self.last_error = ""
        self.attempt: Attempt | None = None  # the last send, until it is known what became of it

    @property
    @abstractmethod
    def ident(self) -> str:
        """The id of its receipt or order."""

    @property
    @abstractmethod
    def by(self) -> str:
        """Who gave the command, or the order's cause."""

    @property
    def is_last(self) -> bool:
        """Whether no attempt follows the last one."""
        return self.try_at == math.inf

    @property
    def key(self) -> str:
        """The capability's key."""
        return self.capability.key

    @property
    def was_sent(self) -> bool:
        """Whether at least one step that carries it has gone out."""
        return self.sends > 0

    def seen_by_planner(self) -> Wish:
        """The wish as a planner may know it."""
        try_at = math.inf if self.in_flight else self.try_at
        return Wish(self.key, self.value, self.authority, self.sends, try_at, self.issued, self.is_urgent)

    def note_sent(self, stamp: Stamp, fresh_after_t: float) -> None:
        """A step that carries it went out; only evidence asked for after it (and that time) counts."""
        self.sends += 1
        self.sent = stamp
        self.first_sent_t = min(self.first_sent_t, stamp.t)
        self.fresh_after_t = max(fresh_after_t, stamp.t + self.capability.verify.settle_s)
        self.in_flight = True

    def note_end(self, now: float, error: str) -> None:
        """The attempt is over (nothing is verified by that): when may the next one go?"""
        self.in_flight = False
        self.last_error = error
        self.try_at = now + self.pause_s()

    @abstractmethod
    def pause_s(self) -> float:
        """Seconds before the next attempt; infinite when there is none."""

    def may_show(self, t: float, n: int) -> bool:
        """Whether evidence of that stamp can prove or disprove it."""
        return self.was_sent and not self.in_flight and n > self.sent.n and t >= self.fresh_after_t


class OpenCommand(OpenWish):
    """A command that has not ended."""

    __slots__ = ("ended", "gate", "receipt", "timers")
    purpose = Purpose.COMMAND
    may_be_doubted_after_s: ClassVar[float] = 1.0
    """The shown value becomes unknown when a command stays open so long: earlier, tiles would blink."""

    def __init__(
        self,
        capability: Capability,
        value: Value,
        authority: Authority,
        issued: Stamp,
        receipt: Receipt,
        gate: Gate = always_open,
    ) -> None:
        super().__init__(capability, value, authority, issued)
        self.receipt = receipt
        self.gate = gate
        self.timers: list[asyncio.TimerHandle] = []
        self.ended: asyncio.Future[Receipt] | None = None

    @property
    def ident(self) -> str:
        """The receipt's id."""
        return self.receipt.id

    @property
    def by(self) -> str:
        """The issuer's name."""
        return self.receipt.issuer

    def pause_s(self) -> float:
        """As its verify plan says."""
        pauses = self.capability.verify.pauses_s
        return pauses[self.sends] if self.sends < len(pauses) else math.inf

    def report_sent(self, now: float, wall: datetime) -> Receipt:
        """The receipt after a send."""
        receipt = self.receipt
        is_first = receipt.sent_at is None
        self.receipt = replace(
            receipt,
            state=CommandState.SENT,
            attempts=self.sends,
            may_have_executed=True,
            sent_at=wall if is_first else receipt.sent_at,
            sent_after_s=now - self.issued.t if is_first else receipt.sent_after_s,
        )
        return self.receipt

    def report_end(self, state: CommandState, reason: str, now: float, wall: datetime) -> Receipt:
        """The last receipt; its timers are gone and whoever waits is told."""
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()
        self.receipt = replace(
            self.receipt,
            state=state,
            reason=reason,
            attempts=self.sends,
            may_have_executed=self.was_sent and state is not CommandState.VERIFIED,
            ended_at=wall,
            ended_after_s=now - self.issued.t,
        )
        if self.ended is not None and not self.ended.done():
            self.ended.set_result(self.receipt)
        return self.receipt


class OpenOrder(OpenWish):
    """A standing order that has not ended."""

    __slots__ = ("is_released", "order")
    purpose = Purpose.ORDER

    def __init__(self, capability: Capability, order: StandingOrder, issued: Stamp) -> None:
        super().__init__(capability, order.value, Authority.STANDING_ORDER, issued)
        self.is_urgent = True
        self.order = order
        self.is_released = False

    @property
    def ident(self) -> str:
        """The order's id."""
        return self.order.id

    @property
    def by(self) -> str:
        """The order's cause."""
        return self.order.cause

    def pause_s(self) -> float:
        """For ever, at the orders' own pace."""
        return pause_s(self.sends)

    def seen_by_planner(self) -> Wish:
        """A verified order asks for nothing until evidence shows otherwise."""
        wish = super().seen_by_planner()
        return wish._replace(try_at=math.inf) if self.order.is_verified else wish
