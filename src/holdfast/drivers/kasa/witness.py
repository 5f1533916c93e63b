"""The meter as a second witness of the relay: what it says against it, and for how long. Kasa fact sheet section 5.

Pure. It never overrules the state that is shown: what it says stands beside it, as a warning.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

IDLE_W: Final = 1.0
"""Less than that while the relay is on: the appliance draws nothing."""
IDLE_FOR_S: Final = 60.0
"""For so long, since appliances pause."""
FLOWING_W: Final = 2.0
"""More than that while the relay is off: current flows all the same. Meters show a little of nothing."""
METER_LAG_S: Final = 3.0
"""So long after a switch the meter proves nothing: fact sheet section 5 number 18."""
LOOKS: Final = 2
"""One look may have caught the meter between two states."""


class Objection(Enum):
    """What the meter says against the relay, in words for a person."""

    IDLE = (
        "the plug is on and hardly draws power: check that the appliance is plugged in and switched on, and its"
        " own thermostat or fuse"
    )
    FLOWING = (
        "the plug says that it is off and current flows all the same: its contacts may be welded; pull it out of"
        " the socket"
    )


class Witness(NamedTuple):
    """What a session's looks at one plug add up to; times in seconds of the loop's clock."""

    is_on: bool | None = None
    """As last seen; ``None``: not yet."""
    settled_t: float = float("-inf")
    """From when on the meter counts."""
    objection: Objection | None = None
    """What it says against the relay; ``None``: nothing, or there is no meter."""
    since_t: float = 0.0
    """The first look of those in a row that say so."""
    looks: int = 0
    """How many they are."""

    @property
    def due_t(self) -> float:
        """When to tell, if nothing changes; meaningless without an objection."""
        return self.since_t + (IDLE_FOR_S if self.objection is Objection.IDLE else 0.0)

    def is_sure(self, now: float) -> bool:
        """Whether it has been said for long enough."""
        return self.objection is not None and self.looks >= LOOKS and now >= self.due_t


def switched(witness: Witness, t: float) -> Witness:
    """The relay was told something: the meter lags behind."""
    return Witness(witness.is_on, t + METER_LAG_S)


def looked(witness: Witness, *, is_on: bool, power: float | None, t: float) -> Witness:
    """After one more look. ``power`` in W; ``None``: no meter, or none that answers."""
    if witness.is_on is not None and is_on is not witness.is_on:  # by hand, or by its own timer
        witness = switched(witness, t)
    objection = objection_of(is_on=is_on, power=power) if t >= witness.settled_t else None
    if objection is None or objection is not witness.objection:
        return Witness(is_on, witness.settled_t, objection, t, 1 if objection else 0)
    return witness._replace(is_on=is_on, looks=witness.looks + 1)


def objection_of(*, is_on: bool, power: float | None) -> Objection | None:
    """What one look by itself says against the relay."""
    if power is None:
        return None
    if is_on:
        return Objection.IDLE if power < IDLE_W else None
    return Objection.FLOWING if power > FLOWING_W else None
