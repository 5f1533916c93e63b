"""The earlier battery program's configuration, taken over: what is certain stands there, what is not is told."""

from __future__ import annotations

import copy
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.app import FAMILIES
from holdfast.hub.site import (
    SecretSource,
    SiteError,
    SiteSpec,
    dump_site,
    load_yaml,
    parse_yaml,
    read_site,
)
from holdfast.hub.site.earlier.plainly import masked, spelled_out
from holdfast.hub.site.earlier.solarhub import TABLES, Takeover, of_config, of_rows

DATA = Path(__file__).parents[3] / "data" / "solarhub"


@pytest.fixture(scope="module")
def config() -> Takeover:
    file = load_yaml(DATA / "config.yaml")
    return of_config(file.value, source="config.yaml", locate=file.locate)


@pytest.fixture(scope="module")
def tables() -> dict[str, list[dict[str, Any]]]:
    connection = sqlite3.connect(":memory:")
    connection.executescript((DATA / "database.sql").read_text())
    connection.row_factory = sqlite3.Row
    found = {
        name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")]  # noqa: S608
        for name in TABLES
    }
    connection.close()
    return found


@pytest.fixture(scope="module")
def database(tables: dict[str, list[dict[str, Any]]]) -> Takeover:
    return of_rows(tables)


def _read(mapping: dict[str, Any]) -> SiteSpec:
    return read_site(mapping, FAMILIES, secrets=SecretSource(environ={}))


def _told(takeover: Takeover) -> list[str]:
    return [each.rendered("earlier") for each in takeover.reports]


def _bank(*adapters: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"battery_banks": [{"id": "pack", "adapters": list(adapters), **more}]}


def _adapter(takeover: Takeover, number: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = takeover.mapping["devices"][0]["adapters"][number]
    return found


def _filled_in(takeover: Takeover) -> dict[str, Any]:
    """As a person would do it who follows the comments: only the batteries behind Bluetooth are required."""
    mapping = copy.deepcopy(takeover.mapping)
    for device in mapping["devices"]:
        radios = [each for each in device["adapters"] if each["url"].startswith("ble:")]
        for number, adapter in enumerate(radios):
            adapter["battery"] = number
    return mapping


# --- both samples ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", ["config", "database"])
def test_a_sample_becomes_a_site_once_the_comments_are_followed(
    sample: str, request: pytest.FixtureRequest
) -> None:
    """Before that only the batteries behind Bluetooth are missing; each has a comment, and so has each pack."""
    takeover: Takeover = request.getfixturevalue(sample)
    with pytest.raises(SiteError) as raised:
        _read(takeover.mapping)
    assert {each.text for each in raised.value.problems} == {"'battery' is missing"}
    for at, device in enumerate(takeover.mapping["devices"]):
        assert "bus address" in takeover.comments["devices", at]
        for number, adapter in enumerate(device["adapters"]):
            is_radio = adapter["url"].startswith("ble:")
            assert is_radio == ("battery: " in takeover.comments.get(("devices", at, "adapters", number), ""))
    text = dump_site(takeover.mapping, comments=takeover.comments)
    assert parse_yaml(text, "site.yaml").value == takeover.mapping
    spec = _read(_filled_in(takeover))
    assert len(spec.devices) == len(takeover.mapping["devices"])


@pytest.mark.parametrize("sample", ["config", "database"])
def test_no_secret_is_repeated(sample: str, request: pytest.FixtureRequest) -> None:
    takeover: Takeover = request.getfixturevalue(sample)
    everything = repr(takeover)
    for secret in ("424242", "inverter-word", "not-for-anyone"):
        assert secret not in everything
    assert "***" in everything


# --- config.yaml -------------------------------------------------------------------------------------------------


def test_banks_and_their_adapters_in_order(config: Takeover) -> None:
    cellar, barn, shed, single = config.mapping["devices"]
    assert config.mapping["site"] == {"id": "farm", "name": "The Farm", "timezone": "Europe/Brussels"}
    assert [(each["id"], each["url"]) for each in cellar["adapters"][:3]] == [
        ("gateway", "tcp://192.0.2.60:5022"),
        ("usb", "serial:///dev/ttyUSB0?baudrate=9600"),
        ("radio-1", "ble://C8:47:80:00:00:01"),
    ]
    assert [each.get("priority") for each in cellar["adapters"]] == [1, 2, 3, 3, 3]
    assert [each.get("enabled", True) for each in cellar["adapters"]] == [True, False, True, True, True]
    assert (barn["id"], shed["id"], single["id"]) == ("barn-bank", "shed", "battery")
    assert [each["url"] for each in barn["adapters"]] == ["tcp://192.0.2.61:8899", "serial:///dev/ttyUSB1"]
    assert shed["options"] == {"batteries": {1: "battery 1", 4: "battery 4"}}
    assert single["adapters"] == [{"id": "radio", "driver": "jkbms", "url": "ble://C8:47:80:00:00:04"}]


def test_bus_addresses_are_a_guess_in_a_comment_only(config: Takeover) -> None:
    """With the names and serial numbers that were known, in their order."""
    assert "options" not in config.mapping["devices"][0]
    comment = config.comments["devices", 0]
    assert 'options: {batteries: {0: "front", 1: "middle", 2: "back"}}' in comment
    assert '"front": serial number SN-1' in comment
    assert "batteries" not in _adapter(config)


def test_what_the_configuration_says_twice_is_told_with_its_line(config: Takeover) -> None:
    said = _told(config)
    assert any(
        each.startswith("earlier:59: battery_banks[1].adapters[0].priority: priority is said differently: ")
        and "the list says 1, the adapter says 2" in each
        for each in said
    )
    assert any(
        "enabled is said differently: the list says true, the adapter says false" in each for each in said
    )
    gateway = config.mapping["devices"][1]["adapters"][0]
    assert not {"priority", "enabled"} & set(gateway)
    comment = config.comments["devices", 1, "adapters", 0]
    assert "the list says 1, the adapter says 2" in comment
    assert "the list says true, the adapter says false" in comment


def test_arrays_and_what_they_are_attached_to(config: Takeover) -> None:
    assert config.mapping["arrays"] == [
        {"id": "cellar_array", "name": "Cellar Array", "packs": ["cellar"], "attached_to": "roof"},
        {"id": "barn_array", "packs": ["barn-bank", "shed"], "attached_to": "barn"},
    ]
    assert "'pylon'" in config.comments["arrays", 0]
    [history] = [each for each in config.notes if "earlier attachment" in each.text]
    assert history.data["detached_at"] == "2025-01-01T00:00:00+01:00"


def test_what_there_is_no_driver_for_is_kept_as_notes(config: Takeover) -> None:
    notes = {each.text: each.data for each in config.notes}
    assert notes["an inverter 'inv-2'"]["adapter"]["host"] == "192.0.2.9"
    assert notes["a meter 'grid'"]["adapter"]["type"] == "iammeter"
    assert notes["an adapter of the pack 'pylon'"]["type"] == "pytes"
    assert notes["what is written of the pack 'cellar'"]["nominal_kwh"] == 43.5
    assert notes["sections that are not about batteries: mqtt, polling"] == {}
    assert any("battery_banks[3]: no adapter that there is a driver for" in each for each in _told(config))


TCP = {"type": "jkbms_tcpip", "host": "192.0.2.60", "port": 8899}


def test_agreement_in_two_places_is_no_conflict() -> None:
    takeover = of_config(
        _bank({"adapter": {**TCP, "priority": 2, "enabled": False}, "priority": 2, "enabled": 0})
    )
    assert _adapter(takeover)["priority"] == 2
    assert _adapter(takeover)["enabled"] is False
    assert takeover.reports == ()


def test_two_of_the_same_rank_are_told() -> None:
    other = {"adapter": {**TCP, "host": "192.0.2.61"}, "priority": 1}
    takeover = of_config(_bank({"adapter": TCP, "priority": 1}, other))
    [said] = _told(takeover)
    assert "adapters[1].priority: priority 1 is also that of" in said
    off = of_config(_bank({"adapter": TCP, "priority": 1}, {**other, "enabled": False}))
    assert off.reports == ()


def test_priorities_that_mean_nothing_are_left_out() -> None:
    takeover = of_config(_bank({"adapter": TCP, "priority": "high", "enabled": "maybe"}))
    assert not {"priority", "enabled"} & set(_adapter(takeover))
    assert "the list says 'high'" in _told(takeover)[0]
    assert "the list says 'maybe'" in _told(takeover)[1]


@pytest.mark.parametrize(
    ("config", "url"),
    [
        ({"host": "192.0.2.60", "port": 502}, "tcp://192.0.2.60:502"),
        ({"host": "192.0.2.60", "port": "502"}, "tcp://192.0.2.60:502"),
        ({"host": "2001:db8::1", "port": 502}, "tcp://[2001:db8::1]:502"),
        ({"connection_type": "tcpip", "host": "a", "port": 1, "serial_port": "/dev/x"}, "tcp://a:1"),
        ({"connection_type": "rtu", "host": "a", "port": 1, "serial_port": "/dev/x"}, "serial:///dev/x"),
        ({"serial_port": "/dev/x", "baudrate": 115200, "parity": "n", "stopbits": 1}, "serial:///dev/x"),
        ({"serial_port": "/dev/x", "parity": "E", "stopbits": 2}, "serial:///dev/x?parity=E&stopbits=2"),
        ({"serial_port": "/dev/a b?c"}, "serial:///dev/a%20b%3Fc"),
        ({"serial_port": "COM3"}, "serial:///COM3"),
    ],
)
def test_addresses(config: dict[str, Any], url: str) -> None:
    takeover = of_config(_bank({"adapter": {"type": "jkbms_tcpip", **config}}))
    assert (_adapter(takeover)["url"], takeover.reports) == (url, ())
    _read(takeover.mapping)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "the gateway's host is missing"),
        ({"connection_type": "rtu"}, "the serial port is missing"),
        (
            {"connection_type": "rtu", "serial_port": "/dev/x", "baudrate": "fast"},
            "'fast' is not a baud rate",
        ),
        ({"host": "a/b", "port": 1}, "is not the address of a gateway"),
        ({"host": "a", "port": 70000}, "is not an address"),
        ({"host": "me:secret@a", "port": 1}, "this holds a login"),
        ({"type": "jkbms_ble"}, "no Bluetooth address stands here"),
        (
            {"type": "jkbms_ble", "bt_addresses": ["no"]},
            "'ble://no' is not the address of a Bluetooth device",
        ),
    ],
)
def test_an_address_that_is_none_is_left_to_fill_in(config: dict[str, Any], said: str) -> None:
    """Nothing is made up: there is no url, a comment asks for it, and the check of the site does too."""
    takeover = of_config(_bank({"adapter": {"type": "jkbms_tcpip", **config}}))
    assert "url" not in _adapter(takeover)
    assert "Fill in the" in takeover.comments["devices", 0, "adapters", 0]
    assert any(said in each for each in _told(takeover))
    assert "secret" not in repr(takeover)
    with pytest.raises(SiteError, match="the address is missing"):
        _read(takeover.mapping)


def test_what_is_not_quite_certain_about_an_address_is_told() -> None:
    both = of_config(_bank({"adapter": {**TCP, "serial_port": "/dev/x"}}))
    assert _adapter(both)["url"] == "tcp://192.0.2.60:8899"
    assert "both host and serial_port" in _told(both)[0]
    no_port = of_config(_bank({"adapter": {"type": "jkbms_tcpip", "host": "a"}}))
    assert _adapter(no_port)["url"] == "tcp://a"
    assert "8899" in no_port.comments["devices", 0, "adapters", 0]
    odd = of_config(_bank({"adapter": {**TCP, "connection_type": "udp"}}))
    assert "'udp' is no connection type" in _told(odd)[0]
    bits = of_config(_bank({"adapter": {"type": "jkbms_tcpip", "serial_port": "/dev/x", "bytesize": 7}}))
    assert "7 data bits are not possible" in _told(bits)[0]
    twice = {"type": "jkbms_ble", "bt_addresses": ["C8:47:80:00:00:01", "c8:47:80:00:00:01"]}
    radio = of_config(_bank({"adapter": twice}))
    assert len(radio.mapping["devices"][0]["adapters"]) == 1
    assert "stands here twice" in _told(radio)[0]


def test_bus_addresses_that_were_known_are_used() -> None:
    """By Bluetooth too, where each battery has its own place in the same two lists."""
    macs = ["C8:47:80:00:00:01", "C8:47:80:00:00:02"]
    radio = {"type": "jkbms_ble", "bt_addresses": macs, "battery_addresses": [3, 5]}
    takeover = of_config(_bank({"adapter": {**TCP, "battery_addresses": [3, 5]}}, {"adapter": radio}))
    device = takeover.mapping["devices"][0]
    assert device["options"]["batteries"] == {3: "battery 3", 5: "battery 5"}
    assert [each.get("battery") for each in device["adapters"]] == [None, 3, 5]
    assert takeover.reports == ()
    _read(takeover.mapping)


@pytest.mark.parametrize("addresses", [[1, 1], [16], [-1], ["x"], [], "1"])
def test_bus_addresses_that_cannot_be(addresses: object) -> None:
    takeover = of_config(_bank({"adapter": {**TCP, "battery_addresses": addresses}}))
    assert "options" not in takeover.mapping["devices"][0]
    assert "different addresses from 0 to 15" in _told(takeover)[0]


def test_bus_addresses_and_numbers_that_differ_are_not_chosen_from() -> None:
    other = {**TCP, "host": "192.0.2.61"}
    takeover = of_config(
        _bank(
            {"adapter": {**TCP, "battery_addresses": [1]}}, {"adapter": {**other, "battery_addresses": [2]}}
        )
    )
    assert "options" not in takeover.mapping["devices"][0]
    assert "battery_addresses differ" in _told(takeover)[0]
    counts = of_config(_bank({"adapter": {**TCP, "batteries": 2}}, {"adapter": {**other, "batteries": 3}}))
    assert "said differently: 2 and 3" in _told(counts)[0]
    many = of_config(_bank({"adapter": {**TCP, "batteries": 17}}))
    assert "17 batteries cannot be on one bus" in _told(many)[0]


def test_a_pack_in_two_arrays_is_in_neither() -> None:
    arrays = [{"id": "a", "battery_bank_ids": ["pack", "nobody"]}, {"id": "b", "battery_bank_ids": ["pack"]}]
    takeover = of_config({**_bank({"adapter": TCP}), "battery_bank_arrays": arrays})
    assert [each["packs"] for each in takeover.mapping["arrays"]] == [[], []]
    assert "it was in 'a' and 'b'" in takeover.comments["arrays", 0]
    assert "'nobody' is no battery pack" in " ".join(_told(takeover))
    _read(takeover.mapping)


def test_attachments_that_point_nowhere() -> None:
    attachments = [
        {"battery_bank_array_id": "a", "inverter_array_id": "ghost"},
        {"battery_bank_array_id": "nobody", "inverter_array_id": "roof"},
    ]
    arrays = [{"id": "a", "battery_bank_ids": ["pack"]}]
    takeover = of_config(
        {
            **_bank({"adapter": TCP}),
            "battery_bank_arrays": arrays,
            "battery_bank_array_attachments": attachments,
        }
    )
    assert takeover.mapping["arrays"][0]["attached_to"] == "ghost"
    said = " ".join(_told(takeover))
    assert "'a' is attached to 'ghost', which is no inverter array" in said
    assert "'nobody' is no battery array" in said


def test_ids_are_made_to_fit_and_stay_different() -> None:
    banks = [
        {"id": ident, "adapter": {**TCP, "host": f"192.0.2.{n}"}}
        for n, ident in enumerate(("Pack A", "pack-a", "pack-a", "!"))
    ]
    takeover = of_config({"home": {"id": "Mon Site!", "name": "Été\x00 \x1b[1m"}, "battery_banks": banks})
    assert [each["id"] for each in takeover.mapping["devices"]] == ["pack-a", "pack-a-2", "pack-a-3", "pack"]
    assert takeover.mapping["site"] == {"id": "mon-site", "name": "Été [1m"}
    assert any("'pack-a' is the id of two banks" in each for each in _told(takeover))
    _read(takeover.mapping)


def test_both_an_adapter_and_adapters() -> None:
    takeover = of_config(_bank({"adapter": TCP}, adapter={**TCP, "host": "192.0.2.61"}))
    assert [each["id"] for each in takeover.mapping["devices"][0]["adapters"]] == ["gateway", "gateway-2"]
    assert "both adapter and adapters stand here" in _told(takeover)[0]


@pytest.mark.parametrize("raw", [None, 3, "text", [], {}, {"battery_banks": 3}, {"battery_banks": [3]}])
def test_something_else_altogether(raw: object) -> None:
    takeover = of_config(raw)
    assert not takeover.is_usable
    assert takeover.reports


# --- the database ------------------------------------------------------------------------------------------------


def test_packs_with_their_adapters(database: Takeover) -> None:
    east, west = database.mapping["devices"]
    assert (east["id"], east["name"], west["id"]) == ("east", "East Pack", "west")
    assert [each["id"] for each in east["adapters"]] == ["gw-1", "radio-1", "radio-2"]
    assert east["adapters"][0]["priority"] == 1
    assert [each.get("enabled") for each in east["adapters"]] == [None, False, False]
    assert [each["id"] for each in west["adapters"]] == ["gw-2", "usb", "stray", "metered"]
    assert 'options: {batteries: {0: "east-a", 1: "east-b"}}' in database.comments["devices", 0]
    assert '"east-b": serial number SN-2, model PB2A16S20P' in database.comments["devices", 0]


def test_rank_and_state_that_differ_are_told_and_left_open(database: Takeover) -> None:
    """Fact sheet section 15, fault 19."""
    gateway = database.mapping["devices"][1]["adapters"][0]
    assert not {"priority", "enabled"} & set(gateway)
    comment = database.comments["devices", 1, "adapters", 0]
    assert "battery_pack_adapters says 2, adapters says 1" in comment
    assert "battery_pack_adapters says true, adapters says false" in comment
    said = _told(database)
    assert any("adapters.gw-2.priority: " in each and "says 2, adapters says 1" in each for each in said)
    assert any(
        "adapters.gw-2.enabled: " in each and "says true, adapters says false" in each for each in said
    )


def test_an_adapter_of_something_else_disables_only_itself(database: Takeover) -> None:
    """Fact sheet section 15, fault 20."""
    _, usb, stray, metered = database.mapping["devices"][1]["adapters"]
    assert "enabled" not in usb
    assert (stray["enabled"], metered["enabled"]) == (False, False)
    assert "its device_id is 'east' and not 'west'" in database.comments["devices", 1, "adapters", 2]
    assert any("adapters.metered: its device_type is 'meter'" in each for each in _told(database))


def test_rows_that_point_nowhere_are_told(database: Takeover) -> None:
    said = " ".join(_told(database))
    assert "battery_pack_adapters.west.gone: there is no adapter 'gone'" in said
    assert "adapters.idle: it names the pack 'west', which does not name it" in said
    assert any("'idle'" in each.text and each.data["config_json"]["host"] for each in database.notes)


def test_arrays_of_the_database(database: Takeover) -> None:
    """One attachment holds; two at once are told, and those before are notes."""
    assert database.mapping["arrays"] == [
        {"id": "east-array", "name": "East", "packs": ["east"], "attached_to": "roof"},
        {"id": "west-array", "name": "West", "packs": ["west"]},
    ]
    assert "'roof' and 'barn' were both current" in database.comments["arrays", 1]
    assert sum("earlier attachment" in each.text for each in database.notes) == 1


def test_inverters_and_meters_come_with_their_adapters(database: Takeover) -> None:
    notes = {each.text: each.data for each in database.notes}
    assert notes["an inverter 'inv-1'"]["adapter"]["config_json"] == {"host": "192.0.2.9", "password": "***"}
    assert notes["a meter 'grid'"]["adapter"]["adapter_type"] == "iammeter"
    assert notes["what is written of the pack 'east'"]["nominal_kwh"] == 14.5


def test_other_damage(tables: dict[str, list[dict[str, Any]]]) -> None:
    """Each is told, and none keeps the packs from being taken over."""
    systems = [{"system_id": "farm", "name": "Farm"}, {"system_id": "hut", "name": "Hut"}]
    packs = [
        {"pack_id": "east", "battery_array_id": "nowhere", "system_id": "farm"},
        {"pack_id": "west", "battery_array_id": "west-array", "system_id": "hut"},
    ]
    links = [*tables["battery_pack_adapters"], {"pack_id": "ghost", "adapter_id": "gw-1"}]
    adapters = [
        {**row, "config_json": "{"} if row["adapter_id"] == "usb" else row for row in tables["adapters"]
    ]
    arrays = [*tables["battery_arrays"], {"battery_array_id": "lost", "system_id": "gone"}]
    changed = {
        **tables,
        "systems": systems,
        "battery_packs": packs,
        "battery_pack_adapters": links,
        "adapters": adapters,
        "battery_arrays": arrays,
    }
    takeover = of_rows(changed, missing=("meters", "adapters.name"), source="db")
    said = " ".join(_told(takeover))
    for each in (
        "meters: this table is missing",
        "this column is missing",
        "there is no pack 'ghost'",
        "there is no battery array 'nowhere'",
        "the two ends are in different systems: 'hut' and 'farm'",
        "adapters.usb.config_json: this is no JSON object",
        "there is no system 'gone'",
    ):
        assert each in said
    assert "'Hut'" in takeover.comments[("site",)]
    assert [each["id"] for each in takeover.mapping["devices"]] == ["east", "west"]
    assert "url" not in takeover.mapping["devices"][1]["adapters"][1]


def test_an_empty_database() -> None:
    takeover = of_rows({})
    assert not takeover.is_usable
    assert takeover.mapping["site"] == {"id": "home"}


def test_columns_of_type_json_and_boolean() -> None:
    """As PostgreSQL gives them."""
    link = {"pack_id": "p", "adapter_id": "a", "priority": 1, "enabled": False}
    row = {
        "adapter_id": "a",
        "adapter_type": "jkbms_tcpip",
        "config_json": TCP,
        "priority": 1,
        "enabled": False,
    }
    takeover = of_rows(
        {"battery_packs": [{"pack_id": "p"}], "adapters": [row], "battery_pack_adapters": [link]}
    )
    assert _adapter(takeover)["enabled"] is False
    assert _adapter(takeover)["url"] == "tcp://192.0.2.60:8899"


# --- junk --------------------------------------------------------------------------------------------------------


def test_secrets_are_masked_wherever_they_stand() -> None:
    raw = {
        "a": [{"bt_pin": 1234, "API_KEY": "x", "url": "http://me:word@host/", "pin": None, "mapping": "ok"}]
    }
    assert masked(raw) == {
        "a": [{"bt_pin": "***", "API_KEY": "***", "url": "http://***@host/", "pin": None, "mapping": "ok"}]
    }
    assert spelled_out({"name": "é\x1b"}) == '{"name": "é\\u001b"}'


_KEYS = st.sampled_from(
    [
        "id", "name", "timezone", "home", "battery_banks", "battery_bank", "battery_packs", "units", "serial",
        "battery_bank_arrays", "battery_bank_ids", "battery_bank_array_attachments", "battery_bank_array_id",
        "inverter_array_id", "detached_at", "adapter", "adapters", "type", "connection_type", "host", "port",
        "serial_port", "baudrate", "bt_addresses", "battery_addresses", "batteries", "priority", "enabled", "arrays",
    ]
)  # fmt: skip
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**400), 10**400)
    | st.integers(-1, 20)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["jkbms_tcpip", "jkbms_ble", "rtu", "tcpip", "a", "/dev/x", "C8:47:80:00:00:01"])
)
_JUNK = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_KEYS | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=30,
)
_ADAPTERS = st.dictionaries(_KEYS, _JUNK, max_size=6).map(lambda more: {"type": "jkbms_tcpip", **more})
_CONFIGS = _JUNK | st.lists(st.fixed_dictionaries({"id": _JUNK, "adapter": _ADAPTERS}), max_size=3).map(
    lambda banks: {"battery_banks": banks}
)


@given(_CONFIGS)
def test_any_configuration_gives_a_file_that_can_be_read(raw: object) -> None:
    """It never raises; what comes out can be written, read back and judged, comments and notes included."""
    takeover = of_config(raw)
    text = dump_site(takeover.mapping, comments=takeover.comments)
    assert parse_yaml(text, "site.yaml").value == takeover.mapping
    for note in takeover.notes:
        assert spelled_out(note.data).isprintable()
    try:
        _read(takeover.mapping)
    except SiteError as error:
        assert error.problems  # noqa: PT017


_ROWS = st.lists(
    st.dictionaries(
        st.sampled_from(sorted({c for columns in TABLES.values() for c in columns})), _JUNK, max_size=6
    ),
    max_size=3,
)


@given(st.dictionaries(st.sampled_from(sorted(TABLES)), _ROWS))
def test_any_rows_give_a_file_that_can_be_read(tables: dict[str, list[dict[str, Any]]]) -> None:
    takeover = of_rows(tables)
    text = dump_site(takeover.mapping, comments=takeover.comments)
    assert parse_yaml(text, "site.yaml").value == takeover.mapping
