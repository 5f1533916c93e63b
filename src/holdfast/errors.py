"""The error tree, sorted by who must act.

Every class says whether trying again soon can help (``is_retryable``) and which reason code users are shown.
"""

from __future__ import annotations

from typing import ClassVar

from holdfast.model import ReasonCode


class HoldfastError(Exception):
    """Base of all errors raised by Holdfast. ``advice`` tells what a person can do, in one sentence."""

    is_retryable: ClassVar[bool] = False
    code: ClassVar[ReasonCode] = ReasonCode.INTERNAL

    def __init__(self, text: str, *, advice: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.advice = advice


# --- the owner must change something -------------------------------------------------------------------


class ConfigurationError(HoldfastError):
    """The site file or an option is wrong; retrying cannot help before it is changed.

    ``path`` leads to the place, relative to the device: ``("outputs", "kitchen", "module")``.
    """

    code = ReasonCode.CONFIGURATION

    def __init__(self, text: str, *, advice: str = "", path: tuple[str | int, ...] = ()) -> None:
        super().__init__(text, advice=advice)
        self.path = path


# --- the network or the device must recover; the supervisor tries again ----------------------------------


class LinkFault(HoldfastError):
    """A session could not be opened or has ended. The supervisor decides what follows."""

    is_retryable = True
    code = ReasonCode.UNREACHABLE


class Unreachable(LinkFault):
    """Nothing answers at the address, or the name is not known."""


class SessionLost(LinkFault):
    """An open session ended: reset, end of stream, or the device said goodbye."""


class Silent(LinkFault):
    """The peer accepted the connection, or kept it, but says nothing."""

    code = ReasonCode.SILENT


class Nonsense(LinkFault):
    """The peer talks, but nothing of it can be understood or believed."""

    code = ReasonCode.NONSENSE


class Suspended(LinkFault):
    """The machine slept: whatever was known belongs to the past."""

    code = ReasonCode.SUSPENDED


# --- retried slowly, since hammering makes it worse --------------------------------------------------------


class NotNeeded(LinkFault):
    """Not a fault: the path is a reserve, and nobody needs it now."""

    code = ReasonCode.STANDBY


class Unsupported(LinkFault):
    """The device or its firmware speaks something we do not; it is asked again as rarely as after a refused login."""

    is_retryable = False
    code = ReasonCode.UNSUPPORTED


class LoginRefused(LinkFault):
    """The device refused the user name or password."""

    is_retryable = False
    code = ReasonCode.LOGIN_REFUSED


class InsecureRefused(LinkFault):
    """The device asks for a plain-text login and the owner has not allowed it."""

    is_retryable = False
    code = ReasonCode.INSECURE


class WrongDevice(LinkFault):
    """Another device answers at the address."""

    is_retryable = False
    code = ReasonCode.WRONG_DEVICE


# --- a bug of ours or of a driver --------------------------------------------------------------------------


class DriverFault(LinkFault):
    """A driver broke its contract (an exception escaped it). Reported with its traceback, then retried."""

    code = ReasonCode.INTERNAL


def bug(error: BaseException) -> DriverFault:
    """What escaped a driver, as a fault of the driver, with the original as its cause."""
    fault = DriverFault(f"the driver failed: {type(error).__name__}: {error}")
    fault.__cause__ = error
    return fault


# --- the caller must act -----------------------------------------------------------------------------------


class UnknownTarget(HoldfastError):
    """No such device or capability; the text lists what is known."""

    code = ReasonCode.CONFIGURATION


class HubUnreachable(HoldfastError):
    """No hub answers where one was expected."""

    is_retryable = True
    code = ReasonCode.UNREACHABLE
