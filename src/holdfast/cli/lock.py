"""One hub for each data directory: a lock that the system lets go of when its owner ends, however it ends."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sys
from typing import TYPE_CHECKING

from holdfast.errors import ConfigurationError, HoldfastError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = "hub.lock"
"""Holds the owner's process number, for the message only: what counts is the lock on it."""


_UNWRITABLE = frozenset(
    number
    for name in ("EROFS", "EACCES", "EPERM", "ENOSPC", "EDQUOT")
    if (number := getattr(errno, name, None)) is not None
)
"""Why nothing can be written there; a house is kept all the same."""

log = logging.getLogger("holdfast.serve")


class DirectoryInUse(HoldfastError):
    """Another hub uses the data directory."""


@contextlib.contextmanager
def locked_as_far_as_possible(directory: Path) -> Iterator[None]:
    """The same for a hub that must run: where nothing can be written, a warning instead of an error.

    The directory itself is locked then, which needs no room on the disk. Raises `DirectoryInUse`, too.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked(directory))
        except ConfigurationError as error:
            if not isinstance(error.__cause__, OSError) or error.__cause__.errno not in _UNWRITABLE:
                raise
            log.warning("%s; what happens cannot be kept there", error.text)
            stack.enter_context(_locked_itself(directory))
        yield


@contextlib.contextmanager
def _locked_itself(directory: Path) -> Iterator[None]:
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except OSError:  # it is not there, or may not be entered: then nobody else uses it either
        yield
        return
    try:
        _lock(descriptor)
    except OSError:
        raise _in_use("another hub", directory) from None
    else:
        yield
    finally:
        os.close(descriptor)


def _in_use(who: str, directory: Path) -> DirectoryInUse:
    return DirectoryInUse(
        f"{who} uses {directory}",
        advice="Stop it first, or give this one a directory of its own with --data.",
    )


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
            raise _in_use(who, directory) from None
        with contextlib.suppress(
            OSError
        ):  # on a full disk the number is missing, which only the message needs
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
