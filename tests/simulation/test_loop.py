"""The virtual-time loop: exact waits, no hidden hang, nothing that a thread could disturb."""

from __future__ import annotations

import asyncio
import contextvars
import math
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from holdfast.simulation import EPOCH, START_S, EndlessInstant, NothingScheduled, VirtualLoop, run_virtual
from tests.simulation.support import virtually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@virtually
async def test_sleeps_are_exact(loop: VirtualLoop) -> None:
    """Time lands on each timer's own instant: no drift, even where floats cannot add exactly."""
    due = START_S
    for _ in range(1000):
        due += 0.1
        await asyncio.sleep(0.1)
        assert loop.time() == due


@virtually
async def test_long_sleeps_take_one_step(loop: VirtualLoop) -> None:
    """A wait beyond the stock loop's longest select (a day) is still one jump, to the exact instant."""
    await asyncio.sleep(400 * 86_400.0)
    assert loop.time() == START_S + 400 * 86_400.0


@virtually
async def test_far_future_keeps_ticking(loop: VirtualLoop) -> None:
    """After centuries, where a fixed clock resolution would vanish in the float, timers still fire."""
    await asyncio.sleep(1e11)
    before = loop.time()
    await asyncio.sleep(0.35)
    assert loop.time() == before + 0.35


@virtually
async def test_timeouts_are_exact(loop: VirtualLoop) -> None:
    """wait_for and timeout give up at their instant and not around it."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(loop.create_future(), 1.4)
    assert loop.time() == START_S + 1.4
    async with asyncio.timeout(1.0):
        await asyncio.sleep(0.999_999)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.65):
            await asyncio.sleep(0.650_001)
    assert loop.time() == START_S + 1.4 + 0.999_999 + 0.65


@virtually
async def test_timers_of_one_instant_run_in_order(loop: VirtualLoop) -> None:
    """Timers for the same instant run in the order in which they were made, cancelled ones in between."""
    ran: list[int] = []
    timers = [loop.call_later(1.0, ran.append, number) for number in range(200)]
    for timer in timers[::3]:
        timer.cancel()
    await asyncio.sleep(1.0)
    assert ran == [number for number in range(200) if number % 3]


@virtually
async def test_timers_of_the_past_run_at_once(loop: VirtualLoop) -> None:
    """A timer for an earlier time runs now; time never moves back."""
    ran: list[float] = []
    loop.call_at(loop.time() - 5.0, lambda: ran.append(loop.time()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert ran == [START_S]


@virtually
async def test_wall_clock_follows(loop: VirtualLoop) -> None:
    """The wall clock starts at the epoch and moves in step with the loop."""
    assert loop.utc_now() == EPOCH
    await asyncio.sleep(90.5)
    assert loop.utc_now() == EPOCH + timedelta(seconds=90.5)


def test_epoch_can_be_chosen() -> None:
    """A run may start at any date."""
    loop = VirtualLoop(epoch=datetime(2031, 3, 30, 1, tzinfo=UTC))
    assert loop.utc_now() == datetime(2031, 3, 30, 1, tzinfo=UTC)
    loop.close()


def test_waiting_for_nothing_is_an_error() -> None:
    """A wait that nothing can end raises at once, and says who waits where."""

    async def main(loop: VirtualLoop) -> None:
        never = loop.create_future()
        reader = loop.create_task(asyncio.Event().wait(), name="reader")
        await asyncio.sleep(2.5)
        await asyncio.wait([never, reader])

    with pytest.raises(NothingScheduled) as caught:
        run_virtual(main)
    text = str(caught.value)
    assert "deadlock at 1002.500000 s" in text
    assert "reader (Event.wait at locks.py:" in text
    assert "main at test_loop.py:" in text or "tasks.py:" in text


def test_waiting_for_infinity_is_an_error() -> None:
    """A timer at infinity never fires, so it counts as nothing."""

    async def main(loop: VirtualLoop) -> None:
        async with asyncio.timeout(math.inf):
            await loop.create_future()

    with pytest.raises(NothingScheduled):
        run_virtual(main)


@pytest.mark.parametrize("pause_s", [0.0, 1e-13])
def test_endless_instant_is_an_error(monkeypatch: pytest.MonkeyPatch, pause_s: float) -> None:
    """A program that spins, or whose pause is lost in rounding, is stopped and named."""
    monkeypatch.setattr("holdfast.simulation.loop.TURNS_PER_INSTANT", 10_000)

    async def main(loop: VirtualLoop) -> None:
        while True:  # noqa: ASYNC110 - that is the point
            await asyncio.sleep(pause_s)

    with pytest.raises(EndlessInstant, match="10000 turns of the loop within 1e-06 s"):
        run_virtual(main)


def test_timer_that_rearms_in_place_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The endless tick: a timer that sets itself for the instant it fires in."""
    monkeypatch.setattr("holdfast.simulation.loop.TURNS_PER_INSTANT", 10_000)

    async def main(loop: VirtualLoop) -> None:
        def fire() -> None:
            loop.call_at(loop.time(), fire)

        fire()
        await asyncio.sleep(1.0)

    with pytest.raises(EndlessInstant):
        run_virtual(main)


@virtually
async def test_busy_but_moving_is_fine(loop: VirtualLoop) -> None:
    """Many turns are no fault as long as time passes."""
    for _ in range(20_000):
        await asyncio.sleep(1e-6)


@virtually
async def test_executor_runs_inline(loop: VirtualLoop) -> None:
    """Work for a thread runs here, at once, and brings its result, its error and the context along."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
    variable.set("kept")
    assert loop.run_in_executor(None, threading.get_ident).result() == threading.get_ident()
    assert await asyncio.to_thread(variable.get) == "kept"
    with pytest.raises(ZeroDivisionError):
        await loop.run_in_executor(None, divmod, 1, 0)
    assert loop.time() == START_S


@virtually
async def test_threads_are_kept_out(loop: VirtualLoop) -> None:
    """call_soon_threadsafe works from the loop's own thread and refuses any other."""
    ran = asyncio.Event()
    loop.call_soon_threadsafe(ran.set)
    await ran.wait()
    errors: list[BaseException] = []

    def foreign() -> None:
        try:
            loop.call_soon_threadsafe(ran.set)
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=foreign)
    thread.start()
    thread.join()
    assert "another thread" in str(errors[0])


@virtually
async def test_unnamed_tasks_are_numbered_per_loop(loop: VirtualLoop) -> None:
    """Names replay too: they do not depend on how many loops ran before in this process."""
    current = asyncio.current_task()
    assert current is not None
    assert current.get_name() == "Task-1"
    task = asyncio.create_task(asyncio.sleep(0))
    assert task.get_name() == "Task-2"
    await task


def test_random_is_seeded() -> None:
    """The program's random source follows the seed, and differs from the network's."""
    loops = [VirtualLoop(seed) for seed in (1, 1, 2)]
    first, same, other = ([loop.random.random() for _ in range(5)] for loop in loops)
    assert first == same != other
    assert loops[0].network.here.random.random() == loops[1].network.here.random.random()
    for loop in loops:
        loop.close()


@pytest.mark.virtual(seed=3)
async def test_pytest_asyncio_runs_in_it() -> None:
    """The marker ``virtual`` of the test suite brings a test into this loop, with its seed."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    assert loop.seed == 3
    await asyncio.sleep(3600.0)


def test_runner_runs_in_it() -> None:
    """asyncio.Runner can own the loop: its clean-up finds everything that it asks a loop for."""

    async def main() -> float:
        async def count() -> AsyncIterator[int]:
            yield 1
            yield 2

        async for _ in count():
            break
        await asyncio.to_thread(int)
        await asyncio.sleep(60.0)
        return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(main()) == START_S + 60.0


@virtually
async def test_debug_mode_works(loop: VirtualLoop) -> None:
    """The debug mode of asyncio runs in virtual time as well."""
    loop.set_debug(True)
    await asyncio.sleep(1.0)
    reached = asyncio.Event()
    loop.call_later(1.0, reached.set)
    await reached.wait()
    assert loop.time() == START_S + 2.0


def test_closed_loop_refuses_work() -> None:
    """Nothing can be scheduled on a closed loop."""
    loop = VirtualLoop()
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        loop.call_later(1.0, print)
    with pytest.raises(RuntimeError, match="closed"):
        loop.run_in_executor(None, print)
