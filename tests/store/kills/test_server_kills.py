"""Whoever works on a PostgreSQL database is killed: the server has the old site or the new one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.servers import postgresql_server
from tests.store.kills.test_kills import SEED, kill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import PostgresqlServer

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="forks its victims"),
    pytest.mark.xdist_group("postgresql"),
    pytest.mark.timeout(120),
]
KILLS = 10


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    with postgresql_server() as running:
        yield running


@pytest.mark.parametrize("work", ["apply", "edits"])
def test_what_was_promised_is_there(work: str, server: PostgresqlServer) -> None:
    with server.database(f"kills_{work}") as url:
        kill(work, KILLS, SEED, "--url", url)
