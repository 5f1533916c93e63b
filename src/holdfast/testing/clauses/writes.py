"""A driver and the commands that go through it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from holdfast.link.driver import Trait
from holdfast.model import CommandState
from holdfast.testing.clause import clause

if TYPE_CHECKING:
    from holdfast.model import Value
    from holdfast.testing.stage import Stage


def _wanted(stage: Stage, target: str) -> Value:
    return stage.bench.other(target, stage.capability(target))


def _is_so(stage: Stage, target: str, value: Value) -> bool:
    return stage.driver.shows(stage.capability(target).key, value, stage.bench.truth(target))


@clause(needs=Trait.WRITES)
async def carries_out_commands(stage: Stage) -> None:
    """Carry a command out at the device, and report it done by nothing but the device's own report."""
    async with stage.running():
        await stage.online()
        for target in stage.writable:
            for _ in range(2):
                value = _wanted(stage, target)
                receipt = await stage.ended(stage.command(target, value))
                stage.require(
                    receipt.state is CommandState.VERIFIED,
                    f"{target} = {value!r} ended {receipt.state}: {receipt.reason}",
                )
                stage.require(
                    _is_so(stage, target, value), f"{target} = {value!r} was verified, and is not so"
                )


@clause(needs=Trait.WRITES)
async def lets_only_the_device_verify(stage: Stage) -> None:
    """Report as observed only what the device reports: an acknowledgement, or a wish, is no observation."""
    async with stage.running():
        await stage.online()
        stage.bench.ignore_writes()
        for target in stage.writable:
            value = _wanted(stage, target)
            receipt = await stage.ended(stage.command(target, value))
            stage.require(
                receipt.state is not CommandState.VERIFIED,
                f"{target} = {value!r} was verified, and at the device it is {stage.bench.truth(target)!r}",
            )
            stage.require(
                receipt.may_have_executed,
                f"{target} was sent, and its receipt says that nothing can have happened",
            )


@clause(needs=Trait.WRITES)
async def tries_as_often_as_planned(stage: Stage) -> None:
    """Plan each attempt when its time has come and not before, as often as the capability's verify plan says."""
    async with stage.running():
        await stage.online()
        stage.bench.ignore_writes()
        for target in stage.writable:
            plan = stage.capability(target).verify
            before = len(stage.bench.writes())
            receipt = await stage.ended(stage.command(target, _wanted(stage, target)))
            stage.require(
                receipt.attempts == len(plan.pauses_s),
                f"{target} was tried {receipt.attempts} times, its plan has {len(plan.pauses_s)} attempts",
            )
            times = stage.bench.writes()[before:]
            least_s = sum(plan.pauses_s)
            took_s = times[-1] - times[0]
            stage.require(
                took_s >= least_s - 0.01,
                f"{target} was tried within {took_s:.2f} s, its plan takes {least_s:.2f} s",
            )


@clause(needs=Trait.WRITES)
async def sends_each_step_once(stage: Stage) -> None:
    """Send a step's bytes once for each start: repeating is the core's business."""
    async with stage.running():
        await stage.online()
        for target in stage.writable:
            await stage.ended(stage.command(target, _wanted(stage, target)))
        stage.bench.ignore_writes()
        target = stage.writable[0]
        await stage.ended(stage.command(target, _wanted(stage, target)))
        await stage.wait(stage.round_s)
        arrived, begun = len(stage.bench.writes()), len(stage.conduct.steps)
        stage.require(arrived == begun, f"{begun} steps were begun, and {arrived} arrived at the device")


@clause(needs=Trait.WRITES)
async def keeps_its_spacing(stage: Stage) -> None:
    """Leave the time between two steps to the core: only what cannot wait is urgent."""
    least_s = stage.timing.spacing_s
    async with stage.running():
        await stage.online()
        for _ in range(6):
            for target in stage.writable:
                value, urgent = _wanted(stage, target), stage.capability(target).urgent
                if value not in urgent or stage.bench.truth(target) in urgent:  # not all of it can be urgent
                    stage.command(target, value)
            await stage.wait(least_s / 3 + 0.02)
        await stage.wait(stage.round_s)
        times = list(stage.bench.writes())  # a hub that stops is in a hurry
    stage.require(times, "no command arrived at the device")
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    stage.require(
        min(gaps, default=least_s) >= least_s - 0.001,
        f"two steps arrived {min(gaps, default=0.0) * 1000:.0f} ms apart, {least_s * 1000:.0f} ms are promised",
    )


@clause(needs=Trait.WRITES)
async def keeps_commands_through_an_outage(stage: Stage) -> None:
    """Plan a command that waited for the session like any other; one whose time has passed is never sent."""
    async with stage.running():
        await stage.online()
        stage.bench.refuse()
        await stage.until(lambda: not stage.link.has_session, 2 * stage.timing.silence_s)
        receipts = [stage.command(target, _wanted(stage, target), 120.0) for target in stage.writable]
        await stage.wait(8.0)
        stage.bench.resume()
        for receipt in receipts:
            last = await stage.ended(receipt)
            stage.require(
                last.state is CommandState.VERIFIED,
                f"{last.target} = {last.value!r}, given during an outage, ended {last.state}: {last.reason}",
            )
        await stage.wait(stage.round_s)
        stage.bench.refuse()
        await stage.until(lambda: not stage.link.has_session, 2 * stage.timing.silence_s)
        before = len(stage.bench.writes())
        target = stage.writable[0]
        short = await stage.ended(stage.command(target, _wanted(stage, target), 1.0))
        stage.require(short.state is CommandState.EXPIRED, f"a command without a session ended {short.state}")
        stage.bench.resume()
        await stage.until(stage.is_online, stage.recovery_s)
        stage.require(len(stage.bench.writes()) == before, "a command was sent after it had expired")


@clause(needs=Trait.WRITES)
async def serves_the_newest_wish(stage: Stage) -> None:
    """Plan from the wishes that are open now: the newest command is carried out, and the ones before have ended."""
    async with stage.running():
        await stage.online()
        for target in stage.settable:
            for pause_s, is_deaf in ((0.0, False), (0.02, False), (0.1, True), (0.4, True)):
                before, wanted = stage.bench.truth(target), _wanted(stage, target)
                if is_deaf:  # so that the first command is still open when the second comes
                    stage.bench.ignore_writes()
                first = stage.command(target, wanted)
                await stage.wait(pause_s)
                stage.bench.resume()
                for value in (before, wanted):
                    newer = await stage.ended(stage.command(target, value))
                    stage.require(
                        newer.state is CommandState.VERIFIED,
                        f"{target} = {value!r}, the newer command, ended {newer.state}: {newer.reason}",
                    )
                    so = _is_so(stage, target, value)
                    stage.require(so, f"{target} was verified as {value!r}, at the device it is otherwise")
                one = stage.hub.receipts[first.id]
                stage.require(
                    one.state.is_end, f"{target} = {wanted!r} is {one.state}, and newer ones have ended"
                )
                await stage.wait(stage.round_s)
