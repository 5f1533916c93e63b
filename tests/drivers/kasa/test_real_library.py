"""The driver with the real python-kasa, in virtual time, against simulated plugs that know nothing of either."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import kasa
import pytest

from holdfast.clock import LoopClock
from holdfast.drivers.kasa.driver import family
from holdfast.drivers.kasa.library import KasaLibrary
from holdfast.hub.hub import Hub
from holdfast.hub.site.spec import DeviceSpec
from holdfast.link.core import Core
from holdfast.model import CommandState, ReasonCode
from holdfast.simulators.kasa import DEMO_ACCOUNT, LEGACY, KasaPlug, NoEffect, Stall, Unplugged, Which
from tests.drivers.kasa.bench import plug_device
from tests.drivers.kasa.home import ME, now, until
from tests.link.house import loop
from tests.simulators.kasa.real import KINDS
from tests.simulators.kasa.virtual import client_session, plugged_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# python-kasa reads certificates and time zones from disk in the loop.
pytestmark = [pytest.mark.virtual, pytest.mark.blocking_allowed]
WORDS = {"legacy": "legacy", "klap1": "klap", "klap2": "klap", "smart": "smart"}


async def library_for(stack: AsyncExitStack, station: KasaPlug) -> KasaLibrary:
    """The installed library; only its HTTP goes through the virtual network."""
    client = await stack.enter_async_context(client_session(station))
    parts = {
        name: getattr(kasa, name) for name in vars(KasaLibrary) if hasattr(kasa, name) and name[0] != "_"
    }
    parts["DeviceConfig"] = partial(kasa.DeviceConfig, http_client=client)
    return cast("KasaLibrary", SimpleNamespace(**parts))


@asynccontextmanager
async def hub_with(
    station: KasaPlug, kind: str, password: str = DEMO_ACCOUNT.password, **options: object
) -> AsyncIterator[Hub]:
    """A hub that knows the plug."""
    async with AsyncExitStack() as stack:
        library = await library_for(stack, station)
        device = plug_device(
            f"kasa://{station.host}",
            username=DEMO_ACCOUNT.user,
            password=password,
            options={"kind": kind, **options},
        )
        driver = family(lambda: library).prepare(device, device.adapters[0])
        clock = LoopClock(loop())
        hub = Hub(clock, core=Core(clock, rng=loop().random))
        hub.add(DeviceSpec(device, (driver,)))
        hub.start()
        stack.push_async_callback(hub.stop, patience_s=0.0)
        await until(lambda: hub.reading("plug/switch").quality.is_current, 30)
        yield hub


@pytest.mark.parametrize("name", list(KINDS))
async def test_each_kind_is_read_switched_and_armed(name: str) -> None:
    """State, signal and meter are read, ON and OFF are proved, and the plug's own timer runs."""
    async with plugged_in(KINDS[name]) as station, hub_with(station, WORDS[name], dead_man_s=600) as hub:
        on = await hub.ended(hub.command("plug/switch", True, ME))
        assert on.state is CommandState.VERIFIED, on.reason
        assert station.plug.is_on
        await asyncio.sleep(700)
        assert station.plug.is_on
        assert hub.reading("plug/dead_man_state").value == "armed"
        assert hub.reading("plug/rssi").value is not None
        assert hub.reading("plug/power").value is not None
        off = await hub.ended(hub.command("plug/switch", False, ME))
        assert off.state is CommandState.VERIFIED
        assert not station.plug.is_on


@pytest.mark.parametrize("name", list(KINDS))
async def test_one_silent_set_costs_five_seconds(name: str) -> None:
    """No more than four sets on the wire an attempt, and the library's own patience never shows."""
    async with plugged_in(KINDS[name]) as station, hub_with(station, WORDS[name]) as hub:
        station.begin(Stall(which=Which.SET))
        began_t = now()
        receipt = await hub.ended(hub.command("plug/switch", True, ME))
        assert receipt.state is CommandState.FAILED
        assert receipt.attempts == 3
        assert now() - began_t < 40.0


async def test_an_acknowledgement_without_effect() -> None:
    """Found out by the read-back."""
    async with plugged_in(LEGACY) as station, hub_with(station, "legacy") as hub:
        station.begin(NoEffect())
        receipt = await hub.ended(hub.command("plug/switch", True, ME))
        assert receipt.state is CommandState.FAILED
        assert "reports off" in receipt.reason


async def test_a_legacy_plug_is_found_by_asking() -> None:
    """Real discovery, over the virtual network's UDP."""
    async with plugged_in(LEGACY) as station, hub_with(station, "auto") as hub:
        (link,) = hub.links.values()
        assert link.reason.code is ReasonCode.OK


async def test_a_power_cut_is_an_outage_that_ends() -> None:
    """Told in words, and back within seconds of its return."""
    async with plugged_in(LEGACY) as station, hub_with(station, "legacy") as hub:
        (link,) = hub.links.values()
        trouble = Unplugged()
        station.begin(trouble)
        await until(lambda: not link.has_session, 60)
        await asyncio.sleep(60)
        assert link.reason.code in (ReasonCode.UNREACHABLE, ReasonCode.SILENT)
        station.end(trouble)
        await until(lambda: link.reason.code is ReasonCode.OK, 25)
