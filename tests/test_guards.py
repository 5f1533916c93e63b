"""The guards of conftest.py fire: a guard that never fails protects nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers import needs_server

_CONFTEST = Path(__file__).with_name("conftest.py")

_BREAKERS = """
import asyncio
import socket
import subprocess
import sys
import threading
import time

import pytest


async def _holdfast_blocks():
    # Blocking counts only below code of the package, so this code pretends to live there.
    import holdfast._version as module

    code = compile("import time\\ndef block():\\n    time.sleep(0.001)", module.__file__, "exec")
    namespace = {}
    exec(code, namespace)
    namespace["block"]()


async def test_blocks():
    with pytest.raises(Exception, match="Blocking call"):
        await _holdfast_blocks()


@pytest.mark.blocking_allowed
async def test_may_block():
    await _holdfast_blocks()


async def test_leaks():
    global task
    task = asyncio.create_task(asyncio.sleep(3600), name="forgotten")


@pytest.mark.leaks_allowed
async def test_may_leak():
    global task
    task = asyncio.create_task(asyncio.sleep(3600), name="forgotten")


async def test_goes_outside():
    await asyncio.open_connection("192.0.2.1", 80)


async def test_real_sockets_and_processes():
    async def answer(reader, writer):
        writer.write(await reader.readline())
        writer.close()
        await writer.wait_closed()
        done.set()

    done = asyncio.Event()
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello\\n")
        assert await reader.readline() == b"hello\\n"
        writer.close()
        await writer.wait_closed()
        await done.wait()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(1)", stdout=subprocess.PIPE)
    assert (await process.communicate())[0].strip() == b"1"
    assert await asyncio.to_thread(threading.get_ident) != threading.get_ident()


def test_sync():
    time.sleep(0.001)
"""


def test_guards_fire(pytester: pytest.Pytester) -> None:
    """A blocked loop, a forgotten task and a packet to elsewhere fail; the two markers and loopback pass."""
    pytester.makeconftest(_CONFTEST.read_text())
    pytester.makepyprojecttoml(
        """
        [tool.pytest]
        strict = true
        asyncio_mode = "auto"
        asyncio_default_fixture_loop_scope = "function"
        addopts = ["--allow-hosts=127.0.0.0/8,::1", "--allow-unix-socket", "-p", "no:cacheprovider"]
        filterwarnings = ["error"]
        markers = ["blocking_allowed", "leaks_allowed", "virtual"]
        """
    )
    pytester.makepyfile(_BREAKERS)
    result = pytester.runpytest_subprocess("-v")
    result.stdout.fnmatch_lines(
        [
            "*::test_blocks PASSED*",  # it caught the error, so only the guard can tell
            "*::test_blocks ERROR*",
            "*::test_may_block PASSED*",
            "*::test_leaks PASSED*",
            "*::test_leaks ERROR*",
            "*::test_may_leak PASSED*",
            "*::test_goes_outside FAILED*",
            "*::test_real_sockets_and_processes PASSED*",
            "*::test_sync PASSED*",
        ]
    )
    result.stdout.fnmatch_lines(["*the event loop was blocked by time.sleep*"])
    result.stdout.fnmatch_lines(["*tasks are still running*", "*forgotten*"])
    result.assert_outcomes(passed=6, failed=1, errors=2)


def test_missing_server_is_no_skip_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where CI is set, a missing server fails the test; elsewhere it skips it; a present one is found."""
    assert Path(needs_server("sh")).is_file()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception):
        needs_server("holdfast-has-no-such-server")
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception):
        needs_server("holdfast-has-no-such-server")
