"""Connections that work: what asyncio promises of a transport, and the measures of a line."""

from __future__ import annotations

import asyncio
import errno
import random
import socket
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.simulation import START_S, Latency, NetworkEvent, Split, VirtualLoop, run_virtual
from tests.simulation.support import Recorder, Servers, connected, virtually


@virtually
async def test_streams_echo(loop: VirtualLoop) -> None:
    """The streams of asyncio run on top, both sides, to a clean end."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    loop.network.host("plug").latency = Latency(0.020)
    server = await asyncio.start_server(echo, "plug", 9999)
    reader, writer = await asyncio.open_connection("plug", 9999)
    for number in range(20):
        sent_at = loop.time()
        writer.write(b"%d\n" % number)
        assert await reader.readline() == b"%d\n" % number
        assert loop.time() == pytest.approx(sent_at + 0.040)
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()
    assert loop.network.open_connections == 0


@virtually
async def test_calls_come_once_and_in_order(loop: VirtualLoop) -> None:
    """made, data, eof, lost: each protocol hears it once, and never from inside a write."""
    client, server = await connected(loop)
    client.transport.write(b"abc")
    assert server.calls == ["made"]
    client.transport.writelines([b"d", b"ef"])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert server.calls == ["made", b"abcdef"]
    client.transport.close()
    client.transport.close()
    assert client.calls == ["made"]
    await client.lost
    await server.lost
    assert client.calls == ["made", ("lost", None)]
    assert server.calls == ["made", b"abcdef", "eof", ("lost", None)]


@virtually
async def test_extra_info(loop: VirtualLoop) -> None:
    """Names are addresses, mirrored at the two ends; the socket takes options and has no descriptor."""
    client, server = await connected(loop)
    info = client.transport.get_extra_info
    assert info("sockname") == server.transport.get_extra_info("peername") == ("10.0.0.1", 49152)
    assert info("peername") == server.transport.get_extra_info("sockname") == ("10.0.0.2", 9999)
    assert info("sslcontext") is None
    sock = info("socket")
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
    assert sock.fileno() == -1
    assert (sock.getsockname(), sock.getpeername()) == (info("sockname"), info("peername"))
    client.transport.abort()
    await client.lost


@virtually
async def test_write_contract(loop: VirtualLoop) -> None:
    """Only bytes are written, what was written cannot change afterwards, and nothing after the end."""
    client, server = await connected(loop)
    with pytest.raises(TypeError):
        client.transport.write("text")  # type: ignore[arg-type]
    data = bytearray(b"before")
    client.transport.write(data)
    data[:] = b"behind"
    client.transport.write(memoryview(b"!"))
    client.transport.write(b"")
    assert client.transport.can_write_eof()
    client.transport.write_eof()
    client.transport.write_eof()  # changes nothing
    with pytest.raises(RuntimeError):
        client.transport.write(b"more")
    await server.lost
    assert server.data == b"before!"
    await client.lost


@virtually
async def test_writes_after_the_loss_do_nothing(loop: VirtualLoop) -> None:
    """Writing to a lost connection does nothing, and is no error."""
    client, server = await connected(loop)
    client.transport.abort()
    for _ in range(10):
        client.transport.write(b"too late")
    await client.lost
    await server.lost
    assert server.data == b""
    assert client.transport.is_closing()


@virtually
async def test_half_close(loop: VirtualLoop) -> None:
    """After write_eof the other direction lives on."""
    client, server = await connected(loop, keeps_open=True)
    client.transport.write(b"question")
    client.transport.write_eof()
    await server.ended
    server.transport.write(b"answer")
    server.transport.close()
    await client.lost
    assert client.calls == ["made", b"answer", "eof", ("lost", None)]


@virtually
async def test_close_sends_what_is_buffered_and_abort_does_not(loop: VirtualLoop) -> None:
    """close() empties the buffer first; abort() drops what the kernel has not taken."""
    for ending, arrived in (("close", 200_000), ("abort", 65_536)):
        client, server = await connected(loop, port=len(ending) + arrived % 7)
        server.transport.pause_reading()
        client.transport.write(bytes(200_000))
        getattr(client.transport, ending)()
        server.transport.resume_reading()
        await client.lost
        await server.lost
        assert len(server.data) == arrived


@virtually
async def test_close_waits_for_a_peer_that_does_not_read(loop: VirtualLoop) -> None:
    """With bytes left in the buffer close() ends only once they are taken; abort() cuts it short."""
    client, server = await connected(loop)
    server.transport.pause_reading()
    client.transport.write(bytes(100_000))
    client.transport.close()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(client.lost), 60.0)
    assert client.transport.get_write_buffer_size() == 100_000 - 65_536
    client.transport.abort()
    await client.lost
    server.transport.abort()


@virtually
async def test_back_pressure(loop: VirtualLoop) -> None:
    """A peer that does not read fills its window, then our buffer, then we are told; and told when it ends."""
    client, server = await connected(loop)
    server.transport.pause_reading()
    sent = 0
    while not client.is_told_to_wait():
        client.transport.write(bytes(10_000))
        sent += 10_000
        await asyncio.sleep(0.001)
    assert sent == 140_000  # window and high water: 64 KiB each
    assert client.transport.get_write_buffer_size() == sent - 65_536
    assert server.data == b""
    server.transport.resume_reading()
    await asyncio.sleep(0.001)
    assert not client.is_told_to_wait()
    assert client.transport.get_write_buffer_size() == 0
    assert len(server.data) == sent
    client.transport.close()
    await client.lost


@virtually
async def test_buffer_limits_can_be_set(loop: VirtualLoop) -> None:
    """With a high water of 0 the first byte beyond the window pauses the writer."""
    loop.network.host("plug").window_bytes = 4
    client, server = await connected(loop)
    client.transport.set_write_buffer_limits(high=0)
    assert client.transport.get_write_buffer_limits() == (0, 0)
    server.transport.pause_reading()
    client.transport.write(b"1234")
    assert not client.is_told_to_wait()
    client.transport.write(b"5")
    assert client.is_told_to_wait()
    server.transport.resume_reading()
    await asyncio.sleep(0.001)
    assert not client.is_told_to_wait()
    assert server.pieces == [b"1234", b"5"]
    client.transport.abort()
    await client.lost


@virtually
async def test_drain_waits_for_the_reader(loop: VirtualLoop) -> None:
    """A stream's drain() holds a fast writer to the speed of the line."""
    loop.network.host("plug").bytes_per_s = 11_520.0
    servers = Servers()
    await loop.create_server(servers, "plug", 9999)
    _, writer = await asyncio.open_connection("plug", 9999)
    began_at = loop.time()
    for _ in range(200):
        writer.write(bytes(1152))
        await writer.drain()
    writer.close()
    await writer.wait_closed()
    await servers.last.lost
    assert loop.time() - began_at == pytest.approx(20.0, rel=0.01)
    assert len(servers.last.data) == 230_400


@virtually
async def test_paused_reader_gets_nothing(loop: VirtualLoop) -> None:
    """While reading is paused nothing arrives, not even the end; afterwards all of it, in order."""
    client, server = await connected(loop)
    server.transport.pause_reading()
    assert not server.transport.is_reading()
    client.transport.write(b"one")
    client.transport.close()
    await asyncio.sleep(5.0)
    assert server.calls == ["made"]
    server.transport.resume_reading()
    assert server.transport.is_reading()
    assert server.calls == ["made"]
    await server.lost
    assert server.calls == ["made", b"one", "eof", ("lost", None)]


@virtually
async def test_pausing_in_data_received(loop: VirtualLoop) -> None:
    """A protocol may pause from within data_received and sees no more until it resumes."""
    client, server = await connected(loop)
    server.on_data = server.transport.pause_reading
    client.transport.write(b"first")
    await asyncio.sleep(1.0)
    client.transport.write(b"second")
    await asyncio.sleep(1.0)
    assert server.pieces == [b"first"]
    server.transport.resume_reading()
    await asyncio.sleep(1.0)
    assert server.pieces == [b"first", b"second"]
    client.transport.abort()
    await client.lost


@virtually
async def test_error_in_data_received_ends_the_connection(loop: VirtualLoop) -> None:
    """An exception that escapes a protocol is reported and costs it the connection, as on a socket."""
    reported: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: reported.append(context))
    client, server = await connected(loop)

    def breaks() -> None:
        raise ValueError("no such frame")

    client.on_data = breaks
    server.transport.write(b"frame")
    assert isinstance(await client.lost, ValueError)
    assert reported[0]["message"] == "Fatal error: protocol.data_received() call failed."
    await server.lost
    assert server.calls == ["made", "eof", ("lost", None)]


@virtually
async def test_error_in_eof_received_ends_the_connection(loop: VirtualLoop) -> None:
    """So does one at the end of the stream."""
    reported: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: reported.append(context))
    client, server = await connected(loop)
    client.ended.cancel()  # eof_received will find it done
    server.transport.close()
    assert isinstance(await client.lost, asyncio.InvalidStateError)
    assert reported[0]["message"] == "Fatal error: protocol.eof_received() call failed."


@virtually
async def test_protocol_can_be_replaced(loop: VirtualLoop) -> None:
    """After set_protocol the new one hears everything, as protocols that upgrade themselves need it."""
    client, server = await connected(loop)
    heir = Recorder()
    client.transport.set_protocol(heir)
    assert client.transport.get_protocol() is heir
    server.transport.write(b"for the heir")
    server.transport.close()
    await heir.ended
    assert client.calls == ["made"]
    assert heir.calls[:2] == [b"for the heir", "eof"]
    client.transport.abort()
    await heir.lost


@virtually
async def test_failing_factory_costs_one_connection(loop: VirtualLoop) -> None:
    """A server whose factory fails loses that connection and lives on."""
    reported: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: reported.append(context))
    answers: list[Any] = [ValueError("no memory"), None]

    def factory() -> Recorder:
        if fault := answers.pop(0):
            raise fault
        return Recorder()

    await loop.create_server(factory, "plug", 9999)
    _, first = await loop.create_connection(Recorder, "plug", 9999)
    await first.lost
    assert first.calls == ["made", "eof", ("lost", None)]
    assert isinstance(reported[0]["exception"], ValueError)
    _, second = await loop.create_connection(Recorder, "plug", 9999)
    await asyncio.sleep(1.0)
    assert second.calls == ["made"]
    second.transport.abort()
    await second.lost


@virtually
async def test_latency(loop: VirtualLoop) -> None:
    """Each way takes the host's delay: the handshake two of them, a question and its answer two more."""
    loop.network.host("plug").latency = Latency(0.25)
    await loop.create_server(Servers(answers=True), "plug", 9999)
    _, client = await loop.create_connection(Recorder, "plug", 9999)
    assert loop.time() == START_S + 0.5
    client.transport.write(b"ping")
    await asyncio.sleep(1.0)
    assert client.arrivals == [(START_S + 1.0, b"ping")]
    client.transport.close()
    await client.lost


@virtually
async def test_latency_of_a_port(loop: VirtualLoop) -> None:
    """A port's own measure comes before its host's; other ports keep the host's."""
    plug = loop.network.host("plug")
    plug.latency = Latency(0.25)
    plug.port(80).latency = Latency(1.0)
    for port, taken_s in ((80, 2.0), (81, 0.5)):
        await loop.create_server(Servers(), "plug", port)
        dialled_at = loop.time()
        transport, client = await loop.create_connection(Recorder, "plug", port)
        assert loop.time() == dialled_at + taken_s
        transport.close()
        await client.lost


@given(seed=st.integers(0, 2**32), jitter_s=st.floats(0.0, 2.0), split=st.booleans(), glue=st.booleans())
@settings(max_examples=50)
def test_order_under_jitter(seed: int, jitter_s: float, split: bool, glue: bool) -> None:
    """However segments are delayed, cut and joined, the stream is the same stream."""

    async def main(loop: VirtualLoop) -> None:
        plug = loop.network.host("plug")
        plug.latency = Latency(0.01, jitter_s)
        plug.split = Split(largest=9) if split else None
        plug.glue_s = 0.05 if glue else None
        client, server = await connected(loop)
        sent = bytearray()
        for number in range(100):
            data = b"%d," % number
            client.transport.write(data)
            sent += data
            await asyncio.sleep(loop.random.random() * 0.1)
        client.transport.close()
        await server.lost
        assert server.data == sent
        times = [at_s for at_s, _ in server.arrivals]
        assert times == sorted(times)

    run_virtual(main, seed=seed)


@virtually
async def test_jitter_stays_in_its_bounds(loop: VirtualLoop) -> None:
    """A segment takes between base and base + jitter, spread over all of it."""
    loop.network.host("plug").latency = Latency(0.1, 0.4)
    client, server = await connected(loop)
    taken: list[float] = []
    for _ in range(200):
        sent_at = loop.time()
        client.transport.write(b"x")
        await asyncio.sleep(1.0)
        taken.append(server.arrivals[-1][0] - sent_at)
    assert 0.1 <= min(taken) < 0.12
    assert 0.48 < max(taken) <= 0.5
    client.transport.close()
    await client.lost


@virtually
async def test_split(loop: VirtualLoop) -> None:
    """A split write comes as several reads, each within the bounds, all within a few gaps."""
    loop.network.host("plug").split = Split(smallest=2, largest=5, gap_s=0.001)
    client, server = await connected(loop)
    client.transport.write(bytes(range(100)))
    sent_at = loop.time()
    await asyncio.sleep(1.0)
    assert server.data == bytes(range(100))
    assert 20 <= len(server.pieces) <= 50
    assert all(2 <= len(piece) <= 5 for piece in server.pieces[:-1])
    assert len({len(piece) for piece in server.pieces}) > 2
    assert server.arrivals[-1][0] - sent_at <= 0.05
    client.transport.close()
    await client.lost


def test_split_to_single_bytes() -> None:
    """The hardest split: every byte for itself."""
    cut = list(Split(largest=1).cut(b"abc", random.Random(0)))
    assert [piece for piece, _ in cut] == [b"a", b"b", b"c"]
    assert cut[0][1] == 0.0
    assert all(0.0 < gap_s <= 0.001 for _, gap_s in cut[1:])
    with pytest.raises(ValueError, match="a split needs"):
        Split(largest=0)


@virtually
async def test_glue(loop: VirtualLoop) -> None:
    """Bytes wait for company: what comes within the time of the first is handed over with it."""
    loop.network.host("plug").glue_s = 0.05
    client, server = await connected(loop)
    began_at = loop.time()
    for pause_s, data in ((0.02, b"a"), (0.1, b"b"), (0.02, b"c"), (0.0, b"d")):
        client.transport.write(data)
        await asyncio.sleep(pause_s)
    await asyncio.sleep(1.0)
    first, second = server.arrivals
    assert first == (began_at + 0.05, b"ab")
    assert second[1] == b"cd"
    assert second[0] == pytest.approx(began_at + 0.17)
    client.transport.close()
    await client.lost


@virtually
async def test_writes_of_one_instant_are_read_together(loop: VirtualLoop) -> None:
    """As on a socket, what has arrived by the time of reading is one read: message borders do not survive."""
    client, server = await connected(loop)
    for number in range(5):
        client.transport.write(b"%d" % number)
    await asyncio.sleep(1.0)
    assert server.pieces == [b"01234"]
    client.transport.close()
    await client.lost


@virtually
async def test_line_speed(loop: VirtualLoop) -> None:
    """At 9600 baud 96 bytes take 0.1 s, and the next ones queue behind them."""
    loop.network.host("plug").bytes_per_s = 960.0
    client, server = await connected(loop)
    began_at = loop.time()
    client.transport.write(bytes(96))
    client.transport.write(bytes(96))
    await asyncio.sleep(1.0)
    assert [at_s - began_at for at_s, _ in server.arrivals] == pytest.approx([0.1, 0.2])
    client.transport.close()
    await client.lost


@virtually
async def test_names(loop: VirtualLoop) -> None:
    """Names lead to addresses, addresses to themselves, unknown names nowhere."""
    network = loop.network
    plug = network.host("plug")
    assert network.host("plug") is plug
    assert network.host(plug.address) is plug
    assert network.host("192.168.1.50").address == "192.168.1.50"
    assert network.hosts == [network.here, plug, network.host("192.168.1.50")]
    found = await loop.getaddrinfo("plug", 9999, type=socket.SOCK_STREAM)
    assert found == [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("10.0.0.2", 9999))]
    assert len(await loop.getaddrinfo(b"plug", "80")) == 2
    with pytest.raises(socket.gaierror):
        await loop.getaddrinfo("lamp", 80)
    with pytest.raises(socket.gaierror) as caught:
        await loop.create_connection(Recorder, "lamp", 80)
    assert caught.value.errno == socket.EAI_NONAME
    del network.names["plug"]
    with pytest.raises(socket.gaierror):
        await loop.create_connection(Recorder, "plug", 80)


@virtually
async def test_here(loop: VirtualLoop) -> None:
    """The program's own servers are reached by the usual names of one's own machine."""
    server = await loop.create_server(Servers(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for name in ("localhost", "127.0.0.1", "here", loop.network.here.address):
        transport, client = await loop.create_connection(Recorder, name, port)
        transport.close()
        await client.lost
    server.close()
    await server.wait_closed()
    assert server.sockets == ()


@virtually
async def test_several_diallers(loop: VirtualLoop) -> None:
    """local_addr says which host dials, so that several hubs can live in one world."""
    servers = Servers()
    await loop.create_server(servers, "plug", 9999)
    other = loop.network.host("other-hub")
    transport, _ = await loop.create_connection(Recorder, "plug", 9999, local_addr=("other-hub", 0))
    assert transport.get_extra_info("sockname") == (other.address, 49152)
    assert (other.open_connections, loop.network.here.open_connections) == (1, 0)
    transport.close()


@virtually
async def test_unix_path(loop: VirtualLoop) -> None:
    """sim://host:port reaches the same servers, for libraries that open TCP sockets by themselves."""
    servers = Servers(answers=True)
    await loop.create_server(servers, "plug", 80)
    reader, writer = await asyncio.open_unix_connection("sim://plug:80")
    writer.write(b"hello\n")
    assert await reader.readline() == b"hello\n"
    writer.close()
    await writer.wait_closed()
    for path in ("/run/socket", "sim://plug", "sim://:80", None):
        with pytest.raises(FileNotFoundError):
            await loop.create_unix_connection(Recorder, path)


@virtually
async def test_what_is_not_simulated_says_so(loop: VirtualLoop) -> None:
    """TLS and real sockets are refused in words."""
    with pytest.raises(ValueError, match="neither TLS nor real sockets"):
        await loop.create_connection(Recorder, "plug", 443, ssl=True)
    with pytest.raises(ValueError, match="neither TLS nor real sockets"):
        await loop.create_server(Servers(), "plug", 443, ssl=object())
    with pytest.raises(ValueError, match="a port is needed"):
        await loop.create_connection(Recorder, "plug")


@virtually
async def test_server_life(loop: VirtualLoop) -> None:
    """A server owns its port from creation to close, serves when told, and waits for its last client."""
    servers = Servers()
    server = await loop.create_server(servers, "plug", 9999, start_serving=False)
    assert not server.is_serving()
    with pytest.raises(OSError, match="already in use") as caught:
        await loop.create_server(servers, "plug", 9999)
    assert caught.value.errno == errno.EADDRINUSE
    with pytest.raises(ConnectionRefusedError):
        await loop.create_connection(Recorder, "plug", 9999)
    await server.start_serving()
    _, client = await loop.create_connection(Recorder, "plug", 9999)
    await asyncio.sleep(1.0)
    server.close()
    with pytest.raises(ConnectionRefusedError):
        await loop.create_connection(Recorder, "plug", 9999)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(server.wait_closed(), 1.0)
    server.close_clients()
    await server.wait_closed()
    await client.lost
    with pytest.raises(RuntimeError, match="closed"):
        await server.start_serving()
    again = await loop.create_server(servers, "plug", 9999)
    assert again.get_loop() is loop
    async with again:
        forever = loop.create_task(again.serve_forever())
        _, client = await loop.create_connection(Recorder, "plug", 9999)
        await asyncio.sleep(1.0)
        again.abort_clients()
        await client.lost
        forever.cancel()
        await asyncio.wait([forever])
    assert "closed" in repr(again)


@virtually
async def test_counters_and_watchers(loop: VirtualLoop) -> None:
    """Hosts count dials, bytes and connections; watchers see every event with its time and both ends."""
    events: list[NetworkEvent] = []
    loop.network.watchers.append(events.append)
    plug, here = loop.network.host("plug"), loop.network.here
    plug.latency = Latency(0.1)
    client, server = await connected(loop, answers=True)
    assert plug.open_connections == here.open_connections == loop.network.open_connections == 1
    client.transport.write(b"ping")
    await asyncio.sleep(1.0)
    client.transport.close()
    await server.lost
    assert (plug.dials, plug.bytes_in, plug.bytes_out) == (1, 4, 4)
    assert (here.bytes_in, here.bytes_out) == (4, 4)
    await asyncio.sleep(1.0)
    assert loop.network.open_connections == 0
    ours, theirs = ("10.0.0.1", 49152), ("10.0.0.2", 9999)
    assert [(event.what, event.source, event.target, event.data) for event in events] == [
        ("dial", ("10.0.0.1", 0), theirs, b""),
        ("connected", theirs, ours, b""),
        ("accepted", ours, theirs, b""),
        ("data", ours, theirs, b"ping"),
        ("data", theirs, ours, b"ping"),
        ("fin", ours, theirs, b""),
        ("fin", theirs, ours, b""),
    ]
    assert events[1].at_s == START_S + 0.2


@virtually
async def test_callbacks_run_in_their_own_context(loop: VirtualLoop) -> None:
    """What one side has set in its context never shows at the other: logs name the right link."""
    import contextvars

    name: contextvars.ContextVar[str] = contextvars.ContextVar("name", default="nobody")
    seen: list[tuple[str, str]] = []

    class Named(Recorder):
        def __init__(self, side: str) -> None:
            super().__init__(answers=side == "server")
            self._side = side

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            seen.append((self._side, name.get()))

    name.set("server")
    await loop.create_server(lambda: Named("server"), "plug", 9999)
    name.set("client")
    _, client = await loop.create_connection(lambda: Named("client"), "plug", 9999)
    name.set("test")
    client.transport.write(b"x")
    await asyncio.sleep(1.0)
    assert seen == [("server", "server"), ("client", "client")]
    client.transport.close()
    await client.lost
