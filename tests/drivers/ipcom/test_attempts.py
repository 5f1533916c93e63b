"""Every frame that reaches a simulated house is on record once, whoever it was for; its wishes each once more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from holdfast.clock import LoopClock
from holdfast.hub.hub import Hub
from holdfast.hub.site.spec import DeviceSpec
from holdfast.link.core import Core
from holdfast.model import Issuer
from holdfast.simulation import run_virtual
from holdfast.simulators.ipcom import Drop, LoseReplies, LoseWrites, SlowBus, Stall
from tests.drivers.ipcom.bench import COVERS, SWITCHES, IpcomBench
from tests.link.house import command, hub_of, loop
from tests.link.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.simulators.ipcom import Fault

ME = Issuer("me")
MILD: Sequence[Fault] = (LoseWrites(0.5), LoseReplies(0.3), SlowBus())
"""Faults of the bus and of answers: every frame still reaches the controller."""
HARSH: Sequence[Fault] = (*MILD, Stall(), Drop())


async def live(faults: Sequence[Fault]) -> tuple[Ledger, int]:
    """A minute of residents who cannot decide, wall switches, orders and faults; the frames that came."""
    random = loop().random
    bench = IpcomBench(loop())
    frames = 0

    def count(_: object) -> None:
        nonlocal frames
        frames += 1

    bench.controller.observe_frames(count)
    await bench.start()
    home = bench.device()
    hub = Hub(LoopClock(loop()), core=Core(LoopClock(loop()), rng=random))
    ledger = Ledger(hub)
    hub.add(DeviceSpec(home, (bench.family.prepare(home, home.adapters[0]),)))
    hub.start()
    await asyncio.sleep(2)
    for _ in range(80):
        _happen(hub, bench, faults)
        await asyncio.sleep(random.expovariate(2.0))
    await hub.stop()
    await asyncio.sleep(2)  # what is still on the bus
    await bench.stop()
    return ledger, frames


def _happen(hub: Hub, bench: IpcomBench, faults: Sequence[Fault]) -> None:
    random = loop().random
    match random.randrange(8):
        case 0 | 1:
            for key in SWITCHES:
                hub.command(f"house/{key}", random.random() < 0.5, ME)
        case 2 | 3:
            cover = random.choice(list(COVERS))
            hub.command(f"house/{cover}", random.choice(["open", "close", "stop"]), ME)
        case 4:
            hub.order("house/boiler", random.random() < 0.5, "a rule")
        case 5:
            hub.release("house/boiler")
        case 6:
            bench.change("house/blind", random.choice(["open", "close", "stop"]))
        case _:
            if bench.faults:
                bench.controller.end(bench.faults.pop())
            else:
                bench.begin(random.choice(faults))


@pytest.mark.parametrize("seed", range(8))
def test_frames_are_on_record(seed: int) -> None:
    """While the connection holds: as many frames as there are steps on record, neither more nor less."""
    ledger, frames = run_virtual(live(MILD), seed=seed, allow_leftovers=True)
    ledger.check()
    assert len(ledger.steps()) == frames > 20


@pytest.mark.parametrize("seed", range(8))
def test_records_are_whole_whatever_the_connection_does(seed: int) -> None:
    """What was written into a connection that broke is on record, too: nobody knows whether it came."""
    ledger, frames = run_virtual(live(HARSH), seed=seed, allow_leftovers=True)
    ledger.check()
    assert len(ledger.steps()) >= frames > 0


@pytest.mark.virtual
async def test_a_reversal_is_prepared_on_record_and_a_scene_shares_its_frames() -> None:
    """The frame that stops a motor before it turns round is no attempt; five wishes in one frame are five."""
    bench = IpcomBench(loop())
    await bench.start()
    home = bench.device()
    async with hub_of(DeviceSpec(home, (bench.family.prepare(home, home.adapters[0]),))) as hub:
        ledger = Ledger(hub)
        await asyncio.sleep(2)
        await command(hub, "house/blind", "open")
        await asyncio.sleep(3)
        receipt = await command(hub, "house/blind", "close")
        purposes = [each["purpose"] for each in ledger.sent("sent") if receipt.id in each["attempt"]]
        assert purposes[0] == "preparation"
        assert purposes[-1] == "command"
        before = ledger.steps("sent")
        await asyncio.gather(command(hub, "house/kitchen", True), command(hub, "house/hall", True))
        assert len(ledger.steps("sent") - before) == 1
    await bench.stop()
    ledger.check()
