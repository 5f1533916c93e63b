"""The driver as the core sees it, and a house under the real core in virtual time."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.drivers.ipcom.driver import IPCOM
from holdfast.drivers.ipcom.options import REPLY_S, SILENCE_S
from holdfast.errors import ConfigurationError
from holdfast.hub.site.spec import DeviceSpec
from holdfast.link.driver import Driver, KeepAlive, Poll, Trait
from holdfast.link.session import Endpoint
from holdfast.model import Availability, CommandState, Device, Quality, ReasonCode
from holdfast.simulation import Split
from tests.drivers.ipcom.controller import Controller
from tests.drivers.ipcom.homes import BLIND, device
from tests.link.house import command, hub_of, loop

if TYPE_CHECKING:
    from holdfast.hub.hub import Hub


def prepared(home: Device) -> Driver:
    return IPCOM.prepare(home, home.adapters[0])


def house(adapter: dict[str, Any] | None = None, **options: Any) -> DeviceSpec:
    home = device(adapter={"url": "tcp://house", **(adapter or {})}, **options)
    return DeviceSpec(home, (prepared(home),))


def value(hub: Hub, key: str) -> object:
    return hub.reading(f"house/{key}").value


def test_the_driver_is_a_value() -> None:
    """What it declares, with the timing of design.md."""
    driver = prepared(device())
    assert driver.name == IPCOM.name == "ipcom"
    assert driver.traits == Trait.POLLED | Trait.WRITES | Trait.LOGIN
    assert driver.endpoint == Endpoint("tcp", "192.0.2.1:5000", "192.0.2.1", is_exclusive=True)
    assert driver.polls == [Poll("snapshot", "", "outputs", 0.35, 0.65)]
    assert driver.keep_alive == KeepAlive("keepalive", 30.0)
    assert driver.timing.silence_s == 1.4
    assert driver.timing.spacing_s == 0.2
    assert (driver.timing.dial_s, driver.timing.login_first_s, driver.timing.login_s) == (3.0, 0.5, 1.0)
    assert driver.is_guarding
    assert "secret" not in repr(driver)
    assert prepared(device(keepalive_s=0)).keep_alive is None
    assert not prepared(device({})).is_guarding


def test_two_questions_fit_into_the_silence_deadline() -> None:
    """Reply deadline and period stay below silence for every period that the options allow."""
    assert prepared(device(poll_s=0.7)).polls[0].every_s + REPLY_S < SILENCE_S


def test_wrong_options_stop_it() -> None:
    """Before anything is dialled."""
    with pytest.raises(ConfigurationError):
        prepared(device({"a": {}}))


@pytest.mark.virtual
async def test_a_day_in_the_house() -> None:
    """Connects, reads, commands, and takes its leave."""
    controller = Controller()
    controller.state[8 * 5 + 1] = 40
    await controller.listen("house")
    async with hub_of(house()) as hub:
        await asyncio.sleep(1.0)
        assert hub.device("house").availability is Availability.ONLINE
        assert value(hub, "salon") == 40
        assert value(hub, "kitchen") is False
        for target, wanted, shown in (
            ("kitchen", True, True),
            ("salon", 70, 70),
            ("salon", False, 0),
            ("salon", True, 70),
            ("hall", 50, 50),
            ("blind", "open", "opening"),
            ("apart", "close", "closing"),
        ):
            receipt = await command(hub, f"house/{target}", wanted)
            assert receipt.state is CommandState.VERIFIED, (target, receipt)
            assert value(hub, target) == shown
        receipt = await command(hub, "house/blind", "stop")
        assert receipt.state is CommandState.VERIFIED
        assert receipt.ended_after_s is not None
        assert receipt.ended_after_s < 0.1
        assert value(hub, "apart") == "closing"
    assert controller.goodbyes == 1


@pytest.mark.virtual
@pytest.mark.parametrize("ack", [None, b"\x04\x01", b"\x04\x01\x00", b"\x05\x01" + bytes(128)])
async def test_any_reply_to_a_write_will_do(ack: bytes | None) -> None:
    """None, short ones and snapshots: commands are confirmed in far less than a poll period."""
    controller = Controller()
    controller.ack = ack
    await controller.listen("house")
    async with hub_of(house()) as hub:
        await asyncio.sleep(1.0)
        for is_on in (True, False, True):
            receipt = await command(hub, "house/pump", is_on)
            assert receipt.state is CommandState.VERIFIED
            assert receipt.ended_after_s is not None
            assert receipt.ended_after_s < 0.15
            await asyncio.sleep(0.5)
        assert sum(next(iter(hub.links.values())).report.rejects.values()) == 0


@pytest.mark.virtual
async def test_reversal_with_a_slow_bus() -> None:
    """Off, seen off, rest, on: never sooner than the dead time after the motor really stopped."""
    controller = Controller()
    controller.bus_s = 0.6
    await controller.listen("house")
    home = device({"blind": BLIND}, adapter={"url": "tcp://house"})
    async with hub_of(DeviceSpec(home, (prepared(home),))) as hub:
        await asyncio.sleep(3.0)
        assert (await command(hub, "house/blind", "open")).state is CommandState.VERIFIED
        await asyncio.sleep(3.0)
        controller.writes.clear()
        assert (await command(hub, "house/blind", "close")).state is CommandState.VERIFIED
        offs = [t for t, module, values in controller.writes if module == 5 and not any(values)]
        ons = [t for t, module, values in controller.writes if module == 5 and values[6]]
        assert min(ons) - max(offs) >= 0.5 + 0.6 - 1e-6
        await asyncio.sleep(1.0)  # the bus is empty


@pytest.mark.virtual
async def test_a_scene_shares_frames() -> None:
    """Several outputs of a module in one frame, 0.2 s between frames."""
    controller = Controller()
    await controller.listen("house")
    async with hub_of(house()) as hub:
        await asyncio.sleep(1.0)
        controller.writes.clear()  # the pump must be off at the start of every session
        wanted = {"kitchen": True, "pump": True, "salon": 30, "hall": 60, "porch": True}
        await asyncio.gather(*(command(hub, f"house/{key}", each) for key, each in wanted.items()))
        assert {key: value(hub, key) for key in wanted} == wanted
        times = [t for t, _, _ in controller.writes]
        assert len(times) == 4
        assert min(b - a for a, b in itertools.pairwise(times)) >= 0.2 - 1e-9


@pytest.mark.virtual
async def test_a_wall_switch_is_not_undone() -> None:
    """A press just before a command to its neighbour stays (fault 16)."""
    controller = Controller()
    await controller.listen("house")
    async with hub_of(house()) as hub:
        await asyncio.sleep(1.0)
        for delay_s in (0.02, 0.1, 0.25):
            controller.state[1] = 255
            await asyncio.sleep(delay_s)
            await command(hub, "house/kitchen", True)
            assert controller.state[1] == 255
            controller.state[1] = 0
            await command(hub, "house/kitchen", False)
            assert controller.state[1] == 0


@pytest.mark.virtual
async def test_both_relays_on_at_the_wall() -> None:
    """Switched off without a command, with an alarm while it lasts."""
    controller = Controller()
    await controller.listen("house")
    async with hub_of(house()) as hub:
        await asyncio.sleep(1.0)
        controller.state[38] = controller.state[39] = 255
        await asyncio.sleep(1.0)
        assert controller.state[38] == controller.state[39] == 0
        assert value(hub, "blind") == "stopped"
        assert hub.device("house").desk.warnings == {}


@pytest.mark.virtual
async def test_a_maximum_run_ends_without_a_command() -> None:
    """The planner is woken for it though nothing changes."""
    controller = Controller()
    await controller.listen("house")
    home = device({"blind": {**BLIND, "maximum_run_s": 20}}, adapter={"url": "tcp://house"})
    async with hub_of(DeviceSpec(home, (prepared(home),))) as hub:
        await asyncio.sleep(3.0)
        await command(hub, "house/blind", "open")
        await asyncio.sleep(18.0)
        assert value(hub, "blind") == "opening"
        await asyncio.sleep(3.0)
        assert value(hub, "blind") == "stopped"


@pytest.mark.virtual
async def test_a_new_key_with_each_session() -> None:
    """A dropped connection is back with the new key, and nothing old is shown as current (fault 1)."""
    controller = Controller()
    await controller.listen("house")
    async with hub_of(house()) as hub:
        await asyncio.sleep(5.0)
        controller.key = bytes(reversed(range(128)))
        controller.state[0] = 255
        controller.open[0].transport.abort()
        await asyncio.sleep(0.5)
        assert hub.reading("house/kitchen").quality is Quality.GOOD
        assert value(hub, "kitchen") is True
        assert len(set(controller.logins)) == 1  # single-key again


@pytest.mark.virtual
async def test_keep_alives() -> None:
    """Every 30 s, and a device that never answers them loses nothing."""
    for answers in (True, False):
        controller = Controller()
        controller.answers_keep_alive = answers
        server = await controller.listen("house")
        async with hub_of(house()) as hub:
            await asyncio.sleep(100.0)
            assert controller.keep_alives == 3
            report = next(iter(hub.links.values())).report
            assert report.outage_count == 0
            assert report.unanswered == 0
        server.close()


@pytest.mark.virtual
async def test_refused_login() -> None:
    """Said as such, and not hammered."""
    controller = Controller()
    controller.refuses = True
    await controller.listen("house")
    async with hub_of(house()) as hub:
        await asyncio.sleep(30.0)
        assert hub.device("house").reason.code is ReasonCode.LOGIN_REFUSED
        assert len(controller.logins) == 1


@pytest.mark.virtual
async def test_plain_session() -> None:
    """Refused with advice where the owner has not allowed it; else the next session is plain, quickly."""
    controller = Controller()
    controller.is_plain = True
    await controller.listen("house")
    async with hub_of(house()) as hub:
        await asyncio.sleep(5.0)
        reason = hub.device("house").reason
        assert reason.code is ReasonCode.INSECURE
        assert "allow_plain: true" in reason.advice
        assert len(controller.logins) == 1
    async with hub_of(house({"options": {"allow_plain": True}})) as hub:
        await asyncio.sleep(2.0)
        assert hub.device("house").availability is Availability.ONLINE
        assert (await command(hub, "house/kitchen", True)).state is CommandState.VERIFIED
        assert controller.logins[-1].startswith(b"\x01\x02USER:me")


@pytest.mark.virtual
async def test_any_pieces() -> None:
    """A network that delivers byte by byte changes nothing (fault 9)."""
    controller = Controller()
    await controller.listen("house")
    loop().network.host("house").split = Split(3)
    async with hub_of(house()) as hub:
        await asyncio.sleep(10.0)
        report = next(iter(hub.links.values())).report
        assert report.unanswered == 0
        assert sum(report.rejects.values()) == 0
        assert (await command(hub, "house/kitchen", True)).state is CommandState.VERIFIED
