"""Bluetooth LE advertisements: what devices shout into the room, heard by one radio. Nothing is ever sent to them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, NamedTuple, Protocol

from holdfast.errors import LinkFault, Unreachable, bug
from holdfast.transports.ble import translate
from holdfast.transports.bounded import within

log = logging.getLogger(__name__)

START_S: Final = 5.0
"""How long beginning to scan may take: a connection to D-Bus and two calls of a local service, milliseconds each. The
service itself waits some seconds for a controller that does not answer (``HCI_CMD_TIMEOUT`` of Linux is 2 s)."""
STOP_S: Final = 5.0
"""The same for its end."""
CLOSE_S: Final = 0.4
"""How long `AdvertScan.close` waits for that end; it goes on behind the scenes. A stop has 0.5 s in all."""
QUIET_S: Final = 60.0
"""Nothing at all heard for so long: the scan begins anew. Scans are known to go deaf without a word (a restarted
Bluetooth service, a controller that was reset), and most homes are never so quiet. A quarter of the 240 s that a
Tilt's readings stay fresh (fermentation fact sheet section 4)."""
NOT_HEARD_DBM: Final = -127
"""What the library gives as signal strength where the service knows none. BlueZ takes the strength away from all
devices whenever somebody stops scanning, and the library reports that like an advertisement, with old content."""


class Advert(NamedTuple):
    """One advertisement: who (a hardware address, on macOS a UUID), how loud in dBm, and data by manufacturer's id."""

    address: str
    rssi: int
    manufacturers: Mapping[int, bytes]


class Scanner(Protocol):
    """What is used of ``bleak.BleakScanner``."""

    async def start(self) -> None:
        """Begin to call back with each advertisement."""

    async def stop(self) -> None:
        """Stop doing so; harmless when it was never started."""


Detected = Callable[[Any, Any], None]
"""Called with the library's device (``address``) and advertisement (``rssi``, ``manufacturer_data``)."""
ScannerFactory = Callable[[str, Detected], Scanner]
"""(name of the radio or empty, called with each advertisement) -> the scanner."""


def bleak_scanner(radio: str, detected: Detected) -> Scanner:
    """A scanner of the real library; ``radio`` is a name of Linux such as ``hci1``, empty for the system's choice."""
    from bleak import BleakScanner
    from bleak.args.bluez import BlueZScannerArgs

    # Without duplicates a device that keeps saying the same thing is heard once, and then seems to be gone.
    bluez = BlueZScannerArgs(filters={"DuplicateData": True})
    if radio:
        bluez["adapter"] = radio
    return BleakScanner(detected, bluez=bluez)


# --- the words -----------------------------------------------------------------------------------------------------

_IN_PROGRESS: Final = "org.bluez.Error.InProgress"
_TOLD_BY_NAME: Final = (
    "org.bluez.Error.NotReady",
    "org.freedesktop.DBus.Error.ServiceUnknown",
    "org.freedesktop.DBus.Error.NoReply",
    "org.freedesktop.DBus.Error.AccessDenied",
)
"""Errors that mean the same whatever was asked."""
_RESET: Final = "Switch this machine's Bluetooth off and on if it stays so."


def scan_fault(error: Exception, radio: str) -> LinkFault:
    """Why nothing can be listened to, in our words."""
    try:
        from bleak import exc
    except ImportError:  # a scanner other than the library's
        return error if isinstance(error, LinkFault) else bug(error)
    where = f"the Bluetooth radio {radio}".rstrip()
    match error:
        case LinkFault():
            return error
        case TimeoutError():
            return Unreachable(f"{where} does not answer", advice=_RESET)
        case exc.BleakDBusError() if error.dbus_error == _IN_PROGRESS:
            return Unreachable(f"{where} is busy with another scan", advice=_RESET)
        case exc.BleakDBusError() if error.dbus_error not in _TOLD_BY_NAME:
            return Unreachable(f"{where} refused to scan ({error})", advice=_RESET)
        case exc.BleakDBusError() | exc.BleakBluetoothNotAvailableError():
            return translate(error, radio)
        case exc.BleakError():
            return Unreachable(f"{where} cannot scan ({error})", advice=_RESET)
        case _:
            return translate(error, radio)


# --- listening -----------------------------------------------------------------------------------------------------

_KEEPERS: Final[dict[str, asyncio.Task[None]]] = {}
"""Scans that have not ended yet, by radio; also those that were given up and whose library takes no notice of it."""


class AdvertScan:
    """One life of listening, from `open` to `close` or until ``lost`` is called. Never used again.

    Calls into the library are made one at a time by one task, also across the lives of one radio: whatever the library
    does with a cancellation, no call begins before the one before is gone.
    """

    def __init__(
        self,
        radio: str,
        heard: Callable[[Advert], None],
        lost: Callable[[LinkFault], None],
        make: ScannerFactory = bleak_scanner,
    ) -> None:
        self.restarts = 0
        self._radio = radio
        self._heard = heard
        self._lost = lost
        self._make = make
        self._loop = asyncio.get_running_loop()
        self._keeper: asyncio.Task[None] | None = None
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._call: asyncio.Task[None] | None = None
        self._heard_t = 0.0
        self._is_over = False
        self._is_leaving = False

    def __repr__(self) -> str:
        state = "over" if self._is_over else "listening" if self._opened.done() else "opening"
        return f"<AdvertScan {self._radio or 'default radio'} {state}, {self.restarts} restarts>"

    async def open(self, limit_s: float) -> None:
        """Begin to listen within ``limit_s`` seconds; raises a `LinkFault`. Not hearing anything is no fault."""
        end_t = self._loop.time() + limit_s
        await self._earlier_gone(limit_s)
        if self._is_over:
            raise _given_up()
        name = f"listen to {self._radio or 'Bluetooth'}"
        self._keeper = self._loop.create_task(self._keep(end_t - self._loop.time()), name=name)
        _KEEPERS[self._radio] = self._keeper
        self._keeper.add_done_callback(self._ended)
        try:
            await self._opened
        except asyncio.CancelledError:
            self.abort()
            raise

    def abort(self) -> None:
        """Hear nothing from here on; the scan is stopped behind the scenes."""
        if self._is_over:
            return
        self._is_over = True
        if self._keeper is not None:
            if not self._opened.done():
                self._opened.set_exception(_given_up())
            self._leave()

    async def close(self) -> None:
        """The same, and wait a little until it has stopped."""
        self.abort()
        if self._keeper is not None:
            await asyncio.wait({self._keeper}, timeout=CLOSE_S)

    # --- its one task --------------------------------------------------------------------------------------------

    async def _keep(self, start_s: float) -> None:
        scanner = None
        try:
            while True:
                scanner = self._make(self._radio, self._detected)
                await self._bounded(scanner.start(), "start scanning", start_s)
                if not self._opened.done():
                    self._opened.set_result(None)
                await self._until_quiet()
                log.debug("nothing was heard for %g s: the scan begins anew", QUIET_S)
                await self._bounded(scanner.stop(), "stop scanning", STOP_S)
                self.restarts += 1
                start_s = START_S
        except Exception as error:  # noqa: BLE001 - whatever the library raises, this life is over
            self._is_leaving = True
            self._fail(scan_fault(error, self._radio))
        finally:
            self._is_leaving = True
            await self._farewell(scanner)

    async def _until_quiet(self) -> None:
        self._heard_t = self._loop.time()
        while (left_s := self._heard_t + QUIET_S - self._loop.time()) > 0.0:  # noqa: ASYNC110 - it waits for nothing
            await asyncio.sleep(left_s)

    async def _farewell(self, scanner: Scanner | None) -> None:
        """Stop, once the last call is gone: a start that was given up may still succeed."""
        await self._call_gone()
        if scanner is None:
            return
        try:
            await self._bounded(scanner.stop(), "stop scanning", STOP_S)
        except Exception as error:  # noqa: BLE001 - whatever it was, there is nothing left to do
            log.debug("the scan could not be stopped: %s", str(error) or type(error).__name__)
        await self._call_gone()

    async def _bounded(self, coro: Coroutine[Any, Any, None], name: str, limit_s: float) -> None:
        self._call = self._loop.create_task(coro, name=name)
        await within(self._call, limit_s)

    async def _call_gone(self) -> None:
        if self._call is not None and not self._call.done():
            await asyncio.wait({self._call})

    def _leave(self) -> None:
        if self._keeper is not None and not self._is_leaving:
            self._keeper.cancel()

    def _ended(self, keeper: asyncio.Task[None]) -> None:
        if _KEEPERS.get(self._radio) is keeper:
            del _KEEPERS[self._radio]

    async def _earlier_gone(self, limit_s: float) -> None:
        earlier = _KEEPERS.get(self._radio)
        if earlier is None or earlier.get_loop() is not self._loop:
            return
        await asyncio.wait({earlier}, timeout=limit_s)
        if not earlier.done():
            raise Unreachable("the last scan is still being stopped", advice=_RESET)

    # --- what it tells -------------------------------------------------------------------------------------------

    def _detected(self, device: Any, data: Any) -> None:
        """Called by the library, so nothing may escape."""
        if self._is_over:
            return
        try:
            advert = Advert(device.address.upper(), data.rssi, data.manufacturer_data)
            if advert.rssi <= NOT_HEARD_DBM:
                return
            self._heard_t = self._loop.time()
            self._heard(advert)
        except Exception as error:  # noqa: BLE001 - see above
            self._fail(bug(error))

    def _fail(self, fault: LinkFault) -> None:
        if self._is_over:
            return
        self._is_over = True
        if not self._opened.done():
            self._opened.set_exception(fault)
        else:
            self._lost(fault)
        self._leave()


def _given_up() -> LinkFault:
    return Unreachable("listening was given up")
