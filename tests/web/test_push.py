"""Posting readings over real sockets: what becomes of each, and who may send what."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from holdfast.errors import ConfigurationError
from holdfast.model import Authority
from holdfast.web.api.access import Tokens
from holdfast.web.api.limits import LARGEST_BODY
from holdfast.web.api.shapes import DeliveryShape
from tests.drivers.push.sensor import push_device, push_spec
from tests.web.house import House, house, until
from tests.web.wire import ask

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from holdfast.web.api.access import Caller

READINGS = "/api/v1/readings"
PILL = "/api/v1/ingest/ispindel/pill"
CHAMBER = "/api/v1/ingest/ispindel/chamber"
T = "chamber/temperature"
ISPINDEL = {"name": "iSpindel000", "ID": 1234567, "angle": 25.5, "temperature": 68, "temp_units": "F"}
TOKENS = Tokens(
    [("robot", Authority.AUTOMATION, "robots-own-token")],
    [("pill", "pill", "pills-own-token"), ("probe", T, "probes-own-token")],
)
ROBOT = {"Authorization": "Bearer robots-own-token"}
PILLS = {"Authorization": "Bearer pills-own-token"}
PROBES = {"Authorization": "Bearer probes-own-token"}


@asynccontextmanager
async def sensors(**more: Any) -> AsyncIterator[House]:
    """The rack, a chamber and an iSpindel, the last two listening."""
    headers = more.get("headers") or (ROBOT if more.get("require_login") else None)
    specs = [push_spec(push_device()), push_spec(push_device("pill", {}, {"format": "ispindel"}))]
    async with house(more=specs, **{**more, "headers": headers}) as here:
        await until(lambda: all(link.has_session for link in here.hub.links.values()))
        yield here


async def post(here: House, body: object, path: str = READINGS, **more: Any) -> httpx.Response:
    return await here.client.post(path, json=body, **more)


async def test_a_reading_is_taken() -> None:
    """It is there at once, and the answer has the described shape."""
    async with sensors() as here:
        answer = await post(here, {"target": T, "value": 19.5})
        assert answer.status_code == 200
        told = msgspec.json.decode(answer.content, type=DeliveryShape)
        assert (told.target, told.accepted, told.code, told.reason, told.quality) == (T, True, "", "", "good")
        reading = (await here.get(f"{READINGS}/{T}")).json()
        assert (reading["value"], reading["unit"], reading["adapter"]) == (19.5, "°C", "in")


async def test_what_became_of_each() -> None:
    """A list is answered by a list, in its order; one that is not believed does not harm the others."""
    now = datetime.now(UTC)
    async with sensors() as here:
        answer = await post(
            here,
            [
                {"target": T, "value": 19.5, "observed_at": (now - timedelta(seconds=30)).isoformat()},
                {"target": T, "value": 99},
                {"target": "chamber/door", "value": "open"},
                {
                    "target": "chamber/mode",
                    "value": "eco",
                    "observed_at": (now - timedelta(hours=1)).isoformat(),
                },
                {"target": "chamber/note", "value": "x", "observed_at": "2001-01-01T00:00:00Z"},
                {"target": "chamber/note", "value": "x", "observed_at": "2101-01-01T00:00:00+02:00"},
                {"target": T, "value": 19, "observed_at": (now - timedelta(seconds=60)).isoformat()},
            ],
        )
        found = [(each["code"], each["quality"]) for each in answer.json()]
        assert found == [
            ("", "good"),
            ("sanity", "good"),
            ("type", "unknown"),
            ("", "stale"),
            ("too_old", "unknown"),
            ("future", "unknown"),
            ("overtaken", "good"),
        ]
        assert "above 60" in answer.json()[1]["reason"]
        reading = (await here.get(f"{READINGS}/{T}")).json()
        assert reading["value"] == 19.5
        assert reading["age_s"] >= 30
        assert (await post(here, [])).json() == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"target": "chamber/humidity", "value": 1}, 404, "unknown_target"),
        ({"target": "cellar/temperature", "value": 1}, 404, "unknown_target"),
        ({"target": "rack/gauge/0", "value": 1}, 409, "not_pushed"),
        ([{"target": T, "value": 1}, {"target": "rack/lamp", "value": True}], 409, "not_pushed"),
        ({"target": T}, 422, "wrong_type"),
        ({"target": T, "value": None}, 422, "wrong_type"),
        ({"target": T, "value": [1]}, 422, "wrong_type"),
        ({"target": T, "value": 1, "observedAt": "2026-01-01T00:00:00Z"}, 422, "wrong_type"),
        ({"target": T, "value": 1, "observed_at": "2026-01-01T00:00:00"}, 422, "wrong_type"),
        ({"target": T, "value": 1, "observed_at": 1767225600}, 422, "wrong_type"),
        ({"target": T, "value": "x" * 257}, 422, "wrong_type"),
        ("19.5", 422, "wrong_type"),
    ],
)
async def test_what_is_not_taken(body: Any, status: int, code: str) -> None:
    """A problem in words, and then nothing was taken."""
    async with sensors() as here:
        answer = await post(here, body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.json()["detail"]
        assert (await here.get(f"{READINGS}/{T}")).json()["quality"] == "unknown"


async def test_bodies_that_are_none() -> None:
    """As everywhere: JSON, said to be JSON, and not too much of it."""
    async with sensors() as here:
        for path in (READINGS, PILL):
            answer = await here.client.post(path, content=b"{", headers={"Content-Type": "application/json"})
            assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")
            answer = await here.client.post(path, content=b"{}", headers={"Content-Type": "text/plain"})
            assert answer.json()["code"] == "not_json"
            answer = await post(here, {"x": "x" * LARGEST_BODY}, path)
            assert answer.json()["code"] == "body_too_large"
        nothing: list[object] = [[], {}, {"humidity": 3}, {"temperature": None}]
        for body in nothing:
            assert (await post(here, body, PILL)).status_code == 422


async def test_nobody_listens_yet() -> None:
    """A hub that has not started says when to try again."""
    async with house(start=False, more=[push_spec(push_device())]) as here:
        answer = await post(here, {"target": T, "value": 1})
        assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
        assert answer.headers["retry-after"] == "1"


async def test_an_ispindel() -> None:
    """What it posts by itself is enough."""
    async with sensors() as here:
        answer = await post(here, {**ISPINDEL, "gravity": 1.0125, "battery": 3.9, "RSSI": -60}, PILL)
        assert answer.status_code == 200
        told = msgspec.json.decode(answer.content, type=list[DeliveryShape])
        assert {each.target for each in told if each.accepted} == {
            f"pill/{key}" for key in ("temperature", "gravity", "angle", "battery", "rssi")
        }
        assert (await here.get(f"{READINGS}/pill/temperature")).json()["value"] == 20.0
        plato = (await post(here, {"gravity": 25.5}, PILL)).json()
        assert (plato[0]["accepted"], plato[0]["code"]) == (False, "sanity")
        told = (await post(here, {**ISPINDEL, "token": "any"}, CHAMBER)).json()
        assert [each["target"] for each in told] == [T]
        for path, code in (("rack", "not_pushed"), ("nobody", "unknown_target")):
            answer = await post(here, ISPINDEL, f"/api/v1/ingest/ispindel/{path}")
            assert answer.json()["code"] == code


async def test_a_token_in_the_body() -> None:
    """A closed house takes it there from senders that can set no header, and nowhere else."""
    async with sensors(tokens=TOKENS, require_login=True) as here:
        del here.client.headers["Authorization"]
        for token in ("pills-own-token", "robots-own-token"):
            answer = await post(here, {**ISPINDEL, "token": token}, PILL)
            assert answer.status_code == 200, answer.text
        for more, status in (
            ({}, 401),
            ({"token": ""}, 401),
            ({"token": 7}, 401),
            ({"token": "no-such-token"}, 401),
            ({"token": "probes-own-token"}, 403),
        ):
            answer = await post(here, {**ISPINDEL, **more}, PILL)
            assert answer.status_code == status
            assert "own-token" not in answer.text
        answer = await post(here, {**ISPINDEL, "token": "pills-own-token"}, CHAMBER)
        assert (answer.status_code, answer.json()["code"]) == (403, "sender_only")
        answer = await post(
            here, {**ISPINDEL, "token": "pills-own-token"}, PILL, headers={"Authorization": "Bearer no"}
        )
        assert answer.status_code == 401
        assert (await here.get(PILL)).status_code == 401
        answer = await post(here, {"target": T, "value": 1, "token": "robots-own-token"})
        assert answer.status_code == 401
        body = json.dumps({**ISPINDEL, "token": "pills-own-token"}).encode()
        plain = await ask(here, PILL, "Content-Type: text/plain", method="POST", body=body)
        assert plain.json["code"] == "not_json"


async def test_a_sender_sends_and_nothing_else() -> None:
    """Its token opens one target, or all of one device, and no other door of the house."""
    async with sensors(tokens=TOKENS, require_login=True) as here:
        assert (await post(here, {"target": T, "value": 20}, headers=PROBES)).status_code == 200
        assert (await post(here, {"target": "pill/angle", "value": 20}, headers=PILLS)).status_code == 200
        assert (await post(here, ISPINDEL, PILL, headers=PILLS)).status_code == 200
        for body in (
            {"target": "chamber/note", "value": "x"},
            [{"target": T, "value": 21}, {"target": "pill/angle", "value": 1}],
            {"target": "no/where", "value": 1},
        ):
            answer = await post(here, body, headers=PROBES)
            assert (answer.status_code, answer.json()["code"]) == (403, "sender_only")
        assert (await here.get(f"{READINGS}/{T}")).json()["value"] == 20
        for path in (READINGS, f"{READINGS}/{T}", "/api/v1/devices", "/api/v1/stream", "/metrics", PILL):
            answer = await here.get(path, headers=PILLS)
            assert (answer.status_code, answer.json()["code"]) == (403, "sender_only"), path
        body = {"target": "rack/lamp", "value": True}
        answer = await post(here, body, "/api/v1/commands", headers={**PILLS, "X-Holdfast-Client": "it"})
        assert answer.json()["code"] == "sender_only"
        named = {**PROBES, "X-Holdfast-Client": "esp"}
        answer = await post(here, {"target": "pill/angle", "value": 1}, headers=named)
        assert answer.json()["code"] == "sender_only"


async def test_an_open_house() -> None:
    """On loopback no token is needed; one that is brought counts, and a body's is not looked at."""
    async with sensors(tokens=TOKENS) as here:
        assert (await post(here, {**ISPINDEL, "token": "no-such-token"}, PILL)).status_code == 200
        assert (await post(here, {"target": T, "value": 20}, headers=PILLS)).status_code == 403
        assert (
            await post(here, {"target": T, "value": 20}, headers={"Origin": "http://evil.example"})
        ).status_code == 403


def test_a_sender_in_the_token_file(tmp_path: Any) -> None:
    """A third kind of line."""
    file = tmp_path / "tokens"
    file.touch(mode=0o600)
    file.write_text(
        "pill:sends=pill:pills-own-token\nprobe : sends=a/cells/3 : probes-own-token\nme:person:my-own-token\n"
    )
    tokens = Tokens.from_file(file)

    def caller(token: str) -> Caller:
        found = tokens.caller(token)
        assert found is not None
        return found

    assert (caller("pills-own-token").sends_only, caller("probes-own-token").sends_only) == (
        "pill",
        "a/cells/3",
    )
    assert caller("pills-own-token").authority is Authority.AUTOMATION
    assert (caller("my-own-token").sends_only, caller("my-own-token").authority) == ("", Authority.PERSON)
    may = {each: caller("probes-own-token").may_send(each) for each in ("a/cells/3", "a", "a/cells/31", "b")}
    assert may == {"a/cells/3": True, "a": False, "a/cells/31": False, "b": False}
    assert caller("pills-own-token").may_send("pill/gravity")
    assert not caller("pills-own-token").may_send("pills")
    assert caller("my-own-token").may_send("any/thing")
    assert len(tokens) == 3


@pytest.mark.parametrize(
    "kind", ["sends=", "sends=A", "sends=a/", "sends=a b", "sends", "sends=a:b", "persons"]
)
def test_what_is_no_sender(tmp_path: Any, kind: str) -> None:
    """The error says how a line reads, and not what stands in it."""
    file = tmp_path / "tokens"
    file.touch(mode=0o600)
    file.write_text(f"pill:{kind}:pills-own-token\n")
    with pytest.raises(ConfigurationError, match="line 1: a line reads") as error:
        Tokens.from_file(file)
    assert "pills-own" not in error.value.text
