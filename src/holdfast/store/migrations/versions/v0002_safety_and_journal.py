"""What must outlive the process (orders, switch times, memories, alarms) and what is told of it (receipts, events)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "alarms",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("target", "since", name=op.f("pk_alarms")),
    )
    op.create_index("ix_alarms_ended_at", "alarms", ["ended_at"], unique=False)
    op.create_index(
        "ix_alarms_open",
        "alarms",
        ["target"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "events",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False),
            nullable=False,
        ),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_events")),
        sa.UniqueConstraint("id", name=op.f("uq_events_id")),
    )
    op.create_index("ix_events_at", "events", ["at"], unique=False)
    op.create_index("ix_events_device_seq", "events", ["device", "seq"], unique=False)
    op.create_index("ix_events_kind_seq", "events", ["kind", "seq"], unique=False)
    op.create_table(
        "memories",
        sa.Column("controller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("controller", "key", name=op.f("pk_memories")),
    )
    op.create_table(
        "receipts",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False),
            nullable=False,
        ),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("may_have_executed", sa.Boolean(), nullable=False),
        sa.Column("timeout_s", sa.Float(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("sent_after_s", sa.Float(), nullable=True),
        sa.Column("ended_after_s", sa.Float(), nullable=True),
        sa.CheckConstraint(
            "state IN ('accepted', 'sent', 'verified', 'failed', 'expired', 'superseded', 'refused')",
            name=op.f("ck_receipts_state"),
        ),
        sa.CheckConstraint("may_have_executed IN (TRUE, FALSE)", name=op.f("ck_receipts_may_have_executed")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_receipts")),
        sa.UniqueConstraint("id", name=op.f("uq_receipts_id")),
    )
    op.create_index("ix_receipts_created_at", "receipts", ["created_at"], unique=False)
    op.create_index(
        "ix_receipts_open",
        "receipts",
        ["seq"],
        unique=False,
        sqlite_where=sa.text("state IN ('accepted', 'sent')"),
        postgresql_where=sa.text("state IN ('accepted', 'sent')"),
    )
    op.create_index("ix_receipts_target_seq", "receipts", ["target", "seq"], unique=False)
    op.create_table(
        "standing_orders",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("is_verified", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("is_released", sa.Boolean(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("device", sa.Text(), nullable=True),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_standing_orders_attempts")),
        sa.CheckConstraint("is_released IN (TRUE, FALSE)", name=op.f("ck_standing_orders_is_released")),
        sa.CheckConstraint("is_verified IN (TRUE, FALSE)", name=op.f("ck_standing_orders_is_verified")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_orders")),
    )
    op.create_index("ix_standing_orders_ended_at", "standing_orders", ["ended_at"], unique=False)
    op.create_table(
        "switches",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("target", name=op.f("pk_switches")),
    )
