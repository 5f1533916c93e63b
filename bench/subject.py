"""What runs in a fresh process and is measured: ``python -m bench.subject JSON``, one JSON line as the result."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from bench.bare import Bare
from bench.child import Peer
from bench.machine import core_seconds, cores_for_two, pin, raise_file_limit, resident_bytes, runner

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

READY_S = 120.0
"""How long the links may take until all have data."""


class Pauses:
    """Times the garbage collector: its callbacks cost nothing between collections."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self.collections = 0
        self._began = 0.0
        gc.callbacks.append(self._note)

    def _note(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self.collections += 1
            self.longest_s = max(self.longest_s, time.perf_counter() - self._began)

    def reset(self) -> None:
        """A measurement begins."""
        self.longest_s = 0.0
        self.collections = 0


async def links(options: dict[str, Any]) -> dict[str, Any]:
    """One side of the link benchmark, with so many links."""
    ours, theirs = cores_for_two()
    count = options["links"]
    core = [] if theirs is None else ["--core", str(theirs)]
    with Peer("bench.responder", "--links", str(count), *core) as peer:
        pin(ours)
        endpoints = [(host, port) for host, port in peer.hello["endpoints"]]
        if options["side"] == "whole":
            from bench.whole import Whole  # only here, so that the bare loop carries none of it

            subject: Bare | Whole = Whole(endpoints)
        else:
            subject = Bare(endpoints, options.get("timer", "ring"))
        gc.collect()
        before_bytes = resident_bytes()
        began_cpu_s, began_s = time.process_time(), time.monotonic()
        await subject.start()
        while subject.ready() < count:
            if time.monotonic() - began_s > READY_S:
                raise RuntimeError(f"only {subject.ready()} of {count} links came up")
            await asyncio.sleep(0.05)
        ready_s, ready_cpu_s = time.monotonic() - began_s, time.process_time() - began_cpu_s
        gc.collect()
        gc.freeze()  # as `serve` does: what lives for ever need not be looked at again
        pauses = Pauses()
        await asyncio.sleep(options["warm_up_s"])
        peer.ask("begin")
        subject.reset()
        pauses.reset()
        waited_s = core_seconds()[1]
        cpu_s, began_s = time.process_time(), time.monotonic()
        await asyncio.sleep(options["seconds"])
        cpu_s, took_s = time.process_time() - cpu_s, time.monotonic() - began_s
        counts = subject.counts()
        seen = peer.ask("counts")
        waited_s = core_seconds()[1] - waited_s
        after_bytes = resident_bytes()
        result = {
            **counts,
            "cpu_s": cpu_s,
            "took_s": took_s,
            "us_per_poll": cpu_s / max(1, counts["polls"]) * 1e6,
            "bytes_per_link": (after_bytes - before_bytes) / count,
            "gc_longest_s": pauses.longest_s,
            "gc_count": pauses.collections,
            "ready_s": ready_s,
            "ready_cpu_s": ready_cpu_s,
            "waited_s": waited_s,
            "seen": seen,
        }
        await subject.stop()
        return result


async def _house(options: dict[str, Any]) -> dict[str, Any]:
    from bench import house

    job: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]] = getattr(house, options["job"])
    return await job(options)


async def _store(options: dict[str, Any]) -> dict[str, Any]:
    from bench import store

    job: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]] = getattr(store, options["job"])
    return await job(options)


JOBS: dict[str, Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]] = {
    "links": links,
    "commands": _house,
    "faults": _house,
    "steady": _house,
    "store": _store,
    "orders": _store,
}


def main() -> None:
    """Run the job that the argument describes."""
    options = json.loads(sys.argv[1])
    raise_file_limit()

    async def job() -> dict[str, Any]:
        return await JOBS[options["job"]](options)

    with runner(options.get("loop", "asyncio")) as loop_runner:
        result = loop_runner.run(job())
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()
    os._exit(0)  # thousands of objects need not be taken apart


if __name__ == "__main__":
    main()
