"""What a plug makes of clients that speak otherwise, and of a port that is taken."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.simulation import VirtualLoop, run_virtual
from holdfast.simulators.kasa import DEMO_ACCOUNT, LEGACY, Drop, Refuse, Reset, klap_v2
from holdfast.simulators.kasa.cipher import decipher, encipher, frame
from tests.simulators.kasa.virtual import plugged_in

pytestmark = pytest.mark.virtual
KLAP = klap_v2(DEMO_ACCOUNT)


async def ask(port: int, data: bytes) -> bytes:
    """Everything that comes back to these bytes within a second."""
    reader, writer = await asyncio.open_connection("plug", port)
    writer.write(data)
    heard = b""
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(1.0):
            while piece := await reader.read(1000):
                heard += piece
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return heard


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"POST /elsewhere HTTP/1.1\r\nContent-Length: 0\r\n\r\n", b"404"),
        (b"GET /app/handshake1 HTTP/1.1\r\n\r\n", b"405"),
        (b"\r\n\r\n", b"400"),
        (b"POST /app/handshake1 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", b"400"),
        (b"POST /app/handshake2 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", b"403"),
        (b"POST /app/request?seq=one HTTP/1.1\r\nContent-Length: 0\r\n\r\n", b"403"),
        (b"POST /app/request?seq=1 HTTP/1.1\r\nCookie: TP_SESSIONID=A\r\nContent-Length: 0\r\n\r\n", b"403"),
    ],
)
async def test_other_http(data: bytes, status: bytes) -> None:
    """It says no, and lives on."""
    async with plugged_in(KLAP) as station:
        for _ in range(2):
            assert (await ask(80, data)).startswith(b"HTTP/1.1 " + status)
        assert station.truth.in_flight == 0


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", frame(b"[]"), frame(b"\xff"), b"\0\0"])
async def test_other_bytes(data: bytes) -> None:
    """The legacy door hangs up on them, or waits for more."""
    async with plugged_in() as station:
        assert await ask(9999, data) == b""
        assert station.truth.in_flight == 0
        assert b"relay_state" in decipher((await ask(9999, frame(b'{"system":{"get_sysinfo":{}}}')))[4:])


@given(st.binary(max_size=80))
@settings(max_examples=30)
def test_any_bytes(data: bytes) -> None:
    """Nothing breaks either door, and nothing is left behind."""

    async def main(_loop: VirtualLoop) -> None:
        for firmware, port in ((LEGACY, 9999), (KLAP, 80)):
            async with plugged_in(firmware) as station:
                await ask(port, data)
                assert not station.truth.relay

    run_virtual(main)


@pytest.mark.parametrize("fault", [Drop(), Reset()])
async def test_ended_at_the_door(fault: Drop | Reset) -> None:
    """While it lasts, new connections end as soon as they are accepted."""
    async with plugged_in() as station:
        station.begin(fault)
        assert await ask(9999, frame(b'{"system":{"get_sysinfo":{}}}')) == b""
        station.end(fault)
        assert await ask(9999, frame(b'{"system":{"get_sysinfo":{}}}'))
        await asyncio.sleep(0.01)
        assert (station.truth.most_connections, station.truth.connections) == (1, 0)


async def test_port_taken_meanwhile() -> None:
    """It tries again until it has its port back."""
    async with plugged_in() as station:
        station.begin(Refuse())
        await asyncio.sleep(0.01)
        server = await asyncio.start_server(lambda _reader, _writer: None, "plug", 9999)
        station.end(Refuse())
        await asyncio.sleep(1.0)
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.2)
        assert await ask(9999, frame(b'{"system":{"get_sysinfo":{}}}'))


async def test_no_commands_over_udp() -> None:
    """Questions are answered, anything else is not; so the truth has every command."""
    async with plugged_in() as station:
        heard: list[bytes] = []

        class Asking(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
                heard.append(decipher(data))

        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Asking, remote_addr=("plug", 9999))
        for text in (b'{"system":{"set_relay_state":{"state":1}}}', b"[]", b"\xff"):
            transport.sendto(encipher(text))
        transport.sendto(encipher(b'{"system":{"get_sysinfo":{}}}'))
        await asyncio.sleep(0.1)
        transport.close()
        assert len(heard) == 1
        assert not station.truth.relay
