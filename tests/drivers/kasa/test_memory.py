"""What is remembered between sessions: when to search, when to rest."""

from __future__ import annotations

from holdfast.drivers.kasa.memory import LoginDoubted, PlugMemory
from holdfast.drivers.kasa.ways import Way
from holdfast.errors import LoginRefused


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
    """Thirty seconds; the third refusal in a row is a refusal."""
    memory = PlugMemory("AA")
    for number in (1, 2):
        t = number * 30.0
        assert memory.rest(t) is None
        told = memory.refused(t)
        assert isinstance(told, LoginDoubted)
        assert told.is_retryable
        resting = memory.rest(t + 29.9)
        assert resting is not None
        assert f"{number} of 3" in resting.text
        assert memory.is_search_due
        memory.searched()
        assert not memory.is_search_due
    assert isinstance(memory.refused(90.0), LoginRefused)
    assert memory.rest(91.0) is None
    memory.connected(Way("p"), "AA")
    assert isinstance(memory.refused(100.0), LoginDoubted)


def test_it_goes_where_the_plug_was_found() -> None:
    """Until it is told otherwise."""
    memory = PlugMemory()
    memory.moved(Way("q"))
    assert memory.way == Way("q")
