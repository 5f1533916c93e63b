"""Holdfast's side of the comparison: ``python -m bench.jkbms.ours JSON``, one JSON line as the result.

The live frames come one behind the other on standard input; the bus around them is built before the time is taken.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from itertools import islice
from typing import TYPE_CHECKING, Any

from bench.jkbms.bus import Bus, live_bus, whole_bus
from bench.jkbms.material import FRAME_SIZE
from bench.machine import cores, pin
from holdfast.drivers.jkbms.alarms import alarm_names
from holdfast.drivers.jkbms.codec import JkBusCodec
from holdfast.drivers.jkbms.live import NOT_FITTED_DC, LiveRecord
from holdfast.model import Batch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.jkbms.dirty import Reader

BUSES = {"live": live_bus, "whole": whole_bus}


class NotWired(RuntimeError):
    """There is no driver to measure yet."""


# --- the seam: the whole job, and where its values are looked at ----------------------------------------------------


def holdfast_side(data: bytes, reads: Sequence[int]) -> tuple[float, int]:
    """Feed the bytes in reads of these sizes; seconds of CPU that took, and how many data frames were accepted.

    From the session's bytes to state and freshness, with attribution, checks and intake on the way. Cut the reads, and
    build driver, session and state, before the clock is looked at.
    """
    raise NotWired


def holdfast_reader() -> Reader:
    """Something that takes bytes as they come from the bus and gives the live frames that are accepted.

    Each as the battery's address and its values: capability without the address in front (``soc``,
    ``cells/3/voltage``) to plain value, ``None`` or absent where there is none. Now those that leave the codec; once
    there is a driver, those in the state right after, so that checks and intake are judged, too.
    """
    codec = JkBusCodec()

    def read(data: bytes) -> list[tuple[int, Mapping[str, Any]]]:
        return [
            (int(event.member), _values(event.raw))
            for event in codec.feed(data)
            if isinstance(event, Batch) and isinstance(event.raw, LiveRecord)
        ]

    return read


def _values(live: LiveRecord) -> dict[str, Any]:
    """A record under the names of the comparison; sensors that are not fitted are left out."""
    cells_v = [cell / 1e3 for cell in live.cells_mv]
    sensors: dict[str, int | None] = {"mos": live.mos_temp_dc, "1": live.temp1_dc, "2": live.temp2_dc}
    sensors |= {"3": live.temp_256_dc, "4": live.temp_258_dc}
    return {
        "voltage": live.pack_voltage_mv / 1e3,
        "current": live.pack_current_ma / 1e3,
        "power": live.pack_voltage_mv * live.pack_current_ma / 1e6,
        "soc": live.soc_pct,
        "soh": live.soh_pct,
        "remaining_capacity": live.remaining_mah / 1e3,
        "full_capacity": live.full_mah / 1e3,
        "cycles": live.cycles,
        "cell_spread": max(cells_v) - min(cells_v) if cells_v else None,
        "balance_current": live.balance_current_ma / 1e3,
        "balancing": live.balance_state != 0,
        "charge_mos": live.charge_mos,
        "discharge_mos": live.discharge_mos,
        "heating": live.heating,
        "heat_current": (live.heat_current_ma or 0) / 1e3,
        "alarms": alarm_names(live.alarms),
        **{
            f"temperatures/{key}": raw / 10
            for key, raw in sensors.items()
            if raw not in (None, NOT_FITTED_DC)
        },
        **{f"cells/{number}/voltage": cell for number, cell in zip(live.cell_numbers, cells_v, strict=False)},
    }


# ---------------------------------------------------------------------------------------------------------------------


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
    """The values of each ``every``-th live frame that is accepted, the first one included."""
    read = holdfast_reader()
    accepted = (values for piece in bus.pieces() for _, values in read(piece))
    return [dict(values) for values in islice(accepted, 0, None, every)]


def main() -> None:
    """Decode what comes in as the argument says."""
    options = json.loads(sys.argv[1])
    data = sys.stdin.buffer.read()
    frames = [data[at : at + FRAME_SIZE] for at in range(0, len(data), FRAME_SIZE)]
    bus = BUSES[options["bus"]](frames)
    pin(cores()[0] if cores() else None)
    try:
        cpu_s, accepted = SIDES[options["side"]](bus.data, bus.reads)
        every = options["every"]
        samples = _samples(bus, every) if every else []
        result: dict[str, Any] = {"cpu_s": cpu_s, "frames": accepted, "sent": bus.frames, "samples": samples}
    except NotWired:
        result = {"missing": "Holdfast has no JK driver to measure yet, only a codec"}
    words = f"Holdfast, CPython {platform.python_version()}"
    sys.stdout.write(json.dumps({**result, "words": words}) + "\n")


if __name__ == "__main__":
    main()
