"""What a site file may say about a plug, and what it is told otherwise."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.drivers.kasa.driver import KASA
from holdfast.drivers.kasa.library import load_library
from holdfast.drivers.kasa.options import KasaOptions, parse_options, plain_mac
from holdfast.drivers.kasa.ways import Kind
from holdfast.errors import ConfigurationError
from tests.drivers.kasa.bench import plug_device


def parsed(url: str = "kasa://plug", **more: Any) -> KasaOptions:
    """The options of a plug."""
    device = plug_device(url=url, **more)
    return parse_options(device, device.adapters[0])


def test_an_address_alone_is_enough() -> None:
    """All else has a default that suits."""
    options = parsed()
    assert (options.host, options.port, options.kind, options.dead_man_s) == ("plug", None, Kind.AUTO, 0.0)
    assert options.expects_energy is None
    assert not options.must_end_off
    assert options.address == "plug"


def test_everything_can_be_said() -> None:
    """With the device or with the adapter, which wins."""
    options = parsed(
        "kasa://[::1]:8080/",
        username="me",
        password="secret",
        options={
            "kind": "smart",
            "dead_man_s": 600,
            "expects_energy": False,
            "mac": "aabb.cc00.0001".replace(".", ""),
        },
    )
    assert options.address == "[::1]:8080"
    assert options.kind is Kind.SMART
    assert options.mac == "AA:BB:CC:00:00:01"
    assert options.expects_energy is False
    assert "secret" not in repr(options)
    assert parsed(options={"fail_safe": False}).must_end_off


def test_a_password_may_be_a_stored_hash() -> None:
    """The hash takes the place of the login."""
    options = parsed(username="me", password="hash:c2VjcmV0")
    assert (options.username, options.password, options.credentials_hash) == ("", "", "c2VjcmV0")
    assert "c2VjcmV0" not in repr(options)


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("", "missing"),
        ("tcp://plug", "not the address"),
        ("kasa://", "not the address"),
        ("kasa://plug/more", "not the address"),
        ("kasa://plug:0", "port 0"),
        ("kasa://plug:99999", "not an address"),
        ("kasa://me:secret@plug", "login"),
    ],
)
def test_addresses_that_lead_nowhere(url: str, word: str) -> None:
    """Said with the path to the place, and without the secret."""
    with pytest.raises(ConfigurationError, match=word) as caught:
        parsed(url)
    assert caught.value.path == ("url",)
    assert "secret" not in caught.value.text


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "old"},
        {"mac": "AA:BB"},
        {"mac": 7},
        {"dead_man_s": 1},
        {"dead_man_s": -1},
        {"dead_man_s": 1e9},
        {"expects_energy": "yes"},
        {"fail_safe": True},
        {"unheard": 1},
    ],
)
def test_options_that_cannot_work(options: dict[str, object]) -> None:
    """Each is refused by its name."""
    with pytest.raises(ConfigurationError) as caught:
        parsed(options=options)
    assert caught.value.path[-1] == next(iter(options))
    assert caught.value.advice


def owned(seconds: float, **options: object) -> KasaOptions:
    """The options of a plug that a controller owns."""
    device = replace(plug_device(options=options), owned={"switch": seconds})
    return parse_options(device, device.adapters[0])


def test_a_plug_that_a_controller_owns_must_end_off() -> None:
    """It keeps its own timer wound up for as long as the controller says, as near as a plug can come to that."""
    assert (owned(600.0).must_end_off, owned(600.0).dead_man_s) == (True, 600.0)
    assert owned(1.0).dead_man_s == 3.0
    assert owned(86400.0).dead_man_s == 7200.0
    assert (owned(0.0).must_end_off, owned(0.0).dead_man_s) == (True, 0.0)
    other = replace(plug_device(), owned={"led": 600.0})
    assert parse_options(other, other.adapters[0]).dead_man_s == 0.0


def test_the_site_s_own_dead_man_wins() -> None:
    """Also where it says that there is to be none."""
    assert owned(600.0, dead_man_s=60).dead_man_s == 60.0
    assert (owned(600.0, dead_man_s=0).dead_man_s, owned(600.0, dead_man_s=0).must_end_off) == (0.0, True)


def test_what_is_remembered_belongs_to_what_the_site_says() -> None:
    """Address, port and kind; neither login nor anything else."""
    assert parsed("kasa://plug:81", options={"kind": "klap"}).told == "plug:81 klap"
    assert parsed(username="me", options={"dead_man_s": 60}).told == "plug auto"


@given(st.text())
def test_a_hardware_address_is_one_or_nothing(text: str) -> None:
    """However written; never half of one."""
    assert len(plain_mac(text)) in (0, 17)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not before a site file names a plug."""
    monkeypatch.setitem(sys.modules, "kasa", None)
    with pytest.raises(ConfigurationError, match="extra 'kasa'") as caught:
        load_library()
    assert "holdfast[kasa]" in caught.value.advice
    device = plug_device()
    with pytest.raises(ConfigurationError, match="extra"):
        KASA.prepare(device, device.adapters[0])


def test_a_plug_has_no_outputs() -> None:
    """They would be ignored, and be missed later."""
    device = replace(plug_device(), outputs={"lamp": {"kind": "light"}})
    with pytest.raises(ConfigurationError, match="no outputs") as raised:
        parse_options(device, device.adapters[0])
    assert raised.value.path == ("outputs",)
