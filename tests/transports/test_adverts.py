"""Listening to Bluetooth advertisements, over a room without a radio."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakError,
)

from holdfast.errors import DriverFault, LinkFault, Unreachable
from holdfast.transports.adverts import (
    CLOSE_S,
    NOT_HEARD_DBM,
    QUIET_S,
    START_S,
    STOP_S,
    Advert,
    AdvertScan,
    bleak_scanner,
    scan_fault,
)
from tests.drivers.tilt.air import Air

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.virtual

WHO = "C8:00:00:00:00:01"


class Ear:
    """Keeps what a scan tells."""

    def __init__(self, air: Air, radio: str = "") -> None:
        self.adverts: list[Advert] = []
        self.faults: list[LinkFault] = []
        self.scan = AdvertScan(radio, self.adverts.append, self.faults.append, air.scanner)


def now() -> float:
    return asyncio.get_running_loop().time()


def others() -> set[asyncio.Task[object]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


async def listening(air: Air) -> Ear:
    ear = Ear(air)
    await ear.scan.open(START_S)
    return ear


async def test_everything_that_is_shouted_is_heard() -> None:
    """With who said it, how loud, and the bytes as they were."""
    air = Air()
    ear = Ear(air, "hci1")
    air.shout(WHO, b"too early")
    await ear.scan.open(START_S)
    air.shout(WHO.lower(), b"one", -61, company=76)
    air.shout(WHO, b"two", -62, company=89)
    assert ear.adverts == [Advert(WHO, -61, {76: b"one"}), Advert(WHO, -62, {89: b"two"})]
    assert air.radios == ["hci1"]
    await ear.scan.close()
    air.shout(WHO, b"too late")
    assert len(ear.adverts) == 2
    assert air.calls == ["start", "-start", "stop", "-stop"]
    assert not others()


async def test_what_was_not_heard_is_no_advertisement() -> None:
    """BlueZ tells of old content without a strength when somebody else stops a scan; it proves nothing."""
    air = Air()
    ear = await listening(air)
    air.shout(WHO, b"old", NOT_HEARD_DBM)
    assert not ear.adverts
    await ear.scan.close()


async def test_a_deaf_scan_begins_anew() -> None:
    """Only when nothing at all is heard, and with nobody told."""
    air = Air()
    ear = await listening(air)
    for _ in range(5):
        await asyncio.sleep(QUIET_S - 1)
        air.shout(WHO, b"here")
    assert ear.scan.restarts == 0
    await asyncio.sleep(QUIET_S + 1)
    assert ear.scan.restarts == 1
    assert len(air.scanners) == 2
    assert len(air.listeners) == 1
    air.shout(WHO, b"again")
    assert ear.adverts[-1].manufacturers == {76: b"again"}
    assert not ear.faults
    await ear.scan.close()


async def test_old_content_keeps_no_scan_alive() -> None:
    air = Air()
    ear = await listening(air)
    for _ in range(12):
        await asyncio.sleep(10)
        air.shout(WHO, b"old", NOT_HEARD_DBM)
    assert ear.scan.restarts >= 1
    await ear.scan.close()


@pytest.mark.parametrize("call", ["start", "stop"])
async def test_a_restart_that_fails_is_the_end(call: str) -> None:
    """Told once, in our words, and nothing is left."""
    air = Air()
    ear = await listening(air)
    air.faults[call] = BleakError("gone")
    await asyncio.sleep(3 * QUIET_S)
    assert [each.text for each in ear.faults] == ["the Bluetooth radio cannot scan (gone)"]
    assert not others()
    ear.scan.abort()
    await ear.scan.close()


@pytest.mark.parametrize("is_deaf", [False, True])
async def test_opening_is_bounded(is_deaf: bool) -> None:
    """Whether or not the library heeds a cancellation; the next life waits until the call is gone."""
    air = Air()
    air.hang("start", is_deaf=is_deaf)
    began_t = now()
    ear = Ear(air)
    with pytest.raises(Unreachable, match="does not answer"):
        await ear.scan.open(START_S)
    assert now() - began_t == pytest.approx(START_S, abs=0.1)
    await ear.scan.close()
    if is_deaf:
        with pytest.raises(Unreachable, match="still being stopped"):
            await Ear(air).scan.open(START_S)
        assert now() - began_t == pytest.approx(2 * START_S + CLOSE_S, abs=0.1)
    assert air.most_running == 1
    air.release()
    again = await listening(air)
    assert len(air.listeners) == 1, "the start that was given up has been stopped"
    assert air.most_running == 1
    await again.scan.close()
    assert not air.listeners
    assert not others()


async def test_a_stop_that_hangs_holds_nobody_up() -> None:
    air = Air()
    ear = await listening(air)
    air.hang("stop")
    began_t = now()
    await ear.scan.close()
    assert now() - began_t == pytest.approx(CLOSE_S)
    assert others()
    await asyncio.sleep(STOP_S)
    assert not others()


@pytest.mark.parametrize("turns", range(12))
@pytest.mark.parametrize("how", ["abort", "cancel"])
async def test_it_can_end_while_it_opens(turns: int, how: str) -> None:
    """At each turn of the loop, with nothing left behind."""
    air = Air()
    ear = Ear(air)
    opening = asyncio.ensure_future(ear.scan.open(START_S))
    for _ in range(turns):
        await asyncio.sleep(0 if turns % 2 else air.call_s / 4)
    act: Callable[[], object] = ear.scan.abort if how == "abort" else opening.cancel
    act()
    await asyncio.wait({opening}, timeout=1.0)
    assert opening.done()
    if not opening.cancelled():
        assert isinstance(opening.exception(), Unreachable | None)
    await ear.scan.close()
    assert not air.listeners
    assert not others()


async def test_a_mistake_of_the_listener_ends_the_scan() -> None:
    """And does not reach the library."""
    air = Air()
    faults: list[LinkFault] = []

    def fail(advert: Advert) -> None:
        raise KeyError(advert.address)

    scan = AdvertScan("", fail, faults.append, air.scanner)
    await scan.open(START_S)
    air.shout(WHO, b"one")
    air.shout(WHO, b"two")
    assert [type(each) for each in faults] == [DriverFault]
    await scan.close()
    assert not others()


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (TimeoutError(), "the Bluetooth radio hci1 does not answer"),
        (BleakError("no such adapter"), "the Bluetooth radio hci1 cannot scan (no such adapter)"),
        (
            BleakDBusError("org.bluez.Error.InProgress", []),
            "the Bluetooth radio hci1 is busy with another scan",
        ),
        (BleakDBusError("org.bluez.Error.NotReady", []), "Bluetooth is switched off"),
        (
            BleakDBusError("org.freedesktop.DBus.Error.ServiceUnknown", []),
            "the system's Bluetooth service does not answer",
        ),
        (
            BleakBluetoothNotAvailableError("none", BleakBluetoothNotAvailableReason.NO_BLUETOOTH),
            "this machine has no Bluetooth adapter",
        ),
        (FileNotFoundError(), "the system's Bluetooth service does not answer"),
        (Unreachable("as it is"), "as it is"),
    ],
)
def test_faults_are_told_in_our_words(error: Exception, text: str) -> None:
    """With what to do about them, where that can be said."""
    fault = scan_fault(error, "hci1")
    assert fault.text == text
    assert fault.advice or error is fault


def test_unknown_words_of_the_service_are_passed_on() -> None:
    fault = scan_fault(BleakDBusError("org.bluez.Error.Failed", ["No magic"]), "")
    assert fault.text.startswith("the Bluetooth radio refused to scan (")
    assert isinstance(scan_fault(KeyError("x"), ""), DriverFault)


def test_without_the_library_other_scanners_still_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bleak", None)
    fault = Unreachable("as it is")
    assert scan_fault(fault, "") is fault
    assert isinstance(scan_fault(OSError("x"), ""), DriverFault)


@pytest.mark.skipif(sys.platform != "linux", reason="how the library speaks to BlueZ")
@pytest.mark.parametrize("radio", ["", "hci1"])
def test_the_real_scanner_asks_for_every_packet(radio: str) -> None:
    """Else a Tilt whose beer does not change would fall silent; nothing is started here."""
    from bleak.backends.bluezdbus.scanner import BleakScannerBlueZDBus

    scanner = bleak_scanner(radio, lambda device, data: None)
    backend = scanner._backend  # type: ignore[attr-defined]
    assert isinstance(backend, BleakScannerBlueZDBus)
    assert backend._filters["DuplicateData"].value is True
    assert backend._adapter == (radio or None)
