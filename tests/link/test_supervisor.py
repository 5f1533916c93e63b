"""The life of a link: when it dials, when it stops dialling, and what a lost session may still say."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.link.backoff import (
    LONG_CAP_S,
    ORDER_CAP_S,
    REFUSED_CAP_S,
    REFUSED_ORDER_CAP_S,
    SHORT_CAP_S,
    Backoff,
)
from holdfast.link.budget import DialBudget
from holdfast.link.machine import TRANSITIONS, Cue, IllegalTransition, State, advance, diagram
from holdfast.link.stream import StreamSession
from holdfast.link.supervisor import Hint, LinkSupervisor
from holdfast.model import Batch, Quality, ReasonCode
from holdfast.transports.tcp import dial_tcp
from tests.link.house import escaped, hub_of, loop, refitted, spec
from tests.link.toys import library
from tests.link.toys.lockstep import OPEN, PORT, LineCodec, LineDevice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.link.driver import Driver
    from holdfast.link.session import Job, OpenLimits, Sink

pytestmark = pytest.mark.virtual


def test_backoff_grows_to_its_caps() -> None:
    """First 0.05 to 0.25 s, then full jitter under 3.5 s for two minutes, then 30 s, 8 s with a standing order."""
    backoff = Backoff(loop_random())
    assert backoff.is_first()
    assert 0.05 <= backoff.after_fault(0.0) <= 0.25
    assert backoff.after_fault(1.0) <= 0.5
    young = [backoff.after_fault(10.0) for _ in range(300)]
    assert max(young) <= SHORT_CAP_S
    assert max(young) > SHORT_CAP_S * 0.9
    assert min(young) < 0.2
    old = [backoff.after_fault(200.0) for _ in range(300)]
    assert SHORT_CAP_S < max(old) <= LONG_CAP_S
    assert max(backoff.after_fault(200.0, has_order=True) for _ in range(300)) <= ORDER_CAP_S
    assert not backoff.is_first()
    backoff.reset()
    refusals = [backoff.after_refusal(0.0) for _ in range(12)]
    assert 50 <= refusals[0] <= 60
    assert refusals == sorted(refusals) or max(refusals) <= REFUSED_CAP_S
    with_an_order = [backoff.after_refusal(0.0, REFUSED_ORDER_CAP_S) for _ in range(12)]
    assert max(with_an_order) <= REFUSED_ORDER_CAP_S
    assert min(with_an_order) >= 0.9 * REFUSED_ORDER_CAP_S
    assert max(refusals) > 800


def loop_random() -> Any:
    import random

    return random.Random(5)


def test_every_state_can_be_stopped_and_nothing_else_is_allowed() -> None:
    """The table has a way to STOPPING from everywhere, and what it does not list is an error."""
    for state in State:
        assert advance(state, Cue.STOP) in (State.STOPPING, State.STOPPED)
    with pytest.raises(IllegalTransition, match="opened while waiting"):
        advance(State.WAITING, Cue.OPENED)
    reachable = {following for _, following in TRANSITIONS.items()}
    assert reachable == set(State)
    assert "live --> ending: fault" in diagram()


async def test_backoff_starts_over_once_proven() -> None:
    """After a session that proved healthy, the next outage begins with a quick try."""
    device = LineDevice()
    await device.listen("lamp")
    host = loop().network.host("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        (supervisor,) = hub.supervisors.values()
        host.refuse()
        await asyncio.sleep(1)
        host.reset_all()
        await asyncio.sleep(30)
        assert supervisor.backoff.tries > 5
        host.accept()
        await asyncio.sleep(20)
        host.reset_all()
        await asyncio.sleep(0.001)
        assert supervisor.backoff.tries == 1


async def test_connecting_alone_does_not_reset_the_backoff() -> None:
    """A device that accepts, answers once and dies does not draw a dial every quarter of a second."""
    device = LineDevice()
    await device.listen("lamp")
    host = loop().network.host("lamp")

    async def die_young() -> None:
        while True:
            await asyncio.sleep(0.05)
            if device.polls:
                device.polls = 0
                host.reset_all()

    killer = asyncio.create_task(die_young())
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(60)
        (link,) = hub.links.values()
        assert link.report.dials < 50
        assert link.report.outage_count == link.report.sessions or link.has_session
        killer.cancel()


async def test_a_lost_session_is_not_heard_any_more() -> None:
    """What a session says after it was lost changes nothing."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5)
        (link,) = hub.links.values()
        old = link.sink
        assert old is not None
        loop().network.host("lamp").reset_all()
        await asyncio.sleep(1)
        assert link.sink is not old
        assert not old.observed(Batch("", "live", (("lamp", 1), ("level", 33))))
        old.same("", "live", 0.0, 10**9)
        old.alive()
        old.lost(AssertionError())  # type: ignore[arg-type]
        assert hub.reading("lamp/level").value == 10
        assert link.has_session


async def test_accept_and_never_speak() -> None:
    """A peer that accepts and says nothing is left after the login limit, again and again, and told as silent."""
    device = LineDevice()
    device.is_deaf = True
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(0.7)
        assert hub.device("lamp").reason.code is ReasonCode.SILENT
        await asyncio.sleep(20)
        device.is_deaf = False
        await asyncio.sleep(5.5)
        assert hub.reading("lamp/level").value == 10


async def test_hints_shorten_only_waiting() -> None:
    """Discovery cuts a wait short, at most once a second, and never disturbs a healthy session."""
    device = LineDevice()
    await device.listen("lamp")
    host = loop().network.host("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        (supervisor,) = hub.supervisors.values()
        (link,) = hub.links.values()
        await asyncio.sleep(15)
        supervisor.hint(Hint.DISCOVERED)
        assert link.report.sessions == 1
        host.refuse()
        host.reset_all()
        await asyncio.sleep(200)
        dials = link.report.dials
        for _ in range(100):
            supervisor.hint(Hint.DISCOVERED)
            await asyncio.sleep(0.1)
        assert dials < link.report.dials <= dials + 12
        host.accept()
        await asyncio.sleep(1.1)
        supervisor.hint(Hint.RETRY_NOW)
        await asyncio.sleep(0.5)
        assert link.has_session


async def test_a_library_that_swallows_cancellation_delays_the_next_dial_only() -> None:
    """While an old call lingers no second session is opened, and stopping is still bounded."""
    plug = library.PLUGS["s"] = library.Plug()
    async with hub_of(spec("plug", "library", "s")) as hub:
        await asyncio.sleep(15)
        plug.is_hanging = plug.is_stubborn = True
        await asyncio.sleep(120)
        assert plug.most_running == 1
        plug.is_hanging = plug.is_stubborn = False
        await asyncio.sleep(60)
        assert hub.reading("plug/switch").value is False


@pytest.mark.parametrize("after_s", [0.0, 0.001, 0.01, 0.02, 0.3, 2.0])
async def test_stop_at_any_moment_leaves_nothing(after_s: float) -> None:
    """Stopping while waiting, dialling, logging in or live leaves no task, timer or socket, within 0.5 s."""
    device = LineDevice()
    host = loop().network.host("lamp")
    await device.listen("lamp")
    from holdfast.simulation import Latency

    host.latency = Latency(base_s=0.01, jitter_s=0.0)
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(after_s)
        start_t = loop().time()
        await hub.stop()
        assert loop().time() - start_t <= 0.5
    await asyncio.sleep(0.1)
    assert not device.open


@pytest.mark.parametrize("turns", range(1, 40, 3))
async def test_cancelled_at_each_await(turns: int) -> None:
    """A supervisor cancelled after any number of the loop's turns can still be stopped clean."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        (supervisor,) = hub.supervisors.values()
        for _ in range(turns):
            await asyncio.sleep(0)
        assert supervisor._task is not None
        supervisor._task.cancel()
        await asyncio.sleep(0.5)


async def test_budget_serves_in_order_and_survives_cancellation() -> None:
    """At most two dials a host and the total are under way; a cancelled one gives its place on."""
    budget = DialBudget(per_host=2, per_process=3)
    running: dict[str, int] = {"a": 0, "b": 0, "c": 0}
    order: list[str] = []

    async def dial(host: str, name: str) -> None:
        async with budget.dial(host):
            running[host] += 1
            order.append(name)
            assert running[host] <= 2
            assert sum(running.values()) <= 3
            await asyncio.sleep(1)
            running[host] -= 1

    tasks = [asyncio.create_task(dial("a", f"a{i}")) for i in range(5)]
    tasks += [asyncio.create_task(dial("b", "b0")), asyncio.create_task(dial("c", "c0"))]
    await asyncio.sleep(0.1)
    assert order == ["a0", "a1", "b0"]
    tasks[2].cancel()
    tasks[0].cancel()
    running["a"] -= 1
    await asyncio.gather(*tasks, return_exceptions=True)
    assert set(order) == {"a0", "a1", "a3", "a4", "b0", "c0"}


async def test_a_place_granted_and_cancelled_in_one_turn_is_given_back() -> None:
    """A waiter cancelled in the very turn in which its place came does not keep it."""
    budget = DialBudget(per_host=1, per_process=1)

    async def dial() -> None:
        async with budget.dial("a"):
            await asyncio.sleep(1)

    first, second = asyncio.create_task(dial()), asyncio.create_task(dial())
    await asyncio.sleep(0.5)
    loop().call_at(loop().time() + 0.5, lambda: loop().call_soon(second.cancel))
    await asyncio.gather(first, second, return_exceptions=True)
    async with asyncio.timeout(0.1), budget.dial("a"):
        pass


class Broken:
    """A session whose every part fails in its own way."""

    def __init__(self, how: str) -> None:
        self.how = how

    async def open(self, limits: OpenLimits) -> None:
        if self.how == "open":
            raise KeyError("oops")
        if self.how == "hang":
            while True:
                try:
                    await asyncio.sleep(20)
                except asyncio.CancelledError:
                    continue
                else:
                    return
        if self.how == "cancelled":
            raise asyncio.CancelledError

    def start(self, job: Any) -> None:
        if self.how == "start":
            raise KeyError("oops")

    def forget(self, job: Any) -> None:
        """Nothing."""

    async def close(self, *, goodbye: bool) -> None:
        if self.how == "close":
            raise KeyError("oops")
        if self.how == "slow close":
            await asyncio.sleep(5)

    def abort(self) -> None:
        """Nothing."""


@pytest.mark.parametrize("how", ["connect", "open", "hang", "cancelled", "start", "close", "slow close"])
async def test_a_broken_driver_is_an_outage_not_the_end(how: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever a driver does wrong, the link goes on trying, says so, and the hub can be stopped."""
    from dataclasses import replace

    from holdfast.hub.site.spec import DeviceSpec

    good = spec("lamp", "lockstep", "lamp")

    def connect(drivers: Any, sink: Any) -> Any:
        if how == "connect":
            raise KeyError("oops")
        return Broken(how)

    bad = DeviceSpec(good.device, (replace(good.drivers[0], connect=connect),))
    async with hub_of(bad) as hub:
        await asyncio.sleep(9)
        (link,) = hub.links.values()
        assert link.report.dials >= 2 or how in ("hang", "close", "slow close")
        await asyncio.sleep(60)
        assert link.report.dials >= 2
        reason = hub.device("lamp").reason.code
        assert reason in (ReasonCode.INTERNAL, ReasonCode.SILENT)
        if how in ("connect", "open", "start", "close"):
            assert any("broke its contract" in record.message for record in caplog.records)
        supervisor: LinkSupervisor = next(iter(hub.supervisors.values()))
        start_t = loop().time()
        if how == "hang":
            await asyncio.sleep(19 - (loop().time() - 1000) % 20)
        await supervisor.stop()
        assert loop().time() - start_t < 25
        await asyncio.sleep(25)


class Rude(asyncio.Protocol):
    """Welcomes and hangs up at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(b"WELCOME x\n")
        self.transport.close()


async def test_a_session_lost_while_it_opens_leaves_no_session() -> None:
    """A loss between the end of `open` and the supervisor's next turn is a loss: no job on a session that is gone."""
    bad = escaped()
    await loop().create_server(Rude, "lamp", PORT)
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        (link,) = hub.links.values()
        for _ in range(200):
            await asyncio.sleep(0.01)
            assert link.session is not None or not link.has_session
    assert bad == []


class Raising(StreamSession):
    """A session one of whose calls fails."""

    what = ""

    def forget(self, job: Job) -> None:
        if self.what == "forget":
            raise KeyError("a bug")
        super().forget(job)

    def abort(self) -> None:
        super().abort()
        if self.what == "abort":
            raise KeyError("a bug")


@pytest.mark.parametrize("what", ["forget", "abort"])
async def test_a_session_that_cannot_be_ended_is_still_replaced(what: str) -> None:
    """What `forget` or `abort` raise costs the session at most, never the link."""

    class Faulty(Raising):
        pass

    Faulty.what = what

    def connect(drivers: Sequence[Driver], sink: Sink) -> StreamSession:
        return Faulty(dial_tcp("lamp", PORT), LineCodec(OPEN), sink)

    bad = escaped()
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), connect=connect)) as hub:
        await asyncio.sleep(3)
        device.is_deaf = True
        await asyncio.sleep(0.8)
        device.is_deaf = False
        loop().network.host("lamp").reset_all()
        await asyncio.sleep(10)
        assert hub.reading("lamp/level").quality is Quality.GOOD
    assert bad == []


async def test_stop_before_the_first_dial() -> None:
    """A link that still waits for its first dial has no session to end: it is stopped at once."""
    async with hub_of(spec("lamp", "lockstep", "lamp"), start=False) as hub:
        (supervisor,) = hub.supervisors.values()
        supervisor.start(30.0)
        await asyncio.sleep(1)
        await supervisor.stop()
        assert supervisor.link.state is State.STOPPED
        assert supervisor.link.report.dials == 0
        await supervisor.stop()
        assert repr(supervisor.link) == "<Link tcp://lamp:7000 stopped life 0>"
        assert repr(hub.device("lamp")) == "<LinkedDevice lamp unknown>"
