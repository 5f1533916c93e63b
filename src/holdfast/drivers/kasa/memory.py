"""What is remembered of a plug from session to session: who it is, how it was reached, and how often it failed.

Pure but for what it remembers: every question is asked with the time, in seconds of the loop's clock.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from holdfast.errors import LinkFault, LoginRefused
from holdfast.model import ReasonCode

if TYPE_CHECKING:
    from holdfast.drivers.kasa.ways import Way

SEARCH_AFTER: Final = 3
"""Connects in vain after which the plug is looked for by UDP: fact sheet section 1."""
SEARCH_EVERY: Final = 10
"""Further connects in vain between two searches: some five minutes with the link's longest pause."""
REFUSALS: Final = 3
"""Logins refused in a row before it is the owner's business: fact sheet section 3."""
REFUSAL_REST_S: Final = 30.0
"""Between two logins, once one was refused: fact sheet section 3."""

ADVICE: Final = (
    "Check the e-mail address and password of the vendor's account, upper and lower case too; then"
    " switch on 'Third-Party Compatibility' in the vendor's app."
)


class LoginDoubted(LinkFault):
    """The login was refused, but plugs have moods in which they refuse a right one: it is tried again soon."""

    code = ReasonCode.LOGIN_REFUSED


class PlugMemory:
    """Lives as long as the driver. ``mac`` may be known from the start."""

    def __init__(self, mac: str = "") -> None:
        self.mac = mac
        self.way: Way | None = None
        self._failures = 0
        self._refusals = 0
        self._refused_t = -math.inf
        self._is_search_asked = False

    @property
    def is_search_due(self) -> bool:
        """Whether to look for the plug before the next connect: it may have moved, or changed its kind."""
        past = self._failures - SEARCH_AFTER
        return self._is_search_asked or (past >= 0 and past % SEARCH_EVERY == 0)

    def rest(self, now: float) -> LoginDoubted | None:
        """Why not to connect now: the last login was refused a moment ago."""
        left_s = self._refused_t + REFUSAL_REST_S - now
        if left_s <= 0.0 or self._refusals >= REFUSALS:  # from then on the link waits, and longer
            return None
        return self._doubted(left_s)

    def _doubted(self, left_s: float) -> LoginDoubted:
        text = f"the login was refused ({self._refusals} of {REFUSALS}); it may pass, next login in {left_s:.0f} s"
        return LoginDoubted(text, advice=ADVICE)

    def searched(self) -> None:
        """The plug has been looked for."""
        self._is_search_asked = False

    def moved(self, way: Way) -> None:
        """It was found at this way."""
        self.way = way

    def connected(self, way: Way, mac: str) -> None:
        """It was reached, and is the right one."""
        self.way = way
        self.mac = mac or self.mac
        self._failures = self._refusals = 0
        self._refused_t = -math.inf
        self._is_search_asked = False

    def failed(self) -> None:
        """It was not reached."""
        self._failures += 1

    def refused(self, now: float) -> LinkFault:
        """It refused the login: the fault to tell."""
        self._failures += 1
        self._refusals += 1
        self._refused_t = now
        self._is_search_asked = True  # firmware that has changed its kind refuses logins, too
        if self._refusals >= REFUSALS:
            return LoginRefused(f"the login was refused {self._refusals} times in a row", advice=ADVICE)
        return self._doubted(REFUSAL_REST_S)
