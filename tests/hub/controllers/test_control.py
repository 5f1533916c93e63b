"""The thermostat at work: it heats, cools, keeps off what is unsafe, and takes what people ask."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from holdfast.drivers.kasa.planner import KasaPlanner
from holdfast.hub.controllers.asked import NotPossible
from holdfast.model import CommandState
from tests.hub.controllers.house import PERSON, ROBOT, house

pytestmark = pytest.mark.virtual


async def test_it_heats_up_to_the_high_limit() -> None:
    """From the low limit on the heater is on, and off at the high one, each shown once it is proven."""
    async with house(18.0) as home:
        await home.until(lambda: home.heater.is_on)
        await home.until(lambda: home.state() == "heating", 2)
        assert home.value("fermenter/heating") is True
        assert home.value("fermenter/cooling") is False
        home.temperature = 19.9
        await asyncio.sleep(60)
        assert home.heater.is_on
        home.temperature = 20.0
        await home.until(lambda: not home.heater.is_on, 6)
        assert not home.fridge.is_on
        await home.until(lambda: len(home.texts("heating")) == 3, 2)
        assert home.texts("heating") == ["the heater is off", "the heater is on", "the heater is off"]


async def test_a_decision_reaches_the_wire_at_once() -> None:
    """An OFF follows its reading within half a second."""
    async with house(17.0) as home:
        await home.until(lambda: home.value("fermenter/heating"))
        home.temperature = 20.5
        home.post(20.5)
        took_s = await home.until(lambda: not home.heater.is_on, 2)
        assert took_s <= 0.5


async def test_without_a_reading_all_is_off_and_told_once() -> None:
    """Four minutes after the last reading both plugs are ordered off; it goes on when readings return."""
    async with house(17.0) as home:
        await asyncio.sleep(1000)  # a new sensor may be silent for a quarter of an hour without an alarm
        assert home.heater.is_on
        home.temperature = None
        await home.until(lambda: not home.heater.is_on, 260)
        assert home.state() == "safety: no reading"
        assert home.value("fermenter/temperature") is None
        assert home.hub.reading("fermenter/temperature").last_known == 17.0
        home.heater.press(is_on=True)
        await home.until(lambda: not home.heater.is_on, 15)
        assert home.alarms().count(("fermenter/no_reading", True)) == 1
        home.temperature = 17.0
        await home.until(lambda: home.heater.is_on, 30)
        assert home.alarms().count(("fermenter/no_reading", False)) == 1


async def test_disabled_means_off() -> None:
    """Switched off by anybody the plugs go off and stay off, whoever presses their buttons."""
    async with house(17.0) as home:
        await home.until(lambda: home.heater.is_on)
        await home.done("fermenter/enabled", False, issuer=ROBOT)
        await home.until(lambda: not home.heater.is_on, 5)
        home.heater.press(is_on=True)
        await home.until(lambda: not home.heater.is_on, 15)
        assert home.state() == "off"
        await home.done("fermenter/enabled", True)
        await home.until(lambda: home.heater.is_on, 30)


async def test_limits_are_taken_as_entered() -> None:
    """In °C or °F, and refused where they cannot be used; a refused one changes nothing."""
    async with house(22.0) as home:
        await home.done("fermenter/high", 22)
        await home.done("fermenter/low", "68 °F")
        receipt = await home.command("fermenter/high", 19)
        assert receipt.state is CommandState.REFUSED
        assert "must be below" in receipt.reason
        await home.done("fermenter/high", "74 °F")
        assert home.value("fermenter/low") == 20.0
        assert home.value("fermenter/high") == pytest.approx(23.333333)
        for bad in (None, "warm", True):
            assert (await home.command("fermenter/high", bad)).state is CommandState.REFUSED
        assert (await home.command("fermenter/state", "idle")).reason.endswith("read-only")


async def test_the_band_for_cooling_is_set_with_the_limits() -> None:
    """Each plug has its half; it survives a restart, and an export has it."""
    async with house(19.0, high=19.0, cooling={"low": 19.0, "high": 20.0}) as home:
        home.thermostat.set_limits({"low": 20, "high": 21, "cooling": {"low": 21, "high": "72 °F"}}, PERSON)
        await home.stop()
        await home.start()
        limits = home.thermostat.settings.limits
        assert (limits.band, limits.cooling) == ((20, 21), (21, "72 °F"))
        (raw,) = home.living.in_force["controllers"]
        assert (raw["low"], raw["cooling"]) == (20, {"low": 21, "high": "72 °F"})
        with pytest.raises(NotPossible, match="neither cooling limit may be below"):
            home.thermostat.set_limits({"low": 20, "high": 23}, PERSON)
        home.thermostat.set_limits({"low": 17, "high": 23, "cooling": None}, PERSON)
        assert home.thermostat.settings.limits.cooling is None
        home.thermostat.set_limits({"low": 17, "high": 19, "cooling": {"low": 19, "high": 20}}, PERSON)
        assert "cooling" not in home.thermostat.entered.entries


async def test_what_was_set_survives_a_restart_until_the_site_says_otherwise() -> None:
    """Limits and the switch are kept; a site that changes one of them is the newer word."""
    async with house(21.0) as home:
        await home.done("fermenter/low", 16)
        await home.done("fermenter/high", 17)
        await home.done("fermenter/enabled", False)
        await home.stop()
        await home.start()
        assert (home.value("fermenter/low"), home.value("fermenter/high")) == (16.0, 17.0)
        assert home.value("fermenter/enabled") is False
        await home.stop()
        home.site["controllers"][0]["low"] = 15
        await home.start()
        assert (home.value("fermenter/low"), home.value("fermenter/high")) == (15.0, 17.0)
        assert home.value("fermenter/enabled") is False


async def test_others_are_refused() -> None:
    """A plug belongs to its controller; a person may take it over, a script may not, and it is given back."""
    async with house(19.0) as home:
        await home.settled()
        refused = await home.command("heater/switch", True)
        assert refused.state is CommandState.REFUSED
        assert refused.reason == "heater/switch belongs to fermenter: a person may take it over (take_over_s)"
        refused = await home.command("heater/switch", True, ROBOT, take_over_s=60)
        assert refused.reason == "only a person may take over what a controller owns"
        for bad in (0, -1, float("nan"), 1e9):
            refused = await home.command("heater/switch", True, take_over_s=bad)
            assert refused.state is CommandState.REFUSED
        await home.done("heater/switch", True, take_over_s=60)
        assert "taken over" in str(home.value("fermenter/reason"))
        assert (await home.command("fridge/switch", True, take_over_s=60)).state is CommandState.REFUSED
        await home.done("heater/switch", False)
        await home.done("heater/switch", True)
        await home.until(lambda: not home.heater.is_on, 80)
        assert (await home.command("heater/switch", True)).state is CommandState.REFUSED
        await home.done("heater/switch", True, take_over_s=600)
        home.thermostat.give_back(home.thermostat.settings.roles[0], PERSON)
        await home.until(lambda: not home.heater.is_on, 15)


async def test_what_a_person_tried_in_vain_is_not_the_controllers_trouble() -> None:
    """The plug ignored a person's OFF; given back, the controller's own OFF works, and nothing is alarmed."""
    async with house(17.0) as home:
        await home.until(lambda: home.value("fermenter/heating"))
        home.heater.is_ignoring = True
        receipt = await home.command("heater/switch", False, take_over_s=60)
        assert receipt.state is CommandState.FAILED
        home.heater.well()
        home.temperature = 20.5
        await home.until(lambda: not home.heater.is_on, 90)
        assert ("fermenter/heater_unreachable", True) not in home.alarms()


async def test_a_take_over_never_goes_against_safety() -> None:
    """While nothing is read, and when reading stops, a person's ON is refused or ended."""
    async with house(19.0) as home:
        await home.settled()
        await home.done("heater/switch", True, take_over_s=3600)
        home.temperature = None
        await home.until(lambda: not home.heater.is_on, 260)
        refused = await home.command("heater/switch", True, PERSON, take_over_s=3600)
        assert refused.state is CommandState.REFUSED
        assert "standing order" in refused.reason


async def test_heater_and_cooler_never_at_once() -> None:
    """The cooler waits for the heater's proven OFF, however long the heater's plug is silent."""
    from tests.drivers.kasa.fake_kasa import Trouble

    async with house(17.0) as home:
        await home.until(lambda: home.value("fermenter/heating"))
        home.heater.trouble = Trouble.SILENT
        home.temperature = 22.0
        await asyncio.sleep(200)
        assert not home.fridge.is_on
        assert home.state() == "safety: plug unreachable"
        assert home.alarms().count(("fermenter/heater_unreachable", True)) == 1
        home.heater.well()
        await home.until(lambda: not home.heater.is_on, 25)
        await home.until(lambda: home.fridge.is_on, 15)
        assert home.alarms().count(("fermenter/heater_unreachable", True)) == 1


async def test_a_profile_moves_the_limits() -> None:
    """Steps by time; the position outlives a restart, and limits set by hand leave a profile that is over."""
    async with house(19.0) as home:
        control = home.thermostat
        control.set_profile(
            [{"low": 10, "high": 12, "hold_s": 3600}, {"low": 14, "high": 16, "ramp_s": 7200}], PERSON
        )
        await asyncio.sleep(30)
        assert (home.value("fermenter/low"), home.value("fermenter/high")) == (10.0, 12.0)
        receipt = await home.command("fermenter/low", 9)
        assert receipt.state is CommandState.REFUSED
        await asyncio.sleep(3600 + 3600)
        assert home.value("fermenter/low") == pytest.approx(12.0, abs=0.05)
        await home.stop()
        await asyncio.sleep(600)
        await home.start()
        await asyncio.sleep(30)
        assert home.value("fermenter/low") == pytest.approx(12.37, abs=0.05)
        await asyncio.sleep(3600)
        assert home.value("fermenter/low") == 14.0
        await home.done("fermenter/low", 13)
        assert (home.value("fermenter/low"), home.value("fermenter/high")) == (13.0, 16.0)
        assert not home.thermostat.settings.profile


async def test_the_record_comes_before_the_on() -> None:
    """What the next run must respect is in the store before the relay is told; a slow store delays only the ON."""
    async with house(17.0) as home:
        home.store.delay_s = 0.8
        await home.until(lambda: home.heater.is_on, 60)
        saved = await home.store.saved()
        memory = saved.memories["fermenter", "memory"].value
        assert memory["plugs"]["heater"]["tried_at"] is not None


@pytest.mark.parametrize("reading", [None, 17.0])
async def test_a_stop_is_short(reading: float | None) -> None:
    """Orders that were held and are verified hold up nobody; a heater that is on is seen off."""
    async with house(reading) as home:
        await asyncio.sleep(60)
        began_t = home.loop.time()
        await home.stop()
        assert not home.heater.is_on
        assert home.loop.time() - began_t <= 1.0
        assert not [text for text in home.texts("order") if "could not" in text]
        await home.start()


@pytest.mark.parametrize("wanted", [True, False])
async def test_a_refused_command_is_given_again_in_the_next_cycle(
    monkeypatch: pytest.MonkeyPatch, wanted: bool
) -> None:
    """A driver that refuses at once does not make the thermostat ask it again and again without a pause."""
    asked: list[float] = []
    async with house(19.0 if wanted else 17.0) as home:
        await home.until(lambda: home.value("fermenter/heating") is (not wanted))
        await home.settled()
        serve = KasaPlanner._serve

        def refuse(planner: KasaPlanner, *given: Any) -> Any:
            asked.append(home.loop.time())
            if len(asked) > 200:  # or virtual time would never go on
                return serve(planner, *given)
            raise ValueError("a bug of the driver")

        monkeypatch.setattr(KasaPlanner, "_serve", refuse)
        home.temperature = 17.0 if wanted else 20.5
        home.post(home.temperature)
        await asyncio.sleep(60)
        monkeypatch.undo()
        assert len(asked) < 60


async def test_a_fault_of_ours_leaves_no_heater_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision that raises is told, both plugs are kept off, and the next good one ends that."""
    from holdfast.hub.controllers import thermostat

    async with house(17.0) as home:
        await home.until(lambda: home.value("fermenter/heating"))

        def fails(*given: Any) -> Any:
            raise ZeroDivisionError("a fault of ours")

        with monkeypatch.context() as patched:
            patched.setattr(thermostat, "decide", fails)
            await home.until(lambda: not home.heater.is_on, 15)
            home.heater.press(is_on=True)
            await home.until(lambda: not home.heater.is_on, 15)
            assert home.alarms().count(("fermenter/fault", True)) == 1
        await home.until(lambda: home.heater.is_on, 30)
        assert home.alarms()[-1] == ("fermenter/fault", False)


async def test_the_journal_is_not_drowned_by_one_plug() -> None:
    """Of the tries of an order that nobody obeys the first are kept, then a few; all are told."""
    async with house(None) as home:
        await asyncio.sleep(20)
        home.heater.is_ignoring = True
        home.heater.press(is_on=True)
        await asyncio.sleep(3600)
        assert len(home.heater.sends()) > 250
        told = [text for text in home.texts("sent") if text.startswith("heater")]
        kept = await home.store.events(kind="sent", device="heater", limit=1000)
        assert len(told) > 250
        assert 20 <= len(kept) <= 30


async def test_a_verified_order_is_not_believed_without_a_session() -> None:
    """The plug is away for long and comes back on: OFF reaches it as soon as if it had never been verified."""
    from tests.drivers.kasa.fake_kasa import Trouble

    async with house(None) as home:
        await asyncio.sleep(60)
        home.heater.trouble = Trouble.REFUSED
        await asyncio.sleep(1800)
        home.heater.press(is_on=True)
        home.heater.well()
        took_s = await home.until(lambda: not home.heater.is_on, 60)
        assert took_s <= 25


async def test_an_order_that_was_verified_before_an_outage_does_not_end_in_it() -> None:
    """Released while the plug is away it stands until the plug is back and off."""
    from tests.drivers.kasa.fake_kasa import Trouble

    async with house(None) as home:
        await asyncio.sleep(60)
        home.heater.trouble = Trouble.REFUSED
        await asyncio.sleep(60)
        home.temperature = 19.0
        await home.until(lambda: home.state() == "safety: plug unreachable")
        assert "switch" in home.hub.device("heater").desk.orders
        home.heater.press(is_on=True)
        home.heater.well()
        await home.until(lambda: not home.heater.is_on, 25)


async def test_a_dead_store_does_not_chill_the_beer() -> None:
    """A store that fails is waited for a second, no longer."""
    from holdfast.hub.ports import StoreError, Trouble

    async with house(None) as home:
        await asyncio.sleep(20)
        home.store.fault = StoreError(Trouble.FULL, "the disk is full")
        home.temperature = 17.0
        await home.until(lambda: home.heater.is_on, 20)
        home.temperature = 21.0
        await home.until(lambda: not home.heater.is_on, 10)
