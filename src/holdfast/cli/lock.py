"""One hub for each data directory: a lock that the system lets go of when its owner ends, however it ends."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

from holdfast.errors import ConfigurationError, HoldfastError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = "hub.lock"
"""Holds the owner's process number, for the message only: what counts is the lock on it."""


class DirectoryInUse(HoldfastError):
    """Another hub uses the data directory."""


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Own the data directory inside the block; makes it if needed. Raises `DirectoryInUse`."""
    path = directory / FILE
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigurationError(
            f"the data directory {directory} cannot be used ({error.strerror})",
            advice="Name another one with --data, or mend its permissions.",
        ) from error
    with os.fdopen(descriptor, "r+", encoding="ascii", errors="replace") as file:
        try:
            _lock(file.fileno())
        except OSError:
            owner = file.read(20).strip()
            who = f"another hub (pid {owner})" if owner.isdigit() else "another hub"
            raise DirectoryInUse(
                f"{who} uses {directory}",
                advice="Stop it first, or give this one a directory of its own with --data.",
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


if sys.platform == "win32":
    import msvcrt

    FAR = 1 << 30
    """Windows keeps others from reading what is locked; nothing is there to be read."""

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
