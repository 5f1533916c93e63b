"""What a driver's author supplies to the contract: the device's side of the wire, under control."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from holdfast.model import ValueType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.link.driver import Family
    from holdfast.model import Capability, Device, Value
    from holdfast.simulation import VirtualLoop


class BenchIncomplete(NotImplementedError):
    """The bench lacks something that a declared trait needs; the text says what."""


class Bench(ABC):
    """One or more simulated devices behind one endpoint, and whatever can happen to them.

    Made anew for every scenario, in a virtual loop of its own. All methods but `start` and `stop` act at once. The
    devices change only when told to, by `change` or by a command, so that what was true when is known.
    What only some traits need raises `BenchIncomplete` until the bench says how.
    """

    family: Family
    """The family under test."""
    password: ClassVar[str] = ""
    """LOGIN: the password that the devices take. Long and unlike any other word, since logs are searched for it."""
    pace_s: ClassVar[float] = 0.0
    """PASSIVE: how often a device reports the same thing unasked, in seconds."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.loop = loop
        self._falling: set[str] = set()

    # --- every trait --------------------------------------------------------------------------------------------

    @abstractmethod
    async def start(self) -> None:
        """Switch the devices on."""

    @abstractmethod
    async def stop(self) -> None:
        """Switch them off; no task and no timer of the bench is left."""

    @abstractmethod
    def devices(self, password: str = "") -> Sequence[Device]:
        """The devices as a site file describes them, one endpoint for all. ``password`` replaces the right one."""

    def junk(self) -> Sequence[Device]:
        """Devices with options that cannot work; the contract tries damaged options of its own as well."""
        return ()

    @abstractmethod
    def truth(self, target: str) -> Value:
        """What an outside observer sees at the device now."""

    @abstractmethod
    def change(self, target: str, value: Value) -> None:
        """The device changes by itself: a wall switch, another temperature."""

    def changeable(self, targets: Sequence[str]) -> Sequence[str]:
        """Those of ``targets`` that `change` can change."""
        return targets

    def other(self, target: str, capability: Capability) -> Value:
        """A plausible value that is not the present one, for `change` and for commands."""
        value = self.truth(target)
        if capability.type is ValueType.BOOLEAN:
            return not value
        if capability.type is ValueType.NUMBER and isinstance(value, int | float):
            jump = capability.sanity.jump if capability.sanity is not None else None
            return self._next(target, value, min(1, jump / 2) if jump is not None else 1, capability)
        allowed = capability.commands or capability.choices
        if allowed:
            place = allowed.index(value) if isinstance(value, str) and value in allowed else -1
            return allowed[(place + 1) % len(allowed)]
        raise BenchIncomplete(f"the bench must say what other value {target} can take (`other`)")

    def _next(self, target: str, value: float, step: float, capability: Capability) -> float:
        """Up to the top and down again: so that a value comes back late, and tells until then when it was true."""
        low, high = capability.minimum, capability.maximum
        if high is not None and value + step > high:
            self._falling.add(target)
        elif low is not None and value - step < low:
            self._falling.discard(target)
        return value - step if target in self._falling else value + step

    @abstractmethod
    def silence(self, member: str | None = None) -> None:
        """Connections stay open and dials succeed, but nothing is said any more (MEMBERS: by that member only)."""

    @abstractmethod
    def resume(self) -> None:
        """End `silence`, `refuse`, `split`, `clog`, `lag`, `ignore_writes` and `hold`."""

    # --- whatever can be dialled (not LISTENER) -------------------------------------------------------------------

    def refuse(self) -> None:
        """Whoever is connected is cut off, and dials are refused until `resume`."""
        raise BenchIncomplete("a bench of what can be dialled must be able to refuse")

    # --- streams (neither LIBRARY nor LISTENER) -------------------------------------------------------------------

    def reset(self) -> None:
        """Reset the open connections; dials succeed."""
        raise BenchIncomplete("a bench of a stream must be able to reset connections")

    def finish(self) -> None:
        """Close the open connections in good order; dials succeed."""
        raise BenchIncomplete("a bench of a stream must be able to finish connections")

    def say(self, data: bytes) -> None:
        """Put these bytes on the open connections, also while the device is silent."""
        raise BenchIncomplete("a bench of a stream must be able to say any bytes")

    def split(self) -> None:
        """Everything arrives byte by byte."""
        raise BenchIncomplete("a bench of a stream must be able to split it")

    def clog(self) -> None:
        """The device reads nothing any more, and what is sent to it piles up with the sender."""
        raise BenchIncomplete("a bench of a stream must be able to clog it")

    # --- POLLED ---------------------------------------------------------------------------------------------------

    def lag(self, seconds: float) -> None:
        """Questions are answered so much later, with what was true when they were asked."""
        raise BenchIncomplete("a bench with POLLED must be able to answer late")

    # --- WRITES ---------------------------------------------------------------------------------------------------

    def writes(self) -> Sequence[float]:
        """Loop times at which a step reached the device, in order."""
        raise BenchIncomplete("a bench with WRITES must tell when steps arrive")

    def ignore_writes(self) -> None:
        """Steps are acknowledged as usual and change nothing."""
        raise BenchIncomplete("a bench with WRITES must be able to ignore them")

    # --- MEMBERS --------------------------------------------------------------------------------------------------

    def stranger(self) -> None:
        """A member that nobody configured says something, once."""
        raise BenchIncomplete("a bench with MEMBERS must be able to let a stranger speak")

    # --- LIBRARY --------------------------------------------------------------------------------------------------

    def hold(self) -> None:
        """Calls into the library do not return, and swallow their cancellation, until `resume`."""
        raise BenchIncomplete("a bench with LIBRARY must be able to hold its calls")

    def calls_at_once(self) -> int:
        """The most calls into the library that ever ran at the same time."""
        raise BenchIncomplete("a bench with LIBRARY must count the calls that run at once")
