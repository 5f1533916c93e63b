"""Sites from mappings: what comes out of a good one, and every sentence about a bad one, with its line."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import zoneinfo
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.errors import ConfigurationError
from holdfast.hub.site import SecretSource, SiteError, SiteSpec, parse_yaml, read_site
from holdfast.model import Standby
from tests.hub.site.toy import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Mapping

ENVIRON = {"TOY_PASSWORD": "toy-marker-1", "OTHER_PASSWORD": "toy-marker-2"}

GOOD = """\
site: {id: home, name: Home, timezone: Europe/Brussels, temperature_unit: fahrenheit}
devices:
  - id: house
    name: House controller
    adapters:
      - {id: lan, driver: toy, url: "toy://one", username: me, password: {env: TOY_PASSWORD}, kind: auto}
      - {id: usb, driver: toy, url: "toy://two", priority: 2, standby: hot, enabled: false}
    options: {modules: {6: {kind: dimmer, scale: 100}}, batteries: {0: front, 1: back}, state: on}
    outputs:
      kitchen: {module: 1, kind: light}
    capabilities: {0/temperature: {unit: "°C", deadline_s: 240}}
  - id: heater
    adapters: [{id: lan, driver: puppet, url: "toy://three"}]
controllers: []
arrays:
"""


def read(text: str, environ: Mapping[str, str] = ENVIRON) -> SiteSpec:
    """Read a site as a file called site.yaml would be."""
    file = parse_yaml(textwrap.dedent(text), "site.yaml")
    return read_site(
        file.value, FAMILIES, secrets=SecretSource(environ=environ), locate=file.locate, source=file.source
    )


def complaints(text: str, environ: Mapping[str, str] = ENVIRON) -> list[str]:
    with pytest.raises(SiteError) as caught:
        read(text, environ)
    return str(caught.value).splitlines()


def device(adapter: str = "id: lan, driver: toy, url: 'toy://one'", more: str = "") -> str:
    """A site with one device, whose adapter stands on line 4 and whose other keys begin on line 5."""
    return f"devices:\n  - id: house\n    adapters:\n      - {{{adapter}}}\n" + textwrap.indent(more, "    ")


def test_a_good_site_arrives_whole() -> None:
    """Every key of the contract ends where the hub looks for it."""
    spec = read(GOOD)
    assert (spec.id, spec.name, spec.timezone, spec.temperature_unit) == (
        "home",
        "Home",
        "Europe/Brussels",
        "fahrenheit",
    )
    house, heater = spec.devices
    assert (house.device.id, house.device.name) == ("house", "House controller")
    lan, usb = house.device.adapters
    assert (lan.url, lan.username, lan.password) == ("toy://one", "me", "toy-marker-1")
    assert (lan.priority, lan.standby, lan.is_enabled, lan.options) == (
        1,
        Standby.COLD,
        True,
        {"kind": "auto"},
    )
    assert (usb.priority, usb.standby, usb.is_enabled, usb.options) == (2, Standby.HOT, False, {})
    assert house.device.options == {
        "modules": {6: {"kind": "dimmer", "scale": 100}},
        "batteries": {0: "front", 1: "back"},
        "state": "on",
    }
    assert house.device.outputs == {"kitchen": {"module": 1, "kind": "light"}}
    assert house.device.capabilities == {"0/temperature": {"unit": "°C", "deadline_s": 240}}
    assert [driver.endpoint.address for driver in house.drivers] == ["one", "two"]
    assert heater.device.name == "heater"
    assert [driver.name for driver in heater.drivers] == ["puppet"]


def test_the_shortest_site_has_defaults() -> None:
    """A program that only wants its devices need not say anything else."""
    spec = read_site(
        {"devices": [{"id": "house", "adapters": [{"id": "lan", "driver": "toy", "url": "toy://one"}]}]},
        FAMILIES,
        secrets=SecretSource(),
    )
    assert (spec.id, spec.name, spec.timezone, spec.temperature_unit) == ("home", "home", "UTC", "celsius")
    assert spec.devices[0].device.adapters[0].password == ""


def test_the_mapping_is_copied() -> None:
    """What the caller changes afterwards changes nothing here."""
    mapping: dict[str, Any] = {
        "devices": [
            {
                "id": "house",
                "adapters": [{"id": "lan", "driver": "toy", "url": "toy://one"}],
                "options": {"modules": {6: {"kind": "dimmer"}}},
            }
        ]
    }
    spec = read_site(mapping, FAMILIES, secrets=SecretSource())
    mapping["devices"][0]["options"]["modules"][6]["kind"] = "light"
    assert spec.devices[0].device.options == {"modules": {6: {"kind": "dimmer"}}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # --- the top and the section site
        ("- a\n", "1: a site is a mapping, not a list; begin with the keys site and devices"),
        ("hello\n", "1: a site is a mapping, not text; begin with the keys site and devices"),
        ("site: {id: home}\n", "1: 'devices' is missing; a site needs a list of devices"),
        ("devices: {}\n", "1: devices: a list is expected here, not a mapping; begin each item with '- '"),
        ("devices:\n", "1: devices: a list is expected here, not nothing; begin each item with '- '"),
        ("devices:\n  - house\n", "2: devices[0]: a mapping is expected here, not text"),
        (
            "site: home\ndevices: []\n",
            "1: site: a mapping is expected here, not text; write 'key: value' below it",
        ),
        ("devices: []\ndevicesz: []\n", "2: devicesz: unknown key; did you mean 'devices'?"),
        (
            "devices: []\nzzz: 1\n",
            "2: zzz: unknown key; known here: site, devices, controllers, arrays",
        ),
        ("devices: []\n7: 1\n", "2: [7]: unknown key; known here: site, devices, controllers, arrays"),
        (
            "devices: []\ncontrollers:\n  - {id: fermenter, enabled: false}\n",
            "3: controllers[0]: 'kind' is missing; say which kind it is: thermostat",
        ),
        (
            "devices: []\narrays: [{id: roof, packs: [x]}]\n",
            "2: arrays[0].packs[0]: 'x' is not a device; a pack is a device; there are: none",
        ),
        (
            "devices: []\nsite:\n  id: Home 1\n",
            "3: site.id: 'Home 1' is not an id; use a-z, 0-9, - and _, beginning with one of a-z and 0-9: home-1",
        ),
        (
            "devices: []\nsite:\n  timezone: Europe/Brussel\n",
            "3: site.timezone: 'Europe/Brussel' is not a time zone; did you mean 'Europe/Brussels'?",
        ),
        (
            "devices: []\nsite: {timezone: '/'}\n",
            "2: site.timezone: '/' is not a time zone; use a name such as Europe/Brussels",
        ),
        (
            "devices: []\nsite: {temperature_unit: kelvin}\n",
            "2: site.temperature_unit: 'kelvin' is not possible here; use celsius or fahrenheit",
        ),
        (
            "devices: []\nsite: {tz: UTC}\n",
            "2: site.tz: unknown key; known here: id, name, timezone, temperature_unit",
        ),
        (
            'devices: []\nsite: {name: "a\\nb"}\n',
            "2: site.name: this text holds line breaks or control characters; write one plain line",
        ),
        # --- devices
        (
            "devices:\n  - name: House\n    adapters: [{id: lan, driver: toy, url: 'toy://one'}]\n",
            "2: devices[0]: 'id' is missing; give each device an id of its own, such as 'house'",
        ),
        (
            "devices:\n  - id: house\n",
            "2: devices[0]: 'adapters' is missing; a device needs a list with at least one adapter",
        ),
        (
            "devices:\n  - id: house\n    adapters: []\n",
            "3: devices[0].adapters: this list is empty; a device needs at least one adapter",
        ),
        (
            "devices:\n  - id: house\n    adapters: {id: lan}\n",
            "3: devices[0].adapters: a list is expected here, not a mapping; begin each item with '- '",
        ),
        (
            "devices:\n  - id: 12\n    adapters: [{id: lan, driver: toy, url: 'toy://one'}]\n",
            "2: devices[0].id: text is expected here, not a number; put it in quotes",
        ),
        (
            "devices:\n  - id: ''\n    adapters: [{id: lan, driver: toy, url: 'toy://one'}]\n",
            "2: devices[0].id: this text is empty; write something or leave the key out",
        ),
        (device(more="name:\n"), "5: devices[0].name: text is expected here, not nothing"),
        (device(more="name: [a]\n"), "5: devices[0].name: text is expected here, not a list"),
        (device(more="outputts: {}\n"), "5: devices[0].outputts: unknown key; did you mean 'outputs'?"),
        (
            device(more="options: [1]\n"),
            "5: devices[0].options: a mapping is expected here, not a list; write 'key: value' below it",
        ),
        (
            device(more="outputs:\n  kitchen: 5\n"),
            "6: devices[0].outputs.kitchen: a mapping is expected here, not a number",
        ),
        (
            device(more="outputs:\n  5: {module: 1}\n"),
            '6: devices[0].outputs[5]: 5 is a number where a name belongs; write "5" in quotes',
        ),
        (
            device(more="outputs:\n  Living room: {module: 1}\n"),
            (
                "6: devices[0].outputs['Living room']: 'Living room' is not an id; "
                "use a-z, 0-9, - and _, beginning with one of a-z and 0-9: living-room"
            ),
        ),
        (
            device(more="capabilities:\n  a//b: {}\n"),
            (
                "6: devices[0].capabilities['a//b']: 'a//b' is not an id; "
                "use a-z, 0-9, - and _, beginning with one of a-z and 0-9: a-b"
            ),
        ),
        (
            device(more="options: {limit: .inf}\n"),
            "5: devices[0].options.limit: inf is not a number one can use",
        ),
        (
            device(more="options: {limit: 99999999999999999999999}\n"),
            "5: devices[0].options.limit: this number has more than 64 bits",
        ),
        # --- adapters
        (
            device("driver: toy, url: 'toy://one'"),
            "4: devices[0].adapters[0]: 'id' is missing; give each adapter of a device an id of its own, such as 'lan'",
        ),
        (device("id: lan"), "4: devices[0].adapters[0]: 'driver' is missing; name one of: toy, puppet"),
        (
            device("id: lan, driver: tyo"),
            "4: devices[0].adapters[0].driver: 'tyo' is not a driver; did you mean 'toy'? known drivers: toy, puppet",
        ),
        (
            device("id: lan, driver: zigbee"),
            "4: devices[0].adapters[0].driver: 'zigbee' is not a driver; known drivers: toy, puppet",
        ),
        (
            device("id: lan, driver: toy, url: 'toy://one', priority: high"),
            (
                "4: devices[0].adapters[0].priority: 'high' is not a whole number; "
                "use 1 for the adapter to prefer, 2 for the next"
            ),
        ),
        (
            device("id: lan, driver: toy, url: 'toy://one', priority: true"),
            (
                "4: devices[0].adapters[0].priority: true is not a whole number; "
                "use 1 for the adapter to prefer, 2 for the next"
            ),
        ),
        (
            device("id: lan, driver: toy, url: 'toy://one', standby: warm"),
            "4: devices[0].adapters[0].standby: 'warm' is not possible here; use cold or hot",
        ),
        (
            device("id: lan, driver: toy, url: 'toy://one', enabled: yes"),
            "4: devices[0].adapters[0].enabled: 'yes' is neither true nor false; use true or false",
        ),
        (
            device("id: lan, driver: toy, url: 'toy://one', prioritty: 2"),
            "4: devices[0].adapters[0].prioritty: unknown key; did you mean 'priority'?",
        ),
        (
            device("id: lan, driver: toy, url: 'toy://one', priority:2"),
            "4: devices[0].adapters[0].priority: unknown key; write 'priority: …', with a space behind the colon",
        ),
        (
            device("id: lan, driver: toy, url: 'toy://one', 9: 2"),
            (
                "4: devices[0].adapters[0][9]: unknown key; "
                "known here: id, driver, url, username, password, priority, standby, enabled"
            ),
        ),
        (
            device("id: lan, driver: toy, url: 5"),
            "4: devices[0].adapters[0].url: text is expected here, not a number; put it in quotes",
        ),
        # --- what a driver says
        (
            device(more="outputs:\n  kitchen:\n    kind: light\n    module: 17\n"),
            "8: devices[0].outputs.kitchen.module: 17 is not a module number; use 1 to 16",
        ),
        (
            device(more="outputs:\n  kitchen:\n    kind: light\n"),
            "6: devices[0].outputs.kitchen.module: None is not a module number; use 1 to 16",
        ),
        (
            device("id: lan, driver: toy, url: 'tcp://one'"),
            "4: devices[0].adapters[0].url: 'tcp://one' is not a toy's address; use toy://HOST",
        ),
        (
            device("id: lan, driver: toy, url: 'toy://one', colour: red"),
            "4: devices[0].adapters[0].colour: unknown option; known here: kind, token",
        ),
        (
            device("id: lan, driver: toy, url: 'toy://one', kind: new"),
            "4: devices[0].adapters[0].kind: this kind is unknown",
        ),
        (device(more="options: {fault: whole}\n"), "4: devices[0].adapters[0]: this adapter cannot work"),
    ],
)
def test_each_mistake_has_its_own_sentence(text: str, expected: str) -> None:
    """File, line, path, what is wrong, what would be right: and nothing else is complained about."""
    assert complaints(text) == [f"site.yaml:{expected}"]


def test_a_driver_that_crashes_is_one_problem_of_its_adapter() -> None:
    """A bug of a driver is told apart from a mistake in the file, and its place in the code is named."""
    [complaint] = complaints(device(more="options: {fault: bug}\n"))
    assert complaint.startswith(
        "site.yaml:4: devices[0].adapters[0]: the driver toy failed on this (KeyError in prepare_toy, line "
    )
    assert complaint.endswith("); please report this fault of the driver")


def test_ids_are_unique() -> None:
    """The second one is named, with the place of the first."""
    assert complaints(
        """\
        devices:
          - id: house
            adapters:
              - {id: lan, driver: toy, url: "toy://one"}
              - {id: lan, driver: toy, url: "toy://two"}
          - id: house
            adapters: [{id: lan, driver: toy, url: "toy://three"}]
        """
    ) == [
        (
            "site.yaml:5: devices[0].adapters[1].id: 'lan' is already the id of devices[0].adapters[0]; "
            "ids of adapters of a device must differ"
        ),
        "site.yaml:6: devices[1].id: 'house' is already the id of devices[0]; ids of devices must differ",
    ]


def test_who_shares_an_endpoint_agrees_on_login_driver_and_members() -> None:
    """One endpoint has one session, opened once, and what it brings has one owner; disabled adapters open nothing."""
    assert complaints(
        """\
        devices:
          - id: a
            adapters: [{id: lan, driver: toy, url: "toy://one", username: me, password: {env: TOY_PASSWORD}}]
          - id: b
            adapters: [{id: lan, driver: toy, url: "toy://one", username: me, password: {env: TOY_PASSWORD}}]
          - id: c
            adapters:
              - {id: lan, driver: toy, url: "toy://one", username: me, password: {env: OTHER_PASSWORD}}
          - id: d
            adapters: [{id: lan, driver: puppet, url: "toy://one"}]
          - id: e
            adapters: [{id: lan, driver: toy, url: "toy://one", enabled: false}]
        """
    ) == [
        (
            "site.yaml:5: devices[1].adapters[0]: what is heard on toy://one belongs to devices[0] already; "
            "give this device a path of its own, or members of its own"
        ),
        (
            "site.yaml:8: devices[2].adapters[0]: toy://one is shared with devices[0].adapters[0], "
            "which has another login; give both the same login"
        ),
        (
            "site.yaml:10: devices[3].adapters[0]: toy://one is shared with devices[0].adapters[0], "
            "whose driver is toy; one path speaks one language"
        ),
    ]


def test_a_login_that_could_not_be_had_is_not_compared() -> None:
    """One missing secret is one problem."""
    assert complaints(
        """\
        devices:
          - id: a
            adapters: [{id: lan, driver: toy, url: "toy://one", password: {env: TOY_PASSWORD}}]
          - id: b
            adapters: [{id: lan, driver: toy, url: "toy://one", password: {env: NO_SUCH}}]
        """
    ) == [
        (
            "site.yaml:5: devices[1].adapters[0].password: the environment variable NO_SUCH is not set; "
            "set it before Holdfast starts"
        )
    ]


def test_all_problems_come_at_once_in_the_order_of_their_lines() -> None:
    """A person repairs the file in one go; the driver is asked even where a secret is missing."""
    assert complaints(
        """\
        site: {timezone: Mars/Olympus}
        devices:
          - id: house
            colour: red
            adapters:
              - {id: lan, driver: toy, url: "toy://one", password: {env: NO_SUCH}, standby: warm}
              - {id: usb, driver: nope}
            outputs: {kitchen: {module: 0}}
          - id: heater
            adapters: [{id: lan, driver: toy, url: "tcp://two"}]
        """
    ) == [
        "site.yaml:1: site.timezone: 'Mars/Olympus' is not a time zone; use a name such as Europe/Brussels",
        (
            "site.yaml:4: devices[0].colour: unknown key; "
            "known here: id, name, adapters, options, outputs, capabilities"
        ),
        "site.yaml:6: devices[0].adapters[0].standby: 'warm' is not possible here; use cold or hot",
        (
            "site.yaml:6: devices[0].adapters[0].password: the environment variable NO_SUCH is not set; "
            "set it before Holdfast starts"
        ),
        "site.yaml:7: devices[0].adapters[1].driver: 'nope' is not a driver; known drivers: toy, puppet",
        "site.yaml:8: devices[0].outputs.kitchen.module: 0 is not a module number; use 1 to 16",
        "site.yaml:10: devices[1].adapters[0].url: 'tcp://two' is not a toy's address; use toy://HOST",
    ]


def test_two_adapters_report_a_shared_mistake_once() -> None:
    """Each adapter's driver sees the same outputs; people hear of them once."""
    assert complaints(
        """\
        devices:
          - id: house
            adapters:
              - {id: lan, driver: toy, url: "toy://one"}
              - {id: usb, driver: toy, url: "toy://two"}
            outputs: {kitchen: {module: 17}}
        """
    ) == ["site.yaml:6: devices[0].outputs.kitchen.module: 17 is not a module number; use 1 to 16"]


def test_without_a_file_there_is_a_path_but_no_line() -> None:
    """A program's mapping is called `site`."""
    with pytest.raises(ConfigurationError) as caught:
        read_site({"devices": [{"id": "house"}]}, FAMILIES, secrets=SecretSource())
    assert isinstance(caught.value, SiteError)
    assert str(caught.value) == (
        "site: devices[0]: 'adapters' is missing; a device needs a list with at least one adapter"
    )
    [problem] = caught.value.problems
    assert problem.path == caught.value.path == ("devices", 0)
    assert (problem.line, problem.advice) == (None, "a device needs a list with at least one adapter")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            {1, 2},
            "site: devices: a site cannot hold a value of type set; use text, numbers, lists and mappings",
        ),
        ({None: 1}, "site: devices: nothing cannot be a key; use text or a whole number"),
        ({True: 1}, "site: devices: true cannot be a key; use text or a whole number"),
        ("\ud800", "site: devices: this text holds half a character (a lone surrogate)"),
    ],
)
def test_values_that_no_file_could_hold(value: object, expected: str) -> None:
    """A program may hand over anything."""
    with pytest.raises(SiteError) as caught:
        read_site({"devices": value}, FAMILIES, secrets=SecretSource())
    assert str(caught.value) == expected


def test_a_mapping_that_holds_itself() -> None:
    """It ends at once, however often it holds itself."""
    knot: list[Any] = []
    knot += [knot, knot]
    with pytest.raises(SiteError) as caught:
        read_site({"devices": knot}, FAMILIES, secrets=SecretSource())
    assert str(caught.value).splitlines() == [
        "site: devices[0]: this holds itself",
        "site: devices[1]: this holds itself",
    ]


def test_a_number_that_python_will_not_print() -> None:
    """Beyond 4300 digits even a message about it would fail."""
    with pytest.raises(SiteError) as caught:
        read_site({"devices": 10**5000, 10**5000: 1}, FAMILIES, secrets=SecretSource())  # type: ignore[dict-item]
    assert str(caught.value).splitlines() == [
        "site: devices: this number has more than 64 bits",
        "site: this number has more than 64 bits",
    ]


def test_a_mapping_that_does_not_end() -> None:
    """Nesting is followed as deep as any real site goes, and not to the end of the stack."""
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(SiteError, match=r"\[0\]: this is nested more than 32 levels deep$"):
        read_site({"devices": deep}, FAMILIES, secrets=SecretSource())


def test_without_a_time_zone_database_nobody_can_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows and small containers have none; the zone is for display only and is believed."""

    def missing(name: str) -> None:
        raise zoneinfo.ZoneInfoNotFoundError(name)

    monkeypatch.setattr(zoneinfo, "ZoneInfo", missing)
    monkeypatch.setattr(zoneinfo, "available_timezones", set)
    assert read("site: {timezone: Mars/Olympus}\ndevices: []\n").timezone == "Mars/Olympus"


def test_a_mapping_needs_the_standard_library_only() -> None:
    """Home Assistant has no ruamel.yaml of ours; the whole package loads without."""
    program = """
import sys
sys.modules["ruamel"] = None
from holdfast.hub.site import SecretSource, read_site
from holdfast.hub.site import dump_site
assert read_site({"devices": []}, {}, secrets=SecretSource()).id == "home"
assert dump_site({"devices": []}) == "devices: []\\n"
assert not any(name.partition(".")[0] == "ruamel" for name in sys.modules if sys.modules[name])
"""
    subprocess.run([sys.executable, "-c", program], check=True)
