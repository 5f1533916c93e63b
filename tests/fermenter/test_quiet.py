"""I6 without faults: nothing is sent that the relays do not need, and the beer stays where it is wanted."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from holdfast.simulation import run_virtual
from holdfast.simulators.fermenter import CARBOY, Ambient, Fermenter
from tests.fermenter.cellar import Cellar
from tests.fermenter.happenings import SaveAgain
from tests.fermenter.run import Verdict, play
from tests.fermenter.script import Line

if TYPE_CHECKING:
    from holdfast.simulation import VirtualLoop

HOURS = 5.0
SETTLED_S = 3 * 3600.0
NEAR_C = 1.0
"""How far past its limits the beer may swing: it goes on warming and cooling for a while."""


@pytest.mark.parametrize("room_c", [8.0, 30.0])
def test_no_command_too_many(room_c: float) -> None:
    """As many ON as the relay has closed, one OFF more than it has opened: the one at the start."""
    verdict = Verdict(0, HOURS)
    moved: Counter[tuple[str, bool]] = Counter()
    sent: Counter[tuple[str, bool]] = Counter()
    far: list[float] = []

    async def main(loop: VirtualLoop) -> None:
        fermenter = Fermenter.begin(CARBOY, beer_c=19.0, ambient=Ambient(mean_c=room_c))
        cellar = Cellar(loop, fermenter=fermenter)
        rng = random.Random(room_c)
        saving = SaveAgain("the site is saved again", 0.0)
        lines = [
            Line(at_s, saving, is_end=False)
            for at_s in sorted(rng.uniform(0, HOURS * 3600) for _ in range(20))
        ]

        def watch() -> None:
            beer_c = cellar.beer.now().beer_c
            if loop.time() > SETTLED_S and not 18.0 - NEAR_C < beer_c < 20.0 + NEAR_C:
                far.append(beer_c)
            if loop.time() < HOURS * 3600.0:
                loop.call_later(60.0, watch)

        watch()
        await play(loop, cellar, lines, HOURS * 3600.0, verdict)
        for ident, plug in cellar.plugs.items():
            for _, what in plug.calls:
                if what in ("on", "on+arm", "off"):
                    sent[ident, what != "off"] += 1
        moved.update(verdict.moves)

    run_virtual(main, seed=1)
    assert not verdict.objections, verdict.text
    assert not far
    worker = "heater" if room_c < 19.0 else "fridge"
    assert moved[worker, True] > 0
    for ident in ("heater", "fridge"):
        assert sent[ident, True] == moved[ident, True]
        # One at the start, and the goodbye, which is sent whatever is believed.
        assert sent[ident, False] <= moved[ident, False] + 2
