"""The tables as they stand now; how they came to be so is told by the migrations.

Moments are whole microseconds since 1970 in UTC, durations are seconds. Columns that hold JSON are text of our own
encoding (`holdfast.store.encoding` says why). NULL means that nobody said anything, so the default holds.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

NAMING = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
"""Every constraint has a name that follows from what it is about, so that a later migration can find it."""

metadata = MetaData(naming_convention=NAMING)

_SEQUENCE = BigInteger().with_variant(Integer, "sqlite")
"""Counts rows in the order in which they came (SQLite counts only an INTEGER key by itself)."""
_IS_OPEN = text("state IN ('accepted', 'sent')")
_IS_NOT_ENDED = text("ended_at IS NULL")
_IS_ATTACHED = text("detached_at IS NULL")

# --- the site ----------------------------------------------------------------------------------------------------

site = Table(
    "site",
    metadata,
    Column("key", Integer, primary_key=True, autoincrement=False),
    Column("id", Text),
    Column("name", Text),
    Column("timezone", Text),
    Column("temperature_unit", Text),
    Column("head", Text),  # JSON: what else its section says; NULL without such a section
    Column("others", Text, nullable=False),  # JSON: what else stands beside the sections
    Column("revision", BigInteger, nullable=False),
    Column("saved_at", BigInteger, nullable=False),
    CheckConstraint("key = 1", name="only_one"),
    CheckConstraint("revision > 0", name="revision"),
)

arrays = Table(
    "arrays",
    metadata,
    Column("id", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("name", Text),
    Column("others", Text, nullable=False),  # JSON
)

# No foreign key: the history outlives an array that was removed.
array_attachments = Table(
    "array_attachments",
    metadata,
    Column("array_id", Text, primary_key=True),
    Column("attached_since", BigInteger, primary_key=True, autoincrement=False),
    Column("attached_to", Text, nullable=False),
    Column("detached_at", BigInteger),
    CheckConstraint("detached_at IS NULL OR detached_at >= attached_since", name="in_order"),
    Index(
        "ix_array_attachments_open",
        "array_id",
        unique=True,
        sqlite_where=_IS_ATTACHED,
        postgresql_where=_IS_ATTACHED,
    ),
)

devices = Table(
    "devices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("name", Text),
    Column("options", Text),  # JSON: the driver's own
    Column("others", Text, nullable=False),  # JSON
)

packs = Table(
    "packs",
    metadata,
    Column("device_id", Text, ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True),
    Column("array_id", Text, ForeignKey("arrays.id", ondelete="SET NULL")),
    Column("position", Integer),  # in its array
    Index("ix_packs_array_id", "array_id"),
)

batteries = Table(
    "batteries",
    metadata,
    Column("device_id", Text, ForeignKey("packs.device_id", ondelete="CASCADE"), primary_key=True),
    Column("address", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    CheckConstraint("address >= 0", name="address"),
)

# Learned, not configured: a battery that nobody mapped has cells too, so they belong to the device.
cells = Table(
    "cells",
    metadata,
    Column("device_id", Text, ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True),
    Column("address", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("first_seen", BigInteger, nullable=False),
    CheckConstraint("address >= 0", name="address"),
    CheckConstraint("number >= 1", name="number"),
)

adapters = Table(
    "adapters",
    metadata,
    Column("device_id", Text, ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("driver", Text),
    Column("url", Text),
    Column("username", Text),  # JSON: the form, never a revealed secret
    Column("password", Text),  # JSON: the form, never a revealed secret
    Column("options", Text, nullable=False),  # JSON: the driver's own
)

device_adapters = Table(
    "device_adapters",
    metadata,
    Column("device_id", Text, primary_key=True),
    Column("adapter_id", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("priority", Integer),
    Column("enabled", Boolean),
    Column("standby", Text),
    ForeignKeyConstraint(
        ["device_id", "adapter_id"], ["adapters.device_id", "adapters.id"], ondelete="CASCADE"
    ),
    CheckConstraint("enabled IN (TRUE, FALSE)", name="enabled"),
    CheckConstraint("standby IN ('cold', 'hot')", name="standby"),
)

outputs = Table(
    "outputs",
    metadata,
    Column("device_id", Text, ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("kind", Text),
    Column("name", Text),
    Column("options", Text, nullable=False),  # JSON
)

capabilities = Table(
    "capabilities",
    metadata,
    Column("device_id", Text, ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True),
    Column("path", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("unit", Text),
    Column("options", Text, nullable=False),  # JSON
)

controllers = Table(
    "controllers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("kind", Text),
    Column("options", Text, nullable=False),  # JSON
)

# --- safety state --------------------------------------------------------------------------------------------------
# No foreign keys to devices: an order outlives the device that was removed while it was on.

standing_orders = Table(
    "standing_orders",
    metadata,
    Column("id", Text, primary_key=True),
    Column("target", Text, nullable=False),
    Column("value", Text, nullable=False),  # JSON
    Column("cause", Text, nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("is_verified", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("is_released", Boolean, nullable=False),
    Column("ended_at", BigInteger),
    Column("device", Text),  # JSON: the part of the site of a device that is no longer in it
    CheckConstraint("is_verified IN (TRUE, FALSE)", name="is_verified"),
    CheckConstraint("is_released IN (TRUE, FALSE)", name="is_released"),
    CheckConstraint("attempts >= 0", name="attempts"),
    Index("ix_standing_orders_ended_at", "ended_at"),
)

switches = Table(
    "switches",
    metadata,
    Column("target", Text, primary_key=True),
    Column("value", Text, nullable=False),  # JSON
    Column("at", BigInteger, nullable=False),
)

memories = Table(
    "memories",
    metadata,
    Column("controller", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),  # JSON
    Column("at", BigInteger, nullable=False),
)

alarms = Table(
    "alarms",
    metadata,
    Column("target", Text, primary_key=True),
    Column("since", BigInteger, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("ended_at", BigInteger),
    Index("ix_alarms_ended_at", "ended_at"),
    Index(
        "ix_alarms_open", "target", unique=True, sqlite_where=_IS_NOT_ENDED, postgresql_where=_IS_NOT_ENDED
    ),
)

# --- the journal ---------------------------------------------------------------------------------------------------

receipts = Table(
    "receipts",
    metadata,
    Column("seq", _SEQUENCE, Identity(), primary_key=True),
    Column("id", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("value", Text, nullable=False),  # JSON
    Column("issuer", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("may_have_executed", Boolean, nullable=False),
    Column("timeout_s", Float, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("sent_after_s", Float),
    Column("ended_after_s", Float),
    UniqueConstraint("id"),
    CheckConstraint(
        "state IN ('accepted', 'sent', 'verified', 'failed', 'expired', 'superseded', 'refused')",
        name="state",
    ),
    CheckConstraint("may_have_executed IN (TRUE, FALSE)", name="may_have_executed"),
    Index("ix_receipts_target_seq", "target", "seq"),
    Index("ix_receipts_created_at", "created_at"),
    Index("ix_receipts_open", "seq", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
)

events = Table(
    "events",
    metadata,
    Column("seq", _SEQUENCE, Identity(), primary_key=True),
    Column("id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("payload", Text, nullable=False),  # JSON
    UniqueConstraint("id"),
    Index("ix_events_kind_seq", "kind", "seq"),
    Index("ix_events_device_seq", "device", "seq"),
    Index("ix_events_at", "at"),
)

# --- people, and what waits for a driver -----------------------------------------------------------------------------

users = Table(
    "users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("password", Text, nullable=False),  # its hash, with the way it was made
    Column("created_at", BigInteger, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("name", Text, primary_key=True),
    Column(
        "sha256", Text, nullable=False
    ),  # of the token, in hexadecimal; the token itself is shown once and not kept
    Column("created_at", BigInteger, nullable=False),
    Column("target", Text),  # what it may command; NULL: everything
    UniqueConstraint("sha256"),
    CheckConstraint("length(sha256) = 64", name="sha256"),
)

# Inverters, meters and whatever else an import met that has no driver yet.
notes = Table(
    "notes",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("noted_at", BigInteger, nullable=False),
    Column("content", Text, nullable=False),  # JSON
)
