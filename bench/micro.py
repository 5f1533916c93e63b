"""What single parts cost, without sockets: the core's path for one poll, the codec, the wheel, the event stream.

The core runs in virtual time over a transport that answers at once, so all of the processor's time is ours. Figures
are the best of several rounds: on a shared machine the least disturbed one comes closest to the truth.
"""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import time
from typing import TYPE_CHECKING, Any

from bench import wire
from bench.rows import Row
from holdfast.app import FAMILIES
from holdfast.clock import LoopClock
from holdfast.drivers.ipcom.codec import IpcomCodec
from holdfast.hub.events import EventStream, Kind
from holdfast.hub.hub import Hub
from holdfast.hub.site.read import read_site
from holdfast.hub.site.secret import SecretSource
from holdfast.link.stream import StreamSession
from holdfast.link.wheel import TICK_S, Entry, TimerWheel
from holdfast.simulation.run import run_virtual

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.link.driver import Driver
    from holdfast.link.session import Sink

VIRTUAL_S = 7.0
"""Twenty polls a link and round."""


class Answers:
    """Replies on their way; all that fall due in one turn of the loop arrive in the next."""

    def __init__(self, *, always_change: bool) -> None:
        self.always_change = always_change
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Echo] = []

    def expect(self, echo: Echo) -> None:
        """This one has been asked."""
        if not self._waiting:
            self._loop.call_soon(self._deliver)
        self._waiting.append(echo)

    def _deliver(self) -> None:
        waiting, self._waiting = self._waiting, []
        for echo in waiting:
            echo.deliver()


class Echo(asyncio.Transport):
    """A transport and the device behind it."""

    def __init__(self, answers: Answers, protocol: asyncio.Protocol, number: int) -> None:
        super().__init__()
        self._answers = answers
        self._protocol = protocol
        self._script = wire.script(number)
        self._at = 0
        self._reply = b""
        self._is_closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take a question and prepare its answer."""
        if data == self._script.poll:
            if self._answers.always_change:
                self._at = (self._at + 1) % len(self._script.snapshots)
            self._reply = self._script.snapshots[self._at]
        elif len(data) == wire.LOGIN_SIZE:
            self._reply = self._script.login_reply
        else:
            return
        self._answers.expect(self)

    def deliver(self) -> None:
        """The answer arrives; a copy, as from a socket."""
        self._protocol.data_received(bytes(bytearray(self._reply)))

    def abort(self) -> None:
        """Gone at once."""
        self.close()

    def close(self) -> None:
        """Gone in the next turn of the loop, once."""
        if self._is_closing:
            return
        self._is_closing = True
        asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self._is_closing


def _over_echo(driver: Driver, answers: Answers, number: int) -> Driver:
    """The same driver over a transport without a socket."""

    def connect(drivers: Sequence[Driver], sink: Sink) -> StreamSession:
        async def dial(factory: Callable[[], asyncio.Protocol], limit_s: float) -> asyncio.Transport:
            protocol = factory()
            echo = Echo(answers, protocol, number)
            protocol.connection_made(echo)
            return echo

        return StreamSession(dial, IpcomCodec(driver.options), sink)

    return dataclasses.replace(driver, connect=connect)


def core_us_per_poll(*, always_change: bool, rounds: int, links: int) -> float:
    """Microseconds of CPU a poll in core, driver and hub, with two listeners on the stream."""

    async def measure() -> float:
        loop = asyncio.get_running_loop()
        site = {"devices": [wire.device(f"house-{n}", "127.0.0.1", 1 + n) for n in range(links)]}
        spec = read_site(site, FAMILIES, secrets=SecretSource(allow_plain_secrets=True))
        answers = Answers(always_change=always_change)
        hub = Hub(LoopClock(loop), name="bench")
        for number, device in enumerate(spec.devices):
            drivers = tuple(_over_echo(driver, answers, number) for driver in device.drivers)
            hub.add(dataclasses.replace(device, drivers=drivers))
        listeners = [
            loop.create_task(_drain(hub.stream.latest(lambda record: record.kind is Kind.READING))),
            loop.create_task(_drain(hub.stream.journal())),
        ]
        hub.start()
        await asyncio.sleep(2.0)
        gc.collect()
        gc.freeze()
        best_us = float("inf")
        for _ in range(rounds):
            before = sum(link.report.answers for link in hub.links.values())
            cpu_s = time.process_time()
            await asyncio.sleep(VIRTUAL_S)
            cpu_s = time.process_time() - cpu_s
            polls = sum(link.report.answers for link in hub.links.values()) - before
            best_us = min(best_us, cpu_s / max(1, polls) * 1e6)
        await hub.stop()
        for task in listeners:
            task.cancel()
        gc.unfreeze()
        return best_us

    return run_virtual(measure(), allow_leftovers=True)


async def _drain(records: Any) -> None:
    async for _ in records:
        pass


def _best_us(work: Callable[[], object], times: int, rounds: int) -> float:
    best_s = float("inf")
    for _ in range(rounds):
        began_s = time.process_time()
        for _ in range(times):
            work()
        best_s = min(best_s, time.process_time() - began_s)
    return best_s / times * 1e6


def _codec_us(rounds: int) -> tuple[float, float]:
    """Feeding a codec with an equal and with a changed snapshot."""
    site = {"devices": [wire.device("house", "127.0.0.1", 1)]}
    spec = read_site(site, FAMILIES, secrets=SecretSource(allow_plain_secrets=True))
    from holdfast.drivers.ipcom.cipher import dual_key

    script = wire.script(0)
    codec = IpcomCodec(spec.devices[0].drivers[0].options)
    codec.begin(dual_key(script.key))
    codec.feed(script.snapshots[0])
    equal_us = _best_us(lambda: codec.feed(script.snapshots[0]), 5_000, rounds)
    numbers = iter(range(10**9))
    count = len(script.snapshots)
    changed_us = _best_us(lambda: codec.feed(script.snapshots[next(numbers) % count]), 5_000, rounds)
    return equal_us, changed_us


def _wheel_us(rounds: int) -> float:
    """Arming an entry and being woken, with 5,000 entries on a grid of 350 ms."""

    async def measure() -> float:
        loop = asyncio.get_running_loop()
        wheel = TimerWheel(loop)
        fired = 0

        def line(first_t: float) -> None:
            due_t = first_t

            def fire(now: float) -> None:
                nonlocal due_t, fired
                fired += 1
                due_t += wire.POLL_S
                wheel.arm(entry, due_t)

            entry = Entry(fire)
            wheel.arm(entry, first_t)

        for number in range(5_000):
            line(loop.time() + TICK_S + number * wire.POLL_S / 5_000)
        await asyncio.sleep(1.0)
        best_us = float("inf")
        for _ in range(rounds):
            fired = 0
            cpu_s = time.process_time()
            await asyncio.sleep(3.5)
            best_us = min(best_us, (time.process_time() - cpu_s) / fired * 1e6)
        wheel.close()
        return best_us

    return run_virtual(measure(), allow_leftovers=True)


def _stream_us(rounds: int) -> float:
    """Publishing a record to three listeners and reading it there."""

    async def measure() -> float:
        stream = EventStream("bench", LoopClock(asyncio.get_running_loop()).now)
        listeners = [stream.latest(), stream.latest(), stream.journal()]

        def work() -> None:
            stream.publish(Kind.READING, "house/kitchen", None)
            for listener in listeners:
                listener.take()

        return _best_us(work, 5_000, rounds)

    return run_virtual(measure(), allow_leftovers=True)


def rows(rounds: int, links: int) -> list[Row]:
    """Measure all parts; the core with so many links."""
    equal_us, changed_us = _codec_us(rounds)
    core_equal_us, core_changed_us = (
        core_us_per_poll(always_change=is_changed, rounds=rounds, links=links) for is_changed in (False, True)
    )
    return [
        Row("core, driver and hub: a poll with an equal reply", core_equal_us, "µs"),
        Row("core, driver and hub: a poll with a changed reply", core_changed_us, "µs"),
        Row("codec, equal snapshot", equal_us, "µs", digits=2),
        Row("codec, changed snapshot", changed_us, "µs", digits=2),
        Row("timer wheel, one wake-up", _wheel_us(rounds), "µs", digits=2),
        Row("event stream, a record to 3 listeners", _stream_us(rounds), "µs", digits=2),
    ]
