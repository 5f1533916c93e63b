"""A device whose readings are posted, its hub in virtual time, and a sender for the driver contract."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from holdfast.clock import LoopClock
from holdfast.drivers.push.driver import PUSH, PushOptions
from holdfast.hub.deliveries import Delivery, deliver, slot_of
from holdfast.hub.hub import Hub
from holdfast.hub.site.spec import DeviceSpec
from holdfast.link.core import Core
from holdfast.link.driver import Family
from holdfast.model import Adapter, Device, Stamp
from holdfast.testing import Bench

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Mapping, Sequence

    from holdfast.drivers.push.inbox import PushInbox
    from holdfast.link.driver import Driver
    from holdfast.model import Value
    from holdfast.simulation import VirtualLoop

TEMPERATURE = {"unit": "°C", "deadline_s": 240, "minimum": -20, "maximum": 60}
CHAMBER: Mapping[str, Mapping[str, Any]] = {
    "temperature": TEMPERATURE,
    "door": {"type": "boolean", "deadline_s": 60},
    "mode": {"type": "choice", "choices": ["eco", "fast"], "deadline_s": 600},
    "note": {"type": "text", "deadline_s": 600, "essential": False},
}


def push_device(
    ident: str = "chamber",
    capabilities: Mapping[str, Mapping[str, Any]] = CHAMBER,
    options: Mapping[str, Any] | None = None,
    url: str = "",
) -> Device:
    """A device as a site file describes it."""
    adapter = Adapter(id="in", driver="push", url=url)
    return Device(id=ident, name=ident, adapters=(adapter,), options=options or {}, capabilities=capabilities)


def push_spec(device: Device) -> DeviceSpec:
    """The device with its driver."""
    return DeviceSpec(device, tuple(PUSH.prepare(device, each) for each in device.adapters))


class Post:
    """A hub and a hand that posts."""

    def __init__(self, hub: Hub, clock: LoopClock) -> None:
        self.hub = hub
        self.clock = clock

    def post(self, target: str, value: Value, age_s: float | None = None) -> Delivery:
        seen_at = None if age_s is None else self.clock.now() - timedelta(seconds=age_s)
        return deliver(self.hub, slot_of(self.hub, target), value, seen_at)


@asynccontextmanager
async def post_office(loop: VirtualLoop, *devices: Device) -> AsyncIterator[Post]:
    """A running hub with these devices; nothing of it is left afterwards."""
    clock = LoopClock(loop)
    hub = Hub(clock, core=Core(clock, rng=loop.random))
    for device in devices or (push_device(),):
        hub.add(push_spec(device))
    hub.start()
    try:
        yield Post(hub, clock)
    finally:
        await hub.stop()
        assert loop.leftovers() == []


class PushBench(Bench):
    """A sender that posts everything it knows every 20 s."""

    pace_s: ClassVar[float] = 20.0

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__(loop)
        self.family = Family("push", self._prepare)
        self.inboxes: list[PushInbox] = []
        self.state: dict[str, Value] = {"temperature": 19.5, "door": False, "mode": "eco", "note": "a"}
        self.is_silent = False
        self.timer: asyncio.TimerHandle | None = None
        self.n = 0

    def _prepare(self, device: Device, adapter: Adapter) -> Driver:
        driver = PUSH.prepare(device, adapter)
        assert isinstance(driver.options, PushOptions)
        self.inboxes.append(driver.options.inbox)
        return driver

    async def start(self) -> None:
        self.speak()

    async def stop(self) -> None:
        if self.timer is not None:
            self.timer.cancel()

    def speak(self) -> None:
        self.timer = self.loop.call_later(self.pace_s, self.speak)
        if self.is_silent:
            return
        self.n += 1
        for inbox in self.inboxes:
            for key, value in self.state.items():
                inbox.receive(key, value, Stamp(self.loop.time(), self.n))

    def devices(self, password: str = "") -> Sequence[Device]:
        return [push_device(options={"gravity_unit": "sg"})]

    def junk(self) -> Sequence[Device]:
        return [
            push_device(capabilities={}),
            push_device(url="http://somewhere"),
            push_device(options={"x": 1}),
        ]

    def truth(self, target: str) -> Value:
        return self.state[target.partition("/")[2]]

    def other(self, target: str, capability: Any) -> Value:
        if target.endswith("/note"):
            return f"{self.state['note']}b"[-20:]
        return super().other(target, capability)

    def change(self, target: str, value: Value) -> None:
        self.state[target.partition("/")[2]] = value

    def silence(self, member: str | None = None) -> None:
        self.is_silent = True

    def resume(self) -> None:
        self.is_silent = False
