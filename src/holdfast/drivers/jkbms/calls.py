"""The short units of the bus: polls (11 bytes) and replies (8 bytes), both Modbus function 0x10.

Sixteen addresses, three registers, one value: there are exactly 48 polls and 48 replies (JK fact sheet section 2). They
are worked out here, once. Comparing bytes with them checks address, register and CRC in one step, and nothing is ever
searched for a CRC that fits.
"""

from __future__ import annotations

from typing import Final, NamedTuple

ADDRESSES: Final = range(16)
"""Four DIP switches (section 1). 0 is the master of the bus."""

LIVE: Final = "live"
SETTINGS: Final = "settings"
ABOUT: Final = "about"

GROUPS: Final = {1: SETTINGS, 2: LIVE, 3: ABOUT}
"""What a frame is about, by the type in its byte 4 (section 3)."""
TYPES: Final = {group: kind for kind, group in GROUPS.items()}
_REGISTERS: Final = {1: 0x1E, 2: 0x20, 3: 0x1C}

POLL_LENGTH: Final = 11
REPLY_LENGTH: Final = 8


class Call(NamedTuple):
    """What a poll asks for and a reply confirms: a frame of type ``kind`` (1..3) from ``address`` (0..15)."""

    address: int
    kind: int


def crc16(data: bytes) -> int:
    """CRC-16/Modbus: starts at 0xFFFF, reflected polynomial 0xA001 (section 2)."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def poll(call: Call) -> bytes:
    """The 11 bytes with which a master asks; raises `KeyError` for a type without a register."""
    return _with_crc(bytes((call.address, 0x10, 0x16, _REGISTERS[call.kind], 0x00, 0x01, 0x02, 0x00, 0x00)))


def reply(call: Call) -> bytes:
    """The 8 bytes that end the transmission of a frame; raises `KeyError` for a type without a register."""
    return _with_crc(bytes((call.address, 0x10, 0x16, _REGISTERS[call.kind], 0x00, 0x01)))


def _with_crc(data: bytes) -> bytes:
    return data + crc16(data).to_bytes(2, "little")


_CALLS: Final = [Call(address, kind) for address in ADDRESSES for kind in GROUPS]
POLLS: Final = {poll(call): call for call in _CALLS}
REPLIES: Final = {reply(call): call for call in _CALLS}
