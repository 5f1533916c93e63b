"""Messages before obfuscation, judged by the golden vectors."""

from __future__ import annotations

import pytest

from holdfast.drivers.ipcom.cipher import SINGLE_KEY, dual_key
from holdfast.drivers.ipcom.messages import (
    GOODBYE,
    KEEP_ALIVE_REQUEST,
    SNAPSHOT_REQUEST,
    ModuleWrite,
    connect_request,
    connect_response,
    frame,
    frame_reply_length,
    write_request,
)
from tests.drivers.ipcom.golden import VECTORS, raw


def test_connect_requests() -> None:
    """56 bytes, single-key."""
    for vector in VECTORS["connect_request"]:
        plain = connect_request(
            vector["username"], vector["password"], bus=vector["bus"], lock=vector["lock"]
        )
        assert plain == raw(vector["plain"])
        assert len(plain) == 56
        assert SINGLE_KEY.encode(plain) == raw(vector["wire"])


def test_connect_request_counts_bytes() -> None:
    """What fits is counted after encoding: a longer field would shift the packet (fault 13 of the fact sheet)."""
    assert len(connect_request("u" * 21, "p" * 22)) == 56
    assert len(connect_request("é" * 10, "€" * 7)) == 56
    with pytest.raises(ValueError, match="the user name has 22 bytes, and only 21 fit"):
        connect_request("é" * 11, "")
    with pytest.raises(ValueError, match="the password has 23 bytes, and only 22 fit"):
        connect_request("", "p" * 23)


def test_connect_responses() -> None:
    """Firmware text and session key."""
    for vector in VECTORS["connect_response"]:
        response = connect_response(SINGLE_KEY.decode(raw(vector["wire"])))
        assert response.firmware == vector["firmware"]
        assert response.session_key == raw(vector["session_key"])


def test_no_connect_response() -> None:
    """A wrong length or status is said, and odd firmware bytes do no harm."""
    good = raw(VECTORS["connect_response"][0]["plain"])
    with pytest.raises(ValueError, match="135 bytes, not 134"):
        connect_response(good[:-1])
    with pytest.raises(ValueError, match="begins with 1, not 2"):
        connect_response(b"\x02" + good[1:])
    assert connect_response(good[:2] + b"\x00\xff1\n" + good[6:]).firmware == "�1"


@pytest.mark.parametrize(
    ("vectors", "plain"),
    [("snapshot_request", SNAPSHOT_REQUEST), ("keepalive", KEEP_ALIVE_REQUEST), ("disconnect", GOODBYE)],
)
def test_short_messages(vectors: str, plain: bytes) -> None:
    """Id and version, bare, in the session's own key."""
    for vector in VECTORS[vectors]:
        assert raw(vector["plain"]) == plain
        assert dual_key(raw(vector["session_key"])).encode(plain) == raw(vector["wire"])


def test_writes() -> None:
    """Frames of all kinds of modules, both buses."""
    for vector in VECTORS["writes"]:
        write = ModuleWrite(vector["module"], bytes(vector["values"]))
        assert frame(vector["bus"], vector["base_address"], *write) == raw(vector["frame"])
        plain = write_request(vector["bus"], vector["base_address"], write)
        assert plain == raw(vector["plain"])
        assert dual_key(raw(vector["session_key"])).encode(plain) == raw(vector["wire"])
        assert frame_reply_length(plain) == len(plain) == 17


def test_bus_zero_is_left_out() -> None:
    """The bus byte is omitted entirely when the bus is 0; a BiBus begins at 30."""
    assert frame(0, 30, 1, bytes(8)) == raw("231e000a01000000000000000001")
    assert frame_reply_length(b"\x04\x01" + frame(0, 30, 1, bytes(8))) == 16


def test_no_module() -> None:
    """There are 16 modules of 8 outputs."""
    for module in (0, 17):
        with pytest.raises(ValueError, match="modules are 1 to 16"):
            frame(2, 60, module, bytes(8))
    with pytest.raises(ValueError, match="8 outputs, not 7"):
        frame(2, 60, 1, bytes(7))


@pytest.mark.parametrize("plain", ["0401", "040102", "0401022345000", "04010000000000", "040102234500ff"])
def test_replies_of_unknown_length(plain: str) -> None:
    """Too little to tell, no frame, or a length that no frame has."""
    assert frame_reply_length(raw(plain[: len(plain) // 2 * 2])) is None
