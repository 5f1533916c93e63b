"""A device of two adapters on the command line: how it is shown, and how one of them is chosen."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from holdfast.cli import tables, words
from holdfast.cli.client import HubClient
from holdfast.cli.commands.look import event_line
from holdfast.cli.completion import complete_adapter
from tests.cli.fake_hub import Answer, fake_hub

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from tests.cli.house import Invoke

OK = {"code": "ok"}
FOUND = [{"member": "7", "messages": 12, "ago_s": 2.04}]
PACK: dict[str, Any] = {
    "id": "pack",
    "name": "Pack",
    "driver": "jkbms",
    "availability": "online",
    "reason": OK,
    "active_adapter": "usb",
    "redundancy": {"state": "reduced", "text": "usb serves in place of gateway"},
    "adapters": [{"id": "gateway", "found": FOUND}, {"id": "usb", "found": []}],
    "capabilities": [],
}
LINK: dict[str, Any] = {
    "endpoint": "tcp://gateway.example:8899",
    "devices": ["pack"],
    "state": "live",
    "found": FOUND,
    "counters": {
        "polls": 93,
        "frames": {"live": 1200, "about": 0},
        "bad_sums": 3,
        "cut": 0,
        "batteries": [0, 1],
    },
}
VOLTAGE: dict[str, Any] = {"target": "pack/voltage", "unit": "V", "quality": "stale", "value": None}
ALARM = {"target": "pack/1/voltage", "text": "61.2 V (above 60), seen 3 times", "is_on": True, "since": None}
MOVE: dict[str, Any] = {
    "kind": "failover",
    "device": "pack",
    "text": "gateway -> usb: gateway is lost and could not be reached again; usb does not cover 2",
    "data": {"decision": "moved", "before": "gateway", "after": "usb", "data_age_s": 12.4, "attempts": 3},
}


def printed(things: Iterable[RenderableType], width: int) -> list[str]:
    """The lines that a terminal so wide would show."""
    paper = Console(file=io.StringIO(), width=width, highlight=False, markup=False, emoji=False)
    for each in things:
        paper.print(each)
    assert isinstance(paper.file, io.StringIO)
    return [line.rstrip() for line in paper.file.getvalue().splitlines() if line.strip()]


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"missing": ["1"]}, "stale: 1 is missing"),
        (
            {"missing": ["0", "1"], "last_known": 52.4, "age_s": 31.0},
            "stale: 0, 1 are missing; last known 52.4 V, 31 s ago",
        ),
        ({"missing": [], "last_known": 52.4, "age_s": 31.0}, "stale: last known 52.4 V, 31 s ago"),
        ({"missing": ["1"], "quality": "good", "value": 52.4}, "52.4 V (without 1)"),
        (
            {"missing": ["1"], "quality": "late", "value": 52.4, "suspect": True},
            "52.4 V (suspect, without 1)",
        ),
    ],
)
def test_a_value_of_all_members_says_who_is_missing(more: dict[str, Any], text: str) -> None:
    """Never a silent partial sum."""
    assert words.reading({**VOLTAGE, **more}) == text


@pytest.mark.parametrize(
    ("data", "suffix"),
    [
        (MOVE["data"], " (gateway: its newest data 12 s old, 3 tries in vain)"),
        ({**MOVE["data"], "data_age_s": None, "attempts": 1}, " (gateway: 1 try in vain)"),
        ({**MOVE["data"], "data_age_s": None, "attempts": 0}, ""),
        ({**MOVE["data"], "decision": "trying"}, ""),
    ],
)
def test_a_decision_says_what_it_was_made_on(data: dict[str, Any], suffix: str) -> None:
    """From the newest data and the tries in vain; what moves nothing is only said."""
    assert event_line({**MOVE, "data": data}) == f"failover     pack: {MOVE['text']}{suffix}"


def test_reserves_are_mentioned_where_something_is_wrong() -> None:
    """Not for devices that have none, nor where all is well."""
    assert words.redundancy(PACK) == "redundancy reduced: usb serves in place of gateway"
    for state in ("none", "full"):
        assert words.redundancy({"redundancy": {"state": state, "text": "x"}}) == ""
    assert words.redundancy({}) == ""


# --- tables -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, 200])
def test_a_device_is_told_whole(width: int) -> None:
    """Through what it is served, its alarms, its reserves, and who else is heard; also on 80 columns."""
    shown = printed([tables.headline(PACK), *tables.remarks(PACK, [ALARM])], width)
    assert max(map(len, shown)) <= width
    assert shown[0] == "Pack (pack): online through usb"
    whole = " ".join(" ".join(shown).split())
    assert "alarm for –: 61.2 V (above 60), seen 3 times" in whole
    assert "redundancy reduced: usb serves in place of gateway" in whole
    assert "heard and not configured: 7 (messages: 12, the last 2.0 s ago) on gateway" in whole


def test_nothing_is_remarked_where_all_is_well() -> None:
    """Nor is the only adapter named, nor another device's alarm."""
    plain = {**PACK, "redundancy": {"state": "none", "text": ""}, "adapters": [{"id": "usb", "found": []}]}
    assert printed([tables.headline(plain)], 80) == ["Pack (pack): online"]
    assert tables.remarks(plain, [{**ALARM, "target": "packed/1/voltage"}]) == []


def test_the_list_of_devices_fits() -> None:
    """The words of a device's state stay in one piece."""
    shown = printed([tables.devices([PACK])], 80)
    assert max(map(len, shown)) <= 80
    assert any(line.startswith(" pack") and "online" in line and "usb" in line for line in shown)
    assert "redundancy reduced: usb" in " ".join(" ".join(shown).split())


def test_the_report_of_links_fits() -> None:
    """Endpoints and numbers stay in one piece on 80 columns."""
    asking = {
        **LINK,
        "endpoint": "tcp://192.168.1.50:5000",
        "answers": 3600,
        "unanswered_share": 0.002,
        "poll_lateness": {"p99_s": 0.008},
        "command_latency": {"p50_s": 0.105, "p99_s": 0.119, "samples": 200},
        "rejects": {"checksum": 2, "jump": 1},
        "up_since_s": 90_000.0,
    }
    shown = printed([tables.links([asking, LINK]), tables.promptness([asking, LINK])], 80)
    assert max(map(len, shown)) <= 80
    first, second = [line.split() for line in shown if "192.168.1.50:5000" in line]
    assert first == ["tcp://192.168.1.50:5000", "pack", "live", "1", "d", "1", "h", "0", "0", "3"]
    assert second == ["tcp://192.168.1.50:5000", "3600", "0.2", "%", "8", "ms", "0.1", "s", "0.1", "s"]


def test_the_report_of_a_link_names_strangers_and_counts() -> None:
    """A line each; none for a link that has neither."""
    assert printed(tables.traffic(LINK), 80) == [
        "  heard and not configured: 7 (messages: 12, the last 2.0 s ago)",
        "  polls 93, frames live 1200, bad sums 3, batteries 0, 1",
    ]
    assert tables.traffic({**LINK, "found": [], "counters": {}}) == []


# --- commands ---------------------------------------------------------------------------------------------------------


def test_the_commands_that_look(invoke: Invoke) -> None:
    """Status with alarms, links with what the table has no room for."""
    answers = {"/devices": [PACK], "/readings": [VOLTAGE], "/alarms": [ALARM], "/links": [LINK]}
    with fake_hub(answers) as hub:
        status = invoke("status", HOLDFAST_URL=hub.url)
        links = invoke("links", HOLDFAST_URL=hub.url)
        [device] = json.loads(invoke("status", "--json", HOLDFAST_URL=hub.url).out)["devices"]
    assert status.code == links.code == 0
    assert "61.2 V (above 60)" in status.out
    assert "redundancy reduced" in status.out
    assert "tcp://gateway.example:8899: traffic\n  heard and not configured: 7" in links.out
    assert device["alarms"] == [ALARM]


def test_one_kind_of_events(invoke: Invoke) -> None:
    """The hub is asked for it; nothing is sifted here."""
    with fake_hub({"/events": [MOVE]}) as hub:
        done = invoke("events", "--kind", "failover", "--last", "3", HOLDFAST_URL=hub.url)
    assert hub.asked[0].path == "/api/v1/events?limit=3&kind=failover"
    assert "failover     pack: gateway -> usb" in done.out


@pytest.mark.parametrize(
    ("adapter", "options", "pin", "text"),
    [
        ("usb", [], False, "pack: usb serves\n"),
        ("usb", ["--pin"], True, "pack: usb serves, pinned\n"),
        ("gateway", [], False, "pack: gateway serves as soon as it delivers; until then usb does\n"),
        (
            "gateway",
            ["--pin"],
            True,
            "pack: gateway serves as soon as it delivers, pinned; until then usb does\n",
        ),
    ],
)
def test_activate(invoke: Invoke, adapter: str, options: list[str], pin: bool, text: str) -> None:
    """What was asked is sent, what came of it is told."""
    path = f"/devices/pack/adapters/{adapter}/activate"
    with fake_hub({path: PACK}) as hub:
        done = invoke("activate", "pack", adapter, *options, HOLDFAST_URL=hub.url)
        told = json.loads(invoke("activate", "pack", adapter, "--json", HOLDFAST_URL=hub.url).out)
    assert (done.code, done.out, done.err) == (0, text, "")
    assert (hub.asked[0].method, hub.asked[0].body) == ("POST", {"pin": pin})
    assert told == PACK


def test_activating_what_is_not_there_is_wrong_usage(invoke: Invoke) -> None:
    """With what there is; without a hub it is three, as for every command."""
    problem = {"code": "unknown_target", "detail": "no adapter 'x'", "advice": "Its adapters are: usb."}
    with fake_hub({"/devices/pack/adapters/x/activate": Answer(404, problem)}) as hub:
        done = invoke("activate", "pack", "x", "--json", HOLDFAST_URL=hub.url)
    assert (done.code, done.out, done.err) == (2, "", "no adapter 'x'\nIts adapters are: usb.\n")
    assert invoke("activate", "pack", "x").code == 3


def test_names_are_quoted() -> None:
    """Whatever was typed stays one part of the path."""
    with fake_hub({"/devices/a%2Fb/adapters/c%3F/activate": PACK}) as hub:
        assert HubClient(hub.url).activate("a/b", "c?", is_pinned=False) == PACK


def test_the_shell_completes_adapters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the device that was named; nothing without a hub or for an unknown device."""

    class Typed:
        def __init__(self, device: str | None) -> None:
            self.params = {"device": device}

    with fake_hub({"/devices/pack": PACK}) as hub:
        monkeypatch.setenv("HOLDFAST_URL", hub.url)
        assert complete_adapter(Typed("pack"), "g") == ["gateway"]  # type: ignore[arg-type]
        assert complete_adapter(Typed("cabin"), "") == []  # type: ignore[arg-type]
        assert complete_adapter(Typed(None), "") == []  # type: ignore[arg-type]
