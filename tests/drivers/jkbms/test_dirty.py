"""Damaged streams through the whole job into readings: no wrong battery, and wrong values only within their bounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.jkbms.bounds import BOUNDS, FLIPS, largest_error, table
from bench.jkbms.dirty import KINDS, dirty_run
from holdfast.drivers.jkbms.calls import LIVE
from holdfast.drivers.jkbms.codec import JkBusCodec
from holdfast.drivers.jkbms.framer import HEADER, byte_sum
from holdfast.link.intake import Intake
from holdfast.model import Batch
from tests.drivers.jkbms.captures import LIVE_FRAME, answer_of, poll_of, reply_of, sealed

FRAMES = 5_600
"""Of each of nine kinds of damage: fifty thousand in all."""
KEEP_THEIR_SUM = {FLIPS, "spliced", "everything"}
"""Kinds of damage that make a valid sum on purpose; with the others it fits in 1 of 256 cases, and little else does."""
SEEDS = (1, 2)
PAGE = Path(__file__).parents[3] / "docs" / "jkbms_damage.md"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_stream_shows_nothing_beyond_the_bounds(kind: str, seed: int) -> None:
    """After each transmission the values are those of the right battery; damage that no sum shows is bounded."""
    report = dirty_run(kind, FRAMES // len(SEEDS), seed)
    assert not report.breaches, report.text()
    assert report.sent == FRAMES // len(SEEDS)
    assert report.damaged > 0 or kind == "junk"
    assert report.settings == 0
    assert report.lost <= 2 * report.suspect, report.text()
    if kind not in KEEP_THEIR_SUM:
        assert report.wrong == 0, report.text()


def test_flips_that_keep_the_sum_do_get_through() -> None:
    """The listed class is not empty: what the bounds allow really happens, and lasts for that frame."""
    report = dirty_run(FLIPS, 2_000, 7)
    assert report.wrong > 0
    assert not report.breaches


def test_without_intake_the_judge_finds_the_breaches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge can fail: believing every good sum shows values far beyond the bounds."""
    monkeypatch.setattr(Intake, "judge", lambda *_: None)
    assert dirty_run(FLIPS, 1_000, 3).breaches
    assert dirty_run("spliced", 1_000, 3).breaches


def test_the_page_shows_the_bounds() -> None:
    """The table that a person reads is the one that is tested."""
    assert table() in PAGE.read_text("utf-8")


def test_the_bounds_are_of_one_mind() -> None:
    """Flips are never allowed more than bytes of another frame; what is never wrong is so under all damage."""
    for bound in BOUNDS:
        assert bound.flips <= bound.others
        assert (largest_error(FLIPS, bound.key, 0) == 0) is (bound.others == 0)


# --- single cases ---------------------------------------------------------------------------------------------------


def _heard(data: bytes) -> list[tuple[str, str]]:
    codec = JkBusCodec()
    events = [*codec.feed(data), *codec.flush()]
    return [(event.member, event.group) for event in events if isinstance(event, Batch)]


def test_a_frame_that_lost_as_much_as_follows_it_does_not_swallow_the_next() -> None:
    """20 bytes lost, 8 of the reply, 11 of the next poll, and the first of the next header: the sum fits by chance."""
    tail = reply_of(1) + poll_of(2) + HEADER[:1]
    cut = LIVE_FRAME[: 300 - len(tail)]
    # One byte in the middle makes the sum fit over what has moved up.
    wanted = tail[-1]
    body = bytearray(cut + tail[:-1])
    body[120] = (body[120] + wanted - byte_sum(bytes(body) + b"\0")) % 256
    whole = bytes(body) + tail[-1:]
    assert byte_sum(whole) == whole[-1]
    stream = poll_of(1) + whole[:-1] + answer_of(2) + poll_of(3) + answer_of(3)
    assert _heard(stream) == [("2", LIVE), ("3", LIVE)]


def test_a_frame_whose_sum_looks_like_a_header_is_still_one() -> None:
    """Its last byte is that of a header, and none follows."""
    frame = bytearray(LIVE_FRAME)
    frame[120] = (frame[120] + HEADER[0] - LIVE_FRAME[-1]) % 256
    whole = sealed(bytes(frame))
    assert whole[-1] == HEADER[0]
    assert _heard(poll_of(1) + whole) == [("1", LIVE)]
    assert _heard(poll_of(1) + whole + reply_of(1)) == [("1", LIVE)]


def test_settings_need_the_same_damage_twice() -> None:
    """A settings frame counts when it came twice alike; of thousands of damaged ones none is shown."""
    report = dirty_run("two bits", 1_000, 11)
    assert report.damaged > 400
    assert report.settings == 0
