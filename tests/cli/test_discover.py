"""``discover`` and ``init``: what is printed, written and told, and how they end."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner

from holdfast import app
from holdfast.app import FAMILIES
from holdfast.cli import discovery_site
from holdfast.cli.commands.discover import discover, init
from holdfast.cli.discovery import with_login
from holdfast.cli.discovery_site import devices_of
from holdfast.cli.program import Program
from holdfast.drivers.tilt.driver import family as tilt_family
from holdfast.errors import ConfigurationError, Unreachable
from holdfast.hub.site.yaml import load_site, parse_yaml
from holdfast.link.discovery import Discovery, Found, Sweep
from holdfast.simulators.kasa import CLOSED, klap_v2
from tests.cli.house import Ended, Invoke, environment
from tests.cli.plugs import ACCOUNT, OWN_ADDRESSES, Street, mac_of, station

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.xdist_group("cli"), pytest.mark.blocking_allowed]
LOGIN = {"KASA_USERNAME": ACCOUNT.user, "KASA_PASSWORD": ACCOUNT.password}
QUICK = ("--seconds", "1")


@pytest.fixture
def look() -> Invoke:
    """The two commands, as the program runs them."""
    program = typer.Typer(cls=Program, pretty_exceptions_enable=False)
    program.command()(discover)
    program.command()(init)

    def run(*arguments: str, typed: str = "", **environ: str) -> Ended:
        result = CliRunner().invoke(program, arguments, input=typed, env={**environment(), **environ})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def families(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What each family finds, or raises, in the place of the real ones."""

    def let(**results: Any) -> None:
        def looking(result: Any) -> Any:
            async def look(sweep: Sweep) -> Discovery:
                if isinstance(result, Exception):
                    raise result
                return result if isinstance(result, Discovery) else Discovery(result)

            return look

        known = {
            name: replace(each, discover=looking(results[name]) if name in results else None)
            for name, each in FAMILIES.items()
        }
        monkeypatch.setattr(app, "FAMILIES", known)

    return let


HEATER = Found(driver="kasa", url="kasa://192.168.1.71", name="Heater", mac=mac_of(1), kind="legacy")
TILT = Found(
    driver="tilt",
    url="ble://red",
    name="Tilt red",
    kind="red",
    signal_dbm=-60.0,
    values={"temperature": 20.0, "gravity": 1.016},
)
NO_EXTRA = ConfigurationError("Bluetooth needs the extra 'ble'", advice="pip install 'holdfast[ble]'")
NO_RADIO = Unreachable("there is no radio", advice="Buy one.")


# --- with real sockets ---------------------------------------------------------------------------------------------


@OWN_ADDRESSES
def test_plugs_are_found_and_written_down(look: Invoke, invoke: Invoke, tmp_path: Path) -> None:
    """From nothing to a site file that reaches the plugs; the password stands nowhere."""
    plugs = (
        station(1, alias="Heizung für Gärung"),
        station(2, klap_v2(ACCOUNT), alias="Fridge"),
        station(3, CLOSED),
    )
    site = tmp_path / "site.yaml"
    with Street(*plugs):
        targets = [word for each in plugs for word in ("--target", each.host)]
        told = look("discover", "--family", "kasa", *QUICK, *targets, **LOGIN, COLUMNS="160")
        as_json = look("discover", "--family", "kasa", *QUICK, *targets, "--json", **LOGIN)
        wrote = look("init", str(site), "--family", "kasa", *QUICK, *targets, **LOGIN)
        status = json.loads(invoke("status", "--site", str(site), "--json", **LOGIN).out)
    assert (told.code, told.err, as_json.err) == (0, "", "")
    assert "Heizung für Gärung" in told.out
    assert f"kasa://{plugs[1].host}" in told.out
    assert re.search(r"tpap +– +unsupported", told.out)
    assert "Third-Party Compatibility" in told.out
    found = json.loads(as_json.out)
    assert found["faults"] == []
    assert [each["name"] for each in found["found"]] == ["Heizung für Gärung", "Fridge", ""]
    assert [each["is_supported"] for each in found["found"]] == [True, True, False]
    printed = parse_yaml(told.out.partition("devices:")[1] + told.out.partition("devices:")[2], "out").value
    assert printed["devices"] == [each["site"] for each in found["found"] if each["site"]]
    assert wrote.code == 0
    assert wrote.out.startswith(f"{site}: 2 devices.")
    assert {each["id"]: each["availability"] for each in status["devices"]} == {
        "heizung-fur-garung": "online",
        "fridge": "online",
    }
    assert "TPAP" in site.read_text()
    assert ACCOUNT.password not in told.out + as_json.out + wrote.out + site.read_text()


@OWN_ADDRESSES
def test_the_login_may_be_typed(look: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for on standard error, and never repeated."""
    monkeypatch.setattr("getpass.getpass", lambda prompt, stream: ACCOUNT.password)
    plug = station(4, klap_v2(ACCOUNT), alias="Fridge")
    with Street(plug):
        arguments = ("discover", "--family", "kasa", *QUICK, "--target", plug.host, "--login", "--json")
        done = look(*arguments, typed=f"{ACCOUNT.user}\n")
    assert json.loads(done.out)["found"][0]["name"] == "Fridge"
    assert done.err == "Account: "
    assert ACCOUNT.password not in done.out + done.err


def test_without_an_account_nobody_is_asked(look: Invoke, families: Callable[..., None]) -> None:
    families(kasa=AssertionError("asked"))
    done = look("discover", "--login")
    assert (done.code, done.out) == (2, "")
    assert "no account was given" in done.err


def test_a_missing_extra_is_one_line(look: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real families, without their libraries: usage, since only an owner can change that."""
    monkeypatch.setitem(sys.modules, "kasa", None)
    monkeypatch.setitem(sys.modules, "bleak", None)
    done = look("discover", *QUICK)
    assert (done.code, done.out) == (2, "")
    assert [line.partition(":")[0] for line in done.err.splitlines()] == ["kasa", "tilt"]
    assert "pip install 'holdfast[kasa]'" in done.err
    assert "pip install 'holdfast[ble]'" in done.err


# --- the words -----------------------------------------------------------------------------------------------------


def test_one_family_that_could_look_is_enough(look: Invoke, families: Callable[..., None]) -> None:
    families(kasa=NO_EXTRA, tilt=[TILT])
    done = look("discover")
    assert done.code == 0
    assert done.err == "kasa: Bluetooth needs the extra 'ble'. pip install 'holdfast[ble]'\n"
    assert "20 °C, 1.016" in done.out
    assert "-60 dBm" in done.out
    assert '{id: ble, driver: tilt, url: "ble://red"}' in done.out


def test_to_find_nothing_is_no_failure(look: Invoke, families: Callable[..., None]) -> None:
    families(kasa=[], tilt=NO_RADIO)
    done = look("discover")
    assert (done.code, done.out) == (0, "nothing was found\n")
    assert json.loads(look("discover", "--json").out) == {
        "found": [],
        "faults": [{"family": "tilt", "text": "there is no radio", "advice": "Buy one."}],
    }


@pytest.mark.parametrize(
    ("kasa", "tilt", "code"), [(NO_EXTRA, NO_EXTRA, 2), (NO_EXTRA, NO_RADIO, 1), (NO_RADIO, NO_RADIO, 1)]
)
def test_where_nobody_could_look(
    look: Invoke, families: Callable[..., None], kasa: Exception, tilt: Exception, code: int
) -> None:
    """Not found and not looked are two things."""
    families(kasa=kasa, tilt=tilt)
    done = look("discover")
    assert (done.code, done.out) == (code, "")


def test_places_that_could_not_be_asked_are_told_beside_what_was_found(
    look: Invoke, families: Callable[..., None]
) -> None:
    families(kasa=Discovery([HEATER], [NO_RADIO]))
    done = look("discover")
    assert done.code == 0
    assert "Heater" in done.out
    assert done.err == "kasa: there is no radio. Buy one.\n"


@pytest.mark.parametrize(("family", "words"), [("nope", "is no family"), ("jkbms", "cannot look around")])
def test_families_that_are_none(look: Invoke, family: str, words: str) -> None:
    done = look("discover", "--family", family)
    assert (done.code, done.out) == (2, "")
    assert f"'{family}' {words}" in done.err
    assert "Use one of kasa, tilt." in done.err


def test_a_name_cannot_drive_a_terminal(look: Invoke, families: Callable[..., None], tmp_path: Path) -> None:
    """Whoever names a plug is not whoever reads the name; a site file takes it whole or not at all."""
    families(kasa=[replace(HEATER, name='x\x1b[2J"\n# y: {'), replace(TILT, name="\n\x07", mac=mac_of(1))])
    done = look("discover")
    assert "\x1b" not in done.out
    site = tmp_path / "site.yaml"
    assert look("init", str(site)).code == 0
    names = [each.device.name for each in load_site(site, FAMILIES).devices]
    assert names == ['x [2J" # y: {', "tilt-000001"]


def test_the_environment_names_the_family() -> None:
    """What was typed wins."""
    environ = {"KASA_USERNAME": "me", "KASA_PASSWORD": "secret"}
    assert with_login(Sweep(seconds=1), "kasa", environ) == Sweep(seconds=1, username="me", password="secret")
    assert with_login(Sweep(seconds=1), "tilt", environ) == Sweep(seconds=1)
    typed = Sweep(seconds=1, username="you", password="other")
    assert with_login(typed, "kasa", environ) == typed
    assert "secret" not in repr(with_login(Sweep(seconds=1), "kasa", environ))


# --- a site file ---------------------------------------------------------------------------------------------------


def test_ids_are_made_of_names_and_differ() -> None:
    """Plain small letters; without a name the family and the end of the hardware address."""
    names = ["Heater", "heater!", "Gärkeller Süd", "", "冷蔵庫"]
    found = [replace(HEATER, name=name) for name in names]
    devices = devices_of([*found, replace(HEATER, name="", mac="")])
    ids = [each["id"] for each in devices if each is not None]
    assert ids == ["heater", "heater-2", "garkeller-sud", "kasa-000001", "kasa-000001-2", "kasa"]


def test_a_login_stands_in_a_site_file_by_its_variables() -> None:
    (device,) = devices_of([replace(HEATER, needs_login=True, adapter={"kind": "klap"})])
    assert device is not None
    assert device["adapters"] == [
        {
            "id": "lan",
            "driver": "kasa",
            "url": "kasa://192.168.1.71",
            "username": {"env": "KASA_USERNAME"},
            "password": {"env": "KASA_PASSWORD"},
            "kind": "klap",
        }
    ]


def test_init_without_devices_shows_how_they_look(
    look: Invoke, families: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is fine as it is, and one whose comments are fine, too."""
    monkeypatch.chdir(tmp_path)
    families(kasa=[], tilt=NO_EXTRA)
    done = look("init")
    assert done.code == 0
    assert done.out.startswith("site.yaml: 0 devices.")
    assert done.err.startswith("tilt: ")
    assert load_site(tmp_path / "site.yaml", FAMILIES).devices == ()
    assert (
        "# tilt: Bluetooth needs the extra 'ble'. pip install 'holdfast[ble]'."
        in (tmp_path / "site.yaml").read_text()
    )
    example = tmp_path / "example.yaml"
    example.write_text(discovery_site.EXAMPLE.partition("\n\n")[2])
    known = {**FAMILIES, "tilt": tilt_family()}
    assert [each.device.id for each in load_site(example, known).devices] == ["heater", "tilt-red"]


def test_init_never_touches_a_file_that_is_there(
    look: Invoke, families: Callable[..., None], tmp_path: Path
) -> None:
    """Nor is the network asked for it."""
    families(kasa=AssertionError("asked"))
    site = tmp_path / "site.yaml"
    site.write_text("mine")
    done = look("init", str(site))
    assert (done.code, done.out) == (2, "")
    assert "left as it is" in done.err
    assert site.read_text() == "mine"
    done = look("init", str(tmp_path / "nowhere" / "site.yaml"))
    assert done.code == 2
    assert "there is no folder" in done.err


def test_a_file_that_appears_meanwhile_is_not_touched_either(
    look: Invoke, families: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site.yaml"

    async def look_slowly(sweep: Sweep) -> Discovery:
        site.write_text("theirs")
        return Discovery([HEATER])

    families(kasa=[])
    monkeypatch.setattr(app, "FAMILIES", {"kasa": replace(FAMILIES["kasa"], discover=look_slowly)})
    assert look("init", str(site)).code == 2
    assert site.read_text() == "theirs"


def test_a_folder_that_cannot_be_written_in(
    look: Invoke, families: Callable[..., None], tmp_path: Path
) -> None:
    families(kasa=[HEATER])
    done = look("init", str(tmp_path / ("x" * 300)))
    assert done.code == 2
    assert "cannot be written" in done.err
