"""The obfuscation of the IPCom protocol: a walk over a 256-byte mask, begun anew with every message.

With state ``s = 0``, for byte ``i`` of a message: ``cipher[i] = plain[i] XOR mask[s XOR i]``, then
``s = cipher[i]``, in both directions. Decoding byte ``i`` needs only ``cipher[i]``, ``cipher[i - 1]`` and ``i``, so
that a whole message is decoded with a few operations on whole buffers. This is no security: treat the link as plain
text.

Source: checked by calculation, partly against a recorded login packet.
"""

from __future__ import annotations

from typing import Final

LONGEST: Final = 256
"""Bytes in the longest message for which the walk is defined (its index is one byte); real ones end at 135."""

TABLE: Final = bytes.fromhex(
    "5383fb327f7e9ae901b37f8006cf39266f5d255b1e2628c4b37804ac9f0bae9d"
    "57ac4e820eb4ba6c27380a719be1f7fd14cc140d71e5b8f77ccbe00b0478b17f"
    "2bea8541952218ee06ff791326d308107504536c04fd91f33193b614e353f6ce"
    "6ec374fece6201bd8d1126390a7451ca564251d57b8ea647dc7f7409908f9af2"
    "0c748164100d64ce54b57881a59036eb82c9e75cbd3f3b29d32f226e6f24ddfb"
    "dd98001d4b82ce12d13329224f92f994eb12572ffa30c7f19d72ca8d25eb2c3d"
    "e3fbccbc54115325e2ce78f9dc6fe8e2fb413ced6f9ab1f3727802cc913d207f"
    "bee953d4fbff6e42b1f65e4d1403b4fb2f537abc9ea7ce8eca08c47b19a12b7f"
)
"""The key table. Not a permutation: 150 distinct values. Source: the vendor's app."""

LOGIN_TABLE: Final = TABLE[128:] + TABLE[:128]
"""The vendor's second table, which is the first one rotated by 128. Source: checked by calculation."""

KEY_LENGTH: Final = 128
"""Bytes in a session key."""

_RAMPS: Final = tuple(int.from_bytes(bytes(range(length)), "big") for length in range(LONGEST + 1))


class Cipher:
    """One mask, for one mode of one session."""

    __slots__ = ("mask",)

    def __init__(self, mask: bytes) -> None:
        if len(mask) != LONGEST:
            raise ValueError(f"a mask has {LONGEST} bytes, not {len(mask)}")
        self.mask = mask

    def __repr__(self) -> str:
        return "<Cipher>"  # a mask gives the session key away

    def encode(self, plain: bytes) -> bytes:
        """One message as it goes over the wire; raises `ValueError` above 256 bytes.

        A loop, since each byte needs the one before it: messages to the device are short, and polls are kept.
        """
        _check(plain)
        mask = self.mask
        wire = bytearray()
        state = 0
        for position, byte in enumerate(plain):
            state = byte ^ mask[state ^ position]
            wire.append(state)
        return bytes(wire)

    def decode(self, wire: bytes) -> bytes:
        """One message as it was meant, or the beginning of one; raises `ValueError` above 256 bytes."""
        _check(wire)
        length = len(wire)
        number = int.from_bytes(wire, "big")
        index = (number >> 8) ^ _RAMPS[length]
        mask = index.to_bytes(length, "big").translate(self.mask)
        return (number ^ int.from_bytes(mask, "big")).to_bytes(length, "big")


def _check(message: bytes) -> None:
    if len(message) > LONGEST:
        raise ValueError(f"a message has at most {LONGEST} bytes, not {len(message)}")


SINGLE_KEY: Final = Cipher(LOGIN_TABLE)
"""Before the login, and for the answer to it."""

PLAIN: Final = Cipher(bytes(LONGEST))
"""For devices with the obfuscation switched off: the mask that changes nothing."""


def dual_key(session_key: bytes) -> Cipher:
    """The cipher of everything after the login; raises `ValueError` unless the key has 128 bytes."""
    if len(session_key) != KEY_LENGTH:
        raise ValueError(f"a session key has {KEY_LENGTH} bytes, not {len(session_key)}")
    table = int.from_bytes(TABLE, "big")
    return Cipher((table ^ int.from_bytes(session_key * 2, "big")).to_bytes(LONGEST, "big"))
