"""Finding a plug with the real library: its kind, its port, its address, who it is; and what a restart still knows."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.drivers.kasa.ways import Kind
from holdfast.model import CommandState, Quality, ReasonCode
from holdfast.simulators.kasa import (
    DEMO_ACCOUNT,
    LEGACY,
    ClosedDoor,
    NewFirmware,
    Refuse,
    WrongMac,
    klap_v2,
)
from tests.drivers.kasa.home import now, until
from tests.drivers.kasa.real_home import WORDS, device_of, metered, one_plug, station_of, street_of
from tests.simulators.kasa.real import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.model import Device
    from holdfast.simulators.kasa import KasaPlug
    from tests.drivers.kasa.real_home import Street

# python-kasa reads certificates and time zones from disk in the loop.
pytestmark = [pytest.mark.virtual, pytest.mark.blocking_allowed]
each_kind = pytest.mark.parametrize("name", list(KINDS))

MINE, OTHER = "50:C7:BF:00:00:0A", "50:C7:BF:00:00:0B"
PORT = 8080


def at(device: Device, url: str) -> Device:
    """The same device with another address in the site."""
    return replace(device, adapters=(replace(device.adapters[0], url=url),))


async def online_after(street: Street, within_s: float, host: str = "plug") -> float:
    """Wait for it; how long that took."""
    began_t = now()
    await until(lambda: street.hub.reading(f"{host}/switch").quality is Quality.GOOD, within_s)
    return now() - began_t


# --- kind and port ---------------------------------------------------------------------------------------------------


@each_kind
async def test_a_forwarded_port_without_udp_is_tried_in_every_language(name: str) -> None:
    """Nobody can be asked, and the kind is not told: each language has its turn, within a minute."""
    station = station_of(KINDS[name], metered(MINE), legacy_port=PORT, http_port=PORT, discovery_port=None)
    device = at(device_of("plug", "auto"), f"kasa://plug:{PORT}")
    async with street_of((device, station), waits=False) as street:
        station.truth.counts.clear()
        assert await online_after(street, 60.0) < 60.0
        assert street.memory().way is not None
        assert (await street.switch(True)).state is CommandState.VERIFIED
        assert street.link().report.dials <= 6


@pytest.mark.parametrize("name", ["klap1", "klap2", "smart"])
async def test_a_port_that_takes_the_wrong_language_in_silence(name: str) -> None:
    """The trial of the old language ends without a word: the next connect begins with the next one."""
    station = station_of(KINDS[name], metered(MINE), legacy_port=PORT, http_port=PORT, discovery_port=None)
    make_patient(station)
    device = at(device_of("plug", "auto"), f"kasa://plug:{PORT}")
    async with street_of((device, station), waits=False) as street:
        assert await online_after(street, 60.0) > 5.0  # the trial in vain
        assert street.memory().way is not None
        assert street.memory().way.kind is not Kind.LEGACY  # type: ignore[union-attr]
        assert (await street.switch(True)).state is CommandState.VERIFIED


def make_patient(station: KasaPlug) -> None:
    """Let its web server wait for the rest of what is no HTTP, as many do."""
    door: Any = station._web
    made = door._connect

    def connect() -> Any:
        connection = made()
        read = connection._read
        is_http: list[bool] = []

        def wait(data: bytes) -> None:
            is_http.append(data[:1] == b"P" or any(is_http))
            if is_http[-1]:
                read(data)

        connection._read = wait
        return connection

    door._connect = connect


@each_kind
async def test_auto_asks_the_plug_what_it_is(name: str) -> None:
    """One question by UDP, and none in operation."""
    station = station_of(KINDS[name], metered(MINE))
    async with street_of((device_of("plug", "auto"), station)) as street:
        assert street.memory().way is not None
        assert street.memory().way.kind.value == WORDS[name]  # type: ignore[union-attr]
        assert len(street.library.dials) == 1


async def test_firmware_that_changes_its_kind_is_followed() -> None:
    """A forced update moves a plug from the old cipher behind a login: found again within a minute."""
    async with one_plug("legacy", metered(MINE)) as (street, station):
        station.begin(NewFirmware(klap_v2(DEMO_ACCOUNT)))
        await until(lambda: not street.link().has_session, 30.0)
        assert await online_after(street, 60.0) < 60.0
        assert street.memory().way.kind is Kind.KLAP  # type: ignore[union-attr]
        assert (await street.switch(True)).state is CommandState.VERIFIED


async def test_a_door_that_closed_is_told_with_what_opens_it() -> None:
    """TPAP: detected, explained, and not hammered."""
    async with one_plug("legacy", metered(MINE), mac=MINE) as (street, station):
        door = ClosedDoor()
        station.begin(door)
        await until(lambda: street.link().reason.code is ReasonCode.UNSUPPORTED, 60.0)
        assert "TPAP" in street.link().reason.text
        assert "Compatibility" in street.link().reason.advice
        dials = street.link().report.dials
        await asyncio.sleep(3600.0)
        assert street.link().report.dials - dials <= 10
        station.end(door)
        assert await online_after(street, 1000.0) < 1000.0


# --- who it is -------------------------------------------------------------------------------------------------------


@each_kind
async def test_another_plug_behind_an_open_session_is_noticed(name: str) -> None:
    """The library dials anew within a call and looks at nobody's name: we do, with every reading."""
    async with one_plug(name, metered(MINE)) as (street, station):
        assert (await street.switch(True)).state is CommandState.VERIFIED
        sets = len(station.truth.relay_sets)
        stranger = WrongMac(OTHER)
        station.begin(stranger)
        await asyncio.sleep(20.0)
        assert not street.link().has_session
        assert street.link().reason.code is ReasonCode.WRONG_DEVICE
        street.hub.order("plug/switch", False, "a test")
        await asyncio.sleep(300.0)
        assert len(station.truth.relay_sets) == sets
        assert station.plug.is_on
        assert street.value("switch") is None


@each_kind
async def test_addresses_that_were_swapped(name: str) -> None:
    """Ours is followed by its hardware address, over real discovery."""
    mine = station_of(KINDS[name], metered(MINE), host="elsewhere")
    other = station_of(KINDS[name], metered(OTHER), host="plug")
    device = device_of("plug", WORDS[name], mac=MINE)
    async with street_of((device, other), strangers=(mine,), waits=False) as street:
        assert await online_after(street, 30.0) < 15.0
        assert (await street.switch(True)).state is CommandState.VERIFIED
        assert mine.plug.is_on
        assert not other.plug.is_on
        assert other.truth.relay_sets == []
        assert other.truth.connections == 0


# --- what a restart still knows --------------------------------------------------------------------------------------


async def record_of(street: Street) -> Mapping[str, Any]:
    """What the hub would keep, as it comes back from a store."""
    return dict(json.loads(json.dumps(street.memory().to_record())))


@each_kind
async def test_a_plug_that_moved_is_found_at_once_after_a_restart(name: str) -> None:
    """Followed to another address in one run, it is dialled there first in the next: without UDP, without a wait."""
    plug = metered(MINE)
    here, there = (
        station_of(KINDS[name], plug),
        station_of(KINDS[name], plug, host="elsewhere", discovery_port=None),
    )
    device = device_of("plug", WORDS[name])
    async with street_of((device, here)) as street:
        memory = street.memory()
        assert memory.way is not None
        memory.moved(memory.way.at("elsewhere"))
        record = await record_of(street)
        assert record["mac"] == MINE
    async with street_of((device, there), records={"plug": record}, waits=False) as street:
        assert await online_after(street, 30.0) < 0.5
        assert [host for _, host in street.library.dials] == ["elsewhere"]


async def test_a_kind_that_changed_is_known_after_a_restart() -> None:
    """The site still says legacy; no search, no trial of the old port."""
    station = station_of(klap_v2(DEMO_ACCOUNT), metered(MINE), discovery_port=None)
    record = {"told": "plug legacy", "mac": MINE, "way": None}
    async with street_of((device_of("plug", "klap"), station)) as street:
        record["way"] = dict(await record_of(street))["way"]
    async with street_of(
        (device_of("plug", "legacy"), station), records={"plug": record}, waits=False
    ) as street:
        assert await online_after(street, 30.0) < 0.5
        assert len(street.library.dials) == 1


@each_kind
async def test_another_plug_at_the_old_address_is_recognised_after_a_restart(name: str) -> None:
    """The owner never named the hardware address: what was remembered is enough not to switch a stranger."""
    device = device_of("plug", WORDS[name])
    async with street_of((device, station_of(KINDS[name], metered(MINE)))) as street:
        record = await record_of(street)
    other = station_of(KINDS[name], metered(OTHER))
    async with street_of((device, other), records={"plug": record}, waits=False) as street:
        await asyncio.sleep(8.0)
        assert street.link().reason.code is ReasonCode.WRONG_DEVICE
        assert OTHER in street.link().reason.text
        assert (await street.switch(True, timeout_s=30.0)).state is CommandState.EXPIRED
        assert other.truth.relay_sets == []


async def test_a_plug_that_is_back_where_the_owner_says_is_found_there() -> None:
    """It was followed once, and UDP does not pass any more: the address of the site is tried again, too."""
    device = device_of("plug", "legacy")
    station = station_of(LEGACY, metered(MINE))
    station._legacy_discovery._answer = lambda data: None
    async with street_of((device, station)) as street:
        record = await record_of(street)
    way = {**record["way"], "host": "elsewhere"}
    nobody = station_of(LEGACY, metered(OTHER), host="elsewhere")
    async with street_of(
        (device, station), strangers=(nobody,), records={"plug": {**record, "way": way}}, waits=False
    ) as street:
        nobody.begin(Refuse())
        assert await online_after(street, 60.0) < 60.0
        assert (await street.switch(True)).state is CommandState.VERIFIED
        assert station.plug.is_on
        assert nobody.truth.relay_sets == []
