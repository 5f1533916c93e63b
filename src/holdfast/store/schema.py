"""Brings a database up to date: every step that is missing, in the transaction that the caller began.

Alembic keeps which steps there are; its usual environment file is left out, since a hub has its connection already and
must not read files while its loop runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from holdfast.hub.ports import StoreError, Trouble
from holdfast.store.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alembic.runtime.migration import MigrationStep
    from sqlalchemy import Connection

VERSION_TABLE = "schema_version"
"""Ours alone: other programs in the same database may use Alembic's usual name."""
_STEPS = Path(__file__).parent / "migrations"


class Schema:
    """All steps from nothing to today. Reads files, so it is made in a thread."""

    def __init__(self) -> None:
        self._script = ScriptDirectory(str(_STEPS))
        self.versions = tuple(step.revision for step in self._script.walk_revisions())[::-1]
        """All there were, the oldest first."""

    @property
    def version(self) -> str:
        """What this version of Holdfast works with."""
        return self.versions[-1]

    def upgrade(self, connection: Connection, to: str = "head") -> None:
        """Run what is missing. Raises `StoreError` for a database that is newer, or that is not ours at all."""

        def missing(current: Any, _: MigrationContext) -> Sequence[MigrationStep]:
            return self._script._upgrade_revs(to, current)  # noqa: SLF001  as Alembic's own command does

        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": VERSION_TABLE,
                "fn": missing,
                "target_metadata": metadata,
                # Alembic takes it for granted that SQLite cannot; with an explicit BEGIN it can.
                "transactional_ddl": True,
            },
        )
        self._refuse(connection, context.get_current_revision())
        with Operations.context(context):
            context.run_migrations()

    def _refuse(self, connection: Connection, current: str | None) -> None:
        if current in self.versions:
            return
        if current is not None and current.isdigit():
            raise StoreError(
                Trouble.FAILED,
                f"this database was made by a newer Holdfast (schema {current}; this one knows {self.version})",
                advice="Install the newer version again, or restore a backup made before the upgrade.",
            )
        if current is not None or {*inspect(connection).get_table_names()} & {*metadata.tables}:
            raise StoreError(
                Trouble.FAILED,
                "this database belongs to another program",
                advice="Give Holdfast a database of its own; 'holdfast import' reads those of earlier programs.",
            )
