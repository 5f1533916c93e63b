"""What is remembered between sessions: when to search, when to rest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.drivers.kasa.driver import family
from holdfast.drivers.kasa.memory import LoginDoubted, PlugMemory
from holdfast.drivers.kasa.ways import Way, objection
from holdfast.errors import LoginRefused
from tests.drivers.kasa.bench import plug_device
from tests.drivers.kasa.fake_kasa import FakeKasa


def test_it_searches_after_three_failures_and_then_now_and_then() -> None:
    """At the fourth connect, and at every tenth after it; a success begins anew."""
    memory = PlugMemory()
    due = []
    for number in range(1, 26):
        memory.failed()
        if memory.is_search_due:
            due.append(number)
    assert due == [3, 13, 23]
    memory.connected(Way("p"), "AA")
    assert not memory.is_search_due
    assert (memory.way, memory.mac) == (Way("p"), "AA")
    memory.connected(Way("p"), "")
    assert memory.mac == "AA"


def test_it_rests_between_refused_logins() -> None:
    """Thirty seconds; the third refusal in a row, a minute after the first one, is a refusal."""
    memory = PlugMemory("AA")
    for number in (1, 2):
        t = number * 30.0
        assert memory.rest(t) is None
        told = memory.refused(t)
        assert isinstance(told, LoginDoubted)
        assert told.is_retryable
        resting = memory.rest(t + 29.9)
        assert resting is not None
        assert f"{number} so far" in resting.text
        assert memory.is_search_due
        memory.searched()
        assert not memory.is_search_due
    assert isinstance(memory.refused(90.0), LoginRefused)
    assert memory.rest(91.0) is None
    memory.connected(Way("p"), "AA")
    assert isinstance(memory.refused(100.0), LoginDoubted)


def test_a_login_that_was_right_is_tried_again_sooner() -> None:
    """It is a mood of the plug: ten seconds, and it counts as refused after the same minute."""
    memory = PlugMemory("AA")
    memory.connected(Way("p"), "AA")
    told = []
    for number in range(7):
        t = 100.0 + 10.0 * number
        assert memory.rest(t) is None
        told.append(memory.refused(t))
        assert (memory.rest(t + 9.9) is None) is (number == 6)
    assert [type(each) for each in told] == [LoginDoubted] * 6 + [LoginRefused]
    assert isinstance(memory.refused(1000.0), LoginRefused)


def test_it_goes_where_the_plug_was_found() -> None:
    """Until it is told otherwise."""
    memory = PlugMemory()
    memory.moved(Way("q"))
    assert memory.way == Way("q")


# --- what outlives the hub -------------------------------------------------------------------------------------------

MAC, OTHER = "AA:BB:CC:00:00:01", "AA:BB:CC:00:00:02"
WAY = Way("192.168.1.99", "SMART.TAPOPLUG", "KLAP", 2, is_https=True, http_port=4433)


def known(told: str = "plug auto") -> PlugMemory:
    """A plug that was reached."""
    memory = PlugMemory("", told)
    memory.connected(WAY, MAC)
    return memory


def test_it_is_known_again() -> None:
    """Who it is and how it was reached, through JSON and back."""
    record = json.loads(json.dumps(known().to_record()))
    memory = PlugMemory("", "plug auto")
    memory.recall(record)
    assert (memory.mac, memory.way) == (MAC, WAY)
    assert memory.to_record() == record


def test_the_owner_knows_better() -> None:
    """Another address, another kind, another hardware address in the site: the record is of the past."""
    record = known().to_record()
    for memory in (
        PlugMemory("", "plug legacy"),
        PlugMemory("", "other auto"),
        PlugMemory(OTHER, "plug auto"),
    ):
        before = memory.mac
        memory.recall(record)
        assert (memory.mac, memory.way) == (before, None)
    memory = PlugMemory(MAC, "plug auto")
    memory.recall(record)
    assert (memory.mac, memory.way) == (MAC, WAY)


def test_each_change_is_told_once() -> None:
    """Whoever keeps the record hears of news, and of nothing else."""
    memory, told = PlugMemory("", "plug auto"), list[object]()
    memory.changed = lambda: told.append(memory.to_record())
    memory.connected(WAY, MAC)
    memory.connected(WAY, MAC)
    memory.connected(WAY, "")
    memory.failed()
    memory.refused(1.0)
    assert told == [memory.to_record()]
    memory.moved(Way("q"))
    assert len(told) == 2
    memory.recall({"told": "plug auto", "mac": OTHER, "way": None})
    assert len(told) == 2


@given(
    st.dictionaries(
        st.sampled_from(["told", "mac", "way", "more"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text() | st.just("plug auto"),
            lambda inner: (
                st.dictionaries(
                    st.sampled_from(
                        ["host", "family", "encryption", "login_version", "is_https", "http_port", "port"]
                    ),
                    inner,
                )
                | st.lists(inner)
            ),
        ),
    )
)
def test_any_record(record: dict[str, Any]) -> None:
    """Whatever is in the store: what cannot be used is ignored, and what is taken leads somewhere."""
    memory = PlugMemory("", "plug auto")
    memory.recall(record)
    assert memory.mac == "" or len(memory.mac) == 17
    assert memory.way is None or objection(memory.way.family, memory.way.encryption) is None


@pytest.mark.parametrize(
    "bad",
    [
        {"encryption": "TPAP"},
        {"family": "SMART.TAPOBULB"},
        {"host": ""},
        {"host": 7},
        {"port": 70000},
        {"http_port": True},
        {"login_version": "2"},
        {"is_https": None},
    ],
)
def test_a_way_that_leads_nowhere_is_forgotten(bad: dict[str, object]) -> None:
    """Who the plug is stays known."""
    record = known().to_record()
    memory = PlugMemory("", "plug auto")
    memory.recall({**record, "way": {**record["way"], **bad}})
    assert (memory.mac, memory.way) == (MAC, None)


def test_no_login_is_in_it() -> None:
    """Neither name nor password nor hash."""
    device = plug_device(username="me@home", password="hash:c2VjcmV0")
    memory = family(FakeKasa()).prepare(device, device.adapters[0]).remembers
    assert isinstance(memory, PlugMemory)
    memory.connected(WAY, MAC)
    assert "c2VjcmV0" not in json.dumps(memory.to_record())
    assert "me@home" not in json.dumps(memory.to_record())
