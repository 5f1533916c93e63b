"""What a house can report, what a snapshot says of it, and what proves a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdfast.drivers.ipcom.capabilities import capabilities, projection, proofs
from holdfast.model import Capability, Periodic, Value, ValueType, accept
from tests.drivers.ipcom.homes import options

if TYPE_CHECKING:
    from holdfast.drivers.ipcom.wiring import Place

HOUSE = options()
BY_KEY: dict[str, Capability] = {each.key: each for each in capabilities(HOUSE)}


def seen(**on: int) -> bytes:
    """A house with these outputs at these bytes; covers as NAME_up and NAME_down."""
    places: dict[str, Place] = {output.key: output.place for output in HOUSE.outputs}
    for cover in HOUSE.covers:
        places |= {f"{cover.key}_up": cover.up, f"{cover.key}_down": cover.down}
    state = bytearray(128)
    for key, value in on.items():
        state[places[key].offset] = value
    return bytes(state)


def project(state: bytes, **before: Value) -> dict[str, Value]:
    return dict(projection(HOUSE)("", "outputs", state, before))


def test_one_for_each_output() -> None:
    """In one group, with the deadline of design.md; memories of levels last, and not essential."""
    assert list(BY_KEY) == [
        "kitchen", "pump", "salon", "hall", "porch", "blind", "apart", "salon/last_level", "hall/last_level",
    ]  # fmt: skip
    assert {(each.member, each.group, each.freshness) for each in BY_KEY.values()} == {
        ("", "outputs", Periodic(2.0, 0.35))
    }
    assert [each.role for each in BY_KEY.values()] == [
        "light", "switch", "dimmer", "dimmer", "light", "cover", "cover", "sensor", "sensor",
    ]  # fmt: skip
    assert [key for key, each in BY_KEY.items() if not each.essential] == [
        "salon/last_level",
        "hall/last_level",
    ]
    assert [key for key, each in BY_KEY.items() if not each.writable] == [
        "salon/last_level",
        "hall/last_level",
    ]
    assert BY_KEY["kitchen"].name == "Kitchen"


def test_verify_plan() -> None:
    """Attempts at 0, 1.5 and 3 s; the bus latency bounds an earlier opposite send."""
    plan = BY_KEY["blind"].verify
    assert plan.pauses_s == (0.0, 1.5, 1.5)
    assert (plan.bound_s, plan.wait_s) == (1.0, 1.5)
    assert {each.verify.bound_s for each in capabilities(options(bus_latency_s=2)) if each.writable} == {2.0}


def test_urgent_values() -> None:
    """A stop, and off where a thing must end off."""
    assert BY_KEY["blind"].urgent == ("stop",)
    assert BY_KEY["pump"].urgent == (False,)
    assert BY_KEY["pump"].fail_safe is False
    assert BY_KEY["kitchen"].urgent == ()
    assert BY_KEY["kitchen"].fail_safe is None


def test_what_is_accepted() -> None:
    """Covers are told one thing and report another; dimmers take levels and booleans."""
    assert accept(BY_KEY["blind"], "open") == "open"
    assert BY_KEY["blind"].choices == ("stopped", "opening", "closing", "blocked")
    assert accept(BY_KEY["salon"], 40) == 40
    assert accept(BY_KEY["salon"], True) is True
    assert BY_KEY["salon"].type is ValueType.NUMBER
    with pytest.raises(ValueError, match="takes 0 to 100 %"):
        accept(BY_KEY["salon"], 101)
    with pytest.raises(ValueError, match="can be read but not set"):
        accept(BY_KEY["salon/last_level"], 5)


def test_values_of_a_snapshot() -> None:
    """Configured outputs only; any byte but 0 is on."""
    values = project(seen(kitchen=255, salon=40, hall=128, blind_up=255, apart_down=255))
    assert values == {
        "kitchen": True, "pump": False, "salon": 40, "salon/last_level": 40, "hall": 50, "hall/last_level": 50,
        "porch": False, "blind": "opening", "apart": "closing",
    }  # fmt: skip
    values = project(seen(kitchen=1, hall=1, blind_up=255, blind_down=255))
    assert values["kitchen"] is True
    assert values["hall"] == 1
    assert values["blind"] == "blocked"
    assert values["apart"] == "stopped"


def test_last_level_is_remembered() -> None:
    """While a dimmer is off its last level stays; before any was seen there is none."""
    assert "salon/last_level" not in project(seen())
    assert project(seen(), **{"salon/last_level": 40})["salon/last_level"] == 40
    assert project(seen(salon=70), **{"salon/last_level": 40})["salon/last_level"] == 70


@pytest.mark.parametrize(
    ("key", "wanted", "shown", "is_proof"),
    [
        ("kitchen", True, True, True),
        ("kitchen", True, False, False),
        ("kitchen", False, False, True),
        ("kitchen", 100, True, True),
        ("blind", "open", "opening", True),
        ("blind", "open", "stopped", False),
        ("blind", "close", "closing", True),
        ("blind", "stop", "stopped", True),
        ("blind", "stop", "blocked", False),
        ("blind", "what", None, False),
        ("salon", 40, 40, True),
        ("salon", 40, 39, False),
        ("salon", 12.5, 13, True),
        ("salon", True, 3, True),
        ("salon", True, 0, False),
        ("salon", False, 0, True),
        ("salon", 0, 0, True),
        ("salon", "on", 5, False),
        ("salon", 40, None, False),
        ("hall", 33, 33, True),
        ("hall", 0.2, 1, True),
    ],
)
def test_proofs(key: str, wanted: Value, shown: Value, is_proof: bool) -> None:
    """Open is proven by opening, on by any level, a level by itself as the module can express it."""
    assert proofs(HOUSE)(key, wanted, shown) is is_proof
