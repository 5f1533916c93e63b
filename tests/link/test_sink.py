"""Where a session's reports enter the core: what counts, and what no longer does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.link.session import End, Job
from holdfast.model import Batch, Reject, Stamp, Value
from tests.link.house import hub_of, loop, refitted, spec
from tests.link.toys import advert
from tests.link.toys.lockstep import CAPABILITIES, LineDevice

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.virtual


async def test_a_listener_is_not_told_of_anothers_fault() -> None:
    """`check` and `project` that raise end in the sink: whoever calls a listener back serves others as well."""

    def project(member: str, group: str, raw: Any, before: Mapping[str, Value]) -> Mapping[str, Value]:
        raise KeyError("a bug")

    advert.ROOM.ears.clear()
    red = refitted(spec("red", "advert", "red"), project=project)
    async with hub_of(red, spec("blue", "advert", "blue")) as hub:
        await asyncio.sleep(1)
        advert.ROOM.shout("red", 19.5)
        advert.ROOM.shout("blue", 20.5)
        assert hub.reading("blue/temperature").value == 20.5


async def test_an_equal_answer_to_an_older_question_moves_nothing() -> None:
    """A stamp never goes back, and an equal answer counts only where this session has seen the answer it equals."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(3)
        (link,) = hub.links.values()
        assert link.sink is not None
        evidence = link.routes["", "live"]
        before = (evidence.t, evidence.n, link.report.answers)
        link.sink.same("", "live", evidence.t - 1, evidence.n - 1)
        link.sink.same("", "nothing", loop().time(), evidence.n + 1000)
        assert (evidence.t, evidence.n, link.report.answers) == before


async def test_overtaken_values_are_believed_and_not_shown() -> None:
    """An answer to a question older than what is known changes nothing, though nothing is wrong with it."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(3)
        (link,) = hub.links.values()
        assert link.sink is not None
        old = Stamp(loop().time() - 1, link.routes["", "live"].n - 1)
        assert link.sink.observed(Batch("", "live", (("lamp", 1), ("level", 33))), old)
        assert hub.reading("lamp/level").value == 10
        assert not link.report.rejects


async def test_members_that_make_themselves_known_are_recorded() -> None:
    """A member found is in the flight recorder once; a lost session finds, rejects and ends nothing any more."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(3)
        (link,) = hub.links.values()
        old = link.sink
        assert old is not None
        old.found("7", CAPABILITIES)
        loop().network.host("lamp").reset_all()
        await asyncio.sleep(1)
        old.found("8", CAPABILITIES)
        old.rejected(Reject("line"), b"x" * 1000)
        old.finished(Job("READ", "", "live", reply_s=1.0), End.OK)
        found = [moment.text for moment in link.recorder.moments() if moment.kind == "found"]
        assert found == ["member 7: 2 capabilities"]
        assert not link.report.rejects
        assert link.has_session


async def test_a_turn_ends_once() -> None:
    """A session that says twice that a turn is over does not end the turn of the next job."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(3)
        device.is_deaf = True
        await asyncio.sleep(0.4)
        (link,) = hub.links.values()
        job = link.job
        assert job is not None
        assert link.sink is not None
        link.sink.finished(Job("READ", "", "live", reply_s=1.0), End.OK)
        assert link.job is job
