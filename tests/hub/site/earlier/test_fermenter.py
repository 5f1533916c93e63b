"""The earlier fermentation program's configuration, taken over: what is certain stands there, what is not is told."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.app import FAMILIES
from holdfast.control import parse_settings
from holdfast.drivers.tilt.codec import COLOURS
from holdfast.hub.site import SecretSource, SiteSpec, parse_yaml, read_site
from holdfast.hub.site.earlier.fermenter import (
    NAMES,
    EarlierFile,
    EarlierFiles,
    Takeover,
    earlier_file,
    of_files,
    read_folder,
    site_text,
)
from holdfast.hub.site.earlier.fermenter import tilts as earlier_tilts
from holdfast.hub.site.earlier.fermenter.json_file import Unreadable, read_json
from holdfast.hub.site.earlier.fermenter.limits import limit_of
from holdfast.hub.site.earlier.fermenter.plugs import plug_address
from holdfast.options import Section

DATA = Path(__file__).parents[3] / "data" / "fermenter"
SAMPLES = {"cellar": DATA / "cellar" / "config", "three": DATA / "three", "rough": DATA / "rough"}
SECRETS = ("word-of-the-mail", "not-for-anyone", "example.org", "A. Brewer", "Nowhere Lane")
GOOD: dict[str, Any] = {
    "low_limit": 66,
    "high_limit": 68,
    "enable_heating": True,
    "enable_cooling": True,
    "tilt_color": "Red",
    "heating_plug": "192.0.2.71",
    "cooling_plug": "192.0.2.72",
    "temp_control_enabled": True,
    "temp_control_active": True,
}
BREWING = {"beer_name": "Stout"}


def _sample(name: str) -> Takeover:
    return of_files(read_folder(SAMPLES[name]))


def _file(name: str, values: object) -> EarlierFile:
    return earlier_file(name, json.dumps(values).encode())


def _of(temperature: object, tilts: object = None, system: object = None) -> Takeover:
    contents = (temperature, tilts or {}, system or {})
    return of_files(EarlierFiles(*(_file(*each) for each in zip(NAMES, contents, strict=True))))


def _with(**changed: Any) -> Takeover:
    return _of({**GOOD, **changed})


def _without(key: str) -> Takeover:
    return _of({each: value for each, value in GOOD.items() if each != key})


def _controller(takeover: Takeover, number: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = takeover.mapping["controllers"][number]
    return found


def _told(takeover: Takeover) -> list[str]:
    return [each.rendered(Path("d")) for each in takeover.reports]


def _about(takeover: Takeover, key: str) -> str:
    return "\n".join(each for each in _told(takeover) if f": {key}: " in each)


def _read(mapping: dict[str, Any]) -> SiteSpec:
    return read_site(mapping, FAMILIES, secrets=SecretSource(environ={}))


def _faults(takeover: Takeover) -> list[str]:
    return [
        parse_settings(Section(each, ("controllers",))).fault
        for each in takeover.mapping.get("controllers", ())
    ]


# --- the samples -------------------------------------------------------------------------------------------------


def test_everything_in_order_becomes_a_site_that_runs() -> None:
    """Limits as they were entered, the compressor's rest, the assigned Tilt for both quantities."""
    takeover = _sample("cellar")
    assert takeover.mapping["site"] == {
        "id": "home",
        "name": "The Cellar",
        "timezone": "America/New_York",
        "temperature_unit": "fahrenheit",
    }
    assert [(each["id"], each["adapters"][0]["url"]) for each in takeover.mapping["devices"]] == [
        ("heater", "kasa://192.0.2.71"),
        ("fridge", "kasa://192.0.2.72"),
        ("tilt-red", "ble://red"),
        ("tilt-blue", "ble://blue"),
    ]
    assert takeover.mapping["controllers"] == [
        {
            "id": "fermenter",
            "kind": "thermostat",
            "sensor": "tilt-red/temperature",
            "gravity": "tilt-red/gravity",
            "heater": "heater/switch",
            "cooler": "fridge/switch",
            "low": "74 °F",
            "high": "75.5 °F",
            "enabled": True,
            "heating_enabled": True,
            "cooling_enabled": True,
            "cooler_min_off_s": 420,
        }
    ]
    settings = parse_settings(Section(_controller(takeover), ()))
    assert (settings.fault, settings.cooler_min_off_s, settings.cycle_s, settings.fresh_s) == (
        "",
        420.0,
        10.0,
        240.0,
    )


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_is_a_site(sample: str) -> None:
    """The validator is content, and the file says the same as the mapping."""
    takeover = _sample(sample)
    assert len(_read(takeover.mapping).devices) == len(takeover.mapping["devices"])
    text = site_text(takeover, sample)
    assert parse_yaml(text, "site.yaml").value == takeover.mapping


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_key_is_taken_over_or_told_of(sample: str) -> None:
    """Nothing is lost silently; the ones behind the default are those that became values of the site."""
    silent = {
        "low_limit", "high_limit", "enable_heating", "enable_cooling", "tilt_color", "heating_plug",
        "heating_plug_port", "cooling_plug", "cooling_plug_port", "temp_control_enabled", "temp_control_active",
        "controller_id", "compressor_delay", "brewery_name", "timezone", "units", "controllers", "temp_variance",
        "gravity_variance",
    }  # fmt: skip
    takeover = _sample(sample)
    for file in read_folder(SAMPLES[sample]):
        told = "\n".join(each.problem.rendered("f") for each in takeover.reports if each.file == file.name)
        entries = [file.values, *(each for each in file.values.values() if isinstance(each, dict))]
        if file.name == NAMES[2]:
            entries = [file.values]  # tables of notifications are told of as one
        for key in {key for entry in entries for key in entry} - silent:
            is_empty = not any(entry.get(key) for entry in entries)
            assert key in told or is_empty, key


def test_no_secret_and_no_person_is_repeated() -> None:
    takeover = _sample("cellar")
    everything = repr(takeover) + site_text(takeover, "cellar")
    for secret in SECRETS:
        assert secret not in everything
    assert "{env: SMTP_PASSWORD}" in _about(takeover, "smtp_password")
    assert "{env: PUSHOVER_API_TOKEN}" in _about(takeover, "pushover_api_token")


def test_each_setting_without_a_place_has_its_reason() -> None:
    takeover = _sample("cellar")
    assert "a decision every 10 s is safer" in _about(takeover, "update_interval")
    assert "stale after 240 s" in _about(takeover, "tilt_inactivity_timeout_minutes")
    assert "read back" in _about(takeover, "kasa_rate_limit_seconds")
    assert "notifications" in _about(takeover, "warning_mode")
    assert "may hold a key" in _about(takeover, "external_urls")
    assert "means nothing to the import" in _about(takeover, "what_is_this")
    assert f"d/{NAMES[2]}:9: update_interval: " in _about(takeover, "update_interval")


def test_batches_are_kept_as_notes() -> None:
    """Also a name that stands in the file as two halves of a character."""
    text = site_text(_sample("cellar"), "cellar")
    assert '# - the batch of the Tilt \'Red\': {"beer_name": "Saison \U0001f37a"' in text
    assert '"brewid": "8026a548"' in text


def test_a_correction_is_left_to_a_person() -> None:
    """With the option that makes it: -0.9 °F are -0.5 °C."""
    takeover = _sample("cellar")
    option = "options: {calibration: {temperature: {offset: -0.5}}}"
    assert option in _about(takeover, "Blue.temp_variance")
    assert option in takeover.comments["devices", 3]
    assert _about(takeover, "Blue.gravity_variance") == ""


@pytest.mark.parametrize("entered", ["warmer", "inf", "nan"])
def test_a_correction_that_is_no_number(entered: str) -> None:
    takeover = _of(GOOD, {"Red": {"temp_variance": entered}})
    assert f"'{entered}' is no number" in _about(takeover, "Red.temp_variance")
    assert ("devices", 2) not in takeover.comments


def test_the_later_form_with_several_controllers() -> None:
    """Ports and hardware addresses are taken over; a controller that was never set up is told of."""
    takeover = _sample("three")
    assert [(each["id"], each["adapters"][0]["url"]) for each in takeover.mapping["devices"]] == [
        ("heater", "kasa://192.0.2.81:9998"),
        ("fridge-2", "kasa://fridge-plug.lan"),
        ("tilt-black", "ble://AA:BB:CC:DD:EE:01"),
        ("tilt-black-2", "ble://AA:BB:CC:DD:EE:02"),
        ("tilt-pink", "ble://pink"),
    ]
    first, second = takeover.mapping["controllers"]
    assert (first["id"], first["heater"], "cooler" in first) == ("fermenter", "heater/switch", False)
    assert (second["id"], second["cooler"], second["sensor"]) == (
        "fermenter-2",
        "fridge-2/switch",
        "tilt-black-2/temperature",
    )
    assert "was never set up" in _about(takeover, "controllers[2]")
    assert "placeholder" in _about(takeover, "controllers[0].cooling_plug")
    assert "is a name" in _about(takeover, "controllers[1].cooling_plug")
    assert "MONITOR" in takeover.comments["controllers", 0]
    assert "temp_control_enabled" in takeover.comments["controllers", 1]
    assert takeover.comments["site",].startswith("Fill in its time zone")


def test_what_was_edited_in_a_hurry() -> None:
    """Each oddity in a line of its own, and the controller waits for a person."""
    takeover = _sample("rough")
    told = "\n".join(_told(takeover))
    for text in (
        f"{NAMES[0]}:1: the file begins with a byte order mark",
        f"{NAMES[0]}:2: low_limit: '66' is a number in quotes; taken over as 66 °F",
        f"{NAMES[0]}:3: high_limit: 'sixty-eight' is no temperature",
        f"{NAMES[0]}:5: enable_cooling: 'perhaps' is neither true nor false",
        f"{NAMES[0]}:6: tilt_color: no Tilt is assigned",
        "perhaps sensor: tilt-orange/temperature",
        f"{NAMES[0]}:8: cooling_plug: kasa://192.0.2.91 is the plug of 2 tasks at once",
        f"{NAMES[0]}:9: compressor_delay: '5 min' is no number of minutes",
        f"{NAMES[0]}:11: a comma stands behind the last item",
        f"{NAMES[1]}:3: Mauve: 'Mauve' is no Tilt",
        f"{NAMES[1]}:4: Blue: a mapping is expected here, not text",
        f"{NAMES[2]}:5: the file ends too early",
    ):
        assert text in told
    controller = _controller(takeover)
    assert controller["enabled"] is False
    assert controller.keys().isdisjoint({"heater", "cooler", "sensor", "high"})


# --- why a controller is not enabled -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("temp_control_enabled", False, "off as a whole"),
        ("temp_control_active", False, "MONITOR was off"),
        ("temp_control_active", None, "MONITOR was off"),
        ("temp_control_active", "on", "MONITOR was off"),
        ("tilt_color", "", "no Tilt is assigned"),
        ("tilt_color", "Mauve", "'Mauve' is no Tilt"),
        ("tilt_color", 7, "7 is no Tilt"),
        ("tilt_color", "Red:nowhere", "'Red:nowhere' is no Tilt"),
        ("low_limit", None, "there is no limit here"),
        ("high_limit", None, "there is no limit here"),
        ("low_limit", "cold", "'cold' is no temperature"),
        ("high_limit", True, "true is no temperature"),
        ("high_limit", float("nan"), "nan is no temperature"),
        ("high_limit", float("inf"), "inf is no temperature"),
        ("high_limit", [68], "a list is no temperature"),
        ("high_limit", 10**30, "is no temperature"),
        ("low_limit", 18, "18 °F is beyond what a Tilt measures"),
        ("high_limit", 121, "121 °F is beyond what a Tilt measures"),
        ("high_limit", 66, "must be below the high limit"),
        ("high_limit", 60, "must be below the high limit"),
        ("cooling_plug", "192.0.2.71", "is the plug of 2 tasks at once"),
        ("cooling_plug", " KASA://192.0.2.71 ", "is the plug of 2 tasks at once"),
    ],
)
def test_a_controller_nobody_should_trust_is_not_enabled(key: str, value: object, said: str) -> None:
    """And both the report and the comment above it say why."""
    takeover = _with(**{key: value})
    assert _controller(takeover)["enabled"] is False
    assert said in _about(takeover, key)
    assert said in takeover.comments["controllers", 0]
    _read(takeover.mapping)


def test_in_order_it_is_enabled() -> None:
    """So that the cases above show what they say."""
    takeover = _with()
    assert _controller(takeover)["enabled"] is True
    assert _faults(takeover) == [""]


def test_a_switch_that_is_not_in_the_file() -> None:
    """Temperature control was on by default, MONITOR was not: fact sheet section 2."""
    assert _controller(_without("temp_control_enabled"))["enabled"] is True
    assert _controller(_without("temp_control_active"))["enabled"] is False


def test_limits_that_were_shown_in_celsius() -> None:
    """The program compared in °F whatever it showed: a person must say what was meant."""
    takeover = _of(GOOD, system={"units": "Celsius"})
    assert takeover.mapping["site"]["temperature_unit"] == "celsius"
    assert _controller(takeover)["enabled"] is False
    assert "compared in °F" in takeover.comments["controllers", 0]


def test_no_plug_at_all() -> None:
    takeover = _with(heating_plug="", cooling_plug=None)
    assert _controller(takeover)["enabled"] is False
    assert "there is no plug to switch" in takeover.comments["controllers", 0]
    assert "there is no heater to switch" in _about(takeover, "enable_heating")


def test_one_plug_is_enough() -> None:
    """The template's second plug is a placeholder; left in, it would never be verified off, and nothing would heat."""
    takeover = _with(cooling_plug="127.0.0.2", enable_cooling=False)
    assert _controller(takeover)["enabled"] is True
    assert "cooler" not in _controller(takeover)


def test_plugs_of_two_controllers() -> None:
    """One plug has one controller: neither gets it."""
    takeover = _of({"controllers": [GOOD, {**GOOD, "cooling_plug": "192.0.2.73"}]})
    first, second = takeover.mapping["controllers"]
    assert (first["enabled"], second["enabled"]) == (False, False)
    assert ("heater" in first, "heater" in second) == (False, False)
    assert (first["cooler"], second["cooler"]) == ("fridge/switch", "fridge-2/switch")
    assert [each["id"] for each in takeover.mapping["devices"]] == ["plug", "fridge", "fridge-2", "tilt-red"]
    _read(takeover.mapping)


@pytest.mark.parametrize("listed", [None, {}, "none", 3])
def test_a_list_of_controllers_that_is_none(listed: object) -> None:
    takeover = _of({"controllers": listed, "low_limit": 50})
    assert "controllers" not in takeover.mapping
    assert "a list is expected here" in _about(takeover, "controllers")
    assert "the list of controllers counts" in _about(takeover, "low_limit")


@pytest.mark.parametrize(
    ("delay", "rest"),
    [
        (5, 300),
        ("7", 420),
        (0.5, 30),
        (61, 3600),
        (0, None),
        (-1, None),
        ("soon", None),
        (True, None),
        (None, None),
    ],
)
def test_the_compressor_rests(delay: object, rest: int | None) -> None:
    """Minutes become seconds; without a usable number Holdfast's own 300 s hold."""
    takeover = _with(compressor_delay=delay)
    assert _controller(takeover).get("cooler_min_off_s") == rest
    assert bool(_about(takeover, "compressor_delay")) == (delay is not None)


# --- limits, plugs, Tilts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (73, "73 °F"),
        (64.0, "64.0 °F"),
        (66.5, "66.5 °F"),
        ("74", "74 °F"),
        (" 74.25 ", "74.25 °F"),
        ("74F", "74F"),
        ("20 °C", "20 °C"),
        (66.66666666666667, "66.666667 °F"),
    ],
)
def test_limits_as_they_were_entered(raw: object, text: str) -> None:
    limit = limit_of(raw)
    assert (limit.text, limit.fault) == (text, "")


@pytest.mark.parametrize(
    ("raw", "port", "url"),
    [
        ("192.0.2.1", None, "kasa://192.0.2.1"),
        (" 192.0.2.1 ", "", "kasa://192.0.2.1"),
        ("192.0.2.1:9998", None, "kasa://192.0.2.1:9998"),
        ("192.0.2.1", 9998, "kasa://192.0.2.1:9998"),
        ("192.0.2.1", "9997", "kasa://192.0.2.1:9997"),
        ("192.0.2.1", 70000, "kasa://192.0.2.1"),
        ("http://192.0.2.1:80/", None, "kasa://192.0.2.1"),
        ("Heater.local", None, "kasa://heater.local"),
        ("2001:db8::1", None, "kasa://[2001:db8::1]"),
        ("[2001:db8::1]:9998", None, "kasa://[2001:db8::1]:9998"),
        ("127.0.0.1:9998", None, "kasa://127.0.0.1:9998"),
        ("localhost", 9998, "kasa://localhost:9998"),
    ],
)
def test_addresses_that_are_taken_over(raw: str, port: object, url: str) -> None:
    """The driver takes each of them."""
    address = plug_address(raw, port)
    assert (address.url, address.fault) == (url, "")
    adapter = {"id": "lan", "driver": "kasa", "url": url}
    _read({"site": {"id": "home"}, "devices": [{"id": "heater", "adapters": [adapter]}]})


@pytest.mark.parametrize(
    "raw",
    [
        "127.0.0.3", "localhost", "::1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "192.168.1.300", "192.168.1",  # noqa: S104
        "AA:BB:CC:DD:EE:FF", "Heater plug", "heater.", "-", "http://192.0.2.1/on", "192.0.2.1:0", "http://", "[::1",
        "192.0.2.1:99999", 5, True, ["192.0.2.1"],
    ],
)  # fmt: skip
def test_addresses_that_are_none(raw: object) -> None:
    address = plug_address(raw)
    assert address.url == ""
    assert address.fault != ""


@pytest.mark.parametrize(
    "raw", ["http://me:word@192.0.2.71", "http://192.0.2.71/on?token=word", "192.0.2.71?word"]
)
def test_what_may_be_a_secret_in_an_address_is_not_repeated(raw: str) -> None:
    takeover = _with(heating_plug=raw)
    assert "word" not in repr(takeover)
    assert "left out: the controller has no heater" in _about(takeover, "heating_plug")


def test_the_colours_are_those_of_the_driver() -> None:
    assert set(earlier_tilts.COLOURS) == set(COLOURS)


def test_a_tilt_by_hardware_address_serves_its_batch() -> None:
    """A batch belongs to the Tilt that controls, not to a second device of the same colour."""
    takeover = _of({**GOOD, "tilt_color": "red:aa:bb:cc:dd:ee:ff"}, {"Red": BREWING, "Pink": {}})
    assert [each["adapters"][0]["url"] for each in takeover.mapping["devices"][2:]] == [
        "ble://AA:BB:CC:DD:EE:FF"
    ]
    assert "no batch is entered for Pink" in "\n".join(_told(takeover))


# --- files -------------------------------------------------------------------------------------------------------


def test_files_that_are_not_there(tmp_path: Path) -> None:
    """What the others say is taken over all the same."""
    (tmp_path / NAMES[1]).write_text(json.dumps({"Red": BREWING}))
    (tmp_path / NAMES[2]).mkdir()
    takeover = of_files(read_folder(tmp_path))
    assert takeover.is_usable
    assert [each["id"] for each in takeover.mapping["devices"]] == ["tilt-red"]
    told = "\n".join(_told(takeover))
    assert f"d/{NAMES[0]}: there is no such file; without it there is no controller and no plug" in told
    assert f"d/{NAMES[2]}: it cannot be read" in told
    assert not of_files(read_folder(tmp_path / "nowhere")).is_usable


def test_a_file_that_is_far_too_large(tmp_path: Path) -> None:
    (tmp_path / NAMES[0]).write_bytes(b" " * 100_001)
    assert "more than 100,000 bytes" in "\n".join(_told(of_files(read_folder(tmp_path))))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "this file is empty"),
        (b" \n", "this file is empty"),
        (b"{}", "nothing stands in this file"),
        (b"[]", "a mapping is expected in this file, not a list"),
        (b"null", "a mapping is expected in this file, not nothing"),
        (b'{"low_limit": 6', "ends too early"),
        (b'{\n"low_limit": 66\n"high_limit": 68}', ":3: this is not JSON"),
        (b'{"low_limit": \xe9}', "not UTF-8"),
        (b"[" * 100_000, "nobody meant"),
        (b'{"low_limit": ' + b"9" * 5000 + b"}", "nobody meant"),
    ],
)
def test_a_broken_file_says_so(data: bytes, said: str) -> None:
    file = earlier_file(NAMES[0], data)
    assert not file.values
    assert said in "\n".join(each.rendered("f") for each in file.problems)


def test_what_is_forgiven() -> None:
    """Commas behind the last item, but never in text; a mark at the beginning; a key that stands twice."""
    found = read_json(b'\xef\xbb\xbf{"a": [1, 2,],\n "b": ",}", "b": "x,]",\n}')
    assert found.value == {"a": [1, 2], "b": "x,]"}
    texts = [each.text for each in found.remarks]
    assert len(texts) == 3
    assert "the key 'b' stands twice in one place" in texts
    wide = read_json('{"a": 1}'.encode("utf-16"))
    assert (wide.value, len(wide.remarks)) == ({"a": 1}, 1)


def test_where_each_key_stands() -> None:
    found = read_json(b'{\n "a": {\n  "b": [1,\n   {"c": "\\n"}],\n  "d": 2}\n}')
    for path, line in (
        ((), 1),
        (("a",), 2),
        (("a", "b"), 3),
        (("a", "b", 1), 4),
        (("a", "b", 1, "c"), 4),
        (("a", "d"), 5),
    ):
        assert found.lines(path) == line
    assert found.lines(("a", "nowhere")) == 2


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_file_that_was_cut_off_anywhere(sample: str) -> None:
    """The program wrote its files in place: a crash leaves any beginning of one."""
    for name in NAMES:
        data = (SAMPLES[sample] / name).read_bytes()
        whole = earlier_file(name, data)
        for end in range(len(data)):
            cut = earlier_file(name, data[:end])
            assert cut.values == whole.values or cut.problems


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\ \n1ae', max_size=40).map(str.encode))
def test_any_bytes_end_in_a_value_or_a_sentence(data: bytes) -> None:
    """And wherever Python's own reader is content, so is this one, with the same value."""
    try:
        expected = json.dumps(json.loads(data.decode()))
    except (ValueError, RecursionError):
        expected = None
    try:
        found = json.dumps(read_json(data).value)
    except Unreadable:
        assert expected is None
    else:
        assert expected in (None, found)


# --- anything at all ---------------------------------------------------------------------------------------------

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        [
            "Red",
            "Blue:AA:BB:CC:DD:EE:FF",
            "192.0.2.1",
            "127.0.0.2",
            "a.lan",
            "66",
            "68 °F",
            "\ud800",
            "\u2028",
            "",
        ]
    )
    | st.integers(20, 130)
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
_ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        key: _VALUES | st.just(value)
        for key, value in {**GOOD, "compressor_delay": 5, "heating_plug_port": 9999}.items()
    },
)
_TILT_KEYS = st.sampled_from([*earlier_tilts.BATCH, *earlier_tilts.VARIANCES, "x"])
_TILTS = st.dictionaries(
    st.sampled_from(["Red", "blue", "Blue:AA:BB:CC:DD:EE:FF", "x"]) | st.text(max_size=5),
    _VALUES | st.dictionaries(_TILT_KEYS, _VALUES, max_size=4),
    max_size=4,
)
_SYSTEM = st.dictionaries(
    st.sampled_from(["brewery_name", "timezone", "units"])
    | st.text(string.ascii_lowercase + "_", max_size=8),
    _VALUES,
    max_size=4,
)


_LISTED = st.fixed_dictionaries({"controllers": _VALUES | st.lists(_ENTRIES, max_size=3)})


@given(_VALUES | _ENTRIES | _LISTED, _TILTS, _SYSTEM)
def test_whatever_stands_there_becomes_a_site(temperature: object, tilts: object, system: object) -> None:
    """Nothing crashes, the validator takes what is written, and nothing is enabled that cannot control."""
    takeover = _of(temperature, tilts, system)
    assert parse_yaml(site_text(takeover, "d"), "site.yaml").value == takeover.mapping
    spec = _read(takeover.mapping)
    assert len(spec.devices) == len(takeover.mapping["devices"])
    controllers = takeover.mapping.get("controllers", [])
    for controller, fault in zip(controllers, _faults(takeover), strict=True):
        assert not (controller["enabled"] and fault)
        assert not controller["enabled"] or controller["sensor"]
    for report in _told(takeover):
        assert report.startswith("d/")


@given(st.dictionaries(st.text(min_size=1, max_size=12), st.just("not-for-anyone"), max_size=5))
def test_no_value_of_an_unknown_key_is_repeated(system: dict[str, str]) -> None:
    takeover = _of(GOOD, system={**system, "brewery_name": "B", "timezone": "UTC", "units": "F"})
    assert "not-for-anyone" not in repr(takeover)
