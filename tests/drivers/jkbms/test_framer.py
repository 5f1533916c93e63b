"""One invariant for hostile streams: every whole frame, no other, however the bytes are cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.drivers.jkbms.counters import JkCounters
from holdfast.drivers.jkbms.framer import (
    CUT_S,
    HEADER,
    REPLY_S,
    Ack,
    BusFramer,
    Frame,
    Framer,
    Poll,
    Reply,
    Unit,
    Waste,
    byte_sum,
)
from tests.drivers.jkbms.captures import (
    ABOUT,
    ABOUT_FRAME,
    LIVE,
    LIVE_FRAME,
    SETTINGS,
    answer_of,
    changed,
    frame_of,
    poll_of,
    reply_of,
    sealed,
)

LONGEST_WAIT = 308
"""A frame with a stray zero and seven bytes of its reply."""
ACK = bytes.fromhex("aa5590ebc8010100000000000000000000000044")

CUTS = st.lists(st.integers(0, 4000), max_size=12)
ADDRESSES = st.integers(0, 15)
KINDS = st.sampled_from([LIVE, SETTINGS, ABOUT])
UNITS = st.one_of(
    st.builds(poll_of, ADDRESSES, KINDS),
    st.builds(answer_of, ADDRESSES, KINDS),
    st.builds(frame_of, ADDRESSES, KINDS),
    st.builds(reply_of, ADDRESSES, KINDS),
)
JUNK = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"AT\r\n", b"\0", HEADER, HEADER + b"\x02", ACK, poll_of(3)[:6], reply_of(3)[:7]]),
    st.builds(lambda unit, size: unit[:size], UNITS, st.integers(0, 299)),
)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    points = sorted({cut % (len(data) + 1) for cut in cuts})
    return [data[a:b] for a, b in itertools.pairwise([0, *points, len(data)])]


def heard(framer: Framer, data: bytes, cuts: list[int]) -> list[Unit]:
    units: list[Unit] = []
    for piece in pieces(data, cuts):
        units += framer.feed(piece)
        assert len(framer._buffer) <= LONGEST_WAIT
    return units + framer.flush()


def bus() -> BusFramer:
    return BusFramer(JkCounters())


def whole(units: list[Unit]) -> list[Unit]:
    return [unit for unit in units if not isinstance(unit, Waste)]


def frames(units: list[Unit]) -> list[bytes]:
    return [unit.data for unit in units if isinstance(unit, Frame)]


@given(st.lists(st.one_of(UNITS, JUNK), max_size=12).map(b"".join), CUTS)
def test_cutting_changes_nothing(data: bytes, cuts: list[int]) -> None:
    """The same bytes give the same units, with the same neighbours, and the same counts."""
    one, other = bus(), bus()
    assert whole(heard(one, data, cuts)) == whole(heard(other, data, []))
    assert one._counters == other._counters
    assert one._counters.bytes == len(data)


@given(st.lists(UNITS, max_size=12), CUTS)
def test_units_alone_come_out_whole(sent: list[bytes], cuts: list[int]) -> None:
    """No junk, no byte lost."""
    framer = bus()
    units = heard(framer, b"".join(sent), cuts)
    assert not [unit for unit in units if isinstance(unit, Waste)]
    assert frames(units) == [unit[:300] for unit in sent if len(unit) >= 300]
    polls = [unit.data for unit in units if isinstance(unit, Poll)]
    assert polls == [unit for unit in sent if len(unit) == 11]
    assert framer._counters.junk_bytes == 0


@given(st.lists(st.tuples(JUNK, ADDRESSES, KINDS), max_size=6), CUTS)
def test_junk_costs_no_frame(sent: list[tuple[bytes, int, int]], cuts: list[int]) -> None:
    """False headers, cut frames and noise in front of whole answers: each of them comes, with its reply."""
    data = b"".join(junk + answer_of(address, kind) for junk, address, kind in sent)
    units = [unit for unit in heard(bus(), data, cuts) if isinstance(unit, Frame) and unit.reply]
    asked = [(frame_of(address, kind), (address, kind)) for _, address, kind in sent]
    got = [(unit.data, tuple(unit.reply)) for unit in units if unit.reply]
    remaining = iter(got)
    assert all(each in remaining for each in asked)


@given(st.binary(max_size=1500), CUTS)
def test_garbage_gives_nothing(noise: bytes, cuts: list[int]) -> None:
    """No exception, no frame, every byte accounted for, nothing kept, and the next answer comes."""
    for framer in (bus(), Framer(JkCounters())):
        heard(framer, noise, cuts)
        assert not framer.is_partial
        assert framer._counters.junk_bytes <= framer._counters.bytes == len(noise)
        assert frames(heard(framer, answer_of(3), cuts)) == [LIVE_FRAME]


@given(st.binary(min_size=1, max_size=300).map(lambda tail: HEADER + tail), CUTS)
def test_a_frame_behind_a_false_header(front: bytes, cuts: list[int]) -> None:
    """Only the header of what is no frame is dropped."""
    assert frames(heard(bus(), front + answer_of(3), cuts))[-1] == LIVE_FRAME


@pytest.mark.parametrize("size", range(1, 300))
def test_a_frame_behind_a_cut_one(size: int) -> None:
    """Cut anywhere, with or without a pause behind it."""
    framer = bus()
    assert frames(heard(framer, ABOUT_FRAME[:size] + answer_of(3), [])) == [LIVE_FRAME]
    framer = bus()
    heard(framer, ABOUT_FRAME[:size], [])
    assert frames(heard(framer, answer_of(3), [])) == [LIVE_FRAME]


def test_a_cut_frame_whose_sum_fits_by_chance() -> None:
    """One in 256: the frame that begins within it is the true one."""
    for framer in (bus(), Framer(JkCounters())):
        front = bytearray(ABOUT_FRAME[:256])
        front[200] = (front[200] + LIVE_FRAME[43] - byte_sum(bytes(front) + LIVE_FRAME[:44])) & 0xFF
        assert byte_sum(bytes(front) + LIVE_FRAME[:44]) == LIVE_FRAME[43]
        assert frames(heard(framer, bytes(front) + LIVE_FRAME + reply_of(3), [])) == [LIVE_FRAME]
        assert framer._counters.cut == 1


def test_a_frame_that_contains_a_header_by_chance() -> None:
    """Its reply proves it."""
    data = changed(LIVE_FRAME, 100, HEADER)
    assert frames(heard(bus(), data + reply_of(3), [])) == [data]


def test_what_is_wrong_is_said_and_counted() -> None:
    """Sum, type, cut, noise: each in one piece with its own word."""
    framer = bus()
    damaged = LIVE_FRAME[:299] + bytes((LIVE_FRAME[299] ^ 1,))
    assert framer.feed(damaged) == [Waste("sum", damaged)]
    strange = sealed(LIVE_FRAME[:4] + b"\x05" + LIVE_FRAME[5:])
    assert framer.feed(strange) == [Waste("type", strange)]
    assert framer.feed(b"more") == [Waste("type", b"more")]  # still what began with the strange one
    assert framer.feed(LIVE_FRAME[:256]) == []
    assert framer.flush() == [Waste("cut", LIVE_FRAME[:256])]
    assert framer.feed(b"AT") == [Waste("noise", b"AT")]
    counters = framer._counters
    assert (counters.bad_sums, counters.bad_types, counters.cut) == (1, 1, 1)
    assert counters.junk_bytes == 600 + 4 + 256 + 2


def test_what_may_begin_a_unit_is_kept() -> None:
    """Up to ten bytes at the end of junk, and no more than can be a beginning."""
    for unit in (poll_of(7, SETTINGS), reply_of(7, ABOUT), LIVE_FRAME):
        for size in range(1, min(len(unit), 11)):
            framer = bus()
            assert framer.feed(b"\xfe\xfd" + unit[:size]) == [Waste("noise", b"\xfe\xfd")]
            assert framer.is_partial
            assert whole(framer.feed(unit[size:]) + framer.flush()) == whole(
                heard(bus(), b"\xfe\xfd" + unit, [])
            )


def test_when_silence_counts() -> None:
    """A whole frame waits 0.2 s for its reply, a cut one 0.5 s for its rest."""
    framer = bus()
    assert (framer.gap_s, framer.is_partial) == (CUT_S, False)
    framer.feed(LIVE_FRAME[:299])
    assert (framer.gap_s, framer.is_partial) == (CUT_S, True)
    framer.feed(LIVE_FRAME[299:])
    assert (framer.gap_s, framer.is_partial) == (REPLY_S, True)
    framer.feed(reply_of(3)[:4])
    assert (framer.gap_s, framer.is_partial) == (REPLY_S, True)
    assert [type(unit) for unit in framer.feed(reply_of(3)[4:])] == [Frame]
    assert (framer.gap_s, framer.is_partial) == (CUT_S, False)


def test_a_frame_without_reply_does_not_wait_for_one_that_cannot_come() -> None:
    """What follows it shows that there is none; what begins there is kept whole."""
    for behind in (HEADER, poll_of(3)[:8], b"AT", b"\0\0\0"):
        framer = bus()
        assert frames(framer.feed(LIVE_FRAME + behind)) == [LIVE_FRAME]


def test_a_lone_reply() -> None:
    """Its frame was damaged."""
    assert heard(bus(), reply_of(3), []) == [Reply((3, LIVE))]  # type: ignore[arg-type]


def test_calls_of_addresses_that_cannot_be() -> None:
    """Sixteen and more are junk, with whatever CRC."""
    framer = bus()
    assert whole(heard(framer, b"\x10" + poll_of(3)[1:], [])) == []
    assert framer._counters.junk_bytes == 11


def test_bluetooth_frames_and_answers() -> None:
    """No polls and replies there; the log book is known, and nothing is waited for behind a frame."""
    framer = Framer(JkCounters())
    book = sealed(LIVE_FRAME[:4] + b"\x05" + LIVE_FRAME[5:])
    units = framer.feed(LIVE_FRAME + ACK + b"AT\r\n" + book)
    assert [type(unit) for unit in units] == [Frame, Ack, Waste, Frame]
    assert framer.feed(ACK[:19]) == []
    assert framer.is_partial
    assert framer.flush() == [Waste("noise", ACK[:19])]
    broken = ACK[:19] + b"\x45"
    assert framer.feed(broken) == [Waste("noise", broken)]


def test_kept_bytes_are_looked_at_with_the_next() -> None:
    """As after a login."""
    framer = bus()
    framer.keep(answer_of(3))
    assert framer.is_partial
    assert frames(framer.feed(b"")) == [LIVE_FRAME]
    assert framer._counters.bytes == 308


def test_the_quick_sum_is_the_sum() -> None:
    """For the largest and the smallest, too."""
    for data in (LIVE_FRAME, ABOUT_FRAME, bytes(300), b"\xff" * 300):
        assert byte_sum(data) == sum(data[:299]) & 0xFF


def test_its_words_tell_no_secrets() -> None:
    """Device info holds passcodes."""
    framer = bus()
    assert repr(framer) == "<BusFramer 0 bytes waiting>"
    (unit,) = heard(framer, frame_of(3, ABOUT), [])
    assert repr(unit) == "<Frame about at 0 reply=None poll=None>"
