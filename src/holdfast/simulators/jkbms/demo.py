"""A pleasant small pack to try things on: two batteries, the front one the master, the back one at address 1."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from holdfast.simulators.jkbms.battery import MOST_BATTERIES, Battery
from holdfast.simulators.jkbms.bus import Bus
from holdfast.simulators.jkbms.day import day_of

if TYPE_CHECKING:
    import random

    from holdfast.simulators.jkbms.timing import Timing

DEMO_BATTERIES = MappingProxyType({"front": 0, "back": 1})
"""The batteries of the demo pack by name, with their bus addresses."""


def demo_pack(*, seed: int = 1, speed: float = 1.0) -> tuple[Battery, ...]:
    """The two batteries; ``speed`` lets their day pass faster than the clock."""
    front, back = DEMO_BATTERIES.values()
    return (
        Battery(front, name="front", soc_pct=62.0, seed=seed, speed=speed),
        Battery(back, name="back", soc_pct=58.0, seed=seed, speed=speed),
    )


def demo_bus(*, rng: random.Random, timing: Timing | None = None, speed: float = 1.0) -> Bus:
    """A bus with the demo pack on it, not yet running."""
    return Bus(demo_pack(seed=rng.getrandbits(32), speed=speed), rng=rng, timing=timing)


def stack_of(count: int, *, seed: int = 1, speed: float = 1.0) -> tuple[Battery, ...]:
    """So many batteries, 1 to 16, from address 0 on, sharing a day's current but not its every wiggle."""
    if not 1 <= count <= MOST_BATTERIES:
        raise ValueError(f"a bus has 1 to {MOST_BATTERIES} batteries, not {count}")
    return tuple(
        Battery(
            address,
            name=f"battery {address}",
            soc_pct=50.0 + address,
            seed=seed,
            speed=speed,
            profile=day_of(36.0 + address / 4, 6.0, 30.0 - address / 4),
        )
        for address in range(count)
    )
