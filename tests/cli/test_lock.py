"""One hub for each data directory."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from holdfast.cli.lock import DirectoryInUse, locked, locked_as_far_as_possible
from holdfast.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_second_one_is_told_who_the_first_is(tmp_path: Path) -> None:
    """By process number; and the directory is made where it is missing, for its owner only."""
    directory = tmp_path / "deep" / "data"
    with locked(directory):
        assert directory.stat().st_mode & 0o077 == 0
        with (
            pytest.raises(DirectoryInUse, match=rf"another hub \(pid {os.getpid()}\) uses .*data$"),
            locked(directory),
        ):
            pass
    with locked(directory):
        pass


def test_a_number_left_behind_locks_nothing(tmp_path: Path) -> None:
    """What counts is the lock, not the file: a killed hub leaves the file."""
    (tmp_path / "hub.lock").write_text("12345678901234567890 and more\n")
    with locked(tmp_path):
        assert (tmp_path / "hub.lock").read_text() == f"{os.getpid()}\n"


def test_a_place_that_cannot_be_used(tmp_path: Path) -> None:
    """Said as wrong usage, with the way out."""
    (tmp_path / "file").touch()
    with (
        pytest.raises(ConfigurationError, match="cannot be used") as caught,
        locked(tmp_path / "file" / "data"),
    ):
        pass
    assert "--data" in caught.value.advice


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_hub_that_must_run_does_not_need_to_write(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """On a full or read-only disk it warns and goes on, and still there is only one; a command says what is wrong."""
    opened = os.open

    def refuse(path: object, flags: int, *more: int) -> int:
        if flags & os.O_CREAT:
            raise OSError(number, os.strerror(number))
        return opened(path, flags, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ConfigurationError, match="cannot be used"), locked(tmp_path):
        pass
    with locked_as_far_as_possible(tmp_path):
        assert "what happens cannot be kept there" in caplog.text
        with pytest.raises(DirectoryInUse), locked_as_far_as_possible(tmp_path):
            pass
    with locked_as_far_as_possible(tmp_path / "missing" if number == errno.EROFS else tmp_path):
        pass


def test_a_slip_in_the_name_is_an_error_for_everybody(tmp_path: Path) -> None:
    """A file where a directory belongs is no fault of the disk."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError), locked_as_far_as_possible(tmp_path / "file"):
        pass
