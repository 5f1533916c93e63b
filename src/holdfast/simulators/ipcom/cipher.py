"""The controller's obfuscation, written for the device's side. It hides nothing: its wire is plain text.

Each byte is XORed with a mask byte chosen by its position and by the byte before it as seen on the wire. The
walk starts anew with every message, so equal messages look equal within a session.
"""

from __future__ import annotations

TABLE = bytes.fromhex(
    "5383fb327f7e9ae901b37f8006cf39266f5d255b1e2628c4b37804ac9f0bae9d"
    "57ac4e820eb4ba6c27380a719be1f7fd14cc140d71e5b8f77ccbe00b0478b17f"
    "2bea8541952218ee06ff791326d308107504536c04fd91f33193b614e353f6ce"
    "6ec374fece6201bd8d1126390a7451ca564251d57b8ea647dc7f7409908f9af2"
    "0c748164100d64ce54b57881a59036eb82c9e75cbd3f3b29d32f226e6f24ddfb"
    "dd98001d4b82ce12d13329224f92f994eb12572ffa30c7f19d72ca8d25eb2c3d"
    "e3fbccbc54115325e2ce78f9dc6fe8e2fb413ced6f9ab1f3727802cc913d207f"
    "bee953d4fbff6e42b1f65e4d1403b4fb2f537abc9ea7ce8eca08c47b19a12b7f"
)
"""The table every controller carries (tests check its SHA-256)."""

KEY_SIZE = 128
"""Bytes of a session key, as sent at the end of the ConnectResponse."""

LONGEST_MESSAGE = 256
"""Bytes for which the walk is defined: its index is one byte. The longest real message has 135."""


class Cipher:
    """One way of masking messages, given by its 256 mask bytes; the same object encodes and decodes."""

    __slots__ = ("_mask",)

    def __init__(self, mask: bytes) -> None:
        if len(mask) != LONGEST_MESSAGE:
            raise ValueError(f"a mask has {LONGEST_MESSAGE} bytes, not {len(mask)}")
        self._mask = mask

    def encode(self, plain: bytes) -> bytes:
        """One whole message as it goes onto the wire."""
        _check_length(plain)
        mask = self._mask
        wire = bytearray()
        last = 0
        for index, byte in enumerate(plain):
            last = byte ^ mask[last ^ index]
            wire.append(last)
        return bytes(wire)

    def decode(self, wire: bytes) -> bytes:
        """One message, or any beginning of one, as it was before masking."""
        _check_length(wire)
        mask = self._mask
        return bytes(
            byte ^ mask[last ^ index]
            for index, (last, byte) in enumerate(zip(b"\0" + wire, wire, strict=False))
        )


def _check_length(message: bytes) -> None:
    if len(message) > LONGEST_MESSAGE:
        raise ValueError(f"the mask ends after {LONGEST_MESSAGE} bytes; this message has {len(message)}")


CLEAR = Cipher(bytes(LONGEST_MESSAGE))
"""No masking: a controller whose obfuscation is switched off."""

LOGIN = Cipher(TABLE[128:] + TABLE[:128])
"""Single-key mode: the ConnectRequest and the answer to it."""


def session_cipher(key: bytes) -> Cipher:
    """Dual-key mode: everything after the login, under the session's ``key``."""
    if len(key) != KEY_SIZE:
        raise ValueError(f"a session key has {KEY_SIZE} bytes, not {len(key)}")
    return Cipher(bytes(byte ^ key[index % KEY_SIZE] for index, byte in enumerate(TABLE)))
