"""The device map of the earlier program."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.drivers.ipcom.device_map import Problem, read_device_map
from holdfast.drivers.ipcom.wiring import Place
from tests.drivers.ipcom.homes import options

SAMPLE: dict[str, Any] = {
    "lights": {
        "kitchen": {"module": 1, "output": 1, "type": "switch", "display_name": "Kitchen", "description": "..."},
        "salon": {"module": 6, "output": 2, "type": "dimmer", "display_name": "Salon"},
        "hall": {"module": 1, "output": 2, "type": "light"},
    },
    "shutters": {
        "blind_d": {
            "module": 5, "output": 7, "type": "switch", "relay_role": "down", "paired_device": "blind_u",
            "display_name": "Blind",
        },
        "blind_u": {
            "module": 5, "output": 8, "type": "switch", "relay_role": "up", "paired_device": "blind_d",
            "display_name": "Blind",
        },
    },
    "switches": {"boiler": {"module": 2, "output": 1}},
}  # fmt: skip


def shutter(key: str, **changes: Any) -> dict[str, Any]:
    """The sample's shutters, one of them changed."""
    shutters = {name: dict(entry) for name, entry in SAMPLE["shutters"].items()}
    shutters[key].update(changes)
    return {"shutters": shutters}


def test_the_sample() -> None:
    """Lights, a dimmer, a boiler, and two relays as one cover that answers to both old names."""
    imported = read_device_map(SAMPLE)
    assert imported.problems == []
    assert not imported.has_errors
    assert imported.modules == {6: {"kind": "dimmer", "scale": 100}, 5: {"kind": "shutter"}}
    assert imported.outputs == {
        "kitchen": {"kind": "light", "module": 1, "output": 1, "name": "Kitchen"},
        "salon": {"kind": "dimmer", "module": 6, "output": 2, "name": "Salon"},
        "hall": {"kind": "light", "module": 1, "output": 2, "name": "hall"},
        "boiler": {"kind": "switch", "module": 2, "output": 1, "name": "boiler"},
        "blind": {
            "kind": "cover",
            "up": {"module": 5, "output": 8},
            "down": {"module": 5, "output": 7},
            "name": "Blind",
            "aliases": ["blind_u", "blind_d"],
        },
    }


def test_the_result_is_a_house() -> None:
    """What comes out is what a site file takes."""
    imported = read_device_map(SAMPLE)
    made = options(imported.outputs, modules=imported.modules)
    assert {output.key for output in made.outputs} == {"kitchen", "salon", "hall", "boiler"}
    assert made.covers[0].relays == (Place(5, 8), Place(5, 7))


FAULTS: list[tuple[object, tuple[str, ...], str]] = [
    ([], (), "has the categories"),
    ({"lamps": {}}, ("lamps",), "'lamps' is no category"),
    ({"lights": []}, ("lights",), "entries are expected"),
    ({"lights": {"a": 5}}, ("lights", "a"), "module and output are expected"),
    ({"lights": {"a": {"output": 1}}}, ("lights", "a", "module"), "module is missing: 1 to 16"),
    ({"lights": {"a": {"module": 17, "output": 1}}}, ("lights", "a", "module"), "17 is out of range"),
    ({"lights": {"a": {"module": 1, "output": True}}}, ("lights", "a", "output"), "True is out of range"),
    (
        {"lights": {"a": {"module": 1, "output": 1, "type": "fan"}}},
        ("lights", "a", "type"),
        "'fan' is no type",
    ),
    (
        {"lights": {"a": {"module": 1, "output": 1}}, "switches": {"b": {"module": 1, "output": 1}}},
        ("switches", "b", "output"),
        "a is already module 1 output 1",
    ),
    (
        shutter("blind_d", output=8),
        ("shutters", "blind_u", "output"),
        "both relays of one shutter are module 5 output 8",
    ),
    (shutter("blind_d", relay_role="left"), ("shutters", "blind_d", "relay_role"), "needs relay_role"),
    (shutter("blind_d", paired_device=""), ("shutters", "blind_d", "paired_device"), "needs paired_device"),
    (
        shutter("blind_d", paired_device="x"),
        ("shutters", "blind_d", "paired_device"),
        "x is nowhere in the map",
    ),
    (shutter("blind_d", paired_device="x"), ("shutters", "blind_u", "paired_device"), "does not point back"),
    (shutter("blind_d", relay_role="up"), ("shutters", "blind_d", "paired_device"), "has the same role, up"),
    (shutter("blind_d", type="dimmer"), ("shutters", "blind_d", "type"), "a dimmer cannot drive a motor"),
    (
        {**shutter("blind_d", paired_device="lamp"), "lights": {"lamp": {"module": 1, "output": 1}}},
        ("shutters", "blind_d", "paired_device"),
        "lamp is in the category lights",
    ),
    (
        {"lights": {"a": {"module": 5, "output": 1, "type": "dimmer"}}, **shutter("blind_d")},
        ("shutters", "blind_d", "module"),
        "both dimmers and shutters",
    ),
    (
        {"lights": {"A b": {"module": 1, "output": 1}, "a_b": {"module": 1, "output": 2}}},
        ("lights", "a_b"),
        "a_b is the name of two outputs now",
    ),
]


@pytest.mark.parametrize(("raw", "path", "text"), FAULTS)
def test_faults(raw: object, path: tuple[str, ...], text: str) -> None:
    """Each is told with its place; none raises."""
    imported = read_device_map(raw)
    assert imported.has_errors
    assert any(each.path == path and text in each.text and not each.is_warning for each in imported.problems)


def test_warnings() -> None:
    """Equal display names, unknown keys and names that had to change are told, and do not stand in the way."""
    imported = read_device_map(
        {
            "lights": {
                "a": {"module": 1, "output": 1, "display_name": "Lamp"},
                "b": {"module": 1, "output": 2, "display_name": "Lamp", "icon": "x"},
                "Été": {"module": 1, "output": 3},
            },
            "shutters": None,
        }
    )
    assert not imported.has_errors
    assert [each.path for each in imported.problems] == [
        ("lights", "b", "icon"),
        ("lights", "b", "display_name"),
        ("lights", "Été"),
    ]
    assert all(each.is_warning for each in imported.problems)
    assert imported.outputs["t"]["aliases"] == ["Été"]


@pytest.mark.parametrize(
    ("up", "down", "name"),
    [
        ("blind_u", "blind_d", "blind"),
        ("up_1", "down_1", "up_1"),
        ("volet", "volet_d", "volet"),
        ("!!", "??", "output"),
    ],
)
def test_names_of_covers(up: str, down: str, name: str) -> None:
    """What both keys have in common, never a piece cut out of their middle (fault 25)."""
    relays = {
        up: {"module": 5, "output": 8, "relay_role": "up", "paired_device": down},
        down: {"module": 5, "output": 7, "relay_role": "down", "paired_device": up},
    }
    assert list(read_device_map({"shutters": relays}).outputs) == [name]


def test_all_problems_at_once() -> None:
    """A person mends them in one go."""
    imported = read_device_map({"lights": {"a": {}, "b": {"module": 1}}})
    assert imported.problems == [
        Problem(("lights", "a", "module"), "module is missing: 1 to 16"),
        Problem(("lights", "a", "output"), "output is missing: 1 to 8"),
        Problem(("lights", "b", "output"), "output is missing: 1 to 8"),
    ]
