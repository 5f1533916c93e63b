"""A file that is there whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli.exits import WrongUsage

if TYPE_CHECKING:
    from collections.abc import Iterator


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, readable by its owner only, in the place of one that may be there. Raises `WrongUsage`."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to be written beside ``path``, which takes its name when the block ends well."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(descriptor)
    except OSError as error:
        raise WrongUsage(f"nothing can be written in {path.parent} ({error.strerror})") from None
    temporary = Path(name)
    try:
        yield temporary
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    except OSError as error:
        raise WrongUsage(f"{path} cannot be written ({error.strerror})") from error
    finally:
        temporary.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Let a file or folder reach the disk; Windows cannot do that for a folder, and does not need to."""
    try:
        descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
