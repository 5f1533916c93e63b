"""A hub that listens to one bus in a process of its own, and writes down what it shows: one JSON line at the end.

``python -m bench.jkbms.listener '{"url": "tcp://127.0.0.1:8899", "batteries": 16, "seconds": 120}'``; it ends with its
standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING, Any

from holdfast.app import open_site
from holdfast.hub.events import Kind

if TYPE_CHECKING:
    from holdfast.app import Site
    from holdfast.hub.events import Record

WARM_UP_S = 10.0
"""More than a slow cycle: by then every battery has shown all that it has."""
MEASURED = "measured"
"""The first line: from here on the bus may end."""
SHOWN = {
    "runtime_s": "runtime",
    "pack_voltage_v": "voltage",
    "pack_current_a": "current",
    "remaining_ah": "remaining_capacity",
    "soc_pct": "soc",
}
"""Names in the simulator's truth, and the keys of readings."""


async def listen(url: str, batteries: int, seconds: float) -> dict[str, Any]:
    """What was shown, frame by frame, what was counted, and the CPU time of a steady stretch."""
    names = {address: f"battery {address}" for address in range(batteries)}
    adapter = {"id": "bus", "driver": "jkbms", "url": url}
    device = {"id": "pack", "name": "Pack", "adapters": [adapter], "options": {"batteries": names}}
    over = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    async with open_site({"devices": [device]}) as site:
        shown: list[dict[str, Any]] = []
        site.hub.stream.tap(lambda record: _note(site, record, shown))
        await asyncio.sleep(WARM_UP_S)
        wall_s, cpu_s = time.monotonic(), time.process_time()
        await asyncio.sleep(seconds - WARM_UP_S)
        wall_s, cpu_s = time.monotonic() - wall_s, time.process_time() - cpu_s
        outages = site.links()[0]["outage_count"]
        print(MEASURED, flush=True)
        await over
        (link,) = site.links()
        return {
            "shown": shown,
            "frames": link["counters"]["frames"],
            "counters": link["counters"],
            "answers": link["answers"],
            "rejects": link["rejects"],
            "bytes_out": link["bytes_out"],
            "outages": outages,
            "wall_s": wall_s,
            "cpu_s": cpu_s,
        }


def _note(site: Site, record: Record, shown: list[dict[str, Any]]) -> None:
    """The running time is different in each live frame, so it stands for the frame."""
    if record.kind is not Kind.READING:
        return
    device, _, key = str(record.key).partition("/")
    member, _, what = key.partition("/")
    if what != "runtime" or not record.payload.quality.is_current:
        return
    last = next((each for each in reversed(shown) if each["address"] == int(member)), None)
    values = {name: site.reading(f"{device}/{member}/{each}").value for name, each in SHOWN.items()}
    if last is None or last["runtime_s"] != values["runtime_s"]:  # a quality that changed is no frame
        shown.append({"address": int(member), "kind": "live", **values})


def main() -> None:
    options = json.loads(sys.argv[1])
    print(json.dumps(asyncio.run(listen(**options))))


if __name__ == "__main__":
    main()
