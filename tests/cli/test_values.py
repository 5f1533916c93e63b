"""What people type for a value, a target, a name."""

from __future__ import annotations

import pytest

from holdfast.cli.exits import WrongUsage
from holdfast.cli.names import Known, find
from holdfast.cli.values import read_assignment, read_value
from holdfast.errors import UnknownTarget

KNOWN = (
    Known("house/kitchen", "Kitchen"),
    Known("house/salon", "Salon lamp"),
    Known("cabin/stove", "Fire"),
    Known("cabin/salon", "Parlour"),
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("ON", True),
        ("off", False),
        ("1", 1),
        ("-7", -7),
        ("40.5", 40.5),
        ("1e2", 100.0),
        ("open", "open"),
        ("nan", "nan"),
        ("1_000", "1_000"),
        ("٣", "٣"),
        ("74 °F", "74 °F"),
    ],
)
def test_values(text: str, value: object) -> None:
    """Only what everybody would call a number is one."""
    read = read_value(text)
    assert read == value
    assert type(read) is type(value)


def test_assignments() -> None:
    """TARGET=VALUE, both of them there."""
    assert read_assignment("house/kitchen = on") == ("house/kitchen", True)
    for wrong in ("house/kitchen", "=on", "house/kitchen="):
        with pytest.raises(WrongUsage, match="says no value"):
            read_assignment(wrong)


@pytest.mark.parametrize("name", ["house/kitchen", "KITCHEN", "kitchen", "House/Kitchen"])
def test_names_are_found_whatever_the_case(name: str) -> None:
    """A full target, a key and a display name all do."""
    assert find(name, KNOWN) == "house/kitchen"


def test_a_key_comes_before_a_display_name() -> None:
    """Somebody's display name cannot take the place of a key."""
    assert find("stove", (*KNOWN, Known("house/x", "Stove"))) == "cabin/stove"
    assert find("fire", KNOWN) == "cabin/stove"


def test_an_ambiguous_name_lists_what_it_may_mean() -> None:
    """Two salons: nobody guesses."""
    with pytest.raises(WrongUsage) as caught:
        find("salon", KNOWN)
    assert "cabin/salon, house/salon" in caught.value.advice


def test_an_unknown_name_lists_the_known_ones() -> None:
    """With the one that was probably meant in front."""
    with pytest.raises(UnknownTarget) as caught:
        find("kitchn", KNOWN)
    assert caught.value.advice.startswith(
        "Did you mean house/kitchen? Known: house/kitchen, house/salon (Salon lamp)"
    )
    with pytest.raises(UnknownTarget) as caught:
        find("x", ())
    assert "nothing called 'x'" in caught.value.text


def test_a_long_list_is_cut() -> None:
    """A battery's hundred values do not fill the screen."""
    with pytest.raises(UnknownTarget) as caught:
        find("x", [Known(f"pack/0/cells/{number}/voltage") for number in range(100)])
    assert caught.value.advice.endswith(" and 60 more.")
