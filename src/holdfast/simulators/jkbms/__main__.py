"""``python -m holdfast.simulators.jkbms``: a stack of batteries behind a gateway, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import sys
from typing import TYPE_CHECKING

from holdfast.simulators.jkbms.battery import MOST_BATTERIES
from holdfast.simulators.jkbms.bus import Bus
from holdfast.simulators.jkbms.demo import demo_pack, stack_of
from holdfast.simulators.jkbms.frames import LiveFrame
from holdfast.simulators.jkbms.gateway import Gateway
from holdfast.simulators.jkbms.serial_port import SerialPort
from holdfast.simulators.jkbms.timetable import PROFILES, random_timetable
from holdfast.simulators.jkbms.timing import Timing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.simulators.jkbms.truth import WholeFrame

HOURS = 24 * 7
"""How long the timetable of faults lasts; after that all is calm."""

LAST_WORDS_S = 0.5
"""Between the end of the bus and that of its clients' connections: what is under way arrives, and is read."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a bus; returns the exit code. The first line printed names the address or the path."""
    parser = argparse.ArgumentParser(prog="python -m holdfast.simulators.jkbms", description=main.__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8899, help="0 takes any free one (default: %(default)s)")
    parser.add_argument("--pty", action="store_true", help="a pseudo-terminal in place of a port")
    parser.add_argument(
        "--batteries",
        type=int,
        choices=range(1, MOST_BATTERIES + 1),
        metavar="1..16",
        help="from address 0 on (default: the demo pack of two, front and back)",
    )
    parser.add_argument(
        "--profile", choices=sorted(PROFILES), default="calm", help="how often things go wrong"
    )
    parser.add_argument("--seed", type=int, default=1, help="equal seeds give equal faults and batteries")
    parser.add_argument("--pace", type=float, default=1.0, help="how much faster than a real one the bus is")
    parser.add_argument(
        "--speed", type=float, default=1.0, help="how much faster than the clock a day passes"
    )
    parser.add_argument(
        "--truth",
        action="store_true",
        help="at the end print as JSON the whole frames that each client was sent, and how much was damaged",
    )
    options = parser.parse_args(arguments)
    if options.pace <= 0.0 or options.speed <= 0.0:
        parser.error("--pace and --speed are above 0")
    rng = random.Random(options.seed)
    if options.batteries is None:
        batteries = demo_pack(seed=options.seed, speed=options.speed)
    else:
        batteries = stack_of(options.batteries, seed=options.seed, speed=options.speed)
    bus = Bus(batteries, rng=rng, timing=Timing().at_pace(options.pace))
    timetable = random_timetable(rng, HOURS, options.profile)
    outlet: Gateway | SerialPort
    if options.pty:
        outlet = SerialPort(bus, rng=rng, timetable=timetable)
    else:
        outlet = Gateway(bus, rng=rng, host=options.host, port=options.port, timetable=timetable)
    try:
        asyncio.run(_serve(bus, outlet, tells_truth=options.truth))
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        where = "a pseudo-terminal" if options.pty else f"{options.host}:{options.port}"
        sys.stderr.write(f"cannot listen on {where}: {error.strerror or error}\n")
        return 1
    return 0


async def _serve(bus: Bus, outlet: Gateway | SerialPort, *, tells_truth: bool) -> None:
    is_enough = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, is_enough.set)
        except NotImplementedError:  # Windows: Ctrl-C arrives as KeyboardInterrupt
            break
    async with bus, outlet:
        where = outlet.path if isinstance(outlet, SerialPort) else f"{outlet.host}:{outlet.port}"
        sys.stdout.write(f"listening on {where}\n")
        sys.stdout.flush()
        await is_enough.wait()
        if tells_truth:
            bus.stop()
            await asyncio.sleep(LAST_WORDS_S)
            clients = [[_in_words(frame) for frame in receiver.frames] for receiver in outlet.receivers]
            sys.stdout.write(json.dumps({"clients": clients, "damaged": len(outlet.damages)}) + "\n")
            sys.stdout.flush()


def _in_words(frame: WholeFrame) -> dict[str, object]:
    """Sender and kind; of a live frame also what tells it from all others."""
    words: dict[str, object] = {"address": frame.address, "kind": frame.kind.name.lower()}
    if isinstance(frame.values, LiveFrame):
        names = ("runtime_s", "pack_voltage_v", "pack_current_a", "remaining_ah", "soc_pct")
        words |= {name: getattr(frame.values, name) for name in names}
    return words


if __name__ == "__main__":
    sys.exit(main())
