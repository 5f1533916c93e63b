"""What one request may see and do, with the faults of its moment laid over the plug."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.simulators.kasa.firmware import Firmware
    from holdfast.simulators.kasa.plug import Identity, Plug, Shown
    from holdfast.simulators.kasa.truth import Part

Json = dict[str, Any]


class Wish(NamedTuple):
    """Something that a request wants set; ``value`` as in `SetCommand`."""

    part: Part
    value: float | bool | None


@dataclass(frozen=True)
class Access:
    """Given to a language to answer one request."""

    plug: Plug
    identity: Identity
    firmware: Firmware
    show: Callable[[], Shown]
    """What the plug tells of its relay, which may be old."""
    switch: Callable[[bool], None]
    """What becomes of a wish for the relay."""
    sets_timer: bool = True
    """Whether wishes for the timer take effect; they are acknowledged either way."""
    error_code: int | None = None
    """Answer every wish and question with this code, and do nothing."""
    left_out: frozenset[str] = field(default_factory=frozenset)
    """Fields that the answer about the plug lacks."""


class Language(Protocol):
    """A family's commands. The simulated plug parses no request twice: both take the same object."""

    def wishes(self, request: Json) -> list[Wish]:
        """What it wants set, in order. Empty for a request that only reads."""

    def answer(self, request: Json, access: Access) -> Json:
        """Do it, and say so."""
