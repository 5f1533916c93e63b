"""How the device cuts a stream into requests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.simulators.ipcom.cipher import CLEAR, session_cipher
from holdfast.simulators.ipcom.messages import (
    FrameRequest,
    Reader,
    Request,
    Signal,
    Unreadable,
    connect_response,
    frame_ack,
    parse_connect_request,
    snapshot,
)
from tests.simulators.ipcom.client import GOODBYE, KEEP_ALIVE, POLL, login_request, write_request

keys = st.binary(min_size=128, max_size=128)
writes = st.builds(
    write_request, st.integers(1, 16), st.binary(min_size=8, max_size=8), bus=st.sampled_from((0, 1, 2))
)
requests = st.lists(st.sampled_from((POLL, KEEP_ALIVE, GOODBYE)) | writes, max_size=6)


def meaning(plain: bytes) -> Request:
    (request,) = Reader(CLEAR).feed(plain)
    return request


@given(keys, requests, st.data())
def test_splitting_changes_nothing(key: bytes, plains: list[bytes], data: st.DataObject) -> None:
    """Requests are understood alike however the network cuts and joins them."""
    cipher = session_cipher(key)
    wire = b"".join(cipher.encode(plain) for plain in plains)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=8)))
    reader = Reader(cipher)
    heard: list[Request] = []
    for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        heard += reader.feed(wire[start:end])
    assert heard == [meaning(plain) for plain in plains]
    assert not reader.has_partial


@given(keys, st.lists(st.binary(max_size=300), max_size=5))
def test_any_bytes_are_survived(key: bytes, chunks: list[bytes]) -> None:
    """Noise is unreadable at worst, and never more than a message of it is kept."""
    reader = Reader(session_cipher(key))
    for chunk in chunks:
        for request in reader.feed(chunk):
            assert isinstance(request, Signal | FrameRequest | Unreadable)
    reader.drop_partial()
    assert list(reader.feed(session_cipher(key).encode(POLL))) == [Signal.POLL]


def test_bus_number_may_be_missing() -> None:
    """A frame without a bus number is the same frame, for bus 0."""
    with_bus, without = meaning(write_request(3, bytes(8), bus=2)), meaning(write_request(3, bytes(8), bus=0))
    assert isinstance(with_bus, FrameRequest)
    assert isinstance(without, FrameRequest)
    assert (with_bus.bus, without.bus) == (2, 0)
    assert with_bus[1:] == without[1:] == (62, 0, b"\x01" + bytes(8))


@pytest.mark.parametrize(
    ("plain", "why"),
    [
        (write_request(1, bytes(8))[:-1] + b"\x77", "checksum"),
        (b"\x05\x02", "head"),
        (b"\x09\x01", "head"),
        (b"\x04\x01\x02\x24\x3c\x00", "head"),
        (b"\x04\x01\x23\x3c\x00\xff\x00", "head"),
        (b"\x04\x01\x23\x3c\x00\x01\x00", "head"),
    ],
)
def test_what_makes_no_sense(plain: bytes, why: str) -> None:
    """Wrong checksums, unknown heads and absurd lengths are unreadable, each with its reason."""
    assert meaning(plain) == Unreadable(why)


def test_a_bad_checksum_costs_only_its_own_frame() -> None:
    """What follows a frame with a bad checksum is still understood."""
    damaged = write_request(1, bytes(8))[:-1] + b"\x77"
    assert list(Reader(CLEAR).feed(damaged + POLL)) == [Unreadable("checksum"), Signal.POLL]


@pytest.mark.parametrize(
    "plain",
    [
        login_request()[:-1],
        b"\x01\x01" + login_request()[2:],
        login_request().replace(b"USER:", b"NAME:"),
        login_request().replace(b"PWD:", b"KEY:"),
        login_request().replace(b"user", b"us\xff\xfe"),
    ],
)
def test_what_is_no_login(plain: bytes) -> None:
    """A login of the wrong size, version, labels or encoding is none."""
    assert parse_connect_request(plain) is None


def test_a_login_keeps_its_secret() -> None:
    """The password is not part of what a login shows of itself."""
    request = parse_connect_request(login_request("anna", "s3cret pass"))
    assert request is not None
    assert (request.username, request.password) == ("anna", "s3cret pass")
    assert "s3cret" not in repr(request)


def test_what_cannot_be_said() -> None:
    """Firmware, keys and outputs of the wrong size are errors."""
    with pytest.raises(ValueError, match="firmware"):
        connect_response("4.211", bytes(128))
    with pytest.raises(ValueError, match="firmware"):
        connect_response("4.21", bytes(127))
    with pytest.raises(ValueError, match="outputs"):
        snapshot(bytes(127))


@pytest.mark.parametrize("bus", [0, 2])
def test_a_frame_shaped_acknowledgement_is_a_sound_frame(bus: int) -> None:
    """The frame-shaped write reply has the length and checksum of any bus frame."""
    assert meaning(frame_ack(bus, 64)) == FrameRequest(bus, 0, 64, b"\x01")
