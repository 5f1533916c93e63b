"""The page about plugs says what the driver does."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from holdfast.drivers.kasa.memory import REFUSALS, SEARCH_AFTER, SEARCH_EVERY
from holdfast.drivers.kasa.options import (
    _OPTIONS,
    EVERYBODY,
    LONGEST_DEAD_MAN_S,
    SHORTEST_DEAD_MAN_S,
    parse_options,
)
from holdfast.drivers.kasa.state import VERIFY, capabilities
from holdfast.drivers.kasa.ways import Kind
from holdfast.hub.site.adapter import ADAPTER_KEYS
from tests.docs.made import ROOT, pages
from tests.drivers.kasa.bench import plug_device

MADE = pages()
PAGE = ROOT / "docs" / "kasa.md"
TEXT = PAGE.read_text()

TIMINGS: tuple[tuple[str, str], ...] = (
    ("poll, every", "holdfast.drivers.kasa.state.POLL_S"),
    ("deadline of a reading", "holdfast.drivers.kasa.state.DEADLINE_S"),
    ("silence deadline of a session", "holdfast.drivers.kasa.driver.SILENCE_S"),
    ("one reading, at most", "holdfast.drivers.kasa.state.READ_S"),
    ("one switching, at most", "holdfast.drivers.kasa.state.SET_S"),
    ("the relay's report is believed after", "holdfast.drivers.kasa.state.SETTLE_S"),
    ("a relay may take to show", "holdfast.drivers.kasa.state.LATE_EFFECT_S"),
    ("pauses before the attempts of a command", "holdfast.drivers.kasa.state.PAUSES_S"),
    ("connecting, at most", "holdfast.drivers.kasa.plug.CONNECT_S"),
    ("looking for it and connecting, at most", "holdfast.drivers.kasa.plug.OPEN_S"),
    ("between two logins after a refusal", "holdfast.drivers.kasa.memory.REFUSAL_REST_S"),
    ("the same, where the login was right before", "holdfast.drivers.kasa.memory.PROVEN_REST_S"),
    ("refusals over so long count as the owner's business", "holdfast.drivers.kasa.memory.MOOD_S"),
    ("on and idle is told after", "holdfast.drivers.kasa.witness.IDLE_FOR_S"),
    ("after a switch the meter counts from", "holdfast.drivers.kasa.witness.METER_LAG_S"),
)
"""What the page tells of the constants."""


def section(title: str) -> str:
    """What stands below a heading, up to the next one."""
    return re.split(r"(?m)^#+ ", TEXT.partition(f" {title}\n")[2])[0]


def keys(title: str) -> set[str]:
    """The codes in the first column of a section's tables."""
    firsts = re.findall(r"(?m)^\| ([^|]*) \|", section(title))
    return {key for first in firsts for key in re.findall(r"`([^`]+)`", first)}


def test_the_timings_are_those_of_the_constants() -> None:
    made: str = MADE.filled(TEXT, {"timings": lambda: MADE.timings(TIMINGS)})
    assert made == TEXT


def test_every_option_and_kind_is_told() -> None:
    assert keys("Options") == set(_OPTIONS)
    assert keys("Which plugs") - {"kind"} == set(Kind)
    assert keys("The adapter") == set(ADAPTER_KEYS)


def test_every_capability_is_told() -> None:
    device = plug_device(options={"dead_man_s": 600, "expects_energy": True})
    found: list[Any] = capabilities(parse_options(device, device.adapters[0]))
    assert keys("Capabilities") == {each.key for each in found}
    for each in found:
        row = next(
            line for line in section("Capabilities").splitlines() if line.startswith(f"| `{each.key}` |")
        )
        assert row.rpartition(" | ")[2].strip(" |") == each.unit
        assert all(f"`{choice}`" in row for choice in each.choices)


@pytest.mark.parametrize(
    "phrase",
    [
        f"{SHORTEST_DEAD_MAN_S:g} to {LONGEST_DEAD_MAN_S:g} s",
        f"after {VERIFY.worst_case_s:g} s at the latest",
        f"`{EVERYBODY}`",
    ],
)
def test_the_numbers_in_sentences(phrase: str) -> None:
    assert phrase in " ".join(TEXT.split())


def test_the_numbers_in_words() -> None:
    """Three connects in vain, every ten, the third one in a row; a third of the time is over."""
    assert (SEARCH_AFTER, SEARCH_EVERY, REFUSALS) == (3, 10, 3)
    assert math.isclose(MADE.constant("holdfast.drivers.kasa.dead_man.RENEW_AT"), 2 / 3)
