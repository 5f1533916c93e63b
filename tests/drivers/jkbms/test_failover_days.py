"""A -> B -> A with the default options, in virtual time: every kind of end, cold and hot, and what must not move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdfast.link.failover import LOOK_S, SETTLE_S
from holdfast.model import Availability, FailoverTiming, Quality
from holdfast.simulators.jkbms import (
    Blank,
    Fault,
    Finish,
    FlipBit,
    HalfFrames,
    NoiseOnly,
    NoMaster,
    Reboot,
    Refuse,
    Reset,
    SilentBattery,
    Stall,
)
from tests.drivers.jkbms.two_paths import COLD, DEVICE, HOT, pack_of

if TYPE_CHECKING:
    from holdfast.simulators.jkbms import OutletFault
    from tests.drivers.jkbms.two_paths import Pack

pytestmark = pytest.mark.virtual

BATTERIES = 6
DEADLINE_S = 30.0
"""The default ``stale_after_s``."""
FRAME_S = 2.4
"""Longest time from one live frame to the next on a bus of 6: 10 absent ones are asked in between, 0.22 s each."""
CYCLE_S = 5.0
"""The whole cycle of such a bus, after which any one battery has spoken again."""
CERTAIN_S = 3.0
"""How soon B serves when A's end is certain."""
TIMING = FailoverTiming()
WAIT_S = 3.5
"""The longest wait between two dials of a young outage."""
LONGEST_WAIT_S = 30.0
"""The same of an old one."""
PATIENCE_S = 10.0
"""How long a reopened session may take until its first data."""
DIAL_S = 3.0

CERTAIN = {"refused": Refuse(), "reset": Reset(), "fin": Finish(), "reboot": Reboot()}
"""Ends that dialling again proves."""
UNCERTAIN = {"stall": Stall(), "noise": NoiseOnly(), "silent reboot": Reboot(is_silent=True)}
"""Ends that only the missing data tell."""
EVERY = CERTAIN | UNCERTAIN


async def settled(pack: Pack) -> None:
    """Until all batteries are good through A, and for as long as a session takes to prove healthy."""
    await pack.until(pack.is_online, 20.0)
    await pack.pass_s(12.0)
    assert pack.serving == "a"


def judge(pack: Pack) -> None:
    """Nothing wrong was shown, nothing was ever stale, and the bus heard nothing from us."""
    assert pack.watch.wrong == []
    assert pack.watch.stale == []
    assert sum(link.report.bytes_out for link in pack.hub.links.values()) == 0


@pytest.mark.parametrize("standby", [COLD, HOT])
@pytest.mark.parametrize("kind", EVERY)
async def test_there_and_back(kind: str, standby: str) -> None:
    """B serves in the promised time and nothing is ever stale; A serves again after a probe and the hold."""
    fault = EVERY[kind]
    async with pack_of(BATTERIES, standby=standby) as pack:
        await settled(pack)
        pack.a.begin(fault)
        last_t = pack.last_frame_t(pack.a)
        await pack.until(lambda: pack.serving == "b", DEADLINE_S + CYCLE_S)
        to_b_s = pack.watch.moves()[-1].t - last_t
        if kind in CERTAIN:
            assert to_b_s <= CERTAIN_S
        else:
            # Reopened at half the deadline; the reserve was warmed at the same time and must be better for a while.
            assert DEADLINE_S / 2 <= to_b_s <= DEADLINE_S / 2 + FRAME_S + SETTLE_S + 2 * LOOK_S
        await pack.pass_s(20.0)
        assert pack.serving == "b"
        pack.a.end(fault)
        end_t = pack.now()
        await pack.until(lambda: pack.serving == "a", 200.0)
        to_a_s = pack.watch.moves()[-1].t - end_t
        assert TIMING.hold_s <= to_a_s
        assert to_a_s <= TIMING.probe_every_s + WAIT_S + DIAL_S + CYCLE_S + TIMING.hold_s + 2 * LOOK_S
        await pack.pass_s(20.0)
        assert [(each.before, each.after) for each in pack.watch.moves()] == [("a", "b"), ("b", "a")]
        assert all(each.text for each in pack.watch.told)
        judge(pack)
        # Where the end is certain a hot reserve loses not one frame; else it steps in at half the deadline.
        if standby == HOT:
            limit_s = CYCLE_S if kind in CERTAIN else DEADLINE_S / 2 + CYCLE_S
            assert pack.watch.longest_gap_s() <= limit_s


@pytest.mark.parametrize(
    ("fault", "lasts_s", "standby"),
    [
        (Reset(), 0.0, COLD),
        (Reset(), 0.0, HOT),
        (Finish(), 0.0, COLD),
        (Finish(), 0.0, HOT),
        (Refuse(keeps_connections=True), 40.0, COLD),
        (Stall(), 9.0, COLD),
        (Stall(), 9.0, HOT),
        (NoiseOnly(), 9.0, COLD),
        (HalfFrames(), 9.0, COLD),
        (FlipBit(), 9.0, HOT),
        (Blank(), 9.0, COLD),
        (SilentBattery(3), 10.0, COLD),
        (NoMaster(), 9.0, HOT),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Fault) else str(value),
)
async def test_a_lone_false_alarm_moves_nothing(fault: Fault, lasts_s: float, standby: str) -> None:
    """One loss that dialling cures at once, or less than half a deadline of silence: A goes on serving."""
    async with pack_of(BATTERIES, standby=standby) as pack:
        await settled(pack)
        await pack.befall(pack.a, fault, lasts_s)
        await pack.pass_s(DEADLINE_S)
        assert pack.watch.moves() == []
        assert pack.serving == "a"
        judge(pack)


@pytest.mark.parametrize("standby", [COLD, HOT])
async def test_all_fail_at_the_start(standby: str) -> None:
    """The pack is kept, tells why, and is read once any of its paths works, whichever that is."""
    refused = Refuse()
    async with pack_of(BATTERIES, standby=standby, start=False) as pack:
        for gateway in (pack.a, pack.b):
            gateway.begin(refused)
        pack.hub.start()
        await pack.pass_s(600.0)
        assert pack.device.availability is Availability.OFFLINE
        assert "refused" in pack.device.reason.text
        assert pack.watch.shown == []
        pack.b.end(refused)
        await pack.until(pack.is_online, LONGEST_WAIT_S + CYCLE_S)
        assert pack.serving == "b"
        pack.a.end(refused)
        limit_s = TIMING.probe_every_s + CYCLE_S + TIMING.hold_s + WAIT_S
        await pack.until(lambda: pack.serving == "a", limit_s)
        judge(pack)


async def test_a_reserve_that_covers_less_says_what_is_lost() -> None:
    """Two of six batteries are known behind B: the decision and the device's reason name the other four."""
    few = {"batteries": {0: "first", 5: "sixth"}}
    lost = ("1", "2", "3", "4")
    async with pack_of(BATTERIES, of_b=few) as pack:
        await settled(pack)
        fault = Refuse()
        await pack.befall(pack.a, fault, 60.0)
        (move,) = pack.watch.moves()
        assert move.lost == lost
        assert "does not cover 1, 2, 3, 4" in move.text
        assert pack.device.availability is Availability.DEGRADED
        assert all(member in pack.device.reason.text for member in lost)
        for address in range(BATTERIES):
            is_current = pack.hub.reading(f"{DEVICE}/{address}/voltage").quality.is_current
            assert is_current == (address in (0, 5))
        total = pack.hub.reading(f"{DEVICE}/current")
        assert total.quality is Quality.STALE
        assert total.missing == lost
        await pack.until(lambda: pack.serving == "a", 130.0)
        assert pack.is_online()
        assert pack.watch.wrong == []


@pytest.mark.parametrize("fault", [Stall(), Reboot(is_silent=True), NoiseOnly()], ids=repr)
async def test_silent_for_minutes_and_back_without_a_restart(fault: OutletFault) -> None:
    """One path alone: stale in time, and good again by itself though the socket never told of anything."""
    async with pack_of(BATTERIES, adapters=1) as pack:
        await settled(pack)
        pack.a.begin(fault)
        await pack.pass_s(DEADLINE_S + CYCLE_S)
        assert pack.device.availability is Availability.OFFLINE
        await pack.pass_s(600.0)
        pack.a.end(fault)
        # A session that is open and silent is given up after its patience; then comes the longest wait.
        await pack.until(pack.is_online, PATIENCE_S + LONGEST_WAIT_S + CYCLE_S)
        assert pack.watch.wrong == []


async def test_one_battery_off_does_not_hang_the_rest() -> None:
    """It alone goes stale, the others keep their pace, sums say who is missing, and nothing moves or reconnects."""
    async with pack_of(BATTERIES) as pack:
        await settled(pack)
        off = SilentBattery(1)
        pack.a.begin(off)
        await pack.pass_s(DEADLINE_S + CYCLE_S)
        pack.watch.shown.clear()
        await pack.pass_s(120.0)
        assert pack.watch.longest_gap_s() <= CYCLE_S
        assert {target for _, target in pack.watch.stale} == {f"{DEVICE}/1/voltage"}
        assert pack.device.availability is Availability.DEGRADED
        assert pack.hub.reading(f"{DEVICE}/current").missing == ("1",)
        pack.a.end(off)
        await pack.until(pack.is_online, 2 * CYCLE_S)
        assert pack.watch.moves() == []
        assert pack.device.active.link.report.outage_count == 0
        assert pack.watch.wrong == []


async def test_the_master_off_for_minutes() -> None:
    """Both paths fall silent at once; the pack is offline, says so once, and is read again once the master is back."""
    async with pack_of(BATTERIES, standby=HOT) as pack:
        await settled(pack)
        off = NoMaster()
        pack.a.begin(off)
        await pack.pass_s(240.0)
        assert pack.device.availability is Availability.OFFLINE
        assert len(pack.watch.told) <= 2
        pack.a.end(off)
        await pack.until(pack.is_online, PATIENCE_S + LONGEST_WAIT_S + CYCLE_S)
        assert pack.watch.wrong == []
