"""The three codecs: what the session above gets to know, and what is sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from holdfast.drivers.jkbms.codec import (
    ECHOES,
    PROOF_S,
    JkBleCodec,
    JkBusCodec,
    JkPollingCodec,
    ble_command,
)
from holdfast.drivers.jkbms.counters import JkCounters
from holdfast.drivers.jkbms.layouts import Layout
from holdfast.drivers.jkbms.live import read_live_32s
from holdfast.drivers.jkbms.settings import read_settings_24s, read_settings_32s
from holdfast.errors import LinkFault, Nonsense, SessionLost, Silent, Unsupported
from holdfast.model import Batch, Event, Heard, HeardWhy, Identity, Junk, ReasonCode, Say, Sign
from tests.drivers.jkbms.captures import (
    ABOUT,
    LIVE,
    LIVE_FRAME,
    SETTINGS,
    answer_of,
    batches,
    changed,
    frame,
    frame_of,
    poll_of,
    reply_of,
    sealed,
    settings_frame,
)

if TYPE_CHECKING:
    from collections.abc import Generator

ACK = bytes.fromhex("aa5590ebc8010100000000000000000000000044")
CODECS = (JkBusCodec(), JkPollingCodec(), JkBleCodec(""))


@dataclass
class Job:
    what: str
    member: str
    group: str


def finish(talk: Generator[Say, Heard, Identity | None], *answers: Heard) -> Identity | None:
    """Go through a login that asks as often as there are answers."""
    next(talk)
    try:
        for answer in answers:
            talk.send(answer)
    except StopIteration as done:
        identity: Identity | None = done.value
        return identity
    raise AssertionError("it asks for more")


@pytest.mark.parametrize("codec", CODECS, ids=repr)
@pytest.mark.parametrize("payload", [None, b"\x01", {"charge": True}])
def test_nothing_can_be_written(codec: JkBusCodec, payload: object) -> None:
    """The last gate is shut."""
    with pytest.raises(ValueError, match="only reads"):
        codec.encode(payload)
    assert codec.goodbye() == b""


# --- listening ------------------------------------------------------------------------------


def test_a_listener_sends_nothing() -> None:
    """No login, no questions."""
    codec = JkBusCodec()
    with pytest.raises(StopIteration) as done:
        next(codec.login())
    assert done.value.value is None
    assert codec.request("live:3") == b""
    assert not codec.answers(Job("live:3", "3", "live"), Batch("3", "live", None))


def test_what_a_listener_hears() -> None:
    """Batches with records; polls and lone replies are counted and no sign of life; junk says why."""
    codec = JkBusCodec()
    data = poll_of(3) + answer_of(3) + poll_of(3, SETTINGS) + answer_of(3, SETTINGS) + reply_of(4) + b"AT!!"
    assert list(codec.feed(data)) == [
        Batch("3", "live", read_live_32s(LIVE_FRAME)),
        Batch("3", "settings", read_settings_32s(settings_frame(3))),
        Junk("noise", b"AT!!"),
    ]
    counts = codec.counters.as_dict()
    assert json.loads(json.dumps(counts)) == counts
    assert counts == {
        "bytes": 650,
        "junk_bytes": 4,
        "frames": {"live": 1, "settings": 1},
        "bad_sums": 0,
        "bad_types": 0,
        "bad_replies": 0,
        "unattributed": 0,
        "unreadable": 0,
        "cut": 0,
        "polls": 2,
        "foreign_polls": 0,
        "replies": 3,
        "batteries": [3],
    }


def test_counters_outlive_a_session() -> None:
    """The caller may hand them from one codec to the next."""
    counters = JkCounters()
    for address in (2, 1):
        batches(JkBusCodec(counters), answer_of(address))
    assert counters.bytes == 616
    assert counters.as_dict()["batteries"] == [1, 2]


def test_the_gap_follows_what_waits() -> None:
    """The session reads it when it sets its timer."""
    codec = JkBusCodec()
    codec.feed(LIVE_FRAME[:256])
    assert (codec.gap_s, codec.is_partial) == (0.5, True)
    codec.feed(LIVE_FRAME[256:])
    assert (codec.gap_s, codec.is_partial) == (0.2, True)
    codec.flush()
    assert (codec.gap_s, codec.is_partial) == (0.5, False)
    assert repr(codec) == "<JkBusCodec <BusFramer 0 bytes waiting>>"


def test_nothing_partial_is_shown() -> None:
    """A frame of 256 bytes and silence: no value of it."""
    codec = JkBusCodec()
    assert list(codec.feed(poll_of(3) + LIVE_FRAME[:256])) == []
    assert list(codec.flush()) == [Junk("cut", LIVE_FRAME[:256])]
    assert codec.counters.cut == 1


# --- asking ------------------------------------------------------------------------------


def silent_bus(counters: JkCounters | None = None) -> JkPollingCodec:
    codec = JkPollingCodec(counters)
    finish(codec.login(), Heard(b"", HeardWhy.LIMIT))
    return codec


def test_the_proof_of_silence() -> None:
    """Nothing is sent, any byte ends it, and it takes longer than any cycle of a master."""
    say = next(JkPollingCodec().login())
    assert say.data == b""
    assert say.enough(b"\0")
    assert not say.enough(b"")
    assert say.limit_s == PROOF_S > 7


def test_a_silent_bus_is_asked() -> None:
    """The polls of section 2."""
    codec = silent_bus()
    assert codec.request("live:1") == bytes.fromhex("011016200001020000D6F1")
    assert codec.request("settings:15") == poll_of(15, SETTINGS)
    assert codec.request("about:0") == poll_of(0, ABOUT)
    assert not codec.is_silenced
    with pytest.raises(KeyError):
        codec.request("logbook:1")
    with pytest.raises(ValueError, match="16"):
        codec.request("live:16")


def test_a_bus_that_speaks_is_only_heard() -> None:
    """A master exists; what was heard during the proof is not lost."""
    codec = JkPollingCodec()
    finish(codec.login(), Heard(poll_of(3) + LIVE_FRAME, HeardWhy.ENOUGH))
    assert codec.is_silenced
    assert codec.request("live:1") == b""
    assert codec.is_partial
    assert batches(codec, reply_of(3)) == [("3", "live")]


def test_a_connection_that_closes_during_the_proof() -> None:
    """That is no silence."""
    with pytest.raises(SessionLost):
        finish(JkPollingCodec().login(), Heard(b"", HeardWhy.CLOSED))


def test_a_foreign_poll_ends_the_asking() -> None:
    """At once and for good; listening goes on."""
    codec = silent_bus()
    assert codec.request("live:1")
    codec.feed(poll_of(2))
    assert codec.is_silenced
    assert codec.counters.foreign_polls == 1
    assert codec.request("live:1") == b""
    assert batches(codec, answer_of(2)) == [("2", "live")]
    assert codec.request("live:1") == b""


@pytest.mark.parametrize("echoed", range(12))
def test_our_own_echo_is_not_foreign(echoed: int) -> None:
    """Nought to eleven bytes of it in front of the answer, again and again."""
    codec = silent_bus()
    for address in (1, 2, 1, 2, 3):
        sent = codec.request(f"live:{address}")
        assert batches(codec, sent[:echoed] + answer_of(address)) == [(str(address), "live")]
    assert not codec.is_silenced


def test_a_late_echo_is_not_foreign() -> None:
    """The network stalls while questions go out; the echoes come in order."""
    codec = silent_bus()
    sent = [codec.request(f"live:{address}") for address in (1, 1, 2)]
    codec.feed(sent[0] + sent[1] + sent[2])
    assert not codec.is_silenced


def test_an_echo_comes_once() -> None:
    """The same poll a second time is of another master; so is one from before the last echo."""
    codec = silent_bus()
    codec.feed(codec.request("live:1") * 2)
    assert codec.is_silenced
    codec = silent_bus()
    first, second = codec.request("live:1"), codec.request("live:2")
    codec.feed(second + first)
    assert codec.is_silenced


def test_a_master_is_noticed_although_all_addresses_are_asked() -> None:
    """Without echo the memory of our polls is short."""
    codec = silent_bus()
    for address in range(16):
        codec.request(f"live:{address}")
    codec.feed(b"".join(poll_of(address) for address in range(1, 16)))
    assert codec.is_silenced
    assert ECHOES < 15


@pytest.mark.parametrize("kind", [LIVE, SETTINGS, ABOUT])
def test_only_a_reply_is_believed(kind: int) -> None:
    """Neither the echo in front nor a settings frame's own word."""
    codec = silent_bus()
    echo = codec.request(f"{({LIVE: 'live', SETTINGS: 'settings', ABOUT: 'about'})[kind]}:3")
    assert batches(codec, echo + frame_of(3, kind)) == []
    assert batches(codec, echo + frame_of(3, kind) + reply_of(4, kind)[:7] + b"\0") == []


def test_an_answer_is_known_by_battery_and_group() -> None:
    """Not every frame on the bus is the one that was asked for."""
    codec = silent_bus()
    job = Job("live:3", "3", "live")
    assert codec.answers(job, Batch("3", "live", None))
    assert not codec.answers(job, Batch("4", "live", None))
    assert not codec.answers(job, Batch("3", "settings", None))
    assert not codec.answers(job, Junk("noise", b""))


# --- Bluetooth ------------------------------------------------------------------------------

ABOUT_32S, ABOUT_24S = frame("aiobmsble_32s_v15_about"), frame("aiobmsble_24s_about")
LIVE_24S = frame("aiobmsble_24s_live")
SETTINGS_24S = frame("batmon_legacy8s_settings")


def heard(data: bytes, why: HeardWhy = HeardWhy.ENOUGH) -> Heard:
    return Heard(data, why)


def seen(events: object) -> list[tuple[str, str]]:
    assert isinstance(events, list)
    return [(event.member, event.group) for event in events if isinstance(event, Batch)]


def test_bluetooth_commands() -> None:
    """Twenty bytes with a sum (section 11)."""
    assert ble_command(0x97) == bytes.fromhex("aa5590eb970000000000000000000000000000 11".replace(" ", ""))
    assert ble_command(0x96) == bytes.fromhex("aa5590eb960000000000000000000000000000 10".replace(" ", ""))


def test_a_bluetooth_login() -> None:
    """Device info, then the stream; all of it is there afterwards."""
    codec = JkBleCodec("1")
    talk = codec.login()
    say = next(talk)
    assert say.data == ble_command(0x97)
    assert not say.enough(ACK + ABOUT_24S[:299])
    assert not say.enough(LIVE_24S)
    assert say.enough(ACK + ABOUT_24S)
    say = talk.send(heard(ACK + ABOUT_24S))
    assert say.data == ble_command(0x96)
    assert not say.enough(ACK)
    assert say.enough(ACK + SETTINGS_24S)
    with pytest.raises(StopIteration) as done:
        talk.send(heard(ACK + SETTINGS_24S + LIVE_24S[:100]))
    assert done.value.value == Identity(serial="0000000000", model="JK-B2A20S20P", firmware="10.08")
    assert codec.layout is Layout.S24
    events = codec.feed(LIVE_24S[100:])
    assert seen(events) == [("1", "about"), ("1", "settings"), ("1", "live")]
    assert Sign("ack", "1") in events
    assert Batch("1", "settings", read_settings_24s(SETTINGS_24S)) in events


@pytest.mark.parametrize(
    ("about", "first"),
    [
        (frame("esphome_device_info_jk04"), frame("esphome_pdu_jk_b5a24s_8_0_3m_t2_1")),
        (frame("esphome_device_info_jk04"), LIVE_FRAME),
        (ABOUT_24S, frame("esphome_pdu_jk_b5a24s_8_0_3m_t1_1")),
        (ABOUT_24S, frame("esphome_pdu_jk_b5a24s_8_0_3m_t2_1")),
    ],
    ids=["both", "by version", "by settings", "by cells"],
)
def test_floats_are_refused_at_the_login(about: bytes, first: bytes) -> None:
    """In words, and not retried quickly; the version alone does not tell."""
    with pytest.raises(Unsupported, match="JK04") as caught:
        finish(JkBleCodec("1").login(), heard(about), heard(first))
    assert not caught.value.is_retryable
    assert caught.value.code is ReasonCode.UNSUPPORTED


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Heard(b"", HeardWhy.LIMIT), Silent),
        (Heard(ACK, HeardWhy.LIMIT), Nonsense),
        (Heard(b"AT\r\n", HeardWhy.GAP), Nonsense),
        (Heard(ABOUT_32S[:299], HeardWhy.CLOSED), SessionLost),
    ],
    ids=["silent", "ack alone", "noise", "closed"],
)
@pytest.mark.parametrize("is_second", [False, True])
def test_a_bluetooth_login_that_fails(answer: Heard, fault: type[LinkFault], *, is_second: bool) -> None:
    """Each with the fault that says what to do."""
    answers = [heard(ABOUT_32S), answer] if is_second else [answer]
    with pytest.raises(fault):
        finish(JkBleCodec("1").login(), *answers)


def test_a_layout_that_the_version_does_not_tell() -> None:
    """The first live frame does; settings wait for it, since nothing is guessed."""
    codec = JkBleCodec("")
    finish(codec.login(), heard(changed(ABOUT_24S, 30, b"beta\0\0\0\0")), heard(SETTINGS_24S))
    assert repr(codec.layout) == "None"
    assert seen(codec.feed(b"")) == [("", "about")]
    assert codec.feed(bytes(changed(LIVE_24S, 54, bytes(4)))) == [
        Junk("layout", changed(LIVE_24S, 54, bytes(4)))
    ]
    assert seen(codec.feed(LIVE_24S + SETTINGS_24S)) == [("", "live"), ("", "settings")]
    assert codec.layout is Layout.S24
    assert codec.counters.unreadable == 2


def test_the_log_book_is_a_sign_of_life() -> None:
    """A frame without values."""
    codec = JkBleCodec("2")
    assert codec.feed(sealed(LIVE_FRAME[:4] + b"\x05" + LIVE_FRAME[5:])) == [Sign("logbook", "2")]
    assert codec.counters.frames == {"logbook": 1}


def test_replies_and_polls_mean_nothing_over_bluetooth() -> None:
    """They do not exist there."""
    codec = JkBleCodec("2")
    assert [type(event) for event in codec.feed(poll_of(3))] == [Junk]


def test_bluetooth_questions() -> None:
    """The stream is asked for anew when it stops; an answer is known by its group."""
    codec = JkBleCodec("2")
    assert codec.request("live") == codec.request("settings:2") == ble_command(0x96)
    assert codec.request("about:2") == ble_command(0x97)
    with pytest.raises(KeyError):
        codec.request("logbook")
    assert codec.answers(Job("live", "", "live"), Batch("2", "live", None))
    events: list[Event] = [Batch("2", "about", None), Sign("ack", "2")]
    assert not any(codec.answers(Job("live", "", "live"), event) for event in events)
