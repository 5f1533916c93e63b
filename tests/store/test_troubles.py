"""What databases say when they fail, in our words."""

from __future__ import annotations

import errno
import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from holdfast.hub.ports import SiteChanged, StoreError, Trouble
from holdfast.store.troubles import store_error


class _FromServer(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__("the server says no\nDETAIL: more")
        self.sqlstate = sqlstate


def _sqlite(code: int) -> sqlite3.Error:
    fault = sqlite3.OperationalError("no")
    fault.sqlite_errorcode = code
    return fault


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        (_FromServer("53100"), Trouble.FULL),
        (_FromServer("53300"), Trouble.UNREACHABLE),
        (_FromServer("25006"), Trouble.READ_ONLY),
        (_FromServer("55P03"), Trouble.LOCKED),
        (_FromServer("57014"), Trouble.LOCKED),
        (_FromServer("57P01"), Trouble.UNREACHABLE),
        (_FromServer("08006"), Trouble.UNREACHABLE),
        (_FromServer("28P01"), Trouble.UNREACHABLE),
        (_FromServer("XX001"), Trouble.CORRUPTED),
        (_FromServer("22001"), Trouble.FAILED),
        (_sqlite(sqlite3.SQLITE_FULL), Trouble.FULL),
        (_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT), Trouble.LOCKED),
        (_sqlite(sqlite3.SQLITE_READONLY_DBMOVED), Trouble.READ_ONLY),
        (_sqlite(sqlite3.SQLITE_CORRUPT_VTAB), Trouble.CORRUPTED),
        (_sqlite(sqlite3.SQLITE_NOTADB), Trouble.CORRUPTED),
        (_sqlite(sqlite3.SQLITE_IOERR_FSYNC), Trouble.FAILED),
        (_sqlite(sqlite3.SQLITE_CONSTRAINT), Trouble.FAILED),
        (OSError(errno.ENOSPC, "no"), Trouble.FULL),
        (OSError(errno.EROFS, "no"), Trouble.READ_ONLY),
        (ConnectionRefusedError(errno.ECONNREFUSED, "no"), Trouble.UNREACHABLE),
        (TimeoutError(), Trouble.UNREACHABLE),
        (FileNotFoundError(errno.ENOENT, "no"), Trouble.UNREACHABLE),
        (ValueError("what?"), Trouble.FAILED),
    ],
)
def test_each_failure_has_its_trouble(fault: Exception, trouble: Trouble) -> None:
    wrapped = OperationalError("SELECT secret", {"secret": "hunter2"}, fault)
    for each in (fault, wrapped):
        error = store_error(each)
        assert error.trouble is trouble
        assert error.advice
        assert "\n" not in error.text
        assert "hunter2" not in error.text


def test_an_error_of_ours_stays_what_it_is() -> None:
    ours = SiteChanged(3)
    assert store_error(ours) is ours
    outer = RuntimeError("behind")
    outer.__cause__ = ours
    assert store_error(outer) is ours
    assert isinstance(store_error(RuntimeError()), StoreError)
