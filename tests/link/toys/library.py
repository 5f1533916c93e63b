"""A toy whose library owns the socket, retries on its own, and swallows cancellation now and then."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from holdfast.errors import HoldfastError, Unreachable
from holdfast.link.coro import CoroSession
from holdfast.link.driver import Driver, Family, LinkTiming, Poll, Trait
from holdfast.link.planner import one_wish_one_step
from holdfast.link.session import Endpoint, Sink
from holdfast.model import (
    Adapter,
    Batch,
    Capability,
    Device,
    Identity,
    Periodic,
    Value,
    ValueType,
    VerifyPlan,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Plug:
    """The device: a relay that answers after a while, or not."""

    def __init__(self) -> None:
        self.is_on = False
        self.answer_s = 0.05
        self.is_reachable = True
        self.is_hanging = False
        self.is_ignoring = False
        self.is_stubborn = False
        self.says_no = False
        self.calls: list[tuple[float, str]] = []
        self.running = 0
        self.most_running = 0

    async def call(self, what: str) -> bool:
        loop = asyncio.get_running_loop()
        self.calls.append((loop.time(), what))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            for attempt in range(2):  # retries of its own
                if not self.is_reachable:
                    await asyncio.sleep(0.2)
                    if attempt == 1:
                        raise ConnectionError("plug unreachable")
            while self.is_hanging:
                try:
                    await asyncio.sleep(0.5)
                except asyncio.CancelledError:
                    if not self.is_stubborn:
                        raise
            await asyncio.sleep(self.answer_s)
            if self.says_no:
                raise PermissionError("no")
            if what in ("on", "off") and not self.is_ignoring:
                self.is_on = what == "on"
            return self.is_on
        finally:
            self.running -= 1


class PlugLibrary:
    """Four coroutines around the toy library; foreign errors end here."""

    def __init__(self, plug: Plug) -> None:
        self._plug = plug

    async def connect(self) -> Identity | None:
        await self._call("hello")
        return Identity(serial="AA:BB")

    async def read(self, what: str) -> Iterable[Batch]:
        return [Batch("", "live", await self._call(what))]

    async def do(self, payload: Any) -> None:
        await self._call("on" if payload[1] else "off")

    async def bye(self) -> None:
        """Nothing stays open."""

    async def _call(self, what: str) -> bool:
        try:
            return await self._plug.call(what)
        except ConnectionError as error:
            raise Unreachable(str(error)) from error
        except PermissionError as error:
            raise HoldfastError("the plug said no") from error


PLUGS: dict[str, Plug] = {}


def project(member: str, group: str, raw: Any, before: Mapping[str, Value]) -> Mapping[str, Value]:
    return {"switch": raw}


def prepare(device: Device, adapter: Adapter) -> Driver:
    def connect(drivers: Sequence[Driver], sink: Sink) -> CoroSession:
        return CoroSession(PlugLibrary(PLUGS[adapter.url]), sink)

    return Driver(
        name="library",
        traits=Trait.POLLED | Trait.WRITES | Trait.LIBRARY,
        endpoint=Endpoint("plug", adapter.url, adapter.url),
        connect=connect,
        capabilities=[
            Capability(
                key="switch",
                type=ValueType.BOOLEAN,
                writable=True,
                fail_safe=False,
                freshness=Periodic(30.0, 10.0),
                verify=VerifyPlan((0.0, 1.0, 2.0), settle_s=0.5, wait_s=5.0),
            )
        ],
        polls=[Poll("state", "", "live", 10.0, 4.0)],
        timing=LinkTiming(silence_s=25.0, ack_s=5.0, login_first_s=4.0, login_s=4.0, reread_s=1.0),
        project=project,
        planner=one_wish_one_step,
    )


LIBRARY = Family("library", prepare)
