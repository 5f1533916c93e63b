"""What the hub asks of whoever stores things for it: what must outlive the process, and how it is handed over.

The hub never waits for a store. It hands over *entries*; the storekeeper writes them in order, and whoever must know
that something is safe (an API's answer) waits for the storekeeper, never a device.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from holdfast.errors import HoldfastError
from holdfast.model import ReasonCode

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from holdfast.model import Receipt, StandingOrder, Value

# --- what is written ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OrderEntry:
    """A standing order as it stands; ``ended_at`` is set once it is over.

    ``device`` is the device's part of the site as it was when the device was removed or moved while its actuator was
    on: without it nobody could reach the actuator after a restart.
    """

    order: StandingOrder
    is_released: bool = False
    ended_at: datetime | None = None
    device: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class SwitchEntry:
    """When a fail-safe actuator was last seen to change, and to what."""

    target: str
    value: Value
    at: datetime


@dataclass(frozen=True, slots=True)
class MemoryEntry:
    """What a controller must remember over a restart: one value under one key."""

    controller: str
    key: str
    value: Any
    at: datetime


@dataclass(frozen=True, slots=True)
class AlarmEntry:
    """An alarm as it stands; ``ended_at`` is set once it is over."""

    target: str
    text: str
    since: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReceiptEntry:
    """A command's receipt as it stands."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class EventEntry:
    """Something that happened, as the journal told it."""

    id: str
    kind: str
    device: str
    at: datetime
    payload: Mapping[str, Any]


Entry = OrderEntry | SwitchEntry | MemoryEntry | AlarmEntry | ReceiptEntry | EventEntry
SAFETY = (OrderEntry, SwitchEntry, MemoryEntry, AlarmEntry)
"""Entries that are synced to the disk before they count as written, and that are never dropped."""


def place(entry: Entry) -> Hashable:
    """What a newer entry of the same place replaces while both wait to be written; events replace nothing."""
    match entry:
        case OrderEntry(order=order):
            return "order", order.id
        case SwitchEntry(target=target):
            return "switch", target
        case MemoryEntry(controller=controller, key=key):
            return "memory", controller, key
        case AlarmEntry(target=target, since=since):
            return "alarm", target, since
        case ReceiptEntry(receipt=receipt):
            return "receipt", receipt.id
        case EventEntry(id=ident):
            return "event", ident


# --- what is read ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What a store knows from earlier runs, for the start of this one."""

    orders: Sequence[OrderEntry] = ()
    """Standing orders that have not ended."""
    switches: Mapping[str, SwitchEntry] = field(default_factory=dict)
    memories: Mapping[tuple[str, str], MemoryEntry] = field(default_factory=dict)
    alarms: Sequence[AlarmEntry] = ()
    """Alarms that have not ended."""
    open_receipts: Sequence[Receipt] = ()
    open_attempts: Sequence[Mapping[str, Any]] = ()
    """What was sent and has no result, as the journal told it: the hub was killed meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSite:
    """The site in the store: its mapping (the same keys as a site file) and the number of its last change."""

    mapping: Mapping[str, Any]
    revision: int
    damaged: Mapping[str, str] = field(default_factory=dict)
    """Devices whose rows could not be read whole, by id, with the table and column at fault; the mapping holds what
    could be read of them. Other parts are named ``/site``, ``/arrays/ID`` and ``/controllers/ID``."""


# --- what goes wrong ---------------------------------------------------------------------------------------------


class Trouble(StrEnum):
    """Why a store cannot do its work."""

    FULL = "full"
    READ_ONLY = "read_only"
    LOCKED = "locked"
    SLOW = "slow"
    CORRUPTED = "corrupted"
    UNREACHABLE = "unreachable"
    FAILED = "failed"


class StoreError(HoldfastError):
    """The store could not read or write; what was asked of it has not happened, in part or in whole."""

    code = ReasonCode.STORAGE

    def __init__(self, trouble: Trouble, text: str, *, advice: str = "") -> None:
        super().__init__(text, advice=advice)
        self.trouble = trouble


class SiteChanged(StoreError):
    """The site was changed by somebody else meanwhile: look at it again and decide anew."""

    def __init__(self, revision: int) -> None:
        super().__init__(
            Trouble.FAILED,
            f"the site was changed meanwhile (it is at revision {revision})",
            advice="Read the site again and repeat the change.",
        )
        self.revision = revision


class Store(Protocol):
    """Keeps a site and what happened in it. All calls raise `StoreError`; a failed write has changed nothing."""

    async def open(self) -> None:
        """Connect, and bring an older schema up to date."""

    async def site(self) -> SavedSite | None:
        """The site, or ``None`` if none was ever saved."""

    async def save_site(
        self, mapping: Mapping[str, Any], at: datetime, *, expected: int | None = None
    ) -> int:
        """Replace the site in one transaction; its new revision.

        Raises `SiteChanged` if the present revision is not ``expected`` (``None``: whatever it is).
        """

    async def saved(self) -> Saved:
        """What outlived the last run."""

    async def write(self, entries: Sequence[Entry]) -> None:
        """Write all entries in one transaction, synced to the disk if any of them is of `SAFETY`."""

    async def receipts(self, *, target: str | None = None, limit: int = 100) -> list[Receipt]:
        """The newest receipts, the oldest first."""

    async def events(
        self, *, kind: str | None = None, device: str | None = None, limit: int = 100
    ) -> list[EventEntry]:
        """The newest events, the oldest first."""

    async def prune(self, now: datetime) -> int:
        """Forget what is older than its retention; how many rows went."""

    async def backup(self, path: Path) -> None:
        """A consistent copy of everything, while in use. SQLite only; raises `StoreError` elsewhere."""

    async def close(self) -> None:
        """Let go. Nothing of it runs any more."""
