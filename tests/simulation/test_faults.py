"""Every fault that the network can play, as a program sees it."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import struct
from typing import TYPE_CHECKING

import pytest

from holdfast.simulation import START_S, Latency, NetworkEvent, VirtualLoop, run_virtual
from tests.simulation.support import Recorder, Servers, connected, virtually

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.simulation import Host, Port


# --- dials ------------------------------------------------------------------------------------------------


@virtually
async def test_nobody_listens(loop: VirtualLoop) -> None:
    """A host that is up refuses what nobody listens for, after one round trip."""
    loop.network.host("plug").latency = Latency(0.1)
    with pytest.raises(ConnectionRefusedError) as caught:
        await loop.create_connection(Recorder, "plug", 9999)
    assert caught.value.errno == errno.ECONNREFUSED
    assert loop.time() == START_S + 0.2


@virtually
async def test_nobody_has_the_address(loop: VirtualLoop) -> None:
    """An address that no host has is unreachable."""
    with pytest.raises(OSError, match=os.strerror(errno.EHOSTUNREACH)) as caught:
        await loop.create_connection(Recorder, "192.168.1.77", 9999)
    assert caught.value.errno == errno.EHOSTUNREACH


@virtually
async def test_refuse_and_accept(loop: VirtualLoop) -> None:
    """Refusing meets new dials only, until accepting again."""
    plug = loop.network.host("plug")
    client, server = await connected(loop)
    plug.refuse()
    with pytest.raises(ConnectionRefusedError):
        await loop.create_connection(Recorder, "plug", 9999)
    client.transport.write(b"still here")
    await asyncio.sleep(1.0)
    assert server.data == b"still here"
    plug.accept()
    transport, second = await loop.create_connection(Recorder, "plug", 9999)
    for each in (transport, client.transport):
        each.close()
    await asyncio.wait([second.lost, client.lost])


@virtually
async def test_one_port_may_refuse(loop: VirtualLoop) -> None:
    """A fault of a port leaves the host's other ports alone; a fault of the host meets them all."""
    plug = loop.network.host("plug")
    for port in (80, 9999):
        await loop.create_server(Servers(), "plug", port)
    plug.port(80).refuse()
    with pytest.raises(ConnectionRefusedError):
        await loop.create_connection(Recorder, "plug", 80)
    transport, client = await loop.create_connection(Recorder, "plug", 9999)
    transport.close()
    await client.lost
    plug.port(80).accept()
    plug.refuse()
    for port in (80, 9999):
        with pytest.raises(ConnectionRefusedError):
            await loop.create_connection(Recorder, "plug", port)


@virtually
async def test_worst_answer_counts(loop: VirtualLoop) -> None:
    """A host that refuses cannot be heard to do so from within a black hole, its own or its port's."""
    plug = loop.network.host("plug")
    plug.refuse()
    assert repr(plug.port(80)) == "<Port plug:80, refuse>"
    plug.port(80).blackhole()
    assert repr(plug.port(80)) == "<Port plug:80, silence>"
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(loop.create_connection(Recorder, "plug", 80), 3.0)
    with pytest.raises(ConnectionRefusedError):
        await loop.create_connection(Recorder, "plug", 81)
    plug.unreachable()
    assert repr(plug) == "<Host plug 10.0.0.2, unreachable, 0 connections>"


@pytest.mark.parametrize("cut", ["ignore", "blackhole"])
@pytest.mark.parametrize("of_port", [False, True])
def test_dial_into_a_black_hole(cut: str, of_port: bool) -> None:
    """The dial hangs; after 127 s a kernel gives up, and so does this one."""

    async def main(loop: VirtualLoop) -> None:
        servers = Servers()
        await loop.create_server(servers, "plug", 9999)
        plug = loop.network.host("plug")
        place: Host | Port = plug.port(9999) if of_port else plug
        getattr(place, cut)()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(loop.create_connection(Recorder, "plug", 9999), 3.0)
        assert loop.time() == START_S + 3.0
        with pytest.raises(TimeoutError) as caught:
            await loop.create_connection(Recorder, "plug", 9999)
        assert caught.value.errno == errno.ETIMEDOUT
        assert loop.time() == START_S + 3.0 + 127.0
        assert servers.made == []
        assert loop.network.open_connections == 0

    run_virtual(main)


@virtually
async def test_dial_outlasts_a_short_black_hole(loop: VirtualLoop) -> None:
    """A dial that hangs gets through at the kernel's next try after the host is back."""
    plug = loop.network.host("plug")
    await loop.create_server(Servers(), "plug", 9999)
    plug.blackhole()
    loop.call_later(5.0, plug.restore)
    transport, client = await loop.create_connection(Recorder, "plug", 9999)
    assert loop.time() == START_S + 7.0  # asked at 0, 1, 3 and 7 s
    transport.close()
    await client.lost


@virtually
async def test_unreachable(loop: VirtualLoop) -> None:
    """No way to a host: dials fail with the error asked for, and open connections starve."""
    plug = loop.network.host("plug")
    client, server = await connected(loop)
    plug.unreachable()
    with pytest.raises(OSError, match=os.strerror(errno.EHOSTUNREACH)) as caught:
        await loop.create_connection(Recorder, "plug", 9999)
    assert caught.value.errno == errno.EHOSTUNREACH
    plug.unreachable(errno.ENETUNREACH, after_s=3.0)
    dialled_at = loop.time()
    with pytest.raises(OSError, match=os.strerror(errno.ENETUNREACH)):
        await loop.create_connection(Recorder, "plug", 9999)
    assert loop.time() == dialled_at + 3.0
    client.transport.write(b"x")
    await asyncio.sleep(60.0)
    assert server.data == b""
    plug.restore()
    client.transport.close()
    await server.lost
    assert server.data == b"x"


@virtually
async def test_our_own_cable(loop: VirtualLoop) -> None:
    """The same faults befall the host that dials."""
    here = loop.network.here
    client, server = await connected(loop)
    here.blackhole()
    client.transport.write(b"x")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(loop.create_connection(Recorder, "plug", 9999), 3.0)
    assert server.data == b""
    here.unreachable(errno.ENETUNREACH)
    with pytest.raises(OSError, match=os.strerror(errno.ENETUNREACH)):
        await loop.create_connection(Recorder, "plug", 9999)
    here.restore()
    client.transport.close()
    await server.lost
    assert server.data == b"x"


@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.1, 0.15, 0.2])
@pytest.mark.parametrize("condition", ["accept", "refuse", "ignore", "unreachable"])
def test_cancelled_dial_leaves_nothing(condition: str, after_s: float) -> None:
    """However far it got, a cancelled dial leaves no task, timer or connection, here or there."""

    async def main(loop: VirtualLoop) -> None:
        plug = loop.network.host("plug")
        plug.latency = Latency(0.1)
        await loop.create_server(Servers(), "plug", 9999)
        getattr(plug, condition)()
        plug.unreachable_after_s = 1.0
        dial = loop.create_task(loop.create_connection(Recorder, "plug", 9999))
        await asyncio.sleep(after_s)
        if dial.done():
            assert condition == "refuse"
            return
        dial.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dial
        await asyncio.sleep(0)
        assert loop.leftovers() == []
        plug.restore()
        await asyncio.sleep(1.0)
        assert loop.network.open_connections == 0

    run_virtual(main)


@pytest.mark.parametrize("turns", range(12))
def test_cancelled_dial_leaves_nothing_turn_by_turn(turns: int) -> None:
    """The same at each turn of the loop of a dial that takes no time, its very last one included."""

    async def main(loop: VirtualLoop) -> None:
        servers = Servers()
        await loop.create_server(servers, "plug", 9999)
        dial = loop.create_task(loop.create_connection(Recorder, "plug", 9999))
        for _ in range(turns):
            await asyncio.sleep(0)
        if dial.done():
            transport, _ = await dial
            transport.close()
        else:
            dial.cancel()
            with pytest.raises(asyncio.CancelledError):
                await dial
        await asyncio.sleep(1.0)
        assert loop.network.open_connections == 0
        for server in servers.made:
            assert server.calls == ["made", "eof", ("lost", None)]

    run_virtual(main)


@virtually
async def test_server_gone_before_the_last_step(loop: VirtualLoop) -> None:
    """A server that closes between our handshake and its acceptance resets us."""
    loop.network.host("plug").latency = Latency(0.1)
    server = await loop.create_server(Servers(), "plug", 9999)
    _, client = await loop.create_connection(Recorder, "plug", 9999)
    server.close()
    assert isinstance(await client.lost, ConnectionResetError)
    assert client.calls == ["made", ("lost", "ConnectionResetError")]
    assert loop.network.open_connections == 0


@virtually
async def test_reset_before_the_last_step(loop: VirtualLoop) -> None:
    """A connection reset while the news of it still waits before a hung process is over for everybody."""
    plug = loop.network.host("plug")
    await loop.create_server(Servers(), "plug", 9999)
    plug.mute()
    _, client = await loop.create_connection(Recorder, "plug", 9999)
    await asyncio.sleep(1.0)
    plug.reset_all()
    plug.restore()
    assert isinstance(await client.lost, ConnectionResetError)
    await asyncio.sleep(1.0)
    assert loop.network.open_connections == 0


# --- silence ------------------------------------------------------------------------------------------------


@virtually
async def test_half_open(loop: VirtualLoop) -> None:
    """In a black hole bytes vanish both ways, and neither side is told, whatever the other does."""
    client, server = await connected(loop)
    loop.network.host("plug").blackhole()
    client.transport.write(b"to nowhere")
    server.transport.write(b"to nowhere")
    await asyncio.sleep(600.0)
    assert client.calls == server.calls == ["made"]
    client.transport.close()
    await client.lost
    await asyncio.sleep(600.0)
    assert server.calls == ["made", ("lost", "TimeoutError")]  # it wrote, so its kernel gave up in the end


@virtually
async def test_half_open_without_traffic_lasts(loop: VirtualLoop) -> None:
    """A side that only listens never learns that the other is gone."""
    client, server = await connected(loop)
    loop.network.host("plug").blackhole()
    client.transport.abort()
    await client.lost
    await asyncio.sleep(30 * 86_400.0)
    assert server.calls == ["made"]
    assert loop.network.host("plug").open_connections == 1


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
def test_black_hole_of_one_direction(direction: str) -> None:
    """With one direction lost the other works on."""

    async def main(loop: VirtualLoop) -> None:
        client, server = await connected(loop)
        plug = loop.network.host("plug")
        plug.blackhole(inbound=direction == "inbound", outbound=direction == "outbound")
        client.transport.write(b"to the plug")
        server.transport.write(b"from the plug")
        await asyncio.sleep(60.0)
        heard, unheard = (client, server) if direction == "inbound" else (server, client)
        assert heard.data
        assert not unheard.data
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(loop.create_connection(Recorder, "plug", 9999), 3.0)
        client.transport.abort()
        await client.lost

    run_virtual(main)


@virtually
async def test_stream_survives_a_black_hole(loop: VirtualLoop) -> None:
    """Restored, the kernel's next repetition brings everything: late, in order, nothing torn out."""
    plug = loop.network.host("plug")
    client, server = await connected(loop)
    plug.blackhole()
    began_at = loop.time()
    for number in range(10):
        client.transport.write(b"%d" % number)
        await asyncio.sleep(1.0)
    plug.restore()
    client.transport.write(b"!")
    await asyncio.sleep(60.0)
    # Repeated 0.2, 0.6, 1.4, 3.0, 6.2 and 12.6 s after the first loss; the hole ended after 10 s.
    assert server.pieces == [b"0123456789!"]
    assert server.arrivals[0][0] == pytest.approx(began_at + 12.6)
    client.transport.close()
    await client.lost


@virtually
async def test_bytes_under_way_fall_into_the_hole(loop: VirtualLoop) -> None:
    """What was sent before the hole and would arrive after its beginning is lost like the rest."""
    plug = loop.network.host("plug")
    plug.latency = Latency(0.5)
    client, server = await connected(loop)
    client.transport.write(b"under way")
    await asyncio.sleep(0.3)
    plug.blackhole()
    await asyncio.sleep(1.0)
    assert server.data == b""
    plug.restore()
    plug.blackhole()
    plug.restore()
    await asyncio.sleep(60.0)
    assert server.pieces == [b"under way"]
    client.transport.close()
    await client.lost


@virtually
async def test_kernel_gives_up(loop: VirtualLoop) -> None:
    """A sender whose bytes stay unanswered loses the connection after 924.6 s, wherever its reader is."""
    plug = loop.network.host("plug")
    client, server = await connected(loop)
    plug.blackhole()
    client.transport.write(b"x")
    began_at = loop.time()
    fault = await client.lost
    assert isinstance(fault, TimeoutError)
    assert fault.errno == errno.ETIMEDOUT
    assert loop.time() == pytest.approx(began_at + 924.6)
    plug.restore()
    server.transport.write(b"anybody there?")
    assert isinstance(await server.lost, ConnectionResetError)


@virtually
async def test_back_pressure_in_a_black_hole(loop: VirtualLoop) -> None:
    """Nothing is acknowledged, so the window fills and the writer is paused; restored, it goes on."""
    plug = loop.network.host("plug")
    client, server = await connected(loop)
    plug.blackhole()
    client.transport.write(bytes(200_000))
    assert client.is_told_to_wait()
    await asyncio.sleep(10.0)
    plug.restore()
    await asyncio.sleep(10.0)
    assert not client.is_told_to_wait()
    assert len(server.data) == 200_000
    client.transport.close()
    await client.lost


@virtually
async def test_accept_and_silence(loop: VirtualLoop) -> None:
    """A server that never speaks needs no fault: it is a server that never speaks."""
    client, server = await connected(loop)
    client.transport.write(b"hello?")
    await asyncio.sleep(3600.0)
    assert client.calls == ["made"]
    assert server.data == b"hello?"
    client.transport.close()
    await client.lost


@virtually
async def test_mute(loop: VirtualLoop) -> None:
    """A hung process: its kernel still completes dials, and nothing goes further, in or out."""
    plug = loop.network.host("plug")
    client, server = await connected(loop)
    plug.mute()
    servers_before = plug.dials
    transport, late = await loop.create_connection(Recorder, "plug", 9999)
    assert plug.dials == servers_before + 1
    client.transport.write(b"old")
    transport.write(b"new")
    server.transport.write(b"unsaid")
    await asyncio.sleep(2000.0)
    assert client.calls == late.calls == server.calls == ["made"]
    plug.restore()
    await asyncio.sleep(0.001)
    assert server.data == b"old"
    assert client.data == b"unsaid"
    for each in (client, late):
        each.transport.close()
        await each.lost


@virtually
async def test_mute_hands_over_what_waited(loop: VirtualLoop) -> None:
    """When the process wakes it finds the connections and bytes that its kernel kept, and the ends too."""
    servers = Servers()
    await loop.create_server(servers, "plug", 9999)
    plug = loop.network.host("plug")
    plug.port(9999).mute()
    transport, client = await loop.create_connection(Recorder, "plug", 9999)
    transport.write(b"while you slept")
    transport.close()
    await client.lost
    await asyncio.sleep(10.0)
    assert servers.made == []
    plug.port(9999).restore()
    await asyncio.sleep(0.001)
    assert servers.last.calls == ["made", b"while you slept", "eof", ("lost", None)]


# --- ends -----------------------------------------------------------------------------------------------------


@virtually
async def test_finish_all(loop: VirtualLoop) -> None:
    """The device closes every connection: the client sees the end of the stream, data before it first."""
    loop.network.host("plug").latency = Latency(0.1)
    client, server = await connected(loop)
    server.transport.write(b"goodbye")
    loop.network.host("plug").finish_all()
    await client.lost
    assert client.calls == ["made", b"goodbye", "eof", ("lost", None)]
    assert server.calls == ["made", ("lost", None)]


@virtually
async def test_reset_all(loop: VirtualLoop) -> None:
    """A reset reaches both ends, and streams raise it."""
    servers = Servers()
    await loop.create_server(servers, "plug", 9999)
    reader, writer = await asyncio.open_connection("plug", 9999)
    await asyncio.sleep(1.0)
    loop.network.host("plug").reset_all()
    with pytest.raises(ConnectionResetError):
        await reader.readline()
    with pytest.raises(ConnectionResetError):
        await writer.drain()
    assert servers.last.calls == ["made", ("lost", "ConnectionResetError")]
    assert loop.network.open_connections == 0


@virtually
async def test_reset_of_one_port(loop: VirtualLoop) -> None:
    """Only the connections of that port are reset."""
    one, _ = await connected(loop, port=1)
    two, _ = await connected(loop, port=2)
    loop.network.host("plug").port(1).reset_all()
    assert isinstance(await one.lost, ConnectionResetError)
    await asyncio.sleep(1.0)
    assert two.calls == ["made"]
    two.transport.close()
    await two.lost


@virtually
async def test_reset_comes_after_the_data_before_it(loop: VirtualLoop) -> None:
    """What arrived before the reset is still read."""
    client, server = await connected(loop)
    server.transport.write(b"last words")
    loop.network.host("plug").reset_all()
    await client.lost
    assert client.calls == ["made", b"last words", ("lost", "ConnectionResetError")]


@virtually
async def test_reset_reaches_a_paused_writer(loop: VirtualLoop) -> None:
    """A writer that waits for room learns of the reset, though it does not read."""
    client, server = await connected(loop)
    client.transport.pause_reading()
    server.transport.pause_reading()
    client.transport.write(bytes(200_000))
    assert client.is_told_to_wait()
    loop.network.host("plug").reset_all()
    assert isinstance(await client.lost, ConnectionResetError)
    server.transport.resume_reading()
    assert isinstance(await server.lost, ConnectionResetError)
    assert len(server.data) == 65_536


@virtually
async def test_reset_of_an_idle_paused_end_shows_at_its_next_act(loop: VirtualLoop) -> None:
    """An end that neither reads nor waits to write notices at its next write, or when it reads again."""
    for act in ("write", "resume"):
        client, _ = await connected(loop, port=len(act))
        client.transport.pause_reading()
        loop.network.host("plug").reset_all()
        await asyncio.sleep(60.0)
        assert client.calls == ["made"]
        if act == "write":
            client.transport.write(b"x")
        else:
            client.transport.resume_reading()
        assert isinstance(await client.lost, ConnectionResetError)


# --- power ------------------------------------------------------------------------------------------------------


@virtually
async def test_reboot(loop: VirtualLoop) -> None:
    """After a reboot an old connection looks alive until it is used: then it is reset. A new one works."""
    plug = loop.network.host("plug")
    client, server = await connected(loop, answers=True)
    plug.reboot(down_s=20.0)
    assert isinstance(await server.lost, ConnectionAbortedError)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(loop.create_connection(Recorder, "plug", 9999), 3.0)
    await asyncio.sleep(3600.0)
    assert client.calls == ["made"]
    client.transport.write(b"still there?")
    assert isinstance(await client.lost, ConnectionResetError)
    transport, fresh = await loop.create_connection(Recorder, "plug", 9999)
    transport.write(b"hello")
    await asyncio.sleep(1.0)
    assert fresh.data == b"hello"
    transport.close()
    await fresh.lost


@virtually
async def test_write_during_a_reboot(loop: VirtualLoop) -> None:
    """Bytes written while the host is down are repeated by our kernel, and earn the reset by themselves."""
    plug = loop.network.host("plug")
    client, _ = await connected(loop)
    plug.reboot(down_s=20.0)
    began_at = loop.time()
    client.transport.write(b"still there?")
    assert isinstance(await client.lost, ConnectionResetError)
    assert loop.time() == pytest.approx(began_at + 25.4)  # 0.2 * (2**7 - 1): the first try after 20 s


@virtually
async def test_crash_takes_the_device_s_bytes_along(loop: VirtualLoop) -> None:
    """What the device had sent and was under way at its crash never arrives, also not after the restart."""
    plug = loop.network.host("plug")
    plug.latency = Latency(0.1)
    client, server = await connected(loop)
    server.transport.write(b"half a frame")
    plug.reboot(down_s=5.0)
    await asyncio.sleep(60.0)
    assert client.calls == ["made"]
    client.transport.abort()
    await client.lost


@virtually
async def test_crash_between_dial_and_acceptance(loop: VirtualLoop) -> None:
    """A connection that the device had not yet accepted is forgotten with the rest."""
    plug = loop.network.host("plug")
    plug.latency = Latency(0.1)
    servers = Servers()
    await loop.create_server(servers, "plug", 9999)
    _, client = await loop.create_connection(Recorder, "plug", 9999)
    plug.reboot(down_s=1.0)
    assert isinstance(await client.lost, ConnectionResetError)
    assert servers.made == []
    assert loop.network.open_connections == 0


@virtually
async def test_our_own_crash(loop: VirtualLoop) -> None:
    """If this host dies, the device keeps a half-open connection until it writes."""
    client, server = await connected(loop)
    loop.network.here.crash()
    assert isinstance(await client.lost, ConnectionAbortedError)
    await asyncio.sleep(60.0)
    assert server.calls == ["made"]
    loop.network.here.restore()
    server.transport.write(b"reading")
    assert isinstance(await server.lost, ConnectionResetError)


# --- all of them ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(25))
def test_storm(seed: int) -> None:
    """Under a random storm of faults every protocol keeps the order of calls and sees a prefix of its stream."""
    record: list[NetworkEvent] = []

    async def main(loop: VirtualLoop) -> None:
        loop.network.watchers.append(record.append)
        plug, draw = loop.network.host("plug"), loop.random
        plug.latency = Latency(0.01, 0.05)
        servers = Servers()
        await loop.create_server(servers, "plug", 9999)
        clients: list[Recorder] = []
        faults: list[Callable[[], None]] = [
            plug.refuse,
            plug.ignore,
            plug.unreachable,
            plug.blackhole,
            plug.mute,
            plug.restore,
            plug.restore,
            plug.restore,
            plug.reset_all,
            plug.finish_all,
            lambda: plug.reboot(draw.random()),
        ]
        for _ in range(300):
            await asyncio.sleep(draw.random() * 0.2)
            draw.choice(faults)()
            try:
                async with asyncio.timeout(0.3):
                    clients.append((await loop.create_connection(Recorder, "plug", 9999))[1])
            except OSError:
                pass
            ends = [end for end in clients + servers.made if end.made.done() and not end.lost.done()]
            for end in draw.sample(ends, min(5, len(ends))):
                if draw.random() < 0.8:
                    end.transport.write(bytes(draw.randrange(1, 99)))
                else:
                    end.transport.close()
        plug.restore()
        plug.reset_all()
        await asyncio.sleep(200.0)
        for end in clients:
            if not end.lost.done():
                end.transport.abort()
        await asyncio.sleep(200.0)
        assert loop.network.open_connections == 0
        for end in clients + servers.made:
            kinds = [call if isinstance(call, str) else type(call).__name__ for call in end.calls]
            assert kinds[0] == "made"
            assert kinds[-1] == "tuple"  # lost
            assert kinds[1:-1] in ([], ["bytes"], ["eof"], ["bytes", "eof"])

    run_virtual(main, seed=seed)
    assert len({event.what for event in record}) >= 8


def test_linger_means_reset() -> None:
    """SO_LINGER with a time of 0 is honoured, so simulated devices reset as real programs do."""

    async def main(loop: VirtualLoop) -> None:
        client, server = await connected(loop)
        option = struct.pack("ii", 1, 0)
        server.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)
        server.transport.close()
        assert isinstance(await client.lost, ConnectionResetError)

    run_virtual(main)
