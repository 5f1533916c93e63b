"""A plug on real sockets as a process of its own, a hub as another, and what the command line says of both."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from holdfast.cli.log_output import logging_to_stderr
from holdfast.hub.site.write import dump_site
from tests.cli.house import START_S, Invoke, environment, run, served, site_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.xdist_group("cli"), pytest.mark.blocking_allowed]

PASSWORD = "a-long-and-unlikely-word"
STALE_S = 60.0
"""Twice the deadline of a reading: more would be no stale reading at all."""


class Outlet(NamedTuple):
    """A simulated plug; ``told`` is what it says of its relay."""

    process: subprocess.Popen[bytes]
    port: int
    output: Path

    def told(self) -> list[str]:
        """What moved the relay, line by line."""
        return self.output.read_text().splitlines()[1:]


@contextlib.contextmanager
def outlet(folder: Path, *arguments: str) -> Iterator[Outlet]:
    """A plug in its socket until the end of the block."""
    output = folder / "plug.txt"
    command = [sys.executable, "-m", "holdfast.simulators.kasa", "--port", "0", *arguments]
    with output.open("wb") as out, subprocess.Popen(command, stdout=out, env=environment()) as process:
        try:
            until(lambda: output.read_text().endswith("\n"), START_S)
            yield Outlet(process, int(output.read_text().rpartition(":")[2]), output)
        finally:
            process.kill()


def until(condition: Callable[[], object], within_s: float) -> None:
    """Wait until it holds."""
    end_t = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_t, "it never came to hold"
        time.sleep(0.05)


def kasa_site(folder: Path, port: int, *, adapter: dict[str, Any] | None = None, **options: Any) -> Path:
    """A site file with one plug."""
    lan = {"id": "lan", "driver": "kasa", "url": f"kasa://127.0.0.1:{port}", **(adapter or {})}
    device = {"id": "heater", "name": "Heater", "adapters": [lan], "options": options}
    path = folder / "kasa.yaml"
    path.write_text(dump_site({"site": {"id": "brewery", "name": "Brewery"}, "devices": [device]}))
    return path


def status(invoke: Invoke, url: str) -> dict[str, Any]:
    """What is known of the plug."""
    (device,) = json.loads(invoke("status", "--json", HOLDFAST_URL=url).out)["devices"]
    return {**device, "readings": {each["target"]: each for each in device["readings"]}}


def test_switched_on_with_its_timer_and_off_at_the_end(tmp_path: Path, invoke: Invoke) -> None:
    """Proved by reading back, metered, wound up; the hub's last word to a heater is off."""
    with outlet(tmp_path, "--load", "40") as plug:
        site = kasa_site(tmp_path, plug.port, kind="legacy", fail_safe=False, dead_man_s=600)
        checked = invoke("check", str(site))
        assert (checked.code, checked.err) == (0, "")
        with served(site, tmp_path / "data", HOLDFAST_LOOP="asyncio") as (hub, url):
            hub.expect("first data after", among=hub.complaints)
            done = run("set", "heater/switch", "true", HOLDFAST_URL=url)
            while done.out.startswith("refused: ") and "a standing order holds it at off" in done.out:
                done = run(
                    "set", "heater/switch", "true", HOLDFAST_URL=url
                )  # the OFF at the start is not proved yet
            assert (done.code, done.err) == (0, ""), done.out
            assert done.out.startswith("verified: heater/switch on (after ")
            assert plug.told() == ["on (command)"]
            readings = status(invoke, url)["readings"]
            ended = hub.stop(signal.SIGINT)
        assert plug.told() == ["on (command)", "off (command)"]
    assert (readings["heater/switch"]["value"], readings["heater/switch"]["quality"]) == (True, "good")
    assert readings["heater/dead_man_state"]["value"] == "armed"
    assert readings["heater/power"]["quality"] == "good"
    assert ended.code == 0
    assert "Traceback" not in ended.err


@pytest.mark.skipif(sys.platform == "win32", reason="processes cannot be halted")
@pytest.mark.timeout(180)
def test_a_plug_that_falls_silent_is_stale_and_comes_back(tmp_path: Path, invoke: Invoke) -> None:
    """A halted process keeps its connections and says nothing, as a plug does whose power is cut."""
    with outlet(tmp_path) as plug:
        site = kasa_site(tmp_path, plug.port, kind="legacy")
        with served(site, tmp_path / "data", HOLDFAST_LOOP="asyncio") as (hub, url):
            hub.expect("first data after", among=hub.complaints)
            plug.process.send_signal(signal.SIGSTOP)
            until(lambda: switch(invoke, url)["quality"] == "stale", STALE_S)
            gone = status(invoke, url)
            plug.process.send_signal(signal.SIGCONT)
            until(lambda: switch(invoke, url)["quality"] == "good", STALE_S)
            back = status(invoke, url)
            ended = hub.stop()
    assert (
        gone["readings"]["heater/switch"]["age_s"] >= gone["readings"]["heater/switch"]["deadline_s"] == 30.0
    )
    assert gone["availability"] != "online"
    assert gone["reason"]["code"] in ("silent", "unreachable")
    assert gone["reason"]["advice"]
    assert back["availability"] == "online"
    assert "Traceback" not in ended.err


def switch(invoke: Invoke, url: str) -> dict[str, Any]:
    """The relay's reading."""
    reading: dict[str, Any] = status(invoke, url)["readings"]["heater/switch"]
    return reading


def test_a_refused_login_is_told_and_the_password_is_not(tmp_path: Path, invoke: Invoke) -> None:
    """Whoever gives a wrong password reads what to check, and python-kasa adds no lines of its own."""
    with outlet(tmp_path, "--kind", "klap2", "--user", "me@example.org", "--password", "another") as plug:
        login = {"username": "me@example.org", "password": {"env": "KASA_TEST_PASSWORD"}}
        site = kasa_site(tmp_path, plug.port, adapter=login, kind="klap")
        environ = {"KASA_TEST_PASSWORD": PASSWORD, "HOLDFAST_LOOP": "asyncio"}
        with served(site, tmp_path / "data", **environ) as (hub, url):
            until(lambda: status(invoke, url)["reason"]["code"] == "login_refused", START_S)
            device = status(invoke, url)
            ended = hub.stop()
    assert "Third-Party Compatibility" in device["reason"]["advice"]
    assert "the login was refused" in ended.err
    assert PASSWORD not in ended.err + json.dumps(device)
    assert "challenge" not in re.sub(r"(?m)^.*heater: .*$", "", ended.err), "a line of the library"


def test_what_is_wrong_with_a_plug_is_told_with_its_line(tmp_path: Path, invoke: Invoke) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(
        "site: {id: brewery, name: Brewery}\n"
        "devices:\n"
        "  - id: heater\n"
        "    adapters:\n"
        "      - {id: lan, driver: kasa, url: 'tcp://192.168.1.71'}\n"
        "  - id: cooler\n"
        "    adapters:\n"
        "      - {id: lan, driver: kasa, url: 'kasa://192.168.1.72'}\n"
        "    options:\n"
        "      dead_man_s: 1\n"
    )
    done = invoke("check", str(path))
    assert done.code == 2
    assert re.search(r"site\.yaml:5\b.*'tcp://192\.168\.1\.71' is not the address of a plug", done.err)
    assert "write kasa://HOST" in done.err
    assert re.search(r"site\.yaml:10\b.*dead_man_s 1 is too short to be renewed", done.err)


def test_without_the_extra_it_is_said_what_to_install(
    tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kasa", None)  # what makes an import fail
    done = invoke("check", str(kasa_site(tmp_path, 9999)))
    assert done.code == 2
    assert "Kasa plugs need the extra 'kasa'" in done.err
    assert "pip install 'holdfast[kasa]'" in done.err


def test_only_a_site_with_plugs_pays_for_the_library(tmp_path: Path) -> None:
    """It takes half a second to import, and only the extra brings it."""

    def imported(site: Path) -> set[str]:
        command = [sys.executable, "-X", "importtime", "-m", "holdfast.cli", "check", str(site)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
        return {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}

    assert not {"kasa", "aiohttp"} & imported(site_file(tmp_path, 5000))
    assert {"kasa", "aiohttp"} <= imported(kasa_site(tmp_path, 9999))


def test_lines_of_the_library_are_debug_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """It logs an error for each session that a plug forgot, which the driver handles."""
    library = logging.getLogger("kasa.transports.klaptransport")
    with logging_to_stderr("info"):
        library.error("Query failed, token=sesame")
        logging.getLogger("kasabian").error("of somebody else")
    quiet = capsys.readouterr().err
    with logging_to_stderr("debug"):
        library.error("Query failed, token=sesame")
    loud = capsys.readouterr().err
    assert "Query failed" not in quiet
    assert "ERROR   of somebody else" in quiet
    assert "DEBUG   Query failed, token=***" in loud
