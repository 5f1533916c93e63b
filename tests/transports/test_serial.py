"""Serial ports, over pseudo-terminals and the real library."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
import termios
from typing import TYPE_CHECKING

import pytest

from holdfast.errors import ConfigurationError, DriverFault, SessionLost, Unreachable
from holdfast.link.session import OpenLimits
from holdfast.link.stream import StreamSession
from holdfast.model import Batch, Identity
from holdfast.transports.serial import SerialPort, dial_serial, parse_serial, require_serial
from tests.transports.ear import Ear
from tests.transports.line import LineCodec, Notes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

LIMIT_S = 5.0
EVERY_BYTE = bytes(range(256))


class Wire:
    """The far end of a serial line: the master of a pseudo-terminal."""

    def __init__(self) -> None:
        self._fd, self._near = os.openpty()  # cooked, as a terminal is by default
        self.path = os.ttyname(self._near)
        self.is_plugged = True

    def say(self, data: bytes) -> None:
        assert os.write(self._fd, data) == len(data)

    async def hear(self, size: int) -> bytes:
        loop = asyncio.get_running_loop()
        heard = b""
        async with asyncio.timeout(10):
            while len(heard) < size:
                heard += await loop.run_in_executor(None, os.read, self._fd, size - len(heard))
        return heard

    def settings(self) -> list[Any]:
        return termios.tcgetattr(self._near)

    def unplug(self) -> None:
        if self.is_plugged:
            self.is_plugged = False
            os.close(self._fd)

    def forget(self) -> None:
        """Until here the near end was held as well: reading from a line whose near end nobody holds is an error."""
        os.close(self._near)


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.unplug()
    wire.forget()


async def _closed(ear: Ear) -> None:
    assert isinstance(ear.transport, asyncio.Transport)
    ear.transport.close()
    async with asyncio.timeout(10):
        await ear.lost.wait()


async def test_every_byte_passes_both_ways(wire: Wire) -> None:
    """Nothing eats line ends, flow control characters, interrupts or high bits."""
    ear = Ear()
    transport = await dial_serial(wire.path)(lambda: ear, LIMIT_S)
    assert ear.transport is transport
    wire.say(EVERY_BYTE)
    assert await ear.hear(256) == EVERY_BYTE
    transport.write(EVERY_BYTE)
    assert await wire.hear(256) == EVERY_BYTE
    await _closed(ear)
    assert ear.losses == [None]
    assert transport.is_closing()


async def test_settings_reach_the_port(wire: Wire) -> None:
    """The port is as raw, fast and stopped as was asked for; a pseudo-terminal has no parity, so that is looked up."""
    ear = Ear()
    transport = await SerialPort(wire.path, 9600, "E", 2).dial()(lambda: ear, LIMIT_S)
    inputs, outputs, control, local, in_speed, out_speed, _ = wire.settings()
    assert (inputs, outputs, local) == (0, 0, 0)
    assert control & termios.CSIZE == termios.CS8
    assert control & termios.CSTOPB
    assert (in_speed, out_speed) == (termios.B9600, termios.B9600)
    assert transport.get_extra_info("serial").parity.value == "E"
    await _closed(ear)
    await dial_serial(wire.path)(lambda: ear, LIMIT_S)
    _, _, control, _, in_speed, _, _ = wire.settings()
    assert not control & termios.CSTOPB
    assert in_speed == termios.B115200
    ear.lost.clear()
    await _closed(ear)


async def test_what_waits_is_sent_before_closing(wire: Wire) -> None:
    """A goodbye that the kernel has not taken yet is not lost."""
    ear = Ear()
    transport = await dial_serial(wire.path)(lambda: ear, LIMIT_S)
    data = EVERY_BYTE * 256  # more than a terminal buffers
    transport.write(data)
    assert transport.get_write_buffer_size() > 0
    transport.close()
    assert await wire.hear(len(data)) == data
    async with asyncio.timeout(10):
        await ear.lost.wait()


async def test_reopening_drops_what_waited(wire: Wire) -> None:
    """Bytes from before belong to nobody (JK fact sheet section 1: adapters keep them over a reopen)."""
    for turn in range(3):
        wire.say(b"stale")
        ear = Ear()
        await dial_serial(wire.path)(lambda ear=ear: ear, LIMIT_S)  # type: ignore[misc]
        fresh = b"fresh %d" % turn
        wire.say(fresh)
        assert await ear.hear(len(fresh)) == fresh
        await _closed(ear)


async def test_unplugged(wire: Wire) -> None:
    """The adapter goes: the loss has words, and writing to it in the meantime is no error."""
    ear = Ear()
    transport = await dial_serial(wire.path)(lambda: ear, LIMIT_S)
    wire.unplug()
    async with asyncio.timeout(10):
        while not ear.lost.is_set():
            transport.write(b"anybody?")
            await asyncio.sleep(0)
    transport.write(b"anybody?")
    (loss,) = ear.losses
    assert isinstance(loss, OSError)
    assert "unplugged" in str(loss.strerror)
    transport.abort()


async def test_hung_up(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """A USB driver says it by an empty read; the library then raises on writes until the port is closed, we do not."""
    ear = Ear()
    transport = await dial_serial(wire.path)(lambda: ear, LIMIT_S)
    with monkeypatch.context() as patched:
        patched.setattr(os, "read", lambda *_: b"")
        wire.say(b"x")
        while not transport.is_closing():  # noqa: ASYNC110 - looked at in the very turn in which it happens
            await asyncio.sleep(0)
    assert not ear.lost.is_set()
    transport.write(b"anybody?")
    async with asyncio.timeout(10):
        await ear.lost.wait()
    assert "unplugged" in str(ear.losses[0])


async def test_abort_after_close_ends_once(wire: Wire) -> None:
    """Whatever way it ends, the protocol is told once."""
    ear = Ear()
    transport = await dial_serial(wire.path)(lambda: ear, LIMIT_S)
    transport.write(EVERY_BYTE * 256)  # nobody reads it, so that closing alone would wait
    transport.close()
    assert not ear.lost.is_set()
    transport.abort()
    async with asyncio.timeout(10):
        await ear.lost.wait()
    transport.abort()
    await asyncio.sleep(0)
    assert ear.losses == [None]


async def test_missing(tmp_path: Path) -> None:
    """No such file: is the adapter plugged in?"""
    with pytest.raises(Unreachable, match="does not exist") as caught:
        await dial_serial(str(tmp_path / "ttyUSB9"))(Ear, LIMIT_S)
    assert "plugged in" in caught.value.advice


async def test_not_a_port(tmp_path: Path) -> None:
    """A folder or a plain file is no serial port, and the file keeps its content."""
    with pytest.raises(Unreachable, match="is not a serial port"):
        await dial_serial(str(tmp_path))(Ear, LIMIT_S)
    plain = tmp_path / "plain"
    plain.write_bytes(b"content")
    with pytest.raises(Unreachable, match="is not a serial port"):
        await dial_serial(str(plain))(Ear, LIMIT_S)
    assert plain.read_bytes() == b"content"


async def test_busy(wire: Wire) -> None:
    """A port serves one program at a time, and is free again once closed."""
    ear = Ear()
    await dial_serial(wire.path)(lambda: ear, LIMIT_S)
    with pytest.raises(Unreachable, match="in use by another program"):
        await dial_serial(wire.path)(Ear, LIMIT_S)
    await _closed(ear)
    again = Ear()
    await dial_serial(wire.path)(lambda: again, LIMIT_S)
    await _closed(again)


@pytest.mark.parametrize(
    ("error", "words", "advice"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "may not be opened", "dialout"),
        (OSError(errno.EBUSY, "busy"), "in use", "one program"),
        (OSError(errno.EIO, "Input/output error"), "no device behind it", "plugged in"),
        (OSError(errno.EINVAL, "Invalid argument"), "settings", "baudrate"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "Cannot allocate memory", "Unplug"),
    ],
)
async def test_failures_in_words(
    monkeypatch: pytest.MonkeyPatch, error: Exception, words: str, advice: str
) -> None:
    """What the system says becomes a sentence and what to do."""
    _library_does(monkeypatch, _raising(error))
    with pytest.raises(Unreachable, match=words) as caught:
        await dial_serial("/dev/ttyUSB0")(Ear, LIMIT_S)
    assert advice in caught.value.advice
    assert caught.value.text.startswith("/dev/ttyUSB0 ")


async def test_failures_of_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that it refuses are told as such; anything unforeseen is a fault to be reported."""
    from serialx import UnsupportedSetting

    _library_does(monkeypatch, _raising(UnsupportedSetting("Unsupported baudrate 7")))
    with pytest.raises(Unreachable, match="baudrate 7"):
        await dial_serial("/dev/ttyUSB0")(Ear, LIMIT_S)
    _library_does(monkeypatch, _raising(KeyError("what")))
    with pytest.raises(DriverFault, match="KeyError"):
        await dial_serial("/dev/ttyUSB0")(Ear, LIMIT_S)


@pytest.mark.virtual
async def test_an_opening_that_hangs_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead adapter costs the limit; while the old attempt hangs there is no second one, and its port is closed."""
    release = asyncio.Event()
    opened: list[Silent] = []

    async def hang(_loop: object, factory: Callable[[], asyncio.Protocol], *_: object, **__: object) -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue  # as a thread that hangs in the kernel
        opened.append(Silent())
        factory().connection_made(opened[0])

    class Silent(asyncio.Transport):
        aborts = 0

        def abort(self) -> None:
            self.aborts += 1

    _library_does(monkeypatch, hang)
    loop = asyncio.get_running_loop()
    began_t = loop.time()
    dial = dial_serial("/dev/ttyUSB0")
    with pytest.raises(Unreachable, match="within 5 s"):
        await dial(Ear, LIMIT_S)
    assert loop.time() - began_t == pytest.approx(LIMIT_S)
    with pytest.raises(Unreachable, match="still hangs"):
        await dial(Ear, LIMIT_S)
    assert loop.time() - began_t == pytest.approx(LIMIT_S)
    release.set()
    await asyncio.sleep(1)
    assert opened[0].aborts == 1


async def test_cancelled_while_opening(wire: Wire) -> None:
    """Cancelling at any moment leaves neither a task nor a locked port behind."""
    for turns in range(40):
        ear = Ear()
        dialling = asyncio.ensure_future(dial_serial(wire.path)(lambda ear=ear: ear, LIMIT_S))  # type: ignore[misc]
        for _ in range(turns):
            await asyncio.sleep(0.0005)
        dialling.cancel()
        try:
            transport = await dialling
        except asyncio.CancelledError:
            pass
        else:
            transport.abort()
        if left := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(left, timeout=10)
    ear = Ear()
    await dial_serial(wire.path)(lambda: ear, LIMIT_S)
    await _closed(ear)


# --- the ready-made session over a port ---------------------------------------------------------------------------


async def test_a_session_over_a_port(wire: Wire) -> None:
    """Login, data, goodbye, and the loss told in words."""
    for is_lost in (False, True):
        notes = Notes()
        session = StreamSession(dial_serial(wire.path), LineCodec(), notes)
        opening = asyncio.ensure_future(session.open(OpenLimits(LIMIT_S, LIMIT_S)))
        assert await wire.hear(5) == b"who?\n"
        wire.say(b"echo\n")
        assert await opening == Identity(serial="echo")
        wire.say(b"one\n")
        async with asyncio.timeout(10):
            await notes.news.wait()
        assert notes.batches == [Batch("", "line", b"one")]
        if not is_lost:
            await session.close(goodbye=True)
            assert await wire.hear(4) == b"bye\n"
            assert not notes.faults
            continue
        notes.news.clear()
        wire.unplug()
        async with asyncio.timeout(10):
            await notes.news.wait()
        (fault,) = notes.faults
        assert isinstance(fault, SessionLost)
        assert "unplugged" in fault.text
        await session.close(goodbye=True)


# --- the site file -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("serial:///dev/ttyUSB0", SerialPort("/dev/ttyUSB0", 115_200, "N", 1)),
        (
            "serial:///dev/ttyUSB0?baudrate=9600&parity=e&stopbits=2",
            SerialPort("/dev/ttyUSB0", 9600, "E", 2),
        ),
        (
            "serial:///dev/serial/by-id/usb-1a86_USB%20Serial-if00",
            SerialPort("/dev/serial/by-id/usb-1a86_USB Serial-if00"),
        ),
        ("serial:///COM3?parity=O", SerialPort("COM3", parity="O")),
    ],
)
def test_addresses(url: str, port: SerialPort) -> None:
    """What a site file may say."""
    assert parse_serial(url) == port


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "not the address"),
        ("tcp:///dev/ttyUSB0", "not the address"),
        ("serial://dev/ttyUSB0", "two slashes"),
        ("serial://", "names no serial port"),
        ("serial:///", "names no serial port"),
        ("serial:///dev/tty%00", "names no serial port"),
        ("serial:///dev/ttyUSB0#1", "names no serial port"),
        ("serial://[/dev/ttyUSB0", "not an address"),
        ("serial:///dev/ttyUSB0?baud=9600", "'baud' means nothing"),
        ("serial:///dev/ttyUSB0?baudrate", "not an address"),
        ("serial:///dev/ttyUSB0?baudrate=1&baudrate=2", "twice"),
        ("serial:///dev/ttyUSB0?baudrate=", "'' is not a baud rate"),
        ("serial:///dev/ttyUSB0?baudrate=fast", "'fast' is not a baud rate"),
        ("serial:///dev/ttyUSB0?baudrate=-9600", "not a baud rate"),
        ("serial:///dev/ttyUSB0?baudrate=9600000", "not a baud rate"),
        ("serial:///dev/ttyUSB0?baudrate=١١٥٢٠٠", "not a baud rate"),
        ("serial:///dev/ttyUSB0?parity=X", "'X' is not a parity"),
        ("serial:///dev/ttyUSB0?stopbits=1.5", "'1.5' stop bits"),
    ],
)
def test_wrong_addresses(url: str, words: str) -> None:
    """What a site file may not say, with advice and the place."""
    with pytest.raises(ConfigurationError, match=words) as caught:
        parse_serial(url)
    assert caught.value.advice
    assert caught.value.path == ("url",)


def test_a_login_in_the_address_is_not_repeated() -> None:
    """Passwords do not show up in complaints."""
    with pytest.raises(ConfigurationError) as caught:
        parse_serial("serial://me:hunter2@host/dev/ttyUSB0")
    assert "hunter2" not in caught.value.text + caught.value.advice


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing extra is told when the site is read, with the command that installs it."""
    monkeypatch.setitem(sys.modules, "serialx", None)
    for ask in (require_serial, lambda: dial_serial("/dev/ttyUSB0")):
        with pytest.raises(ConfigurationError, match="extra 'serial'") as caught:
            ask()
        assert "holdfast[serial]" in caught.value.advice


def _library_does(monkeypatch: pytest.MonkeyPatch, what: Callable[..., object]) -> None:
    monkeypatch.setattr("serialx.create_serial_connection", what)


def _raising(error: Exception) -> Callable[..., object]:
    async def fail(*_: object, **__: object) -> None:
        raise error

    return fail
