"""The site changes while a thermostat runs: what it gives up is seen off, and nothing else is touched."""

from __future__ import annotations

import asyncio
import copy
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.errors import UnknownTarget
from holdfast.hub.site import SiteError
from holdfast.hub.site.edit import drop_controller, drop_device
from tests.drivers.kasa.fake_kasa import Trouble
from tests.hub.controllers.house import House, house

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.virtual


def with_controller(**changes: object) -> Any:
    """A change of the site: some keys of its controller."""

    def change(site: Mapping[str, Any]) -> dict[str, Any]:
        changed = copy.deepcopy(dict(site))
        for key, value in changes.items():
            if value is ...:
                changed["controllers"][0].pop(key, None)
            else:
                changed["controllers"][0][key] = value
        return changed

    return change


async def heating(home: House) -> None:
    """The heater is on, proven."""
    await home.until(lambda: home.value("fermenter/heating"))


async def test_new_limits_touch_nothing() -> None:
    """Neither the plugs' sessions nor the wanted state."""
    async with house(17.0) as home:
        await heating(home)
        dials, sends = len(home.library.dials), home.heater.sends()
        change = await home.living.edit(with_controller(high=22.0))
        assert change.lines == ["controller fermenter: changes"]
        home.temperature = 21.0
        await asyncio.sleep(60)
        assert home.heater.is_on
        assert (len(home.library.dials), home.heater.sends()) == (dials, sends)


@pytest.mark.parametrize("bad", [None, "hot", float("nan"), 18.0, 3])
async def test_bad_limits_are_refused_and_change_nothing(bad: object) -> None:
    """The site stays as it was, and the heater on."""
    async with house(17.0) as home:
        await heating(home)
        with pytest.raises(SiteError):
            await home.living.edit(with_controller(high=bad))
        await asyncio.sleep(30)
        assert home.heater.is_on
        assert home.value("fermenter/high") == 20.0


async def test_another_plug_takes_the_place() -> None:
    """The old one is seen off, the new one waits for the dead time as if it had just stopped."""
    async with house(17.0) as home:
        await heating(home)
        await home.living.edit(with_controller(heater="spare/switch"))
        await home.until(lambda: not home.heater.is_on, 5)
        await home.until(lambda: home.spare.is_on, 60)
        assert (await home.command("heater/switch", True)).reason == ""


@pytest.mark.parametrize("how", ["controller", "device", "mode", "role"])
async def test_a_heater_that_is_given_up_while_silent(how: str) -> None:
    """It is on and cannot be reached when its owner goes: OFF is owed, and arrives when it is back."""
    async with house(17.0) as home:
        await heating(home)
        home.heater.trouble = Trouble.SILENT
        match how:
            case "controller":
                await home.living.edit(lambda site: drop_controller(site, "fermenter"))
            case "device":
                changed = with_controller(heater=...)
                await home.living.edit(lambda site: drop_device(changed(site), "heater"))
            case "mode":
                await home.living.edit(with_controller(heating_enabled=False))
            case _:
                await home.living.edit(with_controller(heater=...))
        await asyncio.sleep(200)
        assert home.heater.is_on
        home.heater.well()
        await home.until(lambda: not home.heater.is_on, 25)


@pytest.mark.parametrize("how", ["controller", "role"])
async def test_the_debt_outlives_a_restart(how: str) -> None:
    """The hub ends before the plug is back; the next one owes the OFF all the same."""
    async with house(17.0) as home:
        await heating(home)
        home.heater.trouble = Trouble.SILENT
        if how == "controller":
            await home.living.edit(lambda site: drop_controller(site, "fermenter"))
        else:
            await home.living.edit(with_controller(heater=...))
        await home.stop(patience_s=0.0)
        await home.start()
        await asyncio.sleep(30)
        assert home.heater.is_on
        home.heater.well()
        await home.until(lambda: not home.heater.is_on, 25)


def at_address(device: int, number: int) -> Any:
    """A change of the site: a plug's address."""

    def change(site: Mapping[str, Any]) -> dict[str, Any]:
        changed = copy.deepcopy(dict(site))
        changed["devices"][device]["adapters"][0]["url"] = f"kasa://10.0.0.{number}"
        return changed

    return change


async def test_a_plug_at_another_address_is_another_plug() -> None:
    """What is shown and decided is of the new one at once, and it counts as just stopped."""
    async with house(17.0, cooler_min_off_s=300, dead_time_s=60) as home:
        await heating(home)
        await home.living.edit(at_address(0, 9))
        await asyncio.sleep(0.01)
        assert home.state() != "heating"
        assert home.value("fermenter/heating") is None
        await home.until(lambda: not home.heater.is_on, 5)


async def test_a_mistyped_address_leaves_nothing_behind() -> None:
    """Where the device was never reached nothing was switched: neither a ghost nor a long goodbye."""
    async with house(17.0) as home:
        await heating(home)
        await home.living.edit(at_address(0, 9))
        await asyncio.sleep(60)
        await home.living.edit(at_address(0, 1))
        await heating(home)
        assert [each for each in home.hub.devices if "-old-" in each] == []
        began_t = home.loop.time()
        await home.stop()
        assert home.loop.time() - began_t < 2
        await home.start()


async def test_a_person_may_give_up_a_plug_that_is_gone_for_good() -> None:
    """It was on when it was taken out, and is in the bin by now: nobody else may say so."""
    async with house(17.0) as home:
        await heating(home)
        home.heater.trouble = Trouble.SILENT
        changed = with_controller(heater=...)
        await home.living.edit(lambda site: drop_device(changed(site), "heater"))
        await asyncio.sleep(30)
        assert "heater-old-1" in home.hub.devices
        await home.hub.abandon("heater-old-1")
        assert "heater-old-1" not in home.hub.devices
        with pytest.raises(UnknownTarget):
            await home.hub.abandon("fridge")
        await home.stop()
        await home.start()
        assert "heater-old-1" not in home.hub.devices


async def test_nobody_holds_the_orders_of_a_controller_that_went_while_the_hub_was_off() -> None:
    """The plug is seen off, and then it is a plug like any other."""
    async with house(None) as home:
        await asyncio.sleep(30)
        assert home.hub.device("heater").desk.orders
        home.hub.controllers.stop()
        await home.stop(patience_s=0.0)
        home.site = {"devices": home.site["devices"]}
        await home.start()
        await home.until(lambda: not home.hub.device("heater").desk.orders, 30)
        await home.done("heater/switch", True)


async def test_an_id_that_is_used_again_begins_anew() -> None:
    """What was set for the controller of that name before is forgotten with it."""
    async with house(19.0) as home:
        await home.done("fermenter/low", 12)
        whole = home.living.mapping
        await home.living.edit(lambda site: drop_controller(site, "fermenter"))
        await home.living.edit(lambda _: whole)
        await home.until(lambda: home.value("fermenter/low") == 18.0, 5)
        await home.stop()
        await home.start()
        assert home.value("fermenter/low") == 18.0


async def test_a_sensor_that_is_in_use_cannot_go() -> None:
    """Nor a plug: the site says who needs it."""
    async with house(17.0) as home:
        for device in ("beer", "heater"):
            with pytest.raises(SiteError, match=f"there is no device '{device}'"):
                await home.living.edit(partial(drop_device, device_id=device))


async def test_another_sensor_is_waited_for() -> None:
    """Until the new one is heard both plugs are off, whatever the old one says; its silence is no alarm at first."""
    async with house(17.0) as home:
        await heating(home)
        await home.living.edit(with_controller(sensor="other/temperature"))
        await home.until(lambda: not home.heater.is_on, 5)
        await asyncio.sleep(600)
        assert not home.heater.is_on
        assert ("fermenter/no_reading", True) not in home.alarms()
        await asyncio.sleep(400)
        assert home.alarms().count(("fermenter/no_reading", True)) == 1
        home.post(17.0, "other/temperature")
        await home.until(lambda: home.heater.is_on, 15)


async def test_a_controller_that_comes_while_the_hub_runs() -> None:
    """Its plugs are seen off first, then it decides."""
    async with house(17.0) as home:
        await heating(home)
        whole = home.living.mapping
        await home.living.edit(lambda site: drop_controller(site, "fermenter"))
        await home.until(lambda: not home.hub.device("heater").desk.orders, 5)
        home.heater.press(is_on=True)
        await asyncio.sleep(30)
        assert home.heater.is_on
        await home.living.edit(lambda _: whole)
        await home.until(lambda: not home.heater.is_on, 5)
        await home.until(lambda: home.heater.is_on, 60)
