"""A Bluetooth LE device without a radio, behind the same face as the library's client.

`FakeGatt.client` is the ``client_factory`` of `dial_ble`. A simulated battery is put behind it by ``heard``, which is
called with each write, and by `FakeGatt.notify`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bleak.exc import BleakDeviceNotFoundError, BleakError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ADDRESS = "AA:BB:CC:DD:EE:FF"
FFE0 = "0000ffe0-0000-1000-8000-00805f9b34fb"
FFE1 = "0000ffe1-0000-1000-8000-00805f9b34fb"

NOTIFY_BYTES = 20
"""What a notification carries unless both sides agree on more (ATT_MTU 23 less 3); newer modules send 128."""


@dataclass(eq=False, slots=True)
class FakeCharacteristic:
    """One characteristic; ``max_write_without_response_size`` in bytes."""

    uuid: str = FFE1
    handle: int = 3
    properties: tuple[str, ...] = ("read", "write-without-response", "write", "notify")
    max_write_without_response_size: int = NOTIFY_BYTES


@dataclass(eq=False, slots=True)
class FakeService:
    """A group of characteristics."""

    uuid: str = FFE0
    characteristics: tuple[FakeCharacteristic, ...] = (FakeCharacteristic(),)


def older_module() -> FakeService:
    """Two characteristics of one UUID (JK fact sheet section 11)."""
    write = FakeCharacteristic(handle=3, properties=("write-without-response",))
    return FakeService(characteristics=(write, FakeCharacteristic(handle=5, properties=("read", "notify"))))


@dataclass(eq=False, slots=True)
class FakeGatt:
    """One device. Faults are set on it at any time; the calls named in ``hangs`` wait until `release`.

    ``hangs`` knows ``connect``, ``start_notify``, ``write`` and ``disconnect``; a deaf library ignores cancellations.
    ``faults`` holds by the same names what the next calls raise.
    """

    services: tuple[FakeService, ...] = (FakeService(),)
    notify_bytes: int = NOTIFY_BYTES
    call_s: float = 0.01
    heard: Callable[[bytes], object] | None = None
    hangs: set[str] = field(default_factory=set)
    faults: dict[str, Exception] = field(default_factory=dict)
    is_deaf: bool = False
    calls: list[str] = field(default_factory=list)
    """What was called, and ``-name`` when the call ended well."""
    written: list[tuple[int, bytes, bool]] = field(default_factory=list)
    """Handle, bytes, and whether a response was asked for."""
    clients: list[FakeClient] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def client(self, address: str, gone: Callable[[Any], None], limit_s: float) -> FakeClient:
        """A new client, as `dial_ble` makes one for each connection."""
        client = FakeClient(self, address, gone, limit_s)
        self.clients.append(client)
        return client

    @property
    def connected(self) -> FakeClient | None:
        """Who is connected: one client at a time."""
        return next((client for client in self.clients if client.is_connected), None)

    @property
    def is_subscribed(self) -> bool:
        """Whether notifications are heard."""
        client = self.connected
        return client is not None and client.callback is not None

    def notify(self, data: bytes) -> None:
        """Send bytes in slices of ``notify_bytes``; without a subscriber they are lost."""
        for at in range(0, len(data), self.notify_bytes):
            client = self.connected
            if client is None or client.callback is None:
                return
            client.callback(client.listened_to, bytearray(data[at : at + self.notify_bytes]))

    def drop(self) -> None:
        """Go out of reach."""
        client = self.connected
        assert client is not None
        client.hang_up()

    def release(self) -> None:
        """Let everything that hangs go on."""
        self.hangs.clear()
        self.released.set()

    async def call(self, name: str) -> None:
        """What every call of the library goes through."""
        self.calls.append(name)
        await asyncio.sleep(self.call_s)
        while name in self.hangs:
            try:
                await self.released.wait()
            except asyncio.CancelledError:
                if not self.is_deaf:
                    raise
        if name in self.faults:
            raise self.faults[name]
        self.calls.append(f"-{name}")


class FakeClient:
    """One connection, or an attempt at one."""

    def __init__(self, gatt: FakeGatt, address: str, gone: Callable[[Any], None], limit_s: float) -> None:
        self.gatt = gatt
        self.address = address
        self.limit_s = limit_s
        self.is_connected = False
        self.callback: Callable[[Any, bytearray], None] | None = None
        self.listened_to: FakeCharacteristic | None = None
        self._gone = gone

    @property
    def services(self) -> Iterator[FakeService]:
        return iter(self.gatt.services)

    async def connect(self) -> None:
        await self.gatt.call("connect")
        if self.gatt.connected is not None:  # a device that is in use does not show itself
            raise BleakDeviceNotFoundError(self.address, f"Device with address {self.address} was not found.")
        self.is_connected = True

    async def disconnect(self) -> None:
        try:
            await self.gatt.call("disconnect")
        finally:
            self.hang_up()

    async def start_notify(self, characteristic: Any, callback: Callable[[Any, bytearray], None], /) -> None:
        self._require_connection()
        await self.gatt.call("start_notify")
        self._require_connection()
        self.listened_to = characteristic
        self.callback = callback

    async def write_gatt_char(self, characteristic: Any, data: bytes, response: bool, /) -> None:  # noqa: FBT001, RUF100
        self._require_connection()
        if not response and len(data) > characteristic.max_write_without_response_size:
            raise BleakError("too long for one write")
        await self.gatt.call("write")
        self._require_connection()
        self.gatt.written.append((characteristic.handle, bytes(data), response))
        if self.gatt.heard is not None:
            self.gatt.heard(bytes(data))

    def hang_up(self) -> None:
        if self.is_connected:
            self.is_connected = False
            self.callback = None
            self._gone(self)

    def _require_connection(self) -> None:
        if not self.is_connected:
            raise BleakError("Not connected")
