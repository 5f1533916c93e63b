"""What an exception of the library means, told by the chain of its causes: Kasa fact sheet section 3."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from holdfast.drivers.kasa.memory import ADVICE
from holdfast.drivers.kasa.ways import COMPATIBILITY, objection
from holdfast.errors import (
    HoldfastError,
    LinkFault,
    LoginRefused,
    Nonsense,
    Silent,
    Unreachable,
    Unsupported,
    bug,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.drivers.kasa.library import KasaLibrary

ROOM: Final = 120
"""Characters of the library's own words that are passed on; whole answers of a plug tell where it stands."""
POWER_ADVICE: Final = (
    "Check the plug's power and the network; when it stays away, unplug it and plug it in again."
)


class Meaning(Enum):
    """What follows from an exception."""

    UNREACHABLE = auto()
    SILENT = auto()
    LOGIN = auto()
    UNSUPPORTED = auto()
    NO = auto()
    """The plug answered, and said no."""
    NONSENSE = auto()
    BUG = auto()


class SaidNo(HoldfastError):
    """The plug answered with an error code: the session is well, the question or step was not."""


class Unanswered(HoldfastError):
    """One call was not answered in time. Whether a step took effect is unknown; the session may yet be well."""


class Garbled(HoldfastError):
    """One answer could not be understood."""


def chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and what it came from, outermost first."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)


def meaning_of(error: BaseException, library: KasaLibrary) -> Meaning:
    """The verdict of the innermost exception of the library, and of what lies under it."""
    causes = list(chain(error))
    verdict = next((each for each in reversed(causes) if isinstance(each, library.KasaException)), None)
    if verdict is None:
        return _foreign(causes)
    below = causes[causes.index(verdict) + 1 :]
    if isinstance(verdict, library.AuthenticationError):
        return Meaning.LOGIN
    if isinstance(verdict, library.UnsupportedDeviceError):
        return Meaning.UNSUPPORTED
    if isinstance(verdict, library.TimeoutError):
        return Meaning.SILENT
    if below:
        foreign = _foreign(below)
        return (
            Meaning.UNREACHABLE if foreign is Meaning.BUG else foreign
        )  # the library's own "server disconnected"
    if type(verdict) in (library.KasaException, library.DeviceError):
        return Meaning.NO
    return Meaning.UNREACHABLE  # the library's private, transient ones


def _foreign(causes: list[BaseException]) -> Meaning:
    if any(isinstance(each, TimeoutError) for each in causes):  # an OSError, too: asked first
        return Meaning.SILENT
    if any(isinstance(each, OSError | EOFError) for each in causes):
        return Meaning.UNREACHABLE
    if any(
        isinstance(each, KeyError | ValueError | TypeError | AttributeError | IndexError) for each in causes
    ):
        return (
            Meaning.NONSENSE
        )  # firmware sent what the library did not expect; zone-info errors are KeyErrors
    return Meaning.BUG


def words(error: BaseException, library: KasaLibrary) -> str:
    """The library's words for it, one short line; never a whole answer."""
    named = error
    for each in chain(error):
        named = each if isinstance(each, library.KasaException) else named
    line = " ".join(str(named).split()).partition("{")[0].rstrip(" :") or type(named).__name__
    return line if len(line) <= ROOM else f"{line[: ROOM - 3]}..."


def translated(error: Exception, library: KasaLibrary, doing: str) -> HoldfastError:
    """The error of ours for it; ``doing`` says what was tried ("reading the plug"). The original becomes its cause."""
    fault = _translated(error, library, doing)
    fault.__cause__ = error
    return fault


def _translated(error: Exception, library: KasaLibrary, doing: str) -> HoldfastError:
    text = f"{doing}: {words(error, library)}"
    match meaning_of(error, library):
        case Meaning.SILENT:
            return Unanswered(f"{doing}: no answer in time", advice=POWER_ADVICE)
        case Meaning.LOGIN:
            return LoginRefused(text, advice=ADVICE)
        case Meaning.UNSUPPORTED:
            return unsupported(error, library)
        case Meaning.NO:
            return SaidNo(f"{doing}: the plug said no: {words(error, library)}")
        case Meaning.NONSENSE:
            return Garbled(f"{doing}: the plug's answer was not understood ({type(error).__name__})")
        case Meaning.BUG:
            return bug(error)
        case _:
            return Unreachable(text, advice=POWER_ADVICE)


def as_fault(error: HoldfastError) -> LinkFault:
    """The same as an end of the session: what makes it useless to go on with it."""
    if isinstance(error, LinkFault):
        return error
    fault: LinkFault = (
        Silent(error.text, advice=error.advice)
        if isinstance(error, Unanswered)
        else Nonsense(
            error.text, advice=error.advice or "Update the plug's firmware, or set its time zone anew."
        )
    )
    fault.__cause__ = error.__cause__
    return fault


def unsupported(error: BaseException, library: KasaLibrary) -> Unsupported:
    """Words for a plug that the library cannot speak to, made from what discovery told of it."""
    for each in chain(error):
        told = getattr(each, "discovery_result", None)
        if isinstance(each, library.UnsupportedDeviceError) and isinstance(told, dict):
            result = told.get("result", told)
            scheme = result.get("mgt_encrypt_schm") or result.get("encrypt_info") or {}
            encryption = str(scheme.get("encrypt_type") or scheme.get("sym_schm") or "")
            why = objection(str(result.get("device_type", "")), encryption)
            if why is not None:
                return why
    return Unsupported("the plug's firmware speaks nothing that is known", advice=COMPATIBILITY)
