"""The page of the store says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from holdfast.cli.archive import KEY
from holdfast.cli.opening import OPEN_S
from holdfast.cli.store import DATABASE, VARIABLE
from holdfast.hub.hub import STORE_TARGET
from holdfast.hub.ports import Trouble
from holdfast.hub.storekeeper import EVENTS_WAITING, SLOW_S
from holdfast.store.retention import ALARMS, DAY_S, EVENTS, ORDERS, RECEIPTS, YEAR_S
from holdfast.web.api.metrics import FAMILIES

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = " ".join((DOCS / "store.md").read_text().split())


def test_every_trouble_is_told() -> None:
    """In the order of the code, here and in the vocabulary."""
    assert re.findall(r"\| `(\w+)` \| ", TEXT.partition("## Trouble")[2])[1:] == [
        each.value for each in Trouble
    ]
    vocabulary = (DOCS / "vocabulary.md").read_text()
    assert ", ".join(f"`{each.value}`" for each in Trouble) in vocabulary


@pytest.mark.parametrize(
    "phrase",
    [
        f"a write takes longer than {SLOW_S:g} s",
        f"events are beyond {EVENTS_WAITING} of them",
        f"after {OPEN_S:g} s at most the hub runs",
        f"A SQLite database, `{DATABASE}`",
        f"The variable `{VARIABLE}`",
        f"the key file `{KEY}`",
        f"the alarm `{STORE_TARGET}`",
    ],
)
def test_numbers_and_names(phrase: str) -> None:
    """As the code has them."""
    assert phrase in TEXT


def test_retentions() -> None:
    """What is said of days and years."""
    assert RECEIPTS.age_s == EVENTS.age_s == 30 * DAY_S
    assert ORDERS.age_s == ALARMS.age_s == YEAR_S
    assert "Receipts and events are kept for 30 days, ended orders and alarms for a year" in TEXT


def test_the_metrics_are_those_there_are() -> None:
    """Each by the name under which it is scraped."""
    named = set(re.findall(r"`(holdfast_store_\w+)`", TEXT))
    assert {each.removesuffix("_total") for each in named} == {
        each.name for each in FAMILIES if each.name.startswith("holdfast_store")
    }
