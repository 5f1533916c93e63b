"""Polls and replies: the short units on the bus, each closed by a CRC (JK fact sheet section 2)."""

from __future__ import annotations

from typing import NamedTuple

from holdfast.simulators.jkbms.frames import FrameKind

POLL_SIZE = 11
"""Bytes of a poll: address, head, register, count, byte count, value, CRC."""

REPLY_SIZE = 8
"""Bytes of a reply: what a poll begins with, and a CRC."""

HEAD = b"\x10\x16"
"""Modbus function *write multiple registers*, and the high byte of the register."""

ONE_REGISTER = b"\x00\x01"
"""How many registers are written."""

POLL_END = b"\x02\x00\x00"
"""Two bytes follow, both 0."""

REGISTERS = {FrameKind.LIVE: 0x20, FrameKind.SETTINGS: 0x1E, FrameKind.INFO: 0x1C}
"""Low byte of the register whose writing asks for a frame of a kind."""

KINDS = {register: kind for kind, register in REGISTERS.items()}
"""The kind of frame that a register asks for."""


class Poll(NamedTuple):
    """A question to the battery at ``address`` for a frame of ``kind``."""

    address: int
    kind: FrameKind


def crc16(data: bytes) -> bytes:
    """CRC-16/Modbus of ``data``, two bytes, the low one first."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")


def _crc_of_byte(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ 0xA001 if byte & 1 else byte >> 1
    return byte


_CRC_TABLE = tuple(_crc_of_byte(byte) for byte in range(256))


def poll(address: int, kind: FrameKind) -> bytes:
    """The 11 bytes that ask for a frame."""
    body = _start(address, kind) + POLL_END
    return body + crc16(body)


def reply(address: int, kind: FrameKind) -> bytes:
    """The 8 bytes that follow a frame and name its sender."""
    body = _start(address, kind)
    return body + crc16(body)


def _start(address: int, kind: FrameKind) -> bytes:
    return bytes((address,)) + HEAD + bytes((REGISTERS[kind],)) + ONE_REGISTER


class PollReader:
    """Finds polls in what one sender puts on the bus, however it is split; anything else is passed over."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def clear(self) -> None:
        """Forget the beginning of a poll whose end did not come."""
        self._rest.clear()

    def feed(self, data: bytes) -> list[Poll]:
        """The polls that ``data`` completes."""
        rest = self._rest
        rest += data
        polls = []
        at = rest.find(HEAD)
        while at >= 0:
            start = max(at - 1, 0)
            unit = bytes(rest[start : start + POLL_SIZE])
            if at > 0 and unit[3:4] and unit[3] in KINDS and len(unit) < POLL_SIZE:
                break
            if at > 0 and len(unit) == POLL_SIZE and _is_poll(unit):
                polls.append(Poll(unit[0], KINDS[unit[3]]))
                del rest[: start + POLL_SIZE]
                at = rest.find(HEAD)
            else:
                at = rest.find(HEAD, at + 1)
        del rest[: -(POLL_SIZE - 1)]
        return polls


def _is_poll(unit: bytes) -> bool:
    return unit[3] in KINDS and unit[4:9] == ONE_REGISTER + POLL_END and unit[9:] == crc16(unit[:9])
