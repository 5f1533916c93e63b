"""A safety OFF reaches a plug soon after its return, whatever was the matter: all kinds of fault, all kinds of plug."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from holdfast.model import CommandState
from holdfast.simulation import run_virtual
from holdfast.simulators.kasa import (
    DEMO_ACCOUNT,
    ButtonPress,
    ClosedDoor,
    Drop,
    ErrorCode,
    Forbidden,
    Garbage,
    HangUp,
    LateEffect,
    LostSession,
    MissingFields,
    NewFirmware,
    NoAnswer,
    NoEffect,
    Reboot,
    Refuse,
    Reset,
    ResetMidAnswer,
    Slow,
    StaleRead,
    Stall,
    Unplugged,
    Which,
    WrongLogin,
    WrongMac,
    klap_v2,
)
from holdfast.simulators.kasa.faults import BOOT_S
from tests.drivers.kasa.home import now, until
from tests.drivers.kasa.real_home import most_connections, one_plug

if TYPE_CHECKING:
    from holdfast.simulation import VirtualLoop
    from holdfast.simulators.kasa import Fault, KasaPlug
    from tests.drivers.kasa.real_home import Street

# python-kasa reads certificates and time zones from disk in the loop.
pytestmark = pytest.mark.blocking_allowed

BACK_S = 25.0
"""A safety OFF reaches a plug within this time of its return."""
POLL_S = 10.0
HEATER = "50:C7:BF:00:00:01"

LASTING: dict[str, Fault] = {
    "refuse": Refuse(),
    "refuse new dials": Refuse(keeps_connections=True),
    "stall": Stall(),
    "stall sets": Stall(which=Which.SET),
    "stall readings": Stall(which=Which.READ),
    "closed": Drop(),
    "reset": Reset(),
    "hang up": HangUp(),
    "reset in mid-answer": ResetMidAnswer(),
    "slow": Slow(delay_s=4.5),
    "no effect": NoEffect(),
    "late effect": LateEffect(delay_s=3.0),
    "effect without answer": NoAnswer(which=Which.SET),
    "stale readings": StaleRead(lag_s=30.0),
    "garbage": Garbage(),
    "forbidden": Forbidden(),
    "error code": ErrorCode(which=Which.ALL),
    "missing fields": MissingFields(),
    "half-open": Unplugged(),
    "wrong login": WrongLogin(),
    "other firmware": NewFirmware(klap_v2(DEMO_ACCOUNT)),
}
"""What may be the matter. All end some time."""
MOMENTS: dict[str, Fault] = {
    "button": ButtonPress(),
    "reboot": Reboot(),
    "lost session": LostSession(),
    "closed": Drop(),
    "reset": Reset(),
}
"""What happens at once."""
LASTS_S = (3.0, 30.0, 300.0)
A_MOOD_S = 30.0
"""A login that is refused for longer is the owner's business, and is rested for."""


async def armed(street: Street) -> None:
    """The plug is on, in truth and by our knowledge."""
    on = await street.switch(True)
    assert on.state is CommandState.VERIFIED


async def off_within(street: Street, station: KasaPlug, back_t: float, limit_s: float = BACK_S) -> None:
    """It is off in time, the order is verified by a reading soon after, and the rules of the wire were kept."""
    await until(lambda: not station.plug.is_on, 10 * limit_s)
    assert now() - back_t <= limit_s
    order = street.hub.devices["plug"].desk.orders["switch"]
    await until(lambda: order.order.is_verified, limit_s)
    await asyncio.sleep(12.0)
    assert not station.plug.is_on
    assert station.truth.most_in_flight == 1
    assert most_connections(station, beyond_s=1.0) == 1


@pytest.mark.parametrize("lasts_s", LASTS_S)
@pytest.mark.parametrize("fault", LASTING)
@pytest.mark.parametrize("name", ["legacy", "klap2", "smart"])
def test_off_arrives_after(name: str, fault: str, lasts_s: float) -> None:
    """The order is laid while it lasts; for up to five minutes nothing gets through, and nobody gives up."""
    lasts_s = min(lasts_s, A_MOOD_S) if fault == "wrong login" else lasts_s

    async def main(loop: VirtualLoop) -> None:
        rng = random.Random(f"{name}/{fault}/{lasts_s}")
        trouble = LASTING[fault]
        async with one_plug(name, mac=HEATER) as (street, station):
            await armed(street)
            await asyncio.sleep(rng.uniform(0.0, POLL_S))
            station.begin(trouble)
            await asyncio.sleep(rng.uniform(0.0, lasts_s))
            street.hub.order("plug/switch", False, "a test")
            await asyncio.sleep(lasts_s)
            station.end(trouble)
            if fault == "half-open":
                await asyncio.sleep(BOOT_S)
            if not station.plug.is_on:  # it was reached all the same, or it was without power
                station.plug.press()
            await off_within(street, station, now())

    run_virtual(main, seed=round(lasts_s))


@pytest.mark.parametrize("fault", MOMENTS)
@pytest.mark.parametrize("name", ["legacy", "klap2", "smart"])
def test_off_arrives_in_spite_of(name: str, fault: str) -> None:
    """It happens the moment before the order is laid."""

    async def main(loop: VirtualLoop) -> None:
        async with one_plug(name, mac=HEATER) as (street, station):
            await armed(street)
            await asyncio.sleep(3.0)
            station.strike(MOMENTS[fault])
            street.hub.order("plug/switch", False, "a test")
            if fault == "reboot":
                await asyncio.sleep(BOOT_S)
            back_t = now()
            await off_within(street, station, back_t)
            if fault == "button":  # pressed off, then on again behind our back
                station.plug.press()
                await off_within(street, station, now(), POLL_S + 0.1)

    run_virtual(main, seed=3)


@pytest.mark.parametrize("fault", ["refuse", "stall", "half-open", "wrong login"])
@pytest.mark.parametrize("name", ["legacy", "klap2", "smart"])
def test_off_arrives_within_a_poll_of_the_link_s_return(name: str, fault: str) -> None:
    """At once, in fact: a standing order goes before anything else in a new session."""

    async def main(loop: VirtualLoop) -> None:
        trouble = LASTING[fault]
        async with one_plug(name, mac=HEATER) as (street, station):
            await armed(street)
            station.begin(trouble)
            if fault == "wrong login" and name == "legacy":  # it has none
                station.begin(Refuse())
            await until(lambda: not street.link().has_session, 60.0)
            street.hub.order("plug/switch", False, "a test")
            await asyncio.sleep(20.0)
            for each in station.faults:
                station.end(each)
            await until(lambda: street.link().has_session, BACK_S + BOOT_S)
            await off_within(street, station, now(), 1.0)

    run_virtual(main, seed=4)


@pytest.mark.parametrize("name", ["legacy", "klap2", "smart"])
def test_an_outage_longer_than_all_attempts(name: str) -> None:
    """Half an hour without power: the order is still there, and carried out."""

    async def main(loop: VirtualLoop) -> None:
        trouble = Refuse()
        async with one_plug(name, mac=HEATER) as (street, station):
            await armed(street)
            station.begin(trouble)
            street.hub.order("plug/switch", False, "a test")
            await asyncio.sleep(1800.0)
            dials = len(street.library.dials)
            assert 1800 / 12 < dials < 1800 / 2  # every few seconds, and no faster
            station.end(trouble)
            await off_within(street, station, now())

    run_virtual(main, seed=5)


@pytest.mark.parametrize(
    "fault", [WrongMac(), ClosedDoor(), Refuse()], ids=["stranger", "closed door", "refuse"]
)
@pytest.mark.parametrize("name", ["legacy", "klap2", "smart"])
def test_an_order_cuts_a_wait_that_was_reckoned_without_it(name: str, fault: Fault) -> None:
    """A quarter of an hour of it, and waits have grown long; then the order is laid, and in that moment it is over."""

    async def main(loop: VirtualLoop) -> None:
        async with one_plug(name, mac=HEATER) as (street, station):
            await armed(street)
            station.begin(fault)
            await asyncio.sleep(900.0)
            street.hub.order("plug/switch", False, "a test")
            station.end(fault)
            await off_within(street, station, now())

    run_virtual(main, seed=6)


@pytest.mark.parametrize("name", ["klap2", "smart"])
def test_a_long_refusal_of_the_login_delays_an_order_by_a_minute_at_most(name: str) -> None:
    """Twenty minutes in a mood: one login a minute meanwhile, which hammers nobody, and OFF at the first that works."""

    async def main(loop: VirtualLoop) -> None:
        async with one_plug(name, mac=HEATER) as (street, station):
            await armed(street)
            mood = WrongLogin()
            station.begin(mood)
            street.hub.order("plug/switch", False, "a test")
            await asyncio.sleep(1200.0)
            station.end(mood)
            back_t = now()
            await until(lambda: not station.plug.is_on, 120.0)
            assert now() - back_t <= 60.0 + BACK_S

    run_virtual(main, seed=6)
