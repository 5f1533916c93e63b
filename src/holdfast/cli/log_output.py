"""Log lines leave the event loop at once and are written by a thread: a stalled terminal must not stall a device."""

from __future__ import annotations

import contextlib
import logging
import queue
import sys
import threading
from typing import TYPE_CHECKING

from holdfast.logs import JsonFormatter, Redactor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST_QUEUE = 10_000
"""Lines that may wait, some seconds of debug logging; then lines are dropped and counted."""
LAST_WORDS_S = 0.2
"""How long stopping waits for a terminal that takes nothing."""

LEVELS = ("debug", "info", "warning", "error")

ASIDE = ("kasa",)
"""Libraries that log what their driver handles: python-kasa has an error line for every login that a plug forgot."""


class QueuedHandler(logging.Handler):
    """Writes to standard error from a thread of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: queue.Queue[logging.LogRecord | None] = queue.Queue(LONGEST_QUEUE)
        self._dropped = 0
        self._is_over = False
        self._thread = threading.Thread(target=self._write_all, name="log output", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Leave a record, which is redacted already, to the thread."""
        record.exc_info = None  # its text is kept; the traceback would keep whole frames alive
        try:
            self._waiting.put_nowait(record)
        except queue.Full:
            self._dropped += 1

    def close(self) -> None:
        """Write what waits, within reason."""
        self._is_over = True
        with contextlib.suppress(queue.Full):  # then the thread has something to do, and sees that it is over
            self._waiting.put_nowait(None)
        self._thread.join(LAST_WORDS_S)
        super().close()

    def _write_all(self) -> None:
        while (record := self._waiting.get()) is not None:
            dropped, self._dropped = self._dropped, 0
            try:
                if dropped:
                    sys.stderr.write(f"{dropped} log lines were dropped: nobody read them in time\n")
                sys.stderr.write(self.format(record) + "\n")
                if self._waiting.empty():
                    sys.stderr.flush()
            except (OSError, ValueError):
                return  # whoever read it is gone
            if self._is_over and self._waiting.empty():
                return


class Aside(logging.Filter):
    """Lines of libraries are debug lines: what they mean for a device its driver tells, once and in its own words."""

    def __init__(self, *, is_shown: bool) -> None:
        super().__init__()
        self._is_shown = is_shown

    def filter(self, record: logging.LogRecord) -> bool:
        """Lower such a record, or drop it; every other one passes as it is."""
        if record.name.partition(".")[0] not in ASIDE:
            return True
        record.levelno, record.levelname = logging.DEBUG, logging.getLevelName(logging.DEBUG)
        return self._is_shown


def hide(secrets: Iterable[str]) -> None:
    """Never log these, wherever we log."""
    for handler in logging.getLogger().handlers:
        for each in handler.filters:
            if isinstance(each, Redactor):
                for secret in secrets:
                    each.add(secret)


@contextlib.contextmanager
def logging_to_stderr(level: str, *, as_json: bool = False, secrets: Iterable[str] = ()) -> Iterator[None]:
    """Log inside the block, without secrets. Whoever logs already, louder than this, goes on alone."""
    root, own = logging.getLogger(), logging.getLogger("holdfast")
    if any(isinstance(each, QueuedHandler) for each in root.handlers):
        hide(secrets)
        yield
        return
    handler = QueuedHandler()
    handler.addFilter(Redactor(secrets))
    handler.addFilter(Aside(is_shown=level.lower() == "debug"))
    handler.setFormatter(
        JsonFormatter()
        if as_json
        else logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")
    )
    before = root.level, own.level
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    own.setLevel(level.upper())
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before[0])
        own.setLevel(before[1])
        handler.close()
