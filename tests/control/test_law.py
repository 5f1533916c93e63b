"""The control law, with plugs that obey at once and no minimum times."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control import EnteredBand, Output, State
from tests.control.bench import COOLER, HEATER, Bench, at_once

KEEP = None
TABLE = [
    # temperature, heater, cooler; None: keep
    (-5, True, False),
    (17.99, True, False),
    (17.999999, True, False),
    (18, True, False),
    (18.0, True, False),
    (18.000001, KEEP, KEEP),
    (18.01, KEEP, KEEP),
    (19, KEEP, KEEP),
    (19.999999, KEEP, KEEP),
    (20, False, True),
    (20.000001, False, True),
    (35, False, True),
]


def wanted(bench: Bench) -> tuple[bool, bool]:
    assert bench.decision is not None
    return bench.decision.is_wanted(HEATER), bench.decision.is_wanted(COOLER)


@pytest.mark.parametrize("before", [17, 19, 21])
@pytest.mark.parametrize(("temperature", "heats", "cools"), TABLE)
def test_the_table(temperature: float, heats: bool | None, cools: bool | None, before: float) -> None:
    """Inclusive at both limits; between them what was wanted stays."""
    bench = Bench(at_once())
    bench.run(19, 20)
    bench.run(before, 50)
    kept = wanted(bench)
    bench.run(temperature, 50)
    assert wanted(bench) == (kept[0] if heats is None else heats, kept[1] if cools is None else cools)


@pytest.mark.parametrize("mode", ["heater", "cooler"])
@pytest.mark.parametrize("how", ["no plug", "not enabled"])
def test_one_mode_only(mode: str, how: str) -> None:
    """A mode that is not enabled is never wanted, and its plug is kept OFF; without a plug there is nothing to keep."""
    gone = HEATER if mode == "heater" else COOLER
    flag = {"heater": "is_heating_enabled", "cooler": "is_cooling_enabled"}[mode]
    bench = Bench(at_once(**({mode: ""} if how == "no plug" else {flag: False})))
    for temperature in (17, 19, 21, 19, 17):
        bench.run(temperature, 50)
        assert bench.decision is not None
        assert bench.decision.outputs.of(gone) is (Output.RELEASED if how == "no plug" else Output.SAFETY_OFF)
        assert bench.decision.is_wanted(gone.other) or temperature in (19, 17, 21)
    assert not bench.plugs.of(gone).is_on


@pytest.mark.parametrize("unit", ["°F", "°C"])
def test_a_band_of_one_whole_degree(unit: str) -> None:
    """74 and 75 °F with a source of whole °F: heat at 74, cool at 75. It was a real user's setting."""
    bench = Bench(at_once("74 °F", "75 °F"))
    for degrees, state in [(74, State.HEATING), (75, State.COOLING), (74, State.HEATING)]:
        decision = bench.run(degrees if unit == "°F" else (degrees - 32) * 5 / 9, 60, unit)
        assert decision.state is state
        assert f"{degrees} °F" in decision.reason


def test_a_separate_cooling_band() -> None:
    """Heat 18 to 20, cool 22 to 21: between 20 and 21 neither runs."""
    bench = Bench(at_once(18, 20, cooling=EnteredBand(21, 22)))
    found = []
    for temperature in (18, 19, 20, 21.5, 22, 21.5, 21, 20.5, 18):
        bench.run(temperature, 60)
        found.append(wanted(bench))
    heat, cool, rest = (True, False), (False, True), (False, False)
    assert found == [heat, heat, rest, rest, cool, cool, rest, rest, heat]


LIMITS = st.one_of(
    st.none(),
    st.sampled_from(["warm", "", "20", math.nan, math.inf, True]),
    st.integers(15, 22),
    st.integers(60, 72).map(lambda degrees: f"{degrees} °F"),
)
TEMPERATURES = st.one_of(
    st.integers(14, 23),
    st.floats(14, 23),
    st.integers(60, 72).map(lambda degrees: (degrees - 32) * 5 / 9),
    st.sampled_from([None, math.nan, math.inf, "warm", True]),
)


def celsius(entry: Any) -> float | None:
    """A second opinion on what a limit or a reading is, rounded far finer than the grid is meant to tell apart."""
    if isinstance(entry, str):
        return round((float(entry[:2]) - 32) / 1.8, 7) if entry.endswith("F") else None
    if entry is None or isinstance(entry, bool) or not math.isfinite(entry):
        return None
    return round(float(entry), 7)


@given(LIMITS, LIMITS, st.lists(TEMPERATURES, min_size=1, max_size=12), st.booleans(), st.booleans())
def test_any_sequence(low: Any, high: Any, sequence: list[Any], heats: bool, cools: bool) -> None:
    """With ideal plugs the wanted states are the table's, for every temperature, limit and mode (I7)."""
    if all(isinstance(each, int | float) and not isinstance(each, bool) for each in sequence):
        sequence = [round(each, 6) for each in sequence]
    bench = Bench(at_once(low, high, is_heating_enabled=heats, is_cooling_enabled=cools))
    bench.run(None)
    bench.poll()
    want = (False, False)
    bottom, top = celsius(low), celsius(high)
    for each in sequence:
        temperature = celsius(each) if not isinstance(each, str) else None
        if temperature is None or bottom is None or top is None or not bottom < top:
            want = (False, False)
        elif temperature <= bottom + 5e-7:
            want = (heats, False)
        elif temperature >= top - 5e-7:
            want = (False, cools)
        # Twice: the plug that must be OFF first needs one cycle to prove it.
        bench.run(each, 20)
        assert wanted(bench) == want
