"""Bluetooth LE as a byte stream: notifications of one characteristic come in, writes to another go out."""

from __future__ import annotations

import asyncio
import importlib
import logging
import re
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

from holdfast.errors import ConfigurationError, LinkFault, Unreachable, WrongDevice, bug
from holdfast.transports.bounded import within

if TYPE_CHECKING:
    from holdfast.link.stream import Dial

log = logging.getLogger(__name__)

WRITE_S: Final = 2.0
"""How long one write may take. It needs one or two connection intervals: Linux asks for 70 ms at most
(``le_conn_max_interval`` in net/bluetooth/hci_core.c), the Bluetooth specification allows 4 s (volume 6 part B)."""
LEAVE_S: Final = 5.0
"""How long disconnecting may take. Bleak's sources speak of more than one second with BlueZ."""
ROOM: Final = 4096
"""Bytes that may wait to be sent; commands are some 20 bytes long, so that many mean that none is taken."""
LONGEST_REQUEST: Final = 512
"""The longest attribute value, in bytes: Bluetooth core specification volume 3 part F section 3.2.9."""

_ADVICE: Final = "write ble://AA:BB:CC:DD:EE:FF, or on macOS ble:// and the UUID that it gives to the device"
_MAC: Final = re.compile(r"[0-9A-F]{2}([:-]?)(?:[0-9A-F]{2}\1){4}[0-9A-F]{2}", re.IGNORECASE)
_UUID: Final = re.compile(r"[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}", re.IGNORECASE)
_SHORT_UUID: Final = re.compile(r"[0-9A-F]{4}", re.IGNORECASE)
_BASE_UUID: Final = "0000{}-0000-1000-8000-00805f9b34fb"
"""What a short UUID stands for: Bluetooth core specification volume 3 part B section 2.5.1."""


# --- the site file ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BleAddress:
    """A Bluetooth device as a site file names it: ``AA:BB:CC:DD:EE:FF``, or a UUID of macOS, in capitals."""

    address: str

    def __str__(self) -> str:
        return self.address


def require_ble() -> None:
    """Raise `ConfigurationError` unless the extra ``ble`` is installed. Slow at first: it imports the library."""
    try:
        importlib.import_module("bleak")
    except ImportError as error:
        raise ConfigurationError(
            f"Bluetooth needs the extra 'ble' ({error})", advice="pip install 'holdfast[ble]'", path=("url",)
        ) from error


def parse_ble(url: str) -> BleAddress:
    """Read ``ble://AA:BB:CC:DD:EE:FF``, with dashes and in small letters too; raises `ConfigurationError`."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _wrong(f"{url!r} is not an address") from None
    if "@" in parts.netloc:
        raise ConfigurationError(
            "this address holds a login", advice="Bluetooth has none here: leave it out", path=("url",)
        )
    if parts.scheme != "ble":
        raise _wrong(f"{url!r} is not the address of a Bluetooth device")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise _wrong(f"{url!r} says more than the address of a Bluetooth device")
    text = parts.netloc.upper()
    if _UUID.fullmatch(text):
        return BleAddress(text)
    if not _MAC.fullmatch(text):
        raise _wrong(f"{url!r} is not the address of a Bluetooth device")
    digits = re.sub("[:-]", "", text)
    return BleAddress(":".join(digits[at : at + 2] for at in range(0, 12, 2)))


def _wrong(text: str) -> ConfigurationError:
    return ConfigurationError(text, advice=_ADVICE, path=("url",))


# --- what is asked of the library ------------------------------------------------------------------------------


class GattCharacteristic(Protocol):
    """One value of a device that can be written or that notifies."""

    @property
    def uuid(self) -> str:
        """The long form, in small letters."""

    @property
    def properties(self) -> Sequence[str]:
        """Among them ``notify``, ``indicate``, ``write``, ``write-without-response``."""

    @property
    def max_write_without_response_size(self) -> int:
        """The most bytes one write without response may carry."""


class GattService(Protocol):
    """A group of characteristics."""

    @property
    def uuid(self) -> str:
        """The long form, in small letters."""

    @property
    def characteristics(self) -> Sequence[Any]:
        """Each a `GattCharacteristic`."""


class GattClient(Protocol):
    """What `dial_ble` uses of ``bleak.BleakClient``; one object for one connection."""

    @property
    def is_connected(self) -> bool:
        """Whether the device is connected."""

    @property
    def services(self) -> Iterable[Any]:
        """Each a `GattService`; known once connected."""

    async def connect(self) -> None:
        """Find the device, connect and learn its services."""

    async def disconnect(self) -> None:
        """Hang up; harmless when not connected."""

    async def start_notify(self, characteristic: Any, callback: Callable[[Any, bytearray], None], /) -> None:
        """Call back with each notification from now on."""

    async def write_gatt_char(self, characteristic: Any, data: bytes, response: bool, /) -> None:
        """Write a value, and wait for the device's word when a response is asked for."""


ClientFactory = Callable[[str, Callable[[Any], None], float], GattClient]
"""(address, called when the device has gone, limit in seconds for finding it) -> the client."""


def bleak_client(address: str, gone: Callable[[Any], None], limit_s: float) -> GattClient:
    """A client of the real library."""
    from bleak import BleakClient

    return BleakClient(address, disconnected_callback=gone, timeout=limit_s)


# --- dialling ---------------------------------------------------------------------------------------------------

_FAREWELLS: Final[dict[str, asyncio.Task[None]]] = {}
"""Disconnects under way by address. Who connects before the old connection is gone is disconnected along with it."""
_CALLS: Final[dict[str, set[asyncio.Task[Any]]]] = {}
"""Calls into the library that have not ended, by address; also those that were given up and take no notice of it."""


def _call(address: str, coro: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Begin a call into the library: until it ends there is no other connection to this device."""
    call = asyncio.get_running_loop().create_task(coro, name=f"{name} {address}")
    calls = _CALLS.setdefault(address, set())
    calls.add(call)

    def ended(call: asyncio.Task[None]) -> None:
        calls.discard(call)
        if not calls and _CALLS.get(address) is calls:
            del _CALLS[address]

    call.add_done_callback(ended)
    return call


def dial_ble(
    address: str,
    *,
    notify: str,
    write: str,
    service: str | None = None,
    client_factory: ClientFactory | None = None,
) -> Dial:
    """A way to connect to a Bluetooth LE device and to use it as a stream.

    ``notify`` and ``write`` are UUIDs of characteristics, short (``FFE1``) or long, and may be equal: of several with
    one UUID those are taken whose properties fit (JK fact sheet section 11: older modules have two). ``service``
    narrows the search. Finding and connecting take seconds, so the limit should be 10 s or more. Raises
    `ConfigurationError` without the extra, unless ``client_factory`` is given, and `ValueError` for what is no UUID.
    """
    if client_factory is None:
        require_ble()
    wanted = _Wanted(_long(notify), _long(write), None if service is None else _long(service))
    make = client_factory or bleak_client

    async def dial(factory: Callable[[], asyncio.Protocol], limit_s: float) -> asyncio.Transport:
        loop = asyncio.get_running_loop()
        end_t = loop.time() + limit_s
        await _earlier_gone(address, limit_s)
        stream = GattStream(address)
        opening = _call(address, stream.open(make, wanted, end_t - loop.time()), "connect")
        try:
            await within(opening, end_t - loop.time())
        except Exception as error:
            left = stream.give_up(opening)
            await asyncio.wait({left}, timeout=max(0.0, end_t - loop.time()))
            if isinstance(error, TimeoutError):
                raise _silent(address, limit_s) from error
            raise translate(error, address) from error
        except BaseException:
            stream.give_up(opening)
            raise
        if stream.is_closing():
            stream.give_up(opening)
            raise Unreachable(f"the Bluetooth device {address} hung up at once", advice=_ONE_CLIENT)
        stream.begin(factory())
        return stream

    return dial


async def _earlier_gone(address: str, limit_s: float) -> None:
    loop = asyncio.get_running_loop()
    farewell = _FAREWELLS.get(address)
    left = {*_CALLS.get(address, ()), *(() if farewell is None else (farewell,))}
    left = {each for each in left if each.get_loop() is loop}
    if left:
        await asyncio.wait(left, timeout=limit_s)
    if any(not each.done() for each in left):
        raise Unreachable(
            f"the last connection to the Bluetooth device {address} is still being closed",
            advice="Switch this machine's Bluetooth off and on if it stays so.",
        )


@dataclass(frozen=True, slots=True)
class _Wanted:
    notify: str
    write: str
    service: str | None

    def choose(self, services: Iterable[GattService]) -> tuple[Any, Any]:
        """The characteristics to listen to and to write to; raises `WrongDevice`."""
        known: list[GattCharacteristic] = [
            each
            for service in services
            if self.service in (None, service.uuid.lower())
            for each in service.characteristics
        ]
        return (
            _fitting(known, self.notify, {"notify", "indicate"}),
            _fitting(known, self.write, {"write", "write-without-response"}),
        )


def _fitting(known: Iterable[GattCharacteristic], uuid: str, properties: set[str]) -> GattCharacteristic:
    named = [each for each in known if each.uuid.lower() == uuid]
    fitting = [each for each in named if properties.intersection(each.properties)]
    if fitting:
        return fitting[0]
    if len(named) == 1:
        return named[0]  # modules exist that do not declare what they can do
    raise WrongDevice(
        f"the Bluetooth device has no characteristic {uuid} that can {'/'.join(sorted(properties))}",
        advice="Check the address: this is another kind of device.",
    )


def _long(uuid: str) -> str:
    if _SHORT_UUID.fullmatch(uuid):
        return _BASE_UUID.format(uuid.lower())
    if _UUID.fullmatch(uuid):
        return uuid.lower()
    raise ValueError(f"{uuid!r} is not a UUID")


# --- the words ---------------------------------------------------------------------------------------------------

_ONE_CLIENT: Final = (
    "It serves one client at a time: close the app on the phone, and check its power and distance."
)
_OFF: Final = (
    "Bluetooth is switched off",
    "Switch it on: bluetoothctl power on, or rfkill unblock bluetooth.",
)
_NO_SERVICE: Final = (
    "the system's Bluetooth service does not answer",
    "Check that bluetoothd and D-Bus run, and that this user may use them.",
)
_DENIED: Final = ("Bluetooth may not be used by this user", "Allow it in the system's settings.")
_REASONS: Final = {
    "NO_BLUETOOTH": (
        "this machine has no Bluetooth adapter",
        "Plug one in, or use another path to the device.",
    ),
    "NO_BLE_CENTRAL_ROLE": ("this Bluetooth adapter knows no Bluetooth LE", "Use another adapter."),
    "POWERED_OFF": _OFF,
    "DENIED_BY_USER": _DENIED,
    "DENIED_BY_SYSTEM": _DENIED,
    "DENIED_BY_UNKNOWN": _DENIED,
}
_DBUS: Final = {
    "org.bluez.Error.NotReady": _OFF,
    "org.freedesktop.DBus.Error.ServiceUnknown": _NO_SERVICE,
    "org.freedesktop.DBus.Error.NoReply": _NO_SERVICE,
    "org.freedesktop.DBus.Error.AccessDenied": _DENIED,
}


def _silent(address: str, limit_s: float) -> LinkFault:
    text = f"the Bluetooth device {address} does not answer within {limit_s:g} s"
    return Unreachable(text, advice=_ONE_CLIENT)


def translate(error: Exception, address: str) -> LinkFault:
    """Why a device could not be connected to, in our words."""
    try:
        from bleak import exc
    except ImportError:  # a client other than the library's
        return error if isinstance(error, LinkFault) else bug(error)
    where = f"the Bluetooth device {address}"
    match error:
        case LinkFault():
            return error
        case exc.BleakBluetoothNotAvailableError():
            words = _REASONS.get(
                error.reason.name, ("Bluetooth is not available", "Check this machine's Bluetooth.")
            )
            return Unreachable(words[0], advice=words[1])
        case exc.BleakDeviceNotFoundError():
            return Unreachable(f"{where} is not to be found", advice=_ONE_CLIENT)
        case exc.BleakDBusError() if error.dbus_error in _DBUS:
            text, advice = _DBUS[error.dbus_error]
            return Unreachable(text, advice=advice)
        case exc.BleakDBusError() if error.dbus_error == "org.bluez.Error.InProgress":
            return Unreachable(f"{where} is busy: another attempt is under way", advice=_ONE_CLIENT)
        case exc.BleakError():
            return Unreachable(f"{where} refused the connection ({error})", advice=_ONE_CLIENT)
        case (
            FileNotFoundError() | ConnectionRefusedError() | PermissionError() | EOFError()
        ):  # there is no D-Bus
            return Unreachable(_NO_SERVICE[0], advice=_NO_SERVICE[1])
        case OSError():
            return Unreachable(f"{where} cannot be reached ({error})", advice=_ONE_CLIENT)
        case _:
            return bug(error)


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__


# --- the stream --------------------------------------------------------------------------------------------------


class GattStream(asyncio.Transport):
    """One connection. Tasks exist only while something is being written or closed, and each has its limit.

    ``connection_lost`` comes when the device is disconnected, at once after `abort`, and with words as its error when
    the connection broke. What is still disconnecting then ends within `LEAVE_S`, or is cut off.
    """

    def __init__(self, address: str) -> None:
        super().__init__({"peername": address})
        self._address = address
        self._loop = asyncio.get_running_loop()
        self._client: GattClient | None = None
        self._to: Any = None
        self._protocol: asyncio.Protocol | None = None
        self._early: list[bytes] = []
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._sending: asyncio.Task[None] | None = None
        self._farewell: asyncio.Task[None] | None = None
        self._is_closing = False
        self._is_lost = False

    def __repr__(self) -> str:
        state = "lost" if self._is_lost else "closing" if self._is_closing else "open"
        return f"<GattStream {self._address} {state}, {self._waiting_bytes} bytes waiting>"

    # --- opening -------------------------------------------------------------------------------------------

    async def open(self, make: ClientFactory, wanted: _Wanted, limit_s: float) -> None:
        """Connect and subscribe; raises what the library raises, and `WrongDevice`."""
        self._client = make(self._address, self._gone, limit_s)
        await self._client.connect()
        listen_to, self._to = wanted.choose(self._client.services)
        await self._client.start_notify(listen_to, self._heard)

    def give_up(self, opening: asyncio.Task[None]) -> asyncio.Task[None]:
        """It is not wanted any more: what disconnects it, once the opening has ended."""
        self._is_closing = True
        return self._leave(opening)

    def begin(self, protocol: asyncio.Protocol) -> None:
        """Hand the stream to its protocol, with what has been heard already."""
        self._protocol = protocol
        protocol.connection_made(self)
        for data in self._early:
            self._heard(None, data)
        self._early.clear()

    # --- reading ---------------------------------------------------------------------------------------------

    def _heard(self, _characteristic: Any, data: bytes | bytearray) -> None:
        if self._is_closing:
            return
        if self._protocol is None:
            self._early.append(bytes(data))
            return
        try:
            self._protocol.data_received(bytes(data))
        except Exception as error:  # noqa: BLE001 - as asyncio: it ends the connection, and is reported
            message = "Fatal error: protocol.data_received() call failed."
            context = {"message": message, "exception": error, "transport": self, "protocol": self._protocol}
            self._loop.call_exception_handler(context)
            self._end(error)

    def _gone(self, _client: Any) -> None:
        """The library says that the device has gone, which it also does when that was asked for."""
        gone = ConnectionResetError("the Bluetooth device is out of reach or was switched off")
        self._end(None if self._is_closing else gone)

    def is_reading(self) -> bool:
        """Whether notifications are passed on; they cannot be paused."""
        return not self._is_closing

    # --- writing ---------------------------------------------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send after what waits already, one write at a time; more than `ROOM` waiting bytes end the connection."""
        if self._is_closing or not data:
            return
        self._waiting.append(bytes(data))
        self._waiting_bytes += len(data)
        if self._waiting_bytes > ROOM:
            self._end(
                ConnectionAbortedError(f"{self._waiting_bytes} bytes wait to be sent and none is taken")
            )
        elif self._sending is None or self._sending.done():
            self._sending = self._loop.create_task(self._send(), name=f"write to {self._address}")

    async def _send(self) -> None:
        assert self._client is not None  # noqa: S101 - for the type checker: nothing is written before it is open
        has_response = "write-without-response" not in self._to.properties
        size = LONGEST_REQUEST if has_response else self._to.max_write_without_response_size
        while self._waiting:
            data = self._waiting.popleft()
            self._waiting_bytes -= len(data)
            for at in range(0, len(data), size):
                writing = self._client.write_gatt_char(self._to, data[at : at + size], has_response)
                try:
                    await within(_call(self._address, writing, "write to"), WRITE_S)
                except TimeoutError:
                    self._end(ConnectionAbortedError(f"a write was not taken within {WRITE_S:g} s"))
                    return
                except Exception as error:  # noqa: BLE001 - whatever the library raises, the connection is of no use
                    self._end(ConnectionAbortedError(f"a write failed: {_said(error)}"))
                    return

    def get_write_buffer_size(self) -> int:
        """Bytes that wait to be sent."""
        return self._waiting_bytes

    def can_write_eof(self) -> bool:
        """No: there is no such thing."""
        return False

    # --- the end ---------------------------------------------------------------------------------------------

    def is_closing(self) -> bool:
        """Whether it is closed, about to be, or lost."""
        return self._is_closing

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Whom it reports to."""
        assert self._protocol is not None  # noqa: S101 - nobody else has seen it before
        return self._protocol

    def close(self) -> None:
        """Send what waits, disconnect, then call ``connection_lost(None)``."""
        if not self._is_closing:
            self._is_closing = True
            self._leave(self._sending)

    def abort(self) -> None:
        """Drop what waits and call ``connection_lost(None)``; the device is disconnected behind the scenes."""
        self._end(None)

    def _end(self, error: Exception | None) -> None:
        self._is_closing = True
        self._drop()
        self._tell(error)
        if self._client is not None and self._protocol is not None:  # before that the one who dials cleans up
            self._leave(None)

    def _drop(self) -> None:
        self._waiting.clear()
        self._waiting_bytes = 0
        if self._sending is not None and self._sending is not asyncio.current_task(self._loop):
            self._sending.cancel()

    def _tell(self, error: Exception | None) -> None:
        if not self._is_lost:
            self._is_lost = True
            if self._protocol is not None:
                self._loop.call_soon(self._protocol.connection_lost, error)

    def _leave(self, before: asyncio.Task[None] | None) -> asyncio.Task[None]:
        """Begin to disconnect, unless that has begun."""
        if self._farewell is None:
            self._farewell = self._loop.create_task(
                self._disconnect(before), name=f"disconnect {self._address}"
            )
            _FAREWELLS[self._address] = self._farewell
            self._farewell.add_done_callback(self._left)
        return self._farewell

    def _left(self, farewell: asyncio.Task[None]) -> None:
        if _FAREWELLS.get(self._address) is farewell:
            del _FAREWELLS[self._address]

    async def _disconnect(self, before: asyncio.Task[None] | None) -> None:
        if before is not None and not before.done():
            await asyncio.wait({before}, timeout=LEAVE_S)
        self._drop()
        if self._client is not None:
            try:
                await within(_call(self._address, self._client.disconnect(), "leave"), LEAVE_S)
            except Exception as error:  # noqa: BLE001 - whatever it was, there is nothing left to do
                log.debug("disconnecting from %s failed: %s", self._address, _said(error))
        self._tell(None)
