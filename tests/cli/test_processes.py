"""The program as a process: a hub on real sockets, clients beside it, signals, locks and ports."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from holdfast.cli.client import HubClient
from tests.cli.house import START_S, House, Hub, Invoke, environment, program, run, served, site_file

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.xdist_group("cli"), pytest.mark.blocking_allowed]


def test_serve_set_status_and_stop(house: House, tmp_path: Path, invoke: Invoke) -> None:
    """What the README promises: a command is verified, and leaving is said to the device."""
    site = site_file(tmp_path, house.port)
    with served(site, tmp_path / "data", HOLDFAST_LOOP="asyncio") as (hub, url):
        hub.expect("first data after", among=hub.complaints)
        done = run("set", "house/kitchen", "true", HOLDFAST_URL=url)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("verified: house/kitchen on (after ")
        assert house.controller.house.value(1, 2) == 255
        status = json.loads(invoke("status", "--json", HOLDFAST_URL=url).out)
        ended = hub.stop(signal.SIGINT)
    readings = {each["target"]: each for each in status["devices"][0]["readings"]}
    assert readings["house/kitchen"]["value"] is True
    assert readings["house/kitchen"]["quality"] == "good"
    assert ended.code == 0
    assert ended.out == f"Holdfast is listening on {url}\n"
    assert "demo" not in ended.err.replace("Demo", "")  # the password
    assert house.heard()[-2:] == ["client said goodbye", "ended"]


def test_sigterm_under_load_says_goodbye(house: House, tmp_path: Path) -> None:
    """Commands and watchers do not delay the leave, on uvloop where it is installed; every command gets an answer."""
    site = site_file(tmp_path, house.port)
    answers: list[str] = []
    with served(site, tmp_path / "data") as (hub, url):
        hub.expect("first data after", among=hub.complaints)
        client = HubClient(url)
        is_over = threading.Event()

        def command(target: str) -> None:
            value = True
            while not is_over.is_set():
                try:
                    answers.append(str(client.command(target, value, timeout_s=5.0, wait=True)["state"]))
                except Exception as error:  # noqa: BLE001 - counted below
                    answers.append(type(error).__name__)
                    return
                value = not value

        def watch() -> None:
            for change in client.changes():
                if change.kind == "lost":
                    return

        names = ("hall", "kitchen", "office", "garden")
        workers = [threading.Thread(target=command, args=(f"house/{name}",)) for name in names]
        workers += [threading.Thread(target=watch) for _ in range(3)]
        for worker in workers:
            worker.start()
        while answers.count("verified") < 8:
            time.sleep(0.02)
        begun = time.monotonic()
        ended = hub.stop()
        took_s = time.monotonic() - begun
        is_over.set()
        for worker in workers:
            worker.join(10)
            assert not worker.is_alive()
    assert ended.code == 0
    assert took_s < 3.0, "0.5 s on a machine that is not busy with other tests"
    assert house.heard()[-2:] == ["client said goodbye", "ended"]
    assert set(answers) <= {
        "verified",
        "failed",
        "sent",
        "accepted",
        "superseded",
        "HubUnreachable",
        "HubRefused",
    }


def test_one_hub_for_each_directory_and_port(house: House, hub: Hub, tmp_path: Path, invoke: Invoke) -> None:
    """The second hub is told why it cannot run, before it touches the device."""
    site = site_file(tmp_path, house.port)
    port = hub.url.rpartition(":")[2]
    logins = house.controller.counts["connections"]
    serve = ("serve", "--site", str(site), "--data")
    same_data = invoke(*serve, str(hub.data), "--port", "0")
    same_port = invoke(*serve, str(tmp_path), "--port", port)
    open_door = invoke(*serve, str(tmp_path), "--host", "0.0.0.0")  # noqa: S104 - to be refused
    wrong_level = invoke(*serve, str(tmp_path), "--log-level", "loud")
    no_tokens = invoke(*serve, str(tmp_path), "--token-file", str(tmp_path / "none"))
    assert house.controller.counts["connections"] == logins
    assert (same_data.code, same_data.out) == (1, "")
    assert f"another hub (pid {hub.process.process.pid}) uses {hub.data}" in same_data.err
    assert (same_port.code, same_port.out) == (1, "")
    assert f"port {port} on 127.0.0.1 is in use" in same_port.err
    assert "--port" in same_port.err
    assert (open_door.code, open_door.out) == (2, "")
    assert "no token file" in open_door.err
    assert wrong_level.code == no_tokens.code == 2
    assert "debug, info, warning, error" in wrong_level.err
    assert "does not exist" in no_tokens.err


def test_a_login_is_asked_for(house: House, tmp_path: Path, invoke: Invoke) -> None:
    """With --require-login a token is needed, and comes from the environment."""
    site = site_file(tmp_path, house.port)
    tokens = tmp_path / "tokens"
    tokens.write_text("me:person:0123456789abcdef\n")
    tokens.chmod(0o600)
    options = ("--require-login", "--token-file", str(tokens), "--json-logs", "--log-level", "debug")
    with served(site, tmp_path / "data", *options, HOLDFAST_LOOP="asyncio") as (hub, url):
        refused = invoke("devices", HOLDFAST_URL=url)
        granted = invoke("devices", "--json", HOLDFAST_URL=url, HOLDFAST_TOKEN="0123456789abcdef")
        ended = hub.stop()
    assert refused.code == 1
    assert "HOLDFAST_TOKEN" in refused.err
    assert [each["id"] for each in json.loads(granted.out)] == ["house"]
    assert "0123456789abcdef" not in ended.err
    assert all(json.loads(line)["logger"] for line in ended.err.splitlines())


def test_watch_prints_json_and_survives_the_hub(house: House, tmp_path: Path) -> None:
    """One object a line and change; without a hub nothing is current; Ctrl-C ends it with 0."""
    site = site_file(tmp_path, house.port)
    with served(site, tmp_path / "data", HOLDFAST_LOOP="asyncio") as (hub, url):
        hub.expect("first data after", among=hub.complaints)
        with program("watch", "--json", HOLDFAST_URL=url) as watching:
            time.sleep(1.0)
            until = time.monotonic() + 10
            while not watching.lines and time.monotonic() < until:  # it may not have begun to listen yet
                house.do(lambda: house.controller.house.press(2, 1))
                time.sleep(0.7)
            watching.expect('"house/office"')
            hub.stop()
            watching.expect('"quality": "unknown"')
            ended = watching.stop(signal.SIGINT)
    assert (ended.code, ended.err) == (0, "")
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert all(set(line) == {"timestamp", "target", "old", "new", "quality"} for line in lines)
    assert lines[0]["target"] == "house/office"
    assert lines[0]["old"] is not lines[0]["new"]
    assert lines[0]["timestamp"].endswith("Z")
    assert {line["target"] for line in lines if line["quality"] == "unknown"} >= {
        "house/hall",
        "house/office",
    }


def test_the_demo_in_a_pipe() -> None:
    """Plain lines, a verified receipt, and an end of its own accord with 0."""
    done = run("demo", "--seconds", "3", HOLDFAST_LOOP="asyncio")
    assert (done.code, done.err) == (0, "")
    assert "export HOLDFAST_URL=http://127.0.0.1:" in done.out
    assert "house is online" in done.out
    assert "verified: house/kitchen on" in done.out
    assert "\x1b" not in done.out
    last = done.out.splitlines()[-1]
    assert "updates seen" in last
    assert "1 of 1 receipts verified" in last


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_the_demo_on_a_terminal() -> None:
    """A live picture instead of lines, and Ctrl-C ends it in peace."""
    import pty

    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "holdfast.cli", "demo"]
    environ = environment(HOLDFAST_LOOP="asyncio", TERM="xterm-256color", COLUMNS="120", LINES="50")
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=environ)
    os.close(theirs)
    shown = b""
    until = time.monotonic() + START_S
    while b"verified" not in shown and time.monotonic() < until:
        shown += os.read(ours, 65536)
    process.send_signal(signal.SIGINT)
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # how Linux tells that the other end is closed
        pass
    os.close(ours)
    _, complaints = process.communicate(timeout=10)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    assert (process.returncode, complaints) == (0, b"")
    assert "house/awning" in text
    assert "updates a second" in text
    assert "1 of 1 receipts verified" in text
