"""Bluetooth LE as a byte stream, over a device without a radio."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.errors import ConfigurationError, DriverFault, LinkFault, SessionLost, Unreachable, WrongDevice
from holdfast.link.session import OpenLimits
from holdfast.link.stream import GONE_S, StreamSession
from holdfast.model import Batch, Identity
from holdfast.simulation import run_virtual
from holdfast.transports.ble import (
    LEAVE_S,
    ROOM,
    WRITE_S,
    BleAddress,
    GattStream,
    dial_ble,
    parse_ble,
    require_ble,
)
from tests.transports.ear import Ear
from tests.transports.gatt import ADDRESS, FakeCharacteristic, FakeGatt, FakeService, older_module
from tests.transports.line import LineCodec, Notes

if TYPE_CHECKING:
    from holdfast.link.stream import Dial

pytestmark = pytest.mark.virtual

LIMIT_S = 10.0
AWHILE_S = 2 * LEAVE_S + WRITE_S
"""After so long nothing of a connection is left, whatever the library does."""


def dial_to(gatt: FakeGatt) -> Dial:
    return dial_ble(ADDRESS, service="FFE0", notify="FFE1", write="FFE1", client_factory=gatt.client)


async def stream_to(gatt: FakeGatt) -> tuple[GattStream, Ear]:
    ear = Ear()
    stream = await dial_to(gatt)(lambda: ear, LIMIT_S)
    assert isinstance(stream, GattStream)
    assert ear.transport is stream
    return stream, ear


def now() -> float:
    return asyncio.get_running_loop().time()


def others() -> set[asyncio.Task[object]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


# --- bytes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 20, 128])
async def test_slices_make_one_stream(size: int) -> None:
    """Notifications come as they were cut, in order, with every byte."""
    gatt = FakeGatt(notify_bytes=size)
    stream, ear = await stream_to(gatt)
    data = bytes(range(256)) + b"more"
    gatt.notify(data)
    assert ear.heard == data
    assert max(map(len, ear.pieces)) == size
    assert all(type(piece) is bytes for piece in ear.pieces)
    stream.close()
    await ear.lost.wait()


async def test_writes_keep_their_order() -> None:
    """One write at a time, in the order of asking, cut to what one write may carry."""
    gatt = FakeGatt()
    stream, ear = await stream_to(gatt)
    for piece in (b"one", b"two", bytes(45), b"three"):
        stream.write(piece)
    assert stream.get_write_buffer_size() == 56
    await asyncio.sleep(1)
    assert [data for _, data, _ in gatt.written] == [b"one", b"two", bytes(20), bytes(20), bytes(5), b"three"]
    writes = [call for call in gatt.calls if call.endswith("write")]
    assert writes == ["write", "-write"] * 6
    assert stream.get_write_buffer_size() == 0
    assert not others()
    stream.write(b"again")
    await asyncio.sleep(1)
    assert gatt.written[-1][1] == b"again"
    stream.close()
    await ear.lost.wait()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.binary(max_size=60), max_size=20), size=st.integers(1, 128))
def test_any_pieces_are_the_same_stream(pieces: list[bytes], size: int) -> None:
    """However it is written and cut, an echo gives back the bytes that went out."""

    async def main() -> None:
        gatt = FakeGatt(notify_bytes=size)
        gatt.heard = gatt.notify
        stream, ear = await stream_to(gatt)
        for piece in pieces:
            stream.write(piece)
        stream.close()
        await ear.lost.wait()
        assert b"".join(data for _, data, _ in gatt.written) == b"".join(pieces)

    run_virtual(main())


async def test_what_comes_before_the_stream_is_not_lost() -> None:
    """A device may notify in the same instant in which it is subscribed to."""

    class Eager(FakeGatt):
        async def call(self, name: str) -> None:
            await super().call(name)
            if name == "start_notify":
                asyncio.get_running_loop().call_soon(self.notify, b"early")

    gatt = Eager()
    stream, ear = await stream_to(gatt)
    await asyncio.sleep(0)
    gatt.notify(b" late")
    assert ear.heard == b"early late"
    stream.close()
    await ear.lost.wait()


async def test_older_modules() -> None:
    """Of two characteristics with one UUID the fitting one is taken, each way."""
    gatt = FakeGatt((older_module(),))
    stream, ear = await stream_to(gatt)
    client = gatt.connected
    assert client is not None
    assert client.listened_to is not None
    assert client.listened_to.handle == 5
    stream.write(b"?")
    stream.close()
    await ear.lost.wait()
    assert gatt.written == [(3, b"?", False)]


async def test_a_characteristic_that_wants_responses() -> None:
    """Without writes that need no response, one that does is used, and may be longer."""
    gatt = FakeGatt((FakeService(characteristics=(FakeCharacteristic(properties=("write", "notify")),)),))
    stream, ear = await stream_to(gatt)
    stream.write(bytes(300))
    stream.close()
    await ear.lost.wait()
    assert gatt.written == [(3, bytes(300), True)]


async def test_a_characteristic_that_declares_nothing() -> None:
    """The only one of its UUID is used whatever it says of itself."""
    gatt = FakeGatt((FakeService(characteristics=(FakeCharacteristic(properties=("read",)),)),))
    stream, ear = await stream_to(gatt)
    stream.close()
    await ear.lost.wait()


@pytest.mark.parametrize(
    "services",
    [(), (FakeService(uuid="0000180a-0000-1000-8000-00805f9b34fb"),), (FakeService(characteristics=()),)],
)
async def test_another_kind_of_device(services: tuple[FakeService, ...]) -> None:
    """A device without the characteristics is the wrong one, and is let go."""
    gatt = FakeGatt(services)
    with pytest.raises(WrongDevice, match="ffe1"):
        await stream_to(gatt)
    assert gatt.connected is None
    assert not others()


# --- the end -----------------------------------------------------------------------------------------------------


async def test_closing_sends_what_waits_and_disconnects() -> None:
    """A goodbye still goes out; then the end is told once, without an error, and nothing is heard any more."""
    gatt = FakeGatt()
    stream, ear = await stream_to(gatt)
    stream.write(b"bye")
    stream.close()
    gatt.notify(b"too late")
    stream.write(b"too late")
    stream.close()
    await ear.lost.wait()
    assert [data for _, data, _ in gatt.written] == [b"bye"]
    assert gatt.connected is None
    assert ear.losses == [None]
    assert not ear.pieces
    stream.abort()
    await asyncio.sleep(1)
    assert ear.losses == [None]
    assert not others()


async def test_aborting_is_at_once() -> None:
    """The end is told in the next turn of the loop and nothing more goes out; the device is let go all the same."""
    gatt = FakeGatt()
    stream, ear = await stream_to(gatt)
    stream.write(b"never")
    stream.abort()
    gatt.notify(b"never")
    assert not ear.losses
    await asyncio.sleep(0)
    assert ear.losses == [None]
    await asyncio.sleep(1)
    assert not gatt.written
    assert not ear.pieces
    assert gatt.connected is None
    assert not others()


async def test_loss() -> None:
    """A device that goes out of reach is told with words, once."""
    gatt = FakeGatt()
    stream, ear = await stream_to(gatt)
    gatt.drop()
    stream.write(b"anybody?")
    await ear.lost.wait()
    (loss,) = ear.losses
    assert "out of reach" in str(loss)
    assert stream.is_closing()
    stream.close()
    await asyncio.sleep(1)
    assert len(ear.losses) == 1
    assert not others()


async def test_a_write_that_hangs_ends_the_stream() -> None:
    """Nobody waits for a write beyond its limit, and the next connection works."""
    gatt = FakeGatt(hangs={"write"})
    stream, ear = await stream_to(gatt)
    began_t = now()
    stream.write(b"one")
    stream.write(b"two")
    await ear.lost.wait()
    assert now() - began_t == pytest.approx(WRITE_S)
    assert "not taken within 2 s" in str(ear.losses[0])
    gatt.release()
    await asyncio.sleep(1)
    stream, ear = await stream_to(gatt)
    stream.write(b"three")
    stream.close()
    await ear.lost.wait()
    assert [data for _, data, _ in gatt.written] == [b"three"]


async def test_a_write_that_fails_ends_the_stream() -> None:
    """The library's words are passed on."""
    gatt = FakeGatt(faults={"write": BleakError("Not permitted")})
    stream, ear = await stream_to(gatt)
    stream.write(b"one")
    await ear.lost.wait()
    assert "a write failed: Not permitted" in str(ear.losses[0])
    await asyncio.sleep(1)
    assert gatt.connected is None


async def test_too_much_waiting_ends_the_stream() -> None:
    """The queue is bounded."""
    gatt = FakeGatt(hangs={"write"})
    stream, ear = await stream_to(gatt)
    for _ in range(ROOM // 64 + 2):
        stream.write(bytes(64))
    assert stream.get_write_buffer_size() == 0
    await ear.lost.wait()
    assert "wait to be sent" in str(ear.losses[0])
    await asyncio.sleep(AWHILE_S)
    assert not others()


@pytest.mark.parametrize("is_deaf", [False, True])
async def test_a_disconnect_that_hangs(*, is_deaf: bool) -> None:
    """A session closes in its own time; what hangs is cut off, and a library that is deaf holds up nobody."""
    gatt = FakeGatt(hangs={"disconnect"}, is_deaf=is_deaf)
    notes = Notes()
    gatt.heard = lambda data: gatt.notify(b"jk\n") if data == b"who?\n" else None
    session = StreamSession(dial_to(gatt), LineCodec(), notes)
    assert await session.open(OpenLimits(LIMIT_S, 1.0)) == Identity(serial="jk")
    began_t = now()
    await session.close(goodbye=True)
    assert now() - began_t == pytest.approx(GONE_S)
    with pytest.raises(Unreachable, match="still being closed"):
        await dial_to(gatt)(Ear, 1.0)
    await asyncio.sleep(AWHILE_S)
    assert not [task for task in others() if not is_deaf]
    assert not notes.faults
    gatt.release()
    await asyncio.sleep(1)
    assert not others()


async def test_a_disconnect_that_fails() -> None:
    """The end is the end."""
    gatt = FakeGatt(faults={"disconnect": BleakError("no")})
    stream, ear = await stream_to(gatt)
    stream.close()
    await ear.lost.wait()
    assert ear.losses == [None]


async def test_reconnecting_waits_for_the_old_connection() -> None:
    """Otherwise the disconnect still under way would hit the new connection."""
    gatt = FakeGatt(call_s=1.0)
    stream, _ = await stream_to(gatt)
    stream.abort()
    _, ear = await stream_to(gatt)
    assert gatt.calls[-6:] == [
        "disconnect",
        "-disconnect",
        "connect",
        "-connect",
        "start_notify",
        "-start_notify",
    ]
    await asyncio.sleep(5)
    assert gatt.connected is gatt.clients[1]
    assert not ear.losses
    gatt.drop()
    await asyncio.sleep(5)


async def test_a_protocol_that_fails() -> None:
    """As with asyncio's own transports: it is reported and the connection ends."""
    seen: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context["message"]))

    class Failing(Ear):
        def data_received(self, data: bytes) -> None:
            raise KeyError(data)

    gatt = FakeGatt()
    ear = Failing()
    await dial_to(gatt)(lambda: ear, LIMIT_S)
    gatt.notify(b"x")
    await ear.lost.wait()
    assert isinstance(ear.losses[0], KeyError)
    assert seen == ["Fatal error: protocol.data_received() call failed."]
    await asyncio.sleep(1)


# --- dialling ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_deaf", [False, True])
@pytest.mark.parametrize("call", ["connect", "start_notify"])
async def test_an_opening_that_hangs_is_bounded(call: str, *, is_deaf: bool) -> None:
    """The limit holds whatever the library does, and the device is let go."""
    gatt = FakeGatt(hangs={call}, is_deaf=is_deaf)
    began_t = now()
    with pytest.raises(Unreachable, match=r"does not answer within 10 s") as caught:
        await stream_to(gatt)
    assert now() - began_t == pytest.approx(LIMIT_S)
    assert "one client at a time" in caught.value.advice
    await asyncio.sleep(AWHILE_S)
    assert gatt.connected is None
    assert gatt.calls[-1] == "-disconnect"
    gatt.release()
    await asyncio.sleep(1)
    assert not others()


@pytest.mark.parametrize("turns", range(12))
async def test_cancelled_at_any_moment(turns: int) -> None:
    """Cancelling the dial leaves neither a task nor a connection."""
    gatt = FakeGatt(call_s=0.0)
    dialling = asyncio.ensure_future(dial_to(gatt)(Ear, LIMIT_S))
    for _ in range(turns):
        await asyncio.sleep(0)
    dialling.cancel()
    try:
        stream = await dialling
    except asyncio.CancelledError:
        pass
    else:
        stream.abort()
    await asyncio.sleep(1)
    assert gatt.connected is None
    assert not others()


async def test_aborted_while_connecting() -> None:
    """A session that is aborted while it is being opened ends as soon as it is connected."""
    gatt = FakeGatt(call_s=1.0)
    session = StreamSession(dial_to(gatt), LineCodec(), Notes())
    opening = asyncio.ensure_future(session.open(OpenLimits(LIMIT_S, 1.0)))
    await asyncio.sleep(0.5)
    session.abort()
    with pytest.raises(SessionLost):
        await opening
    await asyncio.sleep(AWHILE_S)
    assert gatt.connected is None
    assert not others()


async def test_dropped_while_subscribing() -> None:
    """A device that hangs up before the stream is there is an error in words, not a stream."""

    class Fickle(FakeGatt):
        async def call(self, name: str) -> None:
            await super().call(name)
            if name == "start_notify":
                asyncio.get_running_loop().call_soon(self.drop)

    with pytest.raises(Unreachable, match="hung up at once"):
        await stream_to(Fickle())
    await asyncio.sleep(1)
    assert not others()


async def test_one_client_at_a_time() -> None:
    """A battery that somebody else holds is not to be found; the advice says why."""
    gatt = FakeGatt()
    stream, ear = await stream_to(gatt)
    with pytest.raises(Unreachable, match="not to be found") as caught:
        await stream_to(gatt)
    assert "one client at a time" in caught.value.advice
    assert not ear.losses
    stream.close()
    await ear.lost.wait()


OFF = BleakBluetoothNotAvailableError("off", BleakBluetoothNotAvailableReason.POWERED_OFF)
NONE = BleakBluetoothNotAvailableError("none", BleakBluetoothNotAvailableReason.NO_BLUETOOTH)
DENIED = BleakBluetoothNotAvailableError("denied", BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM)
UNSAID = BleakBluetoothNotAvailableError("?", BleakBluetoothNotAvailableReason.UNKNOWN)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (OFF, Unreachable, "Bluetooth is switched off"),
        (NONE, Unreachable, "has no Bluetooth adapter"),
        (DENIED, Unreachable, "may not be used"),
        (UNSAID, Unreachable, "Bluetooth is not available"),
        (BleakDeviceNotFoundError(ADDRESS, "?"), Unreachable, f"{ADDRESS} is not to be found"),
        (BleakDBusError("org.bluez.Error.NotReady", []), Unreachable, "switched off"),
        (BleakDBusError("org.bluez.Error.InProgress", []), Unreachable, "busy"),
        (BleakDBusError("org.freedesktop.DBus.Error.ServiceUnknown", []), Unreachable, "Bluetooth service"),
        (
            BleakDBusError("org.bluez.Error.Failed", ["le-connection-abort-by-local"]),
            Unreachable,
            "abort-by-local",
        ),
        (BleakError("Not connected"), Unreachable, "refused the connection"),
        (FileNotFoundError(2, "No such file"), Unreachable, "Bluetooth service"),  # bleak 3.1 without D-Bus
        (EOFError(), Unreachable, "Bluetooth service"),
        (OSError(5, "Input/output error"), Unreachable, "cannot be reached"),
        (TimeoutError(), Unreachable, "does not answer"),
        (AssertionError("what"), DriverFault, "AssertionError"),
    ],
)
async def test_failures_in_words(error: Exception, kind: type[LinkFault], words: str) -> None:
    """What the library raises becomes a sentence and what to do, and leaves nothing behind."""
    gatt = FakeGatt(faults={"connect": error})
    with pytest.raises(kind, match=words) as caught:
        await stream_to(gatt)
    assert caught.value.advice or kind is DriverFault
    assert caught.value.__cause__ is error
    assert not others()


# --- the ready-made session ------------------------------------------------------------------------------------------


async def test_a_session_over_notifications() -> None:
    """Login, batches cut anywhere, loss in words."""
    gatt = FakeGatt(notify_bytes=3)
    gatt.heard = lambda data: gatt.notify(b"jk\n") if data == b"who?\n" else None
    notes = Notes()
    session = StreamSession(dial_to(gatt), LineCodec(), notes)
    assert await session.open(OpenLimits(LIMIT_S, 1.0)) == Identity(serial="jk")
    gatt.notify(b"seven\nei")
    gatt.notify(b"ght\n")
    assert notes.batches == [Batch("", "line", b"seven"), Batch("", "line", b"eight")]
    gatt.drop()
    await asyncio.sleep(1)
    (fault,) = notes.faults
    assert isinstance(fault, SessionLost)
    assert "out of reach" in fault.text
    await session.close(goodbye=True)


# --- the site file -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("ble://AA:BB:CC:DD:EE:FF", "AA:BB:CC:DD:EE:FF"),
        ("ble://aa-bb-cc-dd-ee-0f/", "AA:BB:CC:DD:EE:0F"),
        ("ble://aabbccddeeff", "AA:BB:CC:DD:EE:FF"),
        ("ble://0e1d2c3b-4a59-6877-8695-a4b3c2d1e0ff", "0E1D2C3B-4A59-6877-8695-A4B3C2D1E0FF"),
    ],
)
def test_addresses(url: str, address: str) -> None:
    """What a site file may say; one device has one spelling."""
    assert parse_ble(url) == BleAddress(address)
    assert str(parse_ble(url)) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ble://",
        "ble:///AA:BB:CC:DD:EE:FF",
        "tcp://AA:BB:CC:DD:EE:FF",
        "ble://AA:BB:CC:DD:EE",
        "ble://AA:BB:CC:DD:EE:FF:00",
        "ble://AA:BB-CC:DD:EE:FF",
        "ble://AA:BB:CC:DD:EE:GG",
        "ble://red",
        "ble://AA:BB:CC:DD:EE:FF/more",
        "ble://AA:BB:CC:DD:EE:FF?more=1",
        "ble://AA:BB:CC:DD:EE:FF#more",
        "ble://[AA:BB:CC:DD:EE:FF",
    ],
)
def test_wrong_addresses(url: str) -> None:
    """What a site file may not say, with advice and the place."""
    with pytest.raises(ConfigurationError) as caught:
        parse_ble(url)
    assert "ble://AA:BB:CC:DD:EE:FF" in caught.value.advice
    assert caught.value.path == ("url",)


def test_a_login_in_the_address_is_not_repeated() -> None:
    """Passwords do not show up in complaints."""
    with pytest.raises(ConfigurationError) as caught:
        parse_ble("ble://me:hunter2@AA:BB:CC:DD:EE:FF")
    assert "hunter2" not in caught.value.text + caught.value.advice


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing extra is told when the site is read, with the command that installs it."""
    monkeypatch.setitem(sys.modules, "bleak", None)
    for ask in (require_ble, lambda: dial_ble(ADDRESS, notify="FFE1", write="FFE1")):
        with pytest.raises(ConfigurationError, match="extra 'ble'") as caught:
            ask()
        assert "holdfast[ble]" in caught.value.advice


def test_a_bad_uuid_is_the_callers_fault() -> None:
    """It is written in a driver, not in a site file."""
    with pytest.raises(ValueError, match="not a UUID"):
        dial_ble(ADDRESS, notify="FFE", write="FFE1", client_factory=FakeGatt().client)
