"""Real servers that some tests start for themselves."""

from __future__ import annotations

import os
import shutil

import pytest

# Where Debian puts servers; an ordinary user's PATH may lack it.
_ALSO_IN = "/usr/local/sbin:/usr/sbin:/sbin"


def needs_server(program: str) -> str:
    """Return the path of `program`; without it the test is skipped, but under `CI` it fails.

    A skip in CI would look like a pass, and nobody would notice that the test never ran.
    """
    path = shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), _ALSO_IN]))
    if path is not None:
        return path
    if os.environ.get("CI"):
        pytest.fail(f"{program} is not installed, and CI may not skip this test", pytrace=False)
    pytest.skip(f"{program} is not installed")
