"""A site file from the earlier battery program's configuration, and what is to be said of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli.exits import WrongUsage
from holdfast.hub.site import SecretSource, SiteError, dump_site, load_yaml, read_site
from holdfast.hub.site.earlier.plainly import spelled_out
from holdfast.hub.site.earlier.solarhub import Takeover, of_config, of_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.link.driver import Family

VARIABLE = "SOLARHUB_DATABASE_URL"
"""Names the earlier database where no argument does: a URL may hold a password, and arguments are for all to see."""
_SQLITE_MAGIC = b"SQLite format 3\0"
"""How every SQLite file begins: https://www.sqlite.org/fileformat.html section 1.3."""


def take_over(where: str | None) -> tuple[Takeover, str]:
    """What comes of a ``config.yaml``, a SQLite file or a database URL, and the name to call it by.

    Raises `SiteError` for a file that is no YAML, `ConfigurationError` or `StoreError` for a database that cannot be
    read, and `WrongUsage` if nothing or a password was given.
    """
    if where is None:
        url = os.environ.get(VARIABLE)
        if not url:
            raise WrongUsage(
                "nothing to import was named",
                advice=f"Name the config.yaml or the database, or put the database's URL into {VARIABLE}.",
            )
        return _of_database(url, f"${VARIABLE}"), f"${VARIABLE}"
    if "://" in where:
        if _has_password(where):
            raise WrongUsage(
                "a password must not stand on the command line",
                advice=f"Put the database's URL into {VARIABLE} and leave the argument out.",
            )
        return _of_database(where, where), where
    if _is_sqlite(Path(where)):
        return _of_database(where, where), where
    file = load_yaml(Path(where))
    return of_config(file.value, source=file.source, locate=file.locate), where


def site_text(takeover: Takeover, source: str) -> str:
    """The site file. What it has no room for stands at its end, as comments."""
    head = (
        f"Made by 'holdfast import solarhub {source}'.\nA comment marks what is to be decided or filled in."
    )
    text = dump_site(takeover.mapping, comments={**takeover.comments, (): _one_piece(head)})
    if not takeover.notes:
        return text
    notes = [
        f"# - {each.text}" + (f": {spelled_out(each.data)}" if each.data else "") for each in takeover.notes
    ]
    return "\n".join([text, "# Kept from the earlier configuration; Holdfast has no use for it:", *notes, ""])


def to_fill_in(takeover: Takeover, families: Mapping[str, Family], source: str) -> list[str]:
    """What `holdfast check` will ask for, one line each."""
    try:
        read_site(takeover.mapping, families, secrets=SecretSource(), source=source)
    except SiteError as error:
        return [each.rendered(source) for each in error.problems]
    return []


def summary(takeover: Takeover) -> str:
    """What was taken over, in words."""
    devices = takeover.mapping["devices"]
    adapters = sum(len(each["adapters"]) for each in devices)
    return (
        f"taken over: {_counted(len(devices), 'pack')} with {_counted(adapters, 'adapter')}, "
        f"{_counted(len(takeover.mapping.get('arrays', ())), 'array')}; "
        f"reported: {_counted(len(takeover.reports), 'thing')}; "
        f"kept as notes: {len(takeover.notes)}"
    )


def _of_database(where: str, source: str) -> Takeover:
    try:
        from holdfast.store.solarhub import EarlierDatabase
    except ImportError as error:
        raise WrongUsage(
            f"reading a database needs the extra 'hub' ({error})", advice="pip install 'holdfast[hub]'"
        ) from error
    from holdfast.cli.loops import run

    found = run(EarlierDatabase(where).read())
    return of_rows(found.tables, missing=found.missing, source=source)


def _has_password(url: str) -> bool:
    login, at, _ = url.partition("://")[2].rpartition("@")
    return bool(at and ":" in login) or "password=" in url.lower()


def _is_sqlite(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE_MAGIC)) == _SQLITE_MAGIC
    except (OSError, ValueError):
        return False  # whoever reads it as YAML says what is wrong


def _one_piece(text: str) -> str:
    """Without anything that a comment in YAML cannot hold; file names may hold all of it."""
    return "".join(each if each.isprintable() or each == "\n" else "?" for each in text)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
