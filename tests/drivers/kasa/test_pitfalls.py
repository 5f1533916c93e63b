"""The fact sheet's known pitfalls (section 5), each with the tests that keep us out of it.

| #  | pitfall                                          | tests                                                      |
|----|--------------------------------------------------|------------------------------------------------------------|
| 1  | a worker fails where the test button works       | one device object: `test_neighbours.test_a_hundred_...` |
| 2  | refused for ever, a process has died             | `test_a_plug_whose_process_has_died`                       |
| 3  | hammering refused connects                       | the same; `test_safety_off.test_an_outage_longer_...` |
| 4  | two clients and one session                      | `test_another_client_that_logs_in_all_the_time`            |
| 5  | a cookie that is short-lived                     | `test_a_login_for_each_request`                            |
| 6  | one request a session                            | `test_a_login_for_each_request`                            |
| 7  | the plug's credentials alternate                 | `test_default_credentials`, `..._under_an_open_session` |
| 8  | the right password is refused                    | `test_sheet` (klap1 and klap2), `test_refused_for_good`    |
| 9  | TPAP                                             | `test_finding.test_a_door_that_closed_...`                 |
| 10 | reboots, then 403                                | `test_a_reboot_and_then_403`                               |
| 11 | a meter that is given up for an object's life    | `test_a_meter_that_failed_at_first`                        |
| 12 | time zones that break the update                 | `test_a_time_zone_that_nobody_knows`                       |
| 13 | a report that lags behind the relay              | `test_sheet.test_a_late_effect`, `test_a_stale_reading`    |
| 14 | another plug has the address                     | `test_finding.test_another_plug_...`, `..._swapped` |
| 15 | UDP is unreliable                                | `test_no_udp_on_the_way_of_a_command`                      |
| 16 | two plugs behind one address                     | `test_two_plugs_behind_one_address`                        |
| 17 | HTTP sessions left open after a refused login    | `test_refused_for_good`                                    |
| 18 | a meter that lags behind the relay               | `test_witness.test_after_a_switch_the_meter_lags` |


Beyond the list, found by the tests above: what an answer lacks the library keeps from the answer before, or takes for
off (`test_an_answer_without_the_relay`, `test_an_answer_of_another_language`).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from holdfast.model import CommandState, Quality, ReasonCode
from holdfast.simulators.kasa import (
    DEMO_ACCOUNT,
    LEGACY,
    Account,
    ErrorCode,
    Forbidden,
    LostSession,
    MissingFields,
    NewFirmware,
    Reboot,
    Refuse,
    Which,
    WrongLogin,
    iot,
    klap_v2,
    smart,
)
from holdfast.simulators.kasa.faults import BOOT_S
from tests.drivers.kasa.home import now, until
from tests.drivers.kasa.real_home import WORDS, device_of, metered, one_plug, station_of, street_of
from tests.simulators.kasa.real import KINDS

if TYPE_CHECKING:
    from holdfast.simulators.kasa import Firmware

# python-kasa reads certificates and time zones from disk in the loop.
pytestmark = [pytest.mark.virtual, pytest.mark.blocking_allowed]
each_kind = pytest.mark.parametrize("name", list(KINDS))
with_login = pytest.mark.parametrize("name", ["klap1", "klap2", "smart"])

MINE, OTHER = "50:C7:BF:00:00:0A", "50:C7:BF:00:00:0B"
POLL_S = 10.0


@each_kind
async def test_a_plug_whose_process_has_died(name: str) -> None:
    """Refused for hours: rarer and rarer, for ever, with the advice that helps; and back when it is power cycled."""
    async with one_plug(name) as (street, station):
        refuse = Refuse()
        station.begin(refuse)
        await asyncio.sleep(2 * 3600.0)
        dials = street.link().report.dials
        assert 2 * 3600 / 30 < dials < 2 * 3600 / 5
        assert street.link().reason.code is ReasonCode.UNREACHABLE
        assert "unplug it and plug it in again" in street.link().reason.advice
        station.end(refuse)
        back_t = now()
        await until(lambda: street.hub.reading("plug/switch").quality is Quality.GOOD, 60.0)
        assert now() - back_t < 31.0


@with_login
async def test_another_client_that_logs_in_all_the_time(name: str) -> None:
    """Each request costs a 403 and a login; commands are carried out all the same, and no outage is made of it."""
    async with one_plug(name) as (street, station):

        async def fight() -> None:
            while True:
                station.strike(LostSession())
                await asyncio.sleep(1.3)

        other = asyncio.ensure_future(fight())
        try:
            for number in range(10):
                receipt, took_s = await street.took(number % 2 == 0)
                assert receipt.state is CommandState.VERIFIED
                assert took_s < 8.0
                await asyncio.sleep(7.0)
        finally:
            other.cancel()
        assert street.link().report.outage_count == 0


def picky(firmware: Firmware) -> dict[str, Firmware]:
    """Firmware that wants a login for each request, by its cookie or without a word."""
    return {
        "short cookie": replace(firmware, session_timeout_s=600),
        "one request": replace(firmware, requests_per_session=1),
    }


@pytest.mark.parametrize("habit", ["short cookie", "one request"])
@with_login
async def test_a_login_for_each_request(name: str, habit: str) -> None:
    """It costs logins, and a second each where the newer family is told 403; nothing else."""
    async with one_plug(name, firmware=picky(KINDS[name])[habit]) as (street, station):
        for number in range(4):
            receipt, took_s = await street.took(number % 2 == 0)
            assert receipt.state is CommandState.VERIFIED
            assert receipt.attempts <= 2
            assert took_s < 8.0
            await asyncio.sleep(25.0)
        # Which parts of a cookie count depends on aiohttp: the present one takes the time for none.
        assert station.truth.counts[Which.LOGIN] > 20 or habit == "short cookie"
        assert street.link().report.outage_count == 0


@pytest.mark.parametrize(
    "firmware", [klap_v2(Account("", "")), smart(Account("", ""))], ids=["klap2", "smart"]
)
async def test_default_credentials(firmware: Firmware) -> None:
    """A plug that fell back to a blank login lets us in with the owner's."""
    name = "smart" if firmware.family.is_smart else "klap2"
    async with one_plug(name, firmware=firmware) as (street, _):
        assert (await street.switch(True)).state is CommandState.VERIFIED


@with_login
async def test_refused_for_good(name: str) -> None:
    """A wrong password: three logins within a minute, then minutes apart, in words; and nothing is left open."""
    async with one_plug(name, password="wrong", waits=False) as (street, station):
        await asyncio.sleep(100.0)
        assert street.link().reason.code is ReasonCode.LOGIN_REFUSED
        assert "3 times in a row" in street.link().reason.text
        assert "upper and lower case" in street.link().reason.advice
        logins = len(street.library.dials)
        await asyncio.sleep(3600.0)
        assert len(street.library.dials) - logins <= 2 * 10  # two versions of the login, or two ports
        assert station.truth.connections == 0
        assert station.truth.relay_sets == []


@each_kind
async def test_a_reboot_and_then_403(name: str) -> None:
    """The state is read anew after each reconnect: nothing of before the reboot is shown for true."""
    async with one_plug(name) as (street, station):
        assert (await street.switch(True)).state is CommandState.VERIFIED
        station.strike(Reboot(restores_relay=False))
        forbidden = Forbidden()
        station.begin(forbidden)
        await asyncio.sleep(BOOT_S + 20.0)
        assert street.hub.reading("plug/switch").quality is not Quality.GOOD
        station.end(forbidden)
        await until(lambda: street.hub.reading("plug/switch").quality is Quality.GOOD, 40.0)
        assert street.value("switch") is False
        assert not station.plug.is_on


async def test_a_meter_that_failed_at_first() -> None:
    """The newer family: an error in its first answer, and the library asks it no more; so it is connected once more."""
    station = station_of(KINDS["smart"], metered(MINE))
    fault = ErrorCode(
        which=Which.READ, code=-1, times=4
    )  # from the fourth question of a connect on: the modules'
    device = device_of("plug", "smart", expects_energy=True)
    async with street_of((device, station), waits=False) as street:
        await until(lambda: len(station.truth.requests) >= 3, 10.0)
        station.begin(fault)
        await until(lambda: street.value("power") is not None, 30.0)
        assert street.link().report.dials <= 3


@pytest.mark.parametrize("name", ["legacy", "klap2"])
async def test_a_time_zone_that_nobody_knows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The relay's state counts: it is asked for alone, five minutes long, and then the whole is tried again."""
    async with one_plug(name, metered(load_w=40.0)) as (street, _):
        assert (await street.switch(True)).state is CommandState.VERIFIED
        methods = dict(iot.METHODS)
        methods["time", "get_timezone"] = lambda access, given: {"index": 4711, "err_code": 0}
        with monkeypatch.context() as patch:
            patch.setattr(iot, "METHODS", methods)
            await asyncio.sleep(60.0)
            assert (await street.switch(False)).state is CommandState.VERIFIED
            assert street.link().report.outage_count == 0
        await asyncio.sleep(400.0)
        assert street.value("power") == 0.0


@each_kind
async def test_no_udp_on_the_way_of_a_command(name: str) -> None:
    """A hundred commands, and not one datagram."""
    async with one_plug(name) as (street, station):
        heard: list[bytes] = []
        for door in (station._legacy_discovery, station._discovery):
            if door is not None:
                door._answer = heard.append
        for number in range(100):
            assert (await street.switch(number % 2 == 0)).state is CommandState.VERIFIED
        assert heard == []


async def test_two_plugs_behind_one_address() -> None:
    """A router forwards a port to each: they are two, reached by their ports, and never mixed up."""
    first = station_of(LEGACY, metered(MINE), host="router", legacy_port=9001, discovery_port=None)
    second = station_of(LEGACY, metered(OTHER), host="router", legacy_port=9002, discovery_port=None)
    devices = []
    for host, station, port in (("one", first, 9001), ("two", second, 9002)):
        device = device_of(host, "legacy")
        url = f"kasa://router:{port}"
        devices.append((replace(device, adapters=(replace(device.adapters[0], url=url),)), station))
    async with street_of(*devices) as street:
        assert (await street.switch(True, "one")).state is CommandState.VERIFIED
        assert (first.plug.is_on, second.plug.is_on) == (True, False)
        assert (await street.switch(True, "two")).state is CommandState.VERIFIED
        assert (await street.switch(False, "one")).state is CommandState.VERIFIED
        assert (first.plug.is_on, second.plug.is_on) == (False, True)


# --- beyond the list -------------------------------------------------------------------------------------------------


@each_kind
async def test_an_answer_without_the_relay(name: str) -> None:
    """The library takes it for off (or keeps what was): we say that it is not known."""
    async with one_plug(name) as (street, station):
        assert (await street.switch(True)).state is CommandState.VERIFIED
        station.begin(MissingFields())
        for _ in range(300):
            await asyncio.sleep(0.5)
            assert street.value("switch") in (True, None)
        assert street.value("switch") is None


async def test_an_answer_of_another_language() -> None:
    """The firmware was changed under an open login, and answers what means nothing: no state of before is fresh."""
    async with one_plug("klap2", metered(MINE)) as (street, station):
        station.begin(NewFirmware(smart(DEMO_ACCOUNT)))
        await asyncio.sleep(1.0)
        station.plug.press()
        wrong_s = 0.0
        for _ in range(600):
            await asyncio.sleep(0.1)
            wrong_s += 0.1 * (
                street.hub.reading("plug/switch").quality is Quality.GOOD and not street.value("switch")
            )
        assert wrong_s <= 2 * POLL_S  # two answers in a row that mean nothing end a session
        assert street.value("switch") is True  # found again, by its new language


@with_login
async def test_a_login_that_changes_under_an_open_session(name: str) -> None:
    """A mood of half a minute: no tight loop, and back by itself within 25 s of its end."""
    async with one_plug(name) as (street, station):
        mood = WrongLogin()
        station.begin(mood)
        await asyncio.sleep(40.0)
        assert station.truth.counts[Which.LOGIN] < 30
        station.end(mood)
        back_t = now()
        await until(lambda: street.hub.reading("plug/switch").quality is Quality.GOOD, 60.0)
        assert now() - back_t < 25.0
        assert WORDS[name] == street.memory().way.kind.value  # type: ignore[union-attr]
