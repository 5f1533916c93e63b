"""A driver in good times, and in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.link.driver import OnSilence, Trait
from holdfast.link.wheel import TICK_S
from holdfast.model import Periodic, Quality, ReasonCode, WhileAlive
from holdfast.testing.clause import NO_STREAM, clause

if TYPE_CHECKING:
    from holdfast.testing.stage import Stage


@clause()
async def shows_the_truth(stage: Stage) -> None:
    """Come online by itself and report every capability as it is at the device."""
    async with stage.running() as hub:
        await stage.online()
        await stage.wait(stage.round_s)
        stage.require_none(stage.untrue())
        for target in stage.targets:
            reading = hub.reading(target)
            stage.require(
                reading.quality is Quality.GOOD, f"{target} is {reading.quality} in the best of times"
            )


@clause()
async def follows_the_device(stage: Stage) -> None:
    """Report each change at the device in time, and nothing else with it."""
    async with stage.running():
        await stage.online()
        for target in stage.changeable:
            stage.change(target)
            await stage.wait(stage.pace_s(target))
            stage.require_none([f"{wrong}, a round after {target} changed" for wrong in stage.untrue()])


@clause()
async def lets_values_go_stale(stage: Stage) -> None:
    """Report only what the device says now: while it says nothing, no value may stay current past its deadline."""
    async with stage.running() as hub:
        await stage.online()
        stage.observer.start()
        stage.bench.silence()
        silent_t = stage.loop.time()
        stage.change_all()
        limits = [
            (limit_s, target)
            for target in stage.targets
            if (limit_s := _deadline_s(stage, target)) is not None
        ]
        for limit_s, target in sorted(limits):
            await stage.wait(max(0.0, silent_t + limit_s + TICK_S - stage.loop.time()))
            reading = hub.reading(target)
            stage.require(
                reading.quality is Quality.STALE and reading.value is None,
                f"{target} is {reading.quality} with {reading.value!r} after {limit_s:g} s of silence",
            )
        await stage.wait(2 * stage.timing.silence_s)
        stage.require_none(stage.observer.wrong)


def _deadline_s(stage: Stage, target: str) -> float | None:
    freshness = stage.capability(target).freshness
    if isinstance(freshness, Periodic):
        return freshness.deadline_s
    return 2 * stage.timing.silence_s if isinstance(freshness, WhileAlive) else None


@clause(without=Trait.LISTENER)
async def lets_silence_be_noticed(stage: Stage) -> None:
    """Report life only when the device has spoken, so that a silent session is dropped in its time."""
    if stage.timing.on_silence is OnSilence.WAIT:
        return
    async with stage.running():
        await stage.online()
        await stage.wait(stage.round_s)
        link = stage.link
        outages = link.report.outage_count
        heard_t = _last_life(stage)
        stage.bench.silence()
        limit_s = stage.timing.silence_s + 3 * TICK_S
        gone = await stage.until(lambda: link.report.outage_count > outages, limit_s)
        stage.require(
            gone, f"the session lives on {limit_s:.2f} s into silence, last life {_ago(stage)} s ago"
        )
        stage.require(
            stage.loop.time() <= max(heard_t, _last_life(stage)) + limit_s,
            "silence was noticed, but later than promised",
        )
        stage.require(
            link.reason.code is not ReasonCode.INTERNAL,
            f"silence was told as a fault of the driver: {link.reason.text}",
        )


def _last_life(stage: Stage) -> float:
    return stage.conduct.last_report("observed", "same", "alive")


def _ago(stage: Stage) -> str:
    return f"{stage.loop.time() - _last_life(stage):.2f}"


@clause(without=NO_STREAM)
async def notices_the_end_at_once(stage: Stage) -> None:
    """Report the session as lost in the moment in which its stream ends or breaks, not when silence is noticed."""
    async with stage.running():
        for what, event in (("the end of the stream", stage.bench.finish), ("a reset", stage.bench.reset)):
            stage.require(
                await stage.until(stage.is_online, stage.recovery_s), f"not online: {stage.state()}"
            )
            await stage.wait(stage.round_s)
            link = stage.link
            outages = link.report.outage_count
            event()
            gone = await stage.until(lambda: link.report.outage_count > outages, 0.05)  # noqa: B023 - used at once
            stage.require(gone, f"{what} was not reported")
            stage.require(
                link.reason.code is ReasonCode.UNREACHABLE, f"{what} was told as {link.reason.code}"
            )
