"""The error log: one line an error, rotated, private, and never in a device's way."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import stat
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.cli import error_log
from holdfast.cli.error_log import ErrorLog, RotatedFile, errors_logged, line_of
from holdfast.clock import SystemClock
from holdfast.hub.events import EventStream, Kind
from holdfast.hub.hub import Hub
from holdfast.logs import Redactor

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime(2026, 11, 21, 12, 0, 0, 123456, UTC)
ERROR: dict[str, Any] = {
    "kind": "error",
    "device": "plug",
    "level": "warning",
    "role": "switch",
    "target": "plug/switch",
    "action": "set on",
    "address": "kasa://192.0.2.1",
    "reason": "switching the plug: no answer in time, after 5.0 s",
    "next": "will retry",
    "retry_in_s": 1.5,
}


class Told:
    """A stream of errors into a log, and what is in its files."""

    def __init__(self, path: Path, *secrets: str) -> None:
        self.path = path
        self.stream = EventStream("e", lambda: AT)
        self.file = RotatedFile(path)
        self.log = ErrorLog(self.file, Redactor(secrets).clean)
        self.stream.tap(self.log.hear)

    def error(self, **more: Any) -> None:
        """Something failed."""
        self.stream.publish(Kind.EVENT, "k", {**ERROR, **more})

    def lines(self) -> list[str]:
        """What the file says once all is written."""
        self.log.close()
        return self.path.read_text().splitlines()


def test_a_line_says_who_what_where_and_why() -> None:
    """Seven fields between tabs; the time is UTC whatever zone it was told in."""
    here = AT.astimezone(timezone(timedelta(hours=2)))
    assert line_of(here, ERROR).split("\t") == [
        "2026-11-21T12:00:00.123Z",
        "WARNING",
        "plug",
        "switch plug/switch",
        "set on",
        "kasa://192.0.2.1",
        "switching the plug: no answer in time, after 5.0 s; will retry in 1.5 s",
    ]


def test_whatever_an_error_says_it_stays_one_line() -> None:
    """Line breaks, tabs and control characters are blanks; what is not known is a dash."""
    line = line_of(AT, {"kind": "error", "text": "a\nb\tc\x1b[31m\u2028d", "device": None})
    assert len(line.splitlines()) == 1
    assert line.split("\t")[1:] == ["ERROR", "-", "-", "-", "-", "a b c [31m d"]


def test_only_errors_are_written_and_no_secret_is(tmp_path: Path) -> None:
    """Other events are not for this file; a password in a reason is masked."""
    told = Told(tmp_path / "logs" / "errors.log", "sesame")
    told.stream.publish(Kind.EVENT, "k", {"kind": "sent", "text": "x"})
    told.stream.publish(Kind.READING, "k", None)
    assert told.log._thread is None
    told.error(reason="refused: sesame, password=hunter2")
    (line,) = told.lines()
    assert "sesame" not in line
    assert "hunter2" not in line
    assert "refused: ***" in line
    told.error()  # too late: the hub has ended
    assert told.lines() == [line]


@pytest.mark.skipif(sys.platform == "win32", reason="modes are a matter of POSIX")
def test_files_are_private_and_bounded(tmp_path: Path) -> None:
    """Rotated by size, so many and no more, all readable by their owner only."""
    path = tmp_path / "errors.log"
    path.touch(mode=0o644)
    file = RotatedFile(path, limit=100, files=3)
    for number in range(50):
        file.append(f"line {number:02}" + "." * 20 + "\n")
    found = sorted(each.name for each in tmp_path.iterdir())
    assert found == ["errors.log", "errors.log.1", "errors.log.2"]
    assert all(stat.S_IMODE(each.stat().st_mode) == 0o600 for each in tmp_path.iterdir())
    assert all(each.stat().st_size <= 100 for each in tmp_path.iterdir())
    text = "".join((tmp_path / name).read_text() for name in reversed(found))
    numbers = [int(line[5:7]) for line in text.splitlines()]
    assert numbers == list(range(numbers[0], 50))


def test_a_line_longer_than_a_file_is_written_once(tmp_path: Path) -> None:
    """It gets a file of its own; nothing is rotated for ever."""
    file = RotatedFile(tmp_path / "errors.log", limit=10, files=2)
    file.append("x" * 30 + "\n")
    file.append("y\n")
    assert (tmp_path / "errors.log").read_text() == "y\n"
    assert (tmp_path / "errors.log.1").read_text() == "x" * 30 + "\n"


def test_a_full_disk_is_told_once_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Half lines are taken back; when there is room again the file says how many errors are missing."""
    told = Told(tmp_path / "errors.log")
    write, truncate = os.write, os.ftruncate
    is_full = True
    seen = threading.Semaphore(0)

    def full(descriptor: int, data: bytes) -> int:
        if is_full:
            write(descriptor, data[:5])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data)

    def taken_back(descriptor: int, size: int) -> None:
        truncate(descriptor, size)
        seen.release()

    monkeypatch.setattr(os, "write", full)
    monkeypatch.setattr(os, "ftruncate", taken_back)
    with caplog.at_level(logging.INFO, "holdfast.serve"):
        for number in range(3):
            told.error(reason=f"error {number}")
            assert seen.acquire(timeout=5)
        assert (tmp_path / "errors.log").read_text() == ""
        is_full = False
        told.error(reason="error 3")
        first, second = told.lines()
    assert first == "(3 errors are missing here: the disk did not take them)"
    assert "error 3" in second
    assert [each.levelname for each in caplog.records] == ["WARNING", "INFO"]
    assert "No space left on device" in caplog.text
    assert "3 are missing there" in caplog.text


def test_a_folder_that_cannot_be_made_harms_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where a file is in the way of the folder, a warning is all that happens."""
    (tmp_path / "logs").write_text("in the way")
    told = Told(tmp_path / "logs" / "errors.log")
    for _ in range(3):
        told.error()
    told.log.close()
    assert caplog.text.count("errors cannot be written") == 1


def test_a_stalled_disk_stalls_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue is bounded, what does not fit is counted, and the end does not wait for ever."""
    monkeypatch.setattr(error_log, "LONGEST_QUEUE", 4)
    monkeypatch.setattr(error_log, "LAST_WORDS_S", 0.01)
    told = Told(tmp_path / "errors.log")
    may_go = threading.Event()
    append = told.file.append

    def stalled(text: str) -> None:
        may_go.wait(10)
        append(text)

    monkeypatch.setattr(told.file, "append", stalled)
    for number in range(20):
        told.error(reason=f"error {number}")
    told.log.close()
    may_go.set()
    assert told.log._thread is not None
    told.log._thread.join(5)
    lines = (tmp_path / "errors.log").read_text().splitlines()
    missing = [int(line[1:].split()[0]) for line in lines if line.startswith("(")]
    assert sum(missing) + sum("error " in line and "\t" in line for line in lines) == 20
    assert sum(missing) >= 15


async def test_a_hub_s_errors_are_in_the_file_when_it_has_ended(tmp_path: Path) -> None:
    """From the first event to the last, written by a thread while the loop goes on."""
    hub = Hub(SystemClock(asyncio.get_running_loop()))
    async with errors_logged(hub, tmp_path, ["sesame"]):
        hub.note("error", "sesame failed", device="plug", reason="sesame", level="error")
        hub.core.close()
    text = await asyncio.to_thread((tmp_path / "logs" / "errors.log").read_text)
    assert text.count("\n") == 1
    assert text.endswith("\tERROR\tplug\t-\t-\t-\t***\n")
