"""Faults of an earlier temperature controller, each sought in the whole: hub, thermostat, plugs, sensor and store.

Numbers are those of section 9 of the fact sheet on temperature control. Other tests that show a fault to be absent are
named beside it in `tests/faults/temperature`; those of the site itself are in `test_site.py`.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.cli.error_log import errors_logged
from holdfast.control import AlarmKind, Role
from holdfast.drivers.kasa.planner import KasaPlanner
from holdfast.hub.events import Kind
from holdfast.hub.site.edit import put_device
from holdfast.model import CommandState
from tests.drivers.kasa.fake_kasa import FakePlug, Trouble
from tests.hub.controllers.house import PERSON, House, house, plug, site_of
from tests.hub.controllers.test_site_changes import heating, with_controller
from tests.link.house import loop
from tests.link.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.virtual

CYCLE_S = 10.0
BACK_S = CYCLE_S + 15.0
"""A needed OFF reaches a plug within this time of its return: fact sheet section 10, I5."""
SWITCHING = ("on", "on+arm", "off")
"""Calls that move a relay; reading goes on."""


def deafen(sick: FakePlug, trouble: Trouble) -> None:
    """Whatever would switch it fails; it goes on telling its state."""
    sick.troubles.update(dict.fromkeys(SWITCHING, trouble))


def ons(each: FakePlug) -> int:
    """How often it was told to be on."""
    return sum(name in ("on", "on+arm") for name in each.names())


async def truthful(home: House, seconds: float) -> None:
    """For so long a plug is shown as its relay really is, or as unknown."""
    end_t = home.loop.time() + seconds
    while home.loop.time() < end_t:
        for target, each in (("heater/switch", home.heater), ("fridge/switch", home.fridge)):
            assert home.value(target) in (None, each.is_on)
        assert home.value("fermenter/heating") in (None, home.heater.is_on)
        assert home.value("fermenter/cooling") in (None, home.fridge.is_on)
        assert home.state() != "heating" or home.heater.is_on
        await asyncio.sleep(0.25)


# --- commands that fail ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [Trouble.SAYS_NO, Trouble.SILENT, Trouble.RESET])
async def test_01_a_failed_off_is_tried_until_it_works(trouble: Trouble) -> None:
    """It is no OFF: the next one is not superfluous, and the heater is shown as it is."""
    async with house(17.0) as home:
        await heating(home)
        deafen(home.heater, trouble)
        home.temperature = 20.5
        await truthful(home, 120)
        assert home.heater.is_on
        home.heater.well()
        await home.until(lambda: not home.heater.is_on, BACK_S)
        await truthful(home, 30)


@pytest.mark.parametrize("wanted", [True, False])
async def test_02_what_failed_is_not_held_up(wanted: bool) -> None:
    """The pause between equal commands is for those that succeeded: one that failed is tried again sooner."""
    async with house(19.0 if wanted else 17.0) as home:
        await home.until(lambda: home.value("fermenter/heating") is (not wanted))
        await home.settled()
        before = len(home.heater.sends())
        deafen(home.heater, Trouble.SAYS_NO)
        home.temperature = 17.0 if wanted else 20.5
        await asyncio.sleep(120)
        tries = home.heater.sends()[before:]
        assert len(tries) >= 12
        assert max(later - earlier for earlier, later in pairwise(tries)) < CYCLE_S


@pytest.mark.parametrize("is_safety", [True, False])
async def test_03_a_lost_result_blocks_nothing(is_safety: bool) -> None:
    """The call never returns: the OFF that follows goes out all the same, as a command and as a standing order."""
    async with house(17.0) as home:
        await heating(home)
        deafen(home.heater, Trouble.SILENT)
        if is_safety:
            await home.done("fermenter/enabled", False)
        else:
            home.temperature = 20.5
        await asyncio.sleep(20)
        home.heater.well()
        await home.until(lambda: not home.heater.is_on, BACK_S)


async def test_04_what_nobody_confirmed_is_not_shown() -> None:
    """A command that is open for long has not succeeded; once it has failed it says so."""
    async with house(19.0) as home:
        await home.settled()
        deafen(home.heater, Trouble.SILENT)
        home.temperature = 17.0
        await truthful(home, 60)
        ended = [each for each in home.hub.receipts.values() if each.target == "heater/switch"]
        assert CommandState.VERIFIED not in {each.state for each in ended}
        assert CommandState.FAILED in {each.state for each in ended}
        home.heater.well()
        await home.until(lambda: home.value("fermenter/heating"), BACK_S)


@pytest.mark.parametrize("wanted", [True, False])
async def test_05_what_was_done_before_is_not_what_is_so(wanted: bool) -> None:
    """Somebody presses the button: the plug reports it, and is told again."""
    async with house(17.0 if wanted else 20.5, cooler=...) as home:
        await home.until(lambda: home.value("fermenter/heating") is wanted)
        await asyncio.sleep(30)
        home.heater.press()
        await home.until(lambda: home.heater.is_on is wanted, 2 * CYCLE_S + 1)
        await asyncio.sleep(2)
        assert home.value("fermenter/heating") is wanted


async def test_06_an_on_is_sent_once() -> None:
    """Ten minutes on: one command, one event, and the plug's timer renewed without it."""
    async with house(17.0) as home:
        await heating(home)
        told = home.texts("heating")
        await asyncio.sleep(600)
        assert ons(home.heater) == 1
        assert home.texts("heating") == told
        assert told.count("the heater is on") == 1


@pytest.mark.parametrize("wanted", [True, False])
async def test_06_what_is_refused_is_not_asked_again_at_once(
    monkeypatch: pytest.MonkeyPatch, wanted: bool
) -> None:
    """A driver that refuses every command is asked again in the next cycle, and the hub goes on meanwhile."""
    asked = 0
    serve = KasaPlanner._serve

    def refuse(planner: KasaPlanner, *given: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked > 200:  # virtual time would never go on
            return serve(planner, *given)
        raise ValueError("a bug of the driver")

    async with house(19.0 if wanted else 17.0) as home:
        await home.until(lambda: home.value("fermenter/heating") is (not wanted))
        await home.settled()
        with monkeypatch.context() as patch:
            patch.setattr(KasaPlanner, "_serve", refuse)
            home.temperature = 17.0 if wanted else 20.5
            await asyncio.sleep(60)
        assert 3 <= asked < 60
        await home.until(lambda: home.value("fermenter/heating") is wanted, BACK_S)


# --- limits, sensors and the switch ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "limits",
    [{"high": None}, {"low": None}, {"low": None, "high": None}],
    ids=["no high", "no low", "neither"],
)
async def test_07_without_a_limit_both_are_off(limits: dict[str, None]) -> None:
    """Not "never above" and not zero: nothing is switched on, and what is on goes off."""
    async with house(17.0, **limits) as home:
        await home.until(lambda: home.state() == "configuration error", 10)
        home.heater.press(is_on=True)
        home.fridge.press(is_on=True)
        await home.until(lambda: not home.heater.is_on and not home.fridge.is_on, CYCLE_S + 5)
        home.temperature = 25.0
        await asyncio.sleep(60)
        assert ons(home.heater) == ons(home.fridge) == 0
        assert "limit is missing" in str(home.value("fermenter/reason"))


async def test_10_without_a_sensor_nothing_left_over_heats() -> None:
    """Neither the last number of the sensor that went, nor one from before a restart."""
    async with house(17.0) as home:
        await heating(home)
        await home.living.edit(with_controller(sensor=...))
        await home.until(lambda: not home.heater.is_on, 5)
        await asyncio.sleep(60)
        await home.stop()
        await home.start()
        await asyncio.sleep(60)
        assert not home.heater.is_on
        assert "no sensor is assigned" in str(home.value("fermenter/reason"))
        assert ons(home.heater) == 1


@asynccontextmanager
async def slow_house(temperature: float, deadline_s: float) -> AsyncIterator[House]:
    """A house whose sensors are shown as live for long after they were heard."""
    site: dict[str, Any] = site_of()
    for device in site["devices"]:
        for capability in device.get("capabilities", {}).values():
            capability["deadline_s"] = deadline_s
    home = House(loop(), site)
    home.temperature = temperature
    await home.start()
    try:
        yield home
    finally:
        await home.stop(patience_s=0.0)


async def test_11_how_long_it_is_shown_is_not_how_long_it_is_trusted() -> None:
    """A sensor may be shown for half an hour; after four minutes nothing is switched on by it."""
    async with slow_house(17.0, deadline_s=1800) as home:
        await heating(home)
        home.temperature = None
        took_s = await home.until(lambda: not home.heater.is_on, 300)
        assert 230 <= took_s <= 245
        assert home.value("beer/temperature") == 17.0
        assert home.value("fermenter/temperature") is None
        assert home.state() == "safety: no reading"


async def test_11_another_sensor_is_no_substitute() -> None:
    """The assigned one falls silent, another one in the same room speaks on: both plugs are off."""
    async with house(17.0) as home:
        await heating(home)
        home.temperature = None
        for _ in range(60):
            home.post(17.0, "other/temperature")
            await asyncio.sleep(5)
        assert not home.heater.is_on
        assert home.value("other/temperature") == 17.0
        assert home.state() == "safety: no reading"


async def test_14_at_a_limit_nothing_is_exceeded() -> None:
    """Alarms are for what is beyond a limit, although switching begins at it."""
    async with house(18.0) as home:
        for temperature, alarms in [
            (18.0, set()),
            (17.99, {AlarmKind.BELOW_LOW}),
            (20.0, set()),
            (20.01, {AlarmKind.ABOVE_HIGH}),
            (18.0, set()),
        ]:
            home.temperature = temperature
            await asyncio.sleep(20)
            assert {key for ident, key in home.hub.alarms if ident == "fermenter"} == alarms


async def test_20_other_sensors_leave_no_trace_in_control() -> None:
    """A warmer and a colder one are heard beside the assigned one: they change nothing of it."""
    async with house(17.0) as home:
        await heating(home)
        decisions, calls = home.texts("control"), home.heater.sends()
        for value in (30.0, 5.0) * 30:
            home.post(value, "other/temperature")
            await asyncio.sleep(1)
            assert home.value("fermenter/temperature") == 17.0
            assert home.value("fermenter/state") == "heating"
        assert home.texts("control") == decisions
        assert home.heater.sends() == calls
        assert ons(home.fridge) == 0


# --- one path, and what is written down ----------------------------------------------------------------------------


async def test_15_a_test_goes_the_way_of_control() -> None:
    """What a person tries and what the thermostat does share one session: they work and fail together, by one cause."""
    async with house(19.0) as home:
        await home.settled()
        dials = len(home.library.dials)
        await home.done("heater/switch", True, take_over_s=60)
        await home.done("heater/switch", False)
        home.thermostat.give_back(Role.HEATER, PERSON)
        home.temperature = 17.0
        await home.until(lambda: home.value("fermenter/heating"), 30)
        assert len(home.library.dials) == dials
        assert (home.heater.open_objects, home.heater.most_running) == (1, 1)
        home.heater.trouble = Trouble.REFUSED
        home.temperature = 20.5
        await asyncio.sleep(60)
        control_says = home.hub.device("heater").active.link.reason.text
        assert "Unable to connect" in control_says
        tried = await home.command("heater/switch", False, take_over_s=60)
        assert tried.state in (CommandState.FAILED, CommandState.EXPIRED)
        assert control_says in tried.reason
        assert home.heater.open_objects == 0


@pytest.mark.blocking_allowed
async def test_16_errors_are_written(tmp_path: Path) -> None:
    """Each failed attempt of control is an event, is in the store, and is a line of the file, with a reason."""
    async with house(17.0) as home, errors_logged(home.hub, tmp_path, []):
        await heating(home)
        ledger = Ledger(home.hub)
        deafen(home.heater, Trouble.SAYS_NO)
        home.temperature = 20.5
        await asyncio.sleep(60)
        errors = ledger.of_kind("error")
        await home.hub.written()
        kept = await home.store.events(kind="error", limit=1000)
    assert len(errors) >= 3
    assert len(kept) >= len(errors)
    lines = (await asyncio.to_thread((tmp_path / "logs" / "errors.log").read_text)).splitlines()
    assert len(lines) >= len(errors)
    assert all("heater/switch" in line and "said no" in line for line in lines)


# --- plugs that do not answer --------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["all", "sets"])
async def test_21_a_silent_off_is_not_assumed(how: str) -> None:
    """Silent for longer than any cycle: never shown off, told again and again, and off soon after its return."""
    async with house(17.0) as home:
        await heating(home)
        before = len(home.heater.sends())
        if how == "all":
            home.heater.trouble = Trouble.SILENT
        else:
            deafen(home.heater, Trouble.SILENT)
        await home.done("fermenter/enabled", False)
        await truthful(home, 90)
        assert home.heater.is_on
        sends = home.heater.sends()[before:]
        if how == "sets":
            assert len(sends) >= 5
            assert max(later - earlier for earlier, later in pairwise(sends)) <= 15.0
        home.heater.well()
        await home.until(lambda: not home.heater.is_on, BACK_S)
        await home.until(lambda: home.value("fermenter/heating") is False, 5)


async def test_22_a_silent_on_is_not_assumed() -> None:
    """The relay never moves: "heating" is not said, whoever is silent, and the reason says why."""
    async with house(19.0) as home:
        await home.settled()
        home.heater.trouble = Trouble.SILENT
        home.temperature = 17.0
        await truthful(home, 120)
        assert home.value("fermenter/heating") is None
        assert home.state() == "safety: plug unreachable"
        assert home.texts("heating").count("the heater is on") == 0


@pytest.mark.parametrize("how", ["ignores", "says no", "silent"])
async def test_23_a_heater_that_stays_on_keeps_the_cooler_off(how: str) -> None:
    """No compressor is started against it, let alone again and again; it starts once, when the heater is off."""
    async with house(17.0) as home:
        await heating(home)
        if how == "ignores":
            home.heater.is_ignoring = True
        else:
            deafen(home.heater, Trouble.SAYS_NO if how == "says no" else Trouble.SILENT)
        home.temperature = 22.0
        for _ in range(40):
            await asyncio.sleep(5)
            assert home.heater.is_on
        assert ons(home.fridge) == 0
        home.heater.well()
        await home.until(lambda: home.fridge.is_on, 60)
        assert not home.heater.is_on
        await asyncio.sleep(60)
        assert ons(home.fridge) == 1


async def test_24_a_heater_given_another_address_is_seen_off_at_the_old_one() -> None:
    """It was on and silent when the site moved it: the new plug heats, and the old one is owed its OFF."""
    async with house(17.0) as home:
        await heating(home)
        home.heater.trouble = Trouble.SILENT
        await home.living.edit(lambda site: put_device(site, plug("heater", 3)))
        await asyncio.sleep(120)
        assert home.heater.is_on
        home.heater.well()
        await home.until(lambda: not home.heater.is_on, BACK_S)
        await home.until(lambda: home.spare.is_on, 60)
        assert not home.heater.is_on


@pytest.mark.parametrize("was_on", [True, False])
async def test_25_the_button_is_noticed(was_on: bool) -> None:
    """Within a poll the hub shows what somebody did at the plug, and tells it."""
    async with house(19.0) as home:
        await home.settled()
        await home.done("heater/switch", was_on, take_over_s=600)
        await asyncio.sleep(5)
        home.heater.press()
        await home.until(lambda: home.value("fermenter/heating") is (not was_on), CYCLE_S + 1)
        assert home.texts("heating")[-1] == f"the heater is {'off' if was_on else 'on'}"


async def test_26_a_sick_plug_holds_up_no_other() -> None:
    """The heater's plug is silent to everything; the cooler's OFF is on the wire within half a second."""
    async with house(21.0) as home:
        await home.until(lambda: home.value("fermenter/cooling"))
        home.heater.trouble = Trouble.SILENT
        await home.until(lambda: home.heater.running, CYCLE_S + 1)  # somebody waits for its answer
        home.temperature = 18.0
        home.post(18.0)
        assert await home.until(lambda: not home.fridge.is_on, 60) <= 0.5
        home.heater.well()


async def test_27_a_call_has_an_end_and_a_reason() -> None:
    """A silent set is given up after five seconds, three times, and each failure says what took how long."""
    async with house(19.0) as home:
        await home.settled()
        ledger = Ledger(home.hub)
        deafen(home.heater, Trouble.SILENT)
        began_t = home.loop.time()
        home.temperature = 17.0
        home.post(17.0)
        await home.until(lambda: len(ledger.of_kind("error")) >= 3, 120)
        assert home.loop.time() - began_t <= 3 * 5.0 + 1.0 + 2.0 + 8.0
        assert all("no answer in time, after 5.0 s" in each["reason"] for each in ledger.of_kind("error"))
        home.heater.well()


async def test_28_a_reading_is_as_old_as_it_is() -> None:
    """Its time is that of its packet, however often anybody looks, decides, or publishes something else."""
    async with house(17.0) as home:
        await heating(home)
        await asyncio.sleep(5)
        home.temperature = None
        before = home.hub.reading("fermenter/temperature")
        assert before.age_s is not None
        for seconds in range(1, 200):
            await asyncio.sleep(1)
            reading = home.hub.reading("fermenter/temperature")
            assert reading.observed_at == before.observed_at
            assert reading.age_s == pytest.approx(before.age_s + seconds)


# --- what is told ----------------------------------------------------------------------------------------------


async def test_34_a_safety_off_is_told_without_a_temperature() -> None:
    """There is none when the heater goes off for want of a reading; event, attempt and order are whole all the same."""
    async with house(17.0) as home:
        await heating(home)
        ledger = Ledger(home.hub)
        home.temperature = None
        await home.until(lambda: not home.heater.is_on, 260)
        await asyncio.sleep(5)
        assert home.value("fermenter/temperature") is None
        assert home.texts("heating")[-1] == "the heater is off"
        assert home.value("fermenter/heating") is False
        assert home.hub.device("heater").desk.orders["switch"].order.is_verified
        assert not home.hub.device("heater").desk.has_open_order
        results = ledger.results("result")
        assert [each["outcome"] for each in results if each["target"] == "heater/switch"] == ["verified"]


async def test_36_no_kind_of_event_is_dropped() -> None:
    """Whatever is noted is told and kept, also a kind that nobody has heard of yet."""
    async with house(17.0) as home:
        await heating(home)
        await home.done("fermenter/enabled", False)
        home.hub.note("swapped", "a kind of its own", device="fermenter")
        home.hub.note("stopped", "another one")
        await home.living.edit(lambda site: put_device(site, plug("another", 4)))
        await home.hub.written()
        told = {each.payload["kind"] for each in home.records if each.kind is Kind.EVENT}
        kept = {each.kind for each in await home.store.events(limit=10_000)}
    assert told >= {"hub", "order", "control", "heating", "sent", "result", "site", "swapped", "stopped"}
    assert kept >= told - {"renewal"}


async def test_38_the_compressor_rests() -> None:
    """For as long as the site says, and not for the usual time; the state says what is waited for."""
    async with house(21.0, cooler_min_off_s=900) as home:
        await home.until(lambda: home.value("fermenter/cooling"), 1000)
        home.temperature = 17.9
        await home.until(lambda: not home.fridge.is_on, 10)
        home.temperature = 21.0
        await asyncio.sleep(60)
        assert home.state() == "waiting to cool"
        await home.until(lambda: home.fridge.is_on, 1000)
        (off_t, _), (on_t, _) = home.fridge.moves[-2:]
        assert on_t - off_t >= 900
