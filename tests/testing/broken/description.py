"""Drivers that say something untrue or impossible of themselves."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from holdfast.link.driver import Family, LinkTiming, Poll, Trait
from holdfast.link.session import Endpoint
from holdfast.transports.tcp import dial_tcp
from tests.link.toys import bus, lockstep
from tests.testing.benches import BusBench, LockstepBench
from tests.testing.broken.driver import BrokenDriver, lamp

if TYPE_CHECKING:
    from holdfast.link.driver import Driver
    from holdfast.model import Adapter, Device
    from holdfast.simulation import VirtualLoop

LAMP, LEVEL = lockstep.CAPABILITIES
POLL = Poll("READ", "", "live", 0.35, 0.65)


def _another_path_each_time(loop: VirtualLoop) -> LockstepBench:
    numbers = count()

    def prepare(device: Device, adapter: Adapter) -> Driver:
        return replace(lockstep.prepare(device, adapter), endpoint=Endpoint("tcp", f"lamp/{next(numbers)}"))

    return LockstepBench(loop, Family("lockstep", prepare))


def _secret_in_the_path(loop: VirtualLoop) -> LockstepBench:
    def prepare(device: Device, adapter: Adapter) -> Driver:
        return replace(
            lockstep.prepare(device, adapter), endpoint=Endpoint("tcp", f"me:{adapter.password}@lamp")
        )

    return LockstepBench(loop, Family("lockstep", prepare))


def _dials_early(loop: VirtualLoop) -> LockstepBench:
    def prepare(device: Device, adapter: Adapter) -> Driver:
        import asyncio

        async def try_it() -> None:
            transport = await dial_tcp(adapter.url, lockstep.PORT)(asyncio.Protocol, 1.0)
            transport.close()

        asyncio.get_running_loop().create_task(try_it(), name="is it there?")
        return lockstep.prepare(device, adapter)

    return LockstepBench(loop, Family("lockstep", prepare))


BROKEN = (
    BrokenDriver(
        "one key twice",
        "describes_what_it_can_do",
        "'lamp' is described 2 times",
        lamp(capabilities=(LAMP, LEVEL, LAMP)),
    ),
    BrokenDriver(
        "a key that fits no target",
        "describes_what_it_can_do",
        "is no key of a target",
        lamp(capabilities=(LAMP, LEVEL, replace(LEVEL, key="Level #2"))),
    ),
    BrokenDriver(
        "a fail-safe that is not accepted",
        "describes_what_it_can_do",
        "fail-safe or urgent value is not accepted",
        lamp(capabilities=(replace(LAMP, fail_safe="off"), LEVEL)),
    ),
    BrokenDriver(
        "writable without a planner",
        "declares_what_it_is",
        "a planner go together",
        lamp(planner=None),
    ),
    BrokenDriver(
        "passive with polls",
        "declares_what_it_is",
        "1 polls",
        lamp(traits=Trait.PASSIVE | Trait.WRITES),
    ),
    BrokenDriver(
        "silence shorter than a second question",
        "puts_its_deadlines_in_order",
        "is not below the 0.9 s of silence",
        lamp(timing=LinkTiming(silence_s=0.9, spacing_s=0.2)),
    ),
    BrokenDriver(
        "a reading that is stale before silence is noticed",
        "puts_its_deadlines_in_order",
        "is stale after 2 s, silence is 3 s",
        lamp(timing=LinkTiming(silence_s=3.0, spacing_s=0.2)),
    ),
    BrokenDriver(
        "a poll for nobody",
        "puts_its_deadlines_in_order",
        "nobody's values",
        lamp(polls=[POLL, POLL._replace(what="INFO", group="info")]),
    ),
    BrokenDriver(
        "another endpoint each time", "names_its_path_alike", "one path, two names", _another_path_each_time
    ),
    BrokenDriver(
        "the login in the endpoint", "names_its_path_alike", "holds the password", _secret_in_the_path
    ),
    BrokenDriver(
        "options taken on trust",
        "prepares_without_a_trace",
        "'NoneType' object is not iterable",
        lambda loop: BusBench(loop, bus.BUS),
    ),
    BrokenDriver(
        "a dial while preparing", "prepares_without_a_trace", "reached for the network", _dials_early
    ),
)
