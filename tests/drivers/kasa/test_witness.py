"""The meter as a second witness: two warnings beside the relay's state, never in its place."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.drivers.kasa.planner import KasaPlanner
from holdfast.drivers.kasa.state import PlugState
from holdfast.drivers.kasa.witness import Objection, Witness, looked, switched
from holdfast.link.planner import Sight, Wait, Warn, WireLog
from holdfast.model import CommandState, Stamp
from holdfast.simulators.kasa import Identity, Plug, Stall, Welded, Which
from tests.drivers.kasa.home import now
from tests.drivers.kasa.real_home import metered, one_plug
from tests.simulators.kasa.real import KINDS

if TYPE_CHECKING:
    from tests.drivers.kasa.real_home import Street

each_kind = pytest.mark.parametrize("name", ["legacy", "klap2", "smart"])


# --- pure ------------------------------------------------------------------------------------------------------------


def witness_of(*looks: tuple[float, bool, float | None], before: Witness | None = None) -> Witness:
    """After looks at these times: relay and watts."""
    witness = before or Witness()
    for t, is_on, power in looks:
        witness = looked(witness, is_on=is_on, power=power, t=t)
    return witness


def said(witness: Witness, at: float) -> list[str]:
    """The keys of what the planner warns of then."""
    power = None if witness.objection is None else 0.0 if witness.objection is Objection.IDLE else 40.0
    state = PlugState(bool(witness.is_on), power=power, witness=witness)
    sight = Sight(Stamp(at, 10), at, state, {})
    actions = list(KasaPlanner()([], {("", "live"): sight}, WireLog(), at))
    assert all(action.until > at for action in actions if isinstance(action, Wait))
    assert bool(actions) is (power is not None)  # it comes back to it by itself
    return [action.key for action in actions if isinstance(action, Warn)]


def test_on_and_idle_for_a_minute() -> None:
    """Not before sixty seconds, and not by one look alone."""
    idle = witness_of((0.0, True, 0.9), (10.0, True, 0.0))
    assert idle.objection is Objection.IDLE
    assert said(idle, 59.9) == []
    assert said(idle, 60.0) == ["power"]
    assert said(witness_of((0.0, True, 0.0)), 100.0) == []
    assert said(witness_of((0.0, True, 1.0), (10.0, True, 40.0)), 100.0) == []
    assert said(witness_of((0.0, True, 0.5), (50.0, True, 1.0), (60.0, True, 0.5)), 100.0) == []


def test_off_and_current_flows() -> None:
    """At the second look."""
    flowing = witness_of((0.0, False, 2.1), (10.0, False, 1500.0))
    assert flowing.objection is Objection.FLOWING
    assert said(flowing, 10.0) == ["switch"]
    assert said(witness_of((0.0, False, 1500.0)), 0.0) == []
    assert said(witness_of((0.0, False, 2.0), (10.0, False, 2.0)), 10.0) == []


def test_after_a_switch_the_meter_lags() -> None:
    """Looks within three seconds of one count for nothing, whoever switched."""
    told = switched(witness_of((0.0, True, 1500.0)), 5.0)
    early = witness_of((5.5, False, 1500.0), (6.2, False, 1500.0), (7.9, False, 1500.0), before=told)
    assert early.objection is None
    by_hand = witness_of((0.0, True, 1500.0), (10.0, False, 1500.0), (12.9, False, 1500.0))
    assert by_hand.objection is None
    assert said(witness_of((13.1, False, 1500.0), (20.0, False, 1500.0), before=by_hand), 20.0) == ["switch"]


def test_a_meter_that_vanished_says_nothing_more() -> None:
    """Neither of both, and what it said before is over."""
    for is_on, power in ((True, 0.0), (False, 40.0)):
        witness = witness_of((0.0, is_on, power), (100.0, is_on, power), (110.0, is_on, None))
        assert witness.objection is None
        again = witness_of((120.0, is_on, power), before=witness)
        assert not again.is_sure(120.0)


@given(
    st.lists(
        st.tuples(st.floats(0.0, 30.0), st.booleans(), st.none() | st.floats(0.0, 3000.0), st.booleans()),
        max_size=30,
    )
)
def test_any_looks(looks: list[tuple[float, bool, float | None, bool]]) -> None:
    """A warning needs two looks in a row that say the same, none soon after a switch; the last one is such a look."""
    witness, t = Witness(), 0.0
    for gap_s, is_on, power, is_switched in looks:
        t += gap_s
        if is_switched:
            witness = switched(witness, t)
        before = witness
        witness = looked(witness, is_on=is_on, power=power, t=t)
        if witness.is_sure(t):
            assert before.objection is witness.objection
            assert before.is_on is is_on
            assert not is_switched
            assert power is not None
            assert power < 1.0 if is_on else power > 2.0


# --- through a hub ---------------------------------------------------------------------------------------------------

real = [pytest.mark.virtual, pytest.mark.blocking_allowed]


def marked(test: Any) -> Any:
    """In virtual time; python-kasa reads certificates and time zones from disk in the loop."""
    for mark in real:
        test = mark(test)
    return test


def alarms(street: Street) -> dict[str, str]:
    """What a person is told, by key."""
    return {key: alarm["text"] for (_, key), alarm in street.hub.alarms.items()}


async def alarmed(street: Street, key: str, within_s: float) -> float:
    """Wait for the alarm; how long it took."""
    began_t = now()
    while key not in alarms(street):
        assert now() - began_t <= within_s, alarms(street)
        await asyncio.sleep(0.1)
    return now() - began_t


@marked
@each_kind
async def test_an_appliance_that_is_not_plugged_in(name: str) -> None:
    """After a minute; over as soon as it draws power, or is switched off."""
    async with one_plug(name, metered(load_w=0.0)) as (street, station):
        await asyncio.sleep(25.0)
        assert alarms(street) == {}
        await street.switch(True)
        took_s = await alarmed(street, "power", 80.0)
        assert 60.0 <= took_s <= 75.0
        assert "plugged in" in alarms(street)["power"]
        assert street.value("switch") is True
        await asyncio.sleep(300.0)
        assert set(alarms(street)) == {"power"}
        station.plug.load_w = 40.0
        await asyncio.sleep(10.2)
        assert alarms(street) == {}
        station.plug.load_w = 0.0
        await alarmed(street, "power", 80.0)
        await street.switch(False)
        await asyncio.sleep(1.0)
        assert alarms(street) == {}


@marked
@each_kind
async def test_a_welded_relay(name: str) -> None:
    """Off by its own word, and the heater heats on: told within two polls, and the command stays verified."""
    async with one_plug(name, metered(load_w=1500.0)) as (street, station):
        await street.switch(True)
        await asyncio.sleep(30.0)
        station.begin(Welded())
        off = await street.switch(False)
        assert off.state is CommandState.VERIFIED
        took_s = await alarmed(street, "switch", 25.0)
        assert took_s >= 3.0
        assert "welded" in alarms(street)["switch"]
        assert street.value("switch") is False
        assert street.value("power") == 1500.0
        for fault in station.faults:
            station.end(fault)
        await asyncio.sleep(10.2)
        assert alarms(street) == {}


@marked
@each_kind
async def test_switching_to_and_fro_is_no_reason_to_warn(name: str) -> None:
    """A meter lags two seconds behind each switch."""
    async with one_plug(name, metered(load_w=1500.0)) as (street, station):
        await asyncio.sleep(25.0)
        for number in range(40):
            await street.switch(number % 2 == 0)
            await asyncio.sleep(number * 0.4)
            assert alarms(street) == {}
        for _ in range(10):
            station.plug.press()
            await asyncio.sleep(13.7)
            assert alarms(street) == {}


@marked
@each_kind
async def test_a_session_that_begins_anew_begins_to_look_anew(name: str) -> None:
    """What was said ends with the session, and is said again."""
    async with one_plug(name, metered(load_w=0.0)) as (street, station):
        await street.switch(True)
        await alarmed(street, "power", 80.0)
        stall = Stall()
        station.begin(stall)
        await asyncio.sleep(40.0)
        station.end(stall)
        await asyncio.sleep(15.0)
        assert alarms(street) == {}
        await alarmed(street, "power", 80.0)


@marked
async def test_a_meter_that_fails_ends_it() -> None:
    """A legacy plug whose meter answers no more: no value of long ago stands for it, and nothing is said of it."""
    plug = metered(load_w=0.0)
    async with one_plug("legacy", plug) as (street, _station):
        await street.switch(True)
        await alarmed(street, "power", 80.0)
        object.__setattr__(plug.identity, "has_meter", False)
        await asyncio.sleep(21.0)
        assert alarms(street) == {}
        assert street.value("switch") is True
        await asyncio.sleep(20.0)
        assert street.value("power") is None


@marked
@each_kind
async def test_a_meter_that_is_denied_is_no_witness(name: str) -> None:
    """The owner says that there is none that counts."""
    async with one_plug(name, metered(load_w=0.0), expects_energy=False) as (street, _station):
        await street.switch(True)
        await asyncio.sleep(200.0)
        assert alarms(street) == {}


@marked
@each_kind
async def test_a_plug_without_a_meter_says_nothing(name: str) -> None:
    """Nor does anybody ask it more often."""
    async with one_plug(name, Plug(Identity(has_meter=False))) as (street, station):
        await street.switch(True)
        await asyncio.sleep(5.0)
        asked = station.truth.counts[Which.READ]
        await asyncio.sleep(100.0)
        assert alarms(street) == {}
        assert station.truth.counts[Which.READ] - asked <= (20 if KINDS[name].family.is_smart else 10)
