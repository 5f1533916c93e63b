"""The repository keeps its word: one version, a base without packages, current requirements."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from holdfast._version import __version__

_ROOT = Path(__file__).resolve().parent.parent
_PROJECT = tomllib.loads((_ROOT / "pyproject.toml").read_text())
_BASE = ["model", "errors.py", "clock.py", "logs.py", "link", "transports", "drivers", "hub"]


def _pins() -> dict[str, str]:
    text = (_ROOT / "requirements" / "dev.txt").read_text()
    found = re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def test_version_has_one_source() -> None:
    """The installed package carries the version that the source states."""
    assert metadata.version("holdfast") == __version__
    assert _PROJECT["project"]["dynamic"] == ["version"]


def test_base_install_has_no_dependencies() -> None:
    """Installing Holdfast without an extra installs nothing else."""
    assert _PROJECT["project"]["dependencies"] == []
    unconditional = [text for text in metadata.requires("holdfast") or [] if "extra ==" not in text]
    assert unconditional == []


def test_base_imports_without_any_package() -> None:
    """Every module of the base rooms can be imported where nothing but the standard library exists."""
    source = _ROOT / "src"
    names = sorted(
        ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
        for room in _BASE
        for path in (source / "holdfast").glob(room if room.endswith(".py") else f"{room}/**/*.py")
        if path.name != "compose.py"  # reads YAML; imported only when a file is
    )
    assert len(names) >= len(_BASE)
    program = f"import sys; sys.path.insert(0, {str(source)!r})\n" + "".join(
        f"import {name}\n" for name in names
    )
    # -I and -S: no environment, no site-packages.
    done = subprocess.run([sys.executable, "-ISc", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_pins_satisfy_the_project() -> None:
    """requirements/dev.txt has an exact version, inside its range, for all that development needs."""
    project = _PROJECT["project"]
    wanted = [
        *_PROJECT["build-system"]["requires"],
        *_PROJECT["dependency-groups"]["dev"],
        *project["optional-dependencies"]["hub"],
        *project["optional-dependencies"]["fast"],
    ]
    pins = _pins()
    for text in wanted:
        requirement = Requirement(text)
        pinned = pins.get(canonicalize_name(requirement.name))
        assert pinned, f"{requirement.name} is not in requirements/dev.txt: run 'make lock'"
        assert pinned in requirement.specifier, f"{requirement} but pinned {pinned}: run 'make lock'"


def test_every_pin_has_hashes_and_no_address() -> None:
    """The compiled requirements can be checked byte for byte, and bind nobody to an index."""
    for path in sorted((_ROOT / "requirements").glob("*.txt")):
        text = path.read_text()
        assert not re.search(r"://|--index|--find-links", text), path.name
        for block in re.split(r"\n(?=\S)", text):
            if "==" in block.split("\n", 1)[0]:
                assert "--hash=sha256:" in block, f"{path.name}: {block[:60]}"
