"""From a look at a plug to values."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from holdfast.drivers.kasa.dead_man import Timer
from holdfast.drivers.kasa.options import KasaOptions
from holdfast.drivers.kasa.state import (
    VERIFY,
    PlugState,
    capabilities,
    learning,
    plain_question,
    plain_state,
    projection,
    state_of,
)

METERED = PlugState(True, -50.0, 40.0, 230.0, 0.17, 1.5)


def keys(**options: object) -> list[str]:
    """The capabilities known beforehand."""
    return [each.key for each in capabilities(KasaOptions(host="p", **options))]  # type: ignore[arg-type]


def values(raw: PlugState, **options: object) -> dict[str, object]:
    """What a look gives."""
    return dict(projection(KasaOptions(host="p", **options))("", "live", raw, {}))  # type: ignore[arg-type]


def test_capabilities_follow_the_options() -> None:
    """A meter only where one is known, the timer only where it is used."""
    energy = ["power", "voltage", "current", "energy_total"]
    assert keys() == ["switch", "rssi"]
    assert keys(expects_energy=True) == ["switch", "rssi", *energy]
    assert keys(dead_man_s=600) == ["switch", "rssi", "dead_man", "dead_man_state"]
    switch = capabilities(KasaOptions(host="p", must_end_off=True))[0]
    assert switch.fail_safe is False
    assert capabilities(KasaOptions(host="p"))[0].fail_safe is None


def test_the_verify_plan_is_the_designed_one() -> None:
    """Three attempts, 0, 1 and 2 s, and forty seconds at the worst."""
    assert VERIFY.pauses_s == (0.0, 1.0, 2.0)
    assert VERIFY.settle_s == 0.5
    assert VERIFY.worst_case_s == pytest.approx(40.0)


def test_values() -> None:
    """What is absent has no value; what the owner denies is not shown."""
    assert values(PlugState(False)) == {"switch": False}
    assert values(METERED)["power"] == 40.0
    assert set(values(METERED, expects_energy=False)) == {"switch", "rssi"}
    assert values(PlugState(True, timer=Timer(True, 420.0)))["dead_man"] == 420.0
    assert values(PlugState(True, timer=Timer(True)))["dead_man_state"] == "not armed"
    assert values(PlugState(True, timer=Timer(False)))["dead_man_state"] == "not supported"


def test_a_meter_is_learned() -> None:
    """Only what shows itself, and only where nobody has said."""
    learn = learning(KasaOptions(host="p"))
    assert learn is not None
    assert [each.key for each in learn("", "live", PlugState(True, power=1.0))] == ["power"]
    assert learning(KasaOptions(host="p", expects_energy=True)) is None


def test_a_meter_that_stumbles_harms_nothing() -> None:
    """Its values are absent, the relay is there; no number but a finite one passes."""
    device = SimpleNamespace(sys_info={"relay_state": 1}, rssi="-50")
    energy = SimpleNamespace(current_consumption=float("nan"), voltage=True, current=None)
    assert state_of(device, energy) == PlugState(True)
    assert state_of(device, None) == PlugState(True)


@pytest.mark.parametrize(("info", "is_on"), [({"device_on": True}, True), ({"relay_state": 0}, False)])
def test_the_relay_is_read_where_each_language_tells_it(info: dict[str, object], is_on: bool) -> None:
    """Never from the library's own word, which takes a relay that is missing for off."""
    device = SimpleNamespace(sys_info=info, is_on=not is_on, rssi=-50)
    assert state_of(device, None) == PlugState(is_on, -50.0)
    with pytest.raises(KeyError):
        state_of(SimpleNamespace(sys_info={"rssi": -50}, is_on=False, rssi=-50), None)


def test_the_bare_state() -> None:
    """In both languages; what is none is no state."""
    assert plain_question(is_smart=False) == {"system": {"get_sysinfo": {}}}
    assert plain_question(is_smart=True) == {"get_device_info": None}
    legacy = {"system": {"get_sysinfo": {"relay_state": 1}}}
    assert plain_state(legacy, is_smart=False) == PlugState(True)
    smart = {"get_device_info": {"device_on": False, "rssi": -40}}
    assert plain_state(smart, is_smart=True) == PlugState(False, -40.0)
    with pytest.raises(KeyError):
        plain_state({}, is_smart=True)
