"""What a driver's planner sees and may answer. A planner is pure: what to do *now*, given what is known now."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from holdfast.model import NEVER, Authority, Stamp, Value


class Wish(NamedTuple):
    """A wanted value still open.

    ``sends`` counts the final steps that served it; ``try_at`` is the loop time from which another send is
    allowed; ``issued`` is when it was asked for; ``is_urgent`` ones wait for no spacing.
    """

    key: str
    value: Value
    authority: Authority
    sends: int
    try_at: float
    issued: Stamp
    is_urgent: bool = False


class Cell(NamedTuple):
    """A capability's value in the current session, and the start of its unbroken run.

    ``since.t`` is the *arrival* of the first evidence that showed the value (so a pause counted from it is never
    too short), ``since.n`` the number of the question it answered.
    """

    value: Value
    since: Stamp


class Sight(NamedTuple):
    """The last batch of one member and group in the current session."""

    as_of: Stamp
    at: float
    raw: Any
    cells: Mapping[str, Cell]


Seen = Mapping[tuple[str, str], Sight]
"""(member, group) -> what was last seen there in the current session; a missing key: nothing yet."""


class WireLog:
    """When each tag or mark was last sent. Belongs to the device: it outlives wishes, sessions and adapters."""

    __slots__ = ("_stamps",)

    def __init__(self) -> None:
        self._stamps: dict[Hashable, Stamp] = {}

    def __getitem__(self, tag: Hashable) -> Stamp:
        return self._stamps.get(tag, NEVER)

    def note(self, tag: Hashable, stamp: Stamp) -> None:
        """Remember a send."""
        self._stamps[tag] = stamp


class Read(NamedTuple):
    """Ask for this group now: the plan needs fresher evidence."""

    member: str
    group: str


class Step(NamedTuple):
    """Send this now.

    ``tag`` is remembered in the wire log, as is each of ``marks``. ``serves`` names the wishes it works for;
    only those in ``final`` count it as an attempt. An urgent step waits for no spacing. The group
    is read right afterwards.
    """

    tag: Hashable
    payload: Any
    serves: tuple[str, ...]
    final: tuple[str, ...]
    marks: tuple[Hashable, ...] = ()
    is_urgent: bool = False
    member: str = ""
    group: str = "live"


class Wait(NamedTuple):
    """Nothing can be done for this wish before loop time ``until``."""

    until: float
    key: str = ""


class Refuse(NamedTuple):
    """This wish cannot be carried out; ``text`` says why."""

    key: str
    text: str


class Done(NamedTuple):
    """This wish is already so, by fresh evidence asked for after it was issued."""

    key: str


class Warn(NamedTuple):
    """Something a person should know, for as long as the planner keeps saying it. Said before any action."""

    key: str
    text: str


Action = Read | Step | Wait | Refuse | Done | Warn


class Planner(Protocol):
    """Pure. The core acts on the first `Read` or `Step` only, then asks again."""

    def __call__(self, wishes: Sequence[Wish], seen: Seen, sent: WireLog, now: float) -> Iterable[Action]:
        """What to do now; wishes, evidence and wire log are those of this moment."""
        ...


Shows = Callable[[str, Value, Value], bool]
"""(key, wanted, shown) -> whether the shown value proves the wanted one."""


def equals(key: str, wanted: Value, shown: Value) -> bool:
    """The plain way to verify: the device reports what was wanted."""
    return shown == wanted


def one_wish_one_step(wishes: Sequence[Wish], seen: Seen, sent: WireLog, now: float) -> Iterable[Action]:
    """The planner of simple families: send each wish by itself, as soon as its retry plan allows."""
    for wish in wishes:
        if wish.try_at <= now:
            yield Step(
                tag=wish.key,
                payload=(wish.key, wish.value),
                serves=(wish.key,),
                final=(wish.key,),
                is_urgent=wish.is_urgent,
            )
        else:
            yield Wait(wish.try_at, wish.key)
