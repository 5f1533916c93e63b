"""Which adapter serves: the pure decision, case by case. Times are seconds before now."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.link.failover import LOOK_S, SETTLE_S, AdapterSight, Decision, Memory, Why, decide
from holdfast.model import FailoverTiming

TIMING = FailoverTiming(minimum_stay_s=30.0, hold_s=60.0, probe_every_s=60.0)
ALL = frozenset({"0", "1", "2"})


def healthy(ident: str, priority: int = 1, covers: frozenset[str] = ALL, **more: Any) -> AdapterSight:
    given = {"has_session": True, "session_s": 500.0, "age_s": 1.0, "delivers_s": 500.0, "known": ALL, **more}
    return AdapterSight(id=ident, priority=priority, covers=covers, **given)


def resting(ident: str, priority: int = 1, **more: Any) -> AdapterSight:
    return AdapterSight(id=ident, priority=priority, **{"known": ALL, **more})


def lost(ident: str, priority: int = 1, **more: Any) -> AdapterSight:
    return resting(ident, priority, **{"doubt_s": 0.1, "age_s": 2.0, **more})


def memory(active: str = "a", **more: Any) -> Memory:
    return Memory(active=active, **{"since": 0.0, "probe_t": 1e9, **more})


class Story:
    """Decisions one after the other, each with the memory of the one before."""

    def __init__(self, start: Memory, now: float = 1000.0) -> None:
        self.memory = start
        self.now = now
        self.told: list[str] = []

    def see(self, *sights: AdapterSight, after_s: float = 0.0) -> Decision:
        self.now += after_s
        decision = decide(sights, self.memory, TIMING, self.now)
        self.memory = decision.memory
        self.told += [note.text for note in decision.notes]
        return decision


def test_a_healthy_preferred_adapter_serves_alone() -> None:
    """The cold reserve rests, the hot one is connected, and nobody needs to look again."""
    decision = Story(memory()).see(healthy("a"), resting("b", 2), resting("c", 3, is_hot=True))
    assert decision.connect == {"a", "c"}
    assert decision.memory.active == "a"
    assert decision.look_t == math.inf
    assert decision.notes == ()


def test_a_lost_adapter_is_redialled_while_the_reserve_is_warmed() -> None:
    """Both are connected at once, the attempt is told once, and nothing moves before the reserve delivers."""
    story = Story(memory())
    decision = story.see(lost("a"), resting("b", 2))
    assert decision.connect == {"a", "b"}
    assert [note.why for note in decision.notes] == [Why.TRYING]
    assert decision.look_t == story.now + LOOK_S
    assert story.see(lost("a"), lost("b", 2), after_s=0.5).notes == ()
    assert story.memory.active == "a"


def test_a_lone_false_alarm_moves_nothing() -> None:
    """A session that is back within the settling time serves on, and the reserve rests again."""
    story = Story(memory())
    story.see(lost("a"), healthy("b", 2, delivers_s=0.0, is_hot=True))
    story.see(lost("a"), healthy("b", 2, delivers_s=0.4, is_hot=True), after_s=SETTLE_S / 2)
    reopened = lost("a", has_session=True, session_s=0.2)
    story.see(reopened, healthy("b", 2, is_hot=True, age_s=0.3), after_s=0.3)
    decision = story.see(healthy("a", delivers_s=0.0), healthy("b", 2, is_hot=True), after_s=0.3)
    assert decision.memory.active == "a"
    assert not any("->" in each for each in story.told)


def test_what_cannot_be_reached_again_is_left_at_once() -> None:
    """A loss and a redial in vain are certain: the reserve serves as soon as it delivers."""
    story = Story(memory())
    decision = story.see(lost("a", vain=1), healthy("b", 2, delivers_s=0.0))
    assert decision.memory.active == "b"
    (note,) = decision.notes
    assert (note.why, note.before, note.after) == (Why.MOVED, "a", "b")
    assert note.age_s == 2.0
    assert note.attempts == 1
    assert "could not be reached again" in note.text


def test_a_silent_adapter_is_left_once_the_reserve_heard_what_it_should_have() -> None:
    """Reopened at half the deadline it gets the chance to hear the same bus; then a second, then it is left."""
    story = Story(memory())
    silent = lost("a", has_session=True, session_s=0.1, age_s=15.1)
    early = healthy("b", 2, age_s=0.2, delivers_s=0.2)
    assert story.see(silent, early).memory.active == "a"
    silent = replace(silent, session_s=4.0)
    story.see(silent, replace(early, age_s=0.1), after_s=4.0)
    decision = story.see(silent, replace(early, age_s=0.1), after_s=SETTLE_S)
    assert decision.memory.active == "b"
    assert "says nothing" in decision.notes[0].text


def test_fewer_members_are_better_than_none_and_the_lost_ones_are_named() -> None:
    """Failing over to a path of one battery says which are lost; the larger one is probed from then on."""
    story = Story(memory())
    single = frozenset({"1"})
    decision = story.see(lost("a", vain=2), healthy("b", 2, covers=single, known=single))
    assert decision.notes[0].lost == ("0", "2")
    assert "does not cover 0, 2" in decision.notes[0].text


def test_one_silent_member_moves_nothing_unless_another_adapter_covers_it() -> None:
    """Coverage decides, but calmly: the better one must have been better for the hold time."""
    story = Story(memory())
    partial = healthy("a", covers=frozenset({"0", "1"}))
    decision = story.see(partial, healthy("b", 2, covers=frozenset({"0", "1"}), is_hot=True))
    assert decision.memory.active == "a"
    story.see(partial, healthy("b", 2, is_hot=True), after_s=1.0)
    story.see(partial, healthy("b", 2, is_hot=True), after_s=TIMING.hold_s - 1.0)
    assert story.memory.active == "a"
    story.see(partial, healthy("b", 2, is_hot=True), after_s=1.1)
    assert story.memory.active == "b"
    assert "covers 3 members, a only 2" in story.told[-1]


def test_a_reserve_that_adds_a_member_stays_connected() -> None:
    """A path that covers just the battery that the serving one lost is kept beside it."""
    partial = healthy("a", covers=frozenset({"0", "1"}))
    beside = healthy("b", 2, covers=frozenset({"2"}), known=frozenset({"2"}))
    decision = Story(memory()).see(partial, beside)
    assert decision.connect == {"a", "b"}
    assert decision.memory.active == "a"


def test_the_preferred_one_returns_after_probe_hold_and_stay() -> None:
    """It is probed every minute; in vain it rests again, delivering it is held, and then it serves."""
    story = Story(memory("b", since=1000.0, probe_t=1060.0))
    b = healthy("b", 2)
    assert story.see(resting("a"), b, after_s=30.0).connect == {"b"}
    assert story.see(resting("a"), b, after_s=30.0).connect == {"a", "b"}
    assert story.see(lost("a", vain=1), b, after_s=1.0).connect == {"b"}
    assert story.see(resting("a"), b, after_s=50.0).connect == {"b"}
    assert story.see(resting("a"), b, after_s=10.0).connect == {"a", "b"}
    for held_s in (0.0, 30.0, 59.0):
        decision = story.see(healthy("a", delivers_s=held_s), b, after_s=1.0)
        assert decision.memory.active == "b"
        assert decision.connect == {"a", "b"}
    decision = story.see(healthy("a", delivers_s=60.0), b, after_s=1.0)
    assert decision.memory.active == "a"
    assert decision.connect == {"a"}
    assert "preferred and has delivered for 60 s" in story.told[-1]


def test_a_probe_that_hears_nothing_is_over_after_its_patience() -> None:
    """An open path without data is no reason to stay connected."""
    story = Story(memory("b", probe_t=1000.0))
    mute = resting("a", has_session=True, patience_s=8.0)
    assert story.see(resting("a"), healthy("b", 2)).connect == {"a", "b"}
    assert story.see(mute, healthy("b", 2), after_s=7.9).connect == {"a", "b"}
    assert story.see(mute, healthy("b", 2), after_s=0.2).connect == {"b"}


def test_failback_needs_equal_coverage() -> None:
    """The preferred adapter that hears fewer batteries does not take over."""
    story = Story(memory("b"))
    decision = story.see(healthy("a", covers=frozenset({"0"})), healthy("b", 2), after_s=500.0)
    assert decision.memory.active == "b"


def test_minimum_stay_keeps_two_bad_links_from_swapping() -> None:
    """Right after a move the better one waits."""
    story = Story(memory("b", since=990.0))
    assert story.see(healthy("a"), healthy("b", 2)).memory.active == "b"
    assert story.see(healthy("a"), healthy("b", 2), after_s=19.0).memory.active == "b"
    assert story.see(healthy("a"), healthy("b", 2), after_s=2.0).memory.active == "a"


def test_reserves_take_turns_and_wrap_round() -> None:
    """One after the other in order of priority; when all were tried in vain everybody is tried, and it is told once."""
    story = Story(memory("b"))
    a, b, c = lost("a", 1), lost("b", 2), resting("c", 3)
    assert story.see(a, b, c).connect == {"a", "b"}
    assert story.see(replace(a, vain=1), b, c, after_s=0.5).connect == {"a", "b"}
    assert story.see(replace(a, vain=1), b, c, after_s=1.0).connect == {"b", "c"}
    decision = story.see(a, b, replace(c, vain=1), after_s=1.5)
    assert decision.connect == {"a", "b", "c"}
    assert [note.why for note in decision.notes] == [Why.ALL_DOWN]
    for _ in range(20):
        decision = story.see(replace(a, vain=3), replace(b, vain=3), replace(c, vain=3), after_s=5.0)
        assert decision.notes == ()
        assert decision.connect == {"a", "b", "c"}
    decision = story.see(replace(a, vain=3), replace(b, vain=3), healthy("c", 3), after_s=5.0)
    assert decision.memory.active == "c"
    assert decision.memory.rounds == 0


def test_exclusive_paths_are_never_open_together() -> None:
    """One after the other: the active one is dialled again first, then each has its turn, with growing patience."""
    story = Story(memory())
    a, b = lost("a", is_exclusive=True), resting("b", 2, is_exclusive=True)
    assert story.see(a, b).connect == {"a"}
    assert story.see(replace(a, vain=1), b, after_s=0.5).connect == {"b"}
    assert story.see(replace(a, vain=1), replace(b, vain=1), after_s=0.5).connect == {"b"}
    turns = [
        next(iter(story.see(replace(a, vain=1), replace(b, vain=1), after_s=0.5).connect)) for _ in range(200)
    ]
    changes = sum(one != two for one, two in itertools.pairwise(turns))
    assert {"a", "b"} == set(turns)
    assert changes < 20
    decision = story.see(replace(a, vain=1), healthy("b", 2, is_exclusive=True), after_s=0.5)
    assert decision.memory.active == "b"
    assert decision.connect == {"b"}
    assert story.see(a, healthy("b", 2, is_exclusive=True), after_s=500.0).connect == {"b"}


def test_a_person_chooses() -> None:
    """The chosen one is connected and serves as soon as it delivers; without a pin the preferred one returns."""
    story = Story(memory(asked="b", asked_t=1000.0))
    assert story.see(healthy("a"), resting("b", 2)).connect == {"a", "b"}
    decision = story.see(healthy("a"), healthy("b", 2, delivers_s=0.0), after_s=0.5)
    assert decision.memory.active == "b"
    assert "a person asked" in story.told[-1]
    story.see(healthy("a"), healthy("b", 2), after_s=61.0)
    assert story.memory.active == "a"


def test_a_pinned_adapter_is_the_preferred_one() -> None:
    """It keeps serving, is left only when it does not deliver, and is returned to."""
    story = Story(memory("b", pinned="b"))
    assert story.see(healthy("a"), healthy("b", 2), after_s=500.0).memory.active == "b"
    assert story.see(healthy("a"), lost("b", 2, vain=1), after_s=1.0).memory.active == "a"
    assert story.see(healthy("a"), healthy("b", 2), after_s=61.0).memory.active == "b"


def test_what_a_person_asked_for_and_cannot_have_is_told() -> None:
    """After a try in vain and its patience the wish ends, and the serving adapter goes on."""
    story = Story(memory(asked="b", asked_t=1000.0))
    story.see(healthy("a"), resting("b", 2, patience_s=8.0))
    story.see(healthy("a"), resting("b", 2, patience_s=8.0, vain=1), after_s=2.0)
    assert story.memory.asked == "b"
    decision = story.see(healthy("a"), resting("b", 2, patience_s=8.0, vain=1), after_s=7.0)
    assert [note.why for note in decision.notes] == [Why.GAVE_UP]
    assert decision.memory.asked == ""
    assert decision.connect == {"a"}


def test_asking_for_the_one_that_serves_changes_nothing() -> None:
    """It is there already."""
    decision = Story(memory(asked="a", asked_t=1000.0)).see(healthy("a"), resting("b", 2))
    assert decision.memory.asked == ""
    assert decision.notes == ()


def test_a_member_that_only_a_reserve_knows_is_looked_for() -> None:
    """The serving adapter does not hear battery 2, a cold reserve once did: it is probed, and stays if it adds it."""
    story = Story(memory(probe_t=-math.inf))
    partial = healthy("a", covers=frozenset({"0", "1"}))
    assert story.see(partial, resting("b", 2)).connect == {"a"}
    assert story.see(partial, resting("b", 2), after_s=60.0).connect == {"a", "b"}
    alike = healthy("b", 2, covers=frozenset({"0", "1"}), patience_s=8.0)
    assert story.see(partial, alike, after_s=7.0).connect == {"a", "b"}
    assert story.see(partial, alike, after_s=2.0).connect == {"a"}


def test_adapters_that_share_the_members_are_all_connected() -> None:
    """Two paths of one battery each: neither is a reserve of the other; when one goes, the other serves alone."""
    first = healthy("a", covers=frozenset({"0"}), known=frozenset({"0"}))
    second = resting("b", 2, known=frozenset({"1"}))
    story = Story(memory())
    assert story.see(first, second).connect == {"a", "b"}
    second = healthy("b", 2, covers=frozenset({"1"}), known=frozenset({"1"}))
    story.see(first, second, after_s=500.0)
    assert story.memory.active == "a"
    story.see(lost("a", vain=1, known=frozenset({"0"})), second, after_s=1.0)
    assert story.memory.active == "b"
    assert "b does not cover 0" in story.told[-1]


sights = st.builds(
    AdapterSight,
    id=st.just(""),
    priority=st.integers(1, 3),
    is_hot=st.booleans(),
    is_exclusive=st.booleans(),
    has_session=st.booleans(),
    session_s=st.floats(0, 100),
    covers=st.frozensets(st.sampled_from("012")),
    known=st.just(ALL),
    age_s=st.floats(0, 100),
    doubt_s=st.none() | st.floats(0, 100),
    vain=st.integers(0, 3),
    delivers_s=st.floats(0, 200),
)


@given(
    st.lists(st.tuples(st.floats(0.0, 90.0), st.lists(sights, min_size=3, max_size=3)), max_size=30),
    st.sampled_from(["", "a", "c"]),
    st.sampled_from(["", "b"]),
)
def test_whatever_is_seen_the_rules_hold(
    seen: list[tuple[float, list[AdapterSight]]], pinned: str, asked: str
) -> None:
    """Somebody is always connected, no two exclusive ones together, and nobody serves who does not deliver."""
    story = Story(Memory(active="a", since=1000.0, pinned=pinned, asked=asked, asked_t=1000.0))
    for after_s, three in seen:
        now = [replace(each, id=ident) for each, ident in zip(three, "abc", strict=True)]
        before = story.memory.active
        decision = story.see(*now, after_s=after_s)
        by_id = {each.id: each for each in now}
        assert decision.connect
        assert sum(by_id[each].is_exclusive for each in decision.connect) <= 1
        moved = [note for note in decision.notes if note.why is Why.MOVED]
        assert len(moved) <= 1
        assert bool(moved) == (decision.memory.active != before)
        if moved:
            assert by_id[decision.memory.active].delivers
        if not by_id[decision.memory.active].is_exclusive:
            assert decision.memory.active in decision.connect or any(
                by_id[each].is_exclusive for each in decision.connect
            )
        assert decision.look_t > story.now


@pytest.mark.parametrize("calm", [healthy("a"), healthy("a", is_exclusive=True)])
def test_memory_stays_small(calm: AdapterSight) -> None:
    """Nothing piles up while all is well."""
    story = Story(memory())
    first = story.see(calm, resting("b", 2)).memory
    for _ in range(50):
        story.see(calm, resting("b", 2), after_s=60.0)
    assert story.memory == first


def test_a_quiet_session_warms_the_reserve_before_its_values_are_stale() -> None:
    """From half the deadline on, whatever keeps the session alive; nothing moves, and no one is said to be down."""
    story = Story(memory())
    quiet = healthy("a", age_s=15.5, doubt_s=0.5)
    assert story.see(quiet, resting("b", 2)).connect == {"a", "b"}
    assert story.told == ["a is in doubt: trying b"]
    down = lost("b", 2, vain=1)
    for _ in range(5):
        decision = story.see(replace(quiet, age_s=20.0, doubt_s=5.0), down, after_s=2.0)
        assert decision.connect == {"a", "b"}
    assert story.told == ["a is in doubt: trying b"]
    assert story.see(healthy("a"), down, after_s=1.0).connect == {"a"}
    assert story.memory.active == "a"
