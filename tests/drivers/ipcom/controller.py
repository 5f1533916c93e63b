"""A controller's side of the wire, just enough to try the driver under the real core.

It shares the driver's cipher, so it proves nothing about bytes: the golden vectors do that, and the simulator judges
independently.
"""

from __future__ import annotations

import asyncio

from holdfast.drivers.ipcom.cipher import PLAIN, SINGLE_KEY, Cipher, dual_key

PORT = 5000


class Controller:
    """One house; ``bus_s`` is how long a write takes to its outputs, ``ack`` the plain bytes that answer one."""

    def __init__(self) -> None:
        self.key = bytes(range(128))
        self.state = bytearray(128)
        self.ack: bytes | None = b"\x04\x01\x00"
        self.bus_s = 0.0
        self.reply_s = 0.0
        self.is_plain = False
        self.refuses = False
        self.answers_keep_alive = True
        self.logins: list[bytes] = []
        self.writes: list[tuple[float, int, bytes]] = []
        self.polls = 0
        self.keep_alives = 0
        self.goodbyes = 0
        self.open: list[_Side] = []

    async def listen(self, host: str) -> asyncio.AbstractServer:
        return await asyncio.get_running_loop().create_server(lambda: _Side(self), host, PORT)


class _Side(asyncio.Protocol):
    def __init__(self, house: Controller) -> None:
        self.house = house
        self.cipher: Cipher | None = None
        self.buffer = b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.house.open.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.house.open.remove(self)

    def say(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while len(self.buffer) >= self.length():
            message, self.buffer = self.buffer[: self.length()], self.buffer[self.length() :]
            if self.cipher is None:
                self.login(message)
            else:
                self.heard(self.cipher.decode(message))

    def length(self) -> int:
        """Bytes of the message that comes next."""
        if self.cipher is None:
            return 56
        return 17 if self.cipher.decode(self.buffer[:1]) == b"\x04" else 2

    def login(self, data: bytes) -> None:
        house = self.house
        house.logins.append(data)
        if house.is_plain and data[:2] != b"\x01\x02":
            self.say(b"\x02\x01")
        elif house.refuses:
            self.say(dual_key(house.key).encode(b"\x02\x01"))
        else:
            answer = b"\x01\x023.14\x01" + house.key
            self.cipher = PLAIN if house.is_plain else dual_key(house.key)
            self.say(answer if house.is_plain else SINGLE_KEY.encode(answer))

    def heard(self, plain: bytes) -> None:
        house = self.house
        loop = asyncio.get_running_loop()
        match plain[0]:
            case 2:
                house.goodbyes += 1
            case 3:
                house.keep_alives += 1
                if house.answers_keep_alive:
                    self.answer(b"\x03\x01")
            case 4:
                module, values = plain[4] - 59, plain[8:16]
                house.writes.append((loop.time(), module, values))
                start = (module - 1) * 8
                loop.call_later(house.bus_s, house.state.__setitem__, slice(start, start + 8), values)
                if house.ack is not None:
                    self.answer(house.ack)
            case 5:
                house.polls += 1
                loop.call_later(house.reply_s, self.report)

    def report(self) -> None:
        self.answer(b"\x05\x01" + bytes(self.house.state))

    def answer(self, plain: bytes) -> None:
        assert self.cipher is not None
        self.say(self.cipher.encode(plain))
