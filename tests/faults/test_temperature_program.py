"""Faults of an earlier temperature controller in what its program did besides control; see `test_temperature`."""

from __future__ import annotations

import ast
import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import holdfast
import holdfast.web.server  # in the loop its import would block: uvicorn asks where it is
from holdfast.cli.opening import opening
from holdfast.cli.serve import Door, kept
from holdfast.clock import SystemClock
from holdfast.store.memory import MemoryStore
from tests.hub.test_living_site import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDING = frozenset(
    ("kill", "killpg", "pidfd_send_signal", "terminate", "pkill", "killall", "taskkill", "psutil", "cmdline")
)
"""What ends processes, or finds them by their command lines."""


async def test_16_the_program_writes_errors(tmp_path: Path) -> None:
    """A hub as `serve` makes it has its error log in its data folder, without anybody asking for it."""
    clock, store = SystemClock(asyncio.get_running_loop()), MemoryStore()
    await store.save_site({"devices": []}, clock.now())
    start = await opening(store, None, tmp_path, FAMILIES, clock)
    async with kept(start, Door(host="127.0.0.1", port=0)) as (hub, _):
        hub.note("error", "it failed", device="plug", reason="no answer in time", level="error")
    text = await asyncio.to_thread((tmp_path / "logs" / "errors.log").read_text)
    assert text.endswith("\tERROR\tplug\t-\t-\t-\tno answer in time\n")


def test_37_no_process_is_ended_by_its_name() -> None:
    """Nothing in the source ends what the program did not start, or looks for others by their command lines."""
    found = [
        f"{path.name}:{line}: {word}"
        for path in sorted(Path(holdfast.__file__).parent.rglob("*.py"))
        for line, word in _words(path.read_text(encoding="utf-8"))
        if word in ENDING
    ]
    assert found == []


def _words(source: str) -> Iterator[tuple[int, str]]:
    """Names and words of texts, with their lines. Comments and what merely resembles them do not count."""
    if not any(word in source for word in ENDING):
        return
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(attr=name) | ast.Name(id=name):
                yield node.lineno, name
            case ast.alias(name=name):
                yield node.lineno, name.partition(".")[0]
            case ast.Constant(value=str(text)):
                for word in text.replace("/", " ").split():
                    yield node.lineno, word
