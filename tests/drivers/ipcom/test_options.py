"""What a site file may say, and the words for everything it may not."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.drivers.ipcom.options import parse_options
from holdfast.drivers.ipcom.wiring import Cover, ModuleKind, ModuleType, Output, OutputKind, Place
from holdfast.errors import ConfigurationError
from tests.drivers.ipcom.homes import BLIND, HOUSE, MODULES, device, options

LAMP = {"kind": "light", "module": 1, "output": 1}


def test_defaults() -> None:
    """The values of the vendor's app and of design.md."""
    made = options({})
    assert (made.host, made.port, made.address) == ("192.0.2.1", 5000, "192.0.2.1:5000")
    assert (made.username, made.password) == ("me", "secret")
    assert (made.bus, made.base_address, made.login_bus, made.login_lock) == (2, 60, 1, 0)
    assert (made.poll_s, made.keepalive_s, made.bus_latency_s, made.dead_time_s) == (0.35, 30.0, 1.0, 0.5)
    assert (made.dial_s, made.login_first_s, made.login_s) == (3.0, 0.5, 1.0)
    assert made.plausibility
    assert not made.allow_plain
    assert made.restores_level
    assert (made.outputs, made.covers) == ((), ())
    assert "secret" not in repr(made)
    assert "me" not in repr(made).replace("name", "").replace("time", "").split("'")


def test_a_whole_house() -> None:
    """Everything that can be said."""
    made = options(
        {**HOUSE, "lamp": {**LAMP, "output": 5, "aliases": ["LAMP_1"]}, "blind": {**BLIND, "maximum_run_s": 45}},
        bus=0, base_address=30, plausibility=False, poll_s=0.5, login_bus=2, login_lock=1, bus_latency_s=2,
        dead_time_s=1.5, dimmer_on="full", keepalive_s=0, adapter={"options": {"allow_plain": True, "login_s": 4}},
    )  # fmt: skip
    assert (made.bus, made.base_address, made.plausibility, made.poll_s) == (0, 30, False, 0.5)
    assert (made.login_bus, made.login_lock, made.bus_latency_s, made.dead_time_s) == (2, 1, 2.0, 1.5)
    assert (made.allow_plain, made.login_first_s, made.login_s) == (True, 4.0, 4.0)
    assert (made.restores_level, made.keepalive_s) == (False, 0.0)
    by_key = {output.key: output for output in made.outputs}
    assert by_key["kitchen"] == Output(
        key="kitchen", name="Kitchen", kind=OutputKind.LIGHT, place=Place(1, 1)
    )
    assert by_key["pump"].must_end_off
    assert by_key["salon"].module == ModuleType(ModuleKind.DIMMER, 100)
    assert by_key["salon"].name == "salon"
    assert by_key["hall"].module == ModuleType(ModuleKind.DIMMER, 255)
    assert by_key["lamp"].aliases == ("LAMP_1",)
    assert made.covers[0] == Cover(
        key="blind", name="blind", up=Place(5, 8), down=Place(5, 7), maximum_run_s=45.0
    )
    assert made.module(9) == ModuleType(ModuleKind.RELAY)


def test_module_numbers_may_be_texts() -> None:
    """A store keeps keys as text."""
    assert options({}, modules={"6": {"kind": "dimmer", "scale": 255}}).module(6).scale == 255


def test_an_adapter_wins_over_its_device() -> None:
    """A forwarded port needs more patience than the rest."""
    assert options({}, login_s=2, adapter={"options": {"login_s": 5}}).login_s == 5.0


@pytest.mark.parametrize(
    ("url", "host", "port", "address"),
    [
        ("tcp://controller", "controller", 5000, "controller:5000"),
        ("tcp://controller:6000/", "controller", 6000, "controller:6000"),
        ("tcp://[::1]", "::1", 5000, "[::1]:5000"),
        ("tcp://[2001:db8::5]:7000", "2001:db8::5", 7000, "[2001:db8::5]:7000"),
    ],
)
def test_addresses(url: str, host: str, port: int, address: str) -> None:
    """Names, both kinds of IP addresses, with and without a port."""
    made = options({}, adapter={"url": url})
    assert (made.host, made.port, made.address) == (host, port, address)


def test_serial_number_goes_before_the_user_name() -> None:
    """TriCom devices reached from outside."""
    assert options({}, serial="TC12").username == "TC12me"


ADAPTER_FAULTS: list[tuple[dict[str, Any], str, tuple[str | int, ...]]] = [
    ({"url": ""}, "the address is missing", ("url",)),
    ({"url": "192.0.2.1"}, "'192.0.2.1' is not the address of a controller", ("url",)),
    ({"url": "http://192.0.2.1"}, "is not the address of a controller", ("url",)),
    ({"url": "tcp://"}, "is not the address of a controller", ("url",)),
    ({"url": "tcp://host/path"}, "is not the address of a controller", ("url",)),
    ({"url": "tcp://host?x=1"}, "is not the address of a controller", ("url",)),
    ({"url": "tcp://host#x"}, "is not the address of a controller", ("url",)),
    ({"url": "tcp://host:99999"}, "is not an address", ("url",)),
    ({"url": "tcp://[::1"}, "is not an address", ("url",)),
    ({"url": "tcp://host:0"}, "port 0 cannot be dialled", ("url",)),
    ({"url": "tcp://me:secret@host"}, "this address holds a login", ("url",)),
    ({"username": ""}, "the user name is missing", ("username",)),
    ({"username": "é" * 11}, "the user name has 22 bytes, and only 21 fit", ("username",)),
    ({"password": "p" * 23}, "the password has 23 bytes, and only 22 fit", ("password",)),
    (
        {"options": {"serial": "1234567890123456789X"}},
        "the serial number and the user name have 22 bytes, and only 21 fit",
        ("username",),
    ),
    ({"options": {"login_s": 0}}, "login_s 0 is out of range", ("adapters", "lan", "login_s")),
    ({"options": {"alow_plain": True}}, "'alow_plain' means nothing here", ("adapters", "lan", "alow_plain")),
]


@pytest.mark.parametrize(("adapter", "text", "path"), ADAPTER_FAULTS)
def test_adapter_faults(adapter: dict[str, Any], text: str, path: tuple[str | int, ...]) -> None:
    """Each with its words, advice, and place."""
    with pytest.raises(ConfigurationError) as caught:
        options({}, adapter=adapter)
    assert text in caught.value.text
    assert caught.value.path == path
    assert caught.value.advice
    assert "secret" not in caught.value.text + caught.value.advice


OPTION_FAULTS: list[tuple[dict[str, Any], str, tuple[str | int, ...], str]] = [
    ({"pol_s": 1}, "'pol_s' means nothing here", ("options", "pol_s"), "did you mean 'poll_s'?"),
    ({"zzz": 1}, "'zzz' means nothing here", ("options", "zzz"), "known: allow_plain, "),
    ({"bus": 256}, "bus 256 is out of range", ("options", "bus"), "0 to 255"),
    ({"bus": "2"}, "'2' is not a whole number", ("options", "bus"), "0 to 255"),
    ({"bus": True}, "True is not a whole number", ("options", "bus"), "0 to 255"),
    ({"base_address": 241}, "base_address 241 is out of range", ("options", "base_address"), "0 to 240"),
    ({"poll_s": 0.8}, "poll_s 0.8 is out of range", ("options", "poll_s"), "0.1 to 0.7"),
    ({"poll_s": "fast"}, "'fast' is not a number", ("options", "poll_s"), "seconds from"),
    ({"poll_s": True}, "True is not a number", ("options", "poll_s"), "seconds from"),
    (
        {"dead_time_s": float("nan")},
        "dead_time_s nan is out of range",
        ("options", "dead_time_s"),
        "0.1 to 60",
    ),
    ({"dead_time_s": 0}, "dead_time_s 0 is out of range", ("options", "dead_time_s"), "0.1 to 60"),
    ({"keepalive_s": 0.5}, "keepalive_s 0.5 is out of range", ("options", "keepalive_s"), "use 0 for none"),
    ({"plausibility": "no"}, "'no' is neither true nor false", ("options", "plausibility"), "true or false"),
    ({"dimmer_on": "lest"}, "'lest' is no dimmer_on", ("options", "dimmer_on"), "did you mean 'last'?"),
    ({"serial": 12}, "12 is not text", ("options", "serial"), "quotes"),
    ({"modules": [6]}, "[6] is not a mapping", ("options", "modules"), "keys and values"),
    ({"modules": {17: {"kind": "relay"}}}, "17 is no module", ("options", "modules", 17), "1 to 16"),
    ({"modules": {"x": {}}}, "'x' is no module", ("options", "modules", "x"), "1 to 16"),
    ({"modules": {True: {}}}, "True is no module", ("options", "modules", True), "1 to 16"),
    (
        {"modules": {6: {"kind": "relay"}, "6": {"kind": "relay"}}},
        "module 6 is described twice",
        ("options", "modules", "6"),
        "keep one",
    ),
    ({"modules": {6: "dimmer"}}, "'dimmer' is not a mapping", ("options", "modules", 6), "keys and values"),
    ({"modules": {6: {}}}, "'kind' is missing", ("options", "modules", 6), "relay, dimmer, shutter"),
    (
        {"modules": {6: {"kind": "dimer"}}},
        "'dimer' is no kind",
        ("options", "modules", 6, "kind"),
        "'dimmer'?",
    ),
    (
        {"modules": {6: {"kind": "relay", "scale": 100}}},
        "only dimmers have a scale",
        ("options", "modules", 6, "scale"),
        "kind: dimmer",
    ),
    (
        {"modules": {6: {"kind": "dimmer", "scale": 50}}},
        "50 is no scale",
        ("options", "modules", 6, "scale"),
        "100 or 255",
    ),
    (
        {"modules": {6: {"kind": "dimmer", "color": 1}}},
        "'color' means nothing here",
        ("options", "modules", 6, "color"),
        "known: kind, scale",
    ),
]


@pytest.mark.parametrize(("given", "text", "path", "advice"), OPTION_FAULTS)
def test_option_faults(given: dict[str, Any], text: str, path: tuple[str | int, ...], advice: str) -> None:
    """Each with its words, advice, and place."""
    with pytest.raises(ConfigurationError) as caught:
        options({}, **{"modules": MODULES, **given})
    assert text in caught.value.text
    assert advice in caught.value.advice
    assert caught.value.path == path


BOTH = {"kind": "cover", "up": {"module": 5, "output": 8}, "down": {"module": 5, "output": 8}}
ONLY_UP = {"kind": "cover", "up": {"module": 5, "output": 8}}
OUTPUT_FAULTS: list[tuple[dict[Any, Any], str, tuple[str | int, ...], str]] = [
    ({"a": LAMP, "b": LAMP}, "module 1 output 1 is already a", ("outputs", "b", "output"), "one name"),
    (
        {"a": LAMP, "c": {**BLIND, "up": {"module": 1, "output": 1}}},
        "is already a",
        ("outputs", "c", "up", "output"),
        "",
    ),
    ({"c": BOTH}, "both relays are module 5 output 8", ("outputs", "c", "down", "output"), "one purpose"),
    ({"c": ONLY_UP}, "the cover has no 'down'", ("outputs", "c"), "needs both up and down"),
    ({"c": {"kind": "cover"}}, "the cover has no 'up'", ("outputs", "c"), "needs both up and down"),
    ({"c": {**BLIND, "up": 8}}, "8 is not a mapping", ("outputs", "c", "up"), ""),
    ({"c": {**BLIND, "up": {"module": 5}}}, "'output' is missing", ("outputs", "c", "up"), "1 to 8"),
    (
        {"c": {**BLIND, "up": {"module": 5, "output": 8, "x": 1}}},
        "'x' means nothing here",
        ("outputs", "c", "up", "x"),
        "known: module, output",
    ),
    (
        {"c": {**BLIND, "down": {"module": 6, "output": 1}}},
        "module 6 is a dimmer module and cannot drive a motor",
        ("outputs", "c", "down", "module"),
        "relay or shutter",
    ),
    ({"c": {**BLIND, "module": 5}}, "a cover has two outputs", ("outputs", "c", "module"), "write up:"),
    (
        {"c": {**BLIND, "fail_safe": False}},
        "a cover has no fail-safe",
        ("outputs", "c", "fail_safe"),
        "maximum_run_s",
    ),
    (
        {"c": {**BLIND, "maximum_run_s": 0}},
        "maximum_run_s 0 is out of range",
        ("outputs", "c", "maximum_run_s"),
        "",
    ),
    (
        {"c": {**BLIND, "colour": 1}},
        "'colour' means nothing here",
        ("outputs", "c", "colour"),
        "known: kind, up",
    ),
    ({"a": {**LAMP, "module": 17}}, "module 17 is out of range", ("outputs", "a", "module"), "1 to 16"),
    ({"a": {**LAMP, "output": 9}}, "output 9 is out of range", ("outputs", "a", "output"), "1 to 8"),
    ({"a": {**LAMP, "output": "1"}}, "'1' is not a whole number", ("outputs", "a", "output"), "1 to 8"),
    ({"a": {"kind": "light", "output": 1}}, "'module' is missing", ("outputs", "a"), "1 to 16"),
    (
        {"a": {"module": 1, "output": 1}},
        "'kind' is missing",
        ("outputs", "a"),
        "light, switch, dimmer, cover",
    ),
    (
        {"a": {**LAMP, "kind": "lihgt"}},
        "'lihgt' is no kind",
        ("outputs", "a", "kind"),
        "did you mean 'light'?",
    ),
    ({"a": {**LAMP, "moduel": 1}}, "'moduel' means nothing here", ("outputs", "a", "moduel"), "'module'?"),
    ({"a": {**LAMP, "up": {}}}, "only covers have 'up'", ("outputs", "a", "up"), "kind: cover"),
    ({"a": {**LAMP, "name": 5}}, "5 is not text", ("outputs", "a", "name"), "quotes"),
    (
        {"a": {**LAMP, "fail_safe": True}},
        "True is no fail-safe value",
        ("outputs", "a", "fail_safe"),
        "use false",
    ),
    (
        {"a": {**LAMP, "kind": "dimmer"}},
        "module 1 is a relay module and cannot dim",
        ("outputs", "a", "kind"),
        "modules:",
    ),
    ({"a": {**LAMP, "aliases": "x"}}, "'x' is not a list", ("outputs", "a", "aliases"), "list of names"),
    ({"a": {**LAMP, "aliases": [1]}}, "1 is not a name", ("outputs", "a", "aliases"), "list of names"),
    (
        {"a": LAMP, "b": {**LAMP, "output": 2, "aliases": ["a"]}},
        "'a' already means 'a'",
        ("outputs", "b", "aliases"),
        "one output",
    ),
    ({"A b": LAMP}, "'A b' cannot be a name", ("outputs", "A b"), "a-z"),
    ({5: LAMP}, "5 cannot be a name", ("outputs", 5), "a-z"),
    ({"a": "x" * 50}, "is not a mapping", ("outputs", "a"), "keys and values"),
]


@pytest.mark.parametrize(("outputs", "text", "path", "advice"), OUTPUT_FAULTS)
def test_output_faults(outputs: dict[Any, Any], text: str, path: tuple[str | int, ...], advice: str) -> None:
    """Each with its words, advice, and place."""
    with pytest.raises(ConfigurationError) as caught:
        options(outputs)
    assert text in caught.value.text
    assert advice in caught.value.advice
    assert caught.value.path == path
    assert len(caught.value.text) < 120


def test_it_reads_and_changes_nothing() -> None:
    """Parsing twice gives the same."""
    home = device()
    assert parse_options(home, home.adapters[0]) == parse_options(home, home.adapters[0])
