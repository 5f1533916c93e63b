"""Errors: each a problem document, whoever noticed it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from holdfast.web.api import limits, problem
from holdfast.web.api.problem import KINDS, Problem
from tests.web.house import house, until
from tests.web.wire import Answer, ask, request, say


def check(answer: Any, status: int, code: str, instance: str | None = None) -> dict[str, Any]:
    """Status, media type and all members of the document."""
    is_raw = isinstance(answer, Answer)
    document = answer.json if is_raw else answer.json()
    assert (answer.status if is_raw else answer.status_code) == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "instance", "code"} <= set(document)
    assert (document["status"], document["code"]) == (status, code)
    assert document["type"] == f"/api/docs#{code}"
    assert document["detail"]
    if instance is not None:
        assert document["instance"] == instance
    return dict(document)


def test_kinds_are_a_closed_list() -> None:
    """Every kind in the module is in the list, under a code of its own."""
    kinds = [each for each in vars(problem).values() if isinstance(each, problem.ProblemKind)]
    assert sorted(kinds) == sorted(KINDS)
    assert len({each.code for each in KINDS}) == len(KINDS)


def test_an_empty_advice_is_left_out() -> None:
    """Members without content are not sent."""
    assert b"advice" not in Problem(problem.BUSY, "x").document("/")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/", "not_found"),
        ("/api", "not_found"),
        ("/api/v1", "not_found"),
        ("/api/v1/devices/", "not_found"),
        ("/api/v1/history/rack/lamp", "not_found"),
        ("/api/v1/devices/nothing", "unknown_target"),
        ("/api/v1/readings/rack", "unknown_target"),
        ("/api/v1/readings/rack/nothing", "unknown_target"),
        ("/api/v1/readings?device=nothing", "unknown_target"),
        ("/api/v1/commands?target=rack/nothing", "unknown_target"),
        ("/api/v1/events?device=nothing", "unknown_target"),
        ("/api/v1/commands/c-1", "unknown_command"),
        ("/api/v1/links/7", "unknown_link"),
        ("/api/v1/links/tcp://nowhere:1", "unknown_link"),
        ("/api/v1/links/9999999999999999999999", "unknown_link"),
    ],
)
async def test_404(path: str, code: str) -> None:
    """Nothing there, with advice what there is."""
    async with house() as here:
        document = check(await here.get(path), 404, code, path.partition("?")[0].replace(":", "%3A"))
        assert document["advice"]


async def test_405() -> None:
    """The methods that the path takes are named, all of them."""
    async with house() as here:
        answer = await here.client.delete("/api/v1/commands")
        check(answer, 405, "method_not_allowed")
        assert answer.headers["allow"] == "GET, POST"
        answer = await here.client.post("/api/v1/devices", json={})
        check(answer, 405, "method_not_allowed")
        assert answer.headers["allow"] == "GET"


async def test_413() -> None:
    """By its announced length at once, and by what comes when no length is announced."""
    async with house() as here:
        head = ("Content-Type: application/json", "Content-Length: 70000")
        check(await ask(here, "/api/v1/commands", *head, method="POST"), 413, "body_too_large")

        async def parts() -> Any:
            for _ in range(70):
                yield b" " * 1000

        answer = await here.client.post(
            "/api/v1/commands", content=parts(), headers={"Content-Type": "application/json"}
        )
        check(answer, 413, "body_too_large")


async def test_408(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that never comes."""
    monkeypatch.setattr(limits, "BODY_S", 0.01)
    async with house() as here:
        head = ("Content-Type: application/json", "Content-Length: 10")
        check(await ask(here, "/api/v1/commands", *head, method="POST"), 408, "too_slow")


@pytest.mark.parametrize("query", ["/events?limit=0", "/events?limit=x", "/commands?limit=99999"])
async def test_422(query: str) -> None:
    """Parameters of the wrong type say which."""
    async with house() as here:
        assert "limit" in check(await here.get(f"/api/v1{query}"), 422, "wrong_type")["detail"]


async def test_431() -> None:
    """Headers that are too large, whether they come in one piece or never end."""
    async with house() as here:
        check(await ask(here, "/api/v1/readings", f"X-Large: {'x' * 20000}"), 431, "headers_too_large")
        endless = request(here, "/api/v1/readings")[:-2] + b"X-Large: " + b"x" * 40000
        check(await say(here, endless), 431, "headers_too_large")


@pytest.mark.parametrize(
    "data", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\r\n\r\n"]
)
async def test_400(data: bytes) -> None:
    """What is no HTTP, what lacks a Host, and what was meant for TLS."""
    async with house() as here:
        check(await say(here, data), 400, "bad_request")


async def test_a_broken_body_while_it_is_waited_for() -> None:
    """The parser's error is the answer; the request that waited for the body ends quietly."""
    async with house() as here:
        head = ("Content-Type: application/json", "Transfer-Encoding: chunked")
        data = request(here, "/api/v1/commands", *head, method="POST") + b"nonsense\r\n"
        check(await say(here, data), 400, "bad_request")


async def test_503_when_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the most requests at once, and only as long."""
    monkeypatch.setattr(limits, "MOST_REQUESTS", 1)
    async with house() as here:
        here.rack.is_stubborn = True
        waiting = asyncio.create_task(here.command("rack/lamp", True, wait=True))
        await until(lambda: here.hub.receipts)
        answer = await here.get("/api/v1/readings")
        check(answer, 503, "busy")
        assert answer.headers["retry-after"] == "1"
        here.rack.set(lamp=True)
        await waiting
        assert (await here.get("/api/v1/readings")).status_code == 200


async def test_500_tells_nothing(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A fault of ours is logged with its traceback; the client learns that there was one."""

    def broken(target: str) -> Any:
        raise RuntimeError("a detail for the log")

    async with house() as here:
        monkeypatch.setattr(here.hub, "reading", broken)
        answer = await here.get("/api/v1/readings/rack/lamp")
        check(answer, 500, "internal")
        assert "detail for" not in answer.text
        assert "a detail for the log" in caplog.text
