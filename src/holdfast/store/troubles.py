"""What databases, files and connections say when they fail, in the words of `Trouble`. Pure."""

from __future__ import annotations

import errno
import sqlite3
from typing import TYPE_CHECKING, NamedTuple

from holdfast.hub.ports import StoreError, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator


class Wording(NamedTuple):
    """One kind of failure for people."""

    trouble: Trouble
    text: str
    advice: str


FULL = Wording(Trouble.FULL, "the disk is full", "Make room on the disk of the database.")
READ_ONLY = Wording(
    Trouble.READ_ONLY,
    "the database cannot be written",
    "Check the permissions of its file and folder, and whether the disk is mounted read-only or failing.",
)
LOCKED = Wording(
    Trouble.LOCKED,
    "another program holds the database",
    "End the other program, or wait until it has finished.",
)
CORRUPTED = Wording(
    Trouble.CORRUPTED,
    "the database is damaged",
    "Stop Holdfast, keep a copy of the damaged database, and put the newest backup in its place.",
)
CANNOT_OPEN = Wording(
    Trouble.UNREACHABLE, "the database cannot be opened", "Check that its folder exists and may be entered."
)
UNREACHABLE = Wording(
    Trouble.UNREACHABLE,
    "the database server does not answer",
    "Check that it runs and that the address is right. It is tried again by itself.",
)
LOGIN = Wording(
    Trouble.UNREACHABLE,
    "the database server refuses the login",
    "Check the user and the password in the address.",
)
NO_DATABASE = Wording(
    Trouble.UNREACHABLE,
    "there is no such database on the server",
    "Make it with createdb, or correct the address.",
)
BAD_DISK = Wording(
    Trouble.FAILED,
    "the disk of the database fails",
    "Look into the system's log, and make a backup elsewhere.",
)
FAILED = Wording(Trouble.FAILED, "the database failed", "Please report this with the log.")

# https://www.sqlite.org/rescode.html; the low byte is the kind, the rest details.
_SQLITE = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_PERM: READ_ONLY,
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_CORRUPT: CORRUPTED,
    sqlite3.SQLITE_NOTADB: CORRUPTED,
    sqlite3.SQLITE_CANTOPEN: CANNOT_OPEN,
    sqlite3.SQLITE_IOERR: BAD_DISK,
}
_KIND = 0xFF

# https://www.postgresql.org/docs/current/errcodes-appendix.html; a class is the first two characters.
_POSTGRESQL = {
    "53100": FULL,
    "25006": READ_ONLY,
    "42501": READ_ONLY,
    "55P03": LOCKED,
    "40P01": LOCKED,
    "57014": LOCKED,
    "XX001": CORRUPTED,
    "XX002": CORRUPTED,
    "3D000": NO_DATABASE,
    "28": LOGIN,
    "08": UNREACHABLE,
    "57": UNREACHABLE,
    "53": UNREACHABLE,
}

_OF_THE_SYSTEM = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EROFS: READ_ONLY,
    errno.EACCES: READ_ONLY,
    errno.EPERM: READ_ONLY,
    errno.ENOENT: CANNOT_OPEN,
    errno.ENOTDIR: CANNOT_OPEN,
    errno.EIO: BAD_DISK,
}


def store_error(fault: BaseException) -> StoreError:
    """The failure as a `StoreError`; a `StoreError` stays what it is."""
    for cause in _causes(fault):
        if isinstance(cause, StoreError):
            return cause
        wording = _wording(cause)
        if wording is not None:
            return StoreError(
                wording.trouble, f"{wording.text} ({_first_line(cause)})", advice=wording.advice
            )
    return StoreError(
        FAILED.trouble, f"{FAILED.text} ({_first_line(_innermost(fault))})", advice=FAILED.advice
    )


def _wording(fault: BaseException) -> Wording | None:
    code = getattr(fault, "sqlite_errorcode", None)
    if isinstance(code, int):
        return _SQLITE.get(code & _KIND)
    state = getattr(fault, "sqlstate", None)
    if isinstance(state, str):
        return _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2])
    if isinstance(fault, sqlite3.DatabaseError) and "not a database" in str(fault):
        return CORRUPTED
    if isinstance(fault, OSError) and fault.errno in _OF_THE_SYSTEM:
        return _OF_THE_SYSTEM[fault.errno]
    if isinstance(fault, ConnectionError | TimeoutError):
        return UNREACHABLE
    if type(fault).__module__.startswith("asyncpg") and "connection" in str(fault).lower():
        return UNREACHABLE  # its own errors of a connection that went away carry no state
    if isinstance(fault, OSError):
        return UNREACHABLE  # a name that is not known, a host without a route
    return None


def _causes(fault: BaseException) -> Iterator[BaseException]:
    """From the innermost outwards: the driver knows best what happened."""
    chain: list[BaseException] = []
    left: list[BaseException | None] = [fault]
    while left:
        each = left.pop()
        if each is None or each in chain:
            continue
        chain.append(each)
        orig = getattr(each, "orig", None)
        left += [each.__cause__, orig if isinstance(orig, BaseException) else None]
    yield from reversed(chain)


def _innermost(fault: BaseException) -> BaseException:
    return next(_causes(fault))


def _first_line(fault: BaseException) -> str:
    return (str(fault).splitlines() or [""])[0] or type(fault).__name__
