"""Fresh processes for what is measured and for its peers; they speak JSON, a line each way."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

ANSWER_S = 60.0
"""How long a peer may take to answer; starting 5,000 listening sockets is the slowest of it."""


class PeerGone(RuntimeError):
    """A peer ended or did not answer."""


class Peer:
    """A helper process that answers each line of JSON with one. Blocking: asked only where nothing is measured."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.hello = self._read()

    def ask(self, what: str, **more: Any) -> dict[str, Any]:
        """Ask and wait for the answer; raises `PeerGone`."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": what, **more}).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise PeerGone(f"the peer ended with {self._process.poll()}") from error
        return self._read()

    def _read(self) -> dict[str, Any]:
        stdout = self._process.stdout
        assert stdout is not None
        ready, _, _ = select.select([stdout], [], [], ANSWER_S)
        line = stdout.readline() if ready else b""
        if not line:
            raise PeerGone(f"the peer gave no answer (exit code {self._process.poll()})")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process: it stops when nobody speaks to it any more."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
            self._process.wait(5)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


STEADY_HEAP = {"MALLOC_MMAP_THRESHOLD_": "4194304", "MALLOC_TRIM_THRESHOLD_": "8388608"}
"""Settings of glibc that keep its heap from shrinking and growing all the time.

The stock loop asks for 256 KiB at each read and gives nearly all of it back. With its own settings glibc makes that a
new mapping each time or not, depending on what a program freed before: 15 to 20 µs a poll by chance, on either side.
"""


def measure_in_child(job: str, limit_s: float, **options: Any) -> dict[str, Any]:
    """Run one job of `bench.subject` in a fresh process; what it measured. Raises `PeerGone`."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.subject", json.dumps({"job": job, **options})],
        stdout=subprocess.PIPE,
        timeout=limit_s,
        check=False,
        env=os.environ | STEADY_HEAP,
    )
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        raise PeerGone(f"the measurement {job} ended with {done.returncode}")
    result: dict[str, Any] = json.loads(lines[-1])
    return result
