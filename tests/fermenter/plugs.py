"""A plug that keeps a record of what really happened: each call on its wire, each move of its relay."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tests.drivers.kasa.fake_kasa import FakePlug, Trouble, raised
from tests.fermenter.life import Life, present_life

if TYPE_CHECKING:
    from collections.abc import Callable

READS = frozenset({"update", "plain"})
"""Calls whose answers tell the relay's state."""
SETS = frozenset({"on", "on+arm", "off"})
"""Calls that switch the relay."""


class Cause(StrEnum):
    """Who moved a relay."""

    HUB = "hub"
    PERSON = "person"
    """A finger on the button, or somebody's app."""
    PLUG = "plug"
    """Its own timer, or its power."""


@dataclass(slots=True, eq=False)
class WireCall:
    """One call that reached a plug. Times are the loop's; ``is_on`` is the relay when it acted."""

    what: str
    begun_t: float
    life: Life | None
    acted_t: float = math.inf
    is_on: bool | None = None
    ended_t: float = math.inf
    is_answered: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.ended_t == math.inf


@dataclass(frozen=True, slots=True)
class Move:
    """The relay moved."""

    t: float
    is_on: bool
    cause: Cause


class Witness:
    """Told of everything that happens to a plug; does nothing with it."""

    def call_begun(self, plug: WatchedPlug, call: WireCall) -> None:
        """A call reached the plug."""

    def call_ended(self, plug: WatchedPlug, call: WireCall) -> None:
        """It was answered, or failed."""

    def moved(self, plug: WatchedPlug, move: Move) -> None:
        """The relay moved."""


class WatchedPlug(FakePlug):
    """A `FakePlug` that tells a `Witness`, and can lose an answer after it acted."""

    def __init__(self, mac: str, **more: object) -> None:
        super().__init__(mac, **more)  # type: ignore[arg-type]
        self.witness = Witness()
        self.resets_after_acting = False
        """Each answer to a switching call is cut off by a reset."""
        self.ignores_next = 0
        """So many of the next commands are acknowledged and do nothing."""
        self._cause: Cause | None = None

    async def call(
        self, what: str, act: Callable[[], None] = lambda: None, *, is_wrapped: bool = False
    ) -> None:
        """See `FakePlug.call`."""
        call = WireCall(what, self._now(), present_life())

        def acting() -> None:
            act()
            call.acted_t, call.is_on = self._now(), self.is_on

        self.witness.call_begun(self, call)
        try:
            await super().call(what, acting, is_wrapped=is_wrapped)
            if self.resets_after_acting and what in SETS:
                raise raised(Trouble.RESET, is_wrapped=is_wrapped)
            call.is_answered = True
        finally:
            call.ended_t = self._now()
            self.witness.call_ended(self, call)

    def press(self, is_on: bool | None = None) -> None:
        """See `FakePlug.press`."""
        self._catch_up()
        self._cause = Cause.PERSON
        try:
            super().press(is_on)
        finally:
            self._cause = None

    def switch(self, is_on: bool) -> None:
        """See `FakePlug.switch`."""
        self._catch_up()
        if self.ignores_next > 0:
            self.ignores_next -= 1
            return
        self._cause = Cause.HUB
        try:
            super().switch(is_on)
        finally:
            self._cause = None

    def lose_power(self, *, is_restored: bool) -> None:
        """The power fails for a moment. ``is_restored``: the relay comes back as it was, else off."""
        self.power_cut()
        if not is_restored:
            self._cause = Cause.PLUG
            try:
                self._move(False, self._now())
            finally:
                self._cause = None

    def cut_off(self) -> None:
        """Whoever held its connections is gone, and with them every call under way."""
        self.running = self.open_objects = 0

    @property
    def is_well(self) -> bool:
        """Whether it answers at once and does what it is told."""
        return not (
            self.trouble
            or self.troubles
            or self.next_troubles
            or self.is_ignoring
            or self.ignores_next
            or self.acts_without_answer
            or self.resets_after_acting
            or self.late_s
            or self.answer_s > 0.1
        )

    def well(self) -> None:
        """See `FakePlug.well`."""
        super().well()
        self.resets_after_acting = False
        self.ignores_next = 0

    def _move(self, is_on: bool, at: float) -> None:
        has_moved = is_on is not self._relay
        super()._move(is_on, at)
        if has_moved:
            # Nobody acts now: what was told late acts now, or its own timer does.
            cause = self._cause or (Cause.HUB if is_on else Cause.PLUG)
            self.witness.moved(self, Move(at, is_on, cause))
