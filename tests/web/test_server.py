"""The server: where it listens, what it refuses to do, how it stops, and whom it cuts off."""

from __future__ import annotations

import asyncio
import errno
import signal
from typing import TYPE_CHECKING

import httpx
import pytest

from holdfast.clock import SystemClock
from holdfast.hub.hub import Hub
from holdfast.model import Authority
from holdfast.web import connection, listening, server
from holdfast.web.api.access import Tokens
from holdfast.web.server import ApiServer, CannotListen, LoginRequired, PortInUse
from tests.web.house import PATIENCE_S, house, until
from tests.web.house import listening as stream_of
from tests.web.wire import ask, request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKENS = Tokens([("robot", Authority.AUTOMATION, "robots-own-token")])


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    hub = Hub(SystemClock(asyncio.get_running_loop()))
    yield hub
    await hub.stop()


async def test_the_address_is_told(hub: Hub) -> None:
    """Port 0 takes a free one; the address is there after the start."""
    api = ApiServer(hub, port=0)
    assert repr(api) == "<ApiServer not started>"
    await api.start()
    port = httpx.URL(api.url).port
    assert api.url == f"http://127.0.0.1:{port}"
    assert api.url in repr(api)
    await api.stop()


async def test_a_port_that_is_taken(hub: Hub) -> None:
    """The error says so and what to do, and leaves nothing behind."""
    first = ApiServer(hub, port=0)
    await first.start()
    second = ApiServer(hub, port=httpx.URL(first.url).port or 0)
    with pytest.raises(PortInUse, match="in use") as caught:
        await second.start()
    assert "--port" in caught.value.advice
    assert second.url == ""
    await second.stop()
    await first.stop()


async def test_a_port_that_is_taken_at_the_last_moment(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between binding and listening another program may come first; nothing of ours stays."""

    async def too_late(self: asyncio.Server) -> None:
        raise OSError(errno.EADDRINUSE, "Address already in use")

    monkeypatch.setattr(asyncio.base_events.Server, "start_serving", too_late)
    api = ApiServer(hub, port=0)
    with pytest.raises(PortInUse):
        await api.start()
    assert api.url == ""
    assert not api._servers


async def test_names_that_cannot_be_listened_on(hub: Hub) -> None:
    """An unknown name and an address of another machine."""
    with pytest.raises(CannotListen, match="not known"):
        await ApiServer(hub, host="no..such..name", port=0).start()
    with pytest.raises(CannotListen, match="no address of this machine"):
        await ApiServer(hub, host="192.0.2.1", port=0, tokens=TOKENS).start()


def test_other_reasons_not_to_listen() -> None:
    """Each with a sentence of its own."""
    denied = listening.explained(PermissionError(13, "Permission denied"), "127.0.0.1", 80)
    assert "not allowed to listen on 127.0.0.1:80" in str(denied)
    odd = listening.explained(OSError(5, "Input/output error"), "::1", 8420)
    assert "[::1]:8420: Input/output error" in str(odd)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1"])  # noqa: S104
async def test_no_open_house_beyond_loopback(hub: Hub, host: str) -> None:
    """Without tokens it does not start; nothing has listened meanwhile."""
    for tokens in (None, Tokens([])):
        with pytest.raises(LoginRequired) as caught:
            await ApiServer(hub, host=host, port=0, tokens=tokens).start()
        assert "token file" in caught.value.advice


async def test_a_required_login_needs_tokens(hub: Hub) -> None:
    """On loopback too."""
    with pytest.raises(LoginRequired, match="no token file"):
        await ApiServer(hub, port=0, require_login=True).start()


async def test_everywhere_with_tokens() -> None:
    """Bound to all addresses, the login is asked for also by way of loopback: the bind address decides."""
    async with house(host="", tokens=TOKENS) as here:
        assert here.api.url.startswith("http://127.0.0.1:")
        assert (await here.get("/api/v1/readings")).status_code == 401
        allowed = await here.get("/api/v1/readings", headers={"Authorization": "Bearer robots-own-token"})
        assert allowed.status_code == 200


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2"])
async def test_other_names_of_loopback(host: str) -> None:
    """They are open houses, and answer to that name."""
    async with house(host=host) as here:
        assert (await here.get("/api/v1/readings")).status_code == 200


async def test_port_80_is_left_out_by_browsers(hub: Hub) -> None:
    """There Host has no port."""
    api = ApiServer(hub, port=80)
    assert {"localhost", "localhost:80", "[::1]"} <= api._own_names(["127.0.0.1"])


async def test_signals_are_left_alone() -> None:
    """Ctrl-C belongs to the hub."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    async with house() as here:
        await here.get("/healthz")
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


async def test_stopping_leaves_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Streams, waiting commands, idle connections and half requests: all gone, and no fault is logged."""
    async with house() as here:
        here.rack.is_stubborn = True
        tasks = asyncio.all_tasks()
        async with stream_of(here) as ear:
            await ear.snapshot()
            waiting = asyncio.create_task(here.command("rack/lamp", True, wait=True))
            await until(lambda: here.hub.receipts)
            idle = await asyncio.open_connection("127.0.0.1", here.port)
            half = await asyncio.open_connection("127.0.0.1", here.port)
            body = ("Content-Type: application/json", "Content-Length: 10")
            half[1].write(request(here, "/api/v1/commands", *body, method="POST"))
            await until(lambda: len(here.api._state.tasks) == 3)
            await here.api.stop()
            assert (await waiting).status_code == 200
            assert await idle[0].read() == b""
            await half[0].read()
            for _, writer in (idle, half):
                writer.close()
        assert not here.api._state.connections
        ours = {
            task
            for task in asyncio.all_tasks() - tasks
            if task.get_name().startswith(("api", "wait", "client"))
        }
        assert not ours
        await here.api.stop()  # once more does no harm
    assert not caplog.records


async def test_requests_under_way_may_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What never ends is cut off after its time."""
    monkeypatch.setattr(server, "STOP_S", 0.02)
    started = asyncio.Event()

    async with house() as here:

        async def never(receipt: object) -> None:
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)

        here.api._closing.wait = asyncio.Event().wait  # type: ignore[method-assign]
        here.hub.ended = never  # type: ignore[method-assign,assignment]
        here.rack.is_stubborn = True
        waiting = asyncio.create_task(here.command("rack/lamp", True, wait=True))
        await started.wait()
        await here.api.stop()
        with pytest.raises(httpx.TransportError):
            await waiting


async def test_a_connection_that_never_asks_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither silence nor headers that come byte by byte hold a connection for ever."""
    monkeypatch.setattr(connection, "HEADERS_S", 0.05)
    async with house() as here:
        for said in (b"", b"GET / HT"):
            reader, writer = await asyncio.open_connection("127.0.0.1", here.port)
            writer.write(said)
            assert await _rest(reader) == b""
            writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", here.port)
        writer.write(request(here, "/healthz"))
        assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200")
        writer.write(b"GET / HT")  # the next request, begun and never ended
        assert await _rest(reader) == b""
        writer.close()


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await reader.read()
    except ConnectionError:
        return b""


async def test_an_idle_connection_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its last answer it is kept for a while only."""
    monkeypatch.setattr(server, "KEEP_ALIVE_S", 0.02)
    async with house() as here:
        reader, writer = await asyncio.open_connection("127.0.0.1", here.port)
        writer.write(request(here, "/healthz"))
        async with asyncio.timeout(PATIENCE_S):
            assert (await reader.read()).endswith(b"}")
        writer.close()


async def test_two_requests_on_one_connection() -> None:
    """Also when both were sent before the first was answered."""
    async with house() as here:
        reader, writer = await asyncio.open_connection("127.0.0.1", here.port)
        writer.write(request(here, "/healthz") * 2 + request(here, "/readyz", "Connection: close"))
        async with asyncio.timeout(PATIENCE_S):
            assert (await reader.read()).count(b"HTTP/1.1 200") == 3
        writer.close()


async def test_too_many_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than the limit is cut off; when one has gone there is room again."""
    monkeypatch.setattr(connection, "MOST_CONNECTIONS", 1)
    async with house() as here:
        first = await asyncio.open_connection("127.0.0.1", here.port)
        await until(lambda: here.api._state.connections)
        second = await asyncio.open_connection("127.0.0.1", here.port)
        assert await _rest(second[0]) == b""
        first[1].close()
        await until(lambda: not here.api._state.connections)
        assert (await ask(here, "/healthz")).status == 200
        second[1].close()


async def test_a_long_answer_that_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is cut off as a stream is."""
    from tests.web.house import Rack

    monkeypatch.setattr(connection, "STALL_S", 0.05)
    async with house(Rack(20_000), start=False) as here:
        _, writer = await asyncio.open_connection("127.0.0.1", here.port, limit=1024)
        writer.write(request(here, "/api/v1/readings"))
        await until(lambda: here.api._state.tasks)
        await until(lambda: not here.api._state.tasks and not here.api._state.connections)
        writer.transport.abort()
        await asyncio.sleep(0)
