"""The commands of a client, against a real hub with a simulated house behind it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.house import Ended, Hub, Invoke

pytestmark = pytest.mark.xdist_group("cli")


@pytest.fixture
def ask(hub: Hub, invoke: Invoke) -> Invoke:
    """Run a command for the shared hub."""

    def run(*arguments: str, **environ: str) -> Ended:
        return invoke(*arguments, HOLDFAST_URL=hub.url, **environ)

    return run


def value(hub: Hub, module: int, output: int) -> Any:
    """What an output of the house really is."""
    return hub.house.controller.house.value(module, output)


# --- looking ----------------------------------------------------------------------------------------------------


def test_devices(ask: Invoke) -> None:
    """A table for people, the API's records for programs."""
    text, records = ask("devices"), json.loads(ask("devices", "--json").out)
    assert "house" in text.out
    assert "online" in text.out
    assert [each["id"] for each in records] == ["house"]


def test_status(ask: Invoke) -> None:
    """Every reading with value, quality and age."""
    text = ask("status")
    assert text.code == 0
    assert "House (house): online" in text.out
    assert "house/salon" in text.out
    assert "40 %" in text.out
    assert "values are current" in text.out
    one = json.loads(ask("status", "house", "--json").out)
    assert one["timestamp"].endswith("Z")
    assert {"target", "value", "quality", "age_s", "deadline_s"} <= set(one["devices"][0]["readings"][0])


def test_links(ask: Invoke) -> None:
    """The link report."""
    assert "live" in ask("links").out
    [link] = json.loads(ask("links", "--json").out)
    assert link["state"] == "live"


def test_events(ask: Invoke) -> None:
    """The journal, newest last; what repeats is counted."""
    assert "house: online" in ask("events").out
    last = json.loads(ask("events", "--last", "1", "--json").out)
    assert len(last) == 1
    assert "house: online" in ask("events", "--device", "house").out
    assert ask("events", "--kind", "error", "--device", "house").out == ""
    unknown = ask("events", "--device", "cabin")
    assert unknown.code == 2
    assert "no device 'cabin'" in unknown.err


@pytest.mark.parametrize("command", [["status", "cabin"], ["retry", "cabin"], ["test", "cabin"]])
def test_an_unknown_device_lists_the_known(ask: Invoke, command: list[str]) -> None:
    """Wrong usage, and what would be right."""
    done = ask(*command)
    assert (done.code, done.out) == (2, "")
    assert "no device 'cabin'" in done.err
    assert "house" in done.err


def test_retry(ask: Invoke) -> None:
    """A person may ask at any time; an open link stays."""
    assert ask("retry", "house").out == "house: trying now\n"


def test_activate(ask: Invoke) -> None:
    """The only adapter serves already; another one is not there."""
    assert ask("activate", "house", "lan").out == "house: lan serves\n"
    done = ask("activate", "house", "wifi")
    assert (done.code, done.out) == (2, "")
    assert "house has no enabled adapter 'wifi'" in done.err
    assert "lan" in done.err


# --- acting -----------------------------------------------------------------------------------------------------


def test_set_waits_for_the_device(hub: Hub, ask: Invoke) -> None:
    """Zero means that the device has confirmed it; the receipt is there for programs."""
    done = ask("set", "house/dining", "on")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("verified: house/dining on")
    assert value(hub, 1, 3) == 255
    receipt = json.loads(ask("set", "house/dining", "false", "--json").out)
    assert (receipt["state"], receipt["value"]) == ("verified", False)


def test_set_without_waiting(ask: Invoke) -> None:
    """The receipt as it begins."""
    receipt = json.loads(ask("set", "house/stairs", "true", "--no-wait", "--json").out)
    assert receipt["state"] in ("accepted", "sent")
    assert json.loads(ask("set", "house/stairs", "false", "--json").out)["state"] == "verified"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["set", "house/salon", "120"], "takes 0 to 100"),
        (["set", "house/kitchen", "loud"], "takes true or false"),
        (["open", "kitchen"], "takes true or false"),
        (["set", "house/salon", "-5"], "takes 0 to 100"),
        (["on", "blind"], "takes one of open, close, stop"),
        (["set", "house/kitchen", "on", "--timeout", "0"], "above 0"),
    ],
)
def test_what_cannot_be_ends_refused(ask: Invoke, arguments: list[str], words: str) -> None:
    """A refused command has failed: 1, and why."""
    done = ask(*arguments)
    assert done.code == 1
    assert done.out.startswith("refused: ")
    assert words in done.out


def test_a_stuck_relay_fails(hub: Hub, ask: Invoke) -> None:
    """Not confirmed in time is not done, and the device may have done it."""
    house = hub.house.controller.house
    hub.house.do(lambda: house.stick(2, 3))
    try:
        done = ask("set", "garage", "on", "--timeout", "0.5")
    finally:
        hub.house.do(lambda: house.release(2, 3))
    assert done.code == 1
    assert done.out.startswith("expired: house/garage on")
    assert "may have done it" in done.out
    assert ask("off", "garage").code == 0


def test_the_earlier_names(hub: Hub, ask: Invoke) -> None:
    """on, off, toggle, dim, open, close, stop: by target, key or display name, whatever the case."""
    assert ask("on", "OFFICE").code == 0
    assert value(hub, 2, 1) == 255
    assert ask("toggle", "house/office").out.startswith("verified: house/office off")
    assert ask("dim", "Reading", "30").code == 0
    assert value(hub, 6, 3) == 30
    assert ask("toggle", "reading").out.startswith("verified: house/reading off")
    assert ask("on", "reading").code == 0
    assert value(hub, 6, 3) == 30
    assert ask("off", "reading").code == 0
    assert ask("open", "Blind").code == 0
    assert value(hub, 5, 8) == 255
    assert ask("stop", "blind").code == 0
    assert value(hub, 5, 8) == 0
    assert ask("cover_stop", "awning").code == 0


@pytest.mark.parametrize("arguments", [["on", "kitchn"], ["set", "house/kitchn", "1"], ["dim", "x", "1"]])
def test_an_unknown_name_lists_the_known(ask: Invoke, arguments: list[str]) -> None:
    """Wrong usage, before anything is sent."""
    done = ask(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "house/garden" in done.err
    assert "last_level" not in done.err, "what can only be read is no answer here"


def test_toggle_refuses_where_nothing_is_known(hub: Hub, ask: Invoke) -> None:
    """Truth first: a value that is not current has no opposite."""
    controller = hub.house.controller
    hub.house.do(lambda: controller.behave(is_stalled=True))
    try:
        hub.process.expect("house: no answer for", among=hub.process.complaints)
        wait_for(ask, "stale")
        done = ask("toggle", "kitchen")
        status = ask("status")
        devices = ask("devices")
    finally:
        hub.house.do(lambda: controller.behave(is_stalled=False))
        ask("retry", "house")
        wait_for(ask, "online")
    assert (done.code, done.out) == (1, "")
    assert "nobody knows what it is now (stale: last known off" in done.err
    assert "house/salon" in status.out
    assert "stale: last known 40 %" in status.out
    assert "0 of 16 values are current" in status.out
    assert "offline" in devices.out


def wait_for(ask: Invoke, word: str) -> None:
    """Until the status has a word in it."""
    import time

    until = time.monotonic() + 15
    while word not in ask("status").out:
        assert time.monotonic() < until, ask("status").out
        time.sleep(0.1)


# --- testing ----------------------------------------------------------------------------------------------------


def test_the_way_to_a_device(ask: Invoke) -> None:
    """All phases, through the hub's own link; the command is put back."""
    done = ask("test", "house", "--seconds", "1.5", "--set", "house/bath=on")
    lines = done.out.splitlines()
    assert done.code == 0, done.out
    assert [line[:14].strip() for line in lines] == [
        f"✓ {name}"
        for name in (
            "resolve",
            "route",
            "port",
            "login",
            "first data",
            "device",
            "update rate",
            "command",
            "stability",
        )
    ]
    assert "house/bath on was confirmed by the device, and off again" in done.out


def test_the_test_switches_nothing_unasked(ask: Invoke) -> None:
    """Without --set it says how; a target of another device is wrong usage."""
    done = ask("test", "house", "--seconds", "1")
    assert "· command" in done.out
    assert "add --set house/hall=VALUE" in done.out
    assert ask("test", "house", "--set", "cabin/lamp=on").code == 2
    assert ask("test", "house", "--set", "cabin").code == 2


# --- without a hub ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["devices"],
        ["status", "--json"],
        ["links", "--json"],
        ["events"],
        ["watch", "--json"],
        ["set", "a/b", "1", "--json"],
        ["on", "x"],
        ["toggle", "x"],
        ["retry", "x"],
        ["activate", "x", "y", "--json"],
        ["test", "x"],
    ],
)
def test_no_hub_is_three(invoke: Invoke, arguments: list[str]) -> None:
    """Every client command, with what to do about it, and nothing on standard output."""
    done = invoke(*arguments)
    assert (done.code, done.out) == (3, "")
    assert "no hub answers at http://127.0.0.1:1" in done.err
    assert "holdfast serve" in done.err


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["set", "a"], ["dim", "x", "101"], ["serve", "x"], ["serve", "--port", "x"]],
)
def test_wrong_usage_is_two(invoke: Invoke, arguments: list[str]) -> None:
    """Said by the parser, with the usage."""
    done = invoke(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "Usage" in done.err


def test_no_option_takes_a_secret(invoke: Invoke) -> None:
    """Secrets come by environment or file: the process list is public."""
    for command in ("serve", "status", "set", "watch", "test", "import"):
        text = invoke(command, "--help").out.lower()
        assert "--password" not in text
        assert "--token " not in text
