"""The real python-kasa against the simulated plug, on real loopback sockets."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from kasa import (
    AuthenticationError,
    Credentials,
    Device,
    DeviceConfig,
    DeviceError,
    Discover,
    KasaException,
    Module,
    UnsupportedDeviceError,
)

from holdfast.simulators.kasa import (
    CLOSED,
    DEMO_ACCOUNT,
    LEGACY,
    Account,
    ButtonPress,
    Cause,
    ClosedDoor,
    ErrorCode,
    Family,
    Forbidden,
    Garbage,
    HangUp,
    Identity,
    LostSession,
    MissingFields,
    NewFirmware,
    NoAnswer,
    NoEffect,
    Part,
    Plug,
    Refuse,
    ResetMidAnswer,
    ResetRequest,
    Which,
    WrongLogin,
    WrongMac,
    klap_v2,
    smart,
)
from tests.simulators.kasa.real import KINDS, config, connected

if TYPE_CHECKING:
    from holdfast.simulators.kasa import Fault, Firmware, KasaPlug
    from tests.simulators.kasa.conftest import Serve

# python-kasa reads certificates and time zones from disk in the loop.
pytestmark = [pytest.mark.blocking_allowed]

each_kind = pytest.mark.parametrize("firmware", KINDS.values(), ids=KINDS)
LOGINS = {name: kind for name, kind in KINDS.items() if kind is not LEGACY}
each_login = pytest.mark.parametrize("firmware", LOGINS.values(), ids=LOGINS)


def innermost(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def states(station: KasaPlug, device: Device) -> tuple[bool, bool]:
    """The relay in truth, and as the library has it."""
    return station.plug.is_on, device.is_on


# --- the good case -----------------------------------------------------------------------------------------


@each_kind
async def test_connect_switch_and_read(serve: Serve, firmware: Firmware) -> None:
    """It is who it is, obeys, and tells the truth; all on one connection with one request in flight."""
    station = await serve(firmware, Plug(Identity(alias="Heater", rssi=-61), load_w=40.0))
    async with connected(station) as device:
        assert device.alias == "Heater"
        assert device.mac == "50:C7:BF:00:00:01"
        assert device.model == "HS110"
        assert device.rssi == -61
        assert not device.is_on
        await device.turn_on()
        assert states(station, device) == (True, False)  # nothing but an update changes what it believes
        await device.update()
        assert states(station, device) == (True, True)
        await device.turn_off()
        assert [change[1:] for change in station.truth.relay] == [
            (True, Cause.COMMAND),
            (False, Cause.COMMAND),
        ]
    assert [command[2:] for command in station.truth.sets] == [(Part.RELAY, True), (Part.RELAY, False)]
    assert station.truth.most_connections == 1
    assert station.truth.most_in_flight == 1
    assert station.truth.in_flight == 0


@each_kind
async def test_costs(serve: Serve, firmware: Firmware) -> None:
    """Connecting costs two requests (more in batches for the newer family), KLAP two handshakes; a set costs one."""
    station = await serve(firmware)
    async with connected(station) as device:
        counts = station.truth.counts
        assert counts[Which.LOGIN] == (0 if firmware is LEGACY else 2)
        assert counts[Which.READ] == 2 if not firmware.family.is_smart else counts[Which.READ] <= 6
        reads = counts[Which.READ]
        await device.turn_on()
        assert (counts[Which.SET], counts[Which.READ]) == (1, reads)


@each_kind
async def test_energy(serve: Serve, firmware: Firmware) -> None:
    """Power, voltage and the day's energy, as the meter has them."""
    station = await serve(firmware, Plug(load_w=46.0, is_on=True))
    async with connected(station) as device:
        station.plug.meter._since = None  # its lag after switching on is long over
        await device.update()
        energy = device.modules[Module.Energy]
        assert energy.current_consumption == pytest.approx(46.0)
        assert energy.voltage == pytest.approx(230.0)
        assert energy.current == pytest.approx(0.2)
        assert energy.consumption_today == pytest.approx(0.0, abs=0.01)
        assert {"state", "rssi", "current_consumption", "voltage", "led"} <= set(device.features)


async def test_old_meter(serve: Serve) -> None:
    """The oldest meters tell volts and watts."""
    station = await serve(replace(LEGACY, has_milli_units=False), Plug(load_w=23.0, is_on=True))
    async with connected(station) as device:
        station.plug.meter._since = None
        await device.update()
        assert device.modules[Module.Energy].current == pytest.approx(0.1)


@each_kind
async def test_without_meter(serve: Serve, firmware: Firmware) -> None:
    """A plug without a meter has no energy at all."""
    station = await serve(firmware, Plug(Identity(model="HS103(US)", has_meter=False)))
    async with connected(station) as device:
        assert Module.Energy not in device.modules
        assert "current_consumption" not in device.features


@each_kind
async def test_a_hand_on_the_button(serve: Serve, firmware: Firmware) -> None:
    """Only a read finds out."""
    station = await serve(firmware)
    async with connected(station) as device:
        station.strike(ButtonPress())
        assert states(station, device) == (True, False)
        await device.update()
        assert states(station, device) == (True, True)
    assert station.truth.relay[-1].cause is Cause.BUTTON


# --- logins --------------------------------------------------------------------------------------------------


@each_login
async def test_stored_hash(serve: Serve, firmware: Firmware) -> None:
    """The hash of an earlier login serves in place of the password."""
    station = await serve(firmware)
    async with connected(station) as device:
        stored = device.config.to_dict_control_credentials(credentials_hash=device.credentials_hash)
    assert "password" not in str(stored)
    again = await Device.connect(config=DeviceConfig.from_dict(stored))
    assert not again.is_on
    await again.disconnect()


@each_login
async def test_blank_account(serve: Serve, firmware: Firmware) -> None:
    """A plug that nobody owns takes the blank login, whatever was offered."""
    station = await serve(replace(firmware, account=Account()))
    async with connected(station) as device:
        assert not device.is_on


@each_login
async def test_wrong_login(serve: Serve, firmware: Firmware) -> None:
    """Another account, and nothing but that; once it is over, the login works."""
    station = await serve(firmware)
    station.begin(WrongLogin())
    with pytest.raises(AuthenticationError):
        await Device.connect(config=config(station))
    station.end(WrongLogin())
    async with connected(station):
        pass


async def test_version_matters(serve: Serve) -> None:
    """A login of the first kind fails against the second, and the other way round."""
    station = await serve(KINDS["klap2"])
    wrong = config(station)
    wrong.connection_type.login_version = 1
    with pytest.raises(AuthenticationError):
        await Device.connect(config=wrong)


@each_login
async def test_lost_session(serve: Serve, firmware: Firmware) -> None:
    """One 403, a new login, and the command gets through once."""
    station = await serve(firmware)
    async with connected(station) as device:
        station.strike(LostSession())
        before = station.truth.counts[Which.LOGIN]
        await device.turn_on()
        assert station.plug.is_on
        assert station.truth.counts[Which.LOGIN] == before + 3  # the refused one, and two handshakes
        assert len(station.truth.relay_sets) == 1


async def test_one_request_sessions(serve: Serve) -> None:
    """Firmware that serves one request per login works, at three POSTs each."""
    station = await serve(replace(klap_v2(DEMO_ACCOUNT), requests_per_session=1))
    async with connected(station) as device:
        await device.turn_on()
        await device.turn_off()
    assert len(station.truth.relay_sets) == 2


async def test_two_clients_and_one_session(serve: Serve) -> None:
    """Each login throws the other client out."""
    station = await serve(replace(klap_v2(DEMO_ACCOUNT), sessions=1))
    async with connected(station) as one, connected(station) as other:
        before = station.truth.counts[Which.LOGIN]
        await one.update()
        await other.update()
        assert station.truth.counts[Which.LOGIN] == before + 6
        assert station.truth.connections == 2


# --- the table of section 3 ----------------------------------------------------------------------------------


@each_kind
async def test_nothing_listens(serve: Serve, firmware: Firmware) -> None:
    """Refused, and as soon as the door is open again it works."""
    station = await serve(firmware)
    station.begin(Refuse())
    await asyncio.sleep(0.01)
    with pytest.raises(KasaException) as refused:
        await Device.connect(config=config(station))
    assert isinstance(innermost(refused.value), ConnectionRefusedError)
    station.end(Refuse())
    await asyncio.sleep(0.01)
    async with connected(station):
        pass


@pytest.mark.parametrize("fault", [HangUp(times=1), ResetRequest(times=1)], ids=["closes", "resets"])
@each_kind
async def test_ends_the_connection_once(serve: Serve, firmware: Firmware, fault: Fault) -> None:
    """The library asks again of itself: two set commands on the wire for one call."""
    station = await serve(firmware)
    async with connected(station) as device:
        station.begin(fault)
        await device.turn_on()
        assert station.plug.is_on
    assert len(station.truth.relay_sets) == 2
    assert station.truth.most_connections == 1


@pytest.mark.parametrize(
    "fault", [HangUp(which=Which.SET), ResetRequest(which=Which.SET)], ids=["closes", "resets"]
)
@each_kind
async def test_ends_the_connection_always(serve: Serve, firmware: Firmware, fault: Fault) -> None:
    """Four attempts, then it fails."""
    station = await serve(firmware)
    async with connected(station) as device:
        station.begin(fault)
        with pytest.raises(KasaException):
            await device.turn_on()
    assert len(station.truth.relay_sets) == 4
    assert not station.truth.relay


@each_kind
async def test_reset_in_mid_answer(serve: Serve, firmware: Firmware) -> None:
    """The call fails although the relay has moved."""
    station = await serve(firmware)
    async with connected(station) as device:
        station.begin(ResetMidAnswer(which=Which.SET))
        with pytest.raises(KasaException):
            await device.turn_on()
    assert station.plug.is_on


@each_kind
async def test_garbage(serve: Serve, firmware: Firmware) -> None:
    """The legacy protocol is asked four times, KLAP once; the relay has moved."""
    station = await serve(firmware)
    async with connected(station) as device:
        station.begin(Garbage(which=Which.SET))
        with pytest.raises(KasaException):
            await device.turn_on()
    assert len(station.truth.relay_sets) == (4 if firmware is LEGACY else 1)
    assert station.plug.is_on


@each_login
async def test_forbidden_for_ever(serve: Serve, firmware: Firmware) -> None:
    """403 to everything but logins: four attempts."""
    station = await serve(firmware)
    async with connected(station) as device:
        logins = station.truth.counts[Which.LOGIN]
        station.begin(Forbidden(which=Which.SET))
        with pytest.raises(KasaException):
            await device.turn_on()
        assert len(station.truth.relay_sets) == 4
        assert station.truth.counts[Which.LOGIN] == logins + 2 * 3
    assert not station.plug.is_on


@each_kind
async def test_error_code(serve: Serve, firmware: Firmware) -> None:
    """A code that is not for trying again: one attempt."""
    code = -1301 if firmware.family.is_smart else -1
    station = await serve(firmware)
    async with connected(station) as device:
        station.begin(ErrorCode(code=code))
        with pytest.raises(KasaException):
            await device.turn_on()
    assert len(station.truth.relay_sets) == 1
    assert not station.plug.is_on


async def test_code_for_another_attempt(serve: Serve) -> None:
    """The newer family has codes that the library repeats the request for."""
    station = await serve(smart(DEMO_ACCOUNT))
    async with connected(station) as device:
        station.begin(ErrorCode(code=-1001, times=1))
        await device.turn_on()
    assert len(station.truth.relay_sets) == 2


@each_kind
async def test_acknowledged_without_effect(serve: Serve, firmware: Firmware) -> None:
    """Success is reported as often as it is a lie."""
    station = await serve(firmware)
    async with connected(station) as device:
        station.begin(NoEffect(times=2))
        for is_on in (False, False, True):
            await device.turn_on()
            assert station.plug.is_on is is_on


@each_kind
async def test_effect_without_answer(serve: Serve, firmware: Firmware) -> None:
    """Whoever gives up waiting does not know that it worked."""
    station = await serve(firmware)
    async with connected(station) as device:
        station.begin(NoAnswer(which=Which.SET))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await device.turn_on()
        assert station.plug.is_on
        station.end(NoAnswer(which=Which.SET))
        await device.update()
        assert device.is_on
    assert station.truth.most_in_flight == 1


@each_kind
async def test_missing_field(serve: Serve, firmware: Firmware) -> None:
    """Without the relay's state the library raises for the older family; for the newer one it says off."""
    station = await serve(firmware, Plug(is_on=True))
    async with connected(station) as device:
        assert device.is_on
        station.begin(MissingFields())
        await device.update()
        if firmware.family.is_smart:
            assert device.is_on is False
        else:
            with pytest.raises(KeyError):
                _ = device.is_on


# --- identity and firmware -----------------------------------------------------------------------------------


@each_kind
async def test_another_plug_at_the_address(serve: Serve, firmware: Firmware) -> None:
    """It answers as well as the right one would."""
    station = await serve(firmware)
    station.begin(WrongMac("50:C7:BF:00:00:99"))
    async with connected(station) as device:
        assert device.mac == "50:C7:BF:00:00:99"


async def test_update_to_klap(serve: Serve) -> None:
    """After a forced update the old way in is closed and the new one open."""
    station = await serve()
    old = config(station)
    station.begin(NewFirmware(klap_v2(DEMO_ACCOUNT)))
    await asyncio.sleep(0.01)
    with pytest.raises(KasaException):
        await Device.connect(config=old)
    async with connected(station) as device:
        assert device.mac == station.plug.identity.mac


# --- discovery -----------------------------------------------------------------------------------------------


async def test_legacy_discovery(serve: Serve) -> None:
    """It is found on its own port, with all that it tells."""
    station = await serve()
    found = await Discover.discover_single("127.0.0.1", port=station.port, discovery_timeout=1)
    assert found is not None
    assert found.mac == station.plug.identity.mac
    await found.update()
    await found.disconnect()
    several = await Discover.discover(target="127.0.0.1", port=station.port, discovery_timeout=1)
    assert list(several) == ["127.0.0.1"]
    for device in several.values():
        await device.disconnect()


@pytest.mark.parametrize("firmware", [klap_v2(DEMO_ACCOUNT), smart(DEMO_ACCOUNT, Family.SMART_TAPO)])
async def test_newer_discovery(serve: Serve, firmware: Firmware) -> None:
    """It tells its port and the kind of login, so that nothing else need be known."""
    station = await serve(firmware, host="127.0.0.41", discovery_port=20002)
    found = await Discover.discover_single(
        "127.0.0.41", discovery_timeout=1, credentials=Credentials(DEMO_ACCOUNT.user, DEMO_ACCOUNT.password)
    )
    assert found is not None
    assert found.config.connection_type.http_port == station.port
    await found.update()
    assert found.mac == station.plug.identity.mac
    await found.disconnect()


async def test_closed_door(serve: Serve) -> None:
    """Dials are refused, discovery names a scheme that the library does not know."""
    station = await serve(klap_v2(DEMO_ACCOUNT), host="127.0.0.42", discovery_port=20002)
    station.begin(ClosedDoor())
    await asyncio.sleep(0.01)
    assert station.firmware is CLOSED
    with pytest.raises(UnsupportedDeviceError, match="TPAP"):
        await Discover.discover_single("127.0.0.42", discovery_timeout=1)


# --- the plug's own timer ------------------------------------------------------------------------------------


@pytest.mark.parametrize("firmware", [KINDS["legacy"], KINDS["klap1"]], ids=["legacy", "klap1"])
async def test_relay_and_countdown_in_one_request(serve: Serve, firmware: Firmware) -> None:
    """On, and off again by the plug's own clock, whoever has left meanwhile."""
    station = await serve(firmware)
    async with connected(station) as device:
        rule = {"enable": 1, "delay": 0.05, "act": 0, "name": "dead man"}
        asked = {
            "count_down": {"delete_all_rules": {}, "add_rule": rule},
            "system": {"set_relay_state": {"state": 1}},
        }
        answer = await device.protocol.query(asked)
        assert answer["count_down"]["add_rule"]["err_code"] == 0
        answer = await device.protocol.query({"count_down": {"add_rule": rule}})
        assert answer["count_down"]["add_rule"]["err_code"] != 0  # there is one already
        answer = await device.protocol.query({"count_down": {"get_rules": {}}})
        assert [entry["act"] for entry in answer["count_down"]["get_rules"]["rule_list"]] == [0]
    assert [command[2:] for command in station.truth.sets][:3] == [
        (Part.TIMER, None),
        (Part.TIMER, 0.05),
        (Part.RELAY, True),
    ]
    await asyncio.sleep(0.1)
    assert [change[1:] for change in station.truth.relay] == [(True, Cause.COMMAND), (False, Cause.TIMER)]


async def test_auto_off(serve: Serve) -> None:
    """The newer timer, as the library has it."""
    station = await serve(smart(DEMO_ACCOUNT))
    async with connected(station) as device:
        timer = device.modules[Module.AutoOff]
        await timer.call("set_auto_off_config", {"enable": True, "delay_min": 10})
        await device.turn_on()
        await device.update()
        assert timer.enabled
        assert timer.delay == 10
        assert timer.is_timer_active
        assert device.sys_info["auto_off_remain_time"] in (599, 600)
    assert [command[2:] for command in station.truth.timer_sets] == [(Part.TIMER, 600.0)]


@each_kind
async def test_no_timer(serve: Serve, firmware: Firmware) -> None:
    """Firmware without one says so."""
    station = await serve(replace(firmware, has_timer=False))
    async with connected(station) as device:
        assert Module.AutoOff not in device.modules
        if firmware.family.is_smart:
            with pytest.raises(DeviceError):
                await device.protocol.query({"get_auto_off_config": {}})
        else:
            answer = await device.protocol.query({"count_down": {"get_rules": {}}})
            assert answer["count_down"]["err_code"] == -1


# --- on the command line -------------------------------------------------------------------------------------


async def test_program() -> None:
    """The first line names the address, where a client finds the plug."""
    program = [sys.executable, "-m", "holdfast.simulators.kasa", "--port", "0", "--profile", "none"]
    process = await asyncio.create_subprocess_exec(*program, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        first = (await process.stdout.readline()).decode()
        port = int(first.rpartition(":")[2])
        device = await Device.connect(config=DeviceConfig("127.0.0.1", port_override=port))
        await device.turn_on()
        await device.disconnect()
        assert await process.stdout.readline() == b"on (command)\n"
    finally:
        process.terminate()
        assert await process.wait() == 0
