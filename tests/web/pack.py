"""A pack of two batteries on one bus, behind the gateways ``a`` and ``b``, all in memory: both hear what is said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from holdfast.hub.site.spec import DeviceSpec
from holdfast.link.aggregate import Aggregate
from holdfast.link.session import Endpoint, Job, OpenLimits, Sink
from holdfast.model import Adapter, Batch, Capability, Device, FailoverTiming, Identity, ValueType
from tests.link.toys.bus import BUS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.link.driver import Driver
    from holdfast.model import Value

MEMBERS = ("1", "2")


class Wire:
    """What is said on the bus, and who listens."""

    def __init__(self) -> None:
        self.sinks: dict[str, Sink] = {}

    def say(self, *members: str) -> None:
        """Each of these batteries tells its voltage once, and every gateway that is connected hears it."""
        for sink in list(self.sinks.values()):
            for member in members or MEMBERS:
                sink.observed(Batch(member, "live", 50_000))

    def spec(self, **adapter: Any) -> DeviceSpec:
        """The pack as a site would have it; ``adapter`` changes how ``b`` is configured."""
        first = Adapter(id="a", driver="bus", url="a")
        adapters = (first, replace(first, id="b", url="b", priority=2, **adapter))
        device = Device(
            id="pack",
            name="Pack",
            adapters=adapters,
            options={"members": MEMBERS},
            failover=FailoverTiming(minimum_stay_s=600.0, hold_s=600.0, probe_every_s=600.0),
        )
        return DeviceSpec(device, tuple(self._driver(device, each) for each in adapters))

    def _driver(self, device: Device, adapter: Adapter) -> Driver:
        return replace(
            BUS.prepare(device, adapter),
            endpoint=Endpoint("memory", adapter.id, adapter.id),
            connect=lambda drivers, sink: Ear(self, adapter.id, sink),
            aggregates=(Aggregate(capability=VOLTAGE, group="live", combine=mean),),
            counters=lambda: {"frames": 7},
        )


def mean(values: Mapping[str, Mapping[str, Value]]) -> Value:
    """The voltage of batteries in parallel."""
    found = [float(str(each[f"{member}/voltage"])) for member, each in values.items()]
    return sum(found) / len(found)


VOLTAGE = Capability(key="voltage", type=ValueType.NUMBER, unit="V", group="live")


class Ear:
    """One life of the path through one gateway."""

    def __init__(self, wire: Wire, name: str, sink: Sink) -> None:
        self._wire = wire
        self._name = name
        self._sink = sink

    async def open(self, limits: OpenLimits) -> Identity | None:
        self._wire.sinks[self._name] = self._sink
        return None

    def start(self, job: Job) -> None:
        raise AssertionError("a listener asks nothing")

    def forget(self, job: Job) -> None:
        raise AssertionError("a listener asks nothing")

    async def close(self, *, goodbye: bool) -> None:
        self.abort()

    def abort(self) -> None:
        self._wire.sinks.pop(self._name, None)
