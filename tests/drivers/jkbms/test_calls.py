"""Polls and replies, against the byte strings of the fact sheet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.drivers.jkbms.calls import POLLS, REPLIES, Call, crc16, poll, reply
from tests.drivers.jkbms.captures import LIVE, SETTINGS


def test_the_vectors_of_the_fact_sheet() -> None:
    """Section 2."""
    assert poll(Call(1, LIVE)) == bytes.fromhex("011016200001020000D6F1")
    assert reply(Call(0, LIVE)) == bytes.fromhex("001016200001059A")
    assert reply(Call(0, SETTINGS)) == bytes.fromhex("0010161E00016456")


def test_the_check_value_of_the_crc() -> None:
    """The value that catalogues of CRCs give for CRC-16/Modbus."""
    assert crc16(b"123456789") == 0x4B37


def test_all_calls_are_known_and_differ() -> None:
    """48 of each, and no poll begins like a whole reply."""
    assert len(POLLS) == len(REPLIES) == 48
    assert {data[:8] for data in POLLS}.isdisjoint(REPLIES)
    assert all(len(data) == 11 and crc16(data[:-2]) == int.from_bytes(data[-2:], "little") for data in POLLS)
    assert all(len(data) == 8 and crc16(data[:-2]) == int.from_bytes(data[-2:], "little") for data in REPLIES)


@given(st.binary(max_size=40), st.integers(0, 319))
def test_the_crc_finds_every_flipped_bit(data: bytes, bit: int) -> None:
    """One bit, wherever it is."""
    if bit // 8 < len(data):
        broken = bytearray(data)
        broken[bit // 8] ^= 1 << bit % 8
        assert crc16(bytes(broken)) != crc16(data)


def test_no_register_for_other_types() -> None:
    """The log book cannot be asked for."""
    with pytest.raises(KeyError):
        poll(Call(1, 5))
