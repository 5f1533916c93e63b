"""A tiny client that speaks raw bytes; only what it must know of the protocol is written here again."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import reduce
from operator import xor
from typing import TYPE_CHECKING, Self

from holdfast.simulators.ipcom.cipher import CLEAR, LOGIN, Cipher, session_cipher

if TYPE_CHECKING:
    from holdfast.simulators.ipcom import IpcomController

LIMIT_S = 5.0
PASSWORD = "password"
POLL = b"\x05\x01"
KEEP_ALIVE = b"\x03\x01"
GOODBYE = b"\x02\x01"
RESPONSE_SIZE = 135
SNAPSHOT_SIZE = 130


def login_request(username: str = "user", password: str = PASSWORD) -> bytes:
    fields = (f"USER:{username}", f"PWD:{password}")
    return b"\x01\x02" + b"".join(field.encode().ljust(26) for field in fields) + b"\x01\x00"


def write_request(module: int, values: bytes, *, bus: int = 2, base: int = 60) -> bytes:
    data = b"\x01" + values
    number = bytes((bus,)) if bus else b""
    return b"\x04\x01" + number + bytes((0x23, base + module - 1, 0, 10)) + data + bytes((reduce(xor, data),))


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.cipher = LOGIN
        self.key = b""

    @classmethod
    async def dial(cls, controller: IpcomController) -> Self:
        return cls(*await asyncio.open_connection(controller.host, controller.port))

    @classmethod
    async def dial_patiently(cls, controller: IpcomController) -> Self:
        """Dial until somebody listens: a port that opens again does so in its own time."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                try:
                    return await cls.dial(controller)
                except ConnectionRefusedError:
                    await asyncio.sleep(0.01)

    @classmethod
    async def with_session(cls, controller: IpcomController) -> Self:
        client = await cls.dial_patiently(controller)
        await client.login()
        return client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()

    def send(self, plain: bytes) -> None:
        self.send_raw(self.cipher.encode(plain))

    def send_raw(self, wire: bytes) -> None:
        self.writer.write(wire)

    async def take(self, size: int) -> bytes:
        async with asyncio.timeout(LIMIT_S):
            return await self.reader.readexactly(size)

    async def hear(self, size: int) -> bytes:
        """One message of known size, decoded."""
        return self.cipher.decode(await self.take(size))

    async def rest(self) -> bytes:
        """Everything up to the end of the stream."""
        async with asyncio.timeout(LIMIT_S):
            return await self.reader.read()

    async def segment(self) -> bytes:
        """What arrives together (on loopback: what was written together)."""
        async with asyncio.timeout(LIMIT_S):
            return await self.reader.read(4096)

    async def silence(self, seconds: float) -> bool:
        """Whether nothing comes for so long."""
        try:
            async with asyncio.timeout(seconds):
                await self.reader.read(1)
        except TimeoutError:
            return True
        return False

    async def login(self, request: bytes | None = None, cipher: Cipher = LOGIN) -> bytes:
        self.send_raw(cipher.encode(request or login_request()))
        answer = cipher.decode(await self.take(RESPONSE_SIZE))
        self.key = answer[7:]
        self.cipher = CLEAR if cipher is CLEAR else session_cipher(self.key)
        return answer

    async def poll(self) -> bytes:
        """All outputs as the device shows them."""
        self.send(POLL)
        answer = await self.hear(SNAPSHOT_SIZE)
        assert answer[:2] == POLL
        return answer[2:]

    async def write(self, module: int, *values: int) -> None:
        self.send(write_request(module, bytes(values)))
