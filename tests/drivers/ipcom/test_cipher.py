"""The walk over the mask, judged by the golden vectors in both directions."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.drivers.ipcom.cipher import LOGIN_TABLE, PLAIN, SINGLE_KEY, TABLE, Cipher, dual_key
from tests.drivers.ipcom.golden import DATA, VECTORS, raw

KEYS = st.binary(min_size=128, max_size=128)
MESSAGES = st.binary(max_size=256)


def slowly(mask: bytes, wire: bytes) -> bytes:
    """The definition, byte by byte."""
    state, plain = 0, bytearray()
    for position, byte in enumerate(wire):
        plain.append(byte ^ mask[state ^ position])
        state = byte
    return bytes(plain)


def test_table() -> None:
    """The embedded table is the published one, and the second is the first rotated by 128."""
    assert hashlib.sha256(TABLE).hexdigest().startswith("15202aaf51b289531938b924ea70f6c7")
    assert raw("".join((DATA / "key_table.hex").read_text("ascii").split())) == TABLE
    assert all(LOGIN_TABLE[i] == TABLE[(i + 128) % 256] for i in range(256))


def test_single_key_vectors() -> None:
    """Single-key vectors, both ways."""
    for vector in VECTORS["cipher_single"]:
        assert SINGLE_KEY.encode(raw(vector["plain"])) == raw(vector["wire"])
        assert SINGLE_KEY.decode(raw(vector["wire"])) == raw(vector["plain"])


def test_dual_key_vectors() -> None:
    """Dual-key vectors, both ways."""
    for vector in VECTORS["cipher_dual"]:
        cipher = dual_key(raw(vector["session_key"]))
        assert cipher.encode(raw(vector["plain"])) == raw(vector["wire"])
        assert cipher.decode(raw(vector["wire"])) == raw(vector["plain"])


@given(KEYS, MESSAGES)
def test_round_trip_and_definition(key: bytes, plain: bytes) -> None:
    """Whole-buffer decoding equals the definition, for any key and length."""
    cipher = dual_key(key)
    wire = cipher.encode(plain)
    assert cipher.decode(wire) == plain == slowly(cipher.mask, wire)


@given(KEYS, MESSAGES, st.integers(0, 256))
def test_a_beginning_decodes_alone(key: bytes, wire: bytes, length: int) -> None:
    """The first bytes of a message mean the same without the rest."""
    cipher = dual_key(key)
    assert cipher.decode(wire[:length]) == cipher.decode(wire)[:length]


@given(MESSAGES)
def test_plain_mode_changes_nothing(message: bytes) -> None:
    """With the obfuscation off, wire and meaning are one."""
    assert PLAIN.encode(message) == PLAIN.decode(message) == message


def test_limits() -> None:
    """Above 256 bytes the walk is not defined; keys and masks have their length; no key shows in a repr."""
    for direction in (SINGLE_KEY.encode, SINGLE_KEY.decode):
        with pytest.raises(ValueError, match="at most 256"):
            direction(bytes(257))
    with pytest.raises(ValueError, match="128 bytes"):
        dual_key(bytes(127))
    with pytest.raises(ValueError, match="256 bytes"):
        Cipher(bytes(255))
    assert repr(SINGLE_KEY) == "<Cipher>"


def test_the_known_poll_is_no_constant() -> None:
    """`79 db` is the poll under keys with P[0] = 2f and P[78h] = 06 only (fault 8 of the fact sheet)."""
    key = bytearray(128)
    key[0], key[0x78] = 0x2F, 0x06
    assert dual_key(bytes(key)).encode(b"\x05\x01") == raw("79db")
    key[0] = 0x30
    assert dual_key(bytes(key)).encode(b"\x05\x01") != raw("79db")
    assert SINGLE_KEY.encode(b"\x05\x01") == raw("0955")
