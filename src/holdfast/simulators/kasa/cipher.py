"""The legacy cipher and its frames: running-key XOR (Kasa fact sheet section 8)."""

from __future__ import annotations

FIRST_KEY = 171
LENGTH_SIZE = 4
LONGEST_REQUEST = 16 * 1024
"""Bytes. Whole updates ask for a few hundred; whoever claims more does not speak this protocol."""


class NotLegacy(ValueError):
    """The bytes are not of the legacy protocol."""


def encipher(plain: bytes) -> bytes:
    """Each byte is masked with the cipher byte before it."""
    key = FIRST_KEY
    out = bytearray()
    for byte in plain:
        key ^= byte
        out.append(key)
    return bytes(out)


def decipher(cipher: bytes) -> bytes:
    """The reverse of `encipher`; any bytes decipher to something."""
    return bytes(byte ^ key for byte, key in zip(cipher, bytes((FIRST_KEY,)) + cipher, strict=False))


def frame(plain: bytes) -> bytes:
    """A message as it travels over TCP: its length, then its cipher bytes."""
    return len(plain).to_bytes(LENGTH_SIZE, "big") + encipher(plain)


class FrameReader:
    """Cuts a TCP stream into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that ``data`` completes, in clear. Raises `NotLegacy` for impossible lengths."""
        self._buffer += data
        messages = []
        while len(self._buffer) >= LENGTH_SIZE:
            size = int.from_bytes(self._buffer[:LENGTH_SIZE], "big")
            if size > LONGEST_REQUEST:
                raise NotLegacy(f"a message of {size} bytes")
            if len(self._buffer) < LENGTH_SIZE + size:
                break
            messages.append(decipher(bytes(self._buffer[LENGTH_SIZE : LENGTH_SIZE + size])))
            del self._buffer[: LENGTH_SIZE + size]
        return messages
