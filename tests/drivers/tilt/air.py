"""A room full of Bluetooth advertisers without a radio, behind the same face as the library's scanner.

`Air.scanner` is a ``ScannerFactory``. The bytes of a Tilt are put together here from the fact sheet, not by the codec.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holdfast.transports.adverts import Detected

APPLE = 76
NUMBERS = {
    colour: number
    for number, colour in enumerate(
        ("red", "green", "black", "purple", "orange", "blue", "yellow", "pink"), 1
    )
}


def ibeacon(colour: str, major: int, minor: int, power: int | None = 197) -> bytes:
    """What a Tilt sends as Apple's manufacturer data."""
    uuid = f"a495bb{NUMBERS[colour]}0c5b14b44b5121370f02d74de"
    tail = b"" if power is None else bytes([power])
    return bytes.fromhex("0215" + uuid) + major.to_bytes(2, "big") + minor.to_bytes(2, "big") + tail


@dataclass(frozen=True, slots=True)
class FakeDevice:
    """The library's device."""

    address: str


@dataclass(frozen=True, slots=True)
class FakeData:
    """The library's advertisement."""

    rssi: int
    manufacturer_data: dict[int, bytes]


@dataclass(eq=False, slots=True)
class Air:
    """Faults are set on it at any time; the calls named in ``hangs`` (``start``, ``stop``) wait until `release`.

    A deaf library ignores cancellations. ``faults`` holds by the same names what the next calls raise. A numb scan has
    begun and calls back with nothing.
    """

    call_s: float = 0.001
    hangs: set[str] = field(default_factory=set)
    faults: dict[str, Exception] = field(default_factory=dict)
    is_deaf: bool = False
    is_numb: bool = False
    calls: list[str] = field(default_factory=list)
    """What was called, and ``-name`` when the call ended well."""
    radios: list[str] = field(default_factory=list)
    scanners: list[FakeScanner] = field(default_factory=list)
    running: int = 0
    most_running: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def scanner(self, radio: str, detected: Detected) -> FakeScanner:
        """A new scanner."""
        scanner = FakeScanner(self, detected)
        self.radios.append(radio)
        self.scanners.append(scanner)
        return scanner

    @property
    def listeners(self) -> list[FakeScanner]:
        """The scanners at work."""
        return [each for each in self.scanners if each.is_on]

    def shout(self, address: str, data: bytes, rssi: int = -60, company: int = APPLE) -> None:
        """One advertisement, heard by every scanner at work."""
        if not self.is_numb:
            for each in self.listeners:
                each.detected(FakeDevice(address), FakeData(rssi, {company: data}))

    def hang(self, *names: str, is_deaf: bool = False) -> None:
        """From now on these calls do not return."""
        self.released = asyncio.Event()
        self.hangs = set(names)
        self.is_deaf = is_deaf

    def release(self) -> None:
        """Let everything that hangs go on."""
        self.hangs.clear()
        self.released.set()

    async def call(self, name: str) -> None:
        """What every call of the library goes through."""
        self.calls.append(name)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
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
        finally:
            self.running -= 1


class FakeScanner:
    """One scanner; as with the library, stopping one that was never started is harmless."""

    def __init__(self, air: Air, detected: Detected) -> None:
        self.air = air
        self.is_on = False
        self.detected: Any = detected

    async def start(self) -> None:
        await self.air.call("start")
        self.is_on = True

    async def stop(self) -> None:
        self.is_on = False
        await self.air.call("stop")
