"""The same seed and the same program give the same run, on every supported version of Python."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

from holdfast.simulation import Latency, NetworkEvent, Split, VirtualLoop, run_virtual
from tests.simulation.support import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterable

TRACE_OF_SEED_7 = "bbcd2e5051d6f664e751c5fafbb5069727104b62f21ddbf268b18fd0b354fa51"
"""Fingerprint of the trace below, the same on Python 3.11, 3.12 and 3.13. A change of the network's behaviour
changes it, and whoever makes that change should say so."""


async def poll(loop: VirtualLoop, name: str) -> None:
    """A small client with every habit that could disturb a replay: time-outs, jitter, redialling."""
    while True:
        await asyncio.sleep(0.05 + 0.2 * loop.random.random())
        try:
            async with asyncio.timeout(1.0):
                reader, writer = await asyncio.open_connection(name, 9999)
        except OSError:
            continue
        try:
            while True:
                writer.write(b"?" * loop.random.randrange(1, 40))
                async with asyncio.timeout(1.4):  # wait_for of 3.11 takes more turns than that of 3.12
                    await reader.readexactly(4)
                await asyncio.sleep(0.35)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


class Device(Recorder):
    """Answers whatever it hears."""

    def data_received(self, data: bytes) -> None:
        self.transport.write(b"!" * len(data))


def trace(seed: int) -> list[NetworkEvent]:
    """What happens on the wire when five devices are polled through a minute of faults."""
    events: list[NetworkEvent] = []

    async def main(loop: VirtualLoop) -> None:
        loop.network.watchers.append(events.append)
        names = [f"device-{number}" for number in range(5)]
        hosts = [loop.network.host(name) for name in names]
        for host in hosts:
            host.latency = Latency(0.01, 0.2)
            host.split = Split(largest=7)
            await loop.create_server(Device, host.name, 9999)
        polls = [loop.create_task(poll(loop, name)) for name in names]
        for _ in range(100):
            await asyncio.sleep(loop.random.random())
            host = loop.random.choice(hosts)
            faults = (host.restore, host.blackhole, host.reset_all, host.finish_all, host.mute, host.refuse)
            loop.random.choice(faults)()
        for task in polls:
            task.cancel()
        await asyncio.wait(polls)

    run_virtual(main, seed=seed, allow_leftovers=True)
    return events


def fingerprint(events: Iterable[NetworkEvent]) -> str:
    return hashlib.sha256("\n".join(map(repr, events)).encode()).hexdigest()


def test_same_seed_same_trace() -> None:
    """Two runs agree in every event, time and byte."""
    first = trace(7)
    assert len(first) > 500
    assert first == trace(7)


def test_other_seed_other_trace() -> None:
    """Seeds matter."""
    assert len({fingerprint(trace(seed)) for seed in range(3)}) == 3


def test_trace_is_the_same_everywhere() -> None:
    """Versions of Python, and of this code, agree with each other."""
    assert fingerprint(trace(7)) == TRACE_OF_SEED_7


def test_hosts_have_their_own_jitter() -> None:
    """More traffic to one host moves nothing at another."""

    def arrivals(extra: int) -> list[tuple[float, bytes]]:
        async def main(loop: VirtualLoop) -> list[tuple[float, bytes]]:
            made: list[Recorder] = []

            def factory() -> Recorder:
                made.append(Recorder())
                return made[-1]

            for name in ("lamp", "plug"):
                loop.network.host(name).latency = Latency(0.1, 0.5)
                await loop.create_server(factory, name, 9999)
            transport, _ = await loop.create_connection(Recorder, "plug", 9999)
            await asyncio.sleep(1000.0 - loop.time() + 1000.0)
            noise, _ = await loop.create_connection(Recorder, "lamp", 9999)
            await asyncio.sleep(3000.0 - loop.time())
            for _ in range(20):
                transport.write(b"x")
                for _ in range(extra):
                    noise.write(b"noise")
                await asyncio.sleep(1.0)
            return made[0].arrivals

        return run_virtual(main, seed=1, allow_leftovers=True)

    assert arrivals(0) == arrivals(3)
    assert len(arrivals(0)) == 20
