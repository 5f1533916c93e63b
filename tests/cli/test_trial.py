"""The phases of a test, against a hub that tells whatever it is told to."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.cli import path, trial
from holdfast.cli.exits import WrongUsage
from holdfast.cli.phases import NAMES, Phase, Verdict
from holdfast.cli.trial import Trial
from holdfast.errors import UnknownTarget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.cli.face import Change
    from holdfast.cli.records import Record

ENDPOINT = "tcp://127.0.0.1:5000"
CAPABILITIES = [
    {"target": "house/kitchen", "name": "Kitchen", "writable": True},
    {"target": "house/blind", "name": "Blind", "writable": True},
]


class Told:
    """A hub's face: ``links`` are told one after the other, the last one for ever; nothing takes time."""

    where = "told"
    is_here = True
    is_own = False

    def __init__(self, *links: dict[str, Any], reason: dict[str, Any] | None = None) -> None:
        self._links = deque(
            {"endpoint": ENDPOINT, "devices": ["house"], "silence_s": 0.0, **each} for each in links
        )
        self.reason = reason or {"code": "ok"}
        self.values: dict[str, Any] = {"house/kitchen": False, "house/blind": "stopped"}
        self.receipts: deque[dict[str, Any]] = deque()
        self.commands: list[tuple[str, object]] = []
        self.retried = 0

    def device(self, device_id: str) -> Record:
        return {"id": "house", "active_adapter": "lan", "reason": self.reason, "capabilities": CAPABILITIES}

    def devices(self) -> list[Record]:
        return [self.device("house")]

    def alarms(self) -> list[Record]:
        return []

    def links(self) -> list[Record]:
        return [self._links.popleft() if len(self._links) > 1 else self._links[0]]

    def link(self, endpoint: str) -> Record:
        texts = ("waiting -> opening", "opening -> expecting", "expecting -> live", "live -> ending")
        moments: list[dict[str, Any]] = [
            {"kind": "state", "text": text, "ago_s": 9.0 - n} for n, text in enumerate(texts)
        ]
        return {**self._links[0], "moments": [{"kind": "fault", "text": "x", "ago_s": 10.0}, *moments]}

    def readings(self, device_id: str | None = None) -> list[Record]:
        return [
            {"target": target, "value": value, "quality": "unknown" if value is None else "good"}
            for target, value in self.values.items()
        ]

    def command(self, target: str, value: object, *, timeout_s: float | None, wait: bool) -> Record:
        self.commands.append((target, value))
        return self.receipts.popleft() if self.receipts else {"state": "verified", "ended_after_s": 0.1}

    def retry(self, device_id: str) -> None:
        self.retried += 1

    def pause(self, seconds: float) -> None:
        """No time passes."""

    def settle(self, limit_s: float) -> None:
        """Nothing to wait for."""

    def changes(self) -> Iterator[Change]:
        raise AssertionError

    def close(self) -> None:
        """Nothing to close."""


LIVE = {"state": "live", "answers": 1, "polls": 1, "up_since_s": 5.0}
LATER = {"state": "live", "answers": 10, "polls": 10, "up_since_s": 9.0, "poll_lateness": {"p99_s": 0.002}}


def phases(face: Told, assignment: tuple[str, Any] | None = None) -> dict[str, Phase]:
    """All phases by name."""
    found = list(Trial(face, "house", seconds=0.0, assignment=assignment).phases())
    assert tuple(phase.name for phase in found) == NAMES
    return {phase.name: phase for phase in found}


def test_all_is_well() -> None:
    """Times come from the link's own memory; nothing is switched unasked."""
    found = phases(Told(LIVE, LIVE, LIVE, LATER))
    assert {phase.verdict for name, phase in found.items() if name != "command"} == {Verdict.PASSED}
    assert found["command"].verdict is Verdict.SKIPPED
    assert "--set house/kitchen=VALUE" in found["command"].text
    assert found["login"].took_s == found["first data"].took_s == 1.0
    assert "0 of 9 polls unanswered" in found["update rate"].text
    assert "2 ms late" in found["stability"].text


@pytest.mark.parametrize(
    ("code", "bytes_out", "failed"),
    [
        ("unreachable", 0, "port"),
        ("internal", 0, "port"),
        ("unreachable", 56, "login"),
        ("silent", 56, "login"),
        ("login_refused", 56, "login"),
    ],
)
def test_what_keeps_the_link_from_opening(code: str, bytes_out: int, failed: str) -> None:
    """A port that answers is not blamed for a login, and the reason's advice is passed on."""
    before = {"state": "waiting", "dials": 4, "bytes_out": 0}
    after = {"state": "waiting", "dials": 6, "bytes_out": bytes_out}
    face = Told(before, before, after, reason={"code": code, "text": "the cause", "advice": "Do this."})
    found = phases(face)
    assert found[failed].verdict is Verdict.FAILED
    assert (found[failed].text, found[failed].advice) == ("the cause", "Do this.")
    assert all(phase.text == "not reached" for phase in list(found.values())[NAMES.index(failed) + 1 :])
    assert face.retried


def test_a_refused_login_is_tried_once() -> None:
    """Hammering on it makes it worse."""
    blocked = {"state": "blocked", "dials": 7}
    face = Told(blocked, {**blocked, "dials": 8}, reason={"code": "login_refused", "text": "refused"})
    assert phases(face)["login"].verdict is Verdict.FAILED
    assert face.retried == 1


def test_a_link_that_never_comes_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test does."""
    monkeypatch.setattr(trial, "OPEN_LIMIT_S", 0.01)
    assert phases(Told({"state": "opening"}))["port"].verdict is Verdict.FAILED


def test_no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """An open session without values is a fault of its own."""
    monkeypatch.setattr(trial, "DATA_MARGIN_S", 0.01)
    face = Told(LIVE)
    face.values = {"house/kitchen": None}
    found = phases(face)["first data"]
    assert found.verdict is Verdict.FAILED
    assert "no values come" in found.text


def test_many_unanswered_polls_fail() -> None:
    """More than one in twenty, and more than one."""
    lossy = {"state": "live", "polls": 41, "answers": 30, "unanswered_share": 10 / 41}
    found = phases(Told(LIVE, LIVE, LIVE, lossy))["update rate"]
    assert found.verdict is Verdict.FAILED
    assert "10 of 40 polls unanswered" in found.text


def test_a_silent_source_is_no_fault() -> None:
    """What speaks only when something changes has nothing to say."""
    quiet = {"state": "live", "polls": 0, "answers": 3}
    found = phases(Told(quiet))
    assert found["update rate"].verdict is Verdict.PASSED
    assert "nothing new came" in found["update rate"].text


def test_an_outage_fails_stability() -> None:
    """With its cause."""
    end = {**LATER, "outage_count": 1, "outages": [{"text": "no answer for 1.4 s"}], "rejects": {"junk": 2}}
    found = phases(Told(LIVE, LIVE, LIVE, LIVE, end))["stability"]
    assert found.verdict is Verdict.FAILED
    assert found.text.startswith("1 outages, 2 rejected")
    assert "no answer for 1.4 s" in found.advice


# --- one command -------------------------------------------------------------------------------------------------


def test_a_command_is_put_back() -> None:
    """By name too; the device confirms both ways."""
    face = Told(LIVE)
    found = phases(face, ("Kitchen", True))["command"]
    assert found.verdict is Verdict.PASSED
    assert found.took_s == 0.1
    assert face.commands == [("house/kitchen", True), ("house/kitchen", False)]


@pytest.mark.parametrize(("wanted", "commands"), [("open", ["open", "stop"]), ("stop", ["stop"])])
def test_a_cover_is_stopped(wanted: str, commands: list[str]) -> None:
    """It says what it does and is told what to do: the way back is a stop."""
    face = Told(LIVE)
    assert phases(face, ("house/blind", wanted))["command"].verdict is Verdict.PASSED
    assert [value for _, value in face.commands] == commands


def test_what_was_so_before_is_left_so() -> None:
    """And said, since it proves less."""
    face = Told(LIVE)
    assert "(it was so before)" in phases(face, ("house/kitchen", False))["command"].text
    assert len(face.commands) == 1


@pytest.mark.parametrize(("may_have_executed", "count"), [(True, 2), (False, 1)])
def test_an_unconfirmed_command_is_undone_if_it_may_have_been_done(
    may_have_executed: bool, count: int
) -> None:
    """It has failed all the same."""
    face = Told(LIVE)
    face.receipts.append({"state": "failed", "target": "house/kitchen", "value": True, "ended_at": "x",
                          "may_have_executed": may_have_executed})  # fmt: skip
    found = phases(face, ("house/kitchen", True))["command"]
    assert found.verdict is Verdict.FAILED
    assert found.text.startswith("failed: house/kitchen on")
    assert len(face.commands) == count


def test_a_way_back_that_fails_is_said_aloud() -> None:
    """Somebody must put it right."""
    face = Told(LIVE)
    face.receipts += [{"state": "verified"}, {"state": "expired", "target": "house/kitchen", "value": False}]
    found = phases(face, ("house/kitchen", True))["command"]
    assert found.verdict is Verdict.FAILED
    assert found.advice == "Set house/kitchen to off yourself."


def test_nothing_to_go_back_to() -> None:
    """Without a current value nothing is tried."""
    face = Told(LIVE)
    face.values["house/kitchen"] = None
    assert phases(face, ("house/kitchen", True))["command"].verdict is Verdict.FAILED
    assert face.commands == []


def test_wrong_usage() -> None:
    """A target of another device, and a device without a link."""
    with pytest.raises(UnknownTarget):
        Trial(Told(LIVE), "house", seconds=1, assignment=("cabin/lamp", True))
    with pytest.raises(WrongUsage, match="no adapter in use"):
        Trial(Told({**LIVE, "devices": ["cabin"]}), "house", seconds=1)


# --- the way there -------------------------------------------------------------------------------------------------


def test_a_hub_elsewhere_is_not_judged_from_here() -> None:
    """Its names and routes are its own."""
    face = Told(LIVE)
    face.is_here = False
    found = phases(face)
    assert found["resolve"].verdict is found["route"].verdict is Verdict.SKIPPED


def test_endpoints_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A serial port has no name to look up, and a broken address says so."""
    for endpoint in ("serial:///dev/ttyUSB0", "ble", "tcp://[::1"):
        phase, addresses = path.resolve(endpoint)
        assert (phase.verdict, addresses) == (Verdict.SKIPPED, [])
    assert path.route([]).verdict is Verdict.SKIPPED
    phase, addresses = path.resolve("tcp://a..b:1")
    assert (phase.verdict, addresses) == (Verdict.FAILED, [])


def test_no_route(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every address is tried, and each says why not."""

    class NoWay:
        def __init__(self, *arguments: object) -> None:
            raise OSError(101, "Network is unreachable")

    monkeypatch.setattr("holdfast.cli.path.socket.socket", NoWay)
    phase = path.route(["192.0.2.1", "2001:db8::1"])
    assert phase.verdict is Verdict.FAILED
    assert phase.text == "192.0.2.1: Network is unreachable; 2001:db8::1: Network is unreachable"
