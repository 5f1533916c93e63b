"""A driver after an outage: everything is as before, by a session that knows nothing of the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.link.driver import Trait
from holdfast.testing.clause import NO_STREAM, clause

if TYPE_CHECKING:
    from holdfast.simulation import NetworkEvent
    from holdfast.testing.stage import Stage


async def _is_back(stage: Stage, after: str) -> None:
    back = await stage.until(lambda: stage.is_online() and not stage.untrue(), stage.recovery_s)
    stage.require(
        back, f"{stage.recovery_s:.1f} s after {after}: {stage.state()}; {'; '.join(stage.untrue()[:2])}"
    )


@clause()
async def recovers_after_silence(stage: Stage) -> None:
    """Be well again soon after the device speaks again, showing what changed meanwhile."""
    async with stage.running():
        await stage.online()
        stage.bench.silence()
        await stage.wait(2.5 * stage.timing.silence_s)
        stage.change_all()
        stage.bench.resume()
        await _is_back(stage, "silence")


@clause(without=Trait.LISTENER)
async def recovers_after_refusal(stage: Stage) -> None:
    """Take a refused connection for an outage that another try may cure, and say that it was unreachable."""
    async with stage.running():
        await stage.online()
        stage.bench.refuse()
        await stage.wait(20.0 + stage.timing.silence_s)
        stage.require(
            not stage.link.has_session, "the session lives on though its device refuses connections"
        )
        code = stage.link.reason.code
        stage.require(code in ("unreachable", "silent"), f"a refused connection was told as {code}")
        stage.change_all()
        stage.bench.resume()
        await _is_back(stage, "refusals")


@clause(without=NO_STREAM)
async def recovers_after_a_loss(stage: Stage) -> None:
    """Open anew after a reset or an end of stream, as often as that happens."""
    async with stage.running():
        await stage.online()
        for round_ in range(4):
            (stage.bench.reset if round_ % 2 else stage.bench.finish)()
            stage.change_all()
            await _is_back(stage, "a reset" if round_ % 2 else "an end of stream")


@clause(without=NO_STREAM)
async def begins_each_session_anew(stage: Stage) -> None:
    """Throw away half messages, keys and pending requests with the session in which they came."""
    message = _last_message(stage)
    async with stage.running():
        await stage.online()
        await stage.wait(stage.round_s)
        for share in (0.0, 0.5, 1.0):
            whole = bytes(message)  # of this session: the next may have another key
            stage.require(len(whole) > 1, "the bench's device said nothing that could be cut in two")
            length = min(max(1, int(share * len(whole))), len(whole) - 1)
            rejects = stage.rejects().total()
            stage.bench.say(whole[:length])
            stage.bench.reset()
            stage.change_all()
            await stage.wait(0.01)
            await _is_back(stage, "a message cut in two by a reset")
            new = stage.rejects().total() - rejects
            stage.require(not new, f"{new} rejects in a session whose device spoke without fault")


def _last_message(stage: Stage) -> bytearray:
    """What the device says, always the latest of it."""
    message = bytearray()
    here = stage.loop.network.here.address

    def watch(event: NetworkEvent) -> None:
        if event.what == "data" and event.target[0] == here:
            message[:] = event.data

    stage.loop.network.watchers.append(watch)
    return message


@clause(without=Trait.LISTENER)
async def makes_each_session_anew(stage: Stage) -> None:
    """Return a new session object from each `connect`; one that has ended is never used again."""
    async with stage.running():
        await stage.online()
        for _ in range(3):
            stage.bench.refuse()
            await stage.until(lambda: not stage.link.has_session, 2 * stage.timing.silence_s)
            stage.bench.resume()
            await stage.until(stage.is_online, stage.recovery_s)
        stage.require(len(stage.conduct.sessions) > 1, "no second session was ever made")
        stage.require_none(stage.conduct.reused)
