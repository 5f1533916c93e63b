"""Who is heard under which name: a colour stands for one Tilt, as long as only one of that colour is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

ABOUT_S: Final = 240.0
"""A Tilt that was not heard for so long has left: the fresh limit of the fermentation fact sheet, section 4."""


class Roll:
    """The Tilts that were heard lately: address, colour and when."""

    def __init__(self, members: Iterable[str]) -> None:
        self._claimed = set(members)
        self._heard: dict[str, tuple[str, float]] = {}

    def note(self, colour: str, address: str, now: float) -> list[str]:
        """One was heard at loop time ``now``. Returns the addresses of those that have left."""
        self._heard[address] = colour, now
        left = [each for each, (_, t) in self._heard.items() if now - t > ABOUT_S]
        for each in left:
            del self._heard[each]
        return left

    def claim(self, member: str) -> None:
        """Somebody takes what is told under this name."""
        self._claimed.add(member)

    def is_claimed(self, member: str) -> bool:
        """Whether somebody is known to take what is told under this name."""
        return member in self._claimed

    def rivals(self, colour: str) -> list[str]:
        """The addresses that all claim to be the Tilt of this colour; those that have a device of their own do not.

        A neighbour's Tilt says the same as one's own: where there are two, nobody can tell which is meant.
        """
        return sorted(
            address
            for address, (its_colour, _) in self._heard.items()
            if its_colour == colour and address not in self._claimed
        )
