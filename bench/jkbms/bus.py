"""The same frames as they pass on an RS485 bus: polls in front, replies behind, read as a gateway hands them over.

Fact sheet sections 1 and 2. The checksum here is nobody's but the benchmark's own.
"""

from __future__ import annotations

from typing import NamedTuple

from bench.jkbms.material import ADDRESSES, settings_frame

POLL_SIZE = 11
REPLY_SIZE = 8
_REGISTERS = {"live": 0x20, "settings": 0x1E}
_LAST_ADDRESS = 15
_GATEWAY_READ = 256
"""Gateways cut an answer of 308 bytes here (fact sheet section 1)."""


class Bus(NamedTuple):
    """Bytes, the sizes of the reads they arrive in, and how many data frames they hold."""

    data: bytes
    reads: tuple[int, ...]
    frames: int

    def pieces(self) -> list[bytes]:
        """The bytes, cut into reads."""
        found, at = [], 0
        for size in self.reads:
            found.append(self.data[at : at + size])
            at += size
        return found


def live_bus(frames: list[bytes]) -> Bus:
    """The live frames with the polls and replies that belong to them, and nothing else.

    The master's own frames (address 0) come without a poll, as on a real bus.
    """
    units: list[bytes] = []
    for number, frame in enumerate(frames):
        units += _answer(ADDRESSES[number % len(ADDRESSES)], "live", frame)
    return _bus(units, len(frames))


def whole_bus(frames: list[bytes]) -> Bus:
    """The same as a master really runs its cycle: settings after each live frame, and polls that nobody answers."""
    units: list[bytes] = []
    settings = {address: settings_frame(address) for address in ADDRESSES}
    for number, frame in enumerate(frames):
        address = ADDRESSES[number % len(ADDRESSES)]
        if not address:  # the master has asked everybody else before it sends its own
            units += [poll(absent, "live") for absent in range(len(ADDRESSES), _LAST_ADDRESS + 1)]
        units += _answer(address, "live", frame)
        units += _answer(address, "settings", settings[address])
    return _bus(units, 2 * len(frames))


def poll(address: int, what: str) -> bytes:
    """A master's question."""
    return _with_crc(bytes((address, 0x10, 0x16, _REGISTERS[what], 0, 1, 2, 0, 0)))


def reply(address: int, what: str) -> bytes:
    """What ends the transmission of a data frame."""
    return _with_crc(bytes((address, 0x10, 0x16, _REGISTERS[what], 0, 1)))


def _answer(address: int, what: str, frame: bytes) -> list[bytes]:
    question = [poll(address, what)] if address else []
    return [*question, frame + reply(address, what)]


def _bus(units: list[bytes], frames: int) -> Bus:
    reads: list[int] = []
    for unit in units:
        whole, rest = divmod(len(unit), _GATEWAY_READ)
        reads += [_GATEWAY_READ] * whole + [rest]
    return Bus(b"".join(units), tuple(reads), frames)


def _with_crc(message: bytes) -> bytes:
    crc = 0xFFFF
    for byte in message:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return message + crc.to_bytes(2, "little")
