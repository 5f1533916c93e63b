"""The real python-kasa in virtual time: what takes long, to the second, and what goes wrong late."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest
from kasa import AuthenticationError, KasaException
from kasa import TimeoutError as KasaTimeoutError

from holdfast.simulation import VirtualLoop, run_virtual
from holdfast.simulators.kasa import (
    LEGACY,
    Cause,
    Drop,
    Forbidden,
    HangUp,
    LateEffect,
    NoAnswer,
    NoEffect,
    Part,
    Plug,
    Reboot,
    Refuse,
    ResetMidAnswer,
    ResetRequest,
    Slow,
    StaleRead,
    Stall,
    Timetable,
    Unplugged,
    Which,
    WrongLogin,
    random_timetable,
)
from tests.simulators.kasa.real import KINDS
from tests.simulators.kasa.virtual import connected, plugged_in, took

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from holdfast.simulators.kasa import Fault, Firmware

# python-kasa reads certificates and time zones from disk in the loop.
pytestmark = [pytest.mark.virtual, pytest.mark.blocking_allowed]

each_kind = pytest.mark.parametrize("firmware", KINDS.values(), ids=KINDS)

T_S = 2
"""The library's own limit in these tests (its default is 5 s)."""


def innermost(error: BaseException | None) -> BaseException | None:
    while error is not None and error.__cause__ is not None:
        error = error.__cause__
    return error


async def works_at_once(call: Coroutine[Any, Any, object]) -> bool:
    seconds, error = await took(call)
    return error is None and seconds < 0.01


# --- the table of section 3, in seconds ----------------------------------------------------------------------


@each_kind
@pytest.mark.parametrize(
    ("fault", "is_on"),
    [(Stall(which=Which.SET), False), (NoAnswer(which=Which.SET), True)],
    ids=["stall", "no answer"],
)
async def test_never_answers(firmware: Firmware, fault: Fault, is_on: bool) -> None:
    """4T + 3 s and four set commands on the wire, whether or not the relay has moved."""
    async with plugged_in(firmware) as station, connected(station, T_S) as device:
        station.begin(fault)
        seconds, error = await took(device.turn_on())
        assert isinstance(error, KasaException)
        assert seconds == pytest.approx(4 * T_S + 3, abs=0.1)
        assert len(station.truth.relay_sets) == 4
        assert station.plug.is_on is is_on
        assert station.truth.most_connections == 1


@each_kind
async def test_silent_once(firmware: Firmware) -> None:
    """T + 1 s, then it works."""
    async with plugged_in(firmware) as station, connected(station, T_S) as device:
        station.begin(Stall(times=1))
        seconds, error = await took(device.turn_on())
        assert error is None
        assert seconds == pytest.approx(T_S + 1, abs=0.1)
        assert station.plug.is_on


@each_kind
async def test_silent_to_reads_only(firmware: Firmware) -> None:
    """Sets work at once, reads do not work at all."""
    async with plugged_in(firmware) as station, connected(station, T_S) as device:
        station.begin(Stall(which=Which.READ))
        assert await works_at_once(device.turn_on())
        assert station.plug.is_on
        with pytest.raises(TimeoutError):
            # Not T itself: aiohttp takes a cancellation in the very instant of its own limit for that limit.
            async with asyncio.timeout(T_S / 2):
                await device.update()


@each_kind
async def test_silent_from_the_start(firmware: Firmware) -> None:
    """Connecting fails by time."""
    async with plugged_in(firmware) as station:
        station.begin(Stall())
        with pytest.raises((KasaTimeoutError, KasaException)):
            async with connected(station, T_S):
                pass


@each_kind
async def test_refused(firmware: Firmware) -> None:
    """At once for the legacy protocol, within a second for HTTP."""
    async with plugged_in(firmware) as station:
        station.begin(Refuse())
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(KasaException) as refused:
            async with connected(station, T_S):
                pass
        assert isinstance(innermost(refused.value), ConnectionRefusedError)
        assert loop.time() - began < 1.0


@pytest.mark.parametrize(
    "fault", [HangUp(which=Which.SET), ResetRequest(which=Which.SET)], ids=["closes", "resets"]
)
@each_kind
async def test_ends_every_time(firmware: Firmware, fault: Fault) -> None:
    """Four sends within a second."""
    async with plugged_in(firmware) as station, connected(station, T_S) as device:
        station.begin(fault)
        seconds, error = await took(device.turn_on())
        assert isinstance(error, KasaException)
        assert seconds < 1.0
        assert len(station.truth.relay_sets) == 4


@each_kind
async def test_reset_in_mid_answer(firmware: Firmware) -> None:
    """The legacy protocol asks again, four times in all; half an HTTP answer is not asked for again."""
    async with plugged_in(firmware) as station, connected(station, T_S) as device:
        station.begin(ResetMidAnswer(which=Which.SET))
        seconds, error = await took(device.turn_on())
        assert isinstance(error, KasaException)
        assert seconds < 1.0
        assert len(station.truth.relay_sets) == (4 if firmware is LEGACY else 1)
        assert station.plug.is_on


@pytest.mark.parametrize("name", ["klap1", "klap2", "smart"])
async def test_forbidden(name: str) -> None:
    """403 for ever: four logins at once for the older family, with pauses of a second for the newer one."""
    async with plugged_in(KINDS[name]) as station, connected(station, T_S) as device:
        station.begin(Forbidden(which=Which.SET))
        seconds, error = await took(device.turn_on())
        assert error is not None
        assert seconds == pytest.approx(3.0 if name == "smart" else 0.0, abs=0.8)


@pytest.mark.parametrize("name", ["klap1", "klap2", "smart"])
async def test_wrong_login(name: str) -> None:
    """Seen at once, and not tried again."""
    async with plugged_in(KINDS[name]) as station:
        station.begin(WrongLogin())
        with pytest.raises(AuthenticationError):
            async with connected(station, T_S):
                pass
        assert station.truth.counts[Which.LOGIN] <= 2


@pytest.mark.parametrize("name", ["klap1", "klap2", "smart"])
async def test_deadline_in_the_very_instant_of_the_limit(name: str) -> None:
    """A deadline of ours that falls on the library's own is lost: aiohttp takes the cancellation for its limit.

    Then the library asks again and again. So whoever sets a deadline sets it apart from T.
    """
    async with plugged_in(KINDS[name]) as station, connected(station, T_S) as device:
        station.begin(Stall())

        async def switch_within(deadline_s: float) -> None:
            async with asyncio.timeout(deadline_s):
                await device.turn_on()

        lost_s, _ = await took(switch_within(T_S))
        kept_s, error = await took(switch_within(T_S + 0.5))
        assert lost_s == pytest.approx(4 * T_S + 3, abs=0.1)
        assert kept_s == pytest.approx(T_S + 0.5, abs=0.1)
        assert isinstance(error, TimeoutError)


# --- effects and readings --------------------------------------------------------------------------------------


@each_kind
@pytest.mark.parametrize("delay_s", [1.0, 5.0])
async def test_late_effect(firmware: Firmware, delay_s: float) -> None:
    """Acknowledged now, done later, to the second."""
    async with plugged_in(firmware) as station, connected(station, T_S) as device:
        station.begin(LateEffect(delay_s=delay_s))
        sent_s = asyncio.get_running_loop().time()
        assert await works_at_once(device.turn_on())
        for wait_s, is_on in ((delay_s - 0.1, False), (0.2, True)):
            await asyncio.sleep(wait_s)
            await device.update()
            assert device.is_on is is_on
        assert station.truth.relay[0].t == pytest.approx(sent_s + delay_s, abs=0.01)
        assert not station.truth.was_on(sent_s)


@each_kind
async def test_stale_read(firmware: Firmware) -> None:
    """The reading lags the relay."""
    async with plugged_in(firmware) as station, connected(station, T_S) as device:
        station.begin(StaleRead(lag_s=5.0))
        await device.turn_on()
        for wait_s, is_on in ((4.9, False), (0.2, True)):
            await asyncio.sleep(wait_s)
            await device.update()
            assert device.is_on is is_on


@each_kind
async def test_slow(firmware: Firmware) -> None:
    """Done at once, told late."""
    async with plugged_in(firmware) as station, connected(station, T_S) as device:
        station.begin(Slow(delay_s=1.5, which=Which.SET))
        seconds, error = await took(device.turn_on())
        assert error is None
        assert seconds == pytest.approx(1.5, abs=0.01)
        assert asyncio.get_running_loop().time() - station.truth.relay[0].t == pytest.approx(1.5, abs=0.01)


# --- power and timers --------------------------------------------------------------------------------------------


@each_kind
@pytest.mark.parametrize("restores", [True, False])
async def test_reboot(firmware: Firmware, restores: bool) -> None:
    """Off while it boots, then as before or off; connections, logins and timers are gone without a word."""
    async with plugged_in(firmware) as station, connected(station, T_S) as device:
        await device.turn_on()
        station.plug.countdown.add(60.0, turns_on=False)
        station.strike(Reboot(restores_relay=restores, down_s=8.0))
        assert not station.plug.is_on
        assert station.truth.connections == 0
        await asyncio.sleep(10.0)
        assert station.plug.is_on is restores
        seconds, error = await took(device.update())
        assert error is None
        assert seconds <= T_S + 1.1
        assert device.is_on is restores
        await asyncio.sleep(60.0)
        assert station.plug.is_on is restores
        causes = [Cause.COMMAND, Cause.POWER_CUT] + [Cause.BOOT] * restores
        assert [change.cause for change in station.truth.relay] == causes


async def test_unplugged_while_it_lasts() -> None:
    """Nobody is there, and nobody answers a dial."""
    async with plugged_in(timetable=Timetable([(1.0, 30.0, Unplugged())])) as station:
        await asyncio.sleep(2.0)
        with pytest.raises(KasaException):
            async with connected(station):
                pass
        await asyncio.sleep(40.0)
        async with connected(station):
            pass


async def test_dead_man() -> None:
    """A countdown that is renewed holds; once it is not, the plug goes off by itself, to the second."""
    arm = {
        "count_down": {"delete_all_rules": {}, "add_rule": {"enable": 1, "delay": 600, "act": 0, "name": "h"}}
    }
    async with plugged_in() as station:
        async with connected(station) as device:
            await device.protocol.query({**arm, "system": {"set_relay_state": {"state": 1}}})
            for _ in range(5):
                await asyncio.sleep(200.0)
                await device.protocol.query(arm)
            armed_s = asyncio.get_running_loop().time()
            rules = await device.protocol.query({"count_down": {"get_rules": {}}})
            assert rules["count_down"]["get_rules"]["rule_list"][0]["remain"] == 600
        await asyncio.sleep(599.0)
        assert station.plug.is_on
        await asyncio.sleep(2.0)
        assert [change[1:] for change in station.truth.relay] == [(True, Cause.COMMAND), (False, Cause.TIMER)]
        assert station.truth.relay[-1].t == pytest.approx(armed_s + 600.0, abs=0.1)


async def test_dead_man_that_is_only_acknowledged() -> None:
    """Reading it back is the only proof."""
    async with plugged_in() as station, connected(station) as device:
        station.begin(NoEffect(part=Part.TIMER))
        rule = {"enable": 1, "delay": 600, "act": 0, "name": "h"}
        asked = {"count_down": {"add_rule": rule}, "system": {"set_relay_state": {"state": 1}}}
        answer = await device.protocol.query(asked)
        assert answer["count_down"]["add_rule"]["err_code"] == 0
        assert station.plug.is_on
        rules = await device.protocol.query({"count_down": {"get_rules": {}}})
        assert rules["count_down"]["get_rules"]["rule_list"] == []


async def test_auto_off_in_virtual_time() -> None:
    """Ten minutes after the last turn-on; a setting alone does not count anew unless the plug is of that habit."""
    async with plugged_in(KINDS["smart"]) as station, connected(station) as device:
        setting = {"set_auto_off_config": {"enable": True, "delay_min": 10}}
        await device.protocol.query(setting)
        await device.turn_on()
        on_s = asyncio.get_running_loop().time()
        await asyncio.sleep(300.0)
        await device.protocol.query(setting)
        await asyncio.sleep(301.0)
        assert not station.plug.is_on
        assert station.truth.relay[-1].t == pytest.approx(on_s + 600.0, abs=0.1)
        assert station.truth.relay[-1].cause is Cause.TIMER


# --- long runs -----------------------------------------------------------------------------------------------------


def day(seed: int, firmware: Firmware, profile: str, seconds: float) -> tuple[object, ...]:
    """So long with the real library, polling and switching; returns what is the same in each replay."""

    async def main(loop: VirtualLoop) -> tuple[object, ...]:
        outcomes: list[bool | str] = []
        timetable = random_timetable(random.Random(seed), seconds / 3600.0, profile)
        async with plugged_in(firmware, Plug(load_w=40.0), seed=seed, timetable=timetable) as station:
            while loop.time() < 1000.0 + seconds:
                try:
                    async with asyncio.timeout(60.0), connected(station, T_S) as device:
                        while loop.time() < 1000.0 + seconds:
                            async with asyncio.timeout(5.0):
                                await (device.turn_on() if loop.random.random() < 0.5 else device.turn_off())
                            async with asyncio.timeout(4.0):
                                await device.update()
                            outcomes.append(device.is_on is station.plug.is_on)
                            await asyncio.sleep(10.0)
                except (KasaException, TimeoutError, KeyError, TypeError, ValueError) as error:
                    outcomes.append(type(innermost(error)).__name__)
                    await asyncio.sleep(1.0)
            truth = station.truth
            assert truth.most_in_flight <= 1
            return tuple(outcomes), tuple(truth.relay), len(truth.sets), truth.most_connections

    return run_virtual(main, seed=seed)


def test_replays() -> None:
    """The same seed gives the same day, to the last relay change."""
    assert day(5, LEGACY, "hostile", 7200.0) == day(5, LEGACY, "hostile", 7200.0)


@pytest.mark.parametrize("name", KINDS)
def test_a_hostile_stretch(name: str) -> None:
    """Whatever goes wrong, the library and the plug find back to each other, and nothing is left behind."""
    outcomes, changes, sets, connections = day(3, KINDS[name], "hostile", 3600.0)
    assert isinstance(outcomes, tuple)
    assert sum(outcome is True for outcome in outcomes) > 20, outcomes
    assert any(isinstance(outcome, str) for outcome in outcomes)
    assert changes
    assert sets
    assert connections in (1, 2)


async def test_dropped_while_idle() -> None:
    """A closed connection is noticed by the next call, which simply dials again."""
    async with plugged_in() as station, connected(station) as device:
        station.strike(Drop())
        await asyncio.sleep(1.0)
        assert await works_at_once(device.update())
