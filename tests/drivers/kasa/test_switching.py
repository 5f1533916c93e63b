"""Verified switching: attempts, settling, what a plug that lies or stalls costs, and what is shown meanwhile."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from holdfast.model import CommandState, Quality
from tests.drivers.kasa.fake_kasa import FakePlug, Trouble
from tests.drivers.kasa.home import home_of, now, until

pytestmark = pytest.mark.virtual


async def test_a_healthy_plug_is_switched_and_proved_within_a_settle_time() -> None:
    """Half a second of settling and one read: no second set, no pre-read."""
    async with home_of(FakePlug()) as home:
        await home.online()
        began_t = now()
        receipt = await home.switch(True)
        assert receipt.state is CommandState.VERIFIED
        assert receipt.attempts == 1
        assert now() - began_t < 0.7
        assert len(home.plug.sends()) == 1
        assert home.value("switch") is True


@pytest.mark.parametrize("failing", [1, 2])
@pytest.mark.parametrize("trouble", [Trouble.SAYS_NO, Trouble.GARBLED, Trouble.SILENT])
async def test_later_attempts_come_at_their_pauses(failing: int, trouble: Trouble) -> None:
    """Pauses of 0, 1 and 2 s, counted from the end of the attempt before."""
    async with home_of(FakePlug()) as home:
        await home.online()
        home.plug.troubles["on"] = trouble
        asked_t = now()
        receipt = home.order(True)
        await until(lambda: len(home.plug.sends()) > failing - 1)
        attempt_s = 5.0 if trouble is Trouble.SILENT else 0.1
        await asyncio.sleep(attempt_s + 0.3)
        home.plug.troubles.clear()
        ended = await home.hub.ended(receipt)
        assert ended.state is CommandState.VERIFIED
        assert ended.attempts == failing + 1
        pauses = {1: 1.0, 2: 2.0}
        for number, (one, other) in enumerate(pairwise(home.plug.sends()), 1):
            assert pauses[number] <= other - one <= pauses[number] + attempt_s + 0.6
        assert now() - asked_t < 3.0 + failing * attempt_s + 1.5


async def test_a_plug_silent_to_commands_costs_five_seconds_an_attempt() -> None:
    """Three attempts, each cut off at 5 s, one send each; polls in between go on and the session lives."""
    async with home_of(FakePlug()) as home:
        await home.online()
        home.plug.troubles["on"] = Trouble.SILENT
        began_t = now()
        receipt = await home.switch(True)
        assert receipt.state is CommandState.FAILED
        assert "no answer in time" in receipt.reason
        assert receipt.attempts == len(home.plug.sends()) == 3
        assert 18.0 <= now() - began_t <= 40.0
        assert home.link.report.outage_count == 0


async def test_an_acknowledgement_without_effect_is_no_success() -> None:
    """Only a later read of the relay proves anything; after three attempts it says so."""
    async with home_of(FakePlug()) as home:
        await home.online()
        home.plug.is_ignoring = True
        receipt = await home.switch(True)
        assert receipt.state is CommandState.FAILED
        assert "reports off" in receipt.reason
        assert len(home.plug.sends()) == 3


async def test_an_effect_without_an_answer_is_believed_by_its_read_back() -> None:
    """The call fails and the relay has moved: the read-back, not the exception, decides."""
    async with home_of(FakePlug()) as home:
        await home.online()
        home.plug.acts_without_answer = True
        receipt = await home.switch(True)
        assert receipt.state is CommandState.VERIFIED
        assert receipt.attempts == 1
        assert home.plug.is_on


async def test_a_late_effect_is_waited_for() -> None:
    """A relay that moves 2.8 s after the last acknowledgement is seen soon, long before the next poll."""
    async with home_of(FakePlug()) as home:
        await home.online()
        home.plug.late_s = 2.8
        receipt = await home.switch(True)
        assert receipt.state is CommandState.VERIFIED
        (moved,) = home.plug.moves
        assert now() - moved[0] < 0.9


async def test_a_failed_set_leaves_the_state_unknown() -> None:
    """What was shown before the command is not shown again until a read has brought it."""
    async with home_of(FakePlug()) as home:
        await home.online()
        home.plug.trouble = Trouble.SILENT
        home.order(True)
        await asyncio.sleep(5.5)
        reading = home.hub.reading("plug/switch")
        assert reading.quality is Quality.UNKNOWN
        assert reading.value is None


async def test_off_overtakes_an_on_that_is_still_retried() -> None:
    """The newest wish wins: no ON is sent behind the OFF."""
    async with home_of(FakePlug(), fail_safe=False) as home:
        await home.online()
        await until(lambda: not home.hub.devices["plug"].desk.orders, 30)
        home.plug.troubles["on"] = Trouble.SAYS_NO
        first = home.order(True)
        await asyncio.sleep(0.5)
        second = await home.switch(False)
        assert home.hub.receipts[first.id].state is CommandState.SUPERSEDED
        assert second.state is CommandState.VERIFIED
        last_off = max(i for i, what in enumerate(home.plug.names()) if what == "off")
        await asyncio.sleep(20)
        assert "on" not in home.plug.names()[last_off:]


async def test_a_plug_that_comes_back_serves_the_waiting_command() -> None:
    """Refused for longer than all attempts: the command waits for the session, not the session for the command."""
    async with home_of(FakePlug()) as home:
        await home.online()
        home.plug.trouble = Trouble.REFUSED
        receipt = home.order(True, 120.0)
        await asyncio.sleep(30)
        home.plug.well()
        back_t = now()
        ended = await home.hub.ended(receipt)
        assert ended.state is CommandState.VERIFIED
        assert now() - back_t < 5.0


async def test_a_press_of_the_button_shows_at_the_next_poll() -> None:
    """Nobody tells: only polling sees it."""
    async with home_of(FakePlug()) as home:
        await home.online()
        home.plug.press()
        await asyncio.sleep(10.2)
        assert home.value("switch") is True


@pytest.mark.parametrize("trouble", [Trouble.KEY, Trouble.ZONE])
async def test_an_update_that_cannot_be_understood_falls_back_to_the_bare_state(trouble: Trouble) -> None:
    """The relay's state counts; the rest of the answer may be as strange as it likes."""
    async with home_of(FakePlug()) as home:
        await home.online()
        home.plug.troubles["update"] = trouble
        assert (await home.switch(True)).state is CommandState.VERIFIED
        await asyncio.sleep(60)
        assert home.value("switch") is True
        assert home.link.report.outage_count == 0
        assert home.plug.names().count("update") < 12


@pytest.mark.parametrize("trouble", list(Trouble))
@pytest.mark.parametrize("kind", ["XOR", "smart"])
async def test_every_trouble_is_survived_and_told(trouble: Trouble, kind: str) -> None:
    """Whatever fails for a minute: nothing escapes, one call at a time, and afterwards all is well by itself."""
    smart = FakePlug(family="SMART.KASAPLUG", encryption="KLAP")
    plug = FakePlug() if kind == "XOR" else smart
    async with home_of(plug) as home:
        await home.online()
        plug.trouble = trouble
        await asyncio.sleep(60)
        home.order(True)
        await asyncio.sleep(5)
        plug.well()
        await home.online(16 * 60)  # a refused login is rested for
        assert plug.most_running == 1
        assert (await home.switch(False)).state is CommandState.VERIFIED


async def test_one_lost_answer_is_no_outage() -> None:
    """The first read that fails is told; the second in a row ends the session."""
    async with home_of(FakePlug()) as home:
        await home.online()
        home.plug.next_troubles = [Trouble.TIMEOUT]
        await asyncio.sleep(15)
        assert home.link.report.outage_count == 0
        home.plug.next_troubles = [Trouble.TIMEOUT, Trouble.TIMEOUT]
        await asyncio.sleep(25)
        assert home.link.report.outage_count == 1
        assert home.link.reason.code.value == "ok"


async def test_a_meter_shows_itself() -> None:
    """Nobody said that the plug has one: its values come once they were seen twice."""
    plug = FakePlug(is_metered=True)
    async with home_of(plug) as home:
        await home.online()
        await home.switch(True)
        await asyncio.sleep(25)
        assert home.value("power") == 40.0
        assert home.value("energy_total") == 1.5
        assert home.value("rssi") == -50.0


async def test_a_meter_that_is_expected_and_missing_costs_one_more_connect() -> None:
    """The library may have lost it for that object's life: connected once more, and then it is as it is."""
    async with home_of(FakePlug(), expects_energy=True) as home:
        await home.online()
        assert len(home.library.dials) == 2
        await asyncio.sleep(60)
        assert len(home.library.dials) == 2
        assert home.value("power") is None
