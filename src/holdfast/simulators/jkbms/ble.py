"""A battery's Bluetooth side as a byte stream: commands in, slices of frames out (JK fact sheet section 11).

It is pure: whoever plays the radio brings the clock, and asks for live frames as often as it likes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.simulators.jkbms.frames import (
    Frame,
    FrameKind,
    Layout,
    LiveFrame,
    checksum,
    encode,
    encode_live,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.simulators.jkbms.battery import Battery

SERVICE = "0000ffe0-0000-1000-8000-00805f9b34fb"
"""Service of JK's Bluetooth module."""

CHARACTERISTIC = "0000ffe1-0000-1000-8000-00805f9b34fb"
"""Notifies and is written to."""

COMMAND_HEADER = b"\xaa\x55\x90\xeb"
COMMAND_SIZE = 20
"""Bytes of a command, and of the reply to one."""

COMMAND_REPLY = bytes.fromhex("aa5590ebc8010100000000000000000000000044")
"""What the module says to every command before it does anything."""

ASK_INFO = 0x97
ASK_LIVE = 0x96

LIVE_PERIOD_S = 0.5
"""How often live frames come unasked; ours, real modules send one or two a second."""

SLICES = (20, 128)
"""Sizes of notifications seen, in bytes: by the connection's MTU."""


def command(number: int, value: bytes = b"") -> bytes:
    """The 20 bytes of a command."""
    body = COMMAND_HEADER + bytes((number, len(value))) + value
    body = body.ljust(COMMAND_SIZE - 1, b"\0")
    return body + bytes((checksum(body),))


def slices(data: bytes, size: int = SLICES[1]) -> Iterator[bytes]:
    """The notifications in which ``data`` comes."""
    for at in range(0, len(data), size):
        yield data[at : at + size]


class BleBattery:
    """One life of a Bluetooth connection to ``battery``: a counter in byte 5, no reply behind the frames.

    ``said`` is the content of every frame given out, in order, for an outside observer.
    """

    def __init__(self, battery: Battery, *, layout: Layout = Layout.S32, counter: int = 0) -> None:
        self.battery = battery
        self.layout = layout
        self.is_streaming = False
        """Whether live frames come unasked: since the command for them."""
        self.said: list[Frame] = []
        self._counter = counter

    def commands(self, data: bytes, now: float) -> Iterator[bytes]:
        """What the battery answers to one write at clock time ``now``, whole units in order.

        Whatever is no command with a valid sum is not answered.
        """
        is_command = len(data) == COMMAND_SIZE and data.startswith(COMMAND_HEADER)
        if not is_command or checksum(data[:-1]) != data[-1]:
            return
        yield COMMAND_REPLY
        if data[4] == ASK_INFO:
            yield self._frame(FrameKind.INFO, now)
        elif data[4] == ASK_LIVE:
            self.is_streaming = True
            yield self._frame(FrameKind.SETTINGS, now)
            yield self.live(now)

    def live(self, now: float) -> bytes:
        """The next live frame; to be asked for while ``is_streaming``, every `LIVE_PERIOD_S` or so."""
        return self._frame(FrameKind.LIVE, now)

    def _frame(self, kind: FrameKind, now: float) -> bytes:
        self._counter = (self._counter + 1) & 0xFF
        frame = self.battery.frame(kind, now)
        self.said.append(frame)
        if isinstance(frame, LiveFrame):
            return encode_live(frame, self._counter, self.layout)
        return encode(frame, self._counter)
