"""A hub on the ordinary loop around a toy device in memory, served on a real loopback socket."""

from __future__ import annotations

import asyncio
import json
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

from holdfast.clock import SystemClock
from holdfast.hub.hub import Hub
from holdfast.hub.site.spec import DeviceSpec
from holdfast.link.driver import Driver, LinkTiming, Poll, Trait
from holdfast.link.planner import one_wish_one_step
from holdfast.link.session import End, Endpoint, Job, OpenLimits, Sink
from holdfast.model import (
    Adapter,
    Availability,
    Batch,
    Capability,
    Device,
    Identity,
    Periodic,
    Value,
    ValueType,
    VerifyPlan,
)
from holdfast.web.server import ApiServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from holdfast.web.api.access import Tokens

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Never used; without it every client would load the system's certificates."""
PATIENCE_S = 10.0
"""How long a test waits for what should come at once, on a machine that others use too."""


class Rack:
    """A toy device: some lamps and gauges, answering at once, doing what it is told unless it is stubborn."""

    def __init__(self, gauges: int = 1) -> None:
        self.state: dict[str, Value] = {"lamp": False, "level": 0, **{f"gauge/{n}": n for n in range(gauges)}}
        self.is_stubborn = False
        self.session: RackSession | None = None

    def set(self, **values: Value) -> None:
        """Something changes at the device, and it says so."""
        self.state |= {key.replace("__", "/"): value for key, value in values.items()}
        if self.session is not None:
            self.session.tell()

    def spec(self, device_id: str) -> DeviceSpec:
        """It, as a site would have it."""
        timing = LinkTiming(silence_s=30.0)
        adapter = Adapter(id="a", driver="rack", url=device_id, password="secret-of-the-rack")
        device = Device(id=device_id, name=device_id.title(), adapters=(adapter,))
        driver = Driver(
            name="rack",
            traits=Trait.POLLED | Trait.WRITES,
            endpoint=Endpoint("rack", device_id, device_id),
            connect=lambda drivers, sink: RackSession(self, sink),
            capabilities=[_capability(key) for key in self.state],
            polls=[Poll("state", "", "live", 5.0, 1.0)],
            timing=timing,
            project=project,
            planner=one_wish_one_step,
        )
        return DeviceSpec(device, (driver,))


def _capability(key: str) -> Capability:
    is_writable = key in ("lamp", "level")
    return Capability(
        key=key,
        type=ValueType.BOOLEAN if key == "lamp" else ValueType.NUMBER,
        role={"lamp": "light", "level": "dimmer"}.get(key, "sensor"),
        minimum=0.0 if key == "level" else None,
        maximum=100.0 if key == "level" else None,
        unit="V" if key.startswith("gauge") else "",
        writable=is_writable,
        freshness=Periodic(20.0, 5.0),
        verify=VerifyPlan((0.0,), wait_s=60.0),
    )


def project(member: str, group: str, raw: Any, before: Mapping[str, Value]) -> Mapping[str, Value]:
    """Values by key."""
    return dict(raw)


class RackSession:
    """One life of the path to a rack."""

    def __init__(self, rack: Rack, sink: Sink) -> None:
        self._rack = rack
        self._sink = sink

    async def open(self, limits: OpenLimits) -> Identity | None:
        self._rack.session = self
        return None

    def tell(self) -> None:
        self._sink.observed(Batch("", "live", tuple(self._rack.state.items())))

    def start(self, job: Job) -> None:
        asyncio.get_running_loop().call_soon(self._end, job)

    def _end(self, job: Job) -> None:
        if job.is_step:
            key, value = job.payload
            if not self._rack.is_stubborn:
                self._rack.state[key] = value
        else:
            self._sink.observed(Batch("", "live", tuple(self._rack.state.items())), job.stamp)
        self._sink.finished(job, End.OK)

    def forget(self, job: Job) -> None:
        """Nothing is ever late here."""

    async def close(self, *, goodbye: bool) -> None:
        self.abort()

    def abort(self) -> None:
        self._rack.session = None


@dataclass
class House:
    """What a test has in hand."""

    hub: Hub
    api: ApiServer
    rack: Rack
    client: httpx.AsyncClient

    @property
    def port(self) -> int:
        return httpx.URL(self.api.url).port or 80

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.client.get(path, **more)

    async def command(self, target: str, value: object, **more: Any) -> httpx.Response:
        return await self.client.post("/api/v1/commands", json={"target": target, "value": value, **more})


@asynccontextmanager
async def house(
    rack: Rack | None = None,
    *,
    more: Sequence[DeviceSpec] = (),
    start: bool = True,
    headers: Mapping[str, str] | None = None,
    host: str = "127.0.0.1",
    tokens: Tokens | None = None,
    require_login: bool = False,
) -> AsyncIterator[House]:
    """A hub with one rack, called ``rack``, and its API on a free port. The rack is online when the block begins."""
    rack = rack or Rack()
    hub = Hub(SystemClock(asyncio.get_running_loop()))
    for spec in (rack.spec("rack"), *more):
        hub.add(spec)
    api = ApiServer(hub, host=host, port=0, tokens=tokens, require_login=require_login)
    if start:
        hub.start()
    await api.start()
    try:
        async with httpx.AsyncClient(
            base_url=api.url, headers=headers, trust_env=False, verify=NO_TLS
        ) as client:
            if start:
                await until(lambda: hub.device("rack").availability is Availability.ONLINE)
            yield House(hub, api, rack, client)
    finally:
        await api.stop()
        await hub.stop()


async def until(is_so: Any) -> None:
    """Wait until something is so. Turns of the loop, not time: a slow machine only takes longer."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110 - whatever it is, it rings no bell
            await asyncio.sleep(0.001)


class Heard(NamedTuple):
    """One server-sent event."""

    name: str
    id: str
    data: Any


class Ear:
    """Listens to a stream."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()
        self.comments: list[str] = []

    async def next(self) -> Heard:
        """The next event."""
        name = event_id = ""
        data: list[str] = []
        async with asyncio.timeout(PATIENCE_S):
            async for line in self._lines:
                field, _, value = line.partition(": ")
                match field:
                    case "event":
                        name = value
                    case "id":
                        event_id = value
                    case "data":
                        data.append(value)
                    case "" if value:
                        self.comments.append(value)
                    case "" if data:
                        return Heard(name, event_id, json.loads("\n".join(data)))
        raise EOFError

    async def until(self, name: str, **wanted: Any) -> Heard:
        """The next event of that name with these members."""
        while True:
            heard = await self.next()
            if heard.name == name and all(heard.data[key] == value for key, value in wanted.items()):
                return heard

    async def snapshot(self) -> list[Heard]:
        """The beginning of a stream, up to its first id."""
        found = [await self.next()]
        while not found[-1].id:
            found.append(await self.next())
        return found


@asynccontextmanager
async def listening(where: House, *, last_id: str = "", path: str = "/api/v1/stream") -> AsyncIterator[Ear]:
    """An open stream."""
    headers = {"Last-Event-ID": last_id} if last_id else {}
    async with where.client.stream("GET", path, headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Ear(response)
