"""What can go wrong with a controller. A fault alters its behaviour for a while, strikes at once, or both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from holdfast.simulators.ipcom.behaviour import Behaviour, Welcome, WriteReply

if TYPE_CHECKING:
    from holdfast.simulators.ipcom.chance import Span
    from holdfast.simulators.ipcom.house import House


class Target(Protocol):
    """What a fault may do to the controller it strikes, besides altering its behaviour."""

    house: House

    def drop_all(self) -> None:
        """Close every connection with a FIN."""

    def reset_all(self) -> None:
        """Close every connection with an RST."""

    def say_goodbye(self) -> None:
        """End every session with a word of it."""

    def send_snapshots(self) -> None:
        """Send every session a snapshot that nobody asked for."""

    def blurt(self) -> None:
        """Send every session noise that nobody asked for."""

    def resume(self, *, answers_late: bool) -> None:
        """Go on after a stall, with or without the requests that came meanwhile."""


@dataclass(frozen=True)
class Fault:
    """The base of all faults; on its own nothing goes wrong. With a duration of 0 a fault only strikes."""

    def alter(self, behaviour: Behaviour) -> Behaviour:
        """The behaviour while the fault lasts."""
        return behaviour

    def strike(self, target: Target) -> None:
        """What happens at once, after the behaviour was altered."""

    def relent(self, target: Target) -> None:
        """What happens at the end, after the behaviour is back."""


# --- the connection --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Refuse(Fault):
    """The port is closed: dialling is refused. Open connections are reset, as by a restart, unless kept.

    The listener is gone with the next turn of the event loop; a dial within this one is reset instead.
    """

    keeps_connections: bool = False

    def alter(self, behaviour: Behaviour) -> Behaviour:
        """Not listening."""
        return replace(behaviour, is_listening=False)

    def strike(self, target: Target) -> None:
        """Open connections go, too."""
        if not self.keeps_connections:
            target.reset_all()


@dataclass(frozen=True)
class Drop(Fault):
    """Every connection is closed with a FIN; while it lasts, new ones as soon as they are accepted."""

    def alter(self, behaviour: Behaviour) -> Behaviour:
        """New connections are dropped."""
        return replace(behaviour, welcome=Welcome.DROP)

    def strike(self, target: Target) -> None:
        """Present connections are dropped."""
        target.drop_all()


@dataclass(frozen=True)
class Reset(Fault):
    """Every connection is closed with an RST; while it lasts, new ones as soon as they are accepted."""

    def alter(self, behaviour: Behaviour) -> Behaviour:
        """New connections are reset."""
        return replace(behaviour, welcome=Welcome.RESET)

    def strike(self, target: Target) -> None:
        """Present connections are reset."""
        target.reset_all()


@dataclass(frozen=True)
class Goodbye(Fault):
    """The device says ``02 01`` to every session and closes."""

    def strike(self, target: Target) -> None:
        """Every session ends."""
        target.say_goodbye()


@dataclass(frozen=True)
class Stall(Fault):
    """Sockets stay open, connections are accepted, nothing is answered and nothing done.

    What came meanwhile is forgotten at the end, or, with ``answers_late``, served then: writes too.
    """

    answers_late: bool = False

    def alter(self, behaviour: Behaviour) -> Behaviour:
        """Deaf and mute."""
        return replace(behaviour, is_stalled=True)

    def relent(self, target: Target) -> None:
        """Hearing again."""
        target.resume(answers_late=self.answers_late)


@dataclass(frozen=True)
class Freeze(Fault):
    """Snapshots show the outputs as they were when it began; writes and wall switches go on behind them.

    A lie that no client can see through, so it is in no random profile.
    """

    def alter(self, behaviour: Behaviour) -> Behaviour:
        """Showing an old picture."""
        return replace(behaviour, is_frozen=True)


# --- the login -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WrongPassword(Fault):
    """Every login is refused; sessions that exist go on."""

    def alter(self, behaviour: Behaviour) -> Behaviour:
        """Nobody is good enough."""
        return replace(behaviour, is_login_refused=True)


@dataclass(frozen=True)
class NewKeys(Fault):
    """Every new session gets a key of its own."""

    def alter(self, behaviour: Behaviour) -> Behaviour:
        """Keys are drawn anew."""
        return replace(behaviour, is_key_renewed=True)


# --- replies ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Late(Fault):
    """Every reply comes this much later, in seconds; the order stays."""

    extra_s: Span = 1.0

    def alter(self, behaviour: Behaviour) -> Behaviour:
        """Slow to answer."""
        return replace(behaviour, line=replace(behaviour.line, extra_delay_s=self.extra_s))


@dataclass(frozen=True)
class LoseReplies(Fault):
    """Replies get lost with this probability."""

    probability: float = 1.0

    def alter(self, behaviour: Behaviour) -> Behaviour:
        """Answers that never arrive."""
        return replace(behaviour, line=replace(behaviour.line, lose=self.probability))


@dataclass(frozen=True)
class Truncate(Fault):
    """Replies are cut short with this probability."""

    probability: float = 1.0

    def alter(self, behaviour: Behaviour) -> Behaviour:
        """Answers without an end."""
        return replace(behaviour, line=replace(behaviour.line, truncate=self.probability))


@dataclass(frozen=True)
class Duplicate(Fault):
    """Replies come twice with this probability."""

    probability: float = 1.0

    def alter(self, behaviour: Behaviour) -> Behaviour:
        """Answers told twice."""
        return replace(behaviour, line=replace(behaviour.line, duplicate=self.probability))


@dataclass(frozen=True)
class Garbage(Fault):
    """Bytes that begin no message: once unasked, then before replies with this probability."""

    probability: float = 1.0
    longest: int = 40

    def alter(self, behaviour: Behaviour) -> Behaviour:
        """Noise before answers."""
        line = replace(behaviour.line, garbage=self.probability, longest_garbage=self.longest)
        return replace(behaviour, line=line)

    def strike(self, target: Target) -> None:
        """Noise at once."""
        target.blurt()


@dataclass(frozen=True)
class Split(Fault):
    """Replies come in random pieces of at most so many bytes, ``gap_s`` seconds apart; 1 is byte by byte."""

    longest_piece: int = 1
    gap_s: float = 0.001

    def alter(self, behaviour: Behaviour) -> Behaviour:
        """Answers in crumbs."""
        line = replace(behaviour.line, longest_piece=self.longest_piece, piece_gap_s=self.gap_s)
        return replace(behaviour, line=line)


@dataclass(frozen=True)
class Glue(Fault):
    """A reply waits up to ``hold_s`` seconds for the next one and shares its segment."""

    hold_s: float = 0.5

    def alter(self, behaviour: Behaviour) -> Behaviour:
        """Answers in pairs."""
        return replace(behaviour, line=replace(behaviour.line, glue_hold_s=self.hold_s))


@dataclass(frozen=True)
class Unsolicited(Fault):
    """Every session gets a snapshot that nobody asked for."""

    def strike(self, target: Target) -> None:
        """One snapshot each."""
        target.send_snapshots()


# --- writes ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WriteReplies(Fault):
    """Writes are answered in another way."""

    kind: WriteReply

    def alter(self, behaviour: Behaviour) -> Behaviour:
        """Another answer."""
        return replace(behaviour, write_reply=self.kind)


@dataclass(frozen=True)
class LoseWrites(Fault):
    """Writes are answered, but get lost on the field bus with this probability."""

    probability: float = 1.0

    def alter(self, behaviour: Behaviour) -> Behaviour:
        """A bus that loses."""
        return replace(behaviour, bus_loss=self.probability)


@dataclass(frozen=True)
class SlowBus(Fault):
    """Writes take this long to reach their module, in seconds."""

    delay_s: Span = 0.5

    def alter(self, behaviour: Behaviour) -> Behaviour:
        """A bus that dawdles."""
        return replace(behaviour, bus_delay_s=self.delay_s)


@dataclass(frozen=True)
class StuckRelay(Fault):
    """One output stays as it is, whoever asks. Needs a duration."""

    module: int
    output: int

    def strike(self, target: Target) -> None:
        """It sticks."""
        target.house.stick(self.module, self.output)

    def relent(self, target: Target) -> None:
        """It moves again."""
        target.house.release(self.module, self.output)
