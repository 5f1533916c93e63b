"""What every test is held to: nothing blocks the loop, no task is left behind, nothing leaves the machine.

The network rule stands in pyproject.toml (pytest-socket, loopback only); the other two are fixtures here.
`tests/test_guards.py` shows that each of them fires.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import blockbuster.blockbuster as blockbuster
import hypothesis
import pytest
from pytest_asyncio import is_async_test

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    LoopFactory = Callable[[], asyncio.AbstractEventLoop]

# A shared machine may stall for longer than hypothesis allows an example.
hypothesis.settings.register_profile("holdfast", deadline=None, print_blob=True)
# Whether a planted fault is caught is all that is asked then, not by how small an example.
hypothesis.settings.register_profile(
    "planted",
    hypothesis.settings.get_profile("holdfast"),
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)
hypothesis.settings.load_profile("planted" if os.environ.get("HOLDFAST_PLANTED") else "holdfast")


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, LoopFactory]:
    """Choose the loop: virtual time for `virtual`, the standard loop otherwise.

    A test that should pass in both asks for them with `@pytest.mark.asyncio(loop_factories=["real", "sim"])`.
    """
    virtual = item.get_closest_marker("virtual")
    seed = virtual.kwargs.get("seed", 0) if virtual else 0

    def sim() -> asyncio.AbstractEventLoop:
        from holdfast.simulation.loop import VirtualLoop

        return VirtualLoop(seed=seed)

    factories: dict[str, LoopFactory] = {"real": asyncio.new_event_loop, "sim": sim}
    asked = item.get_closest_marker("asyncio")
    if asked and "loop_factories" in asked.kwargs:
        return factories
    name = "sim" if virtual else "real"
    return {name: factories[name]}


@pytest.fixture(autouse=True)
def loop_never_blocked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test in which code of ours blocked the loop, even if it swallowed the error."""
    if request.node.get_closest_marker("blocking_allowed"):
        yield
        return
    blocked: list[str] = []

    class Blocked(blockbuster.BlockingError):
        def __init__(self, func: str) -> None:
            super().__init__(func)
            blocked.append(func)

    monkeypatch.setattr(blockbuster, "BlockingError", Blocked)
    with blockbuster.blockbuster_ctx("holdfast") as guard:
        # What a log handler does is up to whoever installs it (pytest's own writes to a file; `serve` uses a queue).
        for write in ("io.TextIOWrapper.write", "io.BufferedWriter.write"):
            guard.functions[write].can_block_in("logging/__init__.py", "emit")
        yield
    if blocked:
        pytest.fail(f"the event loop was blocked by {', '.join(sorted(set(blocked)))}", pytrace=False)


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub without --data keeps its data in the user's folder, never in that of whoever runs the tests."""
    folder = tmp_path_factory.getbasetemp() / "user's data"
    for variable in ("XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(folder))
    monkeypatch.delenv("HOLDFAST_STORE", raising=False)


@pytest.fixture(autouse=True)
def no_task_left(request: pytest.FixtureRequest) -> None:
    """Fail an async test that leaves a task running once its fixtures are gone."""
    if is_async_test(request.node) and not request.node.get_closest_marker("leaks_allowed"):
        request.getfixturevalue("_no_task_left")


@pytest.fixture
async def _no_task_left() -> AsyncIterator[None]:
    # Set up first and torn down last, so that tasks owned by other fixtures are gone by then.
    yield
    left = asyncio.all_tasks() - {asyncio.current_task()}
    if left:
        names = "\n".join(sorted(repr(task) for task in left))
        pytest.fail(f"tasks are still running after the test:\n{names}", pytrace=False)
