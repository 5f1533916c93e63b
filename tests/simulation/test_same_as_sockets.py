"""The same programs over loopback sockets and over the simulated network: the same calls in the same order.

This is what keeps the simulation honest. Each program returns what both protocols were told.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.simulation import run_virtual
from tests.simulation.support import Recorder, Servers

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    Calls = list[Any]
    Program = Callable[[str], Coroutine[Any, Any, tuple[Calls, Calls]]]

PATIENCE_S = 0.05  # for what a loopback kernel needs some microseconds


class Pair:
    """A client and a server, connected; ``async with`` closes what a program left open."""

    def __init__(self, host: str, *, client_keeps_open: bool = False, **server: bool) -> None:
        self._host = host
        self._client_keeps_open = client_keeps_open
        self._servers = Servers(**server)

    async def __aenter__(self) -> tuple[Recorder, Recorder]:
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(self._servers, self._host, 0)
        port = self._listening.sockets[0].getsockname()[1]
        _, self._client = await loop.create_connection(
            lambda: Recorder(keeps_open=self._client_keeps_open), self._host, port
        )
        await asyncio.sleep(PATIENCE_S)
        return self._client, self._servers.last

    async def __aexit__(self, *_: object) -> None:
        self._listening.close()
        for end in (self._client, self._servers.last):
            end.transport.abort()
            await end.lost


async def both_lost(client: Recorder, server: Recorder) -> tuple[Calls, Calls]:
    async with asyncio.timeout(10.0):
        await asyncio.wait([client.lost, server.lost])
    return client.calls, server.calls


def reset_on_close(end: Recorder) -> None:
    option = struct.pack("ii", 1, 0)
    end.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)


async def normal_close(host: str) -> tuple[Calls, Calls]:
    """The client writes and closes."""
    async with Pair(host) as (client, server):
        client.transport.write(b"hello")
        client.transport.close()
        return await both_lost(client, server)


async def echo_then_close(host: str) -> tuple[Calls, Calls]:
    """A question, an answer, a close."""
    async with Pair(host, answers=True) as (client, server):
        client.transport.write(b"question")
        await asyncio.sleep(PATIENCE_S)
        client.transport.close()
        return await both_lost(client, server)


async def finished_by_peer(host: str) -> tuple[Calls, Calls]:
    """The server says something and closes."""
    async with Pair(host) as (client, server):
        server.transport.write(b"goodbye")
        server.transport.close()
        return await both_lost(client, server)


async def half_close(host: str) -> tuple[Calls, Calls]:
    """The client ends its half; the server still answers, then closes."""
    async with Pair(host, keeps_open=True) as (client, server):
        client.transport.write(b"question")
        client.transport.write_eof()
        await server.ended
        server.transport.write(b"answer")
        server.transport.close()
        return await both_lost(client, server)


async def abort(host: str) -> tuple[Calls, Calls]:
    """The server aborts: for the peer that is an ordinary end."""
    async with Pair(host) as (client, server):
        server.transport.write(b"already with the kernel")
        server.transport.abort()
        return await both_lost(client, server)


async def reset_by_peer(host: str) -> tuple[Calls, Calls]:
    """The server resets."""
    async with Pair(host) as (client, server):
        reset_on_close(server)
        server.transport.abort()
        return await both_lost(client, server)


async def reset_after_data(host: str) -> tuple[Calls, Calls]:
    """The server says something, then resets."""
    async with Pair(host) as (client, server):
        server.transport.write(b"half a frame")
        await asyncio.sleep(PATIENCE_S)
        reset_on_close(server)
        server.transport.close()
        return await both_lost(client, server)


async def close_with_unread_data(host: str) -> tuple[Calls, Calls]:
    """The server closes with bytes of the client unread: its kernel resets."""
    async with Pair(host) as (client, server):
        server.transport.pause_reading()
        client.transport.write(b"unread")
        await asyncio.sleep(PATIENCE_S)
        server.transport.close()
        return await both_lost(client, server)


async def write_to_a_closed_peer(host: str) -> tuple[Calls, Calls]:
    """The client keeps its half after the server's close: the first write earns a reset, the next shows it."""
    async with Pair(host, client_keeps_open=True) as (client, server):
        server.transport.close()
        await client.ended
        client.transport.write(b"first")
        await asyncio.sleep(PATIENCE_S)
        client.calls.append("first written")
        client.transport.write(b"second")
        return await both_lost(client, server)


async def reset_while_paused(host: str) -> tuple[Calls, Calls]:
    """A client that does not read learns of the reset when it writes."""
    async with Pair(host) as (client, server):
        client.transport.pause_reading()
        reset_on_close(server)
        server.transport.abort()
        await asyncio.sleep(PATIENCE_S)
        client.calls.append("not yet told")
        client.transport.write(b"x")
        return await both_lost(client, server)


async def paused_until_after_the_end(host: str) -> tuple[Calls, Calls]:
    """Data and end wait for a reader that has paused."""
    async with Pair(host) as (client, server):
        client.transport.pause_reading()
        server.transport.write(b"kept")
        server.transport.close()
        await asyncio.sleep(PATIENCE_S)
        client.calls.append("not yet told")
        client.transport.resume_reading()
        return await both_lost(client, server)


async def both_close_at_once(host: str) -> tuple[Calls, Calls]:
    """Both sides close in the same turn."""
    async with Pair(host) as (client, server):
        client.transport.close()
        server.transport.close()
        return await both_lost(client, server)


async def close_from_data_received(host: str) -> tuple[Calls, Calls]:
    """The server closes on the first bytes, with more behind them."""
    async with Pair(host) as (client, server):
        server.on_data = server.transport.close
        client.transport.write(b"enough")
        return await both_lost(client, server)


async def refused(host: str) -> tuple[Calls, Calls]:
    """Nobody listens (any more)."""
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(Servers(), host, 0)
    port = listening.sockets[0].getsockname()[1]
    listening.close()
    await asyncio.sleep(PATIENCE_S)
    try:
        await loop.create_connection(Recorder, host, port)
    except OSError as error:
        return [type(error).__name__, error.errno], []
    return [], []


PROGRAMS: list[Program] = [
    normal_close,
    echo_then_close,
    finished_by_peer,
    half_close,
    abort,
    reset_by_peer,
    reset_after_data,
    close_with_unread_data,
    write_to_a_closed_peer,
    reset_while_paused,
    paused_until_after_the_end,
    both_close_at_once,
    close_from_data_received,
    refused,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_same_calls(program: Program) -> None:
    """Real sockets and simulated ones tell the protocols the same things in the same order."""
    real = asyncio.run(program("127.0.0.1"))
    assert run_virtual(program("plug")) == real
    assert any(real)
