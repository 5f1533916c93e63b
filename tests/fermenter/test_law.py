"""I7: with ideal plugs and no rests the relays follow the control law, whatever limits and temperatures are given."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.control import law
from holdfast.control.temperature import from_entry
from holdfast.simulation import run_virtual
from tests.fermenter.cellar import Cellar
from tests.fermenter.happenings import World
from tests.fermenter.oracle.oracle import Oracle

if TYPE_CHECKING:
    from holdfast.simulation import VirtualLoop

PROMPT: dict[str, Any] = dict.fromkeys(
    ("heater_min_off_s", "heater_min_on_s", "cooler_min_off_s", "cooler_min_on_s", "dead_time_s"), 0
)
STEP_S = 12.0
"""A temperature is heard at once; what follows from it is done within two commands, one of which may wait a cycle."""
LIMITS: list[tuple[object, object]] = [
    (18.0, 20.0),
    ("74 °F", "75 °F"),
    (None, 20.0),
    (18.0, None),
    (None, None),
    ("warm", 20.0),
    (18.0, math.nan),
    (20.0, 18.0),
    (19.0, 19.0),
    (True, 20.0),
]
AROUND = [
    17.9,
    18.0,
    18.000001,
    19.0,
    19.999999,
    20.0,
    20.1,
    23.333333333333332,
    23.5,
    23.88888888888889,
    24.0,
]


def wanted(sequence: list[float], low: object, high: object) -> list[tuple[bool, bool]]:
    """Heater and cooler after each temperature, as in the table of fact sheet section 3."""
    found: list[tuple[bool, bool]] = []
    heating = cooling = False
    try:
        ends = (from_entry(low), from_entry(high))
    except ValueError:
        ends = (0, 0)
    for celsius in sequence:
        t = from_entry(celsius)
        if not ends[0] < ends[1]:
            heating = cooling = False
        elif t <= ends[0]:
            heating, cooling = True, False
        elif t >= ends[1]:
            heating, cooling = False, True
        found.append((heating, cooling))
    return found


def relays(sequence: list[float], low: object, high: object) -> list[tuple[bool, bool]]:
    """The same, as the whole hub does it."""
    found: list[tuple[bool, bool]] = []

    async def main(loop: VirtualLoop) -> None:
        cellar = Cellar(loop, **PROMPT)
        cellar.is_sensing = False
        await cellar.start()
        await asyncio.sleep(5.0)
        with Oracle(cellar) as oracle:
            oracle.facts.started(cellar.hub)  # type: ignore[arg-type]  # it runs
            World(cellar, oracle).change(low=low, high=high)
            for celsius in sequence:
                cellar.post(celsius)
                await asyncio.sleep(STEP_S)
                cellar.post(celsius)
                await asyncio.sleep(STEP_S)
                found.append((cellar.heater.is_on, cellar.fridge.is_on))
        await cellar.stop()
        await cellar.close()

    run_virtual(main, seed=1)
    return found


@pytest.mark.parametrize(("low", "high"), LIMITS, ids=str)
def test_all_steps_between_all_places(low: object, high: object) -> None:
    """Up and down past each limit, onto each limit, and back."""
    sequence = [*AROUND, *reversed(AROUND), 19.0, 17.0, 19.0, 21.0, 19.0, 30.0, 0.0, 19.0]
    assert relays(sequence, low, high) == wanted(sequence, low, high)


@settings(max_examples=20)
@given(st.lists(st.one_of(st.sampled_from(AROUND), st.floats(15.0, 25.0)), min_size=1, max_size=8))
def test_any_temperatures(sequence: list[float]) -> None:
    """The table holds for every sequence."""
    assert relays(sequence, 18.0, 20.0) == wanted(sequence, 18.0, 20.0)


def test_the_comparison_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A law that leaves out the limits themselves is found out."""

    def strict(role: Any, limits: Any, temperature: int, was_demanded: bool) -> bool:
        low, high = limits.heating
        if low < temperature < high or temperature in (low, high):
            return was_demanded
        return (temperature < low) is (role == "heater")

    monkeypatch.setattr("holdfast.control.thermostat.demand", strict)
    assert law.demand is not strict
    assert relays([18.0, 19.0], 18.0, 20.0) != wanted([18.0, 19.0], 18.0, 20.0)
