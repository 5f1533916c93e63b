"""What is remembered of a plug from session to session: who it is, how it was reached, and how often it failed.

Pure but for what it remembers: every question is asked with the time, in seconds of the loop's clock. Who it is and
how it was reached outlives the hub, too, as a record; no login is in it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from holdfast.drivers.kasa.options import plain_mac
from holdfast.drivers.kasa.ways import way_from, way_record
from holdfast.errors import LinkFault, LoginRefused
from holdfast.model import ReasonCode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from holdfast.drivers.kasa.ways import Way

SEARCH_AFTER: Final = 3
"""Connects in vain after which the plug is looked for by UDP: fact sheet section 1."""
SEARCH_EVERY: Final = 10
"""Further connects in vain between two searches: some five minutes with the link's longest pause."""
REFUSALS: Final = 3
MOOD_S: Final = 60.0
"""So many logins refused in a row, over so long, before it is the owner's business: fact sheet section 3."""
REFUSAL_REST_S: Final = 30.0
"""Between two logins, once one was refused: fact sheet section 3."""
PROVEN_REST_S: Final = 10.0
"""The same where this login was right before: it is a mood of the plug, and a safety OFF may wait for it to pass. With
the link's longest pause while an order is open (8 s) and a search that finds nobody (5 s) it arrives within 25 s. No
plug can take that for an attack: it is we who find that its half of the login does not fit (section 9)."""

ADVICE: Final = (
    "Check the e-mail address and password of the vendor's account, upper and lower case too; then"
    " switch on 'Third-Party Compatibility' in the vendor's app."
)


class LoginDoubted(LinkFault):
    """The login was refused, but plugs have moods in which they refuse a right one: it is tried again soon."""

    code = ReasonCode.LOGIN_REFUSED


class PlugMemory:
    """Lives as long as the driver, and longer by its record (`Remembered`). ``mac`` may be known from the start.

    ``told`` is what the site says of where and how to reach it: when that is no longer the same, the owner knows
    better, and the record of an earlier run is forgotten.
    """

    def __init__(self, mac: str = "", told: str = "") -> None:
        self.mac = mac
        self.way: Way | None = None
        self.changed: Callable[[], None] = _nobody
        """Called after each change of the record."""
        self.turn = 0
        """Where among the kinds to begin, while nothing is known: the ones before were met with silence."""
        self._told = told
        self._mac_told = mac
        self._failures = 0
        self._refusals = 0
        self._refused_t = -math.inf
        self._first_refused_t = math.inf
        self._is_proven = False
        self._is_search_asked = False

    # --- what outlives the hub --------------------------------------------------------------------------------------

    def to_record(self) -> Mapping[str, Any]:
        """Who it is, and the way by which it was last reached."""
        way = None if self.way is None else way_record(self.way)
        return {"told": self._told, "mac": self.mac, "way": way}

    def recall(self, record: Mapping[str, Any]) -> None:
        """Know it again; a record of another plug, of another address or of nonsense is ignored."""
        mac, way = record.get("mac"), way_from(record.get("way"))
        if record.get("told") != self._told or not isinstance(mac, str):
            return
        mac = plain_mac(mac)
        if self._mac_told and mac != self._mac_told:  # the owner means another one
            return
        self.mac = self._mac_told or mac
        self.way = way

    def _note(self, way: Way | None, mac: str) -> None:
        is_news = (way, mac) != (self.way, self.mac)
        self.way, self.mac = way, mac
        if is_news:
            self.changed()

    # --- when to look for it ----------------------------------------------------------------------------------------

    @property
    def is_search_due(self) -> bool:
        """Whether to look for the plug before the next connect: it may have moved, or changed its kind."""
        past = self._failures - SEARCH_AFTER
        return self._is_search_asked or (past >= 0 and past % SEARCH_EVERY == 0)

    @property
    def is_wide_due(self) -> bool:
        """Whether to ask everything at once: with every second connect in a row that fails."""
        return self._failures % 2 == 1

    def searched(self) -> None:
        """The plug has been looked for."""
        self._is_search_asked = False

    def ask_again(self) -> None:
        """It said that it cannot be used: it is asked before it is dialled, until it says something else."""
        self._is_search_asked = True

    def moved(self, way: Way) -> None:
        """It was found at this way."""
        self._note(way, self.mac)

    # --- how it went ------------------------------------------------------------------------------------------------

    def rest(self, now: float) -> LoginDoubted | None:
        """Why not to connect now: the last login was refused a moment ago."""
        left_s = self._refused_t + self._rest_s - now
        if left_s <= 0.0 or self._is_serious:  # from then on the link waits, and longer
            return None
        return self._doubted(left_s)

    @property
    def _is_serious(self) -> bool:
        return self._refusals >= REFUSALS and self._refused_t - self._first_refused_t >= MOOD_S

    @property
    def _rest_s(self) -> float:
        return PROVEN_REST_S if self._is_proven else REFUSAL_REST_S

    def _doubted(self, left_s: float) -> LoginDoubted:
        text = f"the login was refused ({self._refusals} so far); it may pass, next login in {left_s:.0f} s"
        return LoginDoubted(text, advice=ADVICE)

    def connected(self, way: Way, mac: str) -> None:
        """It was reached, and is the right one."""
        self._note(way, mac or self.mac)
        self._failures = self._refusals = self.turn = 0
        self._refused_t = -math.inf
        self._first_refused_t = math.inf
        self._is_proven = True
        self._is_search_asked = False

    def failed(self) -> None:
        """It was not reached."""
        self._failures += 1

    def refused(self, now: float) -> LinkFault:
        """It refused the login: the fault to tell."""
        self._failures += 1
        self._refusals += 1
        self._refused_t = now
        self._first_refused_t = min(self._first_refused_t, now)
        self._is_search_asked = True  # firmware that has changed its kind refuses logins, too
        if self._is_serious:
            return LoginRefused(f"the login was refused {self._refusals} times in a row", advice=ADVICE)
        return self._doubted(self._rest_s)


def _nobody() -> None:
    """Nobody keeps the record."""
