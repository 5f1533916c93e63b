"""The error log of a hub: one line for each event of kind ``error``, in files beside its data.

The hub's loop only puts lines into a queue; a thread writes them. A disk that is full, read-only or slow is told once
and harms nothing: the errors are events, too, and lines that could not be kept are counted in the file.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import threading
from contextlib import asynccontextmanager
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from holdfast.hub.attempts_told import ERROR
from holdfast.hub.events import Kind
from holdfast.logs import Redactor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from holdfast.hub.events import Record
    from holdfast.hub.hub import Hub

FOLDER: Final = "logs"
FILE: Final = "errors.log"
FILE_BYTES: Final = 1_000_000
"""A file that would grow beyond this is put aside: some 5,000 errors, so that any editor opens it."""
FILES: Final = 5
"""The one that is written and those put aside (``errors.log.1`` is the youngest); older ones are deleted."""
MODE: Final = 0o600
"""Readable by the hub's own user only: reasons may name addresses and devices."""
LONGEST_QUEUE: Final = 1_000
"""Lines that may wait for the disk; more are dropped and counted."""
LAST_WORDS_S: Final = 1.0
"""How long the end of the hub waits for a disk that takes nothing."""

NEXT_FIELD: Final = "\t"
ABSENT: Final = "-"

log = logging.getLogger("holdfast.serve")


@asynccontextmanager
async def errors_logged(hub: Hub, data: Path, secrets: Iterable[str]) -> AsyncIterator[None]:
    """Write the hub's errors into ``data``/logs/errors.log for as long as the block lasts, without secrets."""
    error_log = ErrorLog(RotatedFile(data / FOLDER / FILE), Redactor(secrets).clean)
    hub.stream.tap(error_log.hear)
    try:
        yield
    finally:
        await asyncio.to_thread(error_log.close)


def line_of(at: datetime, payload: Mapping[str, Any]) -> str:
    """An error in one line: UTC time, level, device, role and target, action, address, reason and what follows.

    The fields are parted by tabs; whatever else would break a line is a blank.
    """
    time = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    role, target = payload.get("role"), payload.get("target")
    reason = payload.get("reason") or payload.get("text")
    following = payload.get("next")
    retry_in_s = payload.get("retry_in_s")
    if following and retry_in_s:
        following = f"{following} in {retry_in_s:g} s"
    fields = (
        time,
        str(payload.get("level", ERROR)).upper(),
        payload.get("device"),
        f"{role} {target}" if role else target,
        payload.get("action"),
        payload.get("address"),
        f"{reason}; {following}" if following else reason,
    )
    return NEXT_FIELD.join(_field(each) for each in fields)


def _field(value: object) -> str:
    text = "".join(each if each.isprintable() else " " for each in str(value or ""))
    return " ".join(text.split()) or ABSENT


class RotatedFile:
    """A file that is put aside when it is full. Opened anew for each write: a disk that is well again is used again."""

    def __init__(self, path: Path, limit: int = FILE_BYTES, files: int = FILES) -> None:
        self.path = path
        self._limit = limit
        self._files = files

    def append(self, text: str) -> None:
        """Add whole lines, or nothing; raises `OSError`."""
        data = text.encode(errors="backslashreplace")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        size = self.path.stat().st_size if self.path.exists() else 0
        if size and size + len(data) > self._limit:
            self._put_aside()
            size = 0
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, MODE)
        try:
            self.path.chmod(MODE)  # one that somebody else made
            while data:
                data = data[os.write(descriptor, data) :]
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, size)  # no half lines
            raise
        finally:
            os.close(descriptor)

    def _put_aside(self) -> None:
        for number in range(self._files - 1, 0, -1):
            younger = self._numbered(number - 1)
            if younger.exists():
                younger.replace(self._numbered(number))

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}") if number else self.path


class ErrorLog:
    """Hears a hub's stream. Its thread begins with the first error: a hub without errors has none."""

    def __init__(self, file: RotatedFile, clean: Callable[[str], str]) -> None:
        self._file = file
        self._clean = clean
        self._waiting: queue.Queue[str | None] = queue.Queue(LONGEST_QUEUE)
        self._dropped = 0  # written by the loop's thread only, as `_counted` and `_lost` are by the other
        self._counted = 0
        self._lost = 0
        self._is_ill = False
        self._is_over = False
        self._thread: threading.Thread | None = None

    def hear(self, record: Record) -> None:
        """A tap of the stream: returns at once."""
        if record.kind is not Kind.EVENT or record.payload["kind"] != ERROR or self._is_over:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_all, name="error log", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(self._clean(line_of(record.at, record.payload)))
        except queue.Full:
            self._dropped += 1

    def close(self) -> None:
        """Write what waits, within reason; not to be called in an event loop's thread."""
        self._is_over = True
        if self._thread is None:
            return
        with contextlib.suppress(queue.Full):  # then the thread has something to do, and sees that it is over
            self._waiting.put_nowait(None)
        self._thread.join(LAST_WORDS_S)

    def _write_all(self) -> None:
        while (line := self._waiting.get()) is not None:
            self._write(line)
            if self._is_over and self._waiting.empty():
                break
        if self._missing():
            self._write("")

    def _missing(self) -> int:
        """Lines that are not in the file and that it has not been told of."""
        return self._lost + self._dropped - self._counted

    def _write(self, line: str) -> None:
        missing = self._missing()
        lines = [f"({missing} errors are missing here: the disk did not take them)"] if missing else []
        lines += [line] if line else []
        try:
            self._file.append("".join(f"{each}\n" for each in lines))
        except OSError as error:
            self._lost += bool(line)
            if not self._is_ill:
                self._is_ill = True
                log.warning(
                    "errors cannot be written to %s (%s); events tell them all the same",
                    self._file.path,
                    error.strerror or error,
                )
            return
        self._counted += missing
        if self._is_ill:
            self._is_ill = False
            log.info("errors are written to %s again; %d are missing there", self._file.path, missing)
