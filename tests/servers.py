"""Real servers that some tests start for themselves."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# Where Debian puts servers; an ordinary user's PATH may lack it.
_ALSO_IN = os.pathsep.join(
    [
        "/usr/local/sbin",
        "/usr/sbin",
        "/sbin",
        *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True),
    ]
)


def needs_server(program: str) -> str:
    """Return the path of `program`; without it the test is skipped, but under `CI` it fails.

    A skip in CI would look like a pass, and nobody would notice that the test never ran.
    """
    path = shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), _ALSO_IN]))
    if path is not None:
        return path
    if os.environ.get("CI"):
        pytest.fail(f"{program} is not installed, and CI may not skip this test", pytrace=False)
    pytest.skip(f"{program} is not installed")


# --- PostgreSQL --------------------------------------------------------------------------------------------------

_START_S = 30.0
"""A loaded machine may take that long to start a server that usually needs one second."""


@dataclass
class PostgresqlServer:
    """A server of our own on loopback; anybody may log in. `stop` and `start` play an outage."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def url(self, database: str) -> str:
        # With a password and without TLS the driver has no reason to look for files while the loop runs.
        return f"postgresql://postgres:any@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                needs_server("postgres"),
                *("-D", str(self.folder), "-p", str(self.port), "-h", "127.0.0.1", "-k", str(self.folder)),
                *("-c", "fsync=off"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=_owner(),
            group=_owner(),
            extra_groups=[] if _owner() else None,
        )
        deadline_t = time.monotonic() + _START_S
        while self.run("pg_isready", is_checked=False) != 0:
            assert self.process.poll() is None, "the server ended at once"
            assert time.monotonic() < deadline_t, "the server does not start"
            time.sleep(0.05)

    def stop(self) -> None:
        """End it and whoever is connected."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)  # "fast": sessions are ended, data are written
            self.process.wait(_START_S)
            self.process = None

    def run(self, program: str, *args: str, is_checked: bool = True) -> int:
        """Run one of the clients that come with the server; its exit code."""
        command = [needs_server(program), "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", *args]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode == 0 or not is_checked, done.stderr.decode()
        return done.returncode

    @contextlib.contextmanager
    def database(self, name: str) -> Iterator[str]:
        """The URL of a new, empty database, which goes afterwards."""
        self.run("createdb", name)
        try:
            yield self.url(name)
        finally:
            self.run("dropdb", "--force", "--if-exists", name)


@contextlib.contextmanager
def postgresql_server() -> Iterator[PostgresqlServer]:
    """A server with a folder of its own, stopped and gone afterwards."""
    initdb = needs_server("initdb")
    needs_server("postgres")
    with tempfile.TemporaryDirectory(prefix="holdfast-pg-") as name:
        folder = Path(name)
        if (owner := _owner()) is not None:
            shutil.chown(folder, owner, owner)
        subprocess.run(
            [initdb, "-D", name, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"],
            check=True,
            capture_output=True,
            user=owner,
            group=owner,
            extra_groups=[] if owner else None,
        )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = PostgresqlServer(folder, port)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _owner() -> str | None:
    """Whom the server runs as: it refuses to be root."""
    return "postgres" if os.getuid() == 0 else None
