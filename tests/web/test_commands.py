"""Commands over HTTP: what makes a receipt, what does not, and who waits."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from holdfast.model import CommandState
from holdfast.web.api.shapes import ReceiptShape
from tests.web.house import House, Rack, house, until
from tests.web.wire import request


async def test_a_command_answers_at_once_or_at_its_end() -> None:
    """Without `wait` the receipt is accepted; with it, it has ended; both can be asked for later."""
    async with house() as here:
        first = msgspec.json.decode((await here.command("rack/lamp", True)).content, type=ReceiptShape)
        assert (first.state, first.target, first.value, first.issuer) == (
            "accepted",
            "rack/lamp",
            True,
            "api",
        )
        await until(lambda: here.hub.receipts[first.id].state.is_end)
        later = (await here.get(f"/api/v1/commands/{first.id}")).json()
        assert (later["state"], later["attempts"]) == ("verified", 1)
        second = (await here.command("rack/level", 40, wait=True, timeout_s=5)).json()
        assert (second["state"], second["timeout_s"], second["may_have_executed"]) == ("verified", 5.0, False)
        assert here.rack.state["level"] == 40
        every = (await here.get("/api/v1/commands")).json()
        assert [each["id"] for each in every] == [first.id, second["id"]]
        of_level = (await here.get("/api/v1/commands?target=rack/level")).json()
        assert [each["id"] for each in of_level] == [second["id"]]
        newest = (await here.get("/api/v1/commands?limit=1")).json()
        assert [each["id"] for each in newest] == [second["id"]]


@pytest.mark.parametrize(
    ("target", "value", "timeout_s"),
    [("rack/level", 101, 5), ("rack/lamp", "on", 5), ("rack/gauge/0", 1, 5), ("rack/lamp", True, -1)],
)
async def test_what_the_hub_refuses_is_a_receipt(target: str, value: object, timeout_s: float) -> None:
    """Out of range, of the wrong kind, read-only, no time: 200, and the receipt says why."""
    async with house() as here:
        answer = await here.command(target, value, timeout_s=timeout_s, wait=True)
        assert answer.status_code == 200
        assert answer.json()["state"] == "refused"
        assert answer.json()["reason"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed_json"),
        (b"{", 400, "malformed_json"),
        (b"\xff", 400, "malformed_json"),
        (b'{"target": "rack/lamp\xff", "value": true}', 400, "malformed_json"),
        (b'{"target": "rack/lamp", "value": NaN}', 400, "malformed_json"),
        (b'{"target": "rack/\\ud800", "value": true}', 400, "malformed_json"),
        (b"[]", 422, "wrong_type"),
        (b'{"target": "rack/lamp"}', 422, "wrong_type"),
        (b'{"target": 1, "value": true}', 422, "wrong_type"),
        (b'{"target": "rack/lamp", "value": null}', 422, "wrong_type"),
        (b'{"target": "rack/lamp", "value": {}}', 422, "wrong_type"),
        (b'{"target": "rack/lamp", "value": 1e999}', 422, "wrong_type"),
        (b'{"target": "rack/lamp", "value": ' + b"9" * 400 + b"}", 422, "wrong_type"),
        (b'{"target": "rack/lamp", "value": "' + b"x" * 300 + b'"}', 422, "wrong_type"),
        (b'{"target": "rack/lamp", "value": true, "timeout_s": "5"}', 422, "wrong_type"),
        (b'{"target": "rack/lamp", "value": true, "wait": 1}', 422, "wrong_type"),
        (b'{"target": "rack/lamp", "value": true, "timeout": 5}', 422, "wrong_type"),
        (b'{"target": "rack/nothing", "value": true}', 404, "unknown_target"),
        (b'{"target": "nowhere/lamp", "value": true}', 404, "unknown_target"),
        (b'{"target": "", "value": true}', 404, "unknown_target"),
    ],
)
async def test_what_makes_no_receipt(body: bytes, status: int, code: str) -> None:
    """Only malformed bodies, wrong types and unknown targets are errors."""
    async with house() as here:
        answer = await here.client.post(
            "/api/v1/commands", content=body, headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert not here.hub.receipts


async def test_a_nested_body_is_no_trouble() -> None:
    """A body of brackets is refused like any other."""
    async with house() as here:
        body = b'{"target": "rack/lamp", "value": ' + b"[" * 60000
        answer = await here.client.post(
            "/api/v1/commands", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in (400, 422)


async def test_an_unknown_target_lists_the_known_ones() -> None:
    """The advice names what there is."""
    async with house() as here:
        answer = await here.command("rack/nothing", True)
        assert "level" in answer.json()["advice"]


async def test_one_who_waits_holds_up_nobody() -> None:
    """While a command is waited for, others are read and given, and end first."""
    async with house(more=[Rack().spec("other")]) as here:
        await until(lambda: here.hub.device("other").availability == "online")
        here.rack.is_stubborn = True
        waiting = asyncio.create_task(here.command("rack/lamp", True, wait=True))
        await until(lambda: any(each.state is CommandState.SENT for each in here.hub.receipts.values()))
        assert (await here.get("/api/v1/readings")).status_code == 200
        assert (await here.command("other/lamp", True, wait=True)).json()["state"] == "verified"
        assert not waiting.done()
        here.rack.set(lamp=True)
        assert (await waiting).json()["state"] == "verified"


async def test_two_who_wait_for_rivals() -> None:
    """The overtaken command answers as superseded, the newer one as verified."""
    async with house() as here:
        here.rack.is_stubborn = True
        first = asyncio.create_task(here.command("rack/level", 10, wait=True))
        await until(lambda: len(here.hub.receipts) == 1)
        second = asyncio.create_task(here.command("rack/level", 20, wait=True))
        assert (await first).json()["state"] == "superseded"
        here.rack.set(level=20)
        assert (await second).json()["state"] == "verified"


def _is_waited_for(here: House) -> bool:
    is_sent = any(each.state is CommandState.SENT for each in here.hub.receipts.values())
    return is_sent and any(task.get_name().startswith("wait for c-") for task in asyncio.all_tasks())


async def _waits(here: House) -> asyncio.StreamWriter:
    body = b'{"target": "rack/lamp", "value": true, "wait": true}'
    _, writer = await asyncio.open_connection("127.0.0.1", here.port)
    writer.write(
        request(here, "/api/v1/commands", "Content-Type: application/json", method="POST", body=body)
    )
    await until(lambda: _is_waited_for(here))
    return writer


async def test_going_away_leaves_the_command_open() -> None:
    """A client that hangs up while it waits ends its waiting and nothing else."""
    async with house() as here:
        here.rack.is_stubborn = True
        writer = await _waits(here)
        writer.transport.abort()
        await until(
            lambda: not any(task.get_name().startswith("wait for c-") for task in asyncio.all_tasks())
        )
        (receipt,) = here.hub.receipts.values()
        assert receipt.state is CommandState.SENT
        here.rack.set(lamp=True)
        await until(lambda: here.hub.receipts[receipt.id].state is CommandState.VERIFIED)


async def test_stopping_lets_those_go_who_wait() -> None:
    """They get the receipt as it stands."""
    async with house() as here:
        here.rack.is_stubborn = True
        waiting = asyncio.create_task(here.command("rack/lamp", True, wait=True))
        await until(lambda: _is_waited_for(here))
        await here.api.stop()
        assert (await waiting).json()["state"] == "sent"


async def test_the_client_is_named_in_the_record() -> None:
    """What a program calls itself becomes the issuer's name; what is no name is ignored."""
    async with house() as here:
        named = await here.client.post(
            "/api/v1/commands",
            json={"target": "rack/lamp", "value": True},
            headers={"X-Holdfast-Client": "cli"},
        )
        assert named.json()["issuer"] == "cli"
        odd = await here.client.post(
            "/api/v1/commands",
            json={"target": "rack/lamp", "value": True},
            headers={"X-Holdfast-Client": "<b>cli"},
        )
        assert odd.json()["issuer"] == "api"
