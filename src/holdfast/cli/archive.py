"""A backup: one ZIP file with a copy of the database, what it is, and the key file if there is one.

Nothing in it names the machine that it was made on, so it can be restored on another one.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from holdfast._version import __version__
from holdfast.cli.exits import WrongUsage
from holdfast.cli.whole_file import replacing

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1
DATABASE = "holdfast.db"
KEY = "holdfast.key"
"""The file in the data directory that opens what the store keeps locked; readable by its owner only."""
_ABOUT = "backup.json"
_LARGEST_ABOUT = 65536
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a backup says of itself."""

    made_at: str
    version: str
    has_key: bool


def pack(path: Path, database: Path, key: Path | None) -> About:
    """Write a backup whole or not at all. ``database`` is a copy that nobody changes meanwhile."""
    about = About(
        made_at=datetime.now(UTC).isoformat(timespec="seconds"), version=__version__, has_key=key is not None
    )
    head = {
        "format": FORMAT, "made_at": about.made_at, "version": about.version, "has_key_file": about.has_key
    }  # fmt: skip
    with (
        replacing(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        archive.writestr(_ABOUT, json.dumps(head))
        archive.write(database, DATABASE)
        if key is not None:
            archive.write(key, KEY)
    return about


@contextlib.contextmanager
def _opened(path: Path) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileNotFoundError:
        raise WrongUsage(f"there is no file {path}") from None
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        KeyError,
        ValueError,
        EOFError,
        NotImplementedError,
    ) as error:
        raise WrongUsage(
            f"{path} is no whole backup ({error})", advice="Use another backup; nothing was changed."
        ) from None


def unpack(path: Path, database: Path, key: Path) -> About:
    """Write the backup's database and key to these files; raises `WrongUsage` for what is no whole backup."""
    with _opened(path) as archive:
        names = archive.namelist()
        if _ABOUT not in names or DATABASE not in names:
            raise WrongUsage(f"{path} is no backup of Holdfast")
        with archive.open(_ABOUT) as file:
            head = json.loads(file.read(_LARGEST_ABOUT))
        if not isinstance(head, dict) or head.get("format") != FORMAT:
            raise WrongUsage(
                f"{path} was made by another version of Holdfast", advice="Restore it with that version."
            )
        has_key = KEY in names
        for name, to in ((DATABASE, database), *(((KEY, key),) if has_key else ())):
            # Every byte is checked against the archive's sum while it is copied.
            with archive.open(name) as source, to.open("wb") as target:
                shutil.copyfileobj(source, target, _PIECE)
    return About(made_at=str(head.get("made_at", "")), version=str(head.get("version", "")), has_key=has_key)


def check_whole(database: Path) -> None:
    """Raise `WrongUsage` unless every page and index of a database is sound."""
    try:
        with contextlib.closing(sqlite3.connect(database)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check(1)")]
    except sqlite3.Error as error:
        found = [str(error)]
    if found != ["ok"]:
        raise WrongUsage(
            f"the database in the backup is damaged ({found[0]})",
            advice="Use another backup; nothing was changed.",
        )
