"""The phases of a test, against a hub that tells whatever it is told to."""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.cli import path, trial
from holdfast.cli.exits import WrongUsage
from holdfast.cli.phases import Phase, Verdict
from holdfast.cli.trial import BACK, OVER, Trial, plainly
from holdfast.errors import HoldfastError, HubUnreachable, UnknownTarget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.cli.face import Change
    from holdfast.cli.records import Record

ENDPOINT = "tcp://127.0.0.1:5000"
CAPABILITIES: list[dict[str, Any]] = [
    {"key": "kitchen", "target": "house/kitchen", "name": "Kitchen", "writable": True, "type": "boolean"},
    {"key": "blind", "target": "house/blind", "name": "Blind", "writable": True, "type": "choice"},
    {"key": "rssi", "target": "house/rssi", "name": "", "writable": False, "type": "number"},
]
NAMES = (
    "resolve", "route", "port", "login", "first data", "device", "update rate", "command", "stability"
)  # fmt: skip


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
        self.receipts: deque[dict[str, Any] | BaseException] = deque()
        self.commands: list[tuple[str, object]] = []
        self.take_overs: list[float | None] = []
        self.capabilities = CAPABILITIES
        self.retried = 0

    def device(self, device_id: str) -> Record:
        return {
            "id": "house",
            "active_adapter": "lan",
            "reason": self.reason,
            "capabilities": self.capabilities,
        }

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

    def command(
        self,
        target: str,
        value: object,
        *,
        timeout_s: float | None,
        wait: bool,
        take_over_s: float | None = None,
    ) -> Record:
        self.commands.append((target, value))
        self.take_overs.append(take_over_s)
        receipt = self.receipts.popleft() if self.receipts else {"state": "verified", "ended_after_s": 0.1}
        if isinstance(receipt, BaseException):
            raise receipt
        return {"target": target, "value": value, **receipt}

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
    told = "timed out (the cause)" if code == "silent" else "the cause"
    assert (found[failed].text, found[failed].advice) == (told, "Do this.")
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
    face.receipts += [{"state": "verified"}, {"state": "expired"}]
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


# --- an exercise ---------------------------------------------------------------------------------------------------


def exercised(face: Told, named: str = "", **options: Any) -> tuple[Trial, dict[str, Phase]]:
    """A trial with an exercise, and all its phases by name."""
    trial = Trial(face, "house", seconds=0.0, exercise=named, **options)
    found = list(trial.phases())
    assert tuple(phase.name for phase in found) == trial.names
    return trial, {phase.name: phase for phase in found}


@pytest.mark.parametrize("before", [False, True])
def test_a_switch_is_switched_over_and_back(before: bool) -> None:
    """The only one it has needs no name; each way is a command that the device confirms."""
    face = Told(LIVE, LIVE, LIVE, LATER)
    face.values["house/kitchen"] = before
    trial, found = exercised(face)
    assert [each for each in trial.names if each in (OVER, BACK, "command")] == [OVER, BACK]
    assert face.commands == [("house/kitchen", not before), ("house/kitchen", before)]
    assert found[OVER].verdict is found[BACK].verdict is Verdict.PASSED
    assert found[OVER].took_s == found[BACK].took_s == 0.1
    assert found["stability"].verdict is Verdict.PASSED
    assert trial.put_back() is None
    record = trial.exercise.as_record() if trial.exercise else {}
    assert (record["before"], record["restored_to"]) == (before, before)
    assert [(each["value"], each["took_s"]) for each in record["attempts"]] == [
        (not before, 0.1),
        (before, 0.1),
    ]


@pytest.mark.parametrize("state", ["failed", "expired"])
@pytest.mark.parametrize("may_have_executed", [True, False])
def test_after_a_failure_it_is_put_back(state: str, may_have_executed: bool) -> None:
    """Whatever is believed; then nothing further is tried."""
    face = Told(LIVE)
    face.receipts.append({"state": state, "reason": "no", "may_have_executed": may_have_executed})
    _, found = exercised(face)
    assert found[OVER].verdict is Verdict.FAILED
    assert found[OVER].text.startswith(f"{state}: house/kitchen on: no")
    assert found[BACK].verdict is Verdict.PASSED
    assert found["stability"].text == "not reached"
    assert face.commands[-1] == ("house/kitchen", False)


@pytest.mark.parametrize("state", ["refused", "superseded"])
def test_what_is_not_ours_is_left_alone(state: str) -> None:
    """Nothing was sent, or somebody else has spoken since."""
    face = Told(LIVE)
    face.receipts.append(
        {"state": state, "reason": "it belongs to fermenter: a person may take it over (take_over_s)"}
    )
    _, found = exercised(face)
    assert found[OVER].verdict is Verdict.FAILED
    assert "it belongs to fermenter" in found[OVER].text
    assert ("--take-over" in found[OVER].advice) is (state == "refused")
    assert found[BACK].text == "not reached"
    assert len(face.commands) == 1


def test_a_standing_order_cannot_be_taken_over() -> None:
    """So nobody is told to try."""
    face = Told(LIVE)
    face.receipts.append({"state": "refused", "reason": "a standing order holds it at off"})
    found = exercised(face)[1][OVER]
    assert "standing order" in found.text
    assert "--take-over" not in found.advice


def test_putting_back_is_tried_twice_and_said_aloud() -> None:
    face = Told(LIVE)
    face.receipts += [{"state": "verified"}, {"state": "failed"}, {"state": "failed"}]
    trial, found = exercised(face)
    assert found[BACK].verdict is Verdict.FAILED
    assert found[BACK].advice == "Set house/kitchen to off yourself."
    assert face.commands[1:] == [("house/kitchen", False)] * 2
    assert trial.exercise is not None
    assert trial.exercise.as_record()["restored_to"] is None
    face = Told(LIVE)
    face.receipts += [{"state": "verified"}, HubUnreachable("gone"), {"state": "verified"}]
    assert exercised(face)[1][BACK].verdict is Verdict.PASSED
    face = Told(LIVE)
    face.receipts += [{"state": "verified"}, HubUnreachable("gone"), HubUnreachable("gone")]
    assert exercised(face)[1][BACK].text == "gone"


@pytest.mark.parametrize("cause", [KeyboardInterrupt(), HubUnreachable("gone")])
def test_cut_short_it_still_owes_the_way_back(cause: BaseException) -> None:
    """In the middle of the first command, when nobody knows whether it was done."""
    face = Told(LIVE)
    face.receipts.append(cause)
    trial = Trial(face, "house", seconds=0.0, exercise="")
    with pytest.raises(type(cause)):
        list(trial.phases())
    phase = trial.put_back()
    assert phase is not None
    assert phase.verdict is Verdict.PASSED
    assert face.commands == [("house/kitchen", True), ("house/kitchen", False)]
    assert trial.put_back() is None


def test_cut_short_between_the_two_it_owes_it_too() -> None:
    face = Told(LIVE)
    trial = Trial(face, "house", seconds=0.0, exercise="")
    for phase in trial.phases():
        if phase.name == OVER:
            break
    assert trial.put_back() is not None
    assert face.commands[-1] == ("house/kitchen", False)


@pytest.mark.parametrize("fail_safe", [False, True])
def test_an_unknown_state_is_ended_in_the_fail_safe(fail_safe: bool) -> None:
    face = Told(LIVE)
    face.values = {"house/kitchen": None, "house/rssi": -60}
    face.capabilities = [{**CAPABILITIES[0], "fail_safe": fail_safe}]
    _, found = exercised(face)
    assert [value for _, value in face.commands] == [not fail_safe, fail_safe]
    assert "its fail-safe" in found[BACK].text


def test_an_unknown_state_without_a_fail_safe_is_not_touched() -> None:
    face = Told(LIVE)
    face.values = {"house/kitchen": None, "house/rssi": -60}
    _, found = exercised(face)
    assert found[OVER].verdict is Verdict.FAILED
    assert "no current value to go back to" in found[OVER].text
    assert face.commands == []


def test_what_was_known_comes_before_the_fail_safe() -> None:
    face = Told(LIVE)
    face.values["house/kitchen"] = True
    face.capabilities = [{**CAPABILITIES[0], "fail_safe": False}]
    exercised(face)
    assert [value for _, value in face.commands] == [False, True]


@pytest.mark.parametrize("is_own", [True, False])
def test_only_a_hub_of_its_own_is_waited_for_at_its_start(
    is_own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It proves its fail-safe actuators off first; elsewhere a refusal is an answer."""
    face = Told(LIVE)
    face.is_own = is_own
    face.receipts += [{"state": "refused"}] * 3
    _, found = exercised(face)
    assert (found[OVER].verdict is Verdict.PASSED) is is_own
    assert len(face.commands) == (5 if is_own else 1)
    monkeypatch.setattr(trial, "ORDER_LIMIT_S", -1.0)
    face.receipts += [{"state": "refused"}] * 3
    assert exercised(face)[1][OVER].verdict is Verdict.FAILED


def test_a_take_over_goes_with_every_command() -> None:
    """There and back; without it nothing of the kind is said."""
    face = Told(LIVE)
    exercised(face, take_over_s=300.0)
    assert face.take_overs == [300.0, 300.0]
    face = Told(LIVE)
    list(Trial(face, "house", seconds=0.0, assignment=("kitchen", True), take_over_s=60.0).phases())
    assert face.take_overs == [60.0, 60.0]
    face = Told(LIVE)
    exercised(face)
    assert face.take_overs == [None, None]


def test_the_riskiest_wish_is_known_beforehand() -> None:
    """An exercise switches on sooner or later; --set what it says; otherwise nothing is switched."""
    face = Told(LIVE)
    assert Trial(face, "house", seconds=0.0).wish is None
    assert Trial(face, "house", seconds=0.0, exercise="").wish == ("house/kitchen", True)
    assert Trial(face, "house", seconds=0.0, assignment=("kitchen", False)).wish == ("house/kitchen", False)


def test_which_switch() -> None:
    """By key, target or name; several need one, and what is no switch cannot be exercised."""
    face = Told(LIVE)
    for named in ("kitchen", "house/kitchen", "KITCHEN"):
        trial, _ = exercised(face, named)
        assert trial.exercise is not None
        assert trial.exercise.target == "house/kitchen"
    with pytest.raises(UnknownTarget):
        exercised(face, "blind")
    face.capabilities = [*CAPABILITIES, {**CAPABILITIES[0], "key": "hall", "target": "house/hall"}]
    with pytest.raises(WrongUsage, match="2 outputs that are switched on and off") as several:
        exercised(face)
    assert "kitchen, hall" in several.value.advice
    face.capabilities = CAPABILITIES[1:]
    with pytest.raises(WrongUsage, match="has no outputs"):
        exercised(face)
    assert isinstance(several.value, HoldfastError)


# --- who it is, and why not ----------------------------------------------------------------------------------------


def test_the_device_says_who_it_is_and_how_it_stands() -> None:
    """As far as it does; a value that is not current is never alone."""
    identity = {"serial": "50:C7:BF:00:00:01", "model": "HS110(EU)", "firmware": ""}
    face = Told({**LIVE, "identity": identity})
    face.values["house/rssi"] = -54
    found = phases(face)["device"]
    assert found.verdict is Verdict.PASSED
    assert found.text.startswith(
        "HS110(EU); 50:C7:BF:00:00:01; house/kitchen off; house/blind stopped; house/rssi -54"
    )
    face.capabilities = []
    face.values = {"house/soc": 50}
    assert phases(Told(LIVE))["device"].verdict is Verdict.PASSED
    silent = Told(LIVE)
    silent.capabilities = []
    assert phases(silent)["device"].verdict is Verdict.SKIPPED


def test_a_house_is_not_told_output_by_output() -> None:
    """But the one that is exercised is."""
    face = Told(LIVE)
    lamps = [{**CAPABILITIES[0], "key": f"l{n}", "target": f"house/l{n}"} for n in range(30)]
    face.capabilities = lamps
    face.values = {str(each["target"]): True for each in lamps}
    assert phases(face)["device"].verdict is Verdict.SKIPPED
    _, found = exercised(face, "l7")
    assert found["device"].text == "house/l7 on"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (
            {"text": "connecting: [Errno 111] Connect call failed"},
            "refused: nothing listens there (connecting",
        ),
        ({"text": "[Errno 113] No route to host"}, "no route: nobody has that address"),
        ({"text": "[Errno 101] Network is unreachable"}, "no route: this machine knows no way"),
        ({"text": "[Errno 13] Permission denied"}, "no permission"),
        ({"text": "[Errno -2] Name or service not known"}, "the host name is not known"),
        ({"text": "[Errno 110] Connection timed out"}, "timed out ("),
        ({"text": "no answer in time", "code": "silent"}, "timed out (no answer in time)"),
        ({"text": "[Errno 4711] new", "code": "unreachable"}, "[Errno 4711] new"),
        ({"text": "the login was refused", "code": "login_refused"}, "the login was refused"),
        ({}, ""),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="other systems count their errors otherwise")
def test_causes_in_plain_words(reason: dict[str, str], words: str) -> None:
    assert plainly(reason, is_here=True).startswith(words)


def test_numbers_of_another_machine_are_not_translated() -> None:
    text = "[Errno 111] Connect call failed"
    assert plainly({"text": text}, is_here=False) == text


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
