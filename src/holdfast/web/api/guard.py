"""The guard in front of everything: plain ASGI, for `http` and `websocket` alike.

It knows two kinds of house. An *open* house is one whose server is bound to loopback and asks for no login. Then
everything hangs on the request really coming from a program on this machine that meant to come here, so whatever
a browser or a proxy may have brought along from elsewhere is refused: a foreign Host (DNS rebinding), another
page's Origin or Sec-Fetch-Site, any header that a forwarding proxy adds. A *closed* house asks for a token and for
nothing else, since a token is sent by nobody by accident.

Which kind it is goes by the address that the server is bound to, never by the peer's: behind a proxy on the same
machine every peer is local.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from email.utils import format_datetime
from typing import TYPE_CHECKING

from holdfast.model import Authority
from holdfast.web.api.access import Caller, Tokens
from holdfast.web.api.problem import (
    FOREIGN_HOST,
    FOREIGN_ORIGIN,
    FORWARDED,
    LOGIN_NEEDED,
    NOT_JSON,
    SENDER_ONLY,
    Problem,
)

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

CALLER = "holdfast.caller"
"""Key in the scope under which the guard leaves the `Caller`."""
TOKENS = "holdfast.tokens"
"""Key in the scope of a sender that brings no header: its token stands in the body, and is asked for behind the guard.

Only in a closed house, and only under `INGEST_PATH`. There is no `CALLER` then."""
READINGS_PATH = "/api/v1/readings"
INGEST_PATH = "/api/v1/ingest/"
"""Where readings are posted: all that a sender's token opens."""
OPEN_PATHS = frozenset({"/healthz", "/api/v1/healthz"})
"""What a watchdog may ask without being anybody."""
WRITING_METHODS = frozenset({"POST", "PUT", "PATCH"})
"""Those that bring a body. A form of another site can send one, but not as JSON; DELETE it cannot send at all."""
FORWARDING = frozenset({"forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip"})
FORWARDING_PREFIX = "x-forwarded-"
POLICY_VIOLATION = 1008
"""WebSocket close code; before the handshake it becomes a plain 403."""

_CLIENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_STAMPS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
"""Headers of every answer that does not say otherwise: nothing is kept, framed, guessed at or told on."""

Headers = Mapping[str, list[str]]


class Guard:
    """Lets requests through to ``app``, or answers them with a problem.

    ``hosts`` are the values of Host by which an open house may be addressed; ``None`` makes it a closed one.
    ``tokens`` are asked for in a closed house, and honoured in an open one.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: frozenset[str] | None,
        tokens: Tokens | None,
        now: Callable[[], datetime],
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._tokens = tokens
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI. Scopes that are neither `http` nor `websocket` are not served."""
        if scope["type"] not in ("http", "websocket"):
            return
        send = self._stamped(send)
        headers = _headers(scope)
        try:
            admitted = self._admit(scope, headers)
        except Problem as problem:
            if scope["type"] == "websocket":
                await send(
                    {"type": "websocket.close", "code": POLICY_VIOLATION, "reason": problem.kind.title}
                )
            else:
                await problem.answer(scope)(scope, receive, send)
            return
        await self._app({**scope, **admitted}, receive, send)

    def _admit(self, scope: Scope, headers: Headers) -> dict[str, Caller | Tokens]:
        """What the scope is told of who comes in; raises `Problem`."""
        is_http = scope["type"] == "http"
        if is_http and scope["path"] in OPEN_PATHS and scope["method"] not in WRITING_METHODS:
            return {CALLER: Caller("nobody", Authority.AUTOMATION)}
        if self._hosts is not None:
            _refuse_forwarded(headers)
            _refuse_foreign(scope, headers, self._hosts)
        has_header = "authorization" in headers
        if self._hosts is None and not has_header and self._tokens is not None and _is_ingest(scope):
            _refuse_other_than_json(headers)
            return {TOKENS: self._tokens}
        is_named = self._hosts is None or (self._tokens is not None and has_header)
        caller = self._logged_in(headers) if is_named else None
        if caller is not None and caller.sends_only and not _is_sending(scope):
            raise Problem(
                SENDER_ONLY,
                f"the token of {caller.name} is good for posting readings of {caller.sends_only}",
                advice="Use another token for everything else.",
            )
        if is_http and scope["method"] in WRITING_METHODS:
            _refuse_other_than_json(headers)
        return {CALLER: _caller(caller, headers)}

    def _logged_in(self, headers: Headers) -> Caller:
        values = headers.get("authorization", [])
        scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
        caller: Caller | None = None
        if scheme.lower() == "bearer" and self._tokens is not None:
            caller = self._tokens.caller(token.strip())
        if caller is not None:
            return caller
        raise login_needed(was_given=bool(values))

    def _stamped(self, send: Send) -> Send:
        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", []))
                names = {name.lower() for name, _ in given}
                given += [stamp for stamp in _STAMPS if stamp[0] not in names]
                given.append((b"date", format_datetime(self._now(), usegmt=True).encode()))
                message = {**message, "headers": given}
            await send(message)

        return stamped


def login_needed(*, was_given: bool) -> Problem:
    """The problem of whoever brings no token, or one that is not known."""
    challenge = 'Bearer realm="holdfast"' + (', error="invalid_token"' if was_given else "")
    return Problem(
        LOGIN_NEEDED,
        "the token is not known" if was_given else "this hub asks for a token",
        advice="Send the header Authorization: Bearer TOKEN (programs of Holdfast: set HOLDFAST_TOKEN).",
        headers={"WWW-Authenticate": challenge},
    )


def _is_ingest(scope: Scope) -> bool:
    return bool(
        scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith(INGEST_PATH)
    )


def _is_sending(scope: Scope) -> bool:
    is_reading = scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == READINGS_PATH
    return is_reading or _is_ingest(scope)


def _headers(scope: Scope) -> Headers:
    headers: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return headers


def _web_scheme(scope: Scope) -> str:
    return {"ws": "http", "wss": "https"}.get(scope["scheme"], str(scope["scheme"]))


def _refuse_foreign(scope: Scope, headers: Headers, hosts: frozenset[str]) -> None:
    asked = headers.get("host", [])
    if len(asked) != 1 or asked[0].lower() not in hosts:
        raise Problem(
            FOREIGN_HOST,
            "without a login this hub answers only to the names of its own machine",
            advice=f"Use {' or '.join(sorted(hosts))}, or start the hub with --require-login.",
        )
    own = f"{_web_scheme(scope)}://{asked[0].lower()}"
    is_foreign = any(origin.lower() != own for origin in headers.get("origin", []))
    is_foreign |= any(
        site.lower() not in ("same-origin", "none") for site in headers.get("sec-fetch-site", [])
    )
    if is_foreign:
        raise Problem(
            FOREIGN_ORIGIN,
            "the request was made by a page of another site",
            advice="Open the hub's own address in the browser, or start the hub with --require-login.",
        )


def _refuse_forwarded(headers: Headers) -> None:
    for name in headers:
        if name in FORWARDING or name.startswith(FORWARDING_PREFIX):
            raise Problem(
                FORWARDED,
                f"the request came through a proxy (it has the header {name})",
                advice="A proxy must not open the house: start the hub with --require-login and a token file.",
            )


def _refuse_other_than_json(headers: Headers) -> None:
    types = headers.get("content-type", [])
    if len(types) != 1 or types[0].partition(";")[0].strip().lower() != "application/json":
        raise Problem(
            NOT_JSON, "a write needs a JSON body", advice="Send the header Content-Type: application/json."
        )


def _caller(known: Caller | None, headers: Headers) -> Caller:
    """The caller under the name for the record: whose token it is, and what the program calls itself.

    Without a token it is a person at this machine. A program's name that is no name is ignored.
    """
    names = headers.get("x-holdfast-client", [])
    client = names[0] if len(names) == 1 and _CLIENT.fullmatch(names[0]) else ""
    if known is None:
        return Caller(client or "api", Authority.PERSON)
    return replace(known, name=f"{known.name} via {client}") if client else known
