"""I8: whatever is wrong with one plug, the other one is commanded as if nothing were."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.simulation import run_virtual
from tests.fermenter.cellar import Cellar
from tests.fermenter.happenings import PlugFault, World
from tests.fermenter.oracle.oracle import Oracle
from tests.fermenter.script import PLUG

if TYPE_CHECKING:
    from holdfast.simulation import VirtualLoop

ISOLATED_S = 0.1
"""Faults on one plug change the latency of the other by less."""
TRIES = 12


def latencies(fault: PlugFault | None) -> list[float]:
    """Seconds from a person's OFF for the heater to the wire, while the fridge has this fault."""
    found: list[float] = []

    async def main(loop: VirtualLoop) -> None:
        cellar = Cellar(loop)
        await cellar.start()
        await asyncio.sleep(60.0)
        with Oracle(cellar) as oracle:
            oracle.facts.started(cellar.hub)  # type: ignore[arg-type]  # it runs
            if fault is not None:
                await fault.begin(World(cellar, oracle))
            for number in range(TRIES):
                await asyncio.sleep(7.3)
                begun_t = loop.time()
                cellar.heater.calls.clear()
                cellar.command("heater/switch", False, take_over_s=math.pi + number)
                await asyncio.sleep(1.0)
                sent = [t for t, what in cellar.heater.calls if what == "off"]
                found.append(sent[0] - begun_t if sent else math.inf)
        cellar.kill()
        await cellar.close()

    run_virtual(main, seed=3)
    return found


def ident(fault: Any) -> str:
    """What is wrong, as a test's name."""
    return str(fault).replace("heater: ", "")


SICK = [each for each in PLUG if isinstance(each, PlugFault)]


@pytest.mark.parametrize("fault", SICK, ids=ident)
def test_a_sick_plug_holds_up_nobody(fault: PlugFault) -> None:
    """The heater's commands take as long as with a healthy fridge, to less than a tenth of a second."""
    healthy = latencies(None)
    assert max(healthy) < 0.5
    sick = latencies(type(fault)(**{**vars(fault), "ident": "fridge"}))
    assert all(
        abs(one - other) < ISOLATED_S for one, other in zip(sorted(healthy), sorted(sick), strict=True)
    )


def test_a_shared_queue_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plugs that wait for each other would be seen."""
    from tests.fermenter.plugs import WatchedPlug

    queue = asyncio.Lock()
    call = WatchedPlug.call

    async def waiting(self: WatchedPlug, what: str, *act: Any, **more: Any) -> None:
        async with queue:
            await call(self, what, *act, **more)

    monkeypatch.setattr(WatchedPlug, "call", waiting)
    assert max(latencies(SICK[4])) > ISOLATED_S
