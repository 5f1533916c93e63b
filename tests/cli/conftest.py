"""A simulated house and a hub that tests share, and the program run within the test's own process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from tests.cli.house import Ended, House, Hub, Invoke, environment, served, site_file

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def house() -> Iterator[House]:
    """A house of one's own."""
    with House() as house:
        yield house


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub process that is connected to a house of its own, for tests that leave both as they were."""
    folder = tmp_path_factory.mktemp("hub")
    with (
        House() as house,
        served(site_file(folder, house.port), folder / "data", HOLDFAST_LOOP="asyncio") as (process, url),
    ):
        process.expect("first data after", among=process.complaints)
        yield Hub(process, url, folder / "data", house)


@pytest.fixture
def invoke() -> Invoke:
    """Run the program here: no process to start, same exit code, same output."""
    from holdfast.cli.program import program

    def run(*arguments: str, **environ: str) -> Ended:
        nothing = {"HOLDFAST_URL": "http://127.0.0.1:1", "HOLDFAST_TOKEN": ""}
        result = CliRunner().invoke(program, arguments, env={**nothing, **environment(), **environ})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    return run
