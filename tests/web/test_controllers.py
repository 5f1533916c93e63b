"""Controllers over HTTP: what they tell, what may be asked of them, and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from holdfast.model import Authority
from holdfast.store import MemoryStore
from holdfast.web.api.access import Tokens
from holdfast.web.api.shapes import ControllerShape, ReadingShape, ReceiptShape
from tests.web.cellar import Cellar, cellar, thermostat
from tests.web.house import house, listening, until
from tests.web.test_problems import check

if TYPE_CHECKING:
    import httpx

TOKENS = Tokens(
    [("robot", Authority.AUTOMATION, "robots-own-token"), ("ann", Authority.PERSON, "anns-own-token")]
)
ROBOT = {"Authorization": "Bearer robots-own-token"}


def shaped(answer: httpx.Response) -> ControllerShape:
    """The answer, which must have the described shape with no more and no fewer members."""
    assert answer.status_code == 200, answer.text
    told = msgspec.json.decode(answer.content, type=ControllerShape)
    assert same_members(answer.json(), msgspec.to_builtins(told))
    return told


def same_members(told: Any, described: Any) -> bool:
    """Whether both have the same keys all the way down."""
    if isinstance(told, dict):
        assert set(told) == set(described)
        return all(same_members(told[key], described[key]) for key in told)
    if isinstance(told, list):
        return all(map(same_members, told, described))
    return True


# --- looking --------------------------------------------------------------------------------------------------------


async def test_a_hub_without_controllers_has_an_empty_list() -> None:
    async with house() as here:
        assert (await here.get("/api/v1/controllers")).json() == []
        check(await here.get("/api/v1/controllers/fermenter"), 404, "unknown_target")


async def test_what_a_controller_tells() -> None:
    """Before its first reading it says what it misses, and keeps both plugs off by standing orders."""
    async with cellar() as here:
        told = shaped(await here.get("/api/v1/controllers/fermenter"))
        (listed,) = (await here.get("/api/v1/controllers")).json()
        assert listed.keys() == (await here.controller()).keys()
        assert (told.id, told.name, told.kind, told.is_enabled) == (
            "fermenter",
            "Fermenter",
            "thermostat",
            True,
        )
        assert told.state == "safety: no reading"
        assert told.reason is not None
        assert "has given no reading yet" in told.reason
        assert (told.temperature.value, told.temperature.quality) == (None, "unknown")
        assert told.limits.heating == told.limits.cooling
        assert told.limits.heating is not None
        assert (told.limits.heating.low, told.limits.heating.high, told.limits.is_separate) == (18, 20, False)
        assert told.profile is None
        assert told.look_s is not None
        assert 0 < told.look_s <= 10
        assert told.heater is not None
        assert (told.heater.target, told.heater.wanted) == ("heater/switch", "safety off")
        assert told.heater.order is not None
        assert told.heater.order.is_verified
        assert told.heater.order.cause
        writable = [each.target for each in told.capabilities if each.writable]
        assert writable == ["fermenter/low", "fermenter/high", "fermenter/enabled"]


async def test_a_cold_beer_is_heated() -> None:
    """State, readings and metrics say so once the plug itself says so; its own timer counts."""
    async with cellar() as here:
        await here.warm(16.0)
        await here.until_state("heating")
        told = shaped(await here.get("/api/v1/controllers/fermenter"))
        assert told.heater is not None
        assert told.cooler is not None
        assert told.heater.verified is not None
        assert (told.heater.wanted, told.heater.verified.value, told.heater.order) == ("on", True, None)
        assert (told.cooler.wanted, told.cooler.verified and told.cooler.verified.value) == ("off", False)
        await until(lambda: here.hub.reading("heater/dead_man_state").value == "armed")
        timer = (await here.controller())["heater"]["dead_man"]
        assert timer["state"] == "armed"
        assert 500 < timer["left_s"] <= 600
        readings = msgspec.json.decode(
            (await here.get("/api/v1/readings?device=fermenter")).content, type=list[ReadingShape]
        )
        values = {each.target: each.value for each in readings}
        assert values["fermenter/temperature"] == 16
        assert values["fermenter/heating"] is True
        assert values["fermenter/state"] == "heating"
        assert set(values) <= {each["target"] for each in (await here.get("/api/v1/readings")).json()}


async def test_limits_as_entered_and_in_force() -> None:
    """Texts stay as they were written; a cooling band of its own is told apart."""
    async with cellar(low="65 °F", high="68 °F", cooling={"low": "68 °F", "high": "77 °F"}) as here:
        limits = (await here.controller())["limits"]
        assert limits["entered"] == {"low": "65 °F", "high": "68 °F"}
        assert limits["entered_cooling"] == {"low": "68 °F", "high": "77 °F"}
        assert (limits["unit"], limits["is_separate"]) == ("°F", True)
        assert limits["cooling"] == {"low": 20.0, "high": 25.0}
        assert limits["heating"]["high"] == 20.0


async def test_limits_that_cannot_be_used() -> None:
    """None are in force, and what was written is shown, whatever it is."""
    async with cellar(low=[1], high=20) as here:
        told = shaped(await here.get("/api/v1/controllers/fermenter"))
        assert (told.limits.heating, told.limits.entered.low) == (None, "[1]")
        assert "low limit cannot be used" in " ".join(each.text for each in told.alarms)


async def test_strange_settings_are_warned_of() -> None:
    async with cellar(low=60, high=74, fresh_s=3600) as here:
        warnings = (await here.controller())["warnings"]
        assert len(warnings) == 2
        assert "fresh_s 3600 is unusual" in warnings[0]
        assert "74 °C is hot" in warnings[1]


async def test_metrics() -> None:
    """States, limits, temperature and plugs; what is not known is absent or says so."""
    async with cellar() as here:
        before = await metrics(here)
        assert before["holdfast_controller_state", "fermenter", "safety: no reading"] == 1
        assert ("holdfast_controller_temperature_celsius", "fermenter") not in before
        assert before["holdfast_controller_standing_order", "fermenter", "heater"] == 1
        await here.warm(16.0)
        await here.until_state("heating")
        now = await metrics(here)
        assert now["holdfast_controller_state", "fermenter", "heating"] == 1
        assert now["holdfast_controller_state", "fermenter", "idle"] == 0
        assert now["holdfast_controller_temperature_celsius", "fermenter"] == 16
        assert now["holdfast_controller_limit_celsius", "fermenter", "heating", "low"] == 18
        assert now["holdfast_controller_limit_celsius", "fermenter", "cooling", "high"] == 20
        assert now["holdfast_controller_plug", "fermenter", "heater", "on"] == 1
        assert now["holdfast_controller_plug", "fermenter", "cooler", "off"] == 1
        assert now["holdfast_controller_alarm", "fermenter", "below_low"] == 1
        assert now["holdfast_controller_alarm", "fermenter", "no_reading"] == 0


async def metrics(here: Cellar) -> dict[tuple[str, ...], float]:
    """The samples by name, controller and the other labels' values, in the order of their names."""
    text = (await here.get("/metrics")).text
    return {
        (sample.name, labels.pop("controller"), *(labels[key] for key in sorted(labels))): sample.value
        for each in text_string_to_metric_families(text)
        for sample in each.samples
        if sample.name.startswith("holdfast_controller") and (labels := dict(sample.labels))
    }


async def test_the_stream_tells_of_controllers() -> None:
    """In the snapshot, and as they change."""
    async with cellar() as here, listening(here) as ear:
        snapshot = {
            heard.data["target"]: heard.data for heard in await ear.snapshot() if heard.name == "reading"
        }
        assert snapshot["fermenter/state"]["value"] == "safety: no reading"
        await here.warm(16.0)
        await ear.until("reading", target="fermenter/temperature", value=16.0)
        await ear.until("event", kind="control", device="fermenter")
        await ear.until("reading", target="fermenter/heating", value=True)


async def test_events_of_a_controller() -> None:
    """It may be asked for by its id, also where nothing is known of it yet."""
    async with cellar() as here:
        events = (await here.get("/api/v1/events?device=fermenter&kind=control")).json()
        assert events[0]["data"]["state"] == "safety: no reading"
        assert (await here.get("/api/v1/events?device=fermenter&kind=failover")).json() == []


# --- limits and profile ---------------------------------------------------------------------------------------------


async def test_limits_are_set_and_kept() -> None:
    """As entered, in one go, by anybody who may command; the next run of the hub has them."""
    store = MemoryStore()
    async with cellar(store=store, tokens=TOKENS, headers=ROBOT) as here:
        told = shaped(await here.ask("POST", "limits", {"low": "64 °F", "high": 19.5}))
        assert told.limits.heating is not None
        assert told.limits.heating.high == 19.5
        assert (told.limits.entered.low, told.limits.entered.high) == ("64 °F", 19.5)
    async with cellar(store=store) as again:
        assert (await again.controller())["limits"]["entered"] == {"low": "64 °F", "high": 19.5}


@pytest.mark.parametrize(
    ("body", "status", "code", "words"),
    [
        ({"low": 21, "high": 20}, 409, "not_possible", "must be below"),
        ({"low": "warm", "high": 20}, 409, "not_possible", "is no temperature"),
        ({"low": 20, "high": 20}, 409, "not_possible", "must be below"),
        ({"low": 18}, 422, "wrong_type", "high"),
        ({"low": None, "high": 20}, 422, "wrong_type", "low"),
        ({"low": True, "high": 20}, 422, "wrong_type", "low"),
        ({"low": 18, "high": 20, "unit": "C"}, 422, "wrong_type", "unit"),
        ([18, 20], 422, "wrong_type", "array"),
    ],
)
async def test_limits_that_are_refused(body: Any, status: int, code: str, words: str) -> None:
    """Nothing changes, and it is said why."""
    async with cellar() as here:
        document = check(await here.ask("POST", "limits", body), status, code)
        assert words in document["detail"]
        assert (await here.controller())["limits"]["heating"] == {"low": 18, "high": 20}


async def test_a_command_sets_a_limit() -> None:
    """The receipt has ended at once: verified, or refused with its reason; receipts are listed under its target."""
    async with cellar() as here:
        set_ = (await here.command("fermenter/low", 18.5, wait=True)).json()
        assert (set_["state"], set_["value"]) == ("verified", 18.5)
        assert (await here.command("fermenter/high", "74 °F")).json()["state"] == "verified"
        refused = (await here.command("fermenter/low", 30)).json()
        assert refused["state"] == "refused"
        assert "must be below" in refused["reason"]
        assert (await here.command("fermenter/state", "idle")).json()["state"] == "refused"
        check(await here.command("fermenter/nothing", 1), 404, "unknown_target")
        assert (await here.controller())["limits"]["entered"] == {"low": 18.5, "high": "74 °F"}
        kept = msgspec.json.decode(
            (await here.get("/api/v1/commands?target=fermenter/low")).content, type=list[ReceiptShape]
        )
        assert [each.state for each in kept] == ["verified", "refused"]
        assert (await here.get("/api/v1/commands?target=fermenter/enabled")).json() == []


async def test_switched_off_by_a_command() -> None:
    """By an automation, too; both plugs are kept off then."""
    async with cellar(tokens=TOKENS, headers=ROBOT) as here:
        await here.warm(16.0)
        await here.until_state("heating")
        assert (await here.command("fermenter/enabled", False)).json()["state"] == "verified"
        await until(lambda: here.hub.reading("fermenter/heating").value is False)
        told = await here.controller()
        assert (told["state"], told["is_enabled"], told["heater"]["wanted"]) == ("off", False, "safety off")


STEPS = [{"low": 18, "high": 20, "hold_s": 3600}, {"low": "50 °F", "high": "54 °F"}]


async def test_a_profile_is_followed() -> None:
    """Given, paused, continued, skipped, begun anew, left; limits cannot be set while it runs."""
    async with cellar() as here:
        check(await here.ask("POST", "profile", {"move": "start"}), 409, "not_possible")
        profile = shaped(await here.ask("PUT", "profile", STEPS)).profile
        assert profile is not None
        assert (profile.steps, profile.index, profile.is_paused, profile.has_ended) == (
            STEPS,
            0,
            False,
            False,
        )
        assert shaped(await here.ask("POST", "profile", {"move": "pause"})).profile.is_paused  # type: ignore[union-attr]
        check(await here.ask("POST", "limits", {"low": 1, "high": 2}), 409, "not_possible")
        told = shaped(await here.ask("POST", "profile", {"move": "continue"}))
        assert not told.profile.is_paused  # type: ignore[union-attr]
        await here.ask("POST", "profile", {"move": "skip"})
        await until(lambda: here.hub.reading("fermenter/low").value == 10)
        told = shaped(await here.get("/api/v1/controllers/fermenter"))
        assert told.profile is not None
        assert (told.profile.index, told.limits.entered.low, told.limits.unit) == (1, "50 °F", "°F")
        await here.ask("POST", "profile", {"move": "skip"})
        await until(lambda: here.thermostat.position.index == 2)
        ended = (await here.controller())["profile"]
        assert (ended["index"], ended["has_ended"]) == (2, True)
        await here.ask("POST", "profile", {"move": "start"})
        await until(lambda: here.thermostat.position.index == 0)
        left = shaped(await here.ask("PUT", "profile", []))
        assert (left.profile, left.limits.entered.low) == (None, 18)


@pytest.mark.parametrize(
    ("method", "body", "status", "code"),
    [
        ("PUT", [{"low": 18, "high": 20, "hold": 1}], 409, "not_possible"),
        ("PUT", [{"low": 20, "high": 18}], 409, "not_possible"),
        ("PUT", [{"low": 1, "high": 2, "cooling": 3}], 409, "not_possible"),
        ("PUT", [{"low": 10**400, "high": 20}], 422, "wrong_type"),
        ("PUT", [{"low": 1, "high": 2, "hold_s": 10**400}], 422, "wrong_type"),
        ("PUT", [{"low": [1], "high": 2}], 422, "wrong_type"),
        ("PUT", [7], 422, "wrong_type"),
        ("PUT", {"low": 1}, 422, "wrong_type"),
        ("POST", {"move": "jump"}, 422, "wrong_type"),
        ("POST", {}, 422, "wrong_type"),
    ],
)
async def test_profiles_that_are_refused(method: str, body: Any, status: int, code: str) -> None:
    async with cellar() as here:
        check(await here.ask(method, "profile", body), status, code)
        assert (await here.controller())["profile"] is None


# --- persons only ---------------------------------------------------------------------------------------------------


async def test_a_plug_is_taken_over_and_given_back() -> None:
    """Without take_over_s its command is refused; with it a person has the plug for so long."""
    async with cellar() as here:
        await here.warm(19.0)
        await here.until_state("idle")
        refused = (await here.command("heater/switch", True, wait=True)).json()
        assert refused["state"] == "refused"
        assert "belongs to fermenter" in refused["reason"]
        taken = (await here.command("heater/switch", True, wait=True, take_over_s=60)).json()
        assert taken["state"] == "verified", taken["reason"]
        told = await here.controller()
        assert told["heater"]["wanted"] == "released"
        assert 0 < told["heater"]["taken_over_s"] <= 60
        assert told["heater"]["taken_over_until"].endswith("Z")
        assert told["cooler"]["taken_over_s"] is None
        given = shaped(await here.ask("POST", "give-back", {"role": "heater"}))
        assert given.heater is not None
        assert given.heater.taken_over_until is None
        await until(lambda: here.hub.reading("heater/switch").value is False)


async def test_what_an_automation_may_not() -> None:
    """Take a plug over, give it back, or say that a person has seen an alarm."""
    async with cellar(tokens=TOKENS, headers=ROBOT) as here:
        await here.warm(16.0)
        refused = (await here.command("heater/switch", True, take_over_s=60)).json()
        assert refused["state"] == "refused"
        assert "only a person may take over" in refused["reason"]
        check(await here.ask("POST", "give-back", {"role": "heater"}), 403, "person_needed")
        check(await here.ask("POST", "acknowledge", {"alarm": "below_low"}), 403, "person_needed")


async def test_an_alarm_is_acknowledged() -> None:
    """It stays, marked as seen; one that is not on cannot be."""
    async with cellar() as here:
        await here.warm(16.0)
        await until(lambda: here.thermostat.memory.alarms)
        (alarm,) = (await here.controller())["alarms"]
        assert (alarm["kind"], alarm["is_acknowledged"]) == ("below_low", False)
        assert alarm["text"] == "16 °C is below the low limit, 18 °C"
        told = shaped(await here.ask("POST", "acknowledge", {"alarm": "below_low"}))
        assert [(each.kind, each.is_acknowledged) for each in told.alarms] == [("below_low", True)]
        document = check(
            await here.ask("POST", "acknowledge", {"alarm": "swapped_plugs"}), 409, "not_possible"
        )
        assert document["advice"] == "Its alarms are: below_low."
        check(await here.ask("POST", "acknowledge", {"alarm": "nonsense"}), 422, "wrong_type")


async def test_a_plug_that_is_not_there_cannot_be_given_back() -> None:
    async with cellar(cooler=None) as here:
        told = await here.controller()
        assert told["cooler"] is None
        check(await here.ask("POST", "give-back", {"role": "cooler"}), 409, "not_possible")
        check(await here.ask("POST", "give-back", {"role": "lamp"}), 422, "wrong_type")


# --- the site -------------------------------------------------------------------------------------------------------


async def test_a_controller_comes_changes_and_goes() -> None:
    """Through the site; a heater that is on when its controller goes is switched off."""
    async with cellar() as here:
        await here.warm(16.0)
        await here.until_state("heating")
        path = "/api/v1/controllers/fermenter"
        changed = (await here.client.put(path, json=thermostat(low=15.0))).json()
        assert changed["lines"] == ["controller fermenter: changes"]
        assert (await here.controller())["limits"]["heating"]["low"] == 15
        gone = (await here.client.delete(path)).json()
        assert "controller fermenter: goes" in gone["lines"]
        check(await here.get(path), 404, "unknown_target")
        await until(lambda: here.hub.reading("heater/switch").value is False)
        assert not here.heater.is_on
        back = (await here.client.put(path, json=thermostat())).json()
        assert "controller fermenter: comes" in back["lines"]
        assert (await here.controller())["heater"]["target"] == "heater/switch"
        wrong = await here.client.put(path, json=thermostat(sensor="nobody/temperature"))
        assert "there is no device 'nobody'" in check(wrong, 422, "invalid_site")["detail"]


async def test_the_site_is_shown_as_it_is_in_force() -> None:
    """What was set while the controller ran belongs to it: an export is what another hub must be given."""
    async with cellar() as here:
        await here.ask("POST", "limits", {"low": 12, "high": "60 °F"})
        answer = await here.client.get("/api/v1/site")
        (controller,) = answer.json()["site"]["controllers"]
        assert (controller["low"], controller["high"]) == (12, "60 °F")


async def test_a_device_that_stays_only_to_be_switched_off_can_be_given_up() -> None:
    """By a person; no other device can."""
    async with cellar() as here:
        answer = await here.client.post("/api/v1/devices/heater/abandon", json={})
        assert answer.status_code == 404
        assert "is not leaving" in answer.text
