"""An outside reader of the bus's bytes, written for the tests from the fact sheet alone."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.simulators.jkbms import Gateway

HEADER = bytes.fromhex("55aaeb90")


class Unit(NamedTuple):
    """``what`` is P, F or R; a frame's address is that of byte 270 for settings, else unknown (-1)."""

    what: str
    address: int
    kind: int
    at: int
    data: bytes

    def __str__(self) -> str:
        return f"{self.what}{self.address}.{self.kind}" if self.what != "F" else f"F{self.kind}"


def modbus_crc(data: bytes) -> bytes:
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return struct.pack("<H", crc)


def units(stream: bytes) -> tuple[list[Unit], int]:
    """The units of a stream, and how many bytes belong to none."""
    found, junk, at = [], 0, 0
    kinds = {0x20: 2, 0x1E: 1, 0x1C: 3}
    while at < len(stream):
        rest = stream[at : at + 300]
        unit = None
        if rest[:4] == HEADER and len(rest) == 300 and sum(rest[:299]) % 256 == rest[299]:
            address = rest[270] if rest[4] == 1 else -1
            unit = Unit("F", address, rest[4], at, rest)
        elif rest[1:3] == b"\x10\x16" and modbus_crc(rest[:6]) == rest[6:8]:
            unit = Unit("R", rest[0], kinds[rest[3]], at, rest[:8])
        elif rest[1:3] == b"\x10\x16" and modbus_crc(rest[:9]) == rest[9:11]:
            unit = Unit("P", rest[0], kinds[rest[3]], at, rest[:11])
        if unit is None:
            junk += 1
            at += 1
        else:
            found.append(unit)
            at += len(unit.data)
    return found, junk


def answers(stream: bytes) -> list[tuple[int, int]]:
    """(address, kind) of each good frame with a good reply right behind it, searching from every header."""
    found = []
    at = stream.find(HEADER)
    while at >= 0:
        frame, end = stream[at : at + 300], stream[at + 300 : at + 308]
        is_good = len(end) == 8 and sum(frame[:299]) % 256 == frame[299] and end[1:3] == b"\x10\x16"
        if is_good and modbus_crc(end[:6]) == end[6:]:
            found.append((end[0], frame[4]))
        at = stream.find(HEADER, at + (300 if is_good else 1))
    return found


def capture(path: Path) -> bytes:
    return b"".join(bytes.fromhex(line) for line in path.read_text().splitlines() if line.strip())


class Tap:
    """A client that keeps every read with its time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.reads: list[tuple[float, bytes]] = []
        self.end: BaseException | None = None
        self._reader = reader
        self._task = asyncio.ensure_future(self._listen())

    @classmethod
    async def dial(cls, gateway: Gateway) -> Tap:
        return cls(*await asyncio.open_connection(gateway.host, gateway.port))

    @property
    def stream(self) -> bytes:
        return b"".join(data for _, data in self.reads)

    @property
    def is_over(self) -> bool:
        return self._task.done()

    async def over(self) -> BaseException | None:
        """Wait for the end of the stream; ``None`` if it was orderly."""
        await self._task
        return self.end

    async def over_within(self, seconds: float) -> None:
        """Wait for the end of the stream, so long at most."""
        await asyncio.wait((self._task,), timeout=seconds)

    async def until_mid_frame(self) -> None:
        """Wait until the last read is the first piece of a frame."""
        last = b""
        while not (last.startswith(HEADER) and len(last) == 256):
            await asyncio.sleep(0.001)
            last = self.reads[-1][1]

    async def __aenter__(self) -> Tap:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()
        await self._task

    async def _listen(self) -> None:
        clock = asyncio.get_running_loop().time
        try:
            while data := await self._reader.read(4096):
                self.reads.append((clock(), data))
        except ConnectionError as error:
            self.end = error
