"""Logs: without secrets, and never in a device's way."""

from __future__ import annotations

import json
import logging
import sys
import threading
from typing import TYPE_CHECKING

from holdfast.cli import log_output
from holdfast.cli.log_output import logging_to_stderr

if TYPE_CHECKING:
    import pytest

log = logging.getLogger("holdfast.test")


def fail(text: str) -> None:
    """Log an exception."""
    try:
        int(text)
    except ValueError:
        log.exception("failed")


def test_no_secret_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither in a message nor in a traceback, whoever registered it and when."""
    with logging_to_stderr("info", secrets=["sesame"]):
        log_output.hide(["tarragon"])
        log.info("the word is %s, or %s", "sesame", "tarragon")
        fail("sesame")
        log.debug("not asked for")
    said = capsys.readouterr().err
    assert "the word is ***, or ***" in said
    assert "with base 10: '***'" in said
    assert "sesame" not in said
    assert "not asked for" not in said
    assert not any(isinstance(each, log_output.QueuedHandler) for each in logging.getLogger().handlers)


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """One object a line, with the traceback as a member."""
    with logging_to_stderr("debug", as_json=True):
        log.debug("hello")
        fail("why")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert first["text"] == "hello"
    assert first["level"] == "debug"
    assert "with base 10: 'why'" in second["trace"]


def test_a_stalled_terminal_stalls_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines wait in a bounded queue; what does not fit is counted, and stopping does not wait for ever."""
    is_read = threading.Event()
    written: list[str] = []

    class Stalled:
        def write(self, text: str) -> None:
            is_read.wait()
            written.append(text)

        def flush(self) -> None:
            """Nothing is held back."""

    monkeypatch.setattr(log_output, "LONGEST_QUEUE", 4)
    monkeypatch.setattr(sys, "stderr", Stalled())
    with logging_to_stderr("info"):
        handler = next(
            each for each in logging.getLogger().handlers if isinstance(each, log_output.QueuedHandler)
        )
        for number in range(20):
            log.info("line %d", number)
        is_read.set()
    handler._thread.join(5)
    assert any("log lines were dropped" in text for text in written)
    assert len(written) < 10


def test_whoever_logs_louder_goes_on_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """`--debug` is not doubled or hushed by the command inside, but learns its secrets."""
    with logging_to_stderr("debug"), logging_to_stderr("error", secrets=["sesame"]):
        log.debug("once, sesame")
    assert capsys.readouterr().err.count("once, ***") == 1
