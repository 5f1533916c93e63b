"""How long what happened is kept, and how much of it: no table grows without end.

What is bounded by the house itself (its devices, switch times, a controller's memory) needs no retention, and what is
still open (a receipt, an order, an alarm) is kept however old it is.
"""

from __future__ import annotations

from dataclasses import dataclass

DAY_S = 86_400
YEAR_S = 365 * DAY_S
STEP = 1_000
"""Rows that one transaction removes: a few milliseconds, so that whoever waits to write hardly notices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Rows of ``table`` that have ended go ``age_s`` seconds after the moment in ``column``, and beyond ``rows``."""

    table: str
    column: str
    age_s: int
    rows: int


RECEIPTS = Retention(table="receipts", column="created_at", age_s=30 * DAY_S, rows=100_000)
"""A month answers "who switched that?"; the rows are two commands a minute all month, some 30 MB."""
EVENTS = Retention(table="events", column="at", age_s=30 * DAY_S, rows=200_000)
"""A month of a lively house; the rows are four a minute all month, some 50 MB."""
ORDERS = Retention(table="standing_orders", column="ended_at", age_s=YEAR_S, rows=10_000)
"""A year, because a fault of safety is looked into late; there are few, and the rows bound a flood of them."""
ALARMS = Retention(table="alarms", column="ended_at", age_s=YEAR_S, rows=10_000)
"""A year, so that a battery's alarms of last winter can be compared with this one's."""
ATTACHMENTS = Retention(table="array_attachments", column="detached_at", age_s=100 * YEAR_S, rows=10_000)
"""Changed by a person, a few times in an array's life: kept for good, and bounded against a program that loops."""

RETENTIONS = (RECEIPTS, EVENTS, ORDERS, ALARMS, ATTACHMENTS)
