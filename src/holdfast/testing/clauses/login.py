"""A driver at the door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.link.driver import Trait
from holdfast.model import ReasonCode
from holdfast.testing.clause import NO_STREAM, clause

if TYPE_CHECKING:
    from holdfast.simulation import NetworkEvent
    from holdfast.testing.stage import Stage

WRONG = "by-no-means-it"
"""Short, since some devices have little room for a password; and in no other text."""
WATCHED_S = 60.0
MOST_DIALS = 2
"""In the first minute after a refused login: some devices lock out whoever comes more often."""


@clause(needs=Trait.LOGIN)
async def tells_a_refused_login(stage: Stage) -> None:
    """Raise `LoginRefused` when the device refuses the login, so that it is told as such and not hammered."""
    dials = _dials(stage)
    async with stage.running(stage.prepare(stage.bench.devices(WRONG))):
        await stage.wait(WATCHED_S)
        code = stage.link.reason.code
        stage.require(
            code is ReasonCode.LOGIN_REFUSED, f"a wrong password was told as {code}: {stage.link.reason.text}"
        )
        made = len(dials) or stage.link.report.dials
        stage.require(made <= MOST_DIALS, f"{made} dials within {WATCHED_S:g} s of a refused login")


def _dials(stage: Stage) -> list[NetworkEvent]:
    dials: list[NetworkEvent] = []
    stage.loop.network.watchers.append(lambda event: dials.append(event) if event.what == "dial" else None)
    return dials


@clause(needs=Trait.LOGIN, without=NO_STREAM)
async def takes_a_silent_login_for_silence(stage: Stage) -> None:
    """Raise `Silent` when the login is not answered in time: only a refusal may wait for a minute."""
    stage.bench.silence()
    async with stage.running():
        await stage.until(lambda: stage.link.has_failed, stage.opening_s)
        code = stage.link.reason.code
        stage.require(
            code in (ReasonCode.SILENT, ReasonCode.UNREACHABLE), f"an unanswered login was told as {code}"
        )
        await stage.wait(3 * stage.opening_s)
        stage.require(stage.link.report.dials > 1, "an unanswered login is not tried again")
        stage.bench.resume()
        stage.require(await stage.until(stage.is_online, stage.recovery_s), f"not online: {stage.state()}")
