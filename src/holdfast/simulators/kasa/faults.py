"""What can go wrong with a plug: with the plug itself, with its door, with its login, or with single requests.

Faults are frozen values. One that concerns requests says which (`Which`), and how many of them (``times``,
``None``: all while it lasts); the plug counts, and a fault that is used up does nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from holdfast.simulators.kasa.behaviour import Behaviour, Handling, Reply, Welcome
from holdfast.simulators.kasa.firmware import CLOSED, Firmware
from holdfast.simulators.kasa.klap import Account
from holdfast.simulators.kasa.truth import Part, Which

if TYPE_CHECKING:
    from holdfast.simulators.kasa.chance import Span
    from holdfast.simulators.kasa.plug import Plug

BOOT_S = 8.0
"""From power to the first answer. Real plugs take some 5 to 15 s until they are in the WLAN again."""


class Target(Protocol):
    """What a fault may do to the plug it strikes, besides altering how it behaves."""

    plug: Plug

    def drop_all(self) -> None:
        """Close every connection with a FIN."""

    def reset_all(self) -> None:
        """Close every connection with an RST."""

    def forget_sessions(self) -> None:
        """Know no login any more."""

    def reboot(self, down_s: float, *, restores_relay: bool) -> None:
        """Lose power for so long; no connection is closed, as nobody is there to do it."""

    def unplug(self) -> None:
        """Lose power until `plug_in`."""

    def plug_in(self, *, restores_relay: bool) -> None:
        """Have power again, and boot."""


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


# --- the plug itself ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ButtonPress(Fault):
    """A hand on the button: the relay moves, and nobody is told."""

    def strike(self, target: Target) -> None:
        """Now."""
        target.plug.press()


@dataclass(frozen=True)
class Reboot(Fault):
    """The power fails for a moment; connections are left half-open.

    The relay is off meanwhile and comes back as it was, or stays off. Timers and logins are forgotten.
    """

    restores_relay: bool = True
    down_s: float = BOOT_S

    def strike(self, target: Target) -> None:
        """Now."""
        target.reboot(self.down_s, restores_relay=self.restores_relay)


@dataclass(frozen=True)
class Unplugged(Fault):
    """Out of the socket while it lasts. Needs a duration."""

    restores_relay: bool = True

    def strike(self, target: Target) -> None:
        """Pulled."""
        target.unplug()

    def relent(self, target: Target) -> None:
        """Back in the socket."""
        target.plug_in(restores_relay=self.restores_relay)


@dataclass(frozen=True)
class Welded(Fault):
    """The contacts stick: the relay obeys and the current flows on."""

    def strike(self, target: Target) -> None:
        """They stick."""
        target.plug.weld()

    def relent(self, target: Target) -> None:
        """They let go."""
        target.plug.weld(is_welded=False)


# --- the door ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Refuse(Fault):
    """The process behind the door has died: dials are refused, discovery is still answered.

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
class NewFirmware(Fault):
    """A forced update: from now on it speaks otherwise. With a duration it goes back."""

    firmware: Firmware

    def alter(self, behaviour: Behaviour) -> Behaviour:
        """Another language, another port."""
        return replace(behaviour, firmware=self.firmware)

    def strike(self, target: Target) -> None:
        """What was open belongs to the old one."""
        target.forget_sessions()
        target.reset_all()

    def relent(self, target: Target) -> None:
        """And the other way round."""
        target.forget_sessions()
        target.reset_all()


@dataclass(frozen=True)
class ClosedDoor(NewFirmware):
    """An update closed the local door: dials are refused, and discovery tells of a scheme named TPAP.

    Kasa fact sheet section 1: the owner re-opens it with a switch in the app, sometimes until the next power cut.
    """

    firmware: Firmware = CLOSED


# --- identity and login -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WrongMac(Fault):
    """Another plug has this one's address."""

    mac: str = "50:C7:BF:FF:FF:FF"

    def alter(self, behaviour: Behaviour) -> Behaviour:
        """It says that it is somebody else."""
        return replace(behaviour, mac=self.mac)

    def strike(self, target: Target) -> None:
        """Connections belonged to the one that was here before."""
        target.reset_all()

    def relent(self, target: Target) -> None:
        """As above."""
        target.reset_all()


@dataclass(frozen=True)
class WrongLogin(Fault):
    """The account is another one: logins fail. The legacy protocol has none, and goes on."""

    account: Account = field(default=Account("somebody@example.org", "else"), repr=False)

    def alter(self, behaviour: Behaviour) -> Behaviour:
        """Proofs are made with that account."""
        return replace(behaviour, account=self.account)

    def strike(self, target: Target) -> None:
        """Sessions are over."""
        target.forget_sessions()


@dataclass(frozen=True)
class LostSession(Fault):
    """Every login is forgotten: the next request on each is met with 403."""

    def strike(self, target: Target) -> None:
        """Forgotten."""
        target.forget_sessions()


@dataclass(frozen=True)
class MissingFields(Fault):
    """Answers about the plug lack these fields, as from firmware nobody has tried."""

    names: frozenset[str] = frozenset({"relay_state", "device_on"})

    def alter(self, behaviour: Behaviour) -> Behaviour:
        """Something is missing."""
        return replace(behaviour, left_out=behaviour.left_out | self.names)


# --- single requests ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class RequestFault(Fault):
    """The base of faults that alter how requests are handled."""

    which: Which = Which.ALL
    times: int | None = None

    def handle(self, handling: Handling) -> Handling:
        """The handling of one request that it concerns."""
        return handling


@dataclass(frozen=True, kw_only=True)
class Stall(RequestFault):
    """Requests stay without answer and are not carried out, now or later."""

    def handle(self, handling: Handling) -> Handling:
        """Silence."""
        return replace(handling, reply=Reply.NOTHING, is_done=False)


@dataclass(frozen=True, kw_only=True)
class NoAnswer(RequestFault):
    """Requests are carried out, and the answer is lost."""

    def handle(self, handling: Handling) -> Handling:
        """Done in silence."""
        return replace(handling, reply=Reply.NOTHING)


@dataclass(frozen=True, kw_only=True)
class HangUp(RequestFault):
    """A request is met with the end of the connection (FIN), carried out or not."""

    is_done: bool = False

    def handle(self, handling: Handling) -> Handling:
        """Good bye."""
        return replace(handling, reply=Reply.HANG_UP, is_done=self.is_done)


@dataclass(frozen=True, kw_only=True)
class ResetRequest(RequestFault):
    """A request is met with a reset (RST), carried out or not."""

    is_done: bool = False

    def handle(self, handling: Handling) -> Handling:
        """Gone."""
        return replace(handling, reply=Reply.RESET, is_done=self.is_done)


@dataclass(frozen=True, kw_only=True)
class ResetMidAnswer(RequestFault):
    """Requests are carried out, half of the answer is sent, and the connection is reset."""

    def handle(self, handling: Handling) -> Handling:
        """Half a word."""
        return replace(handling, reply=Reply.HALF)


@dataclass(frozen=True, kw_only=True)
class Garbage(RequestFault):
    """Requests are carried out, and the answer means nothing."""

    def handle(self, handling: Handling) -> Handling:
        """Noise."""
        return replace(handling, reply=Reply.GARBAGE)


@dataclass(frozen=True, kw_only=True)
class Forbidden(RequestFault):
    """403, whatever the session. Logins go on."""

    which: Which = Which.READ | Which.SET

    def handle(self, handling: Handling) -> Handling:
        """No."""
        return replace(handling, reply=Reply.FORBIDDEN, is_done=False)


@dataclass(frozen=True, kw_only=True)
class ErrorCode(RequestFault):
    """The answer is an error code, and nothing is done. -1001 is one that the SMART family's clients try again."""

    code: int = -1
    which: Which = Which.SET

    def handle(self, handling: Handling) -> Handling:
        """No, and why."""
        return replace(handling, error_code=self.code)


@dataclass(frozen=True, kw_only=True)
class Slow(RequestFault):
    """Answers come later than they should. What is asked for is done at once, and told as of the question."""

    delay_s: Span = 1.0

    def handle(self, handling: Handling) -> Handling:
        """In its own time."""
        return replace(handling, reply_delay_s=self.delay_s)


@dataclass(frozen=True, kw_only=True)
class NoEffect(RequestFault):
    """Set commands are acknowledged and these parts of them come to nothing."""

    which: Which = Which.SET
    part: Part = Part.BOTH

    def handle(self, handling: Handling) -> Handling:
        """Yes, yes."""
        return replace(handling, effect=handling.effect & ~self.part)


@dataclass(frozen=True, kw_only=True)
class LateEffect(RequestFault):
    """The relay moves so long after the acknowledgement, in seconds; later commands do not undo it."""

    which: Which = Which.SET
    delay_s: Span = 1.0

    def handle(self, handling: Handling) -> Handling:
        """In a moment."""
        return replace(handling, relay_delay_s=self.delay_s)


@dataclass(frozen=True, kw_only=True)
class StaleRead(RequestFault):
    """The relay is told as it was so many seconds ago."""

    which: Which = Which.READ
    lag_s: float = 1.0

    def handle(self, handling: Handling) -> Handling:
        """Old news."""
        return replace(handling, lag_s=self.lag_s)
