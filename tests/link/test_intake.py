"""Intake by itself: what is rejected, what passes as suspect, what only warns, and when each of them ends."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from holdfast.link.intake import INTERVALS, REPEATS, Intake
from holdfast.model import Capability, Reject, Sanity, Value, ValueType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

VOLTS = Sanity(10.0, 60.0, jump=5.0)
AMPS = Sanity(-100.0, 100.0)


def capability(key: str, sanity: Sanity | None = None, unit: str = "") -> Capability:
    return Capability(key=key, type=ValueType.NUMBER, unit=unit, sanity=sanity)


class Group:
    """What evidence does with an intake: one batch a second, and the last believed values remembered."""

    def __init__(self, **limits: Sanity) -> None:
        self.intake = Intake.of([capability(key, sanity) for key, sanity in limits.items()], 1.0)
        self.believed: Mapping[str, Value] = {}
        self.now = 100.0

    def hear(self, **values: Value) -> Reject | None:
        return self.hear_after(1.0, values)

    def hear_after(self, seconds: float, values: Mapping[str, Value]) -> Reject | None:
        self.now += seconds
        why = self.intake.judge(values, self.believed, self.now)
        if why is None:
            self.believed = values
        return why

    def verdicts(self, key: str, values: Iterable[Value]) -> str:
        """One letter a batch: ``.`` believed, ``s`` believed as suspect, ``x`` rejected."""
        said = ""
        for value in values:
            why = self.hear(**{key: value})
            said += "x" if why else "s" if key in self.intake.suspects else "."
        return said


# --- limits -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "verdicts"),
    [
        pytest.param([50, 52, 47, 10, 60], "...xx", id="each step counts from the last believed value"),
        pytest.param([50, 99, 50, 99, 99, 50], ".x.xx.", id="one-offs and pairs are rejected"),
        pytest.param([50, 99, 99, 99, 99], ".xxss", id="an extreme is believed when it has come three times"),
        pytest.param([50, 99, 99, 99, 99, 50, 50, 50, 50], ".xxssxxs.", id="so is the way back, if it is a jump"),
        pytest.param([50, 20, 20, 20, 20], ".xxs.", id="a step to a new level is suspect once"),
        pytest.param([50, 20, 21, 22, 23], ".xxs.", id="the new level may move on"),
        pytest.param([50, 20, 30, 40, 41, 42], ".xxxxs", id="jumps that disagree prove nothing"),
        pytest.param([50, 20, 50, 20, 50, 20], ".x.x.x", id="quick changes between two levels are one-offs"),
        pytest.param([50, *[20] * 4, *[50] * 4], ".xxs.xxs.", id="slow changes between two levels pass"),
        pytest.param([58, 62, 66, 70, 74], ".xxss", id="an extreme may drift"),
        pytest.param([58, 62, 70, 78, 86], ".xxxx", id="not faster than values may change"),
        pytest.param([50, 99, 99, 99, 5000, 99, 99], ".xxsxss", id="damage among believed extremes costs one batch"),
        pytest.param([50, 99, 99, 99, 5000, 99, 5000], ".xxsxsx", id="and its repetitions are not in a row"),
        pytest.param([50, 61, 59, 61, 59], ".xxs.", id="a new level may lie across the limit"),
        pytest.param([99, None, 99, 99, 99], "x.xxs", id="what vanishes begins again"),
        pytest.param([50, None, 20, 21], "....", id="from nothing there is no jump"),
        pytest.param([99, 99, 99, None, 50], "xxs..", id="a suspicion vanishes with its value"),
        pytest.param([50, math.nan] + [math.nan] * 5 + [50], ".xxxxxx.", id="not a number never passes"),
        pytest.param([50, math.inf, math.inf, math.inf, math.inf], ".xxxx", id="nor does the infinite"),
        pytest.param([50, 10**400, 10**400, 10**400, 20, 20, 20], ".xxxxxs", id="nor what no float holds"),
        pytest.param([50, 57, 57, 57, 62, 57], ".xxsx.", id="a believed step proves nothing of what comes next"),
        pytest.param([50, 10**400, 20.0, 20.0, 20.0], ".xxxs", id="and it spoils no sum"),
        pytest.param([50, 99, math.nan, 99, 99, 99], ".xxxxs", id="and it breaks the row"),
        pytest.param(["off", True, ("a",), None, False, 50], "......", id="only numbers have limits"),
    ],
)  # fmt: skip
def test_what_happens_to_a_row_of_values(values: Sequence[Value], verdicts: str) -> None:
    """Rejected at first, suspect when it repeats consistently, plain when it is within its limits."""
    assert Group(volts=VOLTS).verdicts("volts", values) == verdicts


@pytest.mark.parametrize(
    ("sanity", "values", "verdicts"),
    [
        (Sanity(minimum=0), [-1, -5000, -70], "xxs"),
        (Sanity(maximum=9), [10, 5000, 70], "xxs"),
        (Sanity(0, 100), [255, 65535, 255, 30000, 255], "xxxxx"),
        (Sanity(0, 100), [255, 200, 240], "xxs"),
        (Sanity(0, 100), [-1, 101, -1], "xxx"),
        (Sanity(0, 100), [255, 255, 255, 65535, 255], "xxsxs"),
        (Sanity(jump=1), [5, 6, 8, 8, 8, 8], "..xxs."),
        (Sanity(7, 7), [7, 8, 8, 8], ".xxs"),
    ],
)
def test_extremes_agree_within_a_jump_or_else_the_width_of_the_range(
    sanity: Sanity, values: Sequence[Value], verdicts: str
) -> None:
    """Where no jump is declared, damage still has to hit about the same value three times."""
    assert Group(volts=sanity).verdicts("volts", values) == verdicts


def test_a_number_without_limits_must_still_be_one() -> None:
    """Not a number and the infinite are no values, whatever was declared; everything else is."""
    intake = Intake.of([capability("free")], 1.0)
    for t, value in enumerate([1, 1e300, -(10**300), "off", True, None, 0.0]):
        assert intake.judge({"free": value}, {"free": 5}, t) is None
    for t, (value, text) in enumerate(
        [(math.nan, "nan: not a number"), (-math.inf, "infinite: no measurement")] * 4
    ):
        assert intake.judge({"free": value}, {}, t) == Reject("sanity", f"free is {text}")


def test_what_is_no_number_and_has_no_limits_is_not_judged() -> None:
    """A word, or a value nobody declared, is none of intake's business."""
    intake = Intake.of([Capability(key="word", type=ValueType.TEXT)], 1.0)
    assert intake.judge({"word": math.nan, "other": math.nan}, {}, 0.0) is None


def test_a_text_that_becomes_a_number_is_no_jump() -> None:
    """Only two numbers have a distance; a switch counts as none."""
    for last in (True, "off", None, 10**400):
        intake = Intake.of([capability("volts", VOLTS)], 1.0)
        assert intake.judge({"volts": 30.0}, {"volts": last}, 0.0) is None


def test_rejects_and_suspicions_say_what_is_wrong_in_words() -> None:
    """With the value, its unit, and the limit."""
    intake = Intake.of([capability("hot", Sanity(-40, 90, jump=30), "°C")], 5.0)
    why = intake.judge({"hot": 120}, {}, 0.0)
    assert why == Reject("sanity", "hot is 120 °C: above 90")
    assert intake.judge({"hot": -41}, {}, 0.0) == Reject("sanity", "hot is -41 °C: below -40")
    assert intake.judge({"hot": 60}, {"hot": 20}, 0.0) == Reject("sanity", "hot is 60 °C: a jump from 20")
    for t in range(3):
        intake.judge({"hot": 120}, {}, t)
    assert intake.suspicions == {"hot": "120 °C is above 90 and has come 3 times"}
    for t in range(4, 7):
        intake.judge({"hot": 20}, {"hot": 80}, t)
    assert intake.suspicions == {"hot": "20 °C is a jump from 80 and has come 3 times"}


def test_the_window_runs_from_one_batch_to_the_next() -> None:
    """Where most frames are lost a real extreme is still seen; after a long silence the count begins anew."""
    group = Group(volts=VOLTS)
    assert group.hear(volts=99)
    assert group.hear_after(INTERVALS, {"volts": 99})
    assert not group.hear_after(INTERVALS, {"volts": 99})
    group = Group(volts=VOLTS)
    for _ in range(6):
        assert group.hear_after(INTERVALS + 0.1, {"volts": 99})
    assert not group.intake.suspects


def test_an_extreme_that_was_believed_stays_believed_through_lost_batches() -> None:
    """As long as what is shown is recent, the same extreme need not prove itself again."""
    group = Group(volts=VOLTS)
    assert group.verdicts("volts", [99, 99, 99]) == "xxs"
    assert group.hear_after(INTERVALS * 2, {"volts": 97}) is None
    group.believed = {}  # nor while it keeps coming
    assert group.hear(volts=96) is None
    group.believed = {}  # not recent any more
    assert group.hear_after(INTERVALS * 2, {"volts": 97})


def test_a_believed_extreme_that_nobody_suspected_proves_itself_first() -> None:
    """Limits that are learned later do not turn what was believed before into something proven."""
    intake = Intake.of([], 1.0)
    assert intake.judge({"volts": 99}, {}, 0.0) is None
    intake.add([capability("volts", VOLTS)])
    assert [intake.judge({"volts": 99}, {"volts": 99}, t) is None for t in range(3)] == [False, False, True]


def test_a_batch_is_believed_whole_or_not_at_all() -> None:
    """A proven extreme does not carry another value's damage with it, and keeps its proof meanwhile."""
    group = Group(volts=VOLTS, amps=AMPS)
    heard = [(99, 0), (99, 0), (99, 900), (99, 0), (99, -900), (99, 0)]
    assert [group.hear(volts=volts, amps=amps) is None for volts, amps in heard] == [
        False, False, False, True, False, True,
    ]  # fmt: skip
    assert group.intake.suspects == {"volts"}


def test_a_row_is_broken_by_one_good_value_also_in_a_batch_that_is_bad() -> None:
    """In a row means in every batch, whatever else was wrong with it."""
    group = Group(volts=VOLTS, amps=AMPS)
    heard = [(99, 0), (99, 0), (50, 900), (99, 0), (99, 0), (99, 0)]
    said = [group.hear(volts=volts, amps=amps) is None for volts, amps in heard]
    assert said == [False] * 5 + [True]


def test_others_may_move_on_while_one_extreme_is_being_rejected() -> None:
    """Their steps are counted from where they were last seen: no key outruns its limit because of another."""
    keys = {f"slow{k}": Sanity(jump=1.0 + k) for k in range(8)}
    group = Group(hot=Sanity(0, 90), **keys)
    for n in range(3):
        assert group.hear(hot=50, **dict.fromkeys(keys, 0.9 * n)) is None
    said = [group.hear(hot=120, **dict.fromkeys(keys, 0.9 * n)) is None for n in range(3, 7)]
    assert said == [False, False, True, True]
    assert group.intake.suspects == {"hot"}


def test_what_was_passed_over_counts_only_in_the_batch_after() -> None:
    """A value from a rejected batch excuses no jump once a later batch was believed; nor does one at fault."""
    group = Group(volts=VOLTS, amps=AMPS)
    assert group.hear(volts=30, amps=0) is None
    assert group.hear(volts=34, amps=math.nan)
    assert group.hear(volts=38, amps=0) is None
    assert group.hear(volts=34, amps=math.nan)
    assert (
        group.hear(volts=30, amps=0) is None
    )  # eight below the last believed, four below what was passed over
    assert group.hear(volts=38, amps=0)
    assert group.hear(volts=42, amps=0)


def test_suspicions_are_replaced_only_when_they_change() -> None:
    """A caller compares by identity and raises one alarm, however long the extreme stays and drifts."""
    group = Group(volts=VOLTS, amps=AMPS)
    at_first = group.intake.suspicions
    group.hear(volts=50, amps=0)
    assert group.intake.suspicions is at_first
    for k in range(REPEATS):
        group.hear(volts=70 + k, amps=0)
    first = group.intake.suspicions
    assert first == {"volts": "72 is above 60 and has come 3 times"}
    for k in range(5):
        assert group.hear(volts=72 - k, amps=0) is None
    assert group.hear(volts=68, amps=300)
    assert group.intake.suspicions is first
    for _ in range(2):
        group.hear(volts=68, amps=300)
    assert group.intake.suspicions.keys() == {"volts", "amps"} == group.intake.suspects
    group.hear(volts=68, amps=0)
    assert group.intake.suspicions == first


def test_settled_means_that_an_equal_batch_changes_nothing() -> None:
    """The hot path may skip equal batches only when nothing is being counted or about to end."""
    group = Group(volts=VOLTS, amps=AMPS)
    settled = []
    for volts, amps in [(50, 0), (20, 0), (20, 0), (20, 0), (20, 0), (20, math.nan), (20, 0)]:
        group.hear(volts=volts, amps=amps)
        settled.append(group.intake.is_settled)
    assert settled == [True, False, False, False, True, False, True]


# --- learning more ----------------------------------------------------------------------------------------------


def test_capabilities_learned_later_are_judged_too() -> None:
    """Cells found in the first frame; what is being counted for the others goes on."""
    intake = Intake.of([capability("volts", VOLTS)], 1.0)
    for t in range(2):
        assert intake.judge({"volts": 99, "amps": 900}, {}, t)
    intake.add([capability("volts", VOLTS), capability("amps", AMPS)])
    assert [intake.judge({"volts": 99, "amps": 900}, {}, 2 + t) is None for t in range(3)] == [
        False,
        False,
        True,
    ]
    assert intake.suspects == {"volts", "amps"}


def test_what_is_declared_anew_is_judged_anew() -> None:
    """Old limits, counts and warnings go; the same declaration again changes nothing."""
    group = Group(volts=VOLTS, one=Sanity(frozen_s=1, counter="n"))
    for n in range(3):
        group.hear(volts=99, one=5, n=n)
    group.hear(volts=50, one=5, n=4)
    for n in range(4):
        group.hear(volts=50, one=5, n=n)
    warned = group.intake.warnings
    assert warned.keys() == {"one"}
    group.intake.add([capability("one", Sanity(frozen_s=1, counter="n"))])
    group.intake.add([capability("more")])
    assert group.intake.warnings is warned
    group.intake.add([Capability(key="volts", type=ValueType.TEXT), capability("one")])
    assert not group.intake.warnings
    assert group.hear(volts=9999, one=5) is None


def test_new_limits_count_from_nothing() -> None:
    """Extremes that came under the old limits prove nothing under the new ones; a pair's distance is the new one."""
    group = Group(volts=VOLTS)
    assert group.verdicts("volts", [99, 99]) == "xx"
    group.intake.add([capability("volts", Sanity(10.0, 70.0))])
    assert group.verdicts("volts", [99, 99, 99]) == "xxs"
    group = Group(**PAIR)
    group.intake.add([capability("one", Sanity(independent_of=("two",), apart=20))])
    assert (
        warned_at(group, "one", [{"one": one, "two": 30} for one in (20, 30, 30, 30, 9, 30, 30, 30)])
        == ".......w"
    )


def test_a_pair_outlives_a_new_declaration_of_its_partner() -> None:
    """While either sensor names the other they stay under watch."""
    pair = {"one": Sanity(independent_of=("two",), apart=1), "two": Sanity(independent_of=("one",), apart=1)}
    group = Group(**pair)
    group.intake.add([capability("one")])
    for one, two in [(5, 8), (8, 8), (8, 8), (8, 8)]:
        group.hear(one=one, two=two)
    assert group.intake.warnings.keys() == {"two"}


# --- warnings ---------------------------------------------------------------------------------------------------


def warned_at(group: Group, key: str, batches: Iterable[Mapping[str, Value]]) -> str:
    """One letter a batch: ``w`` while there is a warning for ``key``; nothing may be rejected."""
    said = ""
    for batch in batches:
        assert group.hear(**batch) is None
        said += "w" if key in group.intake.warnings else "."
    return said


PAIR = {"one": Sanity(independent_of=("two",), apart=2.0)}


@pytest.mark.parametrize(
    ("pairs", "warned"),
    [
        pytest.param(
            [(20, 30), (30, 30), (30, 30), (30, 30), (31, 31)], "...ww", id="one takes the other's value"
        ),
        pytest.param([(20, 30), (25, 25), (26, 26), (27, 27)], "...w", id="both take a third"),
        pytest.param([(20, 30), *[(30, 30)] * 4, (30, 30.1), (30, 30)], "...ww..", id="until they differ"),
        pytest.param(
            [(20, 30), (30, 30), (30, 30), (20, 30), (30, 30)], ".....", id="a short meeting is none"
        ),
        pytest.param([(28, 30), *[(30, 30)] * 5], "......", id="sensors that are near meet"),
        pytest.param(
            [(20, 30), (25, 30), (29, 30), *[(30, 30)] * 5], "........", id="sensors that come near meet"
        ),
        pytest.param([(30, 30)] * 6, "......", id="equal from the first"),
        pytest.param([(20, 30), (None, None), *[(30, 30)] * 4], "......", id="what vanished did not jump"),
        pytest.param([(20, 30), *[(30, 30)] * 3, (30, None), (30, 30)], "...w..", id="what vanishes differs"),
        pytest.param([(True, 30), *[(True, True)] * 4], ".....", id="switches are no sensors"),
        pytest.param([(20, 30), *[(1, True)] * 4], ".....", id="and equal no number"),
        pytest.param([(20, 30), *[(True, 1)] * 4], ".....", id="nor are they equalled by one"),
        pytest.param([("a", 30), *[(30, 30)] * 4], ".....", id="words have no distance"),
        pytest.param([(20, "a"), *[(30, 30)] * 4], ".....", id="on either side"),
    ],
)
def test_two_independent_sensors_that_are_suddenly_one(
    pairs: Sequence[tuple[Value, Value]], warned: str
) -> None:
    """From far apart to exactly equal in one step, and for three batches: nothing is rejected, all is told."""
    assert warned_at(Group(**PAIR), "one", [{"one": one, "two": two} for one, two in pairs]) == warned


def test_a_batch_that_is_not_recent_says_nothing_of_a_step() -> None:
    """After a gap two sensors may have met slowly."""
    group = Group(**PAIR)
    group.hear(one=20, two=30)
    group.believed = {}
    assert warned_at(group, "one", [{"one": 30, "two": 30}] * 5) == "....."


def test_a_pair_is_warned_of_once_and_each_pair_by_itself() -> None:
    """Two that name each other are one pair; a third makes a second text under the same key."""
    group = Group(
        one=Sanity(independent_of=("two", "three"), apart=1), two=Sanity(independent_of=("one",), apart=1)
    )
    group.hear(one=5, two=7, three=9)
    for _ in range(REPEATS):
        group.hear(one=9, two=7, three=9)
    text = "one and three measure different things and have suddenly become exactly equal"
    assert group.intake.warnings == {"one": text}
    for _ in range(REPEATS):
        group.hear(one=9, two=9, three=9)
    assert group.intake.warnings == {"one": text.replace("three", "two") + "; " + text}


def test_a_pair_that_is_being_counted_is_not_settled() -> None:
    """Equal batches must be judged until the count is full."""
    group = Group(**PAIR)
    settled = []
    for one in (20, 30, 30, 30, 30):
        group.hear(one=one, two=30)
        settled.append(group.intake.is_settled)
    assert settled == [True, False, False, True, True]


FROZEN = {"amps": Sanity(frozen_s=3, counter="n")}


@pytest.mark.parametrize(
    ("batches", "warned"),
    [
        pytest.param([(5, n) for n in range(6)], "...www", id="for long enough, from the first batch"),
        pytest.param([(n % 2, n) for n in range(6)], "......", id="what changes is alive"),
        pytest.param(
            [(5, 0), (5, 1), (5, 2), (6, 3), (6, 4), (6, 5), (6, 6)], "......w", id="a change begins anew"
        ),
        pytest.param([*((5, n) for n in range(5)), (6, 6), (6, 7)], "...ww..", id="the next change ends it"),
        pytest.param(
            [*((5, n) for n in range(4)), (5, 3), (5, 3), (6, 4)],
            "...www.",
            id="not when the counter stops after all",
        ),
        pytest.param([(5, 0)] * 8, "........", id="both stand still: a quiet device"),
        pytest.param([(5, 0), (5, 1), *[(5, 2)] * 6], "........", id="the counter stopped too"),
        pytest.param(
            [(5, 0), (5, 0), (5, 0), (5, 0), (5, 0), (5, 1), (5, 1)], ".....ww", id="a slow counter"
        ),
        pytest.param([(5, n) for n in (3, 2, 1, 0)], "...w", id="a counter may go back"),
        pytest.param([(5, None)] * 6, "......", id="a counter that is absent does not move"),
        pytest.param([*[(5, None)] * 5, (5, 7), (5, 8)], "......w", id="nor does it by coming"),
        pytest.param([(None, n) for n in range(6)], "......", id="nothing cannot freeze"),
        pytest.param(
            [*((5, n) for n in range(4)), (None, 4), (5, 5), (5, 6)], "...w...", id="to vanish is a change"
        ),
    ],
)
def test_a_value_that_stands_still_while_its_counter_goes_on(
    batches: Sequence[tuple[Value, Value]], warned: str
) -> None:
    """It warns, it rejects nothing, and it needs a counter that moves to tell a dead sensor from a quiet device."""
    assert warned_at(Group(**FROZEN), "amps", [{"amps": amps, "n": n} for amps, n in batches]) == warned


def test_a_frozen_value_is_told_in_words_once() -> None:
    """The mapping stays the same object from the beginning to the end of the warning."""
    group = Group(**FROZEN)
    seen = [group.intake.warnings]
    for amps, n in [*((5, n) for n in range(9)), (6, 10)]:
        group.hear(amps=amps, n=n)
        if group.intake.warnings is not seen[-1]:
            seen.append(group.intake.warnings)
    assert seen == [{}, {"amps": "amps has not changed for 3 s while n went on"}, {}]


def test_time_without_batches_is_no_time_of_standing_still() -> None:
    """After a gap the time begins anew; a warning that stands goes on until the value changes."""
    group = Group(**FROZEN)
    assert warned_at(group, "amps", [{"amps": 5, "n": 0}, {"amps": 5, "n": 1}]) == ".."
    group.believed, group.now = {}, group.now + 3600
    assert warned_at(group, "amps", [{"amps": 5, "n": n} for n in range(2, 7)]) == "...ww"
    group.believed, group.now = {}, group.now + 3600
    assert warned_at(group, "amps", [{"amps": 5, "n": 7}, {"amps": 6, "n": 8}]) == "w."


def test_a_rejected_batch_neither_begins_nor_ends_a_warning() -> None:
    """What is not believed proves nothing, not even that a sensor moves."""
    group = Group(amps=Sanity(-100, 100, frozen_s=3, counter="n"))
    for n in range(4):
        group.hear(amps=5, n=n)
    warned = group.intake.warnings
    assert group.hear(amps=900, n=5)
    assert group.intake.warnings is warned
    assert warned


# --- declarations -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"minimum": 5, "maximum": 4}, "minimum 5 is above maximum 4"),
        ({"minimum": math.nan, "maximum": 4}, "minimum nan"),
        ({"jump": 0}, "a jump is more than 0"),
        ({"independent_of": ("a",)}, "belong together"),
        ({"apart": 3}, "belong together"),
        ({"independent_of": ("a",), "apart": -1}, "apart is 0 or more"),
        ({"frozen_s": 3}, "belong together"),
        ({"counter": "n"}, "belong together"),
        ({"frozen_s": 0, "counter": "n"}, "more than 0 seconds"),
    ],
)
def test_a_declaration_that_cannot_be_meant_is_refused(fields: dict[str, object], words: str) -> None:
    """Half a declaration would be a check that silently never runs."""
    with pytest.raises(ValueError, match=words):
        Sanity(**fields)  # type: ignore[arg-type]


# --- properties -------------------------------------------------------------------------------------------------

SOUND = st.floats(-100, 100) | st.integers(-100, 100)
DAMAGED = st.floats(100.5, 1e300) | st.floats(-1e300, -100.5) | st.sampled_from([math.nan, math.inf, 10**400])
KEYS = ("a", "b", "c")


def rows(row: st.SearchStrategy[float], least: int, most: int) -> st.SearchStrategy[list[dict[str, Value]]]:
    return st.lists(st.fixed_dictionaries(dict.fromkeys(KEYS, row)), min_size=least, max_size=most)


@given(batches=rows(SOUND, 3, 12), data=st.data())
def test_a_single_damaged_value_is_never_believed(
    batches: list[dict[str, Value]], data: st.DataObject
) -> None:
    """Whatever the good batches around it hold; and they are all believed."""
    group = Group(**dict.fromkeys(KEYS, AMPS))
    where = data.draw(st.integers(0, len(batches) - 1))
    batches[where][data.draw(st.sampled_from(KEYS))] = data.draw(DAMAGED)
    for n, batch in enumerate(batches):
        assert (group.hear(**batch) is None) is (n != where)
        assert not group.intake.suspects


@given(sound=rows(SOUND, 0, 4), extreme=st.floats(100.5, 1e6) | st.floats(-1e6, -100.5), data=st.data())
def test_a_real_extreme_is_shown_by_its_third_batch(
    sound: list[dict[str, Value]], extreme: float, data: st.DataObject
) -> None:
    """And it is flagged for as long as it stays, while the other values do what they like within their limits."""
    group = Group(**dict.fromkeys(KEYS, AMPS))
    for batch in sound:
        assert group.hear(**batch) is None
    said = []
    for batch in data.draw(rows(SOUND, 6, 6)):
        why = group.hear(**{**batch, "a": extreme + data.draw(st.floats(0, 10)) * math.copysign(1, extreme)})
        said.append(why is None)
        assert group.intake.suspects == ({"a"} if why is None else set())
    assert said == [False, False, True, True, True, True]
    assert group.hear(**dict.fromkeys(KEYS, 0)) is None
    assert not group.intake.suspects


@given(
    start=st.floats(-50, 50),
    height=st.floats(-4.9, 4.9) | st.floats(-200, -5.1) | st.floats(5.1, 200),
    slopes=st.lists(st.floats(-4.9, 4.9), min_size=6, max_size=12),
)
def test_a_real_step_is_believed_by_its_third_batch_and_plain_after(
    start: float, height: float, slopes: list[float]
) -> None:
    """Also while the value moves on as fast as it may."""
    group = Group(a=Sanity(jump=5))
    assert group.verdicts("a", [start]) == "."
    values = [start + height]
    for slope in slopes:
        values.append(values[-1] + slope)
    if abs(height) <= 5:
        assert group.verdicts("a", values) == "." * len(values)
    else:
        assume(all(abs(value - start) > 5.001 for value in values[:3]))  # else it came back, and was no step
        assert group.verdicts("a", values) == "xxs" + "." * (len(values) - 3)


@given(values=st.lists(SOUND | DAMAGED | st.none() | st.booleans() | st.just("off"), max_size=40))
def test_whatever_comes_the_shown_value_keeps_to_the_limits_or_is_flagged(values: list[Value]) -> None:
    """No row of values gets anything past its limits unflagged, and nothing that is no measurement at all."""
    group = Group(a=Sanity(-100, 100, jump=50))
    believed: list[Value] = [None]
    for value in values:
        if group.hear(a=value) is None:
            believed.append(value)
            if isinstance(value, bool) or not isinstance(value, int | float):
                assert not group.intake.suspects
                continue
            assert math.isfinite(value)
            last = believed[-2]
            is_near = isinstance(last, bool) or not isinstance(last, int | float) or abs(value - last) <= 50
            assert bool(group.intake.suspects) or (-100 <= value <= 100 and is_near)


@given(values=rows(st.integers(-3, 3) | st.integers(-100, 100), 1, 30), data=st.data())
def test_believed_batches_do_not_depend_on_what_is_warned_of(
    values: list[dict[str, Value]], data: st.DataObject
) -> None:
    """Warnings never reject: with and without them the verdicts are the same."""
    limits = Sanity(-90, 90, jump=60)
    watched = Sanity(-90, 90, jump=60, independent_of=("b", "c"), apart=1, frozen_s=2, counter="c")
    plain, warned = Group(a=limits, b=limits), Group(a=watched, b=limits)
    for batch in values:
        after_s = data.draw(st.sampled_from([0.0, 1.0, 3.0]))
        assert plain.hear_after(after_s, batch) == warned.hear_after(after_s, batch)


@given(
    held=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 12)), min_size=1, max_size=8),
)
def test_each_frozen_time_is_one_warning(held: list[tuple[int, int]]) -> None:
    """As many beginnings as there are times of three seconds and more, and each ends with the value's change."""
    assume(all(one != other for (one, _), (other, _) in pairwise(held)))
    group = Group(**FROZEN)
    runs = [value for value, batches in held for _ in range(batches)]
    said = "." + warned_at(group, "amps", [{"amps": value, "n": n} for n, value in enumerate(runs)])
    assert said.count(".w") == sum(batches > 3 for _, batches in held)
    assert said.count("w") == sum(max(0, batches - 3) for _, batches in held)


@given(
    meetings=st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 6), st.sampled_from([1, 10])), min_size=1, max_size=6
    )
)
def test_each_sudden_meeting_is_one_warning(meetings: list[tuple[int, int, int]]) -> None:
    """As many beginnings as there are meetings from far apart that last, each over when the two differ again."""
    batches = [
        {"one": 20 + (0 if is_met else far), "two": 20}
        for apart, met, far in meetings
        for is_met in [False] * apart + [True] * met
    ]
    said = "." + warned_at(Group(**PAIR), "one", batches)
    lasting = [met for _, met, far in meetings if far > 2 and met >= REPEATS]
    assert said.count(".w") == len(lasting)
    assert said.count("w") == sum(met - REPEATS + 1 for met in lasting)


@given(values=st.lists(SOUND | DAMAGED, max_size=60))
def test_what_is_kept_is_bounded_and_settles(values: list[float]) -> None:
    """After any nonsense three plain batches leave nothing behind."""
    group = Group(**dict.fromkeys(KEYS, Sanity(-100, 100, jump=300)))
    for n, value in enumerate(values):
        group.hear(**{KEYS[n % 3]: value})
    for _ in range(4):
        group.hear(a=0, b=0, c=0)
    assert group.intake.is_settled
    assert not group.intake.suspicions
