"""The site over HTTP: shown, replaced, changed bit by bit, and refused in words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from holdfast.hub.ports import StoreError, Trouble
from holdfast.model import Authority
from holdfast.web.api import limits
from holdfast.web.api.access import Tokens
from holdfast.web.api.numbering import numbered
from holdfast.web.api.shapes import ArrayShape, SiteChangeShape, SiteStateShape
from tests.web.house import house, until
from tests.web.kept_house import KeptHouse, kept_house, rack_device
from tests.web.test_problems import check


def change(answer: Any) -> SiteChangeShape:
    """What a call did."""
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=SiteChangeShape)


async def site(here: KeptHouse) -> SiteStateShape:
    return msgspec.json.decode((await here.get("/api/v1/site")).content, type=SiteStateShape)


async def test_a_device_comes_and_goes() -> None:
    """Shown first, then done; the site is saved, and its revision says which one it is."""
    async with kept_house() as here:
        shown = change(await here.put("devices/two", rack_device("two"), dry_run="true"))
        assert (shown.is_done, shown.revision, shown.lines) == (False, 1, ["two: comes"])
        assert [(each.what, each.device) for each in shown.steps] == [("add", "two")]
        assert list(here.hub.devices) == ["rack"]
        done = change(await here.put("devices/two", rack_device("two"), expected=1))
        assert (done.is_done, done.revision, done.lines) == (True, 2, ["two: comes"])
        await until(lambda: here.hub.device("two").availability == "online")
        now = await site(here)
        assert (now.revision, [each["id"] for each in now.site["devices"]]) == (2, ["rack", "two"])
        saved = await here.store.site()
        assert saved is not None
        assert saved.mapping == now.site
        assert change(await here.delete("devices/two")).lines == ["two: goes"]
        assert list(here.hub.devices) == ["rack"]


async def test_the_whole_site_is_replaced_at_once() -> None:
    """What is not in it goes, what is equal stays; the same again is nothing to do."""
    async with kept_house() as here:
        wanted = {"site": {"name": "Home"}, "devices": [rack_device("a"), rack_device("rack")]}
        done = change(await here.put("site", wanted))
        assert done.lines == ["site: changes", "a: comes"]
        assert change(await here.put("site", wanted)).lines == []
        assert here.hub.name == "Home"


async def test_adapters_and_outputs() -> None:
    """Each is added, changed and removed by itself, and only what changed reconnects."""
    async with kept_house() as here:
        adapter = {"driver": "rack", "url": "usb", "priority": 2}
        done = change(await here.put("devices/rack/adapters/usb", adapter))
        assert done.steps[0].adapters == ["usb"]
        ordered = change(await here.put("devices/rack/adapters", ["usb", "rack"]))
        assert ordered.steps[0].what == "keep"
        path = "/api/v1/devices/rack/adapters/rack"
        assert change(await here.client.patch(path, json={"enabled": False})).steps[0].what == "adapt"
        states = {
            each["id"]: each["state"] for each in (await here.get("/api/v1/devices/rack")).json()["adapters"]
        }
        assert states["rack"] == "disabled"
        change(await here.client.patch(path, json={"enabled": True}))
        assert change(await here.delete("devices/rack/adapters/rack")).steps[0].adapters == ["rack"]
        change(await here.put("devices/rack/outputs/lamp", {"kind": "light", "module": 1}))
        (device,) = (await site(here)).site["devices"]
        assert device["outputs"] == {"lamp": {"kind": "light", "module": 1}}
        assert [(each["id"], each["priority"]) for each in device["adapters"]] == [("usb", 1)]
        change(await here.delete("devices/rack/outputs/lamp"))
        assert not (await site(here)).site["devices"][0].get("outputs")


async def test_arrays() -> None:
    """Packs belong together, and a device that goes leaves its array."""
    async with kept_house(rack_device("a"), rack_device("b")) as here:
        change(await here.put("arrays/cellar", {"packs": ["a", "b"], "attached_to": "inverter"}))
        found = msgspec.json.decode((await here.get("/api/v1/arrays")).content, type=list[ArrayShape])
        assert found == [ArrayShape("cellar", "cellar", ["a", "b"], "inverter")]
        change(await here.delete("devices/b"))
        assert (await here.get("/api/v1/arrays")).json()[0]["packs"] == ["a"]
        change(await here.delete("arrays/cellar"))
        assert (await here.get("/api/v1/arrays")).json() == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PUT", "devices/two", {"id": "three", "adapters": []}, 422, "invalid_site"),
        ("PUT", "devices/two", {}, 422, "invalid_site"),
        ("PUT", "devices/two", [], 422, "wrong_type"),
        ("PUT", "devices/two", rack_device("two", driver="x") | {"adapters": 3}, 422, "invalid_site"),
        ("PUT", "site", {}, 422, "invalid_site"),
        ("PUT", "site", {"devices": ["what"]}, 422, "invalid_site"),
        ("PUT", "site", {"devices": [{"id": 7}]}, 422, "invalid_site"),
        ("PUT", "controllers/c", {"kind": "thermostat"}, 422, "invalid_site"),
        ("PUT", "arrays/x", {"packs": ["nobody"]}, 422, "invalid_site"),
        ("PUT", "devices/rack/adapters", ["nobody"], 404, "unknown_target"),
        ("PUT", "devices/rack/adapters", {}, 422, "wrong_type"),
        ("PUT", "devices/nobody/adapters/a", {"driver": "rack", "url": "a"}, 404, "unknown_target"),
        ("PATCH", "devices/rack/adapters/nobody", {"enabled": True}, 404, "unknown_target"),
        ("PATCH", "devices/rack/adapters/rack", {"enable": True}, 422, "wrong_type"),
        ("DELETE", "devices/nobody", None, 404, "unknown_target"),
        ("DELETE", "devices/rack/adapters/rack", None, 422, "invalid_site"),
        ("DELETE", "devices/rack/outputs/lamp", None, 404, "unknown_target"),
        ("DELETE", "arrays/nobody", None, 404, "unknown_target"),
        ("DELETE", "controllers/nobody", None, 404, "unknown_target"),
        ("DELETE", "devices/rack?expected=7", None, 409, "site_changed"),
        ("DELETE", "devices/rack?expected=-1", None, 422, "wrong_type"),
    ],
)
async def test_what_changes_nothing(method: str, path: str, body: Any, status: int, code: str) -> None:
    """Refused in words, and everything is as it was."""
    async with kept_house() as here:
        before = await site(here)
        answer = await here.client.request(method, f"/api/v1/{path}", json=body)
        problem = check(answer, status, code)
        assert await site(here) == before
        assert list(here.hub.devices) == ["rack"]
        if code == "invalid_site":
            assert all(each["text"] for each in problem["problems"])
        if code == "site_changed":
            assert problem["revision"] == 1


async def test_every_problem_is_told_with_its_place() -> None:
    """Not only the first one; and a password is refused without being repeated."""
    async with kept_house() as here:
        device = rack_device("two")
        device["adapters"][0] |= {"driver": "rock", "password": "a-real-secret"}
        answer = await here.put("devices/two", device)
        problem = check(answer, 422, "invalid_site")
        places = {each["path"] for each in problem["problems"]}
        assert places == {"devices[1].adapters[0].driver", "devices[1].adapters[0].password"}
        assert "a-real-secret" not in answer.text
        change(await here.put("devices/two", rack_device("two", name="Two")))
        assert "a-real-secret" not in (await here.get("/api/v1/site")).text


async def test_secrets_are_shown_as_they_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of their variable, never by what is in it."""
    monkeypatch.setenv("RACK_PASSWORD", "a-real-secret")
    device = rack_device("two")
    device["adapters"][0]["password"] = {"env": "RACK_PASSWORD"}
    async with kept_house() as here:
        change(await here.put("devices/two", device))
        answer = await here.get("/api/v1/site")
        assert answer.json()["site"]["devices"][1] == device
        assert "a-real-secret" not in answer.text


async def test_a_sick_store_changes_nothing() -> None:
    """What cannot be saved does not take effect; when it can be again, it does."""
    async with kept_house() as here:
        here.store.fault = StoreError(Trouble.FULL, "the disk is full", advice="Make room.")
        problem = check(await here.put("devices/two", rack_device("two")), 503, "store_trouble")
        assert (problem["trouble"], problem["advice"]) == ("full", "Make room.")
        assert list(here.hub.devices) == ["rack"]
        here.store.fault = None
        change(await here.put("devices/two", rack_device("two")))


async def test_a_site_that_is_kept_nowhere() -> None:
    """The demo's hub says so."""
    async with house() as here:
        for method, path in (("GET", "site"), ("PUT", "site"), ("DELETE", "devices/rack")):
            body: dict[str, Any] | None = {} if method == "PUT" else None
            check(await here.client.request(method, f"/api/v1/{path}", json=body), 409, "fixed_site")
        assert (await here.get("/api/v1/arrays")).json() == []


async def test_only_persons_change_the_site() -> None:
    """An automation's token shows the site only: whoever changes it decides which files are read as secrets."""
    tokens = Tokens(
        [("kiosk", Authority.AUTOMATION, "0123456789abcdef"), ("ann", Authority.PERSON, "fedcba9876543210")]
    )
    async with kept_house(tokens=tokens, headers={"Authorization": "Bearer 0123456789abcdef"}) as here:
        assert (await here.get("/api/v1/site")).status_code == 200
        calls: list[tuple[str, str, Any]] = [
            ("PUT", "site", {"devices": []}),
            ("PUT", "devices/two", rack_device("two")),
            ("PUT", "devices/rack/adapters", ["rack"]),
            ("PATCH", "devices/rack/adapters/rack", {"enabled": False}),
            ("PUT", "devices/rack/outputs/x", {}),
            ("DELETE", "devices/rack", None),
        ]
        for method, path, body in calls:
            check(await here.client.request(method, f"/api/v1/{path}", json=body), 403, "person_needed")
        here.client.headers["Authorization"] = "Bearer fedcba9876543210"
        change(await here.put("devices/two", rack_device("two")))


async def test_a_site_may_be_larger_than_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """A house of hundreds fits; other bodies and endless ones do not."""
    many = {"devices": [rack_device(f"d{n}", name="x" * 100) for n in range(600)]}
    async with kept_house() as here:
        assert len(msgspec.json.encode(many)) > limits.LARGEST_BODY
        shown = change(await here.put("site", many, dry_run="true"))
        assert len(shown.lines) == 601
        check(await here.put("devices/x", many), 413, "body_too_large")
        monkeypatch.setattr(limits, "LARGEST_SITE", 100_000)
        check(await here.put("site", many), 413, "body_too_large")


def test_keys_that_are_numbers() -> None:
    """Bus addresses and modules are numbers again, names of outputs stay names, and nothing else is touched."""
    sent = {
        "options": {"modules": {"6": {"kind": "dimmer"}}, "x": [{"0": "front"}]},
        "outputs": {"7": {"1": 2}},
    }
    assert numbered(sent) == {
        "options": {"modules": {6: {"kind": "dimmer"}}, "x": [{0: "front"}]},
        "outputs": {"7": {1: 2}},
    }
    odd = {"06": 1, "-1": 1, "": 1, "1.0": 1, "²": 1, "9" * 16: 1, "#6": 1}
    assert numbered(odd) == odd


async def test_numbers_survive_the_way_there() -> None:
    """A site that is applied over HTTP has the keys that its file has."""
    device = rack_device("two", options={"batteries": {0: "front", 15: "back"}})
    async with kept_house() as here:
        change(await here.put("site", {"devices": [device]}))
        assert here.site.mapping["devices"] == [device]
