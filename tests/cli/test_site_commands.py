"""Commands around site files: check, import, and those that run over one session without a hub."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from holdfast.cli.own_hub import OwnHub
from tests.cli.house import PASSWORD_ENV, House, Invoke, program, site_file

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("cli")

MAP = """\
lights:
  kitchen: {module: 1, output: 1, type: switch, display_name: Kitchen}
  Salon: {module: 6, output: 2, type: dimmer, display_name: Salon}
shutters:
  blind_d: {module: 5, output: 7, type: switch, relay_role: down, paired_device: blind_u, display_name: Blind}
  blind_u: {module: 5, output: 8, type: switch, relay_role: up, paired_device: blind_d, display_name: Blind}
switches:
  boiler: {module: 2, output: 1, type: switch}
"""


# --- check ------------------------------------------------------------------------------------------------------


def test_check_counts_what_it_finds(tmp_path: Path, invoke: Invoke) -> None:
    """A good file: 0, and what is in it."""
    done = invoke("check", str(site_file(tmp_path, 5000)))
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("site.yaml is fine: 1 device, 16 values\n")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("devices:", "devices: [", "site.yaml:"),
        ("name: Hall", "nahme: Hall", "nahme"),
        ("driver: ipcom", "driver: ipcon", "did you mean 'ipcom'"),
        ("password: {env: CLI_TEST_PASSWORD}", "password: demo", "must not stand in a site file"),
        ("env: CLI_TEST_PASSWORD", "env: NOWHERE_SET", "NOWHERE_SET is not set"),
    ],
)
def test_a_bad_file_is_two_with_its_line(
    tmp_path: Path, invoke: Invoke, old: str, new: str, said: str
) -> None:
    """For check, serve and --site alike: file, line, what is wrong; nothing is started."""
    site = site_file(tmp_path, 5000)
    text = site.read_text()
    assert old in text
    site.write_text(text.replace(old, new, 1))
    for command in (["check", str(site)], ["serve", "--site", str(site)], ["status", "--site", str(site)]):
        done = invoke(*command)
        assert (done.code, done.out) == (2, "")
        assert said in done.err
        assert done.err.startswith(f"{site}:")
        assert done.err[len(f"{site}:")].isdigit()


def test_no_file_at_all(tmp_path: Path, invoke: Invoke) -> None:
    """Named, and not a traceback."""
    done = invoke("check", str(tmp_path / "none.yaml"))
    assert done.code == 2
    assert "none.yaml: there is no such file" in done.err


# --- import -----------------------------------------------------------------------------------------------------


def test_import_prints_a_site_file(tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed passes `check` once the login is there; what changed its name is said beside it."""
    old = tmp_path / "devices.yaml"
    old.write_text(MAP)
    done = invoke("import", "ipcom", str(old))
    assert done.code == 0
    assert "devices.yaml:3: lights.Salon: it is called salon now" in done.err
    site = tmp_path / "site.yaml"
    site.write_text(done.out)
    outputs = YAML(typ="safe").load(done.out)["devices"][0]["outputs"]
    assert set(outputs) == {"kitchen", "salon", "boiler", "blind"}
    assert outputs["boiler"]["kind"] == "switch"
    assert invoke("check", str(site)).code == 2
    checked = invoke("check", str(site), IPCOM_USERNAME="me", IPCOM_PASSWORD="secret")
    assert (checked.code, checked.err) == (0, "")


def test_import_refuses_a_map_that_would_be_dangerous(tmp_path: Path, invoke: Invoke) -> None:
    """All problems with their lines, and no half of a site file."""
    old = tmp_path / "devices.yaml"
    old.write_text(MAP.replace("relay_role: up", "relay_role: down").replace("output: 2", "output: 9"))
    done = invoke("import", "ipcom", str(old))
    assert (done.code, done.out) == (2, "")
    assert "devices.yaml:6: shutters.blind_u" in done.err
    assert "devices.yaml:3: lights.Salon.output" in done.err
    assert "nothing was written" in done.err


# --- over one session ---------------------------------------------------------------------------------------------


@pytest.fixture
def site(house: House, tmp_path: Path) -> list[str]:
    """The option that names the house's site file."""
    return ["--site", str(site_file(tmp_path, house.port))]


def test_without_a_hub(house: House, site: list[str], invoke: Invoke) -> None:
    """status, set, the friendly names and test connect, do their work, and say goodbye."""
    status = json.loads(invoke("status", "--json", *site).out)
    assert status["devices"][0]["availability"] == "online"
    done = invoke("set", "house/kitchen", "on", *site)
    assert (done.code, done.err) == (0, "")
    assert house.controller.house.value(1, 2) == 255
    assert invoke("toggle", "KITCHEN", *site).code == 0
    assert house.controller.house.value(1, 2) == 0
    tested = invoke("test", "house", "--seconds", "1", "--set", "house/bedroom=50", *site)
    assert tested.code == 0, tested.out
    assert "house/bedroom 50 was confirmed by the device, and 0 again" in tested.out
    heard = house.heard()
    assert heard.count("login accepted") == heard.count("client said goodbye") == 4
    assert heard.count("connected") == 4


def test_debug_tells_what_the_link_does(site: list[str], invoke: Invoke) -> None:
    """On standard error, without the password, and beside valid JSON."""
    done = invoke("--debug", "status", "--json", *site, **{PASSWORD_ENV: "wrong-word"})
    assert json.loads(done.out)["devices"][0]["reason"]["code"] == "login_refused"
    assert done.code == 1
    assert "house: setting up" in done.err
    assert "wrong-word" not in done.err


def test_what_keeps_a_session_from_opening(tmp_path: Path, house: House, invoke: Invoke) -> None:
    """Each with its own words and 1: nobody there, wrong password, unknown host."""
    with House() as other:
        gone = other.port
    nobody = ["--site", str(site_file(tmp_path, gone))]
    status = invoke("status", *nobody)
    assert status.code == 1
    assert "offline" in status.out
    assert "refused the connection" in status.out
    tested = invoke("test", "house", *nobody)
    assert tested.code == 1
    assert "✗ port" in tested.out
    assert "Check the port" in tested.out
    assert tested.out.count("not reached") == 6
    toggled = invoke("toggle", "kitchen", *nobody)
    assert toggled.code == 1
    assert "nobody knows what it is now" in toggled.err
    command = invoke("set", "kitchen", "on", "--timeout", "0.5", *nobody)
    assert command.code == 1
    assert command.out.startswith("expired: house/kitchen on")
    wrong = invoke(
        "test", "house", "--site", str(site_file(tmp_path, house.port)), **{PASSWORD_ENV: "wrong-word"}
    )
    assert wrong.code == 1
    assert "✓ port" in wrong.out
    assert "✗ login" in wrong.out
    assert "wrong-word" not in wrong.out + wrong.err
    unknown = site_file(tmp_path, 5000, url="tcp://no-such-host.invalid:5000")
    lost = invoke("test", "house", "--site", str(unknown))
    assert lost.code == 1
    assert "✗ resolve" in lost.out


def test_only_the_device_that_is_meant_is_dialled(tmp_path: Path, house: House, invoke: Invoke) -> None:
    """A test of one device leaves the others in peace; an unknown one is wrong usage before anything is dialled."""
    site = site_file(tmp_path, house.port)
    data = YAML(typ="safe").load(site)
    cabin = json.loads(json.dumps(data["devices"][0]).replace('"house"', '"cabin"'))
    cabin["adapters"][0]["url"] = "tcp://127.0.0.1:9"
    data["devices"].append(cabin)
    with site.open("w") as file:
        YAML().dump(data, file)
    assert invoke("set", "house/kitchen", "on", "--site", str(site)).code == 0
    ambiguous = invoke("on", "kitchen", "--site", str(site))
    assert ambiguous.code == 2
    assert "cabin/kitchen, house/kitchen" in ambiguous.err
    unknown = invoke("status", "barn", "--site", str(site))
    assert unknown.code == 2
    assert "house, cabin" in unknown.err
    assert house.heard().count("connected") == 1


@pytest.mark.blocking_allowed
def test_watch_without_a_hub_says_goodbye_on_sigterm(house: House, site: list[str]) -> None:
    """A watcher that is told to end takes leave of the device."""
    with program("watch", *site) as watching:
        watching.expect("house/salon +40 %")
        house.do(lambda: house.controller.house.press(2, 2))
        watching.expect("house/bath: off → on")
        ended = watching.stop()
    assert (ended.code, ended.err) == (0, "")
    assert house.heard()[-2:] == ["client said goodbye", "ended"]


def test_records_are_those_of_the_api(tmp_path: Path, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a hub of one's own tells has the very keys that the API promises."""
    import msgspec

    from holdfast.web.api import shapes

    def keys(shape: type[msgspec.Struct]) -> set[str]:
        return {field.encode_name for field in msgspec.structs.fields(shape)}

    monkeypatch.setenv(PASSWORD_ENV, "demo")
    own = OwnHub.of_file(site_file(tmp_path, house.port))
    try:
        own.settle(5.0)
        receipt = own.command("house/kitchen", True, timeout_s=None, wait=True)
        device = own.device("house")
        assert keys(shapes.DeviceShape) == set(device)
        assert keys(shapes.AdapterShape) == set(device["adapters"][0])
        assert keys(shapes.CapabilityShape) - {"aliases"} == set(device["capabilities"][0]) - {"aliases"}
        assert keys(shapes.ReasonShape) == set(device["reason"])
        assert keys(shapes.ReadingShape) == set(own.readings()[0])
        assert keys(shapes.ReceiptShape) == set(receipt)
        assert keys(shapes.LinkShape) == set(own.links()[0])
        assert keys(shapes.RedundancyShape) == set(device["redundancy"])
        own.hub.alarm_changed(own.hub.device("house"), "blind", "both relays are on", is_on=True)
        assert keys(shapes.AlarmShape) == set(own.alarms()[0])
        changes = own.changes()
        next(changes)
        own.hub.note("failover", "a -> b", device="house", decision="moved")
        event = next(each.record for each in changes if each.kind == "event")
        assert {"kind", "device", "text", "data"} <= set(event)
        assert event["data"]["decision"] == "moved"
    finally:
        own.close()
