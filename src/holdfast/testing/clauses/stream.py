"""A driver on a byte stream: cuts mean nothing, and neither does garbage."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from holdfast.link.driver import OnSilence
from holdfast.link.wheel import TICK_S
from holdfast.testing.clause import NO_STREAM, clause

if TYPE_CHECKING:
    from holdfast.testing.stage import Stage

PIECES = 40


@clause(without=NO_STREAM)
async def reads_bytes_cut_anywhere(stage: Stage) -> None:
    """Understand what the device says however its bytes are cut: one by one they give the same values, without junk."""
    stage.bench.split()
    async with stage.running():
        await stage.online()
        for target in stage.changeable:
            stage.change(target)
            await stage.wait(stage.pace_s(target))
            stage.require_none([f"{wrong}, byte by byte" for wrong in stage.untrue()])
        rejects = stage.rejects()
        stage.require(not rejects, f"byte by byte there were rejects: {dict(rejects)}")
        stage.require(stage.link.report.sessions == 1, "byte by byte the session was lost")


@clause(without=NO_STREAM)
async def takes_garbage_for_no_sign_of_life(stage: Stage) -> None:
    """Report what it cannot understand as junk: a device that only babbles is as dead as a silent one."""
    source = random.Random(stage.loop.seed)
    async with stage.running():
        await stage.online()
        await stage.wait(stage.round_s)
        link = stage.link
        outages = link.report.outage_count
        stage.bench.silence()
        end_t = stage.loop.time() + stage.timing.silence_s + 3 * TICK_S
        while link.report.outage_count == outages and stage.loop.time() < end_t:
            stage.bench.say(source.randbytes(8))
            await stage.wait(min(stage.timing.silence_s / 20, end_t - stage.loop.time()))
        waits = stage.timing.on_silence is OnSilence.WAIT
        stage.require(waits or link.report.outage_count > outages, "the session lives on by garbage alone")
        stage.require_none(stage.conduct.escaped)


@clause(without=NO_STREAM)
async def survives_garbage(stage: Stage) -> None:
    """Never raise on what bytes contain, never make a value of them, and understand the next clean message."""
    source = random.Random(stage.loop.seed + 1)
    async with stage.running():
        await stage.online()
        stage.observer.start()
        for length in [1, 2, 3, 5, 9, 17, 33, 65, 129] * (PIECES // 9):
            stage.bench.say(source.randbytes(length))
            await stage.wait(stage.round_s * source.random() / 2)
        stage.observer.stop()
        stage.require_none(stage.conduct.escaped)
        stage.require_none(stage.watch.escaped)
        stage.require_none(stage.observer.wrong)
        well = await stage.until(lambda: stage.is_online() and not stage.untrue(), stage.recovery_s)
        stage.require(well, f"not well after the garbage: {stage.state()}; {'; '.join(stage.untrue())}")
