"""The pages are right: their links lead somewhere, and their examples can be read."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

_ROOT = Path(__file__).resolve().parents[2]
_PAGES = sorted([*_ROOT.glob("*.md"), *_ROOT.glob("docs/**/*.md")])


def fences(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.relative_to(_ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link and picture of a page exists."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" not in target and not target.startswith("#"):
            assert (page.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.relative_to(_ROOT).as_posix())
def test_examples_can_be_read(page: Path) -> None:
    """Python examples compile, YAML examples load."""
    for example in fences(page, "python"):
        ast.parse(example)
    for example in fences(page, "yaml"):
        assert YAML(typ="safe").load(example)


def test_the_readme_has_a_site_of_ten_lines() -> None:
    """The first site file that a reader meets is as short as promised."""
    example = fences(_ROOT / "README.md", "yaml")[0]
    assert len(example.splitlines()) == 10
    assert YAML(typ="safe").load(example)["devices"][0]["id"] == "house"
