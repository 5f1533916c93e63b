"""The command line: `holdfast` on the PATH, `main` here."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading

_NEEDED = ("typer", "rich", "ruamel.yaml", "fastapi", "uvicorn")
"""What of the extra `hub` the command line needs; imported only where a command uses it."""


def main() -> None:
    """Run the command line and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if (
            reconfigure is not None
        ):  # a terminal that cannot show ° or ✓ gets a question mark, not a traceback
            reconfigure(errors="replace")
    missing = [name for name in _NEEDED if not _is_installed(name)]
    if missing:
        sys.stderr.write(
            f'the command line needs the extra "hub" ({", ".join(missing)} missing): pip install "holdfast[hub]"\n'
        )
        sys.exit(2)
    from holdfast.cli.program import program

    try:
        program()
    except SystemExit as end:
        _leave(end)


def _leave(end: SystemExit) -> None:
    """Exit; at once if a thread is stuck, as one is that looks up a host name while the network is gone."""
    if any(each is not threading.main_thread() and not each.daemon for each in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else int(end.code is not None))
    raise end


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # the package around it is not there either
        return False
