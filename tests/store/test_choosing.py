"""Which database an address means, and what is said about one that means none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from holdfast.errors import ConfigurationError
from holdfast.store import open_store


@pytest.mark.parametrize(
    ("where", "kind"),
    [
        ("data/holdfast.sqlite", "SqliteDatabase data/holdfast.sqlite"),
        (Path("/var/lib/holdfast/holdfast.sqlite"), "SqliteDatabase /var/lib/holdfast/holdfast.sqlite"),
        ("sqlite:////var/lib/holdfast.sqlite", "SqliteDatabase /var/lib/holdfast.sqlite"),
        ("odd?name#.sqlite", "SqliteDatabase odd?name#.sqlite"),
        (
            "postgresql://anna@db.lan:5433/house",
            "PostgresqlDatabase postgresql+asyncpg://anna@db.lan:5433/house",
        ),
        ("postgres://db.lan/house", "PostgresqlDatabase postgresql+asyncpg://db.lan/house"),
        ("postgresql+psycopg://db.lan/house", "PostgresqlDatabase postgresql+asyncpg://db.lan/house"),
        ("postgresql://db.lan/house?sslmode=require", "ssl=require"),
    ],
)
def test_addresses(where: str | Path, kind: str) -> None:
    assert kind in repr(open_store(where))


@pytest.mark.parametrize(
    "where",
    [
        "mysql://anna:hunter2@db/x",
        "sqlite://",
        "sqlite:///:memory:",
        "://hunter2",
        "postgresql://a:hunter2@b:port/x",
    ],
)
def test_an_address_that_means_nothing_is_not_repeated(where: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_store(where)
    assert "postgresql://" in caught.value.advice
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("missing", "where", "extra"),
    [("asyncpg", "postgresql://db/house", "postgres"), ("sqlalchemy", "x.sqlite", "hub")],
)
def test_a_missing_extra_is_named(
    missing: str, where: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ConfigurationError, match=f"extra '{extra}'") as caught:
        open_store(where)
    assert caught.value.advice == f"pip install 'holdfast[{extra}]'"
