"""UDP in the simulated network: to one, to all, late, lost, refused."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.simulation import START_S, Latency, VirtualLoop
from tests.simulation.support import virtually

if TYPE_CHECKING:
    from holdfast.simulation.world import Address


class Ear(asyncio.DatagramProtocol):
    """Notes what it hears; answers if told to."""

    def __init__(self, answer: bytes = b"") -> None:
        self.heard: list[tuple[float, bytes, Address]] = []
        self.errors: list[Exception] = []
        self.is_lost = False
        self._answer = answer

    def connection_made(self, transport: Any) -> None:
        self.transport: asyncio.DatagramTransport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.heard.append((asyncio.get_running_loop().time(), data, addr))
        if self._answer:
            self.transport.sendto(self._answer, addr)

    def error_received(self, exc: Exception) -> None:
        self.errors.append(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True


async def device(loop: VirtualLoop, name: str, answer: bytes = b"") -> Ear:
    _, ear = await loop.create_datagram_endpoint(lambda: Ear(answer), (name, 9999))
    return ear


async def ours(loop: VirtualLoop, remote: tuple[str, int] | None = None) -> Ear:
    _, ear = await loop.create_datagram_endpoint(Ear, ("0.0.0.0", 0), remote, allow_broadcast=True)  # noqa: S104
    return ear


async def ended(*ears: Ear) -> None:
    for ear in ears:
        ear.transport.close()
    await asyncio.sleep(0.001)
    assert all(ear.is_lost for ear in ears)


@virtually
async def test_to_one(loop: VirtualLoop) -> None:
    """A datagram reaches the one it is sent to, whole, with the sender's address, after the delay."""
    plug = loop.network.host("plug")
    plug.latency = Latency(0.1)
    there, bystander = await device(loop, "plug", b"pong"), await device(loop, "lamp")
    ear = await ours(loop)
    ear.transport.sendto(b"ping", ("plug", 9999))
    assert there.heard == []
    await asyncio.sleep(1.0)
    assert there.heard == [(START_S + 0.1, b"ping", ("10.0.0.1", 49152))]
    assert ear.heard == [(START_S + 0.2, b"pong", (plug.address, 9999))]
    assert bystander.heard == []
    await ended(ear)


@pytest.mark.parametrize("everybody", ["255.255.255.255", "<broadcast>", "10.0.0.255"])
def test_to_all(everybody: str) -> None:
    """A broadcast reaches every other host that listens on the port, and each answers for itself."""

    async def test(loop: VirtualLoop) -> None:
        names = ("plug", "lamp", "heater")
        for name in names:
            await device(loop, name, name.encode())
        loop.network.host("deaf")
        ear = await ours(loop)
        ear.transport.sendto(b"who is there?", (everybody, 9999))
        await asyncio.sleep(1.0)
        assert [(data, addr[0]) for _, data, addr in ear.heard] == [
            (name.encode(), loop.network.host(name).address) for name in names
        ]
        await ended(ear)

    virtually(test)()


@virtually
async def test_order_is_not_kept(loop: VirtualLoop) -> None:
    """Under jitter datagrams overtake each other, as UDP allows."""
    loop.network.host("plug").latency = Latency(0.0, 1.0)
    there, ear = await device(loop, "plug"), await ours(loop)
    for number in range(50):
        ear.transport.sendto(b"%d" % number, ("plug", 9999))
    await asyncio.sleep(2.0)
    numbers = [int(data) for _, data, _ in there.heard]
    assert sorted(numbers) == list(range(50))
    assert numbers != list(range(50))
    await ended(ear)


@virtually
async def test_loss(loop: VirtualLoop) -> None:
    """About the stated share of datagrams vanishes."""
    plug = loop.network.host("plug")
    there, ear = await device(loop, "plug"), await ours(loop)
    for loss, least, most in ((0.3, 600, 800), (1.0, 0, 0)):
        plug.loss = loss
        before = len(there.heard)
        for _ in range(1000):
            ear.transport.sendto(b"x", ("plug", 9999))
        await asyncio.sleep(1.0)
        assert least <= len(there.heard) - before <= most
    await ended(ear)


@virtually
async def test_faults(loop: VirtualLoop) -> None:
    """A black hole, a hung process and a crashed host swallow datagrams for good."""
    plug = loop.network.host("plug")
    there, ear = await device(loop, "plug", b"pong"), await ours(loop)
    for fault in (plug.blackhole, plug.mute, plug.crash, plug.port(9999).blackhole):
        fault()
        ear.transport.sendto(b"ping", ("plug", 9999))
        await asyncio.sleep(1.0)
        plug.restore()
        plug.port(9999).restore()
        await asyncio.sleep(60.0)
        assert there.heard == []
    plug.blackhole(inbound=False)
    ear.transport.sendto(b"ping", ("plug", 9999))
    await asyncio.sleep(1.0)
    assert len(there.heard) == 1
    assert ear.heard == []
    await ended(ear)


@virtually
async def test_one_peer_only(loop: VirtualLoop) -> None:
    """A socket with a peer needs no address, takes no other, and hears that nobody listens."""
    there = await device(loop, "plug")
    ear = await ours(loop, ("plug", 9999))
    assert ear.transport.get_extra_info("peername") == ("10.0.0.2", 9999)
    ear.transport.sendto(b"hello")
    with pytest.raises(ValueError, match="Invalid address"):
        ear.transport.sendto(b"hello", ("10.0.0.2", 80))
    await asyncio.sleep(1.0)
    assert [data for _, data, _ in there.heard] == [b"hello"]
    there.transport.close()
    ear.transport.sendto(b"anybody?")
    await asyncio.sleep(1.0)
    assert [type(error) for error in ear.errors] == [ConnectionRefusedError]
    await ended(ear)


@virtually
async def test_into_the_void(loop: VirtualLoop) -> None:
    """Without a peer nobody hears that an address or a port is empty; without an address there is an error."""
    loop.network.host("plug")
    ear = await ours(loop)
    for address in (("plug", 9999), ("192.168.1.77", 9999)):
        ear.transport.sendto(b"x", address)
    with pytest.raises(ValueError, match="an address is needed"):
        ear.transport.sendto(b"x")
    await asyncio.sleep(1.0)
    assert ear.errors == []
    await ended(ear)


@virtually
async def test_life(loop: VirtualLoop) -> None:
    """A UDP socket owns its port until it closes, and neither sends nor hears afterwards."""
    there, ear = await device(loop, "plug"), await ours(loop)
    with pytest.raises(OSError, match="already in use"):
        await device(loop, "plug")
    assert ear.transport.get_protocol() is ear
    assert ear.transport.get_extra_info("socket").setsockopt(1, 6, 1) is None
    there.transport.sendto(b"x", ear.transport.get_extra_info("sockname"))
    ear.transport.abort()
    ear.transport.abort()
    ear.transport.sendto(b"x", ("plug", 9999))
    assert ear.transport.is_closing()
    await asyncio.sleep(1.0)
    assert ear.is_lost
    assert ear.heard == there.heard == []
    there.transport.close()
    await device(loop, "plug")


@virtually
async def test_cancelled_opening_leaves_nothing(loop: VirtualLoop) -> None:
    """A cancelled create_datagram_endpoint gives its port back."""
    opening = loop.create_task(loop.create_datagram_endpoint(Ear, ("0.0.0.0", 9999)))  # noqa: S104
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert loop.network.here.datagrams == {}
