"""A driver around a library that owns the socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.link.driver import Trait
from holdfast.testing.clause import clause

if TYPE_CHECKING:
    from holdfast.testing.stage import Stage


@clause(needs=Trait.LIBRARY)
async def calls_one_at_a_time(stage: Stage) -> None:
    """Begin no call before the one before is gone, though it was given up: a library may swallow its cancellation."""
    async with stage.running():
        await stage.online()
        await stage.wait(stage.round_s)
        stage.bench.hold()
        most_s = max((poll.every_s for poll in stage.driver.polls), default=1.0)
        await stage.wait(3 * most_s + 2 * stage.timing.silence_s)
        at_once = stage.bench.calls_at_once()
        stage.require(at_once <= 1, f"{at_once} calls ran at once")
        stage.bench.resume()
        back = await stage.until(stage.is_online, stage.recovery_s + most_s)
        stage.require(back, f"after a call that did not return: {stage.state()}")
        stage.require(stage.bench.calls_at_once() <= 1, "calls ran at once when the old one had returned")
