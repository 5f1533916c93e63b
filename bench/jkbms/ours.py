"""Holdfast's side of the comparison: ``python -m bench.jkbms.ours JSON``, one JSON line as the result.

The live frames come one behind the other on standard input; the bus around them is built before the time is taken.
"""

from __future__ import annotations

import asyncio
import json
import platform
import sys
import time
from typing import TYPE_CHECKING, Any

from bench.jkbms.bus import Bus, live_bus, whole_bus
from bench.jkbms.material import ADDRESSES, FRAME_SIZE, live_frames
from bench.jkbms.pack import Pack
from bench.machine import cores, pin
from holdfast.drivers.jkbms.codec import JkBusCodec
from holdfast.model import Batch

if TYPE_CHECKING:
    from collections.abc import Sequence

BUSES = {"live": live_bus, "whole": whole_bus}


TURN_EVERY = 1_000
"""Reads between two turns of the loop, in which the timers that are due get theirs."""


def holdfast_side(data: bytes, reads: Sequence[int]) -> tuple[float, int]:
    """Feed the bytes in reads of these sizes; seconds of CPU that took, and how many data frames were accepted.

    From the session's bytes to state, freshness and a listener, with attribution, checks and intake on the way. What
    is not timed: cutting the reads, and building driver, session and state.
    """
    return asyncio.run(_whole_job(Bus(data, tuple(reads), 0).pieces()))


async def _whole_job(pieces: Sequence[bytes]) -> tuple[float, int]:
    pack = await _acquainted()
    feed, before = pack.feed, pack.link.report.answers
    cpu_s = time.process_time()
    for at in range(0, len(pieces), TURN_EVERY):
        for piece in pieces[at : at + TURN_EVERY]:
            feed(piece)
        await asyncio.sleep(0)
    cpu_s = time.process_time() - cpu_s
    accepted = pack.link.report.answers - before
    await pack.close()
    return cpu_s, accepted


async def _acquainted() -> Pack:
    """A pack that has heard each battery twice: cells, sensors and settings count from then on."""
    pack = Pack(ADDRESSES)
    await pack.open()
    for piece in whole_bus(live_frames(2 * len(ADDRESSES), seed=1)).pieces():
        pack.feed(piece)
    return pack


def codec_side(data: bytes, reads: Sequence[int]) -> tuple[float, int]:
    """The same for the codec alone: framing, sums, attribution, records of raw numbers."""
    pieces = Bus(data, tuple(reads), 0).pieces()
    codec = JkBusCodec()
    feed, accepted = codec.feed, 0
    cpu_s = time.process_time()
    for piece in pieces:
        for event in feed(piece):
            if isinstance(event, Batch):
                accepted += 1
    return time.process_time() - cpu_s, accepted


SIDES = {"whole job": holdfast_side, "codec": codec_side}


def _samples(bus: Bus, every: int) -> list[dict[str, Any]]:
    """The values in the state after each ``every``-th live frame, the first one included."""
    return asyncio.run(_sampled(bus.pieces(), every))


async def _sampled(pieces: Sequence[bytes], every: int) -> list[dict[str, Any]]:
    pack = await _acquainted()
    found, number = [], 0
    evidence = [pack.evidence(address) for address in ADDRESSES]
    for piece in pieces:
        each = evidence[number % len(ADDRESSES)]
        before = each.n
        pack.feed(piece)
        if each.n != before:
            if number % every == 0:
                found.append(dict(pack.values(ADDRESSES[number % len(ADDRESSES)])))
            number += 1
    await pack.close()
    return found


def main() -> None:
    """Decode what comes in as the argument says."""
    options = json.loads(sys.argv[1])
    data = sys.stdin.buffer.read()
    frames = [data[at : at + FRAME_SIZE] for at in range(0, len(data), FRAME_SIZE)]
    bus = BUSES[options["bus"]](frames)
    pin(cores()[0] if cores() else None)
    cpu_s, accepted = SIDES[options["side"]](bus.data, bus.reads)
    every = options["every"]
    samples = _samples(bus, every) if every else []
    result: dict[str, Any] = {"cpu_s": cpu_s, "frames": accepted, "sent": bus.frames, "samples": samples}
    words = f"Holdfast, CPython {platform.python_version()}"
    sys.stdout.write(json.dumps({**result, "words": words}) + "\n")


if __name__ == "__main__":
    main()
