"""The history of what each array was attached to."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from holdfast.store.attachments import Attachment, attachment_change

_steps = st.lists(
    st.tuples(
        st.integers(0, 5), st.dictionaries(st.sampled_from("ab"), st.sampled_from(["one", "two"]), max_size=2)
    ),
    max_size=12,
)


@given(_steps)
def test_the_history_is_without_overlap_and_ends_with_what_holds_now(
    steps: list[tuple[int, dict[str, str]]],
) -> None:
    """However the wall clock jumps."""
    history: dict[tuple[str, int], Attachment] = {}
    attached: dict[str, str] = {}
    for at, attached in steps:
        change = attachment_change(history.values(), attached, at)
        for each in change.closed:
            assert history[each.array_id, each.attached_since].detached_at is None
            history[each.array_id, each.attached_since] = each
        for each in change.added:
            assert (each.array_id, each.attached_since) not in history
            history[each.array_id, each.attached_since] = each
    assert {
        each.array_id: each.attached_to for each in history.values() if each.detached_at is None
    } == attached
    for array in "ab":
        mine = sorted(
            (each for each in history.values() if each.array_id == array),
            key=lambda each: each.attached_since,
        )
        for earlier, later in itertools.pairwise(mine):
            assert earlier.detached_at is not None
            assert earlier.attached_since < earlier.detached_at <= later.attached_since


def test_what_stays_attached_is_left_alone() -> None:
    held = Attachment(array_id="a", attached_to="one", attached_since=3)
    change = attachment_change([held], {"a": "one"}, 9)
    assert (change.closed, change.added) == ([], [])


def test_an_array_that_is_gone_is_detached() -> None:
    held = Attachment(array_id="a", attached_to="one", attached_since=3)
    change = attachment_change([held], {}, 9)
    assert [each.detached_at for each in change.closed] == [9]
    assert change.added == []
