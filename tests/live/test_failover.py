"""A -> B -> A on real sockets: two gateways on one simulated bus, every kind of end, all of them at the same time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from holdfast.link.failover import LOOK_S, SETTLE_S
from holdfast.simulators.jkbms import (
    Finish,
    NoiseOnly,
    Reboot,
    Refuse,
    Reset,
    Stall,
    Timing,
)
from tests.drivers.jkbms.two_paths import COLD, HOT, pack_of

if TYPE_CHECKING:
    from holdfast.simulators.jkbms import OutletFault

pytestmark = pytest.mark.xdist_group("live failover")

HOST = "127.0.0.1"
TIMING = Timing().at_pace(4.0)
"""Four times as fast as a real bus, so that all of it fits into a minute; deadlines are those of a site file."""
BATTERIES = 4
FRAME_S = 0.9
"""Longest time between two live frames: 12 absent batteries are asked between two cycles, 55 ms each; a margin."""
CYCLE_S = 1.5
DEADLINE_S = 15.0
"""The shortest ``stale_after_s`` that is allowed."""
HOLD_S = 4.0
PROBE_S = 5.0
OPTIONS = {"stale_after_s": DEADLINE_S, "minimum_stay_s": 2.0, "hold_s": HOLD_S, "probe_every_s": PROBE_S}
CERTAIN_S = 3.0
WAIT_S = 3.5
"""The longest wait between two dials of a young outage."""
DIAL_S = 3.0
STALL_S = 1.0
"""What a shared machine may hold us up. The promise of 1 s for the move itself is in virtual time kept exactly."""

CERTAIN = {"refused": Refuse(), "reset": Reset(), "fin": Finish(), "reboot": Reboot()}
UNCERTAIN = {"stall": Stall(), "noise": NoiseOnly(), "silent reboot": Reboot(is_silent=True)}


async def there_and_back(kind: str, fault: OutletFault, standby: str) -> str:
    """One pack's story; returns its figures."""
    async with pack_of(BATTERIES, timing=TIMING, standby=standby, options=OPTIONS, host=HOST) as pack:
        await pack.until(pack.is_online, 10.0)
        await pack.pass_s(2.0)
        assert pack.serving == "a"
        pack.a.begin(fault)
        last_t = pack.last_frame_t(pack.a)
        await pack.until(lambda: pack.serving == "b", DEADLINE_S + FRAME_S + SETTLE_S + 2 * STALL_S)
        to_b_s = pack.watch.moves()[-1].t - last_t
        assert to_b_s <= (CERTAIN_S if kind in CERTAIN else DEADLINE_S + FRAME_S + SETTLE_S), kind
        await pack.pass_s(2.0)
        pack.a.end(fault)
        end_t = pack.now()
        limit_s = PROBE_S + WAIT_S + DIAL_S + CYCLE_S + HOLD_S + 2 * LOOK_S + STALL_S
        await pack.until(lambda: pack.serving == "a", limit_s)
        to_a_s = pack.watch.moves()[-1].t - end_t
        assert to_a_s >= HOLD_S, kind
        await pack.pass_s(3.0)
        assert [(each.before, each.after) for each in pack.watch.moves()] == [("a", "b"), ("b", "a")], kind
        assert pack.watch.wrong == [], kind
        assert pack.watch.stale == [], kind
        gap_s = pack.watch.longest_gap_s()
        if standby == HOT:
            assert gap_s <= (0.0 if kind in CERTAIN else DEADLINE_S / 2) + CYCLE_S + STALL_S, kind
        return f"{kind}, {standby}: on B after {to_b_s:.2f} s, on A again after {to_a_s:.2f} s, gap {gap_s:.2f} s"


@pytest.mark.timeout(120)
async def test_there_and_back() -> None:
    """Nothing wrong or stale is shown meanwhile; B serves in time and A serves again after a probe and the hold."""
    stories = await asyncio.gather(
        *(
            there_and_back(kind, fault, standby)
            for kind, fault in (CERTAIN | UNCERTAIN).items()
            for standby in (COLD, HOT)
        )
    )
    print("\n".join(stories))
