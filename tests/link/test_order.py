"""Order by number, not by time: what was asked before a write proves nothing about it."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.model import CommandState, Quality
from tests.link.house import ME, command, hub_of, loop, spec
from tests.link.toys.lockstep import LineDevice

pytestmark = pytest.mark.virtual


async def test_old_answer_proves_nothing() -> None:
    """An answer to a question from before the write, arriving after it, does not verify the write."""
    device = LineDevice()
    device.answers_as_asked = True
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5)
        device.stuck.add("lamp")
        polls = device.polls
        device.reply_s = 0.7  # past the reply deadline of 0.65 s
        device.state["lamp"] = 1  # somebody presses the switch ...
        while device.polls == polls:  # noqa: ASYNC110 - time is virtual
            await asyncio.sleep(0.001)
        device.state["lamp"] = 0  # ... and presses it again: one late answer will show it on
        await asyncio.sleep(0.4)
        receipt = hub.command("lamp/lamp", True, ME)
        await asyncio.sleep(0.5)
        assert len(device.sets) == 1
        assert hub.reading("lamp/lamp").last_known is True
        assert hub.receipts[receipt.id].state is CommandState.SENT
        device.reply_s = 0.0
        assert (await hub.ended(receipt)).state is CommandState.FAILED


async def test_age_counts_from_the_question() -> None:
    """A slow answer is as old as its question."""
    device = LineDevice()
    device.reply_s = 0.3
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        ages = []
        await asyncio.sleep(5)
        for _ in range(100):
            await asyncio.sleep(0.01)
            ages.append(hub.reading("lamp/level").age_s)
        assert min(age for age in ages if age is not None) >= 0.3


async def test_open_command_makes_the_shown_value_unknown_after_a_second() -> None:
    """Tiles do not blink, but a command that stays open takes the value back until the device has spoken."""
    device = LineDevice()
    device.stuck.add("lamp")
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5)
        receipt = hub.command("lamp/lamp", True, ME)
        await asyncio.sleep(0.9)
        assert hub.reading("lamp/lamp").value is False
        await asyncio.sleep(0.3)
        assert hub.reading("lamp/lamp").quality is Quality.UNKNOWN
        assert hub.reading("lamp/lamp").last_known is False
        assert hub.reading("lamp/level").value == 10
        assert (await hub.ended(receipt)).state is CommandState.FAILED
        assert hub.reading("lamp/lamp").value is False


async def test_slow_effect_is_verified_by_a_later_poll() -> None:
    """A bus that takes half a second is one attempt and no failure."""
    device = LineDevice()
    device.effect_s = 0.5
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5)
        receipt = await command(hub, "lamp/lamp", True)
        assert receipt.state is CommandState.VERIFIED
        assert receipt.attempts == 1
        assert receipt.ended_after_s is not None
        assert 0.5 <= receipt.ended_after_s <= 0.9


@pytest.mark.parametrize(("acks", "limit_s"), [(True, 0.02), (False, 0.06)])
async def test_confirmation_is_quick(acks: bool, limit_s: float) -> None:
    """The confirming read goes at once after an answered write, about 30 ms after one that is not."""
    device = LineDevice()
    device.acks = acks
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5.1)
        for value in (True, False, True):
            receipt = await command(hub, "lamp/lamp", value)
            assert receipt.ended_after_s is not None
            assert receipt.ended_after_s <= limit_s
            await asyncio.sleep(0.5)


async def test_spacing_belongs_to_the_device() -> None:
    """Steps to one device keep 200 ms between them, however many commands wait."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5)
        receipts = [hub.command("lamp/lamp", True, ME), hub.command("lamp/level", 20, ME)]
        ended = [await hub.ended(each) for each in receipts]
        assert {each.state for each in ended} == {CommandState.VERIFIED}
        first, second = (t for t, _, _ in device.sets)
        assert second - first >= 0.2


async def test_slow_acks_are_learned() -> None:
    """A device that acknowledges late is not sent a poll on top of an unanswered write for ever."""
    device = LineDevice()
    await device.listen("lamp")
    host = loop().network.host("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        from holdfast.simulation import Latency

        await asyncio.sleep(5)
        host.latency = Latency(base_s=0.04, jitter_s=0.0)
        (link,) = hub.links.values()
        learned = []
        for value, acks in ((20, True), (30, True), (40, False)):
            device.acks = acks
            assert (await command(hub, "lamp/level", value)).state is CommandState.VERIFIED
            learned.append(link.acks_come)
        assert learned == [True, True, False]


@pytest.mark.parametrize("phase", range(6))
async def test_no_command_is_verified_by_an_answer_older_than_itself(phase: int) -> None:
    """A device that turned slow shows in a late answer what was so before the command: that proves nothing.

    The worst of the late answers: a receipt says verified, and the device never did it.
    """
    device = LineDevice()
    device.answers_as_asked = True
    device.state["lamp"] = 1
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(3)
        device.reply_s = 1.04
        await asyncio.sleep(0.35 + 0.03 * phase)
        device.state["lamp"] = 0  # by a wall switch
        device.stuck = {"lamp"}
        receipt = await hub.ended(hub.command("lamp/lamp", True, ME, 3.0))
        assert receipt.state is not CommandState.VERIFIED
