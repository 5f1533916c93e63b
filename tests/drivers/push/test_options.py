"""What a site file may say about a device whose readings are posted."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.drivers.push.driver import PUSH
from holdfast.drivers.push.fitting import objection
from holdfast.drivers.push.ispindel import GravityUnit
from holdfast.drivers.push.options import Declared, parse_options
from holdfast.errors import ConfigurationError
from holdfast.hub.site import SecretSource, SiteError, read_site
from holdfast.model import Adapter, Device, Periodic, Sanity, ValueType
from tests.drivers.push.sensor import CHAMBER, TEMPERATURE, push_device


def declared(**parts: Any) -> Declared:
    device = push_device(**parts)
    return parse_options(device, device.adapters[0])


def test_each_capability_is_fresh_by_itself() -> None:
    """A group, a deadline, limits and a type of its own."""
    temperature, door, mode, note = declared().capabilities
    assert (temperature.key, temperature.group, temperature.unit) == ("temperature", "temperature", "°C")
    assert temperature.freshness == Periodic(240.0)
    assert temperature.sanity == Sanity(minimum=-20.0, maximum=60.0)
    assert (door.group, door.type, door.sanity) == ("door", ValueType.BOOLEAN, None)
    assert (mode.choices, note.type, note.essential) == (("eco", "fast"), ValueType.TEXT, False)
    assert declared().shortest_deadline_s == 60.0
    one_sided = declared(capabilities={"level": {"deadline_s": 5, "minimum": 0}}).capabilities[0]
    assert one_sided.sanity == Sanity(minimum=0.0)
    assert declared(capabilities={"x": {"deadline_s": 5}}).capabilities[0].sanity is None


def test_an_ispindel_needs_no_list() -> None:
    """Its values are known; what is declared wins."""
    found = declared(
        capabilities={}, options={"format": "ispindel", "gravity_unit": "plato", "deadline_s": 600}
    )
    assert [each.key for each in found.capabilities] == ["temperature", "gravity", "angle", "battery", "rssi"]
    assert {each.deadline_s for each in found.capabilities} == {600.0}
    assert found.gravity_unit is GravityUnit.PLATO
    only = declared(capabilities={"temperature": TEMPERATURE}, options={"format": "ispindel"})
    assert [each.key for each in only.capabilities] == ["temperature"]


def test_options_of_the_adapter_win() -> None:
    """And errors lead to where the option stands."""
    adapter = Adapter(id="in", driver="push", options={"format": "tilt"})
    device = Device(id="a", name="a", adapters=(adapter,), options={"format": "ispindel"})
    with pytest.raises(ConfigurationError) as error:
        PUSH.prepare(device, adapter)
    assert error.value.path == ("adapters", "in", "format")


@pytest.mark.parametrize(
    ("entry", "path", "what"),
    [
        ({"unit": "V"}, (), "'deadline_s' is missing"),
        ({"deadline_s": 0}, ("deadline_s",), "out of range"),
        ({"deadline_s": 1e9}, ("deadline_s",), "out of range"),
        ({"deadline_s": 60, "unit": "°F"}, ("unit",), "no unit of ours"),
        ({"deadline_s": 60, "unit": "K"}, ("unit",), "no unit of ours"),
        ({"deadline_s": 60, "type": "list"}, ("type",), "is no type"),
        ({"deadline_s": 60, "type": "choice"}, ("choices",), "belong together"),
        ({"deadline_s": 60, "choices": ["a"]}, ("choices",), "belong together"),
        ({"deadline_s": 60, "minimum": 3, "maximum": 3}, ("minimum",), "is not below"),
        ({"deadline_s": 60, "minimum": "3"}, ("minimum",), "is not a number"),
        ({"deadline_s": 60, "minimum": True}, ("minimum",), "is not a number"),
        ({"deadline_s": 60, "maximum": float("nan")}, ("maximum",), "is not a number"),
        ({"deadline_s": 60, "maximum": 10**400}, ("maximum",), "is not a number"),
        ({"deadline_s": 60, "type": "text", "maximum": 3}, ("maximum",), "has no maximum"),
        ({"deadline_s": 60, "essential": 1}, ("essential",), "neither true nor false"),
        ({"deadline_s": 60, "deadline": 60}, ("deadline",), "did you mean"),
        (None, (), "is not a mapping"),
    ],
)
def test_what_cannot_work(entry: Any, path: tuple[str, ...], what: str) -> None:
    """Each error says where and why."""
    with pytest.raises(ConfigurationError) as error:
        declared(capabilities={"it": entry})
    assert error.value.path == ("capabilities", "it", *path)
    assert what in f"{error.value.text}; {error.value.advice}"


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        ({"capabilities": {}}, ("capabilities",)),
        ({"url": "http://a"}, ("url",)),
        ({"options": {"gravity_unit": "brix"}}, ("options", "gravity_unit")),
        ({"options": {"formats": "ispindel"}}, ("options", "formats")),
    ],
)
def test_what_cannot_work_at_all(parts: dict[str, Any], path: tuple[str, ...]) -> None:
    """The same for the device."""
    with pytest.raises(ConfigurationError) as error:
        declared(**parts)
    assert error.value.path == path


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("temperature", 19, None),
        ("temperature", 60.0, None),
        ("temperature", 60.1, "sanity"),
        ("temperature", -20.5, "sanity"),
        ("temperature", float("nan"), "sanity"),
        ("temperature", True, "type"),
        ("temperature", "19", "type"),
        ("door", True, None),
        ("door", 1, "type"),
        ("mode", "eco", None),
        ("mode", "slow", "type"),
        ("note", "any", None),
        ("note", "x" * 257, "type"),
        ("note", 3, "type"),
    ],
)
def test_what_fits(key: str, value: Any, code: str | None) -> None:
    """By type, and numbers by their limits."""
    capability = next(each for each in declared(capabilities=CHAMBER).capabilities if each.key == key)
    why = objection(capability, value)
    assert (None if why is None else why.code) == code
    if why is not None:
        assert why.text.startswith(f"{key} is ")
        assert ("once it has come" in why.text) == (code == "sanity" and value == value)


def test_in_a_site() -> None:
    """As the page on posted readings shows it, and errors lead into it."""
    site = {
        "site": {"id": "home", "name": "Home"},
        "devices": [
            {
                "id": "chamber",
                "adapters": [{"id": "in", "driver": "push"}],
                "capabilities": {"temperature": dict(TEMPERATURE)},
            },
            {"id": "pill", "adapters": [{"id": "in", "driver": "push"}], "options": {"format": "ispindel"}},
        ],
    }
    spec = read_site(site, {"push": PUSH}, secrets=SecretSource())
    endpoints = [str(driver.endpoint) for each in spec.devices for driver in each.drivers]
    assert endpoints == ["push://chamber/in", "push://pill/in"]
    site["devices"][0]["capabilities"]["temperature"]["deadline_s"] = -1  # type: ignore[index]
    with pytest.raises(SiteError, match="deadline_s -1 is out of range"):
        read_site(site, {"push": PUSH}, secrets=SecretSource())
