"""``python -m holdfast.simulators.ipcom``: the demo house on a real port, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
from typing import TYPE_CHECKING

from holdfast.simulators.ipcom.controller import IpcomController
from holdfast.simulators.ipcom.demo import demo_house
from holdfast.simulators.ipcom.timetable import PROFILES, random_timetable

if TYPE_CHECKING:
    from collections.abc import Sequence

HOURS = 24 * 7
"""How long the timetable of faults lasts; after that the house is calm."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the demo house; returns the exit code. The first line printed names the address."""
    parser = argparse.ArgumentParser(prog="python -m holdfast.simulators.ipcom", description=main.__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5000, help="0 takes any free one (default: %(default)s)")
    parser.add_argument(
        "--profile", choices=sorted(PROFILES), default="calm", help="how often things go wrong"
    )
    parser.add_argument("--seed", type=int, default=1, help="equal seeds give equal faults and residents")
    parser.add_argument("--no-life", action="store_true", help="nobody presses a wall switch")
    options = parser.parse_args(arguments)
    rng = random.Random(options.seed)
    house = demo_house(life=not options.no_life, timetable=random_timetable(rng, HOURS, options.profile))
    try:
        asyncio.run(_serve(IpcomController(house, rng=rng, host=options.host, port=options.port)))
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        sys.stderr.write(f"cannot listen on {options.host}:{options.port}: {error.strerror or error}\n")
        return 1
    return 0


async def _serve(controller: IpcomController) -> None:
    is_enough = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, is_enough.set)
        except NotImplementedError:  # Windows: Ctrl-C arrives as KeyboardInterrupt
            break
    async with controller:
        sys.stdout.write(f"listening on {controller.host}:{controller.port}\n")
        sys.stdout.flush()
        await is_enough.wait()


if __name__ == "__main__":
    sys.exit(main())
