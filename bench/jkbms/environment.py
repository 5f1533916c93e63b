"""The peer's environment: made when first needed, outside the tree's own, with exactly the pinned packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".cache" / "bench-aiobmsble"
REQUIREMENTS = ROOT / "requirements" / "bench-aiobmsble.txt"
NAMED_BY = "HOLDFAST_PYTHON313"
"""The environment variable that names a Python 3.13; without it `python3.13` is looked for on the path."""

_VERSION = "3.13"
_INSTALL_S = 600.0
"""Ten minutes: a slow network may take this long for ten packages."""
_ASK_S = 30.0
_OFFLINE_ENV = {"UV_SYSTEM_CERTS": "1", "UV_PYTHON_DOWNLOADS": "never", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
_STAMP = "holdfast-requirements"


class PeerUnavailable(RuntimeError):
    """The peer cannot be had here; the text says why, in words for the table."""


def peer_python(folder: Path = FOLDER) -> Path:
    """The interpreter of the peer's environment, made or brought up to date first.

    Raises `PeerUnavailable` without a Python 3.13, or when the pinned packages cannot be installed.
    """
    python = folder / "bin" / "python"
    stamp = folder / _STAMP
    wanted = sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if (
        stamp.is_file()
        and stamp.read_text(encoding="ascii") == wanted
        and _version_of(str(python)) == _VERSION
    ):
        return python
    base = _base_python()
    print(f"making the environment {folder.name} for the peer", file=sys.stderr)
    _run("the environment could not be made", base, "-m", "venv", "--clear", str(folder))
    uv = shutil.which("uv", path=str(Path(sys.executable).parent))
    failed = "aiobmsble could not be installed"
    if uv is None:
        pip = (str(python), "-m", "pip", "install", "--quiet", "--only-binary", ":all:")
        _run(failed, *pip, "--require-hashes", "-r", str(REQUIREMENTS))
    else:
        install = (uv, "pip", "sync", "--quiet", "--no-build", "--python", str(python))
        _run(failed, *install, "--require-hashes", str(REQUIREMENTS))
    stamp.write_text(wanted, encoding="ascii")
    return python


def _base_python() -> str:
    named = os.environ.get(NAMED_BY)
    base = named or shutil.which(f"python{_VERSION}")
    if base is None:
        raise PeerUnavailable(f"no python{_VERSION} on the path, and {NAMED_BY} names none")
    found = _version_of(base)
    if found != _VERSION:
        source = NAMED_BY if named else f"python{_VERSION} on the path"
        raise PeerUnavailable(f"{source} is {f'Python {found}' if found else 'no Python that runs'}")
    return base


def _version_of(python: str) -> str:
    """Major and minor version; empty where it does not run."""
    command = (python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_ASK_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return "" if done.returncode else done.stdout.strip()


def _run(failed: str, *command: str) -> None:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_INSTALL_S,
            check=False,
            env=os.environ | _OFFLINE_ENV,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerUnavailable(f"{failed}: {type(error).__name__}") from error
    if done.returncode:
        print(done.stderr.strip(), file=sys.stderr)
        raise PeerUnavailable(f"{failed}: exit code {done.returncode}")
