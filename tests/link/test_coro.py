"""The session made of four coroutines: one call at a time, whatever the library does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.errors import Unreachable
from holdfast.link.coro import CoroSession
from holdfast.link.session import Job
from holdfast.model import Availability, Batch, CommandState, Identity, Quality, ReasonCode
from holdfast.testing.ear import Ear
from tests.link.house import command, escaped, hub_of, loop, refitted, spec
from tests.link.toys import library

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.virtual


class Lingering:
    """A library whose read fetches at once and then lingers, deaf to cancellation, while told to."""

    def __init__(self) -> None:
        self.is_on = False
        self.is_lingering = False

    async def connect(self) -> Identity | None:
        return None

    async def read(self, what: str) -> Iterable[Batch]:
        seen = self.is_on
        while self.is_lingering:
            try:
                await asyncio.sleep(0.5)
            except asyncio.CancelledError:
                continue
        return [Batch("", "live", seen)]

    async def do(self, payload: Any) -> None:
        """Nothing."""

    async def bye(self) -> None:
        """Nothing."""


async def test_a_lingering_call_is_not_the_answer_to_the_next_question() -> None:
    """A call given up at its deadline never ends the next turn of the same poll, nor passes as its answer."""
    library = Lingering()
    plug = refitted(spec("plug", "library", "p"), connect=lambda _, sink: CoroSession(library, sink))
    async with hub_of(plug) as hub:
        await asyncio.sleep(15)
        library.is_lingering = True
        await asyncio.sleep(6)  # asked at 20 s, given up at 24 s
        library.is_on = True
        await asyncio.sleep(10)  # asked again at 30 s
        library.is_lingering = False
        await asyncio.sleep(1)
        reading = hub.reading("plug/switch")
        assert reading.value is True or (reading.age_s or 0.0) > 9


async def test_a_library_that_says_no_ends_the_step_and_keeps_the_session() -> None:
    """An error of ours that is no fault of the link ends the turn; the receipt tells the last one."""
    plug = library.PLUGS["no"] = library.Plug()
    async with hub_of(spec("plug", "library", "no")) as hub:
        await asyncio.sleep(11)
        plug.says_no = True
        receipt = await command(hub, "plug/switch", True)
        assert receipt.state is CommandState.FAILED
        assert receipt.reason.endswith("(last attempt: the plug said no)")
        assert hub.reading("plug/switch").quality is not Quality.STALE
        (link,) = hub.links.values()
        assert link.report.outage_count == 0


async def test_a_library_that_cannot_reach_the_device_ends_the_session() -> None:
    """A fault of the link is an outage in its own words, and the device is back when it can be reached again."""
    plug = library.PLUGS["far"] = library.Plug()
    async with hub_of(spec("plug", "library", "far")) as hub:
        await asyncio.sleep(15)
        plug.is_reachable = False
        await asyncio.sleep(7)
        assert hub.device("plug").reason.code is ReasonCode.UNREACHABLE
        assert "plug unreachable" in hub.device("plug").reason.text
        plug.is_reachable = True
        await asyncio.sleep(10)
        assert hub.device("plug").availability is Availability.ONLINE


class Odd(Lingering):
    """A library that answers its first read and then fails in a way of its own."""

    def __init__(self, how: BaseException) -> None:
        super().__init__()
        self.how = how
        self.reads = 0

    async def read(self, what: str) -> Iterable[Batch]:
        self.reads += 1
        if self.reads == 2:
            raise self.how
        return await super().read(what)


async def test_a_foreign_error_is_a_bug_of_the_driver() -> None:
    """What a library raises untranslated ends the session as the driver's fault; nothing escapes into the loop."""
    bad = escaped()
    odd = Odd(KeyError("oops"))
    plug = refitted(spec("plug", "library", "odd"), connect=lambda _, sink: CoroSession(odd, sink))
    async with hub_of(plug) as hub:
        await asyncio.sleep(20)
        (link,) = hub.links.values()
        assert [outage.cause for outage in link.report.outages] == [ReasonCode.INTERNAL]
        assert hub.device("plug").availability is Availability.ONLINE
    assert bad == []


async def test_a_call_cut_off_from_elsewhere_ends_its_turn_in_doubt() -> None:
    """A library that cancels its own call costs one turn, not the link: the next poll goes out on its grid."""
    odd = Odd(asyncio.CancelledError())
    plug = refitted(spec("plug", "library", "odd"), connect=lambda _, sink: CoroSession(odd, sink))
    async with hub_of(plug) as hub:
        await asyncio.sleep(25)
        (link,) = hub.links.values()
        assert odd.reads > 3
        assert link.report.outage_count == 0
        assert hub.reading("plug/switch").quality is Quality.GOOD


@pytest.mark.parametrize("how", [Unreachable("gone"), KeyError("oops")])
async def test_what_fails_after_the_end_is_not_told(how: Exception) -> None:
    """A call that fails only because it was cut off reports nothing: the session is mute."""

    class Sore(Lingering):
        async def read(self, what: str) -> Iterable[Batch]:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                raise how from None
            return ()

    ear = Ear()
    session = CoroSession(Sore(), ear)
    session.start(Job("state", "", "live", reply_s=4.0))
    await asyncio.sleep(1)
    await session.close(goodbye=True)
    assert ear.reports == []


async def test_forgetting_an_ended_turn_cuts_nothing_off() -> None:
    """A deadline that passes in the moment of the answer is nobody's: the call that runs by then goes on."""
    ear = Ear()
    slow = Lingering()
    session = CoroSession(slow, ear)
    first, second = Job("one", "", "live", reply_s=4.0), Job("two", "", "live", reply_s=4.0)
    session.start(first)
    await asyncio.sleep(0.1)
    slow.is_lingering = True
    session.start(second)
    await asyncio.sleep(0.1)
    session.forget(first)
    slow.is_lingering = False
    await asyncio.sleep(1)
    assert ear.reports == ["observed", "finished"] * 2
    await session.close(goodbye=False)


async def test_a_session_that_never_called_is_closed_at_once() -> None:
    """Closing waits for calls only where there are any; the library says goodbye in every case."""
    byes: list[str] = []

    class Polite(Lingering):
        async def bye(self) -> None:
            byes.append("bye")

    start_t = loop().time()
    await CoroSession(Polite(), Ear()).close(goodbye=True)
    assert byes == ["bye"]
    assert loop().time() == start_t
