"""One run: a cellar, an observer, and a script from a seed. The same seed is the same run."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.simulation import run_virtual
from holdfast.simulators.fermenter import VESSELS, Ambient, Fermenter
from tests.fermenter.cellar import Cellar
from tests.fermenter.happenings import World
from tests.fermenter.oracle.oracle import CHECKS, Oracle
from tests.fermenter.plugs import WatchedPlug
from tests.fermenter.recoveries import Recoveries
from tests.fermenter.script import Line, dense, draw

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.simulation import VirtualLoop
    from tests.fermenter.oracle.check import Check
    from tests.fermenter.script import Track

HOUR_S = 3600.0
LOOK_S = 1.0
QUIET_S = 900.0
"""At the end of each run nothing goes wrong any more, so that the last faults can be recovered from."""
SHOWN = 12
"""Lines of the script that a failure prints."""


@dataclass
class Verdict:
    """What came of a run."""

    seed: int
    hours: float
    objections: list[str] = field(default_factory=list)
    played: list[Line] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    recoveries: int = 0
    faults: int = 0
    hubs: int = 0
    moves: Counter[tuple[str, bool]] = field(default_factory=Counter)
    """How often each relay has closed and opened, of late."""
    judged: dict[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The failure, how it came about, and how to see it again."""
        return "\n".join(
            [
                f"seed {self.seed}, {self.hours:g} h; to play it again:",
                f"HOLDFAST_FERMENTER_SEED={self.seed} HOLDFAST_FERMENTER_HOURS={self.hours:g}",
                *self.objections,
                "the script until then:",
                *(str(line) for line in self.played[-SHOWN:]),
                "told last:",
                *self.told[-SHOWN:],
            ]
        )


def fermenter_of(rng: random.Random) -> Fermenter:
    """Some vessel, in a room that is too cold or too warm for it, somewhere about its limits."""
    vessel = rng.choice(VESSELS)
    return Fermenter.begin(
        vessel, beer_c=rng.uniform(16.5, 21.5), ambient=Ambient(mean_c=rng.choice([8.0, 15.0, 26.0, 32.0]))
    )


async def play(
    loop: VirtualLoop,
    cellar: Cellar,
    lines: Sequence[Line],
    until_s: float,
    verdict: Verdict,
    checks: Sequence[type[Check]] = CHECKS,
) -> None:
    """Play a script; ends at the first objection."""
    with Oracle(cellar, checks) as oracle:
        world = World(cellar, oracle)
        recoveries = Recoveries(world)
        began_t = loop.time()
        left = list(lines)
        await cellar.start()

        async def pass_time(until_t: float) -> bool:
            while loop.time() < until_t and not oracle.objections:
                await asyncio.sleep(min(LOOK_S, until_t - loop.time()))
                oracle.look()
                recoveries.look()
            return not oracle.objections

        while left and await pass_time(began_t + left[0].at_s):
            line = left.pop(0)
            verdict.played.append(line)
            if line.is_end:
                await line.happening.end(world)
            else:
                verdict.faults += 1
                await line.happening.begin(world)
            if line.is_end or not line.happening.for_s:
                recoveries.expect(line.happening)
        await pass_time(began_t + until_s)
        if cellar.hub is not None and not oracle.objections:
            await cellar.stop()
        elif cellar.hub is not None:
            cellar.kill()
        await cellar.close()
    verdict.objections = oracle.objections
    verdict.told = oracle.told
    verdict.recoveries = recoveries.count
    verdict.hubs = cellar.hubs
    verdict.moves = Counter(
        (ident, move.is_on) for ident, plug in oracle.facts.plugs.items() for move in plug.moves
    )
    verdict.judged = {check.name: check.judged for check in oracle.checks}


def rehearse(
    seed: int, hours: float, tracks: Callable[[], Sequence[Track]] = dense, sensor_every_s: float = 5.0
) -> Verdict:
    """Play so many hours of faults from a seed."""
    rng = random.Random(f"{seed}/fermenter")
    verdict = Verdict(seed, hours)

    async def main(loop: VirtualLoop) -> None:
        is_smart = rng.random() < 0.3
        kind = {"family": "SMART.KASAPLUG", "encryption": "KLAP"} if is_smart else {}
        cellar = Cellar(
            loop,
            fermenter=fermenter_of(rng),
            sensor_every_s=sensor_every_s,
            heater=WatchedPlug("AA:BB:CC:00:00:71"),
            fridge=WatchedPlug("AA:BB:CC:00:00:72", **kind),
        )
        script = draw(rng, tracks(), hours * HOUR_S)
        await play(loop, cellar, script, hours * HOUR_S + QUIET_S, verdict)

    run_virtual(main, seed=seed, allow_leftovers=False)
    return verdict
