"""What the vectors do not reach: every message, every key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.simulators.ipcom.cipher import CLEAR, LONGEST_MESSAGE, Cipher, session_cipher

messages = st.binary(max_size=LONGEST_MESSAGE)
keys = st.binary(min_size=128, max_size=128)


@given(keys, messages)
def test_decoding_undoes_encoding(key: bytes, message: bytes) -> None:
    """Whatever the key, a message comes back as it was."""
    cipher = session_cipher(key)
    assert cipher.decode(cipher.encode(message)) == message


@given(keys, messages, st.integers(0, LONGEST_MESSAGE))
def test_the_beginning_of_a_message_can_be_decoded(key: bytes, message: bytes, size: int) -> None:
    """Decoding needs no byte that has not arrived."""
    cipher = session_cipher(key)
    assert cipher.decode(cipher.encode(message)[:size]) == message[:size]


@given(messages)
def test_a_clear_cipher_changes_nothing(message: bytes) -> None:
    """With the obfuscation off, messages go out as they are."""
    assert CLEAR.encode(message) == CLEAR.decode(message) == message


def test_sizes_are_checked() -> None:
    """A walk beyond its table, a short key and a short mask are errors, not other bytes."""
    too_long = bytes(LONGEST_MESSAGE + 1)
    for walk in (CLEAR.encode, CLEAR.decode):
        with pytest.raises(ValueError, match="256"):
            walk(too_long)
    with pytest.raises(ValueError, match="128"):
        session_cipher(bytes(127))
    with pytest.raises(ValueError, match="256"):
        Cipher(b"")
