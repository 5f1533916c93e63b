"""The README's example and its first commands, run as they stand but for the address and the login."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.cli.house import House, environment, run
from tests.docs.made import ROOT
from tests.docs.test_pages import fences

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.blocking_allowed

LIMIT_S = 40.0
"""A busy machine takes seconds to start a program."""
KITCHEN = (1, 1)
"""Module and output of the README's kitchen."""


def pointed(text: str, port: int) -> str:
    """An example, for the simulated house."""
    for given, ours in (
        ("192.168.1.50:5000", f"127.0.0.1:{port}"),
        ('"username": "me"', '"username": "demo"'),
        ("username: me,", "username: demo,"),
    ):
        text = text.replace(given, ours)
    assert f"127.0.0.1:{port}" in text
    assert "demo" in text
    return text


def test_the_example_runs(tmp_path: Path) -> None:
    """It prints a verified receipt, the reading, and the first change; Ctrl-C ends it with a goodbye."""
    (example,) = fences(ROOT / "README.md", "python")
    said: queue.Queue[str] = queue.Queue()
    with House() as house:
        program = tmp_path / "example.py"
        program.write_text(pointed(example, house.port))
        process = subprocess.Popen(
            [sys.executable, str(program)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=environment(IPCOM_PASSWORD="demo"),
        )  # fmt: skip
        assert process.stdout is not None
        output = process.stdout

        def read() -> None:
            for line in output:
                said.put(line)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            first, second = said.get(timeout=LIMIT_S), said.get(timeout=LIMIT_S)
            house.do(lambda: house.controller.house.press(*KITCHEN))
            change = said.get(timeout=LIMIT_S)
            process.send_signal(signal.SIGINT)
            process.wait(LIMIT_S)
        finally:
            process.kill()
            reader.join()
            output.close()
            process.wait()
        goodbye = house.heard()[-2:]
    assert first.startswith("verified")
    assert second == "True good\n"
    assert "house/kitchen" in change
    assert "value=False" in change
    assert goodbye == ["client said goodbye", "ended"]


def test_the_commands_run(tmp_path: Path) -> None:
    """Check, test and set with the README's site file, without a hub; and the exit code where there is none."""
    example = fences(ROOT / "README.md", "yaml")[0]
    site = tmp_path / "site.yaml"
    with House() as house:
        site.write_text(pointed(example, house.port))
        login = {"IPCOM_PASSWORD": "demo"}
        checked = run("check", str(site), **login)
        assert (checked.code, checked.out) == (0, f"{site} is fine: 1 device, 4 values\n")
        tested = run("test", "house", "--site", str(site), "--seconds", "1", **login)
        assert tested.code == 0, tested.out
        done = run("set", "house/kitchen", "true", "--site", str(site), **login)
        assert (done.code, done.out.split(":")[0]) == (0, "verified")
    assert run("check", str(site)).code == 2  # the password is not there
    assert run("set", "house/kitchen", "true", HOLDFAST_URL="http://127.0.0.1:9").code == 3


@pytest.mark.parametrize("command", ["check", "test", "serve", "watch", "set", "demo"])
def test_the_readme_names_commands_that_exist(command: str) -> None:
    text = (ROOT / "README.md").read_text()
    assert f"holdfast {command}" in text or f"make {command}" in text
