"""The login as a conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdfast.drivers.ipcom.cipher import SINGLE_KEY
from holdfast.drivers.ipcom.codec import IpcomCodec
from holdfast.drivers.ipcom.login import PlainMode
from holdfast.drivers.ipcom.messages import connect_request
from holdfast.errors import InsecureRefused, LinkFault, LoginRefused, Nonsense, SessionLost, Silent
from holdfast.model import Heard, HeardWhy, Identity, Say
from tests.drivers.ipcom.golden import VECTORS, raw
from tests.drivers.ipcom.homes import options

if TYPE_CHECKING:
    from collections.abc import Sequence

RESPONSE = raw(VECTORS["connect_response"][0]["wire"])
KEY = raw(VECTORS["connect_response"][0]["session_key"])
PLAIN_RESPONSE = raw(VECTORS["connect_response"][0]["plain"])
REQUEST = connect_request("me", "secret")
GAP, CLOSED, LIMIT, ENOUGH = HeardWhy.GAP, HeardWhy.CLOSED, HeardWhy.LIMIT, HeardWhy.ENOUGH


def poll_under(key: bytes) -> bytes:
    return next(raw(each["wire"]) for each in VECTORS["snapshot_request"] if raw(each["session_key"]) == key)


def talk(codec: IpcomCodec, heard: Sequence[tuple[bytes, HeardWhy]]) -> tuple[list[Say], Identity | None]:
    """Run a login against these answers; what was said and what came of it."""
    said: list[Say] = []
    login = codec.login()
    try:
        said.append(next(login))
        for data, why in heard:
            said.append(login.send(Heard(data, why)))
    except StopIteration as done:
        identity: Identity | None = done.value
        return said, identity
    pytest.fail("the login goes on listening")


def test_accepted() -> None:
    """The request goes out in single-key mode; the answer's key is that of everything after it."""
    codec = IpcomCodec(options())
    said, identity = talk(codec, [(RESPONSE, ENOUGH)])
    assert said[0].data == SINGLE_KEY.encode(REQUEST)
    assert identity == Identity(model="IPCom", firmware="3.14")
    assert codec.request("snapshot") == poll_under(KEY)


def test_enough_is_the_whole_answer() -> None:
    """135 bytes, or 56 more behind an echo, and never less."""
    say = next(IpcomCodec(options()).login())
    assert not say.enough(RESPONSE[:134])
    assert say.enough(RESPONSE)
    assert not say.enough(say.data + RESPONSE[:-1])
    assert say.enough(say.data + RESPONSE)


@pytest.mark.parametrize("cut", [1, 2, 3, 56, 134])
def test_accepted_in_pieces(cut: int) -> None:
    """Pieces that come within the gap are put together; a longer pause is waited out where it cannot be the end."""
    codec = IpcomCodec(options())
    login = codec.login()
    first = next(login)
    assert not first.enough(RESPONSE[:cut])
    if cut in (2, 3):
        return
    second = login.send(Heard(RESPONSE[:cut], GAP))
    assert second.data == b""
    assert second.enough(RESPONSE[cut:])
    with pytest.raises(StopIteration):
        login.send(Heard(RESPONSE[cut:], ENOUGH))
    assert codec.request("snapshot") == poll_under(KEY)


@pytest.mark.parametrize("pieces", [1, 2])
def test_echo_is_skipped(pieces: int) -> None:
    """The 56 bytes just sent may come back before the answer."""
    codec = IpcomCodec(options())
    echo = SINGLE_KEY.encode(REQUEST)
    heard = [(echo + RESPONSE, ENOUGH)] if pieces == 1 else [(echo, GAP), (RESPONSE, ENOUGH)]
    talk(codec, heard)
    assert codec.request("snapshot") == poll_under(KEY)


def test_bytes_behind_the_answer_are_dropped() -> None:
    """Nothing has been asked yet."""
    codec = IpcomCodec(options())
    talk(codec, [(RESPONSE + b"\x01\x02", ENOUGH)])
    assert not codec.is_partial


def test_short_acceptance_without_a_key() -> None:
    """Three bytes beginning with 1: accepted, and single-key mode stays."""
    codec = IpcomCodec(options())
    _, identity = talk(codec, [(RESPONSE[:3], GAP)])
    assert identity == Identity(model="IPCom", firmware="")
    assert codec.request("snapshot") == raw("0955")


@pytest.mark.parametrize("why", [GAP, CLOSED])
@pytest.mark.parametrize("wire", [each["wire"] for each in VECTORS["short_replies_to_connect"]])
def test_two_bytes(wire: str, why: HeardWhy) -> None:
    """Two bytes are a refusal, whatever they are, unless they say that the obfuscation is off."""
    verdict = next(each["verdict"] for each in VECTORS["short_replies_to_connect"] if each["wire"] == wire)
    expected = {"rejected": LoginRefused, "nonsecure": InsecureRefused}[verdict]
    with pytest.raises(expected) as caught:
        talk(IpcomCodec(options()), [(raw(wire), why)])
    assert not caught.value.is_retryable
    if expected is InsecureRefused:
        assert "allow_plain: true" in caught.value.advice


def test_every_key_can_refuse() -> None:
    """A refusal is recognised by its length in any key (no fixed bytes)."""
    for vector in VECTORS["disconnect"]:
        if raw(vector["wire"]) != b"\x02\x01":
            with pytest.raises(LoginRefused):
                talk(IpcomCodec(options()), [(raw(vector["wire"]), GAP)])


@pytest.mark.parametrize(
    ("heard", "fault", "words"),
    [
        ([(b"", CLOSED)], SessionLost, "closed the connection during the login"),
        ([(RESPONSE[:3], CLOSED)], SessionLost, "closed"),
        ([(b"", LIMIT)], Silent, "no answer to the login"),
        ([(RESPONSE[:2], LIMIT)], Silent, "began to answer"),
        ([(RESPONSE[:20], GAP), (b"", LIMIT)], Silent, "began to answer"),
        ([(SINGLE_KEY.encode(REQUEST), GAP), (b"", LIMIT)], Silent, "no answer"),
        ([(b"\x7f\xe3\x00", GAP), (b"", LIMIT)], Silent, "began to answer"),
        ([(bytes(135), ENOUGH)], Nonsense, "cannot be understood"),
    ],
)
def test_faults(heard: list[tuple[bytes, HeardWhy]], fault: type[LinkFault], words: str) -> None:
    """Each way to fail has its own class and words."""
    with pytest.raises(fault, match=words):
        talk(IpcomCodec(options()), heard)


def test_plain_session_when_allowed() -> None:
    """Asked for and allowed: this session ends (retried at once), the next one is in the clear."""
    mode = PlainMode()
    house = options(allow_plain=True)
    with pytest.raises(SessionLost, match="without obfuscation") as caught:
        talk(IpcomCodec(house, mode), [(b"\x02\x01", CLOSED)])
    assert caught.value.is_retryable
    assert mode.is_on
    codec = IpcomCodec(house, mode)
    said, identity = talk(codec, [(PLAIN_RESPONSE, ENOUGH)])
    assert said[0].data == REQUEST
    assert identity == Identity(model="IPCom", firmware="3.14")
    assert codec.request("snapshot") == b"\x05\x01"
    assert mode.is_on


def test_nobody_can_talk_us_into_plain_mode() -> None:
    """Without the owner's leave the password never goes out in the clear."""
    mode = PlainMode()
    with pytest.raises(InsecureRefused):
        talk(IpcomCodec(options(), mode), [(b"\x02\x01", GAP)])
    assert not mode.is_on


@pytest.mark.parametrize("heard", [(b"\x02\x01", GAP), (b"", LIMIT), (b"", CLOSED), (bytes(135), ENOUGH)])
def test_a_failed_plain_login_is_not_repeated(heard: tuple[bytes, HeardWhy]) -> None:
    """Whatever goes wrong in the clear, the next try is obfuscated; two bytes are a refusal there too."""
    mode = PlainMode(is_on=True)
    expected = LoginRefused if heard[0] == b"\x02\x01" else LinkFault
    with pytest.raises(expected):
        talk(IpcomCodec(options(allow_plain=True), mode), [heard])
    assert not mode.is_on


def test_login_fields() -> None:
    """Bus, lock and a TriCom's serial number go into the request."""
    house = options(login_bus=2, login_lock=1, serial="TC12")
    say = next(IpcomCodec(house).login())
    assert SINGLE_KEY.decode(say.data) == connect_request("TC12me", "secret", bus=2, lock=1)


def test_a_new_session_begins_in_single_key_mode() -> None:
    """The old key is forgotten with the old codec (fault 1 of the fact sheet)."""
    house = options()
    first, second = IpcomCodec(house), IpcomCodec(house)
    talk(first, [(RESPONSE, ENOUGH)])
    assert next(second.login()).data == SINGLE_KEY.encode(REQUEST)
