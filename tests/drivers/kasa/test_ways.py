"""The ways to a plug, there and back through the real library's descriptions."""

from __future__ import annotations

import subprocess
import sys

import kasa
import pytest

from holdfast.drivers.kasa.library import load_library
from holdfast.drivers.kasa.options import KasaOptions
from holdfast.drivers.kasa.ways import Kind, Way, candidates, config_of, objection, shape_objection, way_of

LIBRARY = load_library()
ALL = candidates(Kind.AUTO, "plug", 8080)


@pytest.mark.parametrize("way", [*ALL, Way("plug", http_port=4433)])
def test_there_and_back(way: Way) -> None:
    """Nothing of a way is lost in the library's own words."""
    config = config_of(LIBRARY, way, KasaOptions(host="plug"))
    assert way_of(config) == way
    assert config.timeout == 3
    assert objection(way.family, way.encryption) is None


def test_the_login_goes_along() -> None:
    """Credentials, or a hash, or nothing."""
    way = ALL[1]
    assert config_of(LIBRARY, way, KasaOptions(host="p")).credentials is None
    config = config_of(LIBRARY, way, KasaOptions(host="p", username="me", password="secret"))
    assert config.credentials == kasa.Credentials("me", "secret")
    assert config_of(LIBRARY, way, KasaOptions(host="p", credentials_hash="abc")).credentials_hash == "abc"


def test_kinds() -> None:
    """What an owner calls them; auto knows them all, the likeliest first."""
    assert [way.kind for way in ALL] == [Kind.LEGACY, Kind.KLAP, Kind.SMART, Kind.KLAP, Kind.SMART]
    assert candidates(Kind.LEGACY, "p", None) == (Way("p"),)
    assert {way.kind for way in candidates(Kind.KLAP, "p", None)} == {Kind.KLAP}
    assert {way.is_https for way in candidates(Kind.SMART, "p", None)} == {True, False}
    assert Way("p").at("q").host == "q"


@pytest.mark.parametrize(("family", "encryption"), [("SMART.TAPOPLUG", "AES"), ("IOT.SMARTPLUGSWITCH", "")])
def test_schemes_that_are_not_spoken(family: str, encryption: str) -> None:
    """Told with what re-opens the door."""
    why = objection(family, encryption)
    assert why is not None
    assert "Compatibility" in why.advice


@pytest.mark.parametrize("family", ["SMART.TAPOBULB", ""])
def test_families_that_are_no_plugs(family: str) -> None:
    """Told as what they are."""
    why = objection(family, "KLAP")
    assert why is not None
    assert "not a plug" in why.text


def test_shapes() -> None:
    """One relay, no dimmer."""
    assert shape_objection("plug") is None
    for shape in ("strip", "dimmer", ""):
        assert shape_objection(shape) is not None


def test_the_library_is_not_imported_before_it_is_needed() -> None:
    """Whoever has no plug neither pays for it nor needs it."""
    code = "import sys, holdfast.drivers.kasa.driver; sys.exit('kasa' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 0
