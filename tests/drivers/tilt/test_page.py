"""The page of the Tilt driver says what the code does, and its sites can be used as they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from holdfast.drivers.tilt import options
from holdfast.drivers.tilt.codec import COLOURS
from holdfast.drivers.tilt.driver import TILT
from holdfast.hub.site.read import read_site
from holdfast.hub.site.secret import SecretSource

PAGE = Path(__file__).parents[3] / "docs" / "tilt.md"
pytestmark = pytest.mark.blocking_allowed


def test_the_sites_can_be_used() -> None:
    sites = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(sites) == 2
    for text in sites:
        mapping: dict[str, Any] = YAML(typ="safe").load(text)
        spec = read_site(mapping, {"tilt": TILT}, secrets=SecretSource(), source="page")
        assert str(spec.devices[0].drivers[0].endpoint) == "ble://adverts"


def test_every_option_and_colour_is_told() -> None:
    """With its limits."""
    text = PAGE.read_text(encoding="utf-8")
    told = re.findall(r"^\| `(\w+)` \|", text.partition("## Options")[2], re.MULTILINE)
    assert sorted(told) == sorted(options._OPTIONS)
    assert all(f"`{colour}`" in text for colour in COLOURS)
    assert f"{options.LEAST_STALE_S:g} to {options.MOST_STALE_S:g} s | {options.STALE_AFTER_S:g} |" in text
