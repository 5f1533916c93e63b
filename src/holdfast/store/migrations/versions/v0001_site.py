"""The site: arrays, devices, packs with their batteries and cells, adapters, outputs, capabilities, controllers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "array_attachments",
        sa.Column("array_id", sa.Text(), nullable=False),
        sa.Column("attached_since", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("attached_to", sa.Text(), nullable=False),
        sa.Column("detached_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "detached_at IS NULL OR detached_at >= attached_since", name=op.f("ck_array_attachments_in_order")
        ),
        sa.PrimaryKeyConstraint("array_id", "attached_since", name=op.f("pk_array_attachments")),
    )
    op.create_index(
        "ix_array_attachments_open",
        "array_attachments",
        ["array_id"],
        unique=True,
        sqlite_where=sa.text("detached_at IS NULL"),
        postgresql_where=sa.text("detached_at IS NULL"),
    )
    op.create_table(
        "arrays",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("others", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arrays")),
    )
    op.create_table(
        "controllers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("options", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_controllers")),
    )
    op.create_table(
        "devices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("options", sa.Text(), nullable=True),
        sa.Column("others", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices")),
    )
    op.create_table(
        "site",
        sa.Column("key", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("temperature_unit", sa.Text(), nullable=True),
        sa.Column("head", sa.Text(), nullable=True),
        sa.Column("others", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("key = 1", name=op.f("ck_site_only_one")),
        sa.CheckConstraint("revision > 0", name=op.f("ck_site_revision")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_site")),
    )
    op.create_table(
        "adapters",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("driver", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("options", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_adapters_device_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_id", "id", name=op.f("pk_adapters")),
    )
    op.create_table(
        "capabilities",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("options", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_capabilities_device_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_id", "path", name=op.f("pk_capabilities")),
    )
    op.create_table(
        "cells",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("address >= 0", name=op.f("ck_cells_address")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_cells_number")),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_cells_device_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_id", "address", "number", name=op.f("pk_cells")),
    )
    op.create_table(
        "outputs",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("options", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_outputs_device_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_id", "id", name=op.f("pk_outputs")),
    )
    op.create_table(
        "packs",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("array_id", sa.Text(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["array_id"], ["arrays.id"], name=op.f("fk_packs_array_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_packs_device_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_packs")),
    )
    op.create_index("ix_packs_array_id", "packs", ["array_id"], unique=False)
    op.create_table(
        "batteries",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.CheckConstraint("address >= 0", name=op.f("ck_batteries_address")),
        sa.ForeignKeyConstraint(
            ["device_id"], ["packs.device_id"], name=op.f("fk_batteries_device_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_id", "address", name=op.f("pk_batteries")),
    )
    op.create_table(
        "device_adapters",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("adapter_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=True),
        sa.Column("standby", sa.Text(), nullable=True),
        sa.CheckConstraint("standby IN ('cold', 'hot')", name=op.f("ck_device_adapters_standby")),
        sa.CheckConstraint("enabled IN (TRUE, FALSE)", name=op.f("ck_device_adapters_enabled")),
        sa.ForeignKeyConstraint(
            ["device_id", "adapter_id"],
            ["adapters.device_id", "adapters.id"],
            name=op.f("fk_device_adapters_device_id_adapter_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("device_id", "adapter_id", name=op.f("pk_device_adapters")),
    )
