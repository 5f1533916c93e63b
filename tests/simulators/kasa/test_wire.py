"""Cipher, HTTP and seals by themselves: split anywhere, and fed with anything."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.simulators.kasa import Account, LoginVersion
from holdfast.simulators.kasa.cipher import FrameReader, NotLegacy, decipher, encipher, frame
from holdfast.simulators.kasa.http import HttpReader, NotHttp, respond
from holdfast.simulators.kasa.klap import BadSeal, Handshake, Seals

if TYPE_CHECKING:
    from collections.abc import Iterator

QUESTION = b'{"system":{"get_sysinfo":{}}}'
QUESTION_ON_THE_WIRE = bytes.fromhex("d0f281f88bff9af7d5ef94b6d1b4c09fec95e68fe187e8caf08bf68bf6")
"""The question for the state as every public tool for these plugs sends it over UDP."""


def pieces(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    for start, end in pairwise(places):
        yield data[start:end]


def test_known_question() -> None:
    """The cipher is that of the wire."""
    assert encipher(QUESTION) == QUESTION_ON_THE_WIRE
    assert decipher(QUESTION_ON_THE_WIRE) == QUESTION


@given(st.lists(st.binary(max_size=60), max_size=5), st.lists(st.integers(0, 10_000), max_size=12))
def test_frames_in_pieces(messages: list[bytes], cuts: list[int]) -> None:
    """However TCP cuts the stream, the messages are the same."""
    reader = FrameReader()
    stream = b"".join(map(frame, messages))
    assert [message for piece in pieces(stream, cuts) for message in reader.feed(piece)] == messages


@given(st.binary(max_size=200), st.lists(st.integers(0, 10_000), max_size=12))
def test_any_bytes(data: bytes, cuts: list[int]) -> None:
    """Any bytes are messages, an unfinished one, or not of this protocol; nothing else is ever raised."""
    for reader, complaint in ((FrameReader(), NotLegacy), (HttpReader(), NotHttp)):
        try:
            for piece in pieces(data, cuts):
                reader.feed(piece)
        except complaint:
            pass


@given(st.binary(max_size=100), st.lists(st.integers(0, 10_000), max_size=12))
def test_requests_in_pieces(body: bytes, cuts: list[int]) -> None:
    """Two POSTs behind each other, cut anywhere."""
    head = b"POST /app/request?seq=-5 HTTP/1.1\r\nHost: plug\r\nCookie: A=1; TP_SESSIONID=AB\r\n"
    stream = (head + b"Content-Length: %d\r\n\r\n" % len(body) + body) * 2
    reader = HttpReader()
    requests = [request for piece in pieces(stream, cuts) for request in reader.feed(piece)]
    assert len(requests) == 2
    for request in requests:
        assert (request.method, request.path, request.query) == ("POST", "/app/request", {"seq": "-5"})
        assert request.body == body
        assert request.cookie("TP_SESSIONID") == "AB"
        assert request.cookie("TIMEOUT") is None


@pytest.mark.parametrize(
    "stream",
    [
        b"nonsense\r\n\r\n",
        b"POST /app HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
        b"POST /app HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST //[ HTTP/1.1\r\n\r\n",
        b"x" * 9000,
    ],
)
def test_what_is_no_request(stream: bytes) -> None:
    """It is said, so that the connection can end."""
    with pytest.raises(NotHttp):
        HttpReader().feed(stream)


def test_a_length_that_cannot_be() -> None:
    """A client of another protocol is not waited for until it has sent a gigabyte."""
    with pytest.raises(NotLegacy):
        FrameReader().feed(b"GET / HTTP/1.1\r\n\r\n")


def test_response() -> None:
    """A head, a length, and the body."""
    wire = respond(200, b"body", [("Set-Cookie", "A=1;B=2")])
    assert wire == b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nSet-Cookie: A=1;B=2\r\n\r\nbody"


@pytest.mark.parametrize("version", LoginVersion)
def test_proofs(version: LoginVersion) -> None:
    """Who knows the account proves it, nobody else does."""
    seeds = (bytes(range(16)), bytes(range(16, 32)))
    right = Handshake(version, Account("a@b", "secret"), *seeds)
    other = Handshake(version, Account("a@b", "Secret"), *seeds)
    assert right.is_proved_by(right.client_proof())
    assert not right.is_proved_by(other.client_proof())
    assert right.plug_proof() not in (right.client_proof(), other.plug_proof())
    with pytest.raises(ValueError, match="16 bytes"):
        Handshake(version, Account(), b"short", seeds[0])


@given(st.binary(max_size=100), st.integers(-(2**31), 2**31 - 1), st.integers(0, 10_000))
def test_seals(plain: bytes, number: int, place: int) -> None:
    """What was sealed opens under the same number; with one bit changed it does not."""
    seals = Seals(b"secret")
    sealed = seals.seal(plain, number)
    assert seals.open(sealed, number) == plain
    spoilt = bytearray(sealed)
    spoilt[place % len(sealed)] ^= 1
    for wrong, other in ((bytes(spoilt), number), (sealed, number ^ 1), (sealed[:-1], number), (b"", number)):
        with pytest.raises(BadSeal):
            seals.open(wrong, other)
    with pytest.raises(BadSeal):
        seals.open(sealed, 2**31)


def test_secrets_stay_out_of_sight() -> None:
    """An account is not printed."""
    assert "secret" not in repr(Account("a@b", "secret"))
    assert json.dumps(Account("a@b", "c")) == '["a@b", "c"]'
