"""What a driver author writes: a family names itself and turns a device and an adapter into a `Driver`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, Flag, auto
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from holdfast.link.planner import Planner, Shows, equals
from holdfast.link.session import Endpoint, Session, Sink
from holdfast.model import Adapter, Capability, Device, Reject, Value

if TYPE_CHECKING:
    from holdfast.link.aggregate import Aggregate
    from holdfast.link.discovery import Discover


class Trait(Flag):
    """What a driver's source is like. The driver contract tests exactly what is declared."""

    POLLED = auto()
    """Answers questions."""
    PASSIVE = auto()
    """Speaks unasked; nothing is sent."""
    WRITES = auto()
    """Takes commands."""
    LOGIN = auto()
    """Can refuse a login."""
    MEMBERS = auto()
    """Has parts with a freshness of their own."""
    LIBRARY = auto()
    """A library owns the socket; calls cannot be cut short reliably."""
    LISTENER = auto()
    """There is nothing to open: reopening cures nothing."""


class OnSilence(Enum):
    """What helps when nothing is heard."""

    REOPEN = "reopen"
    WAIT = "wait"
    """Reopening cures nothing: values go stale by themselves."""


class Poll(NamedTuple):
    """One line of the poll table: ask ``what`` every ``every_s`` seconds on a fixed grid, expect ``group``.

    An answer that takes longer than ``reply_s`` counts as missed. ``reply_s + every_s`` must stay below the
    silence deadline, or no second question fits into it.
    """

    what: str
    member: str
    group: str
    every_s: float
    reply_s: float


class KeepAlive(NamedTuple):
    """Traffic that only holds the session: sent every ``every_s`` seconds, first after as long.

    An answer is welcome, its absence proves nothing.
    """

    what: str
    every_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTiming:
    """A family's deadlines, all in seconds; the defaults are those of a device on the local network."""

    silence_s: float
    """No valid frame for this long: the session is dropped."""
    first_data_s: float | None = None
    """How long after opening the first data may take; ``None``: as long as silence."""
    first_data_again_s: float | None = None
    """The same once it has delivered since the hub started; ``None``: as at first."""
    ask_gap_s: float = 0.0
    """Least time between the end of one exchange and the next question, for buses that need a pause."""
    dial_s: float = 3.0
    """A local peer answers a SYN within milliseconds; 3 s allows for one retransmission (1 s) and a retry (2 s)."""
    login_first_s: float = 0.5
    """Login limit at the first try of an outage: a healthy local device answers in a few milliseconds."""
    login_s: float = 1.0
    """Login limit at later tries; forwarded ports may need more."""
    spacing_s: float = 0.0
    """Least time between two steps to the device."""
    ack_s: float = 0.03
    """How long to wait for the answer to a step before reading back, until answers have been seen."""
    reread_s: float = 0.1
    """A second confirming read this long after the first: most buses have carried the write by then."""
    junk_limit: int = 512
    """Undecodable bytes without a valid frame between them, after which the session is dropped."""
    on_silence: OnSilence = OnSilence.REOPEN


Check = Callable[[str, str, Any, Any], Reject | None]
"""(member, group, raw, raw before or None) -> why the batch cannot be believed at all, or ``None``."""
Project = Callable[[str, str, Any, Mapping[str, Value]], Mapping[str, Value]]
"""(member, group, raw, values before) -> capability values by key. Runs on change only."""
Learn = Callable[[str, str, Any], Sequence[Capability]]
"""(member, group, raw) -> everything that this batch shows the member to have."""
Recall = Callable[[str, Sequence[str]], Sequence[Capability]]
"""(member, keys) -> the capabilities of these keys, learned in an earlier run; keys that mean nothing are left out."""
Connect = Callable[[Sequence["Driver"], Sink], Session]
"""Makes the session of an endpoint for all drivers that share it (the first one's function is used)."""


class Remembered(Protocol):
    """What a driver must know again after a restart of the hub, such as how a plug was last reached. Never a secret.

    Whoever keeps it sets ``changed``, which is to be called after each change.
    """

    changed: Callable[[], None]

    def to_record(self) -> Mapping[str, Any]:
        """What is known, as JSON values."""

    def recall(self, record: Mapping[str, Any]) -> None:
        """Take over what an earlier run knew, before the first dial; what cannot be used is ignored."""


Hides = Callable[[bytes, bytes], bool]
"""(what came before it, up to `HIDES_BACK` bytes; a piece of stream) -> whether the piece holds a part of a secret."""
HIDES_BACK = 512
"""Bytes: longer than any message that holds a secret."""


def shows_all(before: bytes, data: bytes) -> bool:
    """Of families that tell no secrets but in their login."""
    return False


def believe(member: str, group: str, raw: Any, before: Any) -> Reject | None:
    """The check of families whose frames carry their own proof."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """How one adapter of one device is spoken to. A value: everything in it is pure or a factory."""

    name: str
    traits: Trait
    endpoint: Endpoint
    connect: Connect
    capabilities: Sequence[Capability]
    timing: LinkTiming
    project: Project
    polls: Sequence[Poll] = ()
    keep_alive: KeepAlive | None = None
    check: Check = believe
    confirms: frozenset[str] = frozenset()
    """Groups that hardly ever change: a change in them counts once it came twice alike, so that no damage is one."""
    planner: Planner | None = None
    """``None``: read-only."""
    is_guarding: bool = False
    """The planner is asked on every change, also without a wish (interlocks)."""
    shows: Shows = equals
    members: frozenset[str] = frozenset({""})
    """The members of the endpoint that belong to this adapter; ``{""}``: all of it."""
    takes_strangers: bool = False
    """Members that nobody configured are taken in once they were heard twice; needs ``learn``."""
    learn: Learn | None = None
    """``None``: all capabilities are known beforehand. Else those that show themselves (cells, sensors) are added."""
    recall: Recall | None = None
    """``None``: what was learned is learned anew after each start of the hub, and nobody is missed until then."""
    remembers: Remembered | None = None
    """What outlives the hub; ``None``: nothing."""
    aggregates: Sequence[Aggregate] = ()
    """Values of the whole device that are made of its members'."""
    counters: Callable[[], Mapping[str, Any]] | None = None
    """The family's own counts of its endpoint's traffic since the hub started, for the link report."""
    hides: Hides = shows_all
    """What the wire carries that nobody may see, beyond the login: asked while somebody watches it, and for rejects."""
    options: Any = field(default=None, repr=False)
    """The family's parsed options, for its own `connect`."""


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of device: its name in site files, and how to prepare a driver for one adapter.

    ``prepare`` raises `ConfigurationError` for options that cannot work.
    """

    name: str
    prepare: Callable[[Device, Adapter], Driver]
    discover: Discover | None = None
    """How it looks around for devices when a site is set up; ``None``: it cannot."""
