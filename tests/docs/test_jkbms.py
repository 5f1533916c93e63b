"""The page of the JK driver says what the code does, and its sites can be used as they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from holdfast.app import FAMILIES
from holdfast.drivers.jkbms import options as jkbms
from holdfast.drivers.jkbms.counters import JkCounters
from holdfast.errors import ConfigurationError
from holdfast.hub.site.failover import FAILOVER_KEYS
from holdfast.hub.site.read import read_site
from holdfast.hub.site.secret import SecretSource
from holdfast.model import Adapter, Device
from tests.cli.house import run
from tests.docs.made import ROOT
from tests.docs.test_made import codes, page, rows, section
from tests.docs.test_pages import fences

if TYPE_CHECKING:
    from holdfast.hub.site.spec import SiteSpec

PAGE = "docs/jkbms.md"
pytestmark = pytest.mark.blocking_allowed


def site(example: str) -> SiteSpec:
    """A site that a page shows."""
    mapping: dict[str, Any] = YAML(typ="safe").load(example)
    return read_site(mapping, FAMILIES, secrets=SecretSource(), source="page")


def examples(name: str) -> list[str]:
    """The sites of a page that have batteries in them."""
    return [each for each in fences(Path(ROOT, name), "yaml") if "jkbms" in each]


def test_a_pack_with_three_ways() -> None:
    spec = site(examples(PAGE)[0])
    (pack,) = spec.devices
    assert [each.endpoint.scheme for each in pack.drivers] == ["tcp", "serial", "ble"]
    assert [each.members for each in pack.drivers] == [{"0", "1"}, {"0", "1"}, {"0"}]


def test_two_packs_behind_one_gateway() -> None:
    """They share its endpoint and no battery."""
    spec = site(examples(PAGE)[1])
    (east,), (west,) = (each.drivers for each in spec.devices)
    assert east.endpoint == west.endpoint
    assert not east.members & west.members
    assert len(examples(PAGE)) == 2


def test_check_accepts_the_sites(tmp_path: Path) -> None:
    """And says what is wrong with one, with its line."""
    path = tmp_path / "site.yaml"
    path.write_text(examples(PAGE)[1])
    checked = run("check", str(path))
    assert (checked.code, checked.out.startswith(f"{path} is fine: 2 devices, ")) == (0, True)
    path.write_text(examples(PAGE)[1].replace("4: west front", "16: west front"))
    refused = run("check", str(path))
    assert refused.code == 2
    assert "16 is not a bus address" in refused.err
    assert "line 8" in refused.err or ":8" in refused.err


def test_the_readme_has_a_pack() -> None:
    (example,) = examples("README.md")
    (pack,) = site(example).devices
    assert [each.endpoint.scheme for each in pack.drivers] == ["tcp", "serial"]
    assert pack.device.id == "pack-1"


def test_options_are_told_with_their_defaults() -> None:
    """All of them, and no more; the numbers are those of the constants."""
    told = {row[0].strip("`"): row[1:] for row in rows(section(PAGE, "Options")) if row[0].startswith("`")}
    device = Device(id="pack", name="Pack", adapters=())
    adapter = Adapter(id="bus", driver="jkbms", url="tcp://gateway", options={"nothing": 1})
    with pytest.raises(ConfigurationError) as caught:
        jkbms.parse_options(device, adapter)
    known = set(caught.value.advice.partition("known: ")[2].split(", "))
    assert {each for each in told if "." not in each} == known
    for key, value in (
        ("stale_after_s", jkbms.STALE_AFTER_S),
        ("discovery_grace_s", jkbms.DISCOVERY_GRACE_S),
        ("poll_every_s", jkbms.POLL_EVERY_S),
    ):
        assert told[key][-1] == f"{value:g}"
    assert f"{jkbms.LEAST_STALE_S:g} to {jkbms.HIGHEST_S:g} s" in told["stale_after_s"][0]
    assert f"1 to {jkbms.MOST_ADDRESS + 1}" in told["minimum_members"][0]
    assert set(FAILOVER_KEYS) <= codes(section(PAGE, "Options"))
    assert f"port {jkbms.PORT} if left out" in page(PAGE)


def test_every_counter_is_told() -> None:
    told = {
        row[0].strip("`") for row in rows(section(PAGE, "Troubleshooting")) if re.fullmatch(r"`\w+`", row[0])
    }
    assert told == set(JkCounters().as_dict())


@pytest.mark.parametrize("url", ["tcp://gateway", "serial:///dev/ttyUSB0", "ble://AA:BB:CC:DD:EE:FF"])
def test_every_way_is_told(url: str) -> None:
    scheme = url.partition("://")[0]
    told = [row[0] for row in rows(section(PAGE, "Ways to a pack")) if f"`{scheme}://" in row[0]]
    assert len(told) == 1
    adapter = Adapter(id="a", driver="jkbms", url=url, options={"battery": 0} if scheme == "ble" else {})
    device = Device(id="pack", name="Pack", adapters=(adapter,))
    assert jkbms.parse_options(device, adapter).members == ({"0"} if scheme == "ble" else frozenset())


def test_the_silence_of_active_polling_is_that_of_the_code() -> None:
    from holdfast.drivers.jkbms.codec import PROOF_S

    assert re.search(rf"silent for {PROOF_S:g} s\b", page(PAGE))
