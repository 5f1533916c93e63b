"""A bus at its real speed, the hubs that listen to it over TCP and over a serial line, and what became of its frames.

Simulators and hubs are processes of their own, so that the hub's CPU time is its own.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from bench.child import PeerGone
from bench.jkbms.listener import MEASURED

if TYPE_CHECKING:
    from collections.abc import Awaitable

_T = TypeVar("_T")

START_S = 30.0
"""How long a process may take until its first line, on a busy machine."""
END_S = 30.0

TCP, SERIAL = "tcp", "serial"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one hub made of one bus."""

    path: str
    written: list[dict[str, Any]]
    """Whole frames that the simulator wrote to the hub, in order."""
    shown: list[dict[str, Any]]
    """Live frames as the readings showed them, in order."""
    figures: dict[str, Any]
    damaged: int = 0
    """Units that collided on the bus: a simulator that is held up on a busy machine answers late."""

    @property
    def cpu_share(self) -> float:
        """Of one core."""
        return float(self.figures["cpu_s"] / self.figures["wall_s"])

    def expected(self) -> list[dict[str, Any]]:
        """What was written from the first live frame on that is shown.

        A serial line keeps some bytes from before it was opened, which nobody reads; TCP begins with the client.
        """
        first = self.written.index(self.shown[0]) if self.shown and self.shown[0] in self.written else 0
        return self.written[first:]

    def before(self) -> int:
        """Live frames that were written before the first one that is shown."""
        unheard = self.written[: len(self.written) - len(self.expected())]
        return sum(frame["kind"] == "live" for frame in unheard)

    def missed(self) -> int:
        """Frames of any kind that the hub's counters lack."""
        counted: int = sum(self.figures["frames"].values())
        return max(0, len(self.expected()) - counted)

    def lost(self) -> int:
        """Live frames that were written and are not shown, or not in their order."""
        expected = [frame for frame in self.expected() if frame["kind"] == "live"]
        places = iter(self.shown)
        return sum(frame not in places for frame in expected)  # each is looked for behind the one before

    def strange(self) -> list[dict[str, Any]]:
        """What is shown and was not written so: by another battery, with other values, or twice."""
        left = list(self.written)
        found = []
        for frame in self.shown:
            if frame in left:
                left.remove(frame)
            else:
                found.append(frame)
        return found

    def by_battery(self) -> Counter[int]:
        """Live frames shown of each."""
        return Counter(frame["address"] for frame in self.shown)


async def run(seconds: float, batteries: int = 16) -> list[Outcome]:
    """Both paths at the same time."""
    return list(await asyncio.gather(*(_one(path, seconds, batteries) for path in (TCP, SERIAL))))


async def _one(path: str, seconds: float, batteries: int) -> Outcome:
    more = ("--pty",) if path == SERIAL else ()
    simulator = await _start(
        *("-m", "holdfast.simulators.jkbms", "--port", "0", "--profile", "none", "--truth"),
        *("--batteries", str(batteries), *more),
    )
    try:
        assert simulator.stdout is not None
        line = (await _within(START_S, simulator.stdout.readline())).decode()
        where = line.removeprefix("listening on ").strip()
        if not where:
            raise PeerGone("the simulator did not begin to listen")
        options = {"url": f"{path}://{where}", "batteries": batteries, "seconds": seconds}
        hub = await _start("-m", "bench.jkbms.listener", json.dumps(options))
        try:
            assert hub.stdout is not None
            measured = (await _within(seconds + START_S, hub.stdout.readline())).decode().strip()
            if measured != MEASURED:
                raise PeerGone(f"the hub at {path} did not listen to the end")
            simulator.send_signal(signal.SIGTERM)
            truth, _ = await _within(END_S, simulator.communicate())
            said, _ = await _within(END_S, hub.communicate(b""))  # it ends with its standard input
        finally:
            _kill(hub)
    finally:
        _kill(simulator)
    told = json.loads(truth)
    clients = told["clients"]
    if len(clients) != 1 or not said:
        raise PeerGone(f"{len(clients)} clients over {path}, and the hub ended with {hub.returncode}")
    figures = json.loads(said.splitlines()[-1])
    return Outcome(path, clients[0], figures.pop("shown"), figures, told["damaged"])


async def _start(*arguments: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=pipe, stdout=pipe)


async def _within(limit_s: float, what: Awaitable[_T]) -> _T:
    try:
        return await asyncio.wait_for(what, limit_s)
    except TimeoutError as error:
        raise PeerGone(f"nothing was said for {limit_s:g} s") from error


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
