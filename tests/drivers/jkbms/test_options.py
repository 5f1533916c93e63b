"""What a site file may say of a pack, and the words for everything it may not."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from holdfast.app import FAMILIES
from holdfast.drivers.jkbms.driver import JKBMS
from holdfast.drivers.jkbms.options import JkOptions, parse_options
from holdfast.errors import ConfigurationError
from holdfast.hub.site.problems import SiteError
from holdfast.hub.site.read import read_site
from holdfast.hub.site.secret import SecretSource
from holdfast.link.driver import Driver, Trait
from holdfast.link.session import Endpoint
from holdfast.model import Adapter, Device
from holdfast.transports.ble import BleAddress
from holdfast.transports.serial import SerialPort

TCP = "tcp://192.0.2.60:8899"
BLE = "ble://AA:BB:CC:DD:EE:FF"
USB = "serial:///dev/ttyUSB0"
TWO = {0: "front", 1: "back"}


def device(url: str = TCP, adapter: dict[str, Any] | None = None, **options: Any) -> Device:
    """A pack with one adapter."""
    way = Adapter(id="way", driver="jkbms", url=url, options=adapter or {})
    return Device(id="pack", name="Pack", adapters=(way,), options=options)


def parsed(url: str = TCP, adapter: dict[str, Any] | None = None, **options: Any) -> JkOptions:
    """Its options."""
    made = device(url, adapter, **options)
    return parse_options(made, made.adapters[0])


def prepared(url: str = TCP, adapter: dict[str, Any] | None = None, **options: Any) -> Driver:
    """Its driver."""
    made = device(url, adapter, **options)
    return JKBMS.prepare(made, made.adapters[0])


def test_defaults() -> None:
    """The values of design.md section 4 and of the fact sheet."""
    made = parsed("tcp://192.0.2.60")
    assert str(made.where) == "192.0.2.60:8899"
    assert (made.stale_after_s, made.discovery_grace_s, made.minimum_members) == (30.0, 60.0, None)
    assert (made.polling, made.poll_every_s, made.batteries, made.battery) == (False, 5.0, {}, "")
    assert made.members == frozenset()
    assert made.name_of("3") == "battery 3"


def test_a_whole_pack() -> None:
    """Everything that can be said of one on a bus."""
    made = parsed(
        batteries=TWO,
        stale_after_s=60,
        discovery_grace_s=20,
        minimum_members=1,
        polling=True,
        poll_every_s=20,
    )
    assert made.batteries == {"0": "front", "1": "back"}
    assert made.members == {"0", "1"}
    assert (made.name_of("1"), made.name_of("2")) == ("back", "battery 2")
    assert (made.stale_after_s, made.discovery_grace_s, made.minimum_members) == (60.0, 20.0, 1)
    assert (made.polling, made.poll_every_s) == (True, 20.0)


def test_an_adapters_option_wins() -> None:
    """It may stand with the device, for all of its adapters, or with one of them."""
    made = parsed(adapter={"stale_after_s": 45, "batteries": {2: "shed"}}, stale_after_s=20, batteries=TWO)
    assert (made.stale_after_s, made.members) == (45.0, frozenset({"2"}))


def test_addresses_may_be_texts() -> None:
    """A store keeps keys as text."""
    assert parsed(batteries={"0": "front", "15": "back"}).members == {"0", "15"}


def test_paths() -> None:
    """Three ways to the same batteries."""
    assert parsed(f"{USB}?baudrate=9600").where == SerialPort("/dev/ttyUSB0", 9600)
    made = parsed(BLE, {"battery": 1}, batteries=TWO)
    assert made.where == BleAddress("AA:BB:CC:DD:EE:FF")
    assert (made.battery, made.members, made.name_of("1")) == ("1", frozenset({"1"}), "back")


@pytest.mark.parametrize(
    ("url", "adapter", "endpoint"),
    [
        ("tcp://192.0.2.60", {}, Endpoint("tcp", "192.0.2.60:8899", "192.0.2.60")),
        (f"{USB}?baudrate=115200", {}, Endpoint("serial", "/dev/ttyUSB0")),
        (USB, {}, Endpoint("serial", "/dev/ttyUSB0")),
        ("ble://aabbccddeeff", {"battery": 0}, Endpoint("ble", "AA:BB:CC:DD:EE:FF", "bluetooth")),
    ],
)
def test_one_path_has_one_name(url: str, adapter: dict[str, Any], endpoint: Endpoint) -> None:
    """However it is spelled: packs behind one gateway share its one connection."""
    assert prepared(url, adapter).endpoint == endpoint


def test_what_each_kind_is() -> None:
    """Traits, members and polls follow from the options."""
    listening, asking = prepared(batteries=TWO), prepared(batteries=TWO, polling=True)
    radio, curious = prepared(BLE, {"battery": 1}), prepared()
    assert listening.traits == curious.traits == Trait.PASSIVE | Trait.MEMBERS
    assert asking.traits == Trait.POLLED | Trait.MEMBERS
    assert radio.traits == Trait.PASSIVE | Trait.LIBRARY
    assert (listening.polls, radio.polls, listening.timing.ask_gap_s) == ([], [], 0.0)
    assert [poll.what for poll in asking.polls] == ["live:0", "live:1", "settings:0", "settings:1"]
    assert asking.timing.ask_gap_s >= 0.1
    assert (curious.takes_strangers, listening.takes_strangers, radio.takes_strangers) == (True, False, False)
    assert curious.capabilities == []
    assert radio.members == {"1"}
    assert radio.timing.dial_s > listening.timing.dial_s


@pytest.mark.parametrize(
    ("stale_after_s", "again_s"), [(15, 8.0), (24, 8.0), (27, 9.0), (30, 10.0), (3600, 10.0)]
)
def test_deadlines_follow_from_one(stale_after_s: int, again_s: float) -> None:
    """Reopened at half of it; after a reconnect a third of it, from 8 to 10 s (fact sheet section 13)."""
    timing = prepared(stale_after_s=stale_after_s, discovery_grace_s=42).timing
    assert timing.silence_s == stale_after_s / 2
    assert (timing.first_data_s, timing.first_data_again_s) == (42.0, again_s)


WRONG: list[tuple[str, dict[str, Any], str, tuple[object, ...]]] = [
    (TCP, {"stale_after_s": 14.9}, "out of range", ("options", "stale_after_s")),
    (TCP, {"stale_after_s": "30 s"}, "not a number", ("options", "stale_after_s")),
    (TCP, {"stale_after_s": float("nan")}, "out of range", ("options", "stale_after_s")),
    (TCP, {"discovery_grace_s": 0}, "out of range", ("options", "discovery_grace_s")),
    (TCP, {"minimum_members": 0}, "out of range", ("options", "minimum_members")),
    (TCP, {"minimum_members": 17}, "out of range", ("options", "minimum_members")),
    (TCP, {"polling": 1}, "neither true nor false", ("options", "polling")),
    (TCP, {"polling": True}, "whom to ask", ("options", "polling")),
    (
        TCP,
        {"polling": True, "batteries": TWO, "poll_every_s": 10.1},
        "out of range",
        ("options", "poll_every_s"),
    ),
    (TCP, {"poll_every_s": 0.5}, "out of range", ("options", "poll_every_s")),
    (TCP, {"battery": 1}, "only Bluetooth", ("options", "battery")),
    (TCP, {"batteries": ["front"]}, "not a mapping", ("options", "batteries")),
    (TCP, {"batteries": None}, "not a mapping", ("options", "batteries")),
    (TCP, {"batteries": {16: "far"}}, "not a bus address", ("options", "batteries", 16)),
    (TCP, {"batteries": {-1: "near"}}, "not a bus address", ("options", "batteries", -1)),
    (TCP, {"batteries": {True: "front"}}, "not a bus address", ("options", "batteries", True)),
    (TCP, {"batteries": {"first": "front"}}, "not a bus address", ("options", "batteries", "first")),
    (TCP, {"batteries": {"٣": "front"}}, "not a bus address", ("options", "batteries", "٣")),
    (TCP, {"batteries": {1.0: "front"}}, "not a bus address", ("options", "batteries", 1.0)),
    (TCP, {"batteries": {1: "front", "1": "back"}}, "twice", ("options", "batteries", "1")),
    (TCP, {"batteries": {"1": "front", "01": "back"}}, "twice", ("options", "batteries", "1")),
    (TCP, {"batteries": {1: ""}}, "not a name", ("options", "batteries", 1)),
    (TCP, {"batteries": {1: 7}}, "not a name", ("options", "batteries", 1)),
    (TCP, {"stale_after": 30}, "means nothing", ("options", "stale_after")),
    (BLE, {"polling": True, "battery": 1}, "never polled", ("options", "polling")),
    (BLE, {"battery": 2, "batteries": TWO}, "not among", ("options", "battery")),
    (BLE, {"battery": 16}, "out of range", ("options", "battery")),
    (BLE, {}, "missing", ("options",)),
    ("", {}, "address", ("url",)),
    ("nonsense", {}, "no way to a JK battery", ("url",)),
    ("udp://192.0.2.60", {}, "no way to a JK battery", ("url",)),
    ("tcp://", {}, "address", ("url",)),
    ("serial://ttyUSB0", {}, "two slashes", ("url",)),
    ("ble://red", {"battery": 1}, "not the address", ("url",)),
]


@pytest.mark.parametrize(("url", "options", "text", "path"), WRONG)
def test_what_is_wrong_is_told(
    url: str, options: dict[str, Any], text: str, path: tuple[object, ...]
) -> None:
    """With the place and with what would be right."""
    with pytest.raises(ConfigurationError, match=text) as caught:
        parsed(url, **options)
    assert caught.value.path == path
    assert caught.value.advice


def test_the_place_of_an_adapters_option() -> None:
    """What stands with an adapter is complained about there."""
    with pytest.raises(ConfigurationError) as caught:
        parsed(adapter={"stale_after_s": 1})
    assert caught.value.path == ("adapters", "way", "stale_after_s")
    with pytest.raises(ConfigurationError) as caught:
        parsed(adapter={"batteries": {99: "far"}})
    assert caught.value.path == ("adapters", "way", "batteries", 99)


@pytest.mark.parametrize(("url", "module", "extra"), [(USB, "serialx", "serial"), (BLE, "bleak", "ble")])
def test_a_missing_extra_is_told_when_the_site_is_read(
    monkeypatch: pytest.MonkeyPatch, url: str, module: str, extra: str
) -> None:
    """Not when the first connection is tried; a site over TCP needs neither."""
    monkeypatch.setitem(sys.modules, module, None)
    site = {
        "devices": [
            {
                "id": "pack-1",
                "name": "Pack",
                "adapters": [{"id": "way", "driver": "jkbms", "url": url, "battery": 1}],
            }
        ]
    }
    with pytest.raises(SiteError) as caught:
        read_site(site, FAMILIES, secrets=SecretSource())
    assert f"holdfast[{extra}]" in str(caught.value)
