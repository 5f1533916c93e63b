"""The faults that last at present, laid over a base behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from holdfast.simulators.kasa.behaviour import Handling
from holdfast.simulators.kasa.faults import RequestFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.simulators.kasa.behaviour import Behaviour
    from holdfast.simulators.kasa.faults import Fault, Target
    from holdfast.simulators.kasa.truth import Which


@dataclass
class _Lasting:
    fault: Fault
    left: int | None
    """Requests that it still concerns; ``None``: all."""


class Troubles:
    """In order of their beginning. ``changed`` is called after every change, before a fault strikes or relents."""

    def __init__(self, base: Behaviour, target: Target, changed: Callable[[], None]) -> None:
        self.now = base
        self._base = base
        self._target = target
        self._changed = changed
        self._lasting: list[_Lasting] = []

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Those that have begun and not ended, used up or not."""
        return tuple(lasting.fault for lasting in self._lasting)

    def rebase(self, base: Behaviour) -> None:
        """Behave so, but for the faults."""
        self._base = base
        self._reconsider()

    def begin(self, fault: Fault) -> None:
        """Let a fault begin, to last until `end`."""
        left = fault.times if isinstance(fault, RequestFault) else None
        self._lasting.append(_Lasting(fault, left))
        self._reconsider()
        fault.strike(self._target)

    def end(self, fault: Fault) -> None:
        """Let a fault end that has begun; `ValueError` if it has not."""
        for lasting in self._lasting:
            if lasting.fault == fault:
                self._lasting.remove(lasting)
                break
        else:
            raise ValueError(f"has not begun: {fault}")
        self._reconsider()
        fault.relent(self._target)

    def end_all(self) -> None:
        """Let every fault end."""
        for fault in self.faults:
            self.end(fault)

    def handle(self, which: Which) -> Handling:
        """How a request that arrives now is handled; it counts."""
        handling = Handling()
        for lasting in self._lasting:
            fault = lasting.fault
            if not isinstance(fault, RequestFault) or not fault.which & which or lasting.left == 0:
                continue
            if lasting.left is not None:
                lasting.left -= 1
            handling = fault.handle(handling)
        return handling

    def _reconsider(self) -> None:
        faults = (lasting.fault for lasting in self._lasting)
        self.now = reduce(lambda behaviour, fault: fault.alter(behaviour), faults, self._base)
        self._changed()
