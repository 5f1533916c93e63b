"""Controllers from the command line: a real hub process with two simulated plugs behind it, and a posted sensor."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from holdfast.cli import controller_words
from holdfast.cli.completion import complete_controller
from holdfast.cli.take_over import with_seconds
from holdfast.cli.units import temperature
from tests.cli.cellar import cellar_site, post, street, until
from tests.cli.fake_hub import Answer, fake_hub
from tests.cli.house import Ended, Invoke, program, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.plugs import Street

pytestmark = [pytest.mark.xdist_group("cli"), pytest.mark.blocking_allowed]


class Cellar(NamedTuple):
    """A hub that these tests share."""

    url: str
    plugs: Street


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cellar]:
    """A hub process whose plugs are proven off."""
    folder = tmp_path_factory.mktemp("cellar")
    with street() as plugs:
        site = cellar_site(folder, *(each.port for each in plugs.plugs), unit="fahrenheit")
        with served(site, folder / "data", HOLDFAST_LOOP="asyncio") as (hub, url):
            hub.expect("heater: first data after", among=hub.complaints)
            hub.expect("fridge: first data after", among=hub.complaints)
            yield Cellar(url, plugs)


@pytest.fixture
def cellar(shared: Cellar, invoke: Invoke) -> Iterator[Cellar]:
    """The beer is at 19 °C, nothing has to be done, and the next test finds it so."""
    post(shared.url, 19.0)
    until(lambda: is_calm(controller(shared, invoke)))
    yield shared
    post(shared.url, 19.0)
    for arguments in (
        ["set", "fermenter/enabled", "off"],  # so that what it does is not gone on with
        ["profile", "fermenter", "clear"],
        ["limits", "fermenter", "18", "20"],
        ["set", "fermenter/enabled", "on"],
        ["give-back", "fermenter", "heater"],
    ):
        assert invoke(*arguments, HOLDFAST_URL=shared.url).code == 0
    until(lambda: is_calm(controller(shared, invoke)))


def is_calm(record: dict[str, Any]) -> bool:
    """Nothing to do, nothing under way, and both plugs proven off."""
    plugs = (record["heater"], record["cooler"])
    is_off = all(each["verified"]["value"] is False and each["order"] is None for each in plugs)
    return record["state"] == "idle" and is_off and not any(each["has_open_command"] for each in plugs)


@pytest.fixture
def ask(cellar: Cellar, invoke: Invoke) -> Invoke:
    """Run a command for the hub."""

    def run(*arguments: str, **environ: str) -> Ended:
        return invoke(*arguments, **{"HOLDFAST_URL": cellar.url, **environ})

    return run


def controller(cellar: Cellar, invoke: Invoke) -> dict[str, Any]:
    """What the hub tells of it."""
    (record,) = json.loads(invoke("controllers", "fermenter", "--json", HOLDFAST_URL=cellar.url).out)
    return dict(record)


# --- looking --------------------------------------------------------------------------------------------------------


def test_controllers(cellar: Cellar, ask: Invoke) -> None:
    """A line for people in the owner's unit; °C for programs."""
    table = ask("controllers")
    assert table.code == 0
    for each in ("fermenter", "idle", "66.2 °F", "64.4 to 68 °F", "off", "nothing to do"):
        assert each in table.out
    record = controller(cellar, ask)
    assert record["temperature"]["value"] == 19
    assert record["limits"]["heating"] == {"low": 18, "high": 20}
    one = ask("controllers", "fermenter").out
    assert "Fermenter (fermenter): idle, temperature 66.2 °F" in one
    assert "limits 64.4 to 68 °F, entered as 18 °C to 20 °C" in one
    assert "heater heater/switch: off" in one
    assert "its own timer" in one


def test_an_unknown_controller(ask: Invoke) -> None:
    for arguments in (["controllers", "cabin"], ["limits", "cabin", "1", "2"], ["profile", "cabin"]):
        done = ask(*arguments)
        assert (done.code, done.out) == (2, "")
        assert "no controller 'cabin'" in done.err
        assert "fermenter" in done.err


def test_the_shell_completes_controllers(cellar: Cellar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_URL", cellar.url)
    assert complete_controller("ferm") == ["fermenter"]
    assert complete_controller("x") == []


def test_status_shows_controllers(ask: Invoke) -> None:
    """Behind the devices, and alone where it is named."""
    text = ask("status").out
    assert "heater: online" in text
    assert "Fermenter (fermenter): idle, temperature 66.2 °F, limits 64.4 to 68 °F" in text
    one = ask("status", "fermenter")
    assert one.code == 0
    assert "heater: online" not in one.out
    assert "Fermenter (fermenter)" in one.out
    told = json.loads(ask("status", "fermenter", "--json").out)
    assert told["devices"] == []
    (record,) = told["controllers"]
    readings = {each["target"]: each["value"] for each in record["readings"]}
    assert readings["fermenter/temperature"] == 19
    whole = json.loads(ask("status", "--json").out)
    assert [each["id"] for each in whole["devices"]] == ["heater", "fridge", "beer"]
    assert [each["id"] for each in whole["controllers"]] == ["fermenter"]


def test_watch_tells_what_a_controller_does(cellar: Cellar, invoke: Invoke) -> None:
    """What it does and why, when it changes; not every second that it counts."""
    with program("watch", "fermenter", HOLDFAST_URL=cellar.url) as watching:
        watching.expect(r"^Fermenter \(fermenter\): idle")
        watching.expect("fermenter/enabled")
        post(cellar.url, 16.0)
        watching.expect("fermenter/temperature: 19 °C → 16 °C")
        watching.expect("fermenter: waiting to heat: 16 °C, kept between 18 °C and 20 °C")
        watching.expect("fermenter: the heater is on")
        watching.expect("fermenter: heating: 16 °C")
        watching.expect("alarm: 16 °C is below the low limit")
        assert not [line for line in watching.lines if "fermenter/reason:" in line]
    with program("watch", "fermenter", "--json", HOLDFAST_URL=cellar.url) as watching:
        values = itertools.cycle((16.5, 16.0))

        def is_told() -> bool:
            post(cellar.url, next(values))
            return any("fermenter/temperature" in line for line in list(watching.lines))

        until(is_told)
        assert all(json.loads(line)["target"].startswith("fermenter/") for line in list(watching.lines))


# --- limits, profiles and switches ----------------------------------------------------------------------------------


def test_limits_are_set(ask: Invoke) -> None:
    """Numbers are °C, texts are kept as they are; what cannot be is refused in words."""
    done = ask("limits", "fermenter", "18.5", "70 °F")
    assert (done.code, done.err) == (0, "")
    assert "limits 65.3 to 70 °F, entered as 18.5 °C to 70 °F" in done.out
    told = json.loads(ask("limits", "fermenter", "-1", "2.5", "--json").out)
    assert told["limits"]["entered"] == {"low": -1, "high": 2.5}
    refused = ask("limits", "fermenter", "20", "18")
    assert (refused.code, refused.out) == (1, "")
    assert "must be below" in refused.err
    assert ask("limits", "fermenter", "warm", "20").code == 1
    assert ask("limits", "fermenter", "on", "20").code == 2


@pytest.mark.parametrize("low", ["18.5", "64 °F"])
def test_a_limit_is_a_target_too(ask: Invoke, low: str) -> None:
    done = ask("set", "fermenter/low", low)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("verified: fermenter/low")
    refused = ask("set", "fermenter/low", "30")
    assert refused.code == 1
    assert refused.out.startswith("refused: ")


def test_switched_off_and_on(cellar: Cellar, ask: Invoke) -> None:
    assert ask("set", "fermenter/enabled", "off").code == 0
    assert controller(cellar, ask)["state"] == "off"
    assert ask("on", "enabled").code == 0  # the key alone is enough where there is no other one
    assert controller(cellar, ask)["is_enabled"]


def test_a_profile_from_a_file(cellar: Cellar, ask: Invoke, tmp_path: Path) -> None:
    assert ask("profile", "fermenter").out == "there is no profile\n"
    steps = tmp_path / "steps.yaml"
    steps.write_text("- {low: 18, high: 20, hold_s: 7200}\n- {low: '50 °F', high: '54 °F', ramp_s: 3600}\n")
    done = ask("profile", "fermenter", "set", str(steps))
    assert (done.code, done.err) == (0, "")
    assert "step 1 of 2" in done.out
    assert "hold 18 °C to 20 °C for 2 h" in ask("profile", "fermenter").out
    assert "paused" in ask("profile", "fermenter", "pause").out
    assert ask("profile", "fermenter", "continue").code == 0
    assert ask("profile", "fermenter", "skip").code == 0
    until(lambda: "ramp to 50 °F to 54 °F within 1 h" in ask("profile", "fermenter").out)
    assert json.loads(ask("profile", "fermenter", "--json").out)["index"] == 1
    refused = ask("limits", "fermenter", "1", "2")
    assert (refused.code, "follow a profile" in refused.err) == (1, True)
    assert ask("profile", "fermenter", "start").code == 0
    assert ask("profile", "fermenter", "clear").code == 0
    assert controller(cellar, ask)["profile"] is None


def test_profiles_that_cannot_be(ask: Invoke, tmp_path: Path) -> None:
    steps = tmp_path / "steps.yaml"
    steps.write_text("low: 18\nhigh: 20\n")
    for arguments, words in (
        (["jump"], "start, pause, continue, skip, set FILE, clear"),
        (["set"], "profile CONTROLLER set FILE"),
        (["pause", str(steps)], "profile CONTROLLER set FILE"),
        (["set", str(steps)], "holds no list of steps"),
    ):
        done = ask("profile", "fermenter", *arguments)
        assert (done.code, done.out) == (2, "")
        assert words in done.err
    assert ask("profile", "fermenter", "skip").code == 1


# --- persons --------------------------------------------------------------------------------------------------------


def test_a_plug_is_taken_over_and_given_back(cellar: Cellar, ask: Invoke) -> None:
    """Only by saying so; then it is told for how long."""
    refused = ask("set", "heater/switch", "on")
    assert refused.code == 1
    assert "belongs to fermenter" in refused.out
    done = ask("set", "heater/switch", "on", "--take-over", "120")
    assert (done.code, done.err) == (0, ""), done.out
    assert cellar.plugs.plugs[0].plug.is_on
    record = controller(cellar, ask)
    assert 60 < record["heater"]["taken_over_s"] <= 120
    assert "heater/switch: on; taken over for 1 min" in ask("controllers", "fermenter").out
    given = ask("give-back", "fermenter", "heater")
    assert given.code == 0
    assert "taken over for" not in given.out
    until(lambda: not cellar.plugs.plugs[0].plug.is_on)
    assert ask("give-back", "fermenter", "lamp").code == 2


def test_an_hour_where_nothing_is_said(cellar: Cellar, ask: Invoke) -> None:
    done = ask("set", "heater/switch", "off", "--take-over")
    assert (done.code, done.err) == (0, ""), done.out
    assert 3500 < controller(cellar, ask)["heater"]["taken_over_s"] <= 3600


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["x", "on", "--take-over"], ["x", "on", "--take-over=3600"]),
        (["x", "on", "--take-over", "60"], ["x", "on", "--take-over", "60"]),
        (["x", "on", "--take-over", "--json"], ["x", "on", "--take-over=3600", "--json"]),
        (["--take-over", "x", "on"], ["--take-over=3600", "x", "on"]),
        (["x", "on", "--take-over=5"], ["x", "on", "--take-over=5"]),
        (["x", "on"], ["x", "on"]),
    ],
)
def test_seconds_may_be_left_out(given: list[str], meant: list[str]) -> None:
    assert with_seconds(given) == meant


def test_an_alarm_is_acknowledged(cellar: Cellar, ask: Invoke) -> None:
    post(cellar.url, 16.0)
    until(lambda: controller(cellar, ask)["alarms"])
    done = ask("acknowledge", "fermenter", "below_low")
    assert done.code == 0
    assert "acknowledged: 16 °C is below the low limit, 18 °C" in " ".join(done.out.split())
    refused = ask("acknowledge", "fermenter", "swapped_plugs")
    assert (refused.code, refused.out) == (1, "")
    assert "has no alarm swapped_plugs now" in refused.err
    assert ask("acknowledge", "fermenter", "nonsense").code == 2
    post(cellar.url, 20.0)  # what ends it: the high limit
    until(lambda: not controller(cellar, ask)["alarms"])


# --- without a hub --------------------------------------------------------------------------------------------------


def test_without_a_hub(tmp_path: Path, invoke: Invoke) -> None:
    """The site file's own: nothing is known of the beer, so the plugs are kept off, and it says why."""
    with street() as plugs:
        site = str(cellar_site(tmp_path, *(each.port for each in plugs.plugs)))
        shown = invoke("controllers", "--site", site)
        assert shown.code == 0
        assert "safety: no reading" in shown.out
        assert "18 to 20 °C" in shown.out
        told = json.loads(invoke("status", "fermenter", "--site", site, "--json").out)
        assert (told["devices"], told["controllers"][0]["state"]) == ([], "safety: no reading")
        assert told["controllers"][0]["heater"]["verified"]["value"] is False
        assert invoke("set", "fermenter/low", "17", "--site", site).out.startswith(
            "verified: fermenter/low 17"
        )
        unknown = invoke("status", "cabin", "--site", site)
        assert (unknown.code, "fermenter" in unknown.err) == (2, True)


def test_nobody_switches_an_owned_plug_on_without_its_controller(tmp_path: Path, invoke: Invoke) -> None:
    """Off is always possible."""
    with street() as plugs:
        site = str(cellar_site(tmp_path, *(each.port for each in plugs.plugs)))
        refused = invoke("set", "fridge/switch", "on", "--site", site)
        assert (refused.code, refused.out) == (2, "")
        assert "belongs to fermenter, which does not run here" in refused.err
        assert not plugs.plugs[1].plug.is_on


def test_the_same_record_with_and_without_a_hub(cellar: Cellar, invoke: Invoke, tmp_path: Path) -> None:
    """A program need not know which one it asked."""
    with street() as plugs:
        site = cellar_site(tmp_path, *(each.port for each in plugs.plugs))
        (own,) = json.loads(invoke("controllers", "--site", str(site), "--json").out)
    assert shape(own) == shape(controller(cellar, invoke))


def shape(record: dict[str, Any]) -> Any:
    """The names in it, two storeys deep; what may be absent is left out."""
    return {
        key: sorted(value) if isinstance(value, dict) and key != "order" else None
        for key, value in record.items()
    }


# --- the site file and the site -------------------------------------------------------------------------------------


def test_check_tells_what_is_strange(tmp_path: Path, invoke: Invoke) -> None:
    """A note is no error."""
    done = invoke("check", str(cellar_site(tmp_path, 9998, 9999, low=60, high=74)))
    assert done.code == 0
    assert "74 °C is hot for a fermentation" in done.err
    assert done.out.rstrip().endswith(", 1 controller")
    assert invoke("check", str(cellar_site(tmp_path, 9998, 9999))).err == ""


def test_a_controller_is_put_and_removed(tmp_path: Path, invoke: Invoke) -> None:
    """In a store, as through a hub."""
    site, data = cellar_site(tmp_path, 9998, 9999), str(tmp_path / "data")
    assert invoke("apply", str(site), "--data", data).code == 0
    removed = invoke("controller", "remove", "fermenter", "--data", data)
    assert "controller fermenter: goes" in removed.out
    part = tmp_path / "part.yaml"
    part.write_text(
        "{id: fermenter, kind: thermostat, sensor: beer/temperature, heater: heater/switch, low: 18, high: 20}"
    )
    assert "controller fermenter: comes" in invoke("controller", "put", str(part), "--data", data).out
    part.write_text("{id: fermenter, kind: thermostat, heater: nobody/switch, low: 18, high: 20}")
    wrong = invoke("controller", "put", str(part), "--data", data)
    assert (wrong.code, "no device 'nobody'" in wrong.err) == (2, True)
    assert invoke("controller", "remove", "cabin", "--data", data).code == 2


# --- in words -------------------------------------------------------------------------------------------------------


def told_plug(value: object, *, wanted: str = "off", **more: Any) -> dict[str, Any]:
    """A plug of the API."""
    verified = {"value": value, "last_known": True, "age_s": 90.0}
    return {"target": "heater/switch", "wanted": wanted, "verified": verified, **more}


@pytest.mark.parametrize(
    ("plug", "said"),
    [
        (None, "–"),
        (told_plug(True), "on"),
        (told_plug(False), "off"),
        (told_plug(None), "unknown, last seen on 1 min ago"),
        (told_plug(False, wanted="on", has_open_command=True), "switching on …"),
        (told_plug(True, wanted="safety off", has_open_command=True), "switching off …"),
        (told_plug(True, wanted="released", has_open_command=True), "switching …"),
        (told_plug(True, taken_over_s=60.0), "on; taken over for 1 min yet"),
        (told_plug(None, error="no answer"), "unknown, last seen on 1 min ago; no answer"),
        ({"target": "x/y", "verified": None}, "there is no such plug"),
        ({"target": "x/y", "verified": {"value": None, "last_known": None}}, "unknown"),
    ],
)
def test_a_plug_in_words(plug: dict[str, Any] | None, said: str) -> None:
    """Never on without its own word, and never off for want of knowledge."""
    assert controller_words.plug(plug) == said


def test_a_temperature_that_is_not_current_has_its_age() -> None:
    record = {"temperature": {"value": None, "quality": "stale", "last_known": 18.0, "age_s": 300.0}}
    assert controller_words.shown(record, "°F") == "stale: last known 64.4 °F, 5 min ago"
    assert controller_words.shown({"temperature": {"value": None, "quality": "unknown"}}, "°C") == "unknown"
    assert temperature(-0.0, "°C") == "0 °C"


def test_limits_in_words() -> None:
    bands = {"heating": {"low": 18, "high": 20}, "cooling": {"low": 20, "high": 22}, "is_separate": True}
    assert controller_words.limits({"limits": bands}, "°C") == "18 to 20 °C, cooling 20 to 22 °C"
    assert controller_words.limits({"limits": {"heating": None, "cooling": None}}, "°C") == "unusable"


def test_a_hub_that_keeps_no_site_shows_celsius(invoke: Invoke) -> None:
    """Such as the demo's."""
    problem = Answer(409, {"code": "fixed_site", "detail": "kept nowhere"}, "application/problem+json")
    with fake_hub({"/controllers": [], "/site": problem}) as hub:
        done = invoke("controllers", HOLDFAST_URL=hub.url)
        assert (done.code, done.err) == (0, "")
