"""The plug by itself, without a network: relay, meter, timers, and what they say of themselves."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.simulation import run_virtual
from holdfast.simulators.kasa import (
    LEGACY,
    PROFILES,
    Cause,
    Firmware,
    Identity,
    KasaPlug,
    NoEffect,
    Part,
    Plug,
    Stall,
    TimerHabits,
    Timetable,
    Welded,
    Which,
    random_timetable,
    smart,
)
from holdfast.simulators.kasa.access import Access
from holdfast.simulators.kasa.behaviour import Behaviour, Handling, Reply
from holdfast.simulators.kasa.demo import demo_plugs
from holdfast.simulators.kasa.iot import IotLanguage
from holdfast.simulators.kasa.klap import Account
from holdfast.simulators.kasa.smart import SmartLanguage
from holdfast.simulators.kasa.trouble import Troubles

if TYPE_CHECKING:
    from holdfast.simulation import VirtualLoop

virtual = pytest.mark.virtual

SMART = smart(Account())


def access_to(plug: Plug, firmware: Firmware = LEGACY, **settings: Any) -> Access:
    return Access(plug, plug.identity, firmware, plug.show, plug.switch, **settings)


# --- meter ---------------------------------------------------------------------------------------------------


@virtual
async def test_energy_over_midnight() -> None:
    """Each day has its own account, and the month has both."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    first = datetime(2026, 3, 10, 22, 0, tzinfo=UTC)
    plug = Plug(load_w=100.0, wall=lambda: first + (datetime.fromtimestamp(loop.time() - began, UTC) - EPOCH))
    plug.start()
    plug.switch(True)
    assert plug.show().flow.power_w == 0.0  # the meter is slow
    await asyncio.sleep(4 * 3600.0)
    assert plug.show().flow.power_w == 100.0
    assert plug.meter.days_of(2026, 3) == pytest.approx({10: 200.0, 11: 200.0})
    assert plug.meter.months_of(2026) == pytest.approx({3: 400.0})
    plug.load_w = 0.0  # somebody unplugs the appliance
    await asyncio.sleep(3600.0)
    assert plug.show().flow.total_wh == pytest.approx(400.0)
    assert plug.is_on


EPOCH = datetime.fromtimestamp(0, UTC)


@virtual
async def test_welded_contacts() -> None:
    """The relay says off, the current flows."""
    async with KasaPlug(Plug(load_w=40.0, is_on=True), rng=random.Random(1), host="plug") as station:
        station.begin(Welded())
        station.plug.switch(False)
        await asyncio.sleep(3.0)
        shown = station.plug.show()
        assert (shown.is_on, shown.flow.power_w, station.plug.is_live) == (False, 40.0, True)
        station.end(Welded())
        assert not station.plug.is_live


# --- timers --------------------------------------------------------------------------------------------------


@virtual
@pytest.mark.parametrize("clears", [False, True])
async def test_button_and_rule(clears: bool) -> None:
    """Whether a press forgets the rule is not known, so both can be had."""
    plug = Plug(habits=TimerHabits(button_clears_rule=clears))
    plug.start()
    plug.switch(True)
    plug.countdown.add(60.0, turns_on=False)
    plug.press()
    plug.press()
    await asyncio.sleep(61.0)
    assert plug.is_on is clears
    plug.stop()


@virtual
async def test_rule_that_has_acted_is_still_there() -> None:
    """It stands in the list, switched off, and another one is refused until it is deleted."""
    plug = Plug(is_on=True)
    plug.start()
    language, access = IotLanguage(), access_to(plug)
    add: dict[str, Any] = {"count_down": {"add_rule": {"enable": 1, "delay": 5, "act": 0, "name": "x"}}}
    assert language.answer(add, access)["count_down"]["add_rule"]["err_code"] == 0
    await asyncio.sleep(5.0)
    assert plug.truth.relay[-1][1:] == (False, Cause.TIMER)
    (rule,) = language.answer({"count_down": {"get_rules": {}}}, access)["count_down"]["get_rules"][
        "rule_list"
    ]
    assert (rule["enable"], rule["remain"]) == (0, 0)
    assert language.answer(add, access)["count_down"]["add_rule"]["err_code"] != 0
    edit = {"count_down": {"edit_rule": {"id": rule["id"], "enable": 1, "delay": 7, "act": 1}}}
    assert language.answer(edit, access)["count_down"]["edit_rule"]["err_code"] == 0
    await asyncio.sleep(7.0)
    assert plug.truth.relay[-1][1:] == (True, Cause.TIMER)
    delete = {"count_down": {"delete_rule": {"id": rule["id"]}}}
    assert language.answer(delete, access)["count_down"]["delete_rule"]["err_code"] == 0
    assert language.answer(delete, access)["count_down"]["delete_rule"]["err_code"] != 0
    assert plug.countdown.rule is None


@virtual
async def test_newer_countdown() -> None:
    """The same rule in the other language."""
    plug = Plug(is_on=True)
    plug.start()
    language, access = SmartLanguage(), access_to(plug, SMART)
    rule = {"delay": 30, "desired_states": {"on": False}, "enable": True, "remain": 30}
    add = {"method": "add_countdown_rule", "params": rule}
    number = language.answer(add, access)["result"]["id"]
    assert language.answer(add, access) == {"error_code": -1902}
    listed = language.answer({"method": "get_countdown_rules"}, access)["result"]["rule_list"]
    assert [entry["id"] for entry in listed] == [number]
    await asyncio.sleep(30.0)
    assert plug.truth.relay[-1].cause is Cause.TIMER
    assert language.answer({"method": "remove_countdown_rules", "params": {"all": True}}, access) == {
        "error_code": 0
    }
    assert plug.countdown.rule is None


@virtual
@pytest.mark.parametrize(("restarts", "off_after_s"), [(False, 600.0), (True, 900.0)])
async def test_habits_of_auto_off(restarts: bool, off_after_s: float) -> None:
    """Whether setting it again, and "on" while on, count anew is not known, so both can be had."""
    plug = Plug(habits=TimerHabits(setting_restarts=restarts, on_restarts=restarts))
    plug.start()
    plug.auto_off.configure(is_enabled=True, delay_min=10, starts_now=False)
    plug.switch(True)
    began = asyncio.get_running_loop().time()
    await asyncio.sleep(300.0)
    plug.switch(True)
    await asyncio.sleep(700.0)
    assert plug.truth.relay[-1].t == pytest.approx(began + off_after_s)


# --- languages -----------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
modules = st.sampled_from(["system", "count_down", "emeter", "time", "schedule", "nothing"])
methods = st.sampled_from(
    ["get_sysinfo", "set_relay_state", "add_rule", "edit_rule", "delete_rule", "get_daystat"]
)
arguments = st.dictionaries(
    st.sampled_from(["state", "delay", "act", "enable", "id", "year", "month", "name"]), json_values
)
iot_requests = st.dictionaries(modules, json_values | st.dictionaries(methods, json_values | arguments))
smart_methods = st.sampled_from(
    [
        "set_device_info",
        "set_auto_off_config",
        "add_countdown_rule",
        "edit_countdown_rule",
        "set_led_info",
        "none",
    ]
)
smart_params = st.dictionaries(
    st.sampled_from(["device_on", "enable", "delay_min", "delay", "desired_states", "id", "led_rule"]),
    json_values,
)
smart_requests = st.fixed_dictionaries(
    {"method": smart_methods | json_values, "params": json_values | smart_params}
)


@given(iot_requests, smart_requests)
def test_no_request_breaks_the_plug(iot_request: dict[str, Any], smart_request: dict[str, Any]) -> None:
    """Any JSON object is answered, with error codes where it makes no sense."""

    async def main(_loop: VirtualLoop) -> None:
        plug = Plug()
        plug.start()
        iot, newer = IotLanguage(), SmartLanguage()
        iot.wishes(iot_request)
        iot.answer(iot_request, access_to(plug))
        batch = {"method": "multipleRequest", "params": {"requests": [smart_request, smart_request]}}
        for request in (smart_request, batch, {"method": "multipleRequest", "params": smart_request}):
            newer.wishes(request)
            newer.answer(request, access_to(plug, SMART))
        plug.stop()

    run_virtual(main)


@virtual
async def test_unknown_words() -> None:
    """As the fact sheet has it: a module that is not there, and a method that is not."""
    plug = Plug(Identity(has_meter=False))
    plug.start()
    answer = IotLanguage().answer({"emeter": {"get_realtime": {}}, "system": {"dance": {}}}, access_to(plug))
    assert answer["emeter"] == {"err_code": -1, "err_msg": "module not support"}
    assert answer["system"]["dance"]["err_code"] == -2
    assert SmartLanguage().answer({"method": "dance"}, access_to(plug, SMART)) == {"error_code": -1002}


@virtual
async def test_batch_ends_at_the_first_error() -> None:
    """What comes behind it is not answered, and not done."""
    plug = Plug()
    plug.start()
    wishes = [{"method": "dance"}, {"method": "set_device_info", "params": {"device_on": True}}]
    request = {"method": "multipleRequest", "params": {"requests": wishes}}
    answer = SmartLanguage().answer(request, access_to(plug, SMART))
    assert [response["method"] for response in answer["result"]["responses"]] == ["dance"]
    assert not plug.is_on


# --- faults and timetables -------------------------------------------------------------------------------------


def troubles() -> Troubles:
    station = KasaPlug(rng=random.Random(1))
    return Troubles(Behaviour(firmware=LEGACY), station, lambda: None)


def test_faults_are_counted() -> None:
    """So many requests of its kind, no others; used up, it still ends like any other."""
    target = troubles()
    target.begin(NoEffect(times=2))
    seen = [target.handle(which).effect for which in (Which.READ, Which.SET, Which.SET, Which.SET)]
    assert seen == [Part.BOTH, Part(0), Part(0), Part.BOTH]
    target.end(NoEffect(times=2))
    with pytest.raises(ValueError, match="has not begun"):
        target.end(NoEffect(times=2))


def test_faults_add_up() -> None:
    """Two at once are both felt, in order of their beginning."""
    target = troubles()
    target.begin(NoEffect(part=Part.TIMER))
    target.begin(Stall(which=Which.SET))
    handling = target.handle(Which.SET)
    assert handling == Handling(reply=Reply.NOTHING, is_done=False, effect=Part.RELAY)
    assert target.handle(Which.READ) == Handling()
    target.end_all()
    assert target.handle(Which.SET) == Handling()


@pytest.mark.parametrize("profile", PROFILES)
def test_timetables(profile: str) -> None:
    """Drawn from the seed, in order, each end behind its beginning."""
    table = random_timetable(random.Random(4), 24.0, profile)
    assert str(table) == str(random_timetable(random.Random(4), 24.0, profile))
    moments = table.moments()
    assert [moment.at_s for moment in moments] == sorted(moment.at_s for moment in moments)
    assert bool(table.entries) is (profile != "none")
    with pytest.raises(ValueError, match="last less"):
        Timetable([(0.0, -1.0, Stall())])


@virtual
async def test_leaves_nothing_behind() -> None:
    """Started and stopped twice, in the middle of everything."""
    loop = asyncio.get_running_loop()
    for seed in range(5):
        timetable = random_timetable(random.Random(seed), 2.0, "hostile")
        station = KasaPlug(rng=random.Random(seed), host=f"plug{seed}", timetable=timetable)
        for _ in range(2):
            async with station:
                station.plug.countdown.add(1e4, turns_on=False)
                await asyncio.sleep(random.Random(seed).uniform(100.0, 7000.0))
                with pytest.raises(RuntimeError):
                    await station.start()
            assert station.is_there
            assert not station.faults
        await station.stop()
    await asyncio.sleep(0)
    assert [line for line in loop.leftovers() if "plug" in line] == []  # type: ignore[attr-defined]


def test_firmware_that_cannot_be() -> None:
    """The SMART family does not speak the legacy cipher."""
    with pytest.raises(ValueError, match="SMART"):
        replace(LEGACY, family=SMART.family)


@virtual
async def test_demo_plugs() -> None:
    """Two plugs on two hosts, under one port number."""
    heater, cooler = demo_plugs(hosts=("heater", "cooler"), port=9999)
    async with heater, cooler:
        assert (heater.port, cooler.port) == (9999, 9999)
        assert heater.plug.identity.mac != cooler.plug.identity.mac
        assert "9999" in repr(heater)
