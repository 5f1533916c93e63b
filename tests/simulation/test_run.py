"""run_virtual: a clean end, or a report of what was left."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.simulation import LeftBehind, VirtualLoop, run_virtual
from tests.simulation.support import Recorder, Servers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def test_result_and_error_come_through() -> None:
    """What main returns or raises is what the caller gets, for a function as for a coroutine."""

    async def main(loop: VirtualLoop) -> int:
        await asyncio.sleep(1.0)
        return loop.seed

    async def failing() -> None:
        await asyncio.sleep(1.0)
        raise KeyError("gone")

    assert run_virtual(main, seed=5) == 5
    with pytest.raises(KeyError, match="gone"):
        run_virtual(failing())


def test_forgotten_task_is_reported() -> None:
    """A task that still runs is named, with its coroutine and where it waits."""

    async def forgotten() -> None:
        await asyncio.sleep(3600.0)

    async def main(loop: VirtualLoop) -> None:
        loop.create_task(forgotten(), name="poller")
        await asyncio.sleep(1.0)

    with pytest.raises(LeftBehind) as caught:
        run_virtual(main)
    task, timer = caught.value.leftovers
    assert task.startswith("task poller (test_forgotten_task_is_reported.<locals>.forgotten at test_run.py:")
    assert timer.endswith("due in 3599 s")


def test_forgotten_timer_is_reported() -> None:
    """A live timer is reported; a cancelled one is not."""

    def ring() -> None: ...

    async def main(loop: VirtualLoop) -> list[str]:
        loop.call_later(1.0, ring).cancel()
        loop.call_later(2.0, ring)
        return loop.leftovers()

    with pytest.raises(LeftBehind):
        run_virtual(main)
    assert run_virtual(main, allow_leftovers=True) == [
        "timer test_forgotten_timer_is_reported.<locals>.ring due in 2 s"
    ]


def test_forgotten_sockets_are_reported() -> None:
    """Open connections, servers and UDP sockets of this machine are reported, those of devices are not."""

    async def main(loop: VirtualLoop) -> None:
        await loop.create_server(Servers(), "plug", 9999)
        await loop.create_datagram_endpoint(asyncio.DatagramProtocol, ("plug", 9999))
        assert loop.leftovers() == []
        await loop.create_connection(Recorder, "plug", 9999)
        await loop.create_server(Servers(), None, 8420)
        await loop.create_datagram_endpoint(asyncio.DatagramProtocol)

    with pytest.raises(LeftBehind) as caught:
        run_virtual(main)
    assert caught.value.leftovers == [
        "<StreamTransport 10.0.0.1:49152 -> 10.0.0.2:9999 open, 0 bytes buffered>",
        "<VirtualServer here:8420 serving, 0 clients>",
        "<VirtualDatagramTransport here:49153 open>",
    ]


def test_packets_under_way_are_no_leftovers() -> None:
    """What still travels when the program ends is the world's affair."""

    async def main(loop: VirtualLoop) -> None:
        plug = loop.network.host("plug")
        plug.latency = loop.network.host("lamp").latency
        await loop.create_server(Servers(), "plug", 9999)
        plug.bytes_per_s = 10.0
        _, client = await loop.create_connection(Recorder, "plug", 9999)
        client.transport.write(bytes(1000))
        client.transport.close()
        await client.lost
        plug.reboot(10.0)

    run_virtual(main)


def test_settling_gives_time_to_end() -> None:
    """With settle_s, what ends by itself within that time is not reported."""

    async def main(loop: VirtualLoop) -> None:
        loop.create_task(asyncio.sleep(0.3))

    with pytest.raises(LeftBehind):
        run_virtual(main)
    run_virtual(main, settle_s=0.5)


def test_everything_is_wound_up() -> None:
    """Tasks are cancelled in order of creation, generators closed, and the loop too, also after an error."""
    ends: list[str] = []
    loops: list[VirtualLoop] = []

    async def generate() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await asyncio.sleep(0.1)
            ends.append("generator")

    async def wait(name: str) -> None:
        try:
            await asyncio.sleep(3600.0)
        finally:
            ends.append(name)

    held: list[Any] = []

    async def main(loop: VirtualLoop) -> None:
        loops.append(loop)
        held.extend(loop.create_task(wait(name), name=name) for name in ("c", "a", "b"))
        generator = generate()
        held.append(generator)
        await anext(generator)
        raise KeyError

    with pytest.raises(KeyError):
        run_virtual(main)
    assert ends == ["c", "a", "b", "generator"]
    assert loops[0].is_closed()


def test_error_while_winding_up_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    """A task that fails in its own clean-up does not do so in silence."""

    async def breaks() -> None:
        try:
            await asyncio.sleep(3600.0)
        finally:
            raise ValueError("while closing")

    async def main(loop: VirtualLoop) -> None:
        loop.create_task(breaks())
        await asyncio.sleep(0)

    with pytest.raises(LeftBehind):
        run_virtual(main)
    assert "while the program was wound up" in caplog.text
