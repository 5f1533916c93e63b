"""What a link does when its path fails, in virtual time on the in-memory network."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from holdfast.hub.events import Kind
from holdfast.link.supervisor import Hint
from holdfast.model import Availability, CommandState, Quality, ReasonCode
from tests.link.house import ME, command, hub_of, loop, spec
from tests.link.toys.lockstep import LineDevice

if TYPE_CHECKING:
    from holdfast.hub.hub import Hub

pytestmark = pytest.mark.virtual


async def fresh_within(hub: Hub, target: str, limit_s: float) -> float:
    """Seconds until the target is good."""
    start_t = loop().time()
    while hub.reading(target).quality is not Quality.GOOD:
        assert loop().time() - start_t < limit_s, hub.device(target.partition("/")[0]).reason
        await asyncio.sleep(0.01)
    return loop().time() - start_t


async def test_silent_peer_is_noticed() -> None:
    """A peer that keeps its socket open and says nothing is stale in under 2.5 s and never current past 2 s."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5)
        loop().network.host("lamp").blackhole()
        start_t = loop().time()
        while (reading := hub.reading("lamp/level")).quality is not Quality.STALE:
            assert reading.age_s is not None
            assert reading.age_s < 2.0
            await asyncio.sleep(0.01)
        assert loop().time() - start_t < 2.5
        assert reading.value is None
        assert reading.last_known == 10
        assert hub.device("lamp").reason.code is ReasonCode.SILENT
        await asyncio.sleep(30)
        assert hub.device("lamp").availability is Availability.OFFLINE
        loop().network.host("lamp").restore()
        await fresh_within(hub, "lamp/level", 6.0)
        assert hub.device("lamp").availability is Availability.ONLINE


@pytest.mark.parametrize("how", ["reset_all", "finish_all"])
async def test_dropped_connection_is_back_before_anything_is_stale(how: str) -> None:
    """After a reset or FIN the value is late at once, never stale, and fresh again in under 0.5 s."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(15)
        getattr(loop().network.host("lamp"), how)()
        await asyncio.sleep(0.001)
        assert hub.reading("lamp/level").quality is Quality.LATE
        assert hub.device("lamp").availability is Availability.DEGRADED
        assert await fresh_within(hub, "lamp/level", 0.5) < 0.5
        (link,) = hub.links.values()
        assert link.report.outage_count == 1
        assert link.report.outages[-1].recover_s is not None


async def test_refused_for_a_while() -> None:
    """After 20 s of refusal the link is back within 5 s of its end, at most a dozen or so dials later."""
    device = LineDevice()
    await device.listen("lamp")
    host = loop().network.host("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(15)
        (link,) = hub.links.values()
        host.refuse()
        host.reset_all()
        await asyncio.sleep(20)
        assert hub.device("lamp").reason.code is ReasonCode.UNREACHABLE
        assert hub.device("lamp").reason.next_try_at is not None
        assert link.report.dials < 30
        host.accept()
        assert await fresh_within(hub, "lamp/level", 5.0) < 5.0


async def test_refused_login_is_not_hammered() -> None:
    """A refused login is told as such, tried again after a minute or so, and at once when a person asks."""
    device = LineDevice()
    device.password = "other"
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(50)
        assert hub.device("lamp").reason.code is ReasonCode.LOGIN_REFUSED
        assert hub.device("lamp").availability is Availability.OFFLINE
        assert device.logins == 1
        (supervisor,) = hub.supervisors.values()
        supervisor.hint(Hint.DISCOVERED)
        await asyncio.sleep(1)
        assert device.logins == 1
        device.password = "open"
        hub.retry("lamp")
        await fresh_within(hub, "lamp/level", 1.0)
        assert device.logins == 2


async def test_commands_in_an_outage_never_vanish() -> None:
    """Commands given during a 3 s outage are verified after it, or expire when their own deadline is shorter."""
    device = LineDevice()
    await device.listen("lamp")
    host = loop().network.host("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(15)
        host.refuse()
        host.reset_all()
        await asyncio.sleep(0.2)
        long = hub.command("lamp/lamp", True, ME)
        short = await hub.ended(hub.command("lamp/level", 20, ME, timeout_s=1))
        assert short.state is CommandState.EXPIRED
        assert not short.may_have_executed
        assert "refused" in short.reason
        await asyncio.sleep(1.8)
        host.accept()
        done = await hub.ended(long)
        assert done.state is CommandState.VERIFIED
        assert device.state == {"lamp": 1, "level": 10}


async def test_ack_is_not_proof() -> None:
    """A device that acknowledges and does nothing: three attempts, then failed, with what it reports instead."""
    device = LineDevice()
    device.stuck.add("lamp")
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5)
        receipt = await command(hub, "lamp/lamp", True)
        assert receipt.state is CommandState.FAILED
        assert receipt.attempts == 3
        assert receipt.may_have_executed
        assert "reports off" in receipt.reason
        sends = [t for t, key, _ in device.sets]
        assert [round(t - sends[0], 1) for t in sends] == [0.0, 1.5, 3.0]


async def test_newest_wins_and_says_so() -> None:
    """Two commands on one target: the first ends superseded, the second is verified."""
    device = LineDevice()
    device.effect_s = 0.3
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5)
        first = hub.command("lamp/lamp", True, ME)
        await asyncio.sleep(0.1)
        second = hub.command("lamp/lamp", False, ME)
        ended = await hub.ended(second)
        assert hub.receipts[first.id].state is CommandState.SUPERSEDED
        assert hub.receipts[first.id].may_have_executed
        assert ended.state is CommandState.VERIFIED
        # The ON was never proven: the OFF may be believed only after the ON's latency bound.
        assert ended.ended_after_s is not None
        assert ended.ended_after_s >= 0.85
        assert device.state["lamp"] == 0


async def test_last_gate_refuses() -> None:
    """What the codec must never send ends refused and the link goes on."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5)
        receipt = await command(hub, "lamp/level", 66)
        assert receipt.state is CommandState.REFUSED
        assert "66 must never be sent" in receipt.reason
        assert (await command(hub, "lamp/level", 30)).state is CommandState.VERIFIED


async def test_reading_comes_before_the_receipt_it_verifies() -> None:
    """On the stream the confirming reading precedes the verified receipt."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5)
        await command(hub, "lamp/level", 42)
        said = hub.said  # type: ignore[attr-defined]
        verified = next(
            r.seq for r in said if r.kind is Kind.COMMAND and r.payload.state is CommandState.VERIFIED
        )
        shown = next(r.seq for r in said if r.kind is Kind.READING and r.payload.value == 42)
        assert shown < verified


async def test_suspend_makes_everything_stale() -> None:
    """After a suspend nothing is current until the new session has delivered."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(15)
        hub.clock.sleep(3600)  # type: ignore[attr-defined]
        assert hub.reading("lamp/level").value is None
        assert hub.device("lamp").reason.code is ReasonCode.SUSPENDED
        await fresh_within(hub, "lamp/level", 1.0)


async def test_standing_order_outlives_everything() -> None:
    """An order is repeated across failures and reconnects, refuses others, and ends verified and released."""
    device = LineDevice()
    device.state["lamp"] = 1
    device.stuck.add("lamp")
    await device.listen("lamp")
    host = loop().network.host("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5)
        hub.order("lamp/lamp", False, "no fresh temperature")
        refused = await command(hub, "lamp/lamp", True)
        assert refused.state is CommandState.REFUSED
        assert "no fresh temperature" in refused.reason
        await asyncio.sleep(60)
        assert len(device.sets) >= 8
        host.refuse()
        host.reset_all()
        await asyncio.sleep(200)
        device.stuck.clear()
        host.accept()
        start_t = loop().time()
        await fresh_within(hub, "lamp/level", 9.5)
        await asyncio.sleep(0.5)
        assert device.state["lamp"] == 0
        assert loop().time() - start_t < 10
        assert hub.device("lamp").desk.orders["lamp"].order.is_verified
        device.state["lamp"] = 1  # somebody presses the button
        await asyncio.sleep(1)
        assert device.state["lamp"] == 0
        hub.release("lamp/lamp")
        await asyncio.sleep(1)
        assert not hub.device("lamp").desk.orders
        assert (await command(hub, "lamp/lamp", True)).state is CommandState.VERIFIED


async def test_slow_device_is_served_at_once_when_free() -> None:
    """A device that answers in 0.4 s overruns the grid; missed polls go at once, and grid points are kept."""
    device = LineDevice()
    device.reply_s = 0.4
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(20)
        assert device.polls >= 45
        assert hub.reading("lamp/level").quality is Quality.GOOD
        assert (await command(hub, "lamp/level", 33)).state is CommandState.VERIFIED


async def test_sanity_rejects_once_and_passes_what_stays() -> None:
    """A lone jump is rejected and is no sign of life; three in a row pass as suspect."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5)
        device.state["level"] = 90
        await asyncio.sleep(0.36)
        assert hub.reading("lamp/level").last_known == 10
        device.state["level"] = 10
        await asyncio.sleep(2)
        device.state["level"] = 90
        await asyncio.sleep(1.2)
        reading = hub.reading("lamp/level")
        assert reading.value == 90
        device.state["level"] = 120
        await asyncio.sleep(1.2)
        reading = hub.reading("lamp/level")
        assert reading.value == 120
        assert reading.suspect
