"""On real sockets, a real pseudo-terminal, and as a program."""

from __future__ import annotations

import ast
import asyncio
import os
import random
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import holdfast.simulators.jkbms as package
from holdfast.simulators.jkbms import (
    Battery,
    Bus,
    Finish,
    FrameKind,
    Gateway,
    Reboot,
    Refuse,
    Reset,
    SerialPort,
    Stall,
    Timing,
    poll,
    stack_of,
)
from holdfast.simulators.jkbms.__main__ import main
from tests.simulators.jkbms.reader import Tap, answers

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulators.jkbms.conftest import Serve

FAST = Timing().at_pace(50.0)

needs_pty = pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20.0):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another program's buffers
            await asyncio.sleep(0.005)


async def test_on_a_real_socket(serve: Serve) -> None:
    """The same frames come over a real socket, and after every kind of end one can dial again."""
    gateway = await serve(3, timing=FAST)
    for fault in (Finish(), Reset(), Refuse(), Reboot()):
        async with await Tap.dial(gateway) as tap:
            await until(lambda tap=tap: len(answers(tap.stream)) >= 8)  # type: ignore[misc]
            gateway.begin(fault)
            end = await tap.over()
            assert (end is None) == isinstance(fault, Finish)
            if isinstance(fault, (Refuse, Reboot)):
                with pytest.raises(ConnectionRefusedError):
                    await Tap.dial(gateway)
            gateway.end(fault)
            await until(lambda: gateway._server is not None)
    assert {key for receiver in gateway.receivers for key in receiver.counts} == {
        (address, kind) for address in range(3) for kind in (FrameKind.LIVE, FrameKind.SETTINGS)
    }


async def test_everything_counted_arrives(serve: Serve) -> None:
    """What the simulator says that a client could have had whole, it has once the stream has ended in order."""
    gateway = await serve(16, timing=FAST)
    async with await Tap.dial(gateway) as tap:
        await until(lambda: len(answers(tap.stream)) >= 100)
        await gateway.stop()
        assert await tap.over() is None
        (receiver,) = gateway.receivers
        assert answers(tap.stream) == [frame.key for frame in receiver.frames]


async def test_stopping_in_any_state(serve: Serve) -> None:
    """No task, listener or connection is left, and it can be started again."""
    gateway = await serve(2, timing=FAST)
    taps = [await Tap.dial(gateway) for _ in range(3)]
    gateway.begin(Reboot(is_silent=True))
    await gateway.stop()
    for tap in taps:
        await tap.over()
        tap.writer.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    await gateway.stop()
    await gateway.start()
    with pytest.raises(RuntimeError, match="running"):
        await gateway.start()
    async with await Tap.dial(gateway) as tap:
        await until(lambda: bool(answers(tap.stream)))


def is_there(path: str) -> bool:
    return os.path.lexists(path)


class Terminal:
    """Opens a serial device as a program would, raw as it is, and keeps what comes."""

    def __init__(self, port: SerialPort) -> None:
        self.stream = b""
        self.is_over = False
        self._fd = os.open(port.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        asyncio.get_running_loop().add_reader(self._fd, self._read)

    def write(self, data: bytes) -> None:
        os.write(self._fd, data)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._fd)
        os.close(self._fd)

    def _read(self) -> None:
        try:
            data = os.read(self._fd, 4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.stream += data
        if not data:
            self.is_over = True
            asyncio.get_running_loop().remove_reader(self._fd)


@needs_pty
async def test_on_a_pseudo_terminal() -> None:
    """Bytes pass unchanged in both directions, line feeds and control characters included."""
    rng = random.Random(1)
    async with Bus((Battery(1), Battery(10)), rng=rng, timing=FAST) as bus, SerialPort(bus, rng=rng) as port:
        terminal = Terminal(port)
        for address in (1, 10):
            terminal.write(poll(address, FrameKind.SETTINGS))
            await until(lambda address=address: (address, 1) in answers(terminal.stream))  # type: ignore[misc]
        assert port.counts == {(1, FrameKind.SETTINGS): 1, (10, FrameKind.SETTINGS): 1}
        assert len(terminal.stream) == 616
        terminal.close()
        path = port.path
    assert not path.is_symlink()
    assert not path.parent.exists()


@needs_pty
async def test_pulling_the_adapter_out() -> None:
    """Whoever has it open sees it vanish; the same path leads to the next device; a silent reboot keeps it."""
    rng = random.Random(1)
    async with Bus(stack_of(3), rng=rng, timing=FAST) as bus, SerialPort(bus, rng=rng) as port:
        terminal = Terminal(port)
        await until(lambda: bool(answers(terminal.stream)))
        port.begin(Stall())
        port.end(Stall())
        gone = Refuse()
        port.begin(gone)
        await until(lambda: terminal.is_over)
        terminal.close()
        assert not port.is_plugged
        port.end(gone)
        await until(lambda: port.is_plugged)
        terminal = Terminal(port)
        await until(lambda: bool(answers(terminal.stream)))
        silent = Reboot(is_silent=True)
        port.begin(silent)
        await until(lambda: port.receivers[-1].bytes_missed > 1000)
        assert not terminal.is_over
        port.end(silent)
        known = len(answers(terminal.stream))
        await until(lambda: len(answers(terminal.stream)) > known)
        port.begin(Finish())
        await until(lambda: terminal.is_over and port.is_plugged)
        terminal.close()
    assert len(port.receivers) == 3
    assert all(receiver.left_at is not None for receiver in port.receivers)


@needs_pty
async def test_nobody_reads() -> None:
    """The kernel keeps a few KiB; what does not fit is lost and not counted."""
    rng = random.Random(1)
    async with (
        Bus(stack_of(16), rng=rng, timing=Timing().at_pace(200.0)) as bus,
        SerialPort(bus, rng=rng) as port,
    ):
        await until(lambda: port.receivers[0].bytes_missed > 20_000)
        counted = sum(port.counts.values())
        port.begin(Stall())
        terminal = Terminal(port)
        await until(lambda: len(answers(terminal.stream)) >= counted)
        assert len(answers(terminal.stream)) == counted > 0
        terminal.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("is_pty", [False, pytest.param(True, marks=needs_pty)])
async def test_the_program(number: signal.Signals, is_pty: bool) -> None:
    """The first line names the address or the path, frames are there, and a signal ends it without a word."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "holdfast.simulators.jkbms", "--port", "0", "--profile", "none"),
        *("--batteries", "4", "--pace", "50", *(("--pty",) if is_pty else ())),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert program.stdout is not None
        line = (await asyncio.wait_for(program.stdout.readline(), 20)).decode()
        found = re.fullmatch(
            r"listening on (/.+)\n" if is_pty else r"listening on 127\.0\.0\.1:(\d+)\n", line
        )
        assert found is not None
        if is_pty:
            assert os.readlink(found[1]).startswith("/dev/")
            program.send_signal(number)
        else:
            async with Tap(*await asyncio.open_connection("127.0.0.1", int(found[1]))) as tap:
                await until(lambda: {address for address, _ in answers(tap.stream)} == {0, 1, 2, 3})
                program.send_signal(number)
                assert await tap.over() is None
        assert await asyncio.wait_for(program.communicate(), 20) == (b"", b"")
        assert program.returncode == 0
        assert not (is_pty and is_there(found[1]))
    finally:
        if program.returncode is None:
            program.kill()


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    """A sentence and exit code 1."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 1
    assert f"cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--pace", "0"], ["--speed", "-1"], ["--batteries", "17"]])
def test_wrong_arguments(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and the option by name."""
    with pytest.raises(SystemExit) as end:
        main(wrong)
    assert end.value.code == 2
    assert wrong[0] in capsys.readouterr().err


async def test_befalling_nothing() -> None:
    """What is a fault of neither bus nor gateway is refused."""
    rng = random.Random(1)
    gateway = Gateway(Bus((Battery(0),), rng=rng), rng=rng)
    with pytest.raises(TypeError, match="neither"):
        gateway.begin(package.Fault())


def test_it_shares_nothing_with_drivers() -> None:
    """No module imports anything of ours but this package and the common timetable."""
    for path in Path(package.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                is_own = name == "holdfast.simulators" or name.startswith("holdfast.simulators.jkbms")
                assert not name.startswith("holdfast") or is_own, path
