"""One connection of a client: uvicorn's protocol, with an end to everything that a client can let us wait for.

uvicorn bounds the time between two requests. Here the rest is bounded: the number of connections, the time until a
request's headers are there, and the time in which a client must read what it asked for. Whoever exceeds one of them
is cut off; the hub is not slowed, since nothing else ever waits for a client.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from holdfast.web.api.problem import BAD_REQUEST, HEADERS_TOO_LARGE, MEDIA_TYPE, Problem

if TYPE_CHECKING:
    import asyncio

    from uvicorn.config import Config
    from uvicorn.server import ServerState

MOST_CONNECTIONS = 256
"""At once. Above the most requests at once, so that there is room to say that there is none."""
HEADERS_S = 10.0
"""Seconds in which a request's headers must be complete, and in which a new connection must begin one."""
STALL_S = 10.0
"""Seconds in which a client that reads nothing is given up: as long as the radio of a phone may take to wake."""

log = logging.getLogger("holdfast.web")


class Connection(H11Protocol):
    """A client's connection, from accepting it to its loss."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.logger = log
        self.access_log = False
        self._headers_due: asyncio.TimerHandle | None = None
        self._reading_due: asyncio.TimerHandle | None = None

    @property
    def is_between_requests(self) -> bool:
        """Whether no request is being answered."""
        cycle: RequestResponseCycle | None = (
            self.cycle
        )  # uvicorn's annotation leaves out that there may be none
        return cycle is None or cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            log.debug("too many connections: one more was cut off")
            transport.abort()
            return
        self._headers_due = self.loop.call_later(HEADERS_S, self._cut_off)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        super().data_received(data)
        if self.transport.is_closing():
            return
        if not self.is_between_requests:
            self._headers_due = _cancelled(self._headers_due)
        elif self._headers_due is None:
            self._headers_due = self.loop.call_later(HEADERS_S, self._cut_off)

    def pause_writing(self) -> None:
        """The client reads slower than we write: until it has caught up, its time runs."""
        super().pause_writing()
        self._expect_reading()

    def resume_writing(self) -> None:
        """The client has caught up."""
        super().resume_writing()
        self._reading_due = _cancelled(self._reading_due)

    def timeout_keep_alive_handler(self) -> None:
        """Nothing more was asked: close, and do not wait for ever until the client has read the rest."""
        super().timeout_keep_alive_handler()
        self._expect_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        super().connection_lost(exc)
        self._relax()

    def abort(self) -> None:
        """Cut it off: what was not read yet is lost."""
        self._relax()
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP with a problem document. Called by uvicorn while it handles the parser's error."""
        if not self.is_between_requests:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.abort()  # an answer has begun; there is no place for another one
            return
        error = sys.exc_info()[1]
        is_large = getattr(error, "error_status_hint", 400) == HEADERS_TOO_LARGE.status
        problem = Problem(HEADERS_TOO_LARGE if is_large else BAD_REQUEST, str(error) or msg)
        body = problem.document("")
        headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        answer = h11.Response(status_code=problem.kind.status, headers=headers)
        for event in (answer, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
        self._expect_reading()

    def _should_upgrade(self) -> bool:
        # Without a WebSocket library there is nothing to upgrade to; uvicorn would log a warning for each request.
        return self._should_upgrade_to_ws() and super()._should_upgrade()

    def _expect_reading(self) -> None:
        _cancelled(self._reading_due)
        self._reading_due = self.loop.call_later(STALL_S, self._cut_off)

    def _relax(self) -> None:
        self._headers_due = _cancelled(self._headers_due)
        self._reading_due = _cancelled(self._reading_due)
        self._unset_keepalive_if_required()

    def _cut_off(self) -> None:
        log.debug("a client that did not keep up was cut off")
        self.abort()


def _cancelled(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    if timer is not None:
        timer.cancel()
    return None
