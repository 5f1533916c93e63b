"""A driver whose devices have parts with a freshness of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.link.driver import Trait
from holdfast.model import Periodic, Quality, Setting
from holdfast.testing.clause import clause

if TYPE_CHECKING:
    from holdfast.testing.stage import Stage


@clause(needs=Trait.MEMBERS)
async def lets_a_silent_member_go_stale_alone(stage: Stage) -> None:
    """Report a member only by what that member said: when one falls silent it goes stale, and it alone."""
    members = sorted({each.member for each in stage.capabilities.values()} - {""})
    stage.require(len(members) > 1, "the bench needs two members or more")
    async with stage.running() as hub:
        await stage.online()
        silent = members[0]
        stage.bench.silence(silent)
        await stage.wait(max(_deadline_s(stage, target) for target in stage.targets) + stage.round_s)
        for target in stage.targets:
            if isinstance(stage.capability(target).freshness, Setting):
                continue  # it never ages
            is_silent = stage.capability(target).member == silent
            quality = hub.reading(target).quality
            stage.require(
                (quality is Quality.STALE) == is_silent,
                f"{target} is {quality}, and its member has {'fallen silent' if is_silent else 'never been silent'}",
            )
        stage.require(stage.link.report.sessions == 1, "one silent member cost the others their session")
        stage.bench.resume()
        back = await stage.until(stage.is_online, stage.round_s)
        stage.require(back, f"after the silence of {silent}: {stage.state()}")


def _deadline_s(stage: Stage, target: str) -> float:
    freshness = stage.capability(target).freshness
    return freshness.deadline_s if isinstance(freshness, Periodic) else 0.0


@clause(needs=Trait.MEMBERS)
async def leaves_strangers_alone(stage: Stage) -> None:
    """Report a member that nobody configured under its own name, and go on."""
    async with stage.running():
        await stage.online()
        heard = stage.link.report.strangers
        for _ in range(3):
            stage.bench.stranger()
            await stage.wait(stage.round_s / 3)
            stage.require_none(stage.untrue())
        stage.require_none(stage.conduct.escaped)
        stage.require(
            stage.link.report.strangers > heard and stage.link.found,
            "the link report tells of no stranger, though one spoke",
        )
        stage.require(stage.link.report.sessions == 1, "a stranger cost the others their session")
