"""How a driver behaves through a whole life, good and bad."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.link.driver import Trait
from holdfast.testing.clause import NO_STREAM, clause
from holdfast.testing.clauses.login import WRONG

if TYPE_CHECKING:
    from holdfast.model import Value
    from holdfast.testing.stage import Stage


async def _live(stage: Stage) -> None:
    """Everything that can happen to a driver, once."""
    bench, traits = stage.bench, stage.driver.traits
    is_stream = not traits & NO_STREAM
    async with stage.running():
        await stage.online()
        stage.change_all()
        await stage.wait(2 * stage.round_s)
        if Trait.WRITES in traits:
            await _command(stage)
            bench.ignore_writes()
            await _command(stage)
            bench.resume()
        if Trait.POLLED in traits:
            bench.lag(1.2 * stage.driver.polls[0].reply_s)
            await stage.wait(3 * stage.round_s)
            bench.resume()
        if is_stream:
            bench.say(b"\x00 nonsense \xff\r\n")
            await stage.wait(stage.round_s)
            for event in (bench.reset, bench.finish):
                event()
                await stage.wait(stage.recovery_s)
        bench.silence()
        await stage.wait(2 * stage.timing.silence_s)
        bench.resume()
        await stage.wait(stage.recovery_s)
        if Trait.LISTENER not in traits:
            bench.refuse()
            await stage.wait(stage.timing.silence_s + 5.0)
            bench.resume()
            await stage.wait(stage.recovery_s)
    if Trait.LOGIN in traits:
        async with stage.running(stage.prepare(bench.devices(WRONG))):
            await stage.wait(stage.opening_s)


async def _command(stage: Stage) -> None:
    for target in stage.writable:
        await stage.ended(stage.command(target, _other(stage, target)))


def _other(stage: Stage, target: str) -> Value:
    return stage.bench.other(target, stage.capability(target))


@clause()
async def lets_nothing_foreign_escape(stage: Stage) -> None:
    """Raise errors of `holdfast.errors` only, translated at its edge; `start` may refuse a step by `ValueError`."""
    await _live(stage)
    stage.require_none(stage.conduct.escaped)


@clause(without=Trait.LIBRARY)
async def makes_no_tasks(stage: Stage) -> None:
    """Make no task: the core calls it when there is something to do, and the stream when there is something to hear."""
    await _live(stage)
    stage.require_none(stage.conduct.tasks)


@clause(without=Trait.LIBRARY)
async def never_sleeps(stage: Stage) -> None:
    """Neither sleep nor block: waiting is the core's business, by deadlines that are shown to the user."""
    await _live(stage)
    stage.require_none(stage.conduct.sleeps)


@clause()
async def begins_turns_at_once(stage: Stage) -> None:
    """Begin a turn inside `start`, synchronously: no coroutine, no task a poll."""
    async with stage.running():
        await stage.wait(stage.opening_s + stage.round_s)
        for target in stage.writable:
            stage.command(target, _other(stage, target))
        await stage.wait(stage.round_s)
    stage.require_none(stage.conduct.waiting_starts)


@clause()
async def ends_each_turn_once(stage: Stage) -> None:
    """Report `finished` once for each start, and not at all for a turn that was forgotten."""
    await _live(stage)
    stage.require_none(stage.conduct.unfinished)


@clause(needs=Trait.POLLED)
async def ends_turns_that_are_answered(stage: Stage) -> None:
    """Report `finished` when the answer has come, so that the next turn need not wait for a deadline."""
    async with stage.running():
        await stage.online()
        report = stage.link.report
        polls, unanswered = report.polls, report.unanswered
        await stage.wait(10 * max(poll.every_s for poll in stage.driver.polls))
        missed, asked = report.unanswered - unanswered, report.polls - polls
        stage.require(
            not missed,
            f"{missed} of {asked} polls were left to their deadline, and the device answers at once",
        )


@clause()
async def reports_nothing_from_start(stage: Stage) -> None:
    """Return from `start` before it reports the turn as finished, an equal answer, or the session as lost."""
    await _live(stage)
    stage.require_none(stage.conduct.while_starting)


@clause()
async def is_mute_after_its_end(stage: Stage) -> None:
    """Report nothing on a session that the core has ended."""
    await _live(stage)
    stage.require_none(stage.conduct.after_end)
