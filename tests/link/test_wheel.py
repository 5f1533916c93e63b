"""The timer wheel wakes what is armed, never early by more than the loop's clock, at most a tick late."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.link.wheel import TICK_S, Entry, TimerWheel
from holdfast.simulation import VirtualLoop, run_virtual
from tests.link.house import escaped, loop


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0.001, 2), st.integers(0, 4)), min_size=1, max_size=20))
def test_every_entry_is_woken_in_its_tick(plans: list[tuple[float, float, int]]) -> None:
    """Whatever else is armed, each entry fires within a tick of its time, also when it re-arms itself."""

    async def main(loop: VirtualLoop) -> None:
        wheel = TimerWheel(loop)
        misses: list[tuple[float, float]] = []
        fired = [0] * len(plans)

        def plan(index: int, first: float, every: float, repeats: int) -> None:
            due = [loop.time() + first]

            def fire(now: float) -> None:
                if not due[0] - 1e-9 <= now <= due[0] + 2 * TICK_S:
                    misses.append((due[0], now))
                fired[index] += 1
                if fired[index] <= repeats:
                    due[0] = now + every
                    wheel.arm(entry, due[0])

            entry = Entry(fire)
            wheel.arm(entry, due[0])

        for index, (first, every, repeats) in enumerate(plans):
            plan(index, first, every, repeats)
        await asyncio.sleep(20)
        wheel.close()
        assert misses == []
        assert fired == [repeats + 1 for _, _, repeats in plans]

    run_virtual(main)


@pytest.mark.virtual
async def test_a_fire_that_rearms_lands_later() -> None:
    """Arming for now, from within a fire, never makes an instant endless."""
    loop = asyncio.get_running_loop()
    wheel = TimerWheel(loop)
    times: list[float] = []

    def fire(now: float) -> None:
        times.append(now)
        if len(times) < 5:
            wheel.arm(entry, now)

    entry = Entry(fire)
    wheel.arm(entry, loop.time())
    await asyncio.sleep(1)
    assert times == sorted(set(times))
    wheel.close()


@pytest.mark.virtual
async def test_earlier_wins_and_disarmed_is_silent() -> None:
    """Arming earlier moves an entry forward, later does nothing, and a disarmed one is not woken."""
    loop = asyncio.get_running_loop()
    wheel = TimerWheel(loop)
    times: list[float] = []
    entry = Entry(times.append)
    wheel.arm(entry, loop.time() + 2)
    wheel.arm(entry, loop.time() + 1)
    wheel.arm(entry, loop.time() + 3)
    other = Entry(times.append)
    wheel.arm(other, loop.time() + 0.5)
    assert other.is_armed
    other.disarm()
    await asyncio.sleep(5)
    assert times == [pytest.approx(1001.0, abs=TICK_S)]
    wheel.close()
    wheel.close()


@pytest.mark.virtual
async def test_one_failing_wheel_entry_costs_the_others_nothing() -> None:
    """What one link's entry raises stops no other link's: they share the slots, and a lost entry never fires again."""
    escaped()
    wheel = TimerWheel(loop())
    fired: list[float] = []

    def fail(now: float) -> None:
        raise KeyError("a bug")

    bad, good = Entry(fail), Entry(fired.append)
    wheel.arm(bad, loop().time() + 1)
    wheel.arm(good, loop().time() + 1)
    await asyncio.sleep(2)
    assert fired
