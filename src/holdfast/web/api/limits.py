"""How much anybody may ask of the hub: plain ASGI in front of the application.

What a connection may do before it is a request (be idle, send headers byte by byte, not read what it asked for) is
bounded by `holdfast.web.connection`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from holdfast.web.api.problem import BODY_TOO_LARGE, BUSY, HEADERS_TOO_LARGE, TOO_SLOW, Problem

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

MOST_REQUESTS = 200
"""Open at once, streams included: many pages and programs, and still few beside thousands of links."""
LARGEST_HEADERS = 16384
"""Bytes of all headers together; browsers and proxies keep below 8 kB."""
LARGEST_BODY = 65536
"""Bytes. The largest sensible one is a device with all its outputs."""
LARGEST_SITE = 4_000_000
"""Bytes of a whole site: some 8,000 devices, as site files have them."""
SITE_PATH = "/api/v1/site"
"""Where a body may be that large."""
BODY_S = 10.0
"""Seconds in which a body must have come: 64 kB over the worst radio link."""


class Limits:
    """Answers with a problem what would be too much, before anything is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        problem = self._objection(scope)
        if problem is not None and scope["type"] == "http":
            await problem.answer(scope)(scope, receive, send)
            return
        self._open += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open -= 1

    def _objection(self, scope: Scope) -> Problem | None:
        if self._open >= MOST_REQUESTS:
            return Problem(
                BUSY,
                f"{MOST_REQUESTS} requests are open",
                advice="Close streams that nobody reads, and try again.",
                headers={"Retry-After": "1"},
            )
        if sum(len(name) + len(value) for name, value in scope["headers"]) > LARGEST_HEADERS:
            return Problem(HEADERS_TOO_LARGE, f"the headers hold more than {LARGEST_HEADERS} bytes")
        largest = _largest(scope)
        for name, value in scope["headers"]:
            if name == b"content-length" and int(value) > largest:
                return _too_large(largest)
        return None


async def read_body(request: Request) -> bytes:
    """The whole body; raises `Problem` when it is too large or too slow."""
    body = bytearray()
    largest = _largest(request.scope)
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.stream():
                body += part
                if len(body) > largest:
                    raise _too_large(largest)
    except TimeoutError:
        raise Problem(TOO_SLOW, f"the body did not come within {BODY_S:g} s") from None
    return bytes(body)


def _largest(scope: Scope) -> int:
    return LARGEST_SITE if scope["path"] == SITE_PATH else LARGEST_BODY


def _too_large(largest: int) -> Problem:
    # The connection stays open, and what still comes is thrown away: closing it with bytes unread would take the
    # answer away from the client. The time that it has for its next headers bounds that.
    return Problem(BODY_TOO_LARGE, f"the body holds more than {largest} bytes")
