"""What the pages say is what the code does: made parts are current, and nothing that exists is left out."""

from __future__ import annotations

import asyncio
import os
import re
from typing import Any

import pytest

from holdfast.cli.exits import Exit
from holdfast.clock import SystemClock
from holdfast.drivers.ipcom import options as ipcom
from holdfast.drivers.ipcom.options import parse_options
from holdfast.drivers.ipcom.wiring import ModuleKind, OutputKind
from holdfast.errors import ConfigurationError
from holdfast.hub.hub import Hub
from holdfast.hub.site.adapter import ADAPTER_KEYS
from holdfast.hub.site.failover import FAILOVER_KEYS, LEAST_S
from holdfast.link.device import LinkedDevice
from holdfast.link.driver import Driver
from holdfast.link.failover import Note, Why
from holdfast.link.machine import State, diagram
from holdfast.link.report import LinkReport, Spread
from holdfast.model import (
    PRECEDENCE,
    Adapter,
    Availability,
    CommandState,
    Device,
    Quality,
    ReasonCode,
    Standby,
)
from holdfast.web.api.shapes import Redundancy
from tests.docs.made import ROOT, pages

MADE = pages()
pytestmark = (
    pytest.mark.blocking_allowed
)  # the script runs a loop of its own, which starts a hub and reads files


def page(name: str) -> str:
    """The text of a page."""
    return (ROOT / name).read_text()


def codes(text: str) -> set[str]:
    """Everything that stands in code marks."""
    return set(re.findall(r"`([^`\n]+)`", text))


def section(name: str, title: str) -> str:
    """One section of a page, its subsections included."""
    found = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^\1 |\Z)", page(name), re.MULTILINE | re.DOTALL)
    assert found, f"{name} has no section {title}"
    return found[2]


def rows(text: str) -> list[list[str]]:
    """The cells of a page's tables, heads left out."""
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@pytest.mark.parametrize("name", MADE.PARTS)
def test_made_parts_are_current(name: str) -> None:
    """To mend it, run `make docs`."""
    assert MADE.filled(page(name), MADE.PARTS[name]) == page(name)


# --- the page of links ----------------------------------------------------------------------------------------------


def test_the_diagram_is_that_of_the_machine() -> None:
    assert f"```mermaid\n{diagram()}```" in page("docs/link.md")


def test_every_state_and_code_is_told() -> None:
    """Closed lists are listed whole; reasons in the order in which they are told."""
    assert {each.value for each in State} <= codes(section("docs/link.md", "States"))
    assert {each.value for each in Quality} <= codes(section("docs/link.md", "Freshness and quality"))
    assert {each.value for each in CommandState} <= codes(section("docs/link.md", "The life of a command"))
    reasons = section("docs/link.md", "Availability and reasons")
    told = [row[0].strip("`") for row in rows(reasons)]
    assert {each.value for each in Availability} <= set(told)
    order = told[told.index("code") + 1 :]
    assert order == [each.value for each in PRECEDENCE]
    assert set(order) == {each.value for each in ReasonCode}


@pytest.mark.parametrize("name", ["docs/link.md", "docs/ipcom.md"])
def test_the_numbers_in_the_tables_are_those_of_the_constants(name: str) -> None:
    """Read from the page, apart from the script that wrote it."""
    found = [(row[1], row[2].strip("`")) for row in rows(page(name)) if len(row) == 3 and "_" in row[2]]
    named = [
        (value, constant) for value, constant in found if re.fullmatch(r"[a-zA-Z_.]+\.[A-Za-z_]+", constant)
    ]
    assert len(named) >= 10
    for value, constant in named:
        numbers = tuple(float(each) for each in value.removesuffix(" s").split(", "))
        actual = MADE.constant(f"holdfast.{constant}")
        assert numbers == pytest.approx(actual if isinstance(actual, tuple) else (actual,)), constant


@pytest.mark.parametrize(
    ("name", "phrase", "constant"),
    [
        ("docs/link.md", "oldest debt is older than {:g} s", "link.stream.OWED_S"),
        ("docs/link.md", "does so after {:g} whole messages", "link.sighting.TAKEN_IN_AFTER"),
        ("docs/link.md", "Up to {:g} are remembered", "link.sighting.MOST"),
        ("docs/link.md", "| periodic, with an interval | {:g} intervals", "link.evidence.LATE_INTERVALS"),
        ("docs/link.md", "the last {:g} things", "link.recorder.RING_LENGTH"),
        ("docs/link.md", "the last {:g}, each with", "link.report.OUTAGES_KEPT"),
        ("docs/http.md", "keeps the last {:g} receipts", "hub.hub.RECEIPTS_KEPT"),
        ("docs/http.md", "keeps {:g} records", "hub.events.RING_LENGTH"),
        ("docs/http.md", "{:g} open requests", "web.api.limits.MOST_REQUESTS"),
        ("docs/http.md", "{:g} streams", "web.api.stream.MOST_STREAMS"),
        ("docs/http.md", "{:g} connections", "web.connection.MOST_CONNECTIONS"),
        ("docs/http.md", "of body within {:g} s", "web.api.limits.BODY_S"),
        ("docs/http.md", "nothing of its answer for {:g} s", "web.connection.STALL_S"),
        ("docs/http.md", "after {:g} s of quiet", "web.api.stream.HEARTBEAT_S"),
        ("docs/http.md", "at least {:g} printable", "web.api.access.SHORTEST_TOKEN"),
    ],
)  # fmt: skip
def test_the_numbers_in_sentences_are_those_of_the_constants(name: str, phrase: str, constant: str) -> None:
    text = " ".join(page(name).split())
    assert " ".join(phrase.format(MADE.constant(f"holdfast.{constant}")).split()) in text


def test_the_report_is_told_whole() -> None:
    told = codes(section("docs/link.md", "The link report"))
    report = LinkReport(0.0)
    report.lost(1.0, "silent", "", 0.0)
    fields = report.as_dict(2.0, None)
    assert {*fields, *fields["outages"][0], *Spread().as_dict()} <= told
    assert {"endpoint", "state", "devices", "adapters", "silence_s", "reason"} <= told


def test_failover_is_told_whole() -> None:
    """Decisions, options with their limits, and what stands in an event."""
    told = codes(section("docs/link.md", "Failover"))
    assert {each.value for each in Why} <= told
    assert {each.value for each in Redundancy} <= told
    assert {each.value for each in Standby} <= told
    least = " s, ".join(f"{LEAST_S[key]:g}" for key in FAILOVER_KEYS[:-1])
    limits = f"({least} s and {LEAST_S[FAILOVER_KEYS[-1]]:g} s at least; a day at most)"
    assert limits in section("docs/link.md", "Failover")
    rows_of_options = [row[0] for row in rows(section("docs/link.md", "Timings of failover"))][1:4]
    assert [row.partition(":")[0].strip("`") for row in rows_of_options] == list(FAILOVER_KEYS)


# --- the page of the API --------------------------------------------------------------------------------------------


def test_every_call_is_told() -> None:
    """The table has the calls of the OpenAPI document, no more and no fewer."""
    calls = {
        f"{method.upper()} {path}"
        for path, operations in MADE.openapi()["paths"].items()
        for method in operations
    }
    assert {row[0].strip("`") for row in rows(section("docs/http.md", "Calls"))} - {"call"} == calls


async def test_a_failover_event_is_told_whole() -> None:
    """Every member of its data, as the hub writes them."""
    hub = Hub(SystemClock(asyncio.get_running_loop()))
    device = LinkedDevice(hub.core, Device(id="pack", name="Pack", adapters=()), hub)
    hub.adapter_decided(device, Note(why=Why.MOVED, before="a", after="b", text="", age_s=1.0, attempts=1))
    (record,) = hub.stream.recent()
    await hub.stop()
    told = next(row for row in rows(section("docs/http.md", "The stream")) if row[0] == "`failover`")
    assert set(record.payload) - {"kind", "text", "device"} <= codes(told[1])


# --- the page of the command line -----------------------------------------------------------------------------------


def test_every_exit_code_is_told() -> None:
    """Here and in the README, in the same words."""
    table = {row[0] for row in rows(section("docs/cli.md", "Exit codes"))}
    assert table >= {str(each.value) for each in Exit}
    for line in section("docs/cli.md", "Exit codes").splitlines():
        if line.startswith("| "):
            assert line in page("README.md")


def test_every_variable_is_told() -> None:
    used = set()
    for file in (ROOT / "src").rglob("*.py"):
        used |= set(re.findall(r"environ(?:\.get\(|\[)\"([A-Z_]+)\"", file.read_text()))
    assert {"HOLDFAST_URL", "HOLDFAST_TOKEN", "HOLDFAST_LOOP"} <= used
    assert used <= codes(section("docs/cli.md", "Environment"))


# --- the page of IPCom ----------------------------------------------------------------------------------------------


def keys_of(title: str) -> set[str]:
    """What the tables of a section tell of, row by row."""
    return {key for row in rows(section("docs/ipcom.md", title)) for key in codes(row[0])}


def accepted(**device: Any) -> set[str]:
    """The keys that the driver names when it is given one that means nothing."""
    adapter = Adapter(id="lan", driver="ipcom", url="tcp://127.0.0.1", username="me")
    with pytest.raises(ConfigurationError) as raised:
        parse_options(Device(id="house", name="House", adapters=(adapter,), **device), adapter)
    return set(raised.value.advice.rpartition("known: ")[2].split(", "))


def test_every_option_is_told() -> None:
    assert keys_of("Options") == accepted(options={"nonsense": 1}) == set(ipcom._OPTIONS)
    assert accepted(options={"modules": {1: {"nonsense": 1}}}) <= codes(section("docs/ipcom.md", "Options"))
    assert set(ModuleKind) <= codes(section("docs/ipcom.md", "Options"))


def test_every_key_of_an_output_is_told() -> None:
    light = accepted(outputs={"lamp": {"kind": "light", "nonsense": 1}})
    relays = {"up": {"module": 1, "output": 1}, "down": {"module": 1, "output": 2}}
    cover = accepted(outputs={"blind": {"kind": "cover", **relays, "nonsense": 1}})
    assert keys_of("Outputs") == light | cover
    assert set(OutputKind) <= codes(section("docs/ipcom.md", "Outputs"))


def test_every_key_of_an_adapter_is_told() -> None:
    assert keys_of("The adapter") == set(ADAPTER_KEYS)


def test_the_defaults_are_those_of_the_driver() -> None:
    """The third column, where it is a number."""
    defaults = {row[0].strip("`"): row[2] for row in rows(section("docs/ipcom.md", "Options"))}
    constants = {
        "bus": ipcom.BUS,
        "base_address": ipcom.BASE_ADDRESS,
        "login_bus": ipcom.LOGIN_BUS,
        "login_lock": 0,
        "poll_s": ipcom.POLL_S,
        "keepalive_s": ipcom.KEEP_ALIVE_S,
        "dial_s": ipcom.DIAL_S,
        "bus_latency_s": ipcom.BUS_LATENCY_S,
        "dead_time_s": ipcom.DEAD_TIME_S,
    }
    assert {key: f"{value:g}" for key, value in constants.items()} == {
        key: defaults[key] for key in constants
    }
    assert (
        defaults["login_s"]
        == f"{ipcom.LOGIN_FIRST_S:g} at the first try of an outage, then {ipcom.LOGIN_S:g}"
    )


# --- for authors ----------------------------------------------------------------------------------------------------


def test_every_field_of_a_driver_is_told() -> None:
    """In the table of CONTRIBUTING.md."""
    told = {key for row in rows(section("CONTRIBUTING.md", "The parts")) for key in codes(row[0])}
    assert told == set(Driver.__dataclass_fields__)


def test_nothing_of_this_machine_stands_in_a_page() -> None:
    home = os.path.expanduser("~")
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "mkdocs.yml"):
        text = path.read_text()
        assert str(ROOT) not in text
        assert len(home) < 2 or f"{home}/" not in text
