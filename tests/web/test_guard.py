"""The guard, on real sockets and for both kinds of scope: who may come in, and what a proxy or a page may not bring."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.model import Authority
from holdfast.web.api.access import Tokens
from holdfast.web.api.guard import CALLER, Guard
from tests.web.house import house
from tests.web.wire import ask

if TYPE_CHECKING:
    from starlette.types import Message, Scope

TOKENS = Tokens(
    [("robot", Authority.AUTOMATION, "robots-own-token"), ("anna", Authority.PERSON, "annas-own-token")]
)
READINGS = "/api/v1/readings"
COMMAND = b'{"target": "rack/lamp", "value": true}'
JSON = "Content-Type: application/json"


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"])
async def test_own_names(host: str) -> None:
    """An open house answers to the loopback names with its port."""
    async with house() as here:
        assert (await ask(here, READINGS, host=host.format(port=here.port))).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "localhost.evil.example:{port}",
        "127.0.0.1:{port}@x",
        "0:{port}",
    ],
)
async def test_foreign_names(host: str) -> None:
    """A name that was rebound to us is not ours; nor is another port."""
    async with house() as here:
        answer = await ask(here, READINGS, host=host.format(port=here.port))
        assert (answer.status, answer.json["code"]) == (403, "foreign_host")
        assert "127.0.0.1" in answer.json["advice"]


async def test_missing_host() -> None:
    """HTTP/1.0 may leave Host out; a browser never does, and we do not guess."""
    from tests.web.wire import say

    async with house() as here:
        answer = await say(here, b"GET /api/v1/readings HTTP/1.0\r\n\r\n")
        assert (answer.status, answer.json["code"]) == (403, "foreign_host")


@pytest.mark.parametrize(
    ("header", "is_welcome"),
    [
        ("Origin: http://127.0.0.1:{port}", True),
        ("Origin: http://localhost:{port}", False),
        ("Origin: https://127.0.0.1:{port}", False),
        ("Origin: http://127.0.0.1:1", False),
        ("Origin: null", False),
        ("Origin: http://evil.example", False),
        ("Sec-Fetch-Site: same-origin", True),
        ("Sec-Fetch-Site: none", True),
        ("Sec-Fetch-Site: same-site", False),
        ("Sec-Fetch-Site: cross-site", False),
    ],
)
async def test_pages_of_others(header: str, *, is_welcome: bool) -> None:
    """What a browser says about the asking page decides, for reads and writes alike."""
    async with house() as here:
        header = header.format(port=here.port)
        read = await ask(here, READINGS, header)
        write = await ask(here, "/api/v1/commands", header, JSON, method="POST", body=COMMAND)
        if is_welcome:
            assert (read.status, write.status) == (200, 200)
        else:
            assert (read.status, read.json["code"]) == (403, "foreign_origin")
            assert write.status == 403
            assert not here.hub.receipts


@pytest.mark.parametrize(
    "header",
    [
        "Forwarded: for=1.2.3.4",
        "X-Forwarded-For: 1.2.3.4",
        "x-forwarded-proto: https",
        "X-Forwarded-Anything: x",
        "X-Real-IP: 1.2.3.4",
        "Via: 1.1 proxy",
    ],
)
async def test_a_proxy_does_not_open_the_house(header: str) -> None:
    """Whatever a proxy adds closes the open house, with advice."""
    async with house() as here:
        answer = await ask(here, READINGS, header)
        assert (answer.status, answer.json["code"]) == (403, "forwarded")
        assert "--require-login" in answer.json["advice"]
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "header", ["X-A: b", "Content-Type: text/plain", "Content-Type: application/x-www-form-urlencoded"]
)
async def test_writes_need_json(header: str) -> None:
    """A form of another site cannot write."""
    async with house() as here:
        answer = await ask(here, "/api/v1/commands", header, method="POST", body=COMMAND)
        assert (answer.status, answer.json["code"]) == (415, "not_json")
        answer = await ask(here, "/api/v1/devices/rack/retry", header, method="POST")
        assert answer.status == 415
        assert not here.hub.receipts
        answer = await ask(
            here,
            "/api/v1/commands",
            "Content-Type: application/json; charset=utf-8",
            method="POST",
            body=COMMAND,
        )
        assert answer.status == 200


async def test_an_upgrade_is_guarded_like_anything() -> None:
    """A request to change to WebSocket meets the guard first, and is no way around the login."""
    upgrade = (
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: eA==",
    )
    async with house() as here:
        answer = await ask(here, READINGS, *upgrade, "Origin: http://evil.example")
        assert (answer.status, answer.json["code"]) == (403, "foreign_origin")
        assert (await ask(here, READINGS, *upgrade)).status == 200  # there is nothing to upgrade to
    async with house(tokens=TOKENS, require_login=True) as here:
        assert (await ask(here, READINGS, *upgrade)).status == 401


async def test_a_closed_house_asks_for_a_token() -> None:
    """No token and a wrong one are told apart; nothing but liveness is open; the name in the record is the token's."""
    async with house(tokens=TOKENS, require_login=True) as here:
        for path in (READINGS, "/api/v1/stream", "/metrics", "/readyz", "/api/docs", "/nothing"):
            answer = await ask(here, path)
            assert (answer.status, answer.json["code"]) == (401, "login_needed")
            assert answer.headers["www-authenticate"] == 'Bearer realm="holdfast"'
        assert (await ask(here, "/healthz")).status == 200
        for header in (
            "Authorization: Bearer wrong",
            "Authorization: Bearer",
            "Authorization: Basic robots-own-token",
            "Authorization: robots-own-token",
            "Authorization: Bearer \xff",
        ):
            answer = await ask(here, READINGS, header)
            assert answer.status == 401
            assert 'error="invalid_token"' in answer.headers["www-authenticate"]
            assert b"own-token" not in answer.body
        twice = ("Authorization: Bearer robots-own-token", "Authorization: Bearer wrong")
        assert (await ask(here, READINGS, *twice)).status == 401
        robot = "Authorization: bearer robots-own-token"
        assert (await ask(here, READINGS, robot)).status == 200
        given = await ask(here, "/api/v1/commands", robot, JSON, method="POST", body=COMMAND)
        assert given.json["issuer"] == "robot"
        anna = "Authorization: Bearer annas-own-token"
        named = await ask(
            here, "/api/v1/commands", anna, JSON, "X-Holdfast-Client: cli", method="POST", body=COMMAND
        )
        assert named.json["issuer"] == "anna via cli"
        assert (await ask(here, "/api/v1/commands", anna, method="POST", body=COMMAND)).status == 415


async def test_a_closed_house_may_stand_behind_a_proxy() -> None:
    """With a token, foreign names and forwarding headers are nobody's business."""
    async with house(tokens=TOKENS, require_login=True) as here:
        answer = await ask(
            here,
            READINGS,
            "X-Forwarded-For: 1.2.3.4",
            "Authorization: Bearer annas-own-token",
            host="house.example",
        )
        assert answer.status == 200


async def test_tokens_in_an_open_house() -> None:
    """They are not asked for, but they count: a robot stays a robot, a wrong one is told so."""
    async with house(tokens=TOKENS) as here:
        assert (await ask(here, READINGS)).status == 200
        assert (await ask(here, READINGS, "Authorization: Bearer wrong")).status == 401
        robot = "Authorization: Bearer robots-own-token"
        given = await ask(here, "/api/v1/commands", robot, JSON, method="POST", body=COMMAND)
        assert given.json["issuer"] == "robot"
    async with house() as here:  # without any tokens a header meant for another hub is ignored
        assert (await ask(here, READINGS, "Authorization: Bearer whatever")).status == 200


async def test_authority() -> None:
    """An automation's command does not overtake a person's."""
    async with house(tokens=TOKENS) as here:
        here.rack.is_stubborn = True
        person = await ask(here, "/api/v1/commands", JSON, method="POST", body=COMMAND)
        assert person.json["state"] == "accepted"
        robot = "Authorization: Bearer robots-own-token"
        refused = await ask(here, "/api/v1/commands", robot, JSON, method="POST", body=COMMAND)
        assert (refused.status, refused.json["state"]) == (200, "refused")
        anna = "Authorization: Bearer annas-own-token"
        newer = await ask(here, "/api/v1/commands", anna, JSON, method="POST", body=COMMAND)
        assert newer.json["state"] == "accepted"


async def test_answers_are_stamped() -> None:
    """Nothing may be kept, framed or guessed at; the server does not say what it runs on."""
    async with house() as here:
        for path in (READINGS, "/nothing"):
            headers = (await here.get(path)).headers
            assert headers["cache-control"] == "no-store"
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cross-origin-resource-policy"] == "same-origin"
            assert headers["content-security-policy"].startswith("default-src 'none'")
            assert headers["date"].endswith("GMT")
            assert "server" not in headers
            assert "access-control-allow-origin" not in headers


# --- scopes without a socket: what is not served yet is guarded already ---------------------------------------------


class Inner:
    """An application that notes who came in."""

    def __init__(self) -> None:
        self.callers: list[Any] = []

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        self.callers.append(scope[CALLER])


async def _knock(guard: Guard, scope: Scope) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("nothing is read before the guard has decided")

    async def send(message: Message) -> None:
        sent.append(message)

    await guard(scope, receive, send)
    return sent


def _websocket(*headers: tuple[bytes, bytes]) -> Scope:
    found = [(b"host", b"localhost:8420"), *headers]
    return {"type": "websocket", "scheme": "ws", "path": "/_nicegui_ws/socket.io", "headers": found}


def _guard(app: Inner, *, is_open: bool) -> Guard:
    hosts = frozenset({"localhost:8420"}) if is_open else None
    return Guard(app, hosts=hosts, tokens=TOKENS, now=lambda: datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("headers", "is_open"),
    [
        ([(b"origin", b"http://evil.example")], True),
        ([(b"x-forwarded-for", b"1.2.3.4")], True),
        ([(b"host", b"evil.example")], True),
        ([], False),
        ([(b"authorization", b"Bearer wrong")], False),
    ],
)
async def test_websockets_are_turned_away(headers: list[tuple[bytes, bytes]], *, is_open: bool) -> None:
    """Before the handshake, which makes it a plain 403; the application never sees them."""
    inner = Inner()
    (message,) = await _knock(_guard(inner, is_open=is_open), _websocket(*headers))
    assert (message["type"], message["code"]) == ("websocket.close", 1008)
    assert inner.callers == []


async def test_websockets_come_in_by_the_same_rules() -> None:
    """Same origin into an open house, a token into a closed one."""
    inner = Inner()
    await _knock(_guard(inner, is_open=True), _websocket((b"origin", b"http://localhost:8420")))
    await _knock(_guard(inner, is_open=False), _websocket((b"authorization", b"Bearer annas-own-token")))
    assert [each.name for each in inner.callers] == ["api", "anna"]
    assert [each.authority for each in inner.callers] == [Authority.PERSON, Authority.PERSON]


async def test_other_scopes_are_not_served() -> None:
    """Neither lifespan nor what may be invented yet."""
    inner = Inner()
    assert await _knock(_guard(inner, is_open=True), {"type": "lifespan"}) == []
    assert inner.callers == []
