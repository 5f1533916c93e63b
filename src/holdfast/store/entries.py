"""Entries of the journal and of safety state ↔ rows of their tables. Pure."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast.hub.ports import (
    AlarmEntry,
    Entry,
    EventEntry,
    MemoryEntry,
    OrderEntry,
    ReceiptEntry,
    Saved,
    SwitchEntry,
)
from holdfast.model import CommandState, Receipt, StandingOrder
from holdfast.store.encoding import (
    decoded,
    encoded,
    fitting,
    maybe_micros,
    maybe_moment,
    micros,
    moment_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from holdfast.model import Value

    Row = Mapping[str, Any]

TABLE_OF: dict[type[Entry], str] = {
    OrderEntry: "standing_orders",
    SwitchEntry: "switches",
    MemoryEntry: "memories",
    AlarmEntry: "alarms",
    ReceiptEntry: "receipts",
    EventEntry: "events",
}
KEYS = {
    "standing_orders": ("id",),
    "switches": ("target",),
    "memories": ("controller", "key"),
    "alarms": ("target", "since"),
    "receipts": ("id",),
    "events": ("id",),
}
"""What makes a row the successor of an earlier one. An alarm's ``since`` is part of it: the next one is another."""

OPEN_STATES = tuple(state.value for state in CommandState if not state.is_end)

_Read = TypeVar("_Read")

log = logging.getLogger("holdfast.store")


# --- to rows -----------------------------------------------------------------------------------------------------


def row_of(entry: Entry) -> dict[str, Any]:
    """The row that an entry becomes in its table."""
    match entry:
        case OrderEntry(order=order):
            return {
                "id": fitting(order.id),
                "target": fitting(order.target),
                "value": encoded(order.value),
                "cause": fitting(order.cause),
                "issued_at": micros(order.issued_at),
                "is_verified": order.is_verified,
                "attempts": order.attempts,
                "is_released": entry.is_released,
                "ended_at": maybe_micros(entry.ended_at),
                "device": None if entry.device is None else encoded(entry.device),
            }
        case SwitchEntry():
            return {"target": fitting(entry.target), "value": encoded(entry.value), "at": micros(entry.at)}
        case MemoryEntry():
            return {
                "controller": fitting(entry.controller),
                "key": fitting(entry.key),
                "value": encoded(entry.value),
                "at": micros(entry.at),
            }
        case AlarmEntry():
            return {
                "target": fitting(entry.target),
                "text": fitting(entry.text),
                "since": micros(entry.since),
                "ended_at": maybe_micros(entry.ended_at),
            }
        case ReceiptEntry(receipt=receipt):
            return _receipt_row(receipt)
        case EventEntry():
            return {
                "id": fitting(entry.id),
                "kind": fitting(entry.kind),
                "device": fitting(entry.device),
                "at": micros(entry.at),
                "payload": encoded(entry.payload),
            }


def _receipt_row(receipt: Receipt) -> dict[str, Any]:
    return {
        "id": fitting(receipt.id),
        "target": fitting(receipt.target),
        "value": encoded(receipt.value),
        "issuer": fitting(receipt.issuer),
        "state": receipt.state.value,
        "reason": fitting(receipt.reason),
        "attempts": receipt.attempts,
        "may_have_executed": receipt.may_have_executed,
        "timeout_s": receipt.timeout_s,
        "created_at": micros(receipt.created_at),
        "sent_at": maybe_micros(receipt.sent_at),
        "ended_at": maybe_micros(receipt.ended_at),
        "sent_after_s": receipt.sent_after_s,
        "ended_after_s": receipt.ended_after_s,
    }


# --- from rows ---------------------------------------------------------------------------------------------------


def order_of(row: Row) -> OrderEntry:
    """The standing order. A damaged device part is left out: the order itself matters more."""
    device = None
    if row["device"] is not None:
        try:
            device = decoded(row["device"])
        except ValueError as fault:
            log.error("standing_orders.device of %s is damaged: %s", row["id"], fault)  # noqa: TRY400  no bug of ours
    order = StandingOrder(
        id=row["id"],
        target=row["target"],
        value=value_of(row["value"]),
        cause=row["cause"],
        issued_at=moment_of(row["issued_at"]),
        is_verified=bool(row["is_verified"]),
        attempts=row["attempts"],
    )
    return OrderEntry(order, bool(row["is_released"]), maybe_moment(row["ended_at"]), device)


def switch_of(row: Row) -> SwitchEntry:
    """The last change of an actuator."""
    return SwitchEntry(row["target"], value_of(row["value"]), moment_of(row["at"]))


def memory_of(row: Row) -> MemoryEntry:
    """One value of a controller's memory."""
    return MemoryEntry(row["controller"], row["key"], decoded(row["value"]), moment_of(row["at"]))


def alarm_of(row: Row) -> AlarmEntry:
    """The alarm."""
    return AlarmEntry(row["target"], row["text"], moment_of(row["since"]), maybe_moment(row["ended_at"]))


def receipt_of(row: Row) -> Receipt:
    """The receipt."""
    return Receipt(
        id=row["id"],
        target=row["target"],
        value=value_of(row["value"]),
        issuer=row["issuer"],
        state=CommandState(row["state"]),
        reason=row["reason"],
        attempts=row["attempts"],
        may_have_executed=bool(row["may_have_executed"]),
        timeout_s=row["timeout_s"],
        created_at=moment_of(row["created_at"]),
        sent_at=maybe_moment(row["sent_at"]),
        ended_at=maybe_moment(row["ended_at"]),
        sent_after_s=row["sent_after_s"],
        ended_after_s=row["ended_after_s"],
    )


def event_of(row: Row) -> EventEntry:
    """The event."""
    return EventEntry(row["id"], row["kind"], row["device"], moment_of(row["at"]), decoded(row["payload"]))


def value_of(text: str) -> Value:
    """A capability's value; a list of names comes back as the tuple that it was."""
    value = decoded(text)
    if isinstance(value, list):
        return tuple(str(each) for each in value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(f"{text[:40]} is no capability's value")


def sound(table: str, rows: Iterable[Row], read: Callable[[Row], _Read]) -> Iterator[_Read]:
    """What can be read of the rows; a damaged one is told in the log and does not hide the others."""
    for row in rows:
        try:
            yield read(row)
        except (ValueError, TypeError) as fault:
            key = "/".join(str(row[column]) for column in KEYS[table])
            log.error("the row %s of %s is damaged and left out: %s", key, table, fault)  # noqa: TRY400  no bug of ours


def saved_of(
    orders: Iterable[Row],
    switches: Iterable[Row],
    memories: Iterable[Row],
    alarms: Iterable[Row],
    receipts: Iterable[Row],
) -> Saved:
    """What outlived the last run: open orders, all switches and memories, open alarms and open receipts."""
    return Saved(
        orders=tuple(sound("standing_orders", orders, order_of)),
        switches={each.target: each for each in sound("switches", switches, switch_of)},
        memories={(each.controller, each.key): each for each in sound("memories", memories, memory_of)},
        alarms=tuple(sound("alarms", alarms, alarm_of)),
        open_receipts=tuple(sound("receipts", receipts, receipt_of)),
    )
