"""A driver that only listens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.link.driver import Trait
from holdfast.testing.clause import clause

if TYPE_CHECKING:
    from holdfast.testing.stage import Stage


@clause(needs=Trait.PASSIVE)
async def says_nothing(stage: Stage) -> None:
    """Send nothing at all, from the opening to the goodbye: others may be speaking on the same bus."""
    async with stage.running():
        await stage.online()
        await stage.wait(3 * stage.round_s)
    await stage.wait(1.0)
    sent = stage.loop.network.here.bytes_out
    stage.require(not sent, f"{sent} bytes were sent")


@clause(needs=Trait.LISTENER)
async def waits_out_silence(stage: Stage) -> None:
    """Wait when nothing is heard: where there is nothing to open, reopening cures nothing."""
    async with stage.running():
        await stage.online()
        stage.bench.silence()
        await stage.wait(4 * stage.timing.silence_s)
        sessions = stage.link.report.sessions
        stage.require(sessions == 1, f"{sessions} sessions were opened during a silence")
        stage.bench.resume()
        back = await stage.until(stage.is_online, stage.round_s)
        stage.require(back, f"after the silence: {stage.state()}")
