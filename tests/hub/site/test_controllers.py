"""What a site says of its controllers: who owns what, what is wrong, and what runs all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from holdfast.app import FAMILIES
from holdfast.hub.site import SecretSource, SiteError
from holdfast.hub.site.plan import What, changed_controllers, others, plan
from holdfast.hub.site.read import read_site, read_what_can_be_used

if TYPE_CHECKING:
    from holdfast.hub.site.spec import SiteSpec

HEATER = {"id": "heater", "adapters": [{"id": "lan", "driver": "kasa", "url": "kasa://10.0.0.1"}]}
FRIDGE = {"id": "fridge", "adapters": [{"id": "lan", "driver": "kasa", "url": "kasa://10.0.0.2"}]}
TILT = {"id": "tilt-red", "adapters": [{"id": "ble", "driver": "tilt", "url": "ble://red"}]}
FERMENTER = {
    "id": "fermenter",
    "kind": "thermostat",
    "sensor": "tilt-red/temperature",
    "gravity": "tilt-red/gravity",
    "heater": "heater/switch",
    "cooler": "fridge/switch",
    "low": 18.0,
    "high": "68 °F",
}


def site(*controllers: object, devices: Any = (HEATER, FRIDGE, TILT)) -> dict[str, Any]:
    return {"devices": list(devices), "controllers": list(controllers)}


def but(**changes: object) -> dict[str, object]:
    """The fermenter with some keys replaced; ``...`` leaves one out."""
    return {key: value for key, value in {**FERMENTER, **changes}.items() if value is not ...}


def read(mapping: dict[str, Any]) -> SiteSpec:
    return read_site(mapping, FAMILIES, secrets=SecretSource())


def problems(mapping: dict[str, Any]) -> list[str]:
    with pytest.raises(SiteError) as caught:
        read(mapping)
    return [each.rendered("site") for each in caught.value.problems]


def test_a_whole_one() -> None:
    """Everything of it arrives, and its plugs know that they must end off, by their own timers too."""
    spec = read(site(FERMENTER))
    (controller,) = spec.controllers
    assert (controller.id, controller.name, controller.settings.fault) == ("fermenter", "fermenter", "")
    by_id = {each.device.id: each for each in spec.devices}
    for plug in ("heater", "fridge"):
        (driver,) = by_id[plug].drivers
        switch = next(each for each in driver.capabilities if each.key == "switch")
        assert switch.fail_safe is False
        assert driver.options.dead_man_s == 600
        assert by_id[plug].device.owned == {"switch": 600}
    assert by_id["tilt-red"].device.owned == {}


def test_the_timer_is_the_controllers() -> None:
    """``dead_man_s`` of the controller is what its plugs arm."""
    spec = read(site(but(dead_man_s=6)))
    assert [each.device.owned for each in spec.devices[:2]] == [{"switch": 6}, {"switch": 6}]


@pytest.mark.parametrize(
    ("controller", "text"),
    [
        (but(id=...), "'id' is missing"),
        (but(id="heater"), "'heater' is already the id of devices[0]"),
        (but(kind=...), "'kind' is missing"),
        (but(kind="oven"), "kind: 'oven' is not possible here"),
        (but(heater="boiler/switch"), "there is no device 'boiler'; there are: heater, fridge, tilt-red"),
        (but(heater="heater/relay"), "heater has no 'relay'; it has: "),
        (but(heater="heater/rssi"), "heater/rssi is nothing to switch"),
        (but(heater="tilt-red/temperature"), "tilt-red/temperature is nothing to switch"),
        (but(sensor="heater/rssi"), "heater/rssi is a number in dBm, no temperature"),
        (but(sensor="tilt-red/gravity"), "tilt-red/gravity is a number, no temperature"),
        (but(gravity="tilt-red/temperature"), "no specific gravity"),
        (but(cooler="heater/switch"), "heater and cooler are the same plug"),
        (but(low=20), "must be below"),
        (but(low=None), "the low limit is missing"),
        (but(high="warm"), "'warm' is no temperature"),
        (but(high=float("nan")), "nan is not a number"),
        (but(lowe=3), "'lowe' means nothing here; did you mean 'low'?"),
        (but(heater=..., cooler=...), "neither a heater nor a cooler is assigned"),
    ],
)
def test_each_mistake_has_its_own_sentence(controller: object, text: str) -> None:
    """What is wrong, where, and what would be right."""
    found = problems(site(controller))
    assert any(text in each for each in found), found


def test_a_plug_has_one_owner() -> None:
    """Two controllers on one plug would fight."""
    found = problems(site(FERMENTER, but(id="second", cooler=...)))
    assert any("heater/switch belongs to controllers[0] already" in each for each in found), found


@pytest.mark.parametrize("bad", [None, "warm", 30, 20.0])
def test_bad_limits_of_a_site_that_must_run(bad: object) -> None:
    """The controller is there, and finds out by itself that it cannot use them."""
    usable = read_what_can_be_used(site(but(low=bad)), FAMILIES, secrets=SecretSource())
    (controller,) = usable.controllers
    assert controller.settings.fault
    assert not controller.settings.problem
    assert controller.settings.targets.heater == "heater/switch"


def test_a_broken_controller_keeps_its_plugs() -> None:
    """Whatever is wrong with it, its plugs are known, guarded and kept off."""
    usable = read_what_can_be_used(site(but(cycle_s="often")), FAMILIES, secrets=SecretSource())
    (controller,) = usable.controllers
    assert controller.settings.targets.cooler == "fridge/switch"
    assert "often" in controller.settings.fault
    assert [each.device.owned for each in usable.devices[:2]] == [{"switch": 600}, {"switch": 600}]


def test_a_disabled_one_may_be_incomplete() -> None:
    """Nobody controls by it; it says what is missing when it is switched on."""
    assert read(site(but(enabled=False, low=None))).controllers[0].settings.fault


def test_a_plan_rebuilds_the_plug_whose_owner_changes() -> None:
    """The plug that is given up must be seen off by its old device; limits reconnect nobody."""
    before, after = site(FERMENTER), site(but(heater=...))
    assert [(step.what, step.device) for step in plan(before, after)] == [(What.REBUILD, "heater")]
    assert others(before, after) == ["controller fermenter: changes"]
    assert changed_controllers(before, after) == {"fermenter"}
    assert plan(before, site(but(low=10))) == []
    assert [step.device for step in plan(before, site(but(dead_man_s=60)))] == ["heater", "fridge"]
    assert [step.device for step in plan(before, site())] == ["heater", "fridge"]
    assert others(before, site()) == ["controller fermenter: goes"]
    assert others(site(), before) == ["controller fermenter: comes"]


def test_an_output_of_a_house_controller_can_be_owned() -> None:
    """It gets its fail-safe from being owned."""
    house = {
        "id": "house",
        "adapters": [
            {"id": "lan", "driver": "ipcom", "url": "tcp://10.0.0.9:5000", "username": "me", "password": "x"}
        ],
        "outputs": {"belt": {"module": 1, "output": 1, "kind": "switch"}},
    }
    mapping = site(but(heater="house/belt", cooler=...), devices=(house, TILT))
    spec = read_site(mapping, FAMILIES, secrets=SecretSource(allow_plain_secrets=True))
    belt = next(each for each in spec.devices[0].drivers[0].capabilities if each.key == "belt")
    assert belt.fail_safe is False
