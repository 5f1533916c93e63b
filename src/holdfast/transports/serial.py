"""Serial ports as byte streams: raw, 8 data bits, no flow control, and in plain words when that fails."""

from __future__ import annotations

import asyncio
import errno
import importlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from holdfast.errors import ConfigurationError, LinkFault, Unreachable, bug
from holdfast.transports.bounded import within

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.link.stream import Dial

BAUDRATE: Final = 115_200
"""JK fact sheet section 1: RS485-2 runs at 115200 baud, 8N1, without flow control."""
LEAST_BAUDRATE: Final = 50
MOST_BAUDRATE: Final = 4_000_000
"""What termios has names for (Linux asm-generic/termbits.h)."""

Parity = Literal["N", "E", "O"]
"""None, even, odd."""
StopBits = Literal[1, 2]

_ADVICE: Final = (
    f"write serial:///dev/ttyUSB0 or serial:///dev/serial/by-id/NAME, with ?baudrate={BAUDRATE}&parity=N&stopbits=1 "
    "where it differs from that"
)
_KEYS: Final = ("baudrate", "parity", "stopbits")
_WINDOWS_PORT: Final = re.compile(r"/COM\d{1,3}", re.IGNORECASE)

_REPLUG: Final = "Unplug the adapter and plug it in again."
_GONE: Final = "the serial port is gone (was its adapter unplugged?)"
_NOT_A_PORT: Final = ("is not a serial port", "Check the path: ls -l /dev/serial/by-id shows the adapters.")
_NO_DEVICE: Final = ("has no device behind it", "Check that the adapter is plugged in.")
_NO_RIGHT: Final = (
    "may not be opened by this user",
    'Add the user to the group that owns it (often "dialout"), and log in anew.',
)
_BUSY: Final = ("is in use by another program", "Close it there: a serial port serves one program at a time.")
_WORDS: Final = {
    errno.ENOENT: (
        "does not exist",
        "Check that the adapter is plugged in, and the path: ls -l /dev/serial/by-id.",
    ),
    errno.EACCES: _NO_RIGHT,
    errno.EPERM: _NO_RIGHT,
    errno.EBUSY: _BUSY,
    errno.EISDIR: _NOT_A_PORT,
    errno.ENOTDIR: _NOT_A_PORT,
    errno.ENOTTY: _NOT_A_PORT,
    errno.EINVAL: ("does not take these settings", "Check baudrate, parity and stopbits."),
    errno.ENODEV: _NO_DEVICE,
    errno.ENXIO: _NO_DEVICE,
    errno.EIO: _NO_DEVICE,  # what /dev/ttyS0 says on machines without such a port
}


@dataclass(frozen=True, slots=True)
class SerialPort:
    """A serial port as a site file names it; 8 data bits, no flow control."""

    path: str
    baudrate: int = BAUDRATE
    parity: Parity = "N"
    stopbits: StopBits = 1

    def dial(self) -> Dial:
        """A way to open this port; raises `ConfigurationError` without the extra."""
        return dial_serial(self.path, self.baudrate, parity=self.parity, stopbits=self.stopbits)


# --- the site file ---------------------------------------------------------------------------------------------


def require_serial() -> None:
    """Raise `ConfigurationError` unless the extra ``serial`` is installed. Slow at first: it imports the library."""
    try:
        importlib.import_module("serialx")
    except ImportError as error:
        raise ConfigurationError(
            f"a serial port needs the extra 'serial' ({error})",
            advice="pip install 'holdfast[serial]'",
            path=("url",),
        ) from error


def parse_serial(url: str) -> SerialPort:
    """Read ``serial:///dev/ttyUSB0?baudrate=115200&parity=N&stopbits=1``; raises `ConfigurationError`."""
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise _wrong(f"{url!r} is not an address") from None
    if "@" in parts.netloc:
        raise ConfigurationError(
            "this address holds a login", advice="a serial port has none: leave it out", path=("url",)
        )
    if parts.scheme != "serial":
        raise _wrong(f"{url!r} is not the address of a serial port")
    if parts.netloc:
        raise _wrong(f"{url!r} has two slashes where a serial port has three")
    path = unquote(parts.path)
    if _WINDOWS_PORT.fullmatch(path):
        path = path[1:]
    if path in ("", "/") or "\0" in path or parts.fragment:
        raise _wrong(f"{url!r} names no serial port")
    settings: dict[str, str] = {}
    for key, value in pairs:
        if key not in _KEYS:
            raise _wrong(f"{key!r} means nothing in the address of a serial port")
        if key in settings:
            raise _wrong(f"{key!r} stands twice in the address")
        settings[key] = value
    return SerialPort(
        path,
        _baudrate(settings.get("baudrate", str(BAUDRATE))),
        _parity(settings.get("parity", "N")),
        _stopbits(settings.get("stopbits", "1")),
    )


def _wrong(text: str, advice: str = _ADVICE) -> ConfigurationError:
    return ConfigurationError(text, advice=advice, path=("url",))


def _baudrate(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,9}", text) and LEAST_BAUDRATE <= int(text) <= MOST_BAUDRATE:
        return int(text)
    raise _wrong(
        f"{text!r} is not a baud rate", f"use a whole number from {LEAST_BAUDRATE} to {MOST_BAUDRATE}"
    )


def _parity(text: str) -> Parity:
    if text.upper() in ("N", "E", "O"):
        return cast("Parity", text.upper())
    raise _wrong(f"{text!r} is not a parity", "use N (none), E (even) or O (odd)")


def _stopbits(text: str) -> StopBits:
    if text in ("1", "2"):
        return cast("StopBits", int(text))
    raise _wrong(f"{text!r} stop bits do not exist", "use 1 or 2")


# --- the port --------------------------------------------------------------------------------------------------

_OPENINGS: Final[dict[str, asyncio.Task[Any]]] = {}
"""Openings under way by path. One that hangs in the kernel keeps a thread for good: there is never a second one."""


def dial_serial(path: str, baudrate: int = BAUDRATE, *, parity: Parity = "N", stopbits: StopBits = 1) -> Dial:
    """A way to open a serial port, pseudo-terminals included; raises `ConfigurationError` without the extra.

    The port is raw (all 256 byte values pass), DTR and RTS are high, and it is locked against programs that lock it as
    well (``flock``, which the system undoes however a program ends). What waited in it from before is dropped: some USB
    adapters keep stale bytes over a reopen (JK fact sheet section 1). All blocking calls run in the loop's default
    executor, except for writes and reads, which do not block. When the adapter is
    unplugged, the protocol's ``connection_lost`` gets an `OSError` that says so.
    """
    require_serial()

    async def dial(factory: Callable[[], asyncio.Protocol], limit_s: float) -> asyncio.Transport:
        loop = asyncio.get_running_loop()
        earlier = _OPENINGS.get(path)
        if earlier is not None and not earlier.done() and earlier.get_loop() is loop:
            raise Unreachable(f"an earlier attempt to open {path} still hangs", advice=_REPLUG)
        opening = loop.create_task(_open(factory, path, baudrate, parity, stopbits), name=f"open {path}")
        _OPENINGS[path] = opening
        opening.add_done_callback(lambda _: _OPENINGS.pop(path, None))
        try:
            return await within(opening, limit_s)
        except BaseException as error:
            opening.add_done_callback(_abort_late)
            if not isinstance(error, Exception):  # whoever waited was cancelled
                raise
            raise translate(error, path, limit_s) from error

    return dial


async def _open(
    factory: Callable[[], asyncio.Protocol], path: str, baudrate: int, parity: Parity, stopbits: StopBits
) -> SerialStream:
    import serialx

    ear = _Ear(factory)
    await serialx.create_serial_connection(
        asyncio.get_running_loop(),
        lambda: ear,
        f"device://{path}",
        baudrate,
        parity=serialx.Parity(parity),
        stopbits=serialx.StopBits(stopbits),
        exclusive=True,
    )
    if ear.stream is None:  # closed while it was being opened
        raise OSError(errno.EIO, "the port was closed at once")
    return ear.stream


def _abort_late(opening: asyncio.Task[SerialStream]) -> None:
    """Nobody waits for this port any more."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().abort()


def translate(error: Exception, path: str, limit_s: float) -> LinkFault:
    """Why a port could not be opened, in our words."""
    from serialx import SerialException

    match error:
        case TimeoutError():
            text, advice = f"could not be opened within {limit_s:g} s", _REPLUG
        case OSError():
            rest = (f"cannot be opened: {error.strerror or error}", _REPLUG)
            text, advice = _WORDS.get(error.errno or 0, rest)
        case SerialException():
            text, advice = f"does not take these settings: {error}", "Check baudrate, parity and stopbits."
        case _:
            return bug(error)
    return Unreachable(f"{path} {text}", advice=advice)


class SerialStream(asyncio.Transport):
    """The library's transport, except that writing to a port which has just vanished is no error.

    The library raises between the loss and its announcement; a transport lets such bytes go unsent.
    """

    def __init__(self, inner: asyncio.Transport, protocol: asyncio.BaseProtocol) -> None:
        super().__init__()
        self._inner = inner
        self._protocol = protocol

    def __repr__(self) -> str:
        return f"<SerialStream of {self._inner!r}>"

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the library tells; ``serial`` is its port."""
        return self._inner.get_extra_info(name, default)

    def is_closing(self) -> bool:
        """Whether it is closed, about to be, or lost."""
        return self._inner.is_closing()

    def close(self) -> None:
        """Send what is buffered, then close; ``connection_lost(None)`` follows when the port is free."""
        self._inner.close()

    def abort(self) -> None:
        """Drop what is buffered and close; ``connection_lost(None)`` follows when the port is free."""
        self._inner.abort()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send at once what the port takes, and the rest when it can."""
        if not self._inner.is_closing():
            self._inner.write(data)

    def get_write_buffer_size(self) -> int:
        """Bytes that the kernel has not taken yet."""
        return self._inner.get_write_buffer_size()

    def is_reading(self) -> bool:
        """Whether the port is open; reading is never paused."""
        return not self._inner.is_closing()

    def can_write_eof(self) -> bool:
        """No: a serial line has no end."""
        return False

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Whom it reports to."""
        return self._protocol


class _Ear(asyncio.Protocol):
    """Stands between the library and the protocol, which sees a `SerialStream` and the loss in our words."""

    def __init__(self, factory: Callable[[], asyncio.Protocol]) -> None:
        self._factory = factory
        self._protocol: asyncio.Protocol | None = None
        self.stream: SerialStream | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._protocol = self._factory()
        self.stream = SerialStream(cast("asyncio.Transport", transport), self._protocol)
        self.data_received = self._protocol.data_received  # type: ignore[method-assign]  # no detour for each read
        self._protocol.connection_made(self.stream)

    def connection_lost(self, error: Exception | None) -> None:
        if self._protocol is not None:
            gone = None if error is None else OSError(getattr(error, "errno", None) or errno.EIO, _GONE)
            self._protocol.connection_lost(gone)
