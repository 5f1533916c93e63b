"""The other side: aiobmsble's JK decoder, in an environment of its own. One JSON line as the result.

``python -m bench.jkbms.peer JSON`` with the live frames, one behind the other, on standard input.

Nothing of the library is left out, added or written anew: it connects through its own `_connect`, is told the
device's versions, gets each frame through the handler that it registered for notifications, and gives its values
through `async_update`. Only what stands for radio and D-Bus is ours, and it costs nothing while the time is taken.
"""

from __future__ import annotations

import asyncio
import json
import platform
import sys
import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from bench.jkbms.material import FRAME_SIZE, info_frame
from bench.machine import cores, pin

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

READY = b"\xaa\x55\x90\xeb\xc8\x01\x01" + bytes(12) + b"\x44"
"""The reply to a command (fact sheet section 11); newer firmware sends it right behind the frame."""
CHARACTERISTIC = "0000ffe1-0000-1000-8000-00805f9b34fb"
HANDLE = 3
COMMAND_INFO = 0x97
ADDRESS = "02:00:00:00:00:01"


class Characteristic:
    """Where a JK battery is written to and heard."""

    uuid = CHARACTERISTIC
    handle = HANDLE
    properties = ("notify", "write-without-response")


class Service:
    """What it belongs to."""

    characteristics = (Characteristic(),)


class Services(list[Service]):
    """All that the device offers."""

    def get_characteristic(self, which: int | str) -> Characteristic:
        """The only one."""
        return self[0].characteristics[0]


class Radio:
    """In place of Bleak's client: connected at once, it answers the first two commands and counts the others."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.services = Services([Service()])
        self.is_connected = False
        self.notify: Callable[[Any, bytearray], Any] | None = None
        self.first = b""
        self.requests = 0

    async def start_notify(self, _: Any, notify: Callable[[Any, bytearray], Any]) -> None:
        """Whom to tell of what is received."""
        self.notify = notify

    async def write_gatt_char(self, _: Any, command: bytes, response: bool | None = None) -> None:
        """A command: versions, or to begin sending live frames."""
        assert self.notify is not None
        if command[4] == COMMAND_INFO:
            self.notify(None, bytearray(info_frame() + READY))
        else:
            self.requests += 1
            self.notify(None, bytearray(self.first))

    async def disconnect(self) -> None:
        """Gone."""
        self.is_connected = False


async def _connected(first: bytes) -> tuple[Any, Radio]:
    """The library's object for a JK battery, connected over a `Radio`, with the first frame read."""
    from aiobmsble import basebms  # type: ignore[import-not-found]
    from aiobmsble.bms.jikong_bms import BMS  # type: ignore[import-not-found]
    from bleak.backends.device import BLEDevice

    radio = Radio()
    radio.first = first

    async def establish(*_: Any, **__: Any) -> Radio:
        radio.is_connected = True
        return radio

    basebms.BleakClient = Radio
    basebms.establish_connection = establish
    bms = BMS(BLEDevice(ADDRESS, "bench", None))
    await bms.async_update()
    return bms, radio


async def _measured(frames: list[bytes], slice_size: int, every: int) -> dict[str, Any]:
    bms, radio = await _connected(frames[-1])
    notify = radio.notify
    assert notify is not None
    sender = Characteristic()
    # Bleak hands over a bytearray each time; they are made beforehand, so making them is not in the time taken.
    notifications = [_notifications(frame, slice_size) for frame in frames]
    update: Callable[[], Awaitable[Any]] = bms.async_update
    sample: dict[str, Any] = {}
    cpu_s = time.process_time()
    for pieces in notifications:
        for piece in pieces:
            notify(sender, piece)
        sample = await update()
    cpu_s = time.process_time() - cpu_s
    last = _plain(sample)
    samples = []
    for frame in frames[::every] if every else ():
        for piece in _notifications(frame, slice_size):
            notify(sender, piece)
        samples.append(_plain(await update()))
    # A frame that the library dropped would have made it ask again, and wait.
    assert radio.requests == 1, f"{radio.requests - 1} frames were not taken"
    return {"cpu_s": cpu_s, "frames": len(frames), "last": last, "samples": samples}


def _notifications(frame: bytes, slice_size: int) -> list[bytearray]:
    return [bytearray(frame[at : at + slice_size]) for at in range(0, FRAME_SIZE, slice_size)]


def _plain(sample: dict[str, Any]) -> dict[str, Any]:
    """A sample as JSON: sensors as their values."""
    return {**sample, "temp_values": [float(sensor) for sensor in sample["temp_values"]]}


def main() -> None:
    """Decode what comes in as often as the argument says."""
    options = json.loads(sys.argv[1])
    data = sys.stdin.buffer.read()
    frames = [data[at : at + FRAME_SIZE] for at in range(0, len(data), FRAME_SIZE)]
    pin(cores()[0] if cores() else None)
    result = asyncio.run(_measured(frames, options["slice_size"], options["every"]))
    words = f"aiobmsble {version('aiobmsble')}, Bleak {version('bleak')}, CPython {platform.python_version()}, asyncio"
    sys.stdout.write(json.dumps({**result, "words": words}) + "\n")


if __name__ == "__main__":
    main()
