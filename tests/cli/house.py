"""A simulated house on a real port, site files for it, and the program as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from holdfast.cli.demo_site import demo_mapping
from holdfast.hub.site.write import dump_site
from holdfast.simulators.ipcom import IpcomController, demo_house

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSWORD_ENV = "CLI_TEST_PASSWORD"
START_S = 20.0
"""A busy machine takes seconds to import a program."""


class House:
    """The demo house without residents, in a thread with an event loop of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.controller = IpcomController(demo_house(life=False), rng=random.Random(1))
        self._thread = threading.Thread(target=self.loop.run_forever, name="simulated house")

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.controller.start(), self.loop).result(5)
        return self

    def __exit__(self, *exc: object) -> None:
        asyncio.run_coroutine_threadsafe(self.controller.stop(), self.loop).result(5)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.controller.port

    def do(self, action: Callable[[], Any]) -> Any:
        """Do something in the house's own loop."""

        async def act() -> Any:
            return action()

        return asyncio.run_coroutine_threadsafe(act(), self.loop).result(5)

    def heard(self) -> list[str]:
        """What clients have done so far."""
        return [event.what.value for event in self.do(lambda: list(self.controller.events))]


def site_file(folder: Path, port: int, **adapter: Any) -> Path:
    """A site file for the house; ``adapter`` changes how it is reached."""
    site = demo_mapping("127.0.0.1", port)
    site["devices"][0]["adapters"][0] |= {"password": {"env": PASSWORD_ENV}, **adapter}
    path = folder / "site.yaml"
    path.write_text(dump_site(site))
    return path


def environment(**more: str) -> dict[str, str]:
    """What a process of ours gets to know."""
    keep = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    return {**keep, PASSWORD_ENV: "demo", "PYTHONUNBUFFERED": "1", **more}


class Ended(NamedTuple):
    """A process that has ended."""

    code: int
    out: str
    err: str


def run(*arguments: str, **environ: str) -> Ended:
    """The program, to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "holdfast.cli", *arguments],
        capture_output=True, text=True, check=False, timeout=40, env=environment(**environ),
    )  # fmt: skip
    return Ended(done.returncode, done.stdout, done.stderr)


Invoke = Callable[..., Ended]
"""(arguments, environment as keywords) -> the program's end, run within this process."""


class Program:
    """The program while it runs."""

    def __init__(self, *arguments: str, **environ: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "holdfast.cli", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(**environ),
        )  # fmt: skip
        self.lines: list[str] = []
        self.complaints: list[str] = []
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._readers = [
            threading.Thread(target=self.lines.extend, args=(self.process.stdout,)),
            threading.Thread(target=self.complaints.extend, args=(self.process.stderr,)),
        ]
        for reader in self._readers:
            reader.start()

    def expect(self, pattern: str, *, among: list[str] | None = None) -> re.Match[str]:
        """Wait for a line of output."""
        lines = self.lines if among is None else among
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            for line in list(lines):
                match = re.search(pattern, line)
                if match:
                    return match
            if self.process.poll() is not None and not any(reader.is_alive() for reader in self._readers):
                break
            time.sleep(0.02)
        raise AssertionError(f"{pattern!r} never came; said {self.lines}, complained {self.complaints}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> Ended:
        """Ask it to stop, wait until it has."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(10)
        finally:
            self.process.kill()
            for reader in self._readers:
                reader.join()
            for stream in (self.process.stdout, self.process.stderr):
                if stream is not None:
                    stream.close()
        return Ended(code, "".join(self.lines), "".join(self.complaints))


@contextlib.contextmanager
def program(*arguments: str, **environ: str) -> Iterator[Program]:
    """The program, stopped at the end of the block if it has not been before."""
    running = Program(*arguments, **environ)
    try:
        yield running
    finally:
        running.stop()


@contextlib.contextmanager
def served(site: Path, data: Path, *arguments: str, **environ: str) -> Iterator[tuple[Program, str]]:
    """A hub as a process, and its address."""
    options = ("serve", "--site", str(site), "--data", str(data), "--port", "0", *arguments)
    with program(*options, **environ) as running:
        match = running.expect(r"^Holdfast is listening on (http://127\.0\.0\.1:\d+)$")
        yield running, match[1]


class Hub(NamedTuple):
    """A hub that several tests share."""

    process: Program
    url: str
    data: Path
    house: House
