"""What can go wrong on the bus and behind it. A fault alters behaviour for a while, strikes at once, or both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

from holdfast.simulators.jkbms.behaviour import (
    LARGEST_PIECE,
    BusBehaviour,
    Crowding,
    OutletBehaviour,
    Packing,
    Welcome,
)

KEEPS_DEAD_S = 180.0
"""For how long gateways keep half-open sockets ("minutes", JK fact sheet section 1)."""


class BusTarget(Protocol):
    """What a fault may do to the bus it strikes, besides altering its behaviour."""

    def swap(self, one: int, other: int) -> None:
        """Exchange the addresses of two batteries, or move one to a free address."""


class OutletTarget(Protocol):
    """What a fault may do to a gateway or serial port it strikes, besides altering its behaviour."""

    def drop_all(self) -> None:
        """Close every connection with a FIN."""

    def reset_all(self) -> None:
        """Close every connection with an RST."""

    def forget_all(self) -> None:
        """Know no connection any more, and tell nobody."""


@dataclass(frozen=True)
class Fault:
    """The base of all faults. With a duration of 0 a fault only strikes."""


@dataclass(frozen=True)
class BusFault(Fault):
    """Something is wrong on the bus itself: everyone who listens hears of it."""

    def alter(self, behaviour: BusBehaviour) -> BusBehaviour:
        """The behaviour while the fault lasts."""
        return behaviour

    def strike(self, target: BusTarget) -> None:
        """What happens at once, after the behaviour was altered."""

    def relent(self, target: BusTarget) -> None:
        """What happens at the end, after the behaviour is back."""


@dataclass(frozen=True)
class OutletFault(Fault):
    """Something is wrong with one gateway or serial port; others on the bus are well."""

    def alter(self, behaviour: OutletBehaviour) -> OutletBehaviour:
        """The behaviour while the fault lasts."""
        return behaviour

    def strike(self, target: OutletTarget) -> None:
        """What happens at once, after the behaviour was altered."""

    def relent(self, target: OutletTarget) -> None:
        """What happens at the end, after the behaviour is back."""


# --- the bus ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SilentBattery(BusFault):
    """One battery says nothing. The master itself falls silent only with `NoMaster`."""

    address: int

    def alter(self, behaviour: BusBehaviour) -> BusBehaviour:
        """One address less."""
        return replace(behaviour, silent=behaviour.silent | {self.address})


@dataclass(frozen=True)
class NoMaster(BusFault):
    """The master is off: nobody polls, the bus is silent."""

    def alter(self, behaviour: BusBehaviour) -> BusBehaviour:
        """No master."""
        return replace(behaviour, has_master=False)


@dataclass(frozen=True)
class SecondMaster(BusFault):
    """Somebody else polls too; what overlaps is corrupted."""

    def alter(self, behaviour: BusBehaviour) -> BusBehaviour:
        """Two of them."""
        return replace(behaviour, has_second_master=True)


@dataclass(frozen=True)
class SwapAddresses(BusFault):
    """Two batteries exchange their addresses, or one moves to a free one; with a duration they come back."""

    one: int
    other: int

    def strike(self, target: BusTarget) -> None:
        """Somebody turns DIP switches."""
        target.swap(self.one, self.other)

    def relent(self, target: BusTarget) -> None:
        """And turns them back."""
        target.swap(self.other, self.one)


# --- the line ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OnLine(OutletFault):
    """The base of faults that alter what happens to bytes: ``_changes`` are fields of `Line`."""

    def alter(self, behaviour: OutletBehaviour) -> OutletBehaviour:
        """A worse line."""
        return replace(behaviour, line=replace(behaviour.line, **self._changes()))

    def _changes(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True)
class DropBytes(OnLine):
    """Bytes in a row vanish, out of any unit, with this probability."""

    probability: float = 1.0
    longest: int = 12

    def _changes(self) -> dict[str, Any]:
        return {"lose": self.probability, "longest_loss": self.longest}


@dataclass(frozen=True)
class HalfFrames(OnLine):
    """Frames lose all behind byte ``at``, their reply included, with this probability."""

    probability: float = 1.0
    at: int = LARGEST_PIECE

    def _changes(self) -> dict[str, Any]:
        return {"cut": self.probability, "cut_at": self.at}


@dataclass(frozen=True)
class Junk(OnLine):
    """Units are preceded by bytes that mean nothing, with this probability."""

    probability: float = 1.0
    longest: int = 40

    def _changes(self) -> dict[str, Any]:
        return {"junk": self.probability, "longest_junk": self.longest}


@dataclass(frozen=True)
class FlipBit(OnLine):
    """One bit of a frame is inverted, with this probability: its sum tells."""

    probability: float = 1.0

    def _changes(self) -> dict[str, Any]:
        return {"flip": self.probability}


@dataclass(frozen=True)
class FlipPair(OnLine):
    """Two bits of a frame are inverted so that its sum is still right, with this probability."""

    probability: float = 1.0

    def _changes(self) -> dict[str, Any]:
        return {"flip_pair": self.probability}


@dataclass(frozen=True)
class Splice(OnLine):
    """A frame's first ``at`` bytes are those of another battery's last one; the sum is right.

    It needs a frame of the same kind of another battery that has passed before. The reply is that of the rest.
    """

    probability: float = 1.0
    at: int | None = None

    def _changes(self) -> dict[str, Any]:
        return {"splice": self.probability, "splice_at": self.at}


@dataclass(frozen=True)
class Blank(OnLine):
    """A frame's data are all zero; header and sum are right."""

    probability: float = 1.0

    def _changes(self) -> dict[str, Any]:
        return {"blank": self.probability}


@dataclass(frozen=True)
class NoiseOnly(OnLine):
    """Every byte is a random one, as with a wrong baud rate."""

    def _changes(self) -> dict[str, Any]:
        return {"is_noise": True}


@dataclass(frozen=True)
class Repack(OutletFault):
    """The stream is cut into other pieces; nothing is lost. 1 is byte by byte."""

    largest: int | tuple[int, int] = 1
    hold_s: float = 0.0

    def alter(self, behaviour: OutletBehaviour) -> OutletBehaviour:
        """Other pieces."""
        return replace(behaviour, packing=Packing(largest=self.largest, hold_s=self.hold_s))


# --- the connection ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stall(OutletFault):
    """Sockets stay open and are accepted, not a byte passes; what passes on the bus meanwhile is lost."""

    def alter(self, behaviour: OutletBehaviour) -> OutletBehaviour:
        """Deaf and mute."""
        return replace(behaviour, is_stalled=True)


@dataclass(frozen=True)
class Refuse(OutletFault):
    """The port is closed: dialling is refused. Open connections are reset unless kept."""

    keeps_connections: bool = False

    def alter(self, behaviour: OutletBehaviour) -> OutletBehaviour:
        """Not listening."""
        return replace(behaviour, is_listening=False)

    def strike(self, target: OutletTarget) -> None:
        """Open connections go, too."""
        if not self.keeps_connections:
            target.reset_all()


@dataclass(frozen=True)
class Reboot(OutletFault):
    """The gateway restarts: connections are reset, or with ``is_silent`` forgotten without a word.

    It refuses for as long as the fault lasts. A client that was forgotten is reset once it sends something
    after that; one that only listens is never told.
    """

    is_silent: bool = False

    def alter(self, behaviour: OutletBehaviour) -> OutletBehaviour:
        """Not listening."""
        return replace(behaviour, is_listening=False)

    def strike(self, target: OutletTarget) -> None:
        """The power is gone."""
        if self.is_silent:
            target.forget_all()
        else:
            target.reset_all()


@dataclass(frozen=True)
class Finish(OutletFault):
    """Every connection is closed with a FIN; while it lasts, new ones as soon as they are accepted."""

    def alter(self, behaviour: OutletBehaviour) -> OutletBehaviour:
        """New connections are dropped."""
        return replace(behaviour, welcome=Welcome.DROP)

    def strike(self, target: OutletTarget) -> None:
        """Present connections are dropped."""
        target.drop_all()


@dataclass(frozen=True)
class Reset(OutletFault):
    """Every connection is closed with an RST; while it lasts, new ones as soon as they are accepted."""

    def alter(self, behaviour: OutletBehaviour) -> OutletBehaviour:
        """New connections are reset."""
        return replace(behaviour, welcome=Welcome.RESET)

    def strike(self, target: OutletTarget) -> None:
        """Present connections are reset."""
        target.reset_all()


@dataclass(frozen=True)
class DeadSockets(OutletFault):
    """The gateway has few places, and a client that has gone keeps its place for ``dead_s`` seconds."""

    dead_s: float = KEEPS_DEAD_S
    clients: int = 1
    crowding: Crowding = Crowding.CLOSE

    def alter(self, behaviour: OutletBehaviour) -> OutletBehaviour:
        """Crowded with the dead."""
        return replace(behaviour, dead_s=self.dead_s, clients=self.clients, crowding=self.crowding)
