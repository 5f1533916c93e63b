"""Starting: fast, and in words where a package is missing."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import pytest

HEAVY = ("fastapi", "uvicorn", "ruamel.yaml", "rich", "msgspec", "starlette", "asyncio", "holdfast.link")


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A Python program with arguments, away from the user's environment."""
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False, timeout=30
    )


def loaded(*arguments: str) -> tuple[list[str], int]:
    """Which heavy modules a command has loaded when it ends, and its exit code."""
    program = f"""
import json, os, sys
os.environ["HOLDFAST_URL"] = "http://127.0.0.1:1"
from holdfast.cli import main
try:
    main()
except SystemExit as end:
    print("\\n" + json.dumps([[name for name in {HEAVY!r} if name in sys.modules], end.code or 0]))
"""
    last: Any = json.loads(run(program, *arguments).stdout.splitlines()[-1])
    return last[0], last[1]


@pytest.mark.parametrize(
    ("command", "code"), [("--version", 0), ("devices", 3), ("set house/kitchen on", 3), ("on kitchen", 3)]
)
def test_simple_commands_load_little(command: str, code: int) -> None:
    """A command to a hub needs neither the hub's packages nor an event loop nor the terminal's finery."""
    assert loaded(*command.split()) == ([], code)


def test_a_missing_extra_is_named() -> None:
    """Also when it is the very package that parses the command line."""
    program = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"typer", "ruamel"}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Hidden())
sys.argv = ["holdfast", "--version"]
from holdfast.cli import main
main()
"""
    done = run(program)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        'the command line needs the extra "hub" (typer, ruamel.yaml missing): pip install "holdfast[hub]"\n'
    )


def test_the_console_script_is_there() -> None:
    """`holdfast` on the PATH is `holdfast.cli:main`."""
    from importlib.metadata import entry_points

    [script] = entry_points(group="console_scripts", name="holdfast")
    assert script.value == "holdfast.cli:main"


def test_a_name_that_is_still_looked_up_delays_nobody() -> None:
    """A resolver may hang for half a minute; stopping does not wait for it, and the exit code is kept."""
    program = """
import asyncio, time, sys
import typer
from holdfast import cli
from holdfast.cli import loops
import holdfast.cli.program

async def work():
    asyncio.get_running_loop().run_in_executor(None, time.sleep, 25)

def program():
    loops.run(work())
    raise SystemExit(3)

holdfast.cli.program.program = program
cli.main()
"""
    begun = time.monotonic()
    done = run(program)
    assert (done.returncode, done.stderr) == (3, "")
    assert time.monotonic() - begun < 15
