"""A driver's session at its end: bounded, mute, and without a trace."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from holdfast.errors import HoldfastError
from holdfast.link.driver import Trait
from holdfast.link.session import Job, OpenLimits
from holdfast.link.supervisor import STOP_S
from holdfast.link.wheel import TICK_S
from holdfast.testing.clause import NO_STREAM, clause
from holdfast.testing.ear import Ear

if TYPE_CHECKING:
    from holdfast.testing.stage import Stage
    from holdfast.testing.watched import WatchedSession

TURNS = 60
"""So many turns of the loop are enough for any opening without latency, login included."""
PHASES = 12
"""Moments within a round at which a hub is stopped."""


async def _open(stage: Stage, ear: Ear) -> WatchedSession:
    session = stage.connect(ear)
    await session.open(_limits(stage))
    return session


def _limits(stage: Stage) -> OpenLimits:
    return OpenLimits(stage.timing.dial_s, stage.timing.login_s)


def _ask(stage: Stage, session: WatchedSession) -> None:
    """Begin a poll, where there are any."""
    for poll in stage.driver.polls[:1]:
        session.start(Job(poll.what, poll.member, poll.group, reply_s=poll.reply_s))


async def _leaves_nothing(stage: Stage, after: str) -> None:
    await stage.wait(0.0)
    await stage.wait(TICK_S)
    stage.require_none([f"after {after} there is still {left}" for left in stage.watch.leftovers()])


@clause()
async def closes_in_time(stage: Stage) -> None:
    """Return from `close` within half a second, with nothing left running or open, also while the device is silent."""
    states = ["well", "asked", "silent"]
    if not stage.driver.traits & NO_STREAM:
        states.append("clogged")
    for state in states:
        for goodbye in (True, False):
            session = await _open(stage, Ear())
            if state == "clogged":
                stage.bench.clog()
            if state == "silent":
                stage.bench.silence()
            if state != "well":
                _ask(stage, session)
                await stage.wait(TICK_S)
            closing = asyncio.ensure_future(session.close(goodbye=goodbye))
            await asyncio.wait({closing}, timeout=STOP_S)
            what = f"close(goodbye={goodbye}) of a session whose device is {state}"
            stage.require(closing.done(), f"{what} takes more than {STOP_S} s")
            await closing
            await _leaves_nothing(stage, what)
            stage.bench.resume()


@clause()
async def can_be_aborted_while_it_opens(stage: Stage) -> None:
    """Leave nothing behind when opening is cut off at any of its awaits."""
    for is_cut_first in (False, True):
        for turns in range(TURNS):
            session = stage.connect(Ear())
            opening = asyncio.ensure_future(session.open(_limits(stage)))
            for _ in range(turns):
                await stage.wait(0.0)
            if is_cut_first:
                opening.cancel()
            session.abort()
            opening.cancel()
            await asyncio.wait({opening}, timeout=STOP_S)
            what = f"opening was cut off after {turns} turns of the loop"
            stage.require(opening.done(), f"{what} and goes on")
            with contextlib.suppress(asyncio.CancelledError, HoldfastError):
                await opening
            await session.close(goodbye=False)
            await _leaves_nothing(stage, what)


@clause()
async def is_mute_after_abort(stage: Stage) -> None:
    """Report nothing after `abort`, whatever the device still says."""
    for turns in range(10):
        ear = Ear()
        session = await _open(stage, ear)
        _ask(stage, session)
        for _ in range(turns):
            await stage.wait(0.0)
        session.abort()
        said = len(ear.reports)
        await stage.wait(stage.round_s)
        stage.require_none([f"`{name}` after `abort`" for name in ear.reports[said:]])
        await session.close(goodbye=False)
        await _leaves_nothing(stage, "`abort`")


@clause()
async def is_mute_after_close(stage: Stage) -> None:
    """Report nothing once `close` has returned, whatever the device still says."""
    for goodbye in (True, False):
        ear = Ear()
        session = await _open(stage, ear)
        _ask(stage, session)
        await session.close(goodbye=goodbye)
        said = len(ear.reports)
        await stage.wait(stage.round_s)
        stage.require_none([f"`{name}` after `close`" for name in ear.reports[said:]])


@clause()
async def stops_at_any_moment(stage: Stage) -> None:
    """Let the hub stop at any moment within half a second, with no task, timer or socket left."""
    for phase in range(PHASES):
        async with stage.running() as hub:
            if phase:
                await stage.online()
                await stage.wait(stage.round_s * phase / PHASES)
            if Trait.WRITES in stage.driver.traits and phase % 3 == 0:
                target = stage.writable[0]
                stage.command(target, stage.bench.other(target, stage.capability(target)))
            began_t = stage.loop.time()
            await hub.stop(patience_s=0.0)
            took_s = stage.loop.time() - began_t
            stage.require(took_s <= STOP_S + TICK_S, f"stopping took {took_s:.2f} s")
            await _leaves_nothing(stage, "the hub's stop")
