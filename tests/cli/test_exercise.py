"""``test`` with its exercise over simulated plugs on real sockets: by a hub, and without one."""

from __future__ import annotations

import json
import re
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.hub.site.write import dump_site
from holdfast.simulators.kasa import NoAnswer, NoEffect, Stall, Which, klap_v2
from tests.cli.cellar import cellar_site, post, street
from tests.cli.house import START_S, Invoke, program, served
from tests.cli.plugs import ACCOUNT, OWN_ADDRESSES, Street, station

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from holdfast.simulators.kasa import KasaPlug

pytestmark = [pytest.mark.xdist_group("cli"), pytest.mark.blocking_allowed, OWN_ADDRESSES]
PASSWORD = "KASA_TEST_PASSWORD"
QUICK = ("--seconds", "1")


def site_of(
    folder: Path, plug: KasaPlug, *, kind: str = "legacy", port: int | None = None, **options: Any
) -> Path:
    """A site file with one plug."""
    lan: dict[str, Any] = {
        "id": "lan",
        "driver": "kasa",
        "url": f"kasa://{plug.host}:{port or plug.port}",
        "kind": kind,
    }
    if kind != "legacy":
        lan |= {"username": ACCOUNT.user, "password": {"env": PASSWORD}}
    path = folder / "site.yaml"
    path.write_text(dump_site({"devices": [{"id": "heater", "adapters": [lan], "options": options}]}))
    return path


def moves(plug: KasaPlug) -> list[bool]:
    """Where the relay went."""
    return [each.is_on for each in plug.truth.relay]


def until(condition: Callable[[], object], within_s: float = START_S) -> None:
    """Wait until it holds."""
    end_t = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_t, "it never came to hold"
        time.sleep(0.02)


def test_without_a_hub(invoke: Invoke, tmp_path: Path) -> None:
    """Over and back, each proved, each with its time; one JSON object tells the same."""
    plug = station(1)
    with Street(plug):
        site = str(site_of(tmp_path, plug))
        told = invoke("test", "heater", "--exercise", *QUICK, "--site", site)
        as_json = invoke("test", "heater", "switch", "--exercise", *QUICK, "--site", site, "--json")
    assert (told.code, told.err, as_json.code, as_json.err) == (0, "", 0, "")
    assert moves(plug) == [True, False] * 2
    assert re.search(
        r"✓ device .*heater/switch off, verified .* ago; heater/rssi -\d+ dBm, verified", told.out
    )
    assert re.search(r"✓ switch over +0\.\d s  heater/switch on was confirmed", told.out)
    assert re.search(r"✓ switch back +0\.\d s  heater/switch off was confirmed", told.out)
    record = json.loads(as_json.out)
    assert record["passed"] is True
    assert [each["verdict"] for each in record["phases"]] == ["passed"] * 10
    assert record["exercise"]["target"] == "heater/switch"
    assert (record["exercise"]["before"], record["exercise"]["restored_to"]) == (False, False)
    assert all(each["took_s"] >= 0.5 for each in record["exercise"]["attempts"])
    assert {each["target"] for each in record["readings"]} == {"heater/switch", "heater/rssi"}


def test_through_a_hub(invoke: Invoke, tmp_path: Path) -> None:
    """Over the link that controls it: the plug sees one client only. What was on is on again."""
    plug = station(2)
    with Street(plug) as street:
        street.do(plug.plug.press)
        with served(site_of(tmp_path, plug), tmp_path / "data", HOLDFAST_LOOP="asyncio") as (hub, url):
            hub.expect("first data after", among=hub.complaints)
            done = invoke("test", "heater", "--exercise", *QUICK, HOLDFAST_URL=url)
            unknown = invoke("test", "heater", "nothing", "--exercise", HOLDFAST_URL=url)
    assert (done.code, done.err) == (0, "")
    assert moves(plug) == [True, False, True]
    assert plug.truth.most_connections == 1
    assert unknown.code == 2
    assert "nothing called 'nothing'" in unknown.err


def test_what_a_controller_owns(invoke: Invoke, tmp_path: Path) -> None:
    """Refused with the reason and what to do; a person may take it over. Without its controller nobody guards it."""
    with street() as plugs:
        heater, fridge = plugs.plugs
        site = cellar_site(tmp_path, heater.port, fridge.port)
        with served(site, tmp_path / "data", HOLDFAST_LOOP="asyncio") as (hub, url):
            hub.expect("heater: first data after", among=hub.complaints)
            post(url, 19.0)  # it decides, and with that lets go of its OFF at the start
            until(lambda: "belongs to" in invoke("set", "heater/switch", "on", HOLDFAST_URL=url).out)
            refused = invoke("test", "heater", "--exercise", *QUICK, HOLDFAST_URL=url)
            before = moves(heater)
            taken = invoke("test", "heater", "--exercise", "--take-over", "300", *QUICK, HOLDFAST_URL=url)
        unguarded = [
            invoke("test", "heater", *each, "--site", str(site))
            for each in (("--exercise",), ("--set", "switch=on"))
        ]
    assert (refused.code, before) == (1, [])
    assert "heater/switch belongs to fermenter" in refused.out
    assert "--take-over 300" in refused.out
    assert (taken.code, taken.err) == (0, ""), taken.out
    assert moves(heater) == [True, False]
    for each in unguarded:
        assert each.code == 2
        assert "belongs to fermenter, which does not run here" in each.err


def test_what_must_end_off_is_proved_off_first(invoke: Invoke, tmp_path: Path) -> None:
    """Without a hub, too, the OFF at the start comes before everything else."""
    plug = station(3)
    with Street(plug) as street:
        street.do(plug.plug.press)
        site = str(site_of(tmp_path, plug, fail_safe=False))
        done = invoke("test", "heater", "--exercise", *QUICK, "--site", site)
    assert (done.code, done.err) == (0, "")
    assert moves(plug) == [True, False, True, False]


@pytest.mark.timeout(120)
def test_a_plug_that_says_yes_and_does_nothing(invoke: Invoke, tmp_path: Path) -> None:
    """Found out by reading back, whatever it acknowledged; three attempts, and it is put back all the same."""
    plug = station(4)
    with Street(plug) as street:
        street.do(lambda: plug.begin(NoEffect()))
        done = invoke("test", "heater", "--exercise", *QUICK, "--site", str(site_of(tmp_path, plug)))
    assert done.code == 1
    assert re.search(r"✗ switch over .* failed: heater/switch on \(.*3 attempts\)", done.out)
    assert "reports off" in done.out
    assert re.search(r"✓ switch back .*heater/switch off was confirmed", done.out)
    assert moves(plug) == []
    assert len(plug.truth.relay_sets) >= 4


def test_a_silent_plug(invoke: Invoke, tmp_path: Path) -> None:
    """It accepts the connection and says no more: timed out, with what to check."""
    trouble = Stall(which=Which.READ | Which.SET)
    plug = station(5)
    with Street(plug) as street:
        street.do(lambda: plug.begin(trouble))
        done = invoke("test", "heater", "--exercise", *QUICK, "--site", str(site_of(tmp_path, plug)))
    assert done.code == 1
    assert re.search(r"✗ (port|login) .*timed out", done.out)
    assert "Check the plug's power" in done.out
    assert "switch over" in done.out
    assert plug.truth.relay_sets == []


def test_nobody_there(invoke: Invoke, tmp_path: Path) -> None:
    """The connection is refused."""
    plug = station(6)
    with Street(plug):
        done = invoke("test", "heater", "--exercise", "--site", str(site_of(tmp_path, plug, port=9)))
    assert done.code == 1
    assert re.search(r"✗ port .*refused: nothing listens there", done.out)


def test_a_wrong_login(invoke: Invoke, tmp_path: Path) -> None:
    """What to check; the password is not repeated."""
    plug = station(7, klap_v2(ACCOUNT))
    with Street(plug):
        site = str(site_of(tmp_path, plug, kind="klap"))
        environ = {PASSWORD: "another-unlikely-word"}
        done = invoke("test", "heater", "--exercise", "--site", site, "--json", **environ)
        right = invoke("test", "heater", "--exercise", *QUICK, "--site", site, **{PASSWORD: ACCOUNT.password})
    assert (done.code, right.code) == (1, 0)
    record = json.loads(done.out)
    (failed,) = (each for each in record["phases"] if each["verdict"] == "failed")
    assert failed["name"] == "login"
    assert "the login was refused" in failed["text"]
    assert "upper and lower case" in failed["advice"]
    assert record["exercise"]["attempts"] == []
    assert "another-unlikely-word" not in done.out + done.err


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_cut_short_the_plug_is_put_back(tmp_path: Path, number: signal.Signals) -> None:
    """In the moment in which it was switched on and its answer is lost."""
    plug = station(8)
    with Street(plug) as street:
        street.do(lambda: plug.begin(NoAnswer(which=Which.SET, times=1)))
        site = str(site_of(tmp_path, plug))
        with program("test", "heater", "--exercise", *QUICK, "--site", site) as running:
            until(lambda: moves(plug) == [True])
            ended = running.stop(number)
    assert moves(plug) == [True, False]
    assert ended.code != 0
    assert "interrupted: putting heater/switch back to off" in ended.err
    assert "heater/switch off was confirmed by the device" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("switch",), "what shall be done with 'switch'"),
        (("--exercise", "--set", "switch=true"), "do not go together"),
        (("--take-over", "60"), "goes with --exercise or --set"),
        (("--exercise", "--take-over", "60"), "with --site no controller runs"),
    ],
)
def test_options_that_do_not_go_together(
    invoke: Invoke, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    site = () if "goes with" in words else ("--site", str(tmp_path / "none.yaml"))
    done = invoke("test", "heater", *arguments, *site)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
