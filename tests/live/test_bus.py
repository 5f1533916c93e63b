"""Sixteen batteries at the real speed of their bus, heard over TCP and over a serial line at the same time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bench.jkbms.live import TCP, run

if TYPE_CHECKING:
    from bench.jkbms.live import Outcome

pytestmark = [
    pytest.mark.xdist_group("live bus"),
    pytest.mark.blocking_allowed,  # what is judged runs in processes of its own
    pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals"),
]

BATTERIES = 16
CYCLE_S = 7.1
"""A master's whole cycle over 16 batteries: 32 answers, 27 ms each, with a pause of 180 ms and a poll between them."""
CPU_SHARE = 0.01
KERNEL_KEEPS_FRAMES = 14
"""Frames in the 4 KiB that a serial line keeps from before it is opened."""


def judge(outcome: Outcome, seconds: float) -> None:
    """Every whole frame is counted and shown, by the right battery and with its values; nothing was sent or lost."""
    figures = outcome.figures
    print(
        f"{outcome.path}: {len(outcome.written)} frames written in {seconds:g} s, {figures['frames']} counted, "
        f"{len(outcome.shown)} shown, {outcome.damaged} units collided; CPU {outcome.cpu_share:.2%} of a core"
    )
    assert outcome.lost() == 0
    assert outcome.missed() == 0
    assert outcome.before() <= (0 if outcome.path == TCP else KERNEL_KEEPS_FRAMES)
    # A collision that only hurt the reply leaves a frame that is not whole, and true all the same.
    assert len(outcome.strange()) <= outcome.damaged
    if not outcome.damaged:
        counted = sum(figures["frames"].values())
        assert figures["answers"] + figures["rejects"].pop("unconfirmed") == counted
        # It may have come into the middle of a frame, whose rest is noise to it.
        assert figures["rejects"].pop("noise", 0) <= 1
        assert figures["rejects"] == {}
        assert figures["counters"]["unattributed"] == figures["counters"]["junk_bytes"] == 0
    # The bus spoke the whole time, of all batteries alike.
    by_battery = outcome.by_battery()
    assert sorted(by_battery) == list(range(BATTERIES))
    assert min(by_battery.values()) >= seconds / CYCLE_S - 2
    assert figures["bytes_out"] == 0
    assert figures["outages"] == 0


@pytest.mark.timeout(300)
async def test_every_frame_of_two_minutes() -> None:
    """What the simulator wrote whole is what the readings showed, frame by frame."""
    for outcome in await run(120.0, BATTERIES):
        judge(outcome, 120.0)


@pytest.mark.soak
@pytest.mark.timeout(1200)
async def test_every_frame_of_ten_minutes() -> None:
    """The same for longer, for less than a hundredth of a core."""
    for outcome in await run(600.0, BATTERIES):
        judge(outcome, 600.0)
        assert outcome.cpu_share < CPU_SHARE
