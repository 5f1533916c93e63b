"""Printing: text for people, JSON for programs, complaints on standard error."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from holdfast.cli.words import clean

if TYPE_CHECKING:
    from rich.console import Console

    from holdfast.errors import HoldfastError

PIPE_WIDTH = 160
"""Columns where nobody says how wide the paper is."""


def is_terminal() -> bool:
    """Whether a person looks at standard output."""
    return sys.stdout.isatty()


def console(*, stderr: bool = False) -> Console:
    """Where tables go: with colours on a terminal, plain and wide in a pipe."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS") else PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)


def as_json(value: object) -> None:
    """One JSON value on a line of its own, at once."""
    sys.stdout.write(json.dumps(value, ensure_ascii=not _speaks_unicode(), default=str) + "\n")
    sys.stdout.flush()


def line(text: str) -> None:
    """One line of text, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """Something to know beside the result."""
    sys.stdout.flush()
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def complain(error: HoldfastError) -> None:
    """An error and what to do about it, on standard error."""
    text = "\n".join(clean(each) for each in error.text.splitlines())
    note(f"{text}\n{clean(error.advice)}" if error.advice else text)


def _speaks_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
