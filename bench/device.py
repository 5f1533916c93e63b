"""A simulated controller in a process of its own, which answers at once and goes wrong on demand.

``python -m bench.device`` serves the house of `bench.wire.house` on a free loopback port. Each line of JSON on standard
input is a wish, each line of the answer carries ``t``, the moment on the clock that both processes share.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import time
from typing import Any

from bench import wire
from bench.machine import pin
from bench.responder import say
from holdfast.simulators.ipcom import (
    Behaviour,
    ControllerConfig,
    Fault,
    IpcomController,
    Module,
    ModuleKind,
    Refuse,
    Stall,
)

FAULTS: dict[str, Fault] = {"stall": Stall(), "refuse": Refuse()}
"""What can be made to last."""


class Control:
    """Wishes in, answers out."""

    def __init__(self, controller: IpcomController) -> None:
        self._controller = controller
        self.is_over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def read(self) -> None:
        """Something waits on standard input."""
        lines = os.read(sys.stdin.fileno(), 4096)
        if not lines:
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            self.is_over.set_result(None)
        for line in lines.splitlines():
            say(self._do(json.loads(line)))

    def _do(self, wish: dict[str, Any]) -> dict[str, Any]:
        controller = self._controller
        match wish:
            case {"do": "begin", "fault": name}:
                controller.begin(FAULTS[name])
            case {"do": "end", "fault": name}:
                controller.end(FAULTS[name])
            case {"do": "drop"}:
                controller.drop_all()
            case {"do": "reset"}:
                controller.reset_all()
        return {"t": time.monotonic(), "counts": dict(controller.counts)}


async def serve() -> None:
    """Until standard input ends."""
    config = ControllerConfig(
        modules={5: Module(ModuleKind.SHUTTER), 6: Module(ModuleKind.DIMMER)},
        behaviour=Behaviour(accounts=dict((wire.ACCOUNT,))),
    )
    async with IpcomController(config, rng=random.Random(1)) as controller:
        control = Control(controller)
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), control.read)
        say({"host": controller.host, "port": controller.port})
        await control.is_over


def main() -> None:
    """Serve until nobody speaks to us any more."""
    parser = argparse.ArgumentParser(prog="python -m bench.device")
    parser.add_argument("--core", type=int, default=None)
    pin(parser.parse_args().core)
    asyncio.run(serve())


if __name__ == "__main__":
    main()
