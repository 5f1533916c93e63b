"""The demo house, and the program that serves it."""

from __future__ import annotations

import asyncio
import random
import re
import signal
import socket
import sys

import pytest

from holdfast.simulators.ipcom import (
    DEMO_ACCOUNT,
    DEMO_DIMMERS,
    DEMO_LIGHTS,
    DEMO_SHUTTERS,
    IpcomController,
    ModuleKind,
    demo_house,
)
from holdfast.simulators.ipcom.__main__ import main
from tests.simulators.ipcom.client import Client, login_request


def test_what_is_in_the_house() -> None:
    """Eight lights on modules 1 and 2, three dimmers on 6, two shutters on 5: odd is down, the next even up."""
    house = demo_house()
    assert len(DEMO_LIGHTS) == 8
    assert {spot.module for spot in DEMO_LIGHTS.values()} == {1, 2}
    assert [tuple(spot) for spot in DEMO_DIMMERS.values()] == [(6, 1), (6, 2), (6, 3)]
    assert {name: (pair.down, pair.up) for name, pair in DEMO_SHUTTERS.items()} == {
        "blind": ((5, 7), (5, 8)),
        "awning": ((5, 5), (5, 6)),
    }
    assert {number: module.kind for number, module in house.modules.items()} == {
        5: ModuleKind.SHUTTER,
        6: ModuleKind.DIMMER,
    }
    assert house.pairs == tuple(DEMO_SHUTTERS.values())


@pytest.mark.virtual
@pytest.mark.parametrize("life", [True, False])
async def test_whether_people_live_in_it(life: bool) -> None:
    """A watcher of the demo sees changes within minutes, or none at all if asked for quiet."""
    async with IpcomController(demo_house(life=life), rng=random.Random(1), host="house") as controller:
        async with await Client.dial(controller) as client:
            await client.login(login_request(*DEMO_ACCOUNT))
            before = await client.poll()
            await asyncio.sleep(300)
            assert (await client.poll() != before) == life
        assert bool(controller.house.changes) == life


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_program(number: signal.Signals) -> None:
    """The first line names the address, clients are served there, and a signal ends it without a word."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "holdfast.simulators.ipcom", "--port", "0", "--profile", "none", "--no-life"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert program.stdout is not None
        line = (await asyncio.wait_for(program.stdout.readline(), 10)).decode()
        found = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", line)
        assert found is not None
        reader, writer = await asyncio.open_connection("127.0.0.1", int(found[1]))
        async with Client(reader, writer) as client:
            await client.login(login_request(*DEMO_ACCOUNT))
            assert (await client.poll())[40] == 40
            program.send_signal(number)
            assert await client.rest() == b""
        assert await asyncio.wait_for(program.communicate(), 10) == (b"", b"")
        assert program.returncode == 0
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()


def test_the_program_without_its_port(capsys: pytest.CaptureFixture[str]) -> None:
    """A port in use ends the program with one line that says so, and no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        port = squatter.getsockname()[1]
        assert main(["--port", str(port)]) == 1
    assert capsys.readouterr().err.startswith(f"cannot listen on 127.0.0.1:{port}: ")
