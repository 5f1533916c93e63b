"""Whose frame it is: every way to be wrong about it."""

from __future__ import annotations

import pytest

from holdfast.drivers.jkbms.codec import JkBusCodec
from holdfast.model import Junk
from tests.drivers.jkbms.captures import (
    ABOUT,
    LIVE,
    LIVE_FRAME,
    SETTINGS,
    answer_of,
    batches,
    changed,
    frame_of,
    poll_of,
    reply_of,
    settings_frame,
)

KINDS = {LIVE: "live", SETTINGS: "settings", ABOUT: "about"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("address", range(16))
def test_the_reply_decides(address: int, kind: int) -> None:
    """Without a poll, and against one that asked somebody else."""
    assert batches(JkBusCodec(), answer_of(address, kind)) == [(str(address), KINDS[kind])]
    other = poll_of((address + 3) % 16, kind)
    assert batches(JkBusCodec(), other + answer_of(address, kind)) == [(str(address), KINDS[kind])]


@pytest.mark.parametrize("before", [b"", b"\0"])
@pytest.mark.parametrize("after", [b"", b"\0"])
@pytest.mark.parametrize("address", [0, 1, 15])
@pytest.mark.parametrize("size", [0, 1, 7, 256])
def test_a_reply_with_stray_zeros_around_it(address: int, before: bytes, after: bytes, size: int) -> None:
    """308, 309 and 310 bytes, as on different wirings; the zeros are no junk worth a word."""
    data = (frame_of(address, LIVE) + before + reply_of(address) + after) * 3
    codec = JkBusCodec()
    pieces = [data[at : at + size] for at in range(0, len(data), size)] if size else [data]
    events = [event for piece in pieces for event in codec.feed(piece)] + list(codec.flush())
    assert [getattr(event, "member", event) for event in events] == [str(address)] * 3
    assert codec.counters.replies == 3
    assert codec.counters.junk_bytes == 3 * len(after)


def test_the_master_after_the_poll_to_15() -> None:
    """The master's own frames follow an unanswered poll: they are 0's, and never 15's."""
    data = poll_of(14) + poll_of(15) + answer_of(0) + answer_of(0, SETTINGS)
    assert batches(JkBusCodec(), data) == [("0", "live"), ("0", "settings")]


def test_the_master_after_the_poll_to_15_without_its_replies() -> None:
    """The live frame is nobody's then; the settings frame says whose it is."""
    data = poll_of(15) + LIVE_FRAME + settings_frame(0)
    codec = JkBusCodec()
    assert batches(codec, data) == [("0", "settings")]
    assert codec.counters.unattributed == 1


def test_the_master_after_both_polls_to_15() -> None:
    """Newer firmware asks absent addresses for both: neither poll may claim the master's frames."""
    data = poll_of(15) + poll_of(15, SETTINGS) + LIVE_FRAME + settings_frame(0)
    assert batches(JkBusCodec(), data) == [("0", "settings")]
    assert batches(JkBusCodec(), poll_of(15, SETTINGS) + settings_frame(0)) == []


def test_a_real_battery_15_is_known_by_its_reply() -> None:
    """It is not mixed up with the master either way."""
    data = poll_of(15) + answer_of(15) + poll_of(15, SETTINGS) + answer_of(15, SETTINGS) + answer_of(0)
    assert batches(JkBusCodec(), data) == [("15", "live"), ("15", "settings"), ("0", "live")]


# --- without a reply ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("between", [b"", b"\0"])
def test_the_poll_directly_in_front(kind: int, between: bytes) -> None:
    """A stray zero is no unit."""
    assert batches(JkBusCodec(), poll_of(7, kind) + between + frame_of(7, kind)) == [("7", KINDS[kind])]


@pytest.mark.parametrize(
    "front",
    [
        b"",
        poll_of(7, SETTINGS),
        poll_of(7) + poll_of(8, SETTINGS),
        poll_of(7) + b"\xff",
        poll_of(7) + b"\0\0",
        poll_of(7) + reply_of(7),
        poll_of(7) + answer_of(8, ABOUT),
        poll_of(7) + b"\x55\xaa\xeb\x90",
        poll_of(7)[:-1] + b"\xff",
    ],
    ids=[
        "none",
        "other register",
        "another behind it",
        "junk",
        "zeros",
        "reply",
        "frame",
        "false header",
        "crc",
    ],
)
@pytest.mark.parametrize("size", [0, 1, 11])
def test_no_poll_that_can_be_believed(front: bytes, size: int) -> None:
    """A live frame without reply is nobody's unless the unit directly in front is a poll that fits."""
    codec = JkBusCodec()
    assert ("7", "live") not in batches(codec, front + LIVE_FRAME, size=size)
    assert codec.counters.unattributed == 1


@pytest.mark.parametrize(
    "behind",
    [
        reply_of(7)[:-1] + b"\0",
        b"\0" + reply_of(7)[:-1] + b"\xff",
        b"\xff" + reply_of(0),
        b"\0\0" + reply_of(0),
        b"\x07\xff\x16\x20\x00\x01\x00\x00",
        b"\x07\x10\x16\x20\xff\x01\x00\x00",
        reply_of(0)[1:],
    ],
    ids=["crc", "shifted crc", "behind junk", "behind zeros", "function", "count", "first byte lost"],
)
def test_a_damaged_reply_silences_the_poll(behind: bytes) -> None:
    """There was a reply and it cannot be read: it may have named another than the poll did."""
    codec = JkBusCodec()
    assert batches(codec, poll_of(7) + LIVE_FRAME + behind) == []
    assert codec.counters.bad_replies == 1
    assert codec.counters.unattributed == 1


@pytest.mark.parametrize("behind", [poll_of(8), b"\0" + poll_of(8), LIVE_FRAME, b"AT\r\n", poll_of(0)[:5]])
@pytest.mark.parametrize("size", [0, 1])
def test_the_next_unit_is_no_damaged_reply(behind: bytes, size: int) -> None:
    """What follows a frame without reply tells nothing against its poll."""
    codec = JkBusCodec()
    assert batches(codec, poll_of(7) + LIVE_FRAME + behind, size=size)[0] == ("7", "live")
    assert codec.counters.bad_replies == 0


# --- contradictions ------------------------------------------------------------------------------


def test_a_reply_for_another_register() -> None:
    """It belongs to a frame that was lost, so this one is nobody's, whatever the poll says."""
    codec = JkBusCodec()
    assert batches(codec, poll_of(7) + LIVE_FRAME + reply_of(7, SETTINGS)) == []
    assert codec.counters.bad_replies == 1


def test_a_settings_frame_that_names_another_than_its_reply() -> None:
    """One of the two is damaged."""
    codec = JkBusCodec()
    assert batches(codec, settings_frame(3) + reply_of(4, SETTINGS)) == []
    assert batches(codec, settings_frame(19) + reply_of(3, SETTINGS)) == []
    assert codec.counters.bad_replies == 2


def test_a_settings_frame_alone() -> None:
    """It says whose it is, unless the poll in front says otherwise or no such address exists."""
    assert batches(JkBusCodec(), settings_frame(3)) == [("3", "settings")]
    assert batches(JkBusCodec(), poll_of(3, LIVE) + settings_frame(3)) == [("3", "settings")]
    assert batches(JkBusCodec(), poll_of(4, SETTINGS) + settings_frame(3)) == []
    for address in (16, 1_684_300_900):
        assert batches(JkBusCodec(), settings_frame(address)) == []


def test_nobodys_device_info_is_not_shown() -> None:
    """It holds passcodes."""
    codec = JkBusCodec()
    (event,) = [*codec.feed(frame_of(0, ABOUT)), *codec.flush()]
    assert event == Junk("unattributed", frame_of(0, ABOUT)[:6])


def test_floats_on_the_bus_are_refused() -> None:
    """JK04 does not occur there; should it, no value of it is believed."""
    data = changed(LIVE_FRAME, 6, b"\x33\x33\x53\x40")
    codec = JkBusCodec()
    assert list(codec.feed(data + reply_of(3))) == [Junk("jk04", data)]
    assert codec.counters.batteries == set()
