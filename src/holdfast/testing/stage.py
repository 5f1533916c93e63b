"""Where a scenario plays: a bench, the driver under watch, and a hub in virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from holdfast.clock import LoopClock
from holdfast.hub.hub import Hub
from holdfast.hub.site.spec import DeviceSpec
from holdfast.link.backoff import SHORT_CAP_S
from holdfast.link.core import Core
from holdfast.model import Authority, Availability, Issuer, NotAccepted, accept
from holdfast.simulation import START_S
from holdfast.testing.clause import Broken
from holdfast.testing.conduct import Conduct
from holdfast.testing.loop_watch import LoopWatch
from holdfast.testing.observer import Observer
from holdfast.testing.side import Side, on
from holdfast.testing.truth import TruthLog, same_value
from holdfast.testing.watched import WatchedSession, WatchedSink

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from holdfast.link.driver import Driver, LinkTiming
    from holdfast.link.link import Link
    from holdfast.link.session import Sink
    from holdfast.model import Capability, Device, Receipt, Value
    from holdfast.simulation import VirtualLoop
    from holdfast.testing.bench import Bench

ME = Issuer("contract", Authority.PERSON)
STEP_S = 0.01
"""How finely a scenario waits for something."""
ROOM_S = 0.1
"""Slack for what takes a few ticks of the wheel (10 ms each) and turns of the loop."""


class Stage:
    """Everything that a scenario speaks about. Made for one scenario, in one loop."""

    def __init__(self, loop: VirtualLoop, bench: Bench) -> None:
        self.loop = loop
        self.bench = bench
        self.conduct = Conduct()
        self.watch = LoopWatch(loop, self.conduct)
        self.specs = self.prepare(bench.devices())
        self.capabilities: dict[str, Capability] = {
            f"{spec.device.id}/{each.key}": each
            for spec in self.specs
            for each in spec.drivers[0].capabilities
        }
        self.truth_log = TruthLog(loop.time, bench.truth, self.targets)
        self.observer = Observer(self)
        self.hub: Hub

    # --- the driver -----------------------------------------------------------------------------------------------

    def prepare(self, devices: Sequence[Device]) -> list[DeviceSpec]:
        """The devices with their drivers, the way to their sessions watched."""
        prepare = self.bench.family.prepare
        return [
            DeviceSpec(each, tuple(self._watched(prepare(each, adapter)) for adapter in each.adapters))
            for each in devices
        ]

    def _watched(self, driver: Driver) -> Driver:
        def connect(drivers: Sequence[Driver], sink: Sink) -> WatchedSession:
            watched = WatchedSink(sink, self.conduct)
            with on(Side.DRIVER):
                inner = driver.connect(drivers, watched)
            return WatchedSession(inner, watched, self.conduct)

        return replace(
            driver,
            connect=connect,
            check=self._noting("check", driver.check),
            project=self._noting("project", driver.project),
            shows=self._noting("shows", driver.shows),
            planner=None if driver.planner is None else self._noting("the planner", driver.planner),
        )

    def _noting(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its exceptions noted: the core may have caught them before anybody sees."""

        def noted(*args: Any) -> Any:
            try:
                result = function(*args)
                return list(result) if isinstance(result, Iterator) else result
            except Exception as error:
                self.conduct.escaped.append(f"`{name}` raised {type(error).__name__}: {error}")
                raise

        return noted

    @property
    def driver(self) -> Driver:
        """The driver of the first device, which stands for all."""
        return self.specs[0].drivers[0]

    @property
    def drivers(self) -> list[Driver]:
        """The drivers that share the endpoint."""
        return [driver for spec in self.specs for driver in spec.drivers]

    @property
    def timing(self) -> LinkTiming:
        """The deadlines of the link."""
        return self.driver.timing

    @property
    def targets(self) -> list[str]:
        """All targets of all devices."""
        return list(self.capabilities)

    @property
    def writable(self) -> list[str]:
        """Those that take commands."""
        return [target for target, each in self.capabilities.items() if each.writable]

    @property
    def changeable(self) -> list[str]:
        """Those that the bench can change."""
        return list(self.bench.changeable(self.targets))

    @property
    def settable(self) -> list[str]:
        """Those that take as a command what they report: a cover does not, it is told `open` and reports `opening`."""
        return [target for target in self.writable if self._takes_its_truth(target)]

    def _takes_its_truth(self, target: str) -> bool:
        try:
            accept(self.capabilities[target], self.bench.truth(target))
        except NotAccepted:
            return False
        return True

    def capability(self, target: str) -> Capability:
        """The capability behind a target."""
        return self.capabilities[target]

    def connect(self, sink: Sink) -> WatchedSession:
        """A session of the driver's own, without a hub."""
        self.driver.connect(self.drivers, sink)
        return self.conduct.sessions[-1]

    # --- how long things take --------------------------------------------------------------------------------------

    def pace_s(self, target: str) -> float:
        """Within this time a change at the device must be shown."""
        capability = self.capabilities[target]
        for poll in (poll for driver in self.drivers for poll in driver.polls):
            if (poll.member, poll.group) == (capability.member, capability.group):
                return poll.every_s + poll.reply_s + ROOM_S
        return 2 * self.bench.pace_s + ROOM_S

    @property
    def round_s(self) -> float:
        """Within this time every change at the device must be shown."""
        return max(self.pace_s(target) for target in self.targets)

    @property
    def opening_s(self) -> float:
        """Within this time a try to open has ended, one way or the other."""
        return self.timing.dial_s + max(self.timing.login_s, self.timing.login_first_s) + ROOM_S

    @property
    def recovery_s(self) -> float:
        """Within this time after an outage everything is shown again: the longest wait, a try, and a round."""
        return SHORT_CAP_S + self.opening_s + max(self.round_s, self.timing.first_data_s or 0.0)

    def clock_s(self) -> float:
        """Seconds since the scenario began."""
        return self.loop.time() - START_S

    # --- the scenario's own words ------------------------------------------------------------------------------------

    def require(self, condition: object, seen: str) -> None:
        """The scenario fails, saying what was seen, unless the condition holds."""
        if not condition:
            raise Broken(f"{seen} (at {self.clock_s():.2f} s)")

    def require_none(self, seen: Sequence[str]) -> None:
        """The scenario fails if anything was seen."""
        if seen:
            more = f" (and {len(seen) - 1} more)" if len(seen) > 1 else ""
            raise Broken(f"{seen[0]}{more}")

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    async def until(self, condition: Callable[[], object], within_s: float) -> bool:
        """Wait until the condition holds, or for so long; whether it came to hold."""
        end_t = self.loop.time() + within_s
        while not condition():
            if self.loop.time() >= end_t:
                return False
            await asyncio.sleep(STEP_S)
        return True

    def change(self, target: str) -> Value:
        """The device changes by itself; returns what is true now."""
        self.truth_log.note()
        self.bench.change(target, self.bench.other(target, self.capabilities[target]))
        self.truth_log.note()
        return self.bench.truth(target)

    def change_all(self) -> None:
        """Everything that can change does."""
        for target in self.changeable:
            self.change(target)

    # --- the hub ----------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self, specs: Sequence[DeviceSpec] | None = None) -> AsyncIterator[Hub]:
        """A hub that keeps the devices, from here to the end of the block."""
        with on(Side.CORE):
            clock = LoopClock(self.loop)
            hub = self.hub = Hub(clock, core=Core(clock, rng=self.loop.random))
            for each in self.specs if specs is None else specs:
                hub.add(each)
            hub.start()
        try:
            yield hub
        finally:
            self.observer.stop()
            with on(Side.CORE):
                await hub.stop(patience_s=0.0)  # what a standing order may take is the core's own affair

    @property
    def link(self) -> Link:
        """The one link."""
        (link,) = self.hub.links.values()
        return link

    def rejects(self) -> Counter[str]:
        """What could not be understood or believed, by code. What only waits to come again is not among it."""
        counts = Counter(self.link.report.rejects)
        counts.pop("unconfirmed", None)
        return counts

    def is_online(self) -> bool:
        """Whether every device is, every value is current, and no order from the start is open any more."""
        devices = self.hub.devices.values()
        if any(each.availability is not Availability.ONLINE or each.desk.orders for each in devices):
            return False
        return all(self.hub.reading(target).quality.is_current for target in self.targets)

    async def online(self, within_s: float | None = None) -> None:
        """Wait until everything is online and shown."""
        limit_s = (
            self.opening_s + max(self.round_s, self.timing.first_data_s or 0.0)
            if within_s is None
            else within_s
        )
        if not await self.until(self.is_online, limit_s):
            raise Broken(f"{self.state()} after {limit_s:.1f} s, though the device is well")

    def state(self) -> str:
        """How things stand, for a message."""
        words = [
            f"{each.id} is {each.availability} ({each.reason.text})" for each in self.hub.devices.values()
        ]
        missing = [target for target in self.targets if not self.hub.reading(target).quality.is_current]
        if missing:
            words.append(f"no current value of {', '.join(missing[:4])}")
        return "; ".join(words)

    def untrue(self) -> list[str]:
        """What is shown now and differs from what is true now, or is not shown."""
        wrong = []
        for target in self.targets:
            shown, truth = self.hub.reading(target), self.bench.truth(target)
            if not same_value(shown.value, truth):
                wrong.append(
                    f"{target} is shown as {shown.value!r} ({shown.quality}), at the device it is {truth!r}"
                )
        return wrong

    def command(self, target: str, value: Value, timeout_s: float | None = None) -> Receipt:
        """Give a command."""
        with on(Side.CORE):
            return self.hub.command(target, value, ME, timeout_s)

    async def ended(self, receipt: Receipt) -> Receipt:
        """Wait for its end, which must come by its deadline."""
        limit_s = receipt.timeout_s + ROOM_S
        await self.until(lambda: self.hub.receipts[receipt.id].state.is_end, limit_s)
        latest = self.hub.receipts[receipt.id]
        self.require(
            latest.state.is_end,
            f"{latest.target} = {latest.value!r} was still {latest.state} past its deadline",
        )
        return latest
