"""What is done while the kill comes, and what must be left of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from tests.store.kills.telling import Mouth, Told


class Work(Protocol):
    """One kind of work. A store suffers ``lives`` of them, one after the other; each goes on with what is left."""

    name: str
    lives: int
    promises: int
    """At most so many promises are awaited before the kill."""
    longest_s: float
    """At most so much later it comes: about as long as what is under way then takes."""
    steps: int
    """At most so many statements and commits are counted before a life that ends at one of them."""

    def prepare(self, where: str, rng: Random) -> None:
        """Make a store for the first life, where one is needed."""

    async def live(self, where: str, rng: Random, mouth: Mouth) -> None:
        """Work for ever, or until all is done; tell what begins and promise what is safe."""

    async def look(self, where: str, rng: Random, before: Any, told: Sequence[Told]) -> Any:
        """Open the store and return what is in it; raises `AssertionError` if that cannot be.

        ``before``: what the last look found, ``None`` for the first. ``rng`` is as it was at the start of `live`.
        """
